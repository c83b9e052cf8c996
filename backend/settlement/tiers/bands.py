"""Rates that change with the amount: the exact sum over the bands."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from backend.kernel.money import Fen, percent_text, whole_fen, yuan_text
from backend.rulebook.contracts import Band

FULL = Fraction(1)


def raised(bands: Sequence[Band], points: Fraction) -> tuple[Band, ...]:
    """Return the bands with points added to each rate, or taken off; never below 0 or above 1."""
    return tuple(Band(b.up_to, min(FULL, max(Fraction(0), b.rate + points))) for b in bands)


def over(bands: Sequence[Band], amount: Fraction) -> Fraction:
    """Return the exact sum of each band's stretch of the amount times its rate."""
    total, start = Fraction(0), Fen(0)
    for band in bands:
        if band.up_to is None or amount <= band.up_to:
            return total + (amount - start) * band.rate if amount > start else total
        total += (band.up_to - start) * band.rate
        start = band.up_to
    return total


def inverse(bands: Sequence[Band], paid: Fraction) -> Fraction:
    """Return the least amount on which the bands pay ``paid``, which they must be able to pay."""
    covered, start = paid, Fen(0)
    for band in bands:
        if band.rate:
            amount = start + covered * Fraction(band.rate.denominator, band.rate.numerator)
            if band.up_to is None or amount <= band.up_to:
                return amount
        if band.up_to is None:
            break
        covered -= (band.up_to - start) * band.rate
        start = band.up_to
    raise ValueError("the bands never pay so much")


def formula(bands: Sequence[Band], low: Fraction, high: Fraction) -> str:
    """Return the stretch from ``low`` to ``high`` as figures: ``5000.00 × 60% + 1200.00 × 76%``."""
    terms, start = [], Fen(0)
    for band in bands:
        bottom = max(low, Fraction(start))
        top = high if band.up_to is None else min(high, Fraction(band.up_to))
        if top > bottom:
            terms.append(f"{exact_text(top - bottom)} × {percent_text(band.rate)}")
        if band.up_to is None:
            break
        start = band.up_to
    return " + ".join(terms) or "0.00"


def exact_text(amount: Fraction | int) -> str:
    """Return an exact amount in yuan; what is no whole fen is rounded for show and marked ``≈``."""
    if isinstance(amount, int):
        return yuan_text(Fen(amount))
    rounded = whole_fen(amount)
    return yuan_text(rounded) if rounded == amount else f"≈{yuan_text(rounded)}"
