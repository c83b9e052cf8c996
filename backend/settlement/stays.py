"""Which year a stay counts to, and how a stay across the year's end is split where the region says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from backend.kernel.money import Fen
from backend.rulebook.library import Rulebook
from backend.settlement.case import Case, Stay
from backend.settlement.contracts import Outcome


def year_of(region: str, stay: Stay, book: Rulebook) -> int:
    """Return the year that a stay counts to, as ``stays.year_of`` of the day of discharge says.

    A stay that is split by the day of each line counts to the year of discharge with what is left of
    it; see ``stretches``. Raises ``RuleMissing``.
    """
    choice = book.find(region, "stays.year_of", stay.discharged_on).choice
    return stay.admitted_on.year if choice == "ADMISSION" else stay.discharged_on.year


def stretches(case: Case, book: Rulebook) -> list[Case]:
    """Return the case in stretches that are settled one after another, one a calendar year.

    One stretch, the case itself, unless ``stays.year_of`` is ``FEE_DATE`` and the stay crosses the
    end of a year. Lines without a day of their own count to the last day. The deductible is one for
    the stay: pass each outcome to ``continued`` before settling the next stretch.
    """
    stay = case.stay
    if stay is None or stay.admitted_on.year == stay.discharged_on.year:
        return [case]
    region = case.insured.area_code
    if book.find(region, "stays.year_of", stay.discharged_on).choice != "FEE_DATE":
        return [case]
    found = []
    for year in range(stay.admitted_on.year, stay.discharged_on.year + 1):
        lines = tuple(
            line for line in case.lines if (line.served_on or stay.discharged_on).year == year
        )
        if lines:
            last = min(stay.discharged_on, date(year, 12, 31))
            first = max(stay.admitted_on, date(year, 1, 1))
            part = replace(stay, admitted_on=first, discharged_on=last)
            found.append(replace(case, year=year, service_date=last, stay=part, lines=lines))
    return found


def continued(next_stretch: Case, before: Outcome) -> Case:
    """Return the next stretch of a stay after one was settled: its deductible and balances go on."""
    stay = next_stretch.stay
    assert stay is not None
    paid = Fen(stay.deductible_paid_fen + before.deductible_fen)
    due = stay.deductible_due_fen
    due = before.deductible_year_fen if due is None else due
    return replace(
        next_stretch,
        stay=replace(stay, deductible_due_fen=due, deductible_paid_fen=paid, counted=True),
        account_balance_fen=before.account_balance_after_fen,
        family_balance_fen=before.family_balance_after_fen,
    )
