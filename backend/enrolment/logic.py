"""Pure decisions about contributions: which years, how much, and from when benefits count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from backend.kernel.calendar import add_months, age_on
from backend.people.contracts import BenefitStatus, PeriodView, PersonKind
from backend.people.logic import waiting_months
from backend.rulebook.library import Rulebook

_ADULT_FROM = 18
_KINDS = (
    PersonKind.RESIDENT_ADULT,
    PersonKind.STUDENT_OR_CHILD,
    PersonKind.UNIVERSITY_STUDENT,
)
STUDENT_TIER = "STUDENT"


@dataclass(frozen=True)
class Cover:
    """From when to when a year that was paid covers somebody.

    ``waits_from`` is ``None`` where there is no waiting.
    """

    waits_from: date | None
    benefits_from: date
    ends: date


def years_open(region: str, today: date, book: Rulebook) -> tuple[int, ...]:
    """Return the years that can be paid for today: this one, and the next within its window."""
    first = book.find(region, "enrolment.window_first_month", today).count
    last = book.find(region, "enrolment.window_last_month", today).count
    return (today.year, today.year + 1) if first <= today.month <= last else (today.year,)


def kind_fits(kind: PersonKind, birth_date: date, today: date) -> bool:
    """Tell whether a kind of resident fits an age: nobody under 18 is an adult, no adult a child.

    Pupils of 18 and a little more stay children of their insurance; our own choice, no rule was found.
    """
    age = age_on(birth_date, today)
    if kind is PersonKind.RESIDENT_ADULT:
        return age >= _ADULT_FROM
    if kind is PersonKind.STUDENT_OR_CHILD:
        return age <= _ADULT_FROM + 2
    return kind in _KINDS


def tier_fits(kind: PersonKind, tier: str, tiers: Sequence[str]) -> bool:
    """Tell whether a tier is offered, and to this kind of person: adults choose, others are students."""
    wants_student = kind is not PersonKind.RESIDENT_ADULT
    return tier in tiers and (tier == STUDENT_TIER) is wants_student


def gap_years(periods: Sequence[PeriodView], year: int) -> int | None:
    """Return the full years without cover before a year; ``None`` for who was never covered."""
    last = 0
    for one in periods:
        if one.status is BenefitStatus.ACTIVE and one.starts.year < year:
            last = max(last, min((one.ends or date(year - 1, 12, 31)).year, year - 1))
    return None if not last else year - 1 - last


def cover(
    region: str,
    year: int,
    paid_on: date,
    birth_date: date,
    periods: Sequence[PeriodView],
    book: Rulebook,
) -> Cover:
    """Return what a paid year covers (CN-WAIT, CN-EN).

    Who pays within the window and had no gap, and a newborn within its days, does not wait. Raises
    ``RuleMissing``.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    newborn_until = birth_date + timedelta(
        days=book.find(region, "enrolment.newborn_days", paid_on).count
    )
    if paid_on <= newborn_until:
        return Cover(None, max(first, birth_date), last)
    gap = gap_years(periods, year)
    if paid_on < first and gap in (0, None):
        return Cover(None, first, last)
    begins = max(first, paid_on)
    months = waiting_months(gap or 0, 0, None, region, paid_on, book)
    return Cover(begins, add_months(begins, months), last)
