"""Pure decisions about contributions: which years, how much, and from when benefits count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
_INSURED = (BenefitStatus.ACTIVE, BenefitStatus.WAITING)
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


def gap_years(periods: Sequence[PeriodView], year: int) -> range | None:
    """Return the full years without cover before a year; ``None`` for who was never covered.

    A year that was paid and only waited for benefits is no gap.
    """
    last = 0
    for one in periods:
        if one.status in _INSURED and one.starts.year < year:
            last = max(last, min((one.ends or date(year - 1, 12, 31)).year, year - 1))
    return None if not last else range(last + 1, year)


def waits_since(periods: Sequence[PeriodView], last: date) -> date | None:
    """Return the first day of the waiting that was not over on a day; ``None``: nobody waited then."""
    waiting = [one for one in periods if one.status is BenefitStatus.WAITING]
    since, day = None, last
    while before := [one for one in waiting if one.starts <= day <= (one.ends or day)]:
        since = before[0].starts
        day = since - timedelta(days=1)
    return since


def gap_open(periods: Sequence[PeriodView], today: date) -> tuple[range, date | None]:
    """Return the years that can be paid back today, and since when somebody waits for benefits.

    They come before the year that somebody waits in, or will; before this one for who is not insured.
    There are none for who has benefits or was never insured.
    """
    ahead = min(
        (one for one in periods if one.status in _INSURED and (one.ends or today) >= today),
        key=lambda one: one.starts,
        default=None,
    )
    if ahead is not None and ahead.status is BenefitStatus.ACTIVE:
        return range(0), None
    since = None if ahead is None else waits_since(periods, ahead.starts)
    gap = gap_years(periods, (since or today).year) or range(0)
    return range(gap.start, min(gap.stop, today.year)), since


def cover(
    region: str,
    year: int,
    paid_on: date,
    birth_date: date,
    periods: Sequence[PeriodView],
    repaired: Collection[int],
    book: Rulebook,
) -> Cover:
    """Return what a paid year covers (CN-WAIT, CN-EN).

    Who pays within the window and had no gap, and a newborn within its days, does not wait. Waiting that
    began in the year before goes on, it does not begin anew. ``repaired``: years that were paid back.
    Raises ``RuleMissing``.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    newborn_until = birth_date + timedelta(
        days=book.find(region, "enrolment.newborn_days", paid_on).count
    )
    if paid_on <= newborn_until:
        return Cover(None, max(first, birth_date), last)
    since = waits_since(periods, first - timedelta(days=1)) if paid_on < first else None
    if since is None:
        if paid_on < first and not gap_years(periods, year):
            return Cover(None, first, last)
        begins = max(first, paid_on)
        return Cover(begins, waited(region, begins, paid_on, periods, repaired, book), last)
    over = waited(region, since, paid_on, periods, repaired, book)
    return Cover(first if over > first else None, max(first, over), last)


def waited(
    region: str,
    since: date,
    day: date,
    periods: Sequence[PeriodView],
    repaired: Collection[int],
    book: Rulebook,
) -> date:
    """Return the first day of benefits of who waits since a day, by the rules of another day (CN-WAIT)."""
    gap = gap_years(periods, since.year) or range(0)
    back = sum(1 for year in gap if year in repaired)
    return add_months(since, waiting_months(len(gap), back, None, region, day, book))
