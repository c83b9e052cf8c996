"""How often something may happen, counted in the database so that all workers count together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address

from sqlalchemy import ColumnElement, Delete, text
from sqlmodel import col, delete, update

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
_IPV6_PREFIX = 64
"""One subscriber of a network has all addresses of such a prefix (RFC 6177, RFC 7934)."""


@dataclass(frozen=True)
class Allowance:
    """So many hits of a bucket within a window."""

    bucket: str
    limit: int
    window_seconds: int


def hit(unit: Unit, bucket: str, limit: int, window_seconds: int) -> Seconds | None:
    """Count one more and return ``None``, or the seconds to wait where that was one too many.

    A window begins with its first hit, so a limit never holds for less than its time.
    """
    now = int(unit.now.timestamp())
    parameters = {"bucket": bucket, "now": now, "over": now - window_seconds}
    hits, start = unit.db.connection().execute(_COUNT, parameters).one()
    return None if hits <= limit else Seconds(max(1, start + window_seconds - now))


def hit_all(unit: Unit, allowances: Sequence[Allowance]) -> Seconds | None:
    """Count one more for every allowance and return ``None``, or count nothing and return the wait.

    Callers name allowances of one kind in one order, so that two transactions never wait for each other.
    """
    counted = []
    for allowance in allowances:
        counted.append(allowance.bucket)
        wait = hit(unit, allowance.bucket, allowance.limit, allowance.window_seconds)
        if wait is not None:
            give_back(unit, counted)
            return wait
    return None


def give_back(unit: Unit, buckets: Sequence[str]) -> None:
    """Take one hit back from each bucket."""
    counted = col(RateWindow.bucket).in_(buckets), col(RateWindow.hits) > 0
    less = update(RateWindow).where(*counted).values(hits=col(RateWindow.hits) - 1)
    unit.db.exec(less.execution_options(synchronize_session=False))


def forget(unit: Unit, bucket: str) -> None:
    """Remove a bucket."""
    unit.db.exec(_without(col(RateWindow.bucket) == bucket))


def forget_all(unit: Unit, prefix: str) -> None:
    """Remove every bucket whose name begins so; it reads the whole table, so only an operator asks."""
    unit.db.exec(_without(col(RateWindow.bucket).startswith(prefix, autoescape=True)))


def _without(which: ColumnElement[bool]) -> Delete:
    return delete(RateWindow).where(which).execution_options(synchronize_session=False)


def wait_for(unit: Unit, bucket: str, limit: int, window_seconds: int) -> Seconds | None:
    """Return the seconds to wait where the limit is reached, without counting."""
    row = unit.db.get(RateWindow, bucket, populate_existing=True)
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


def place_of(unit: Unit, address: str) -> str:
    """Return the keyed name of the network place that an address belongs to.

    A subscriber with IPv6 has 2**64 addresses, so the prefix of 64 bits counts and not the address.
    What is no IP address stands for itself.
    """
    return unit.vault.index(_place(address), "address")


def _place(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), _IPV6_PREFIX), strict=False))


def spend_nonce(unit: Unit, nonce: str, lives: timedelta) -> bool:
    """Use up a one-time value. Returns ``False`` where it has served before."""
    row = {"nonce": nonce, "expires_at": unit.now + lives}
    return insert_new(unit, UsedNonce, [row]) == 1
