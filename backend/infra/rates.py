"""How often something may happen, counted in the database so that all workers count together."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from backend.infra.database import Unit, insert_new
from backend.infra.model import UsedNonce
from backend.kernel.errors import Seconds

_COUNT = text(
    "INSERT INTO rate_window (bucket, window_start, hits) VALUES (:bucket, :start, 1) "
    "ON CONFLICT (bucket, window_start) DO UPDATE SET hits = rate_window.hits + 1 RETURNING hits"
)


def hit(unit: Unit, bucket: str, limit: int, window_seconds: int) -> Seconds | None:
    """Count one more and return ``None``, or the seconds to wait where that was one too many."""
    start = _window_start(unit.now, window_seconds)
    hits = unit.db.connection().execute(_COUNT, {"bucket": bucket, "start": start}).scalar_one()
    return None if hits <= limit else _left(unit.now, start, window_seconds)


def spend_nonce(unit: Unit, nonce: str, lives: timedelta) -> bool:
    """Use up a one-time value. Returns ``False`` where it has served before."""
    row = {"nonce": nonce, "expires_at": unit.now + lives}
    return insert_new(unit, UsedNonce, [row]) == 1


def _window_start(now: datetime, window_seconds: int) -> int:
    return int(now.timestamp()) // window_seconds * window_seconds


def _left(now: datetime, start: int, window_seconds: int) -> Seconds:
    return Seconds(max(1, start + window_seconds - int(now.timestamp())))
