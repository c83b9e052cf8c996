"""Pure decisions about choices: the rules of an area, and from when a choice counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from backend.kernel.calendar import add_months
from backend.rulebook.library import Rulebook


@dataclass(frozen=True)
class ChoiceRules:
    """How choosing and signing goes in an insured area on a day."""

    count_max: int
    level_max: int
    effective: str
    team_review_workdays: int
    team_months: int
    team_renew_days: int
    provisional: bool


def rules_on(region: str, day: date, book: Rulebook) -> ChoiceRules:
    """Return the rules. Raises ``RuleMissing``."""
    names = ("count_max", "level_max", "team_review_workdays", "team_months", "team_renew_days")
    most, level, review, months, renew = (book.find(region, f"choices.{n}", day) for n in names)
    effective = book.find(region, "choices.effective", day)
    return ChoiceRules(
        most.count,
        level.count,
        effective.choice,
        review.count,
        months.count,
        renew.count,
        any(one.ref.provisional for one in (most, level, effective, review, months, renew)),
    )


def counts_from(effective: str, today: date) -> date:
    """Return the first day of a choice that is made today."""
    if effective == "NEXT_MONTH":
        return add_months(today.replace(day=1), 1)
    return today + timedelta(days=1)
