"""Cash channels: each speaks one protocol of the outside world, and is a ``CashChannel`` to the orders."""
