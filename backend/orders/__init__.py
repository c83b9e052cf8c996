"""Payment orders (支付单): one bill paid through two ledgers, the insurance's and a cash channel's."""
