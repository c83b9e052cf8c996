"""Separate processes that stand for what cannot exist here, with its real faults. Nothing imports them."""
