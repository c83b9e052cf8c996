"""家庭共济 and 医保钱包: a person's own account money for near relatives; never the right to act for them."""
