"""通知: the one place that decides who is told what, by which channel, when, and once."""
