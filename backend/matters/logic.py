"""Pure decisions about applications: working days, promised days, and what is still missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, timedelta

from backend.matters.contracts import MaterialVerdict, MaterialView, Requirement

WorkdayTest = Callable[[date], bool]
_YEARS_MAX = 3


def due_on(start: date, workdays: int, paused: Collection[date], is_workday: WorkdayTest) -> date:
    """Return the last of some working days after a day; days on which the clock rests do not count.

    0 working days: the day itself. Nothing that is promised takes years, so the search ends.
    """
    day, left = start, workdays
    for _ in range(366 * _YEARS_MAX):
        if left == 0:
            return day
        day += timedelta(days=1)
        if is_workday(day) and day not in paused:
            left -= 1
    raise ValueError(f"{workdays} working days after {start} do not end")


def days_of(spans: Iterable[tuple[date, date]]) -> set[date]:
    """Return every day of some spans, both ends included."""
    return {
        first + timedelta(days=number)
        for first, last in spans
        for number in range((last - first).days + 1)
    }


def missing(
    needed: Sequence[tuple[Requirement, ...]], held: Iterable[MaterialView]
) -> tuple[Requirement, ...]:
    """Return what is still missing of papers that are needed, in their order.

    Each group of ``needed`` is met by any one of its papers; of a group without one its first paper is
    named. A refused paper counts for nothing.
    """
    have = {one.requirement for one in held if one.verdict is not MaterialVerdict.REFUSED}
    return tuple(group[0] for group in needed if not have.intersection(group))
