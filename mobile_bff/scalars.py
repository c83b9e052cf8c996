"""Scalars and money as the schema shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry.schema.types.base_scalars import DateTimeDefinition
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


def _fen(value: Any) -> Fen:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > FEN_MAX:
        raise ValueError("an amount in fen is a whole number")
    return Fen(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 30:
        raise ValueError('a decimal number is given as text, such as "12.50"')
    return value


def _seconds(value: datetime) -> str:
    """Return an instant for machines, with its offset; nobody outside has a use for microseconds."""
    return value.replace(microsecond=0).isoformat()


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="Date with time (isoformat)",
        serialize=_seconds,
        parse_value=DateTimeDefinition.parse_value,
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
