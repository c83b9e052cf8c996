"""Money as whole fen, and the only place in the project that divides it.

Prices at a till carry up to six decimals of a yuan and quantities up to four decimals of a unit
(national interface: ``pric`` N16,6 and ``cnt`` N16,4), so both are kept as scaled integers too.
No float takes part anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NewType

Fen = NewType("Fen", int)
"""An amount in fen, 1/100 yuan."""

UnitPrice = NewType("UnitPrice", int)
"""A price for one unit in millionths of a yuan."""

Quantity = NewType("Quantity", int)
"""A number of units in ten-thousandths."""

PRICE_SCALE = 1_000_000
QUANTITY_SCALE = 10_000
ZERO = Fen(0)

_DECIMAL = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,6}))?\Z", re.ASCII)


class Rounding(StrEnum):
    """How a fraction of a fen is settled. The function that rounds names the clause that says so."""

    HALF_UP = "HALF_UP"
    DOWN = "DOWN"


def share(amount: Fen, rate: Fraction, rounding: Rounding = Rounding.HALF_UP) -> Fen:
    """Return ``amount × rate`` in whole fen. ``amount`` and ``rate`` must not be negative."""
    if amount < 0 or rate < 0:
        raise ValueError("a share is taken of a non-negative amount at a non-negative rate")
    return _quotient(amount * rate.numerator, rate.denominator, rounding)


def whole_fen(exact: Fraction | int, rounding: Rounding = Rounding.HALF_UP) -> Fen:
    """Return an exact, non-negative amount of fen in whole fen."""
    if exact < 0:
        raise ValueError("an amount that is rounded is not negative")
    return _quotient(exact.numerator, exact.denominator, rounding)


def unit_price_fen(price: UnitPrice) -> Fraction:
    """Return a price of one unit in exact fen."""
    return Fraction(price * 100, PRICE_SCALE)


def units(quantity: Quantity) -> Fraction:
    """Return a number of units as an exact number."""
    return Fraction(quantity, QUANTITY_SCALE)


def allocate(total: Fen, weights: Sequence[int]) -> list[Fen]:
    """Split ``total`` in proportion to ``weights``; the parts always sum to ``total``.

    Largest remainder: what rounding down leaves over goes, fen by fen, to the parts that lost most,
    the earlier one first where two lost the same.
    """
    if total < 0 or not weights or min(weights) < 0:
        raise ValueError("a non-negative total is split over non-negative weights")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("nothing to split a positive total by")
        return [ZERO for _ in weights]
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return [Fen(part) for part in parts]


def line_amount(unit_price: UnitPrice, quantity: Quantity) -> Fen:
    """Return ``unit_price × quantity`` rounded half up to fen (``det_item_fee_sumamt``)."""
    return _quotient(unit_price * quantity * 100, PRICE_SCALE * QUANTITY_SCALE, Rounding.HALF_UP)


def parse_yuan(text: str) -> Fen:
    """Read a decimal number of yuan with at most two decimals. Raises ``ValueError``."""
    return Fen(_scaled(text, decimals=2))


def parse_unit_price(text: str) -> UnitPrice:
    """Read a decimal number of yuan with at most six decimals. Raises ``ValueError``."""
    return UnitPrice(_scaled(text, decimals=6))


def parse_quantity(text: str) -> Quantity:
    """Read a decimal number of units with at most four decimals. Raises ``ValueError``."""
    return Quantity(_scaled(text, decimals=4))


def yuan_text(amount: Fen) -> str:
    """Return yuan with two decimals: ``Fen(-5)`` is ``-0.05``."""
    whole, cents = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole}.{cents:02d}"


def unit_price_text(price: UnitPrice) -> str:
    """Return yuan with two to six decimals, without padding beyond the second."""
    whole, rest = divmod(price, PRICE_SCALE)
    decimals = f"{rest:06d}"
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def quantity_text(quantity: Quantity) -> str:
    """Return units without padding: 20000 is ``2`` and 15000 is ``1.5``."""
    whole, rest = divmod(quantity, QUANTITY_SCALE)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def whole_units(quantity: Quantity) -> int | None:
    """Return the number of whole units, or ``None`` where the quantity is a fraction of one."""
    whole, rest = divmod(quantity, QUANTITY_SCALE)
    return None if rest else whole


def percent_text(rate: Fraction) -> str:
    """Return a rate as a percentage with up to four decimals: 1/2 is ``50%``, 1/8 is ``12.5%``."""
    whole, rest = divmod(abs(rate.numerator) * 1_000_000, rate.denominator)
    if rest:
        raise ValueError(f"{rate} is no whole number of ten-thousandths of a percent")
    percent, rest = divmod(whole, 10_000)
    text = f"{percent}.{rest:04d}".rstrip("0").rstrip(".")
    return f"{'-' if rate < 0 else ''}{text}%"


def _quotient(numerator: int, denominator: int, rounding: Rounding) -> Fen:
    whole, rest = divmod(numerator, denominator)
    if rounding is Rounding.HALF_UP and 2 * rest >= denominator:
        whole += 1
    return Fen(whole)


def _scaled(text: str, decimals: int) -> int:
    match = _DECIMAL.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a plain decimal number")
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if len(fraction) > decimals:
        raise ValueError(f"{text!r} has more than {decimals} decimals")
    scale: int = 10**decimals
    value = int(whole) * scale + int(fraction.ljust(decimals, "0") or "0")
    return -value if sign else value
