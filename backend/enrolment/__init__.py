"""参保登记, 缴费 and 转移接续: how somebody gets insured, what was paid for them, and how it moves with them."""
