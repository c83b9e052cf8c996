"""Pure decisions about ratings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from backend.ratings.contracts import BAD, GRADES, RatingProblem, RatingReason

WORDS_MAX = 500
_SHOWN_FROM = 5
"""An average of fewer would tell who rated."""


def problem_of(grade: int, reasons: Sequence[RatingReason], words: str) -> RatingProblem | None:
    """Return what is wrong with a rating as it was written."""
    if grade not in GRADES:
        return RatingProblem.GRADE
    if (grade in BAD) != bool(reasons) or len(set(reasons)) != len(reasons):
        return RatingProblem.REASON
    unsaid = RatingReason.OTHER in reasons and not words.strip()
    return RatingProblem.WORDS if unsaid or len(words.strip()) > WORDS_MAX else None


def is_late(settled_on: date, today: date, days: int) -> bool:
    """Tell whether the time for rating a settlement is over."""
    return today > settled_on + timedelta(days=days)


def tenths(count: int, total: int) -> int:
    """Return the average grade in tenths, rounded to the nearest; 0 where too few have rated."""
    return 0 if count < _SHOWN_FROM else (total * 20 + count) // (2 * count)
