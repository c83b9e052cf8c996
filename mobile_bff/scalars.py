"""Scalars and money as the schema shows them.

A scalar bounds what it reads, and says what it expects without repeating the caller's text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from operator import methodcaller
from typing import Any

import strawberry
from strawberry.types.scalar import ScalarDefinition

from backend.kernel.errors import Locale
from backend.kernel.money import (
    Fen,
    Quantity,
    UnitPrice,
    parse_quantity,
    parse_unit_price,
    quantity_text,
    unit_price_text,
    yuan_text,
)

FEN_MAX = 2**53 - 1
"""The largest whole number that every JSON client reads exactly."""
CHARACTERS_MAX = 40
"""Characters of a day, an instant or a time as text."""
YEAR_MIN, YEAR_MAX = 1900, 2199
"""Years that a caller may name: a period before or after one of them is still in the calendar."""


def _fen(value: Any) -> Fen:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > FEN_MAX:
        raise ValueError("an amount in fen is a whole number")
    return Fen(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 30:
        raise ValueError('a decimal number is given as text, such as "12.50"')
    return value


def _calendar(read: Callable[[str], Any], expected: str) -> Callable[[Any], Any]:
    """Return a reader of ISO text whose year, where it has one, lies within the calendar."""

    def parsed(value: Any) -> Any:
        if not isinstance(value, str) or len(value) > CHARACTERS_MAX:
            raise ValueError(expected)
        try:
            moment = read(value)
        except (ValueError, OverflowError):
            raise ValueError(expected) from None
        if YEAR_MIN <= getattr(moment, "year", YEAR_MIN) <= YEAR_MAX:
            return moment
        raise ValueError(f"{expected}, from {YEAR_MIN} to {YEAR_MAX}")

    return parsed


def _instant(value: str) -> datetime:
    """Return an instant. Raises ``ValueError`` for one without an offset, which names no instant."""
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("no offset")
    return instant.astimezone(UTC)


def _time_of_day(value: str) -> time:
    """Return a time in the province. Raises ``ValueError`` for one that names an offset."""
    moment = time.fromisoformat(value)
    if moment.tzinfo is not None:
        raise ValueError("an offset")
    return moment


def _seconds(value: datetime) -> str:
    """Return an instant for machines, with its offset; nobody outside has a use for microseconds."""
    return value.replace(microsecond=0).isoformat()


SCALARS: dict[object, ScalarDefinition] = {
    date: strawberry.scalar(
        name="Date",
        description='A day such as "2026-06-15", from the year 1900 to 2199.',
        serialize=methodcaller("isoformat"),
        parse_value=_calendar(date.fromisoformat, 'a day is text such as "2026-06-15"'),
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='An instant such as "2026-06-15T10:00:00+08:00", from the year 1900 to 2199.',
        serialize=_seconds,
        parse_value=_calendar(_instant, 'an instant is text such as "2026-06-15T10:00:00+08:00"'),
    ),
    time: strawberry.scalar(
        name="Time",
        description='A time of the day such as "08:30".',
        serialize=methodcaller("isoformat"),
        parse_value=_calendar(_time_of_day, 'a time is text such as "08:30"'),
    ),
    Fen: strawberry.scalar(
        name="Fen",
        description="A whole number of fen, 1/100 yuan, as a JSON integer.",
        serialize=int,
        parse_value=_fen,
    ),
    Quantity: strawberry.scalar(
        name="Quantity",
        description='A decimal number of units as text, with at most four decimals, such as "2".',
        serialize=quantity_text,
        parse_value=lambda value: parse_quantity(_text(value)),
    ),
    UnitPrice: strawberry.scalar(
        name="UnitPrice",
        description='Yuan for one unit as decimal text, with at most six decimals: "12.50".',
        serialize=unit_price_text,
        parse_value=lambda value: parse_unit_price(_text(value)),
    ),
}


@strawberry.type(description="An amount of money.")
class Money:
    """An amount in three forms of the same number."""

    fen: Fen = strawberry.field(description="Whole fen, for reckoning.")
    yuan: str = strawberry.field(description="Yuan with two decimals, for showing.")
    text: str = strawberry.field(description="With the unit, for reading out.")


def money(amount: Fen, locale: Locale) -> Money:
    """Return an amount for the schema."""
    yuan = yuan_text(amount)
    text = f"{yuan}元" if locale is Locale.ZH else f"CNY {yuan}"
    return Money(fen=amount, yuan=yuan, text=text)


def money_or_none(amount: Fen | None, locale: Locale) -> Money | None:
    """Return an amount for the schema, where there is one."""
    return None if amount is None else money(amount, locale)
