"""What every channel makes of a callback."""

from __future__ import annotations

from dataclasses import dataclass

from backend.orders.contracts import CashSeen


@dataclass(frozen=True)
class CalledBack:
    """What a callback that can be believed says of an order."""

    number: str
    seen: CashSeen
