"""补缴: years without insurance are paid back to wait less; nothing else comes of it (CN-WAIT).

Each year costs what the insured pay for the year of the payment, in the tier that they are in (国办发〔2024〕
38号). Benefits never begin before the day on which a year was paid back; that is our own reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from backend.enrolment import logic, queries
from backend.enrolment.contracts import ContributionState, GapView, GapYear
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.people import queries as people
from backend.people import service as people_service
from backend.people.contracts import BenefitStatus, InsuranceType, PeriodView
from backend.people.logic import waiting_months
from backend.rulebook.library import rulebook


def gap_of(unit: Unit, person_id: str) -> GapView | None:
    """Return the years that somebody can pay back, ``None`` where there are none.

    Raises ``RuleMissing``.
    """
    held = people.periods_of(unit, person_id)
    today = local_day(unit.now)
    years, since = logic.gap_open(_every(held), today)
    ids = _residents(unit, people.enrolment_ids(unit, person_id))
    if not years or not ids:
        return None
    enrolment_id = next((one for one in ids if _waits(held.get(one, ()), since)), ids[-1])
    area, _ = people.scheme_of(unit, enrolment_id)
    gap = logic.gap_years(_every(held), (since or today).year) or years
    repairs = queries.repairs(unit, ids)
    paid = [year for year in years if repairs.get(year) is ContributionState.PAID]
    asked = [year for year in years if repairs.get(year) is ContributionState.DUE]

    def months(count: int) -> int:
        return waiting_months(len(gap), count, None, area, today, rulebook())

    useful = range(len(years) + 1)
    least = min(months(count) for count in useful)
    return GapView(
        enrolment_id=enrolment_id,
        years=tuple(GapYear(year, repairs.get(year)) for year in years),
        months=months(len(paid)),
        months_least=least,
        years_needed=next(count for count in useful if months(count) == least),
        years_asked=len(paid) + len(asked),
        waits_since=since,
        benefits_from=None
        if since is None
        else logic.waited(area, since, today, _every(held), paid, rulebook()),
    )


def last_day(unit: Unit, person_id: str, until: date) -> date:
    """Return the last day to pay a year back: before a day, and while there is waiting to shorten."""
    waits = [
        one.ends
        for one in _every(people.periods_of(unit, person_id))
        if one.status is BenefitStatus.WAITING and one.ends and one.ends >= local_day(unit.now)
    ]
    return min([until, *waits])


def shorten(unit: Unit, person_id: str, paid_on: date) -> date | None:
    """Let somebody who waits do so for less, as years were paid back; return the first day of benefits.

    ``None``: nobody waits. Before: the person is locked. Raises ``RuleMissing``.
    """
    held = people.periods_of(unit, person_id)
    every = _every(held)
    _, since = logic.gap_open(every, paid_on)
    waiting = next((one for one, periods in held.items() if _waits(periods, since)), None)
    if since is None or waiting is None:
        return None
    area, _ = people.scheme_of(unit, waiting)
    repairs = queries.repairs(unit, _residents(unit, list(held)))
    paid = [year for year, state in repairs.items() if state is ContributionState.PAID]
    over = max(logic.waited(area, since, since, every, paid, rulebook()), paid_on)
    people_service.end_waiting(unit, waiting, over)
    unit.db.flush()
    return over


def _every(held: dict[str, list[PeriodView]]) -> list[PeriodView]:
    return [one for periods in held.values() for one in periods]


def _residents(unit: Unit, enrolment_ids: Iterable[str]) -> list[str]:
    resident = InsuranceType.RESIDENT
    return [one for one in enrolment_ids if people.scheme_of(unit, one)[1] is resident]


def _waits(periods: Iterable[PeriodView], since: date | None) -> bool:
    return since is not None and logic.waits_since(list(periods), since) == since
