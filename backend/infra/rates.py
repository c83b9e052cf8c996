"""How often something may happen, counted in the database so that all workers count together."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from backend.infra.database import Unit, insert_new
from backend.infra.model import RateWindow, UsedNonce
from backend.kernel.errors import Seconds

_COUNT = text(
    "INSERT INTO rate_window (bucket, window_start, hits) VALUES (:bucket, :now, 1) "
    "ON CONFLICT (bucket) DO UPDATE SET "
    "hits = CASE WHEN rate_window.window_start <= :over THEN 1 ELSE rate_window.hits + 1 END, "
    "window_start = CASE WHEN rate_window.window_start <= :over THEN :now "
    "ELSE rate_window.window_start END RETURNING hits, window_start"
)


def hit(unit: Unit, bucket: str, limit: int, window_seconds: int) -> Seconds | None:
    """Count one more and return ``None``, or the seconds to wait where that was one too many.

    A window begins with its first hit, so a limit never holds for less than its time.
    """
    now = int(unit.now.timestamp())
    parameters = {"bucket": bucket, "now": now, "over": now - window_seconds}
    hits, start = unit.db.connection().execute(_COUNT, parameters).one()
    return None if hits <= limit else Seconds(max(1, start + window_seconds - now))


def wait_for(unit: Unit, bucket: str, limit: int, window_seconds: int) -> Seconds | None:
    """Return the seconds to wait where the limit is reached, without counting."""
    row = unit.db.get(RateWindow, bucket)
    now = int(unit.now.timestamp())
    if row is None or row.window_start <= now - window_seconds or row.hits < limit:
        return None
    return Seconds(row.window_start + window_seconds - now)


def left(unit: Unit, bucket: str, limit: int, window_seconds: int) -> int:
    """Return how many more hits the limit allows in the window that runs now."""
    row = unit.db.get(RateWindow, bucket, populate_existing=True)
    if row is None or row.window_start <= int(unit.now.timestamp()) - window_seconds:
        return limit
    return max(0, limit - row.hits)


def spend_nonce(unit: Unit, nonce: str, lives: timedelta) -> bool:
    """Use up a one-time value. Returns ``False`` where it has served before."""
    row = {"nonce": nonce, "expires_at": unit.now + lives}
    return insert_new(unit, UsedNonce, [row]) == 1
