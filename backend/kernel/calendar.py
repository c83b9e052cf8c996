"""Instants and days. Instants are timezone-aware UTC; days are those of Asia/Shanghai.

China has kept UTC+8 without daylight saving since 1991, and every date this project handles lies
after that, so a fixed offset is exact and needs no time-zone database.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_END_SECONDS = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


class Clock(Protocol):
    """Where the present comes from; always handed in, so that tests can own time."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...


def instant_of(seconds: object) -> datetime:
    """Return the instant so many seconds after 1970 began. Raises ``ValueError`` outside of 1970 to 2199.

    Tokens carry such numbers, and anybody can write one.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("no number of seconds")
    if not 0 <= seconds < _END_SECONDS:
        raise ValueError("no instant of a calendar that is used")
    return datetime.fromtimestamp(seconds, UTC)


def local(instant: datetime) -> datetime:
    """Return the instant as a wall clock in Chengdu shows it."""
    if instant.tzinfo is None:
        raise ValueError("an instant carries its time zone")
    return instant.astimezone(SHANGHAI)


def local_day(instant: datetime) -> date:
    """Return the calendar day of the instant in Asia/Shanghai."""
    return local(instant).date()


def local_minute(instant: datetime) -> str:
    """Return the instant as people are shown it everywhere: ``2026-12-01 09:30`` in Asia/Shanghai."""
    return local(instant).strftime("%Y-%m-%d %H:%M")


def age_on(birth: date, day: date) -> int:
    """Return completed years of age; who is born on 29 February ages on 1 March of other years."""
    had_birthday = (day.month, day.day) >= (birth.month, birth.day)
    return day.year - birth.year - (0 if had_birthday else 1)


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a month that is too short for it."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    following, after = divmod(first.month, 12)
    last = date(first.year + following, after + 1, 1) - timedelta(days=1)
    return min(first + timedelta(days=day.day - 1), last)
