"""The steps of a settlement, each a pure function of the case and the law."""
