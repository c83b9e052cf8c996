"""Throws away what has served: old live events, rate windows, one-time values and failures got over.

Answers to request keys are kept: a till may ask again for a settlement of any age. The newest message of
the outbox is kept as well: SQLite counts on from the highest id that it finds, and would give ids again
that live events were read by.
"""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, delete, func, select

from backend.infra.database import Unit
from backend.infra.model import OutboxMessage, Postponement, RateWindow, UsedNonce
from backend.infra.outbox import Channel

KEPT = timedelta(days=1)


def tidy_up(unit: Unit) -> int:
    """Remove what is older than a day and return how many rows went."""
    before = unit.now - KEPT
    is_older = col(OutboxMessage.id) < select(func.max(OutboxMessage.id)).scalar_subquery()
    done = (
        delete(OutboxMessage)
        .where(col(OutboxMessage.channel) == Channel.LIVE)
        .where(col(OutboxMessage.created_at) < before, is_older),
        delete(OutboxMessage).where(col(OutboxMessage.delivered_at) < before, is_older),
        delete(RateWindow).where(col(RateWindow.window_start) < int(before.timestamp())),
        delete(UsedNonce).where(col(UsedNonce.expires_at) < before),
        # an item that was not tried again for a day has gone another way
        delete(Postponement).where(col(Postponement.next_at) < before),
    )
    return sum(unit.db.exec(statement).rowcount for statement in done)
