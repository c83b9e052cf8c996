"""The days and the money that the rulebook gives for reports."""

from __future__ import annotations

from datetime import date

from backend.kernel.money import Fen
from backend.matters.logic import due_on
from backend.matters.workdays import is_workday
from backend.reports.logic import reward_of
from backend.rulebook.contracts import Finding
from backend.rulebook.library import rulebook


def rule(region: str, name: str, day: date) -> Finding:
    """Return ``reports.name`` as it was in a region on a day. Raises ``RuleMissing``."""
    return rulebook().find(region, f"reports.{name}", day)


def accept_by(region: str, received_on: date) -> date:
    """Return by when it is decided whether a report is taken up."""
    days = rule(region, "accept_workdays", received_on).count
    return due_on(received_on, days, (), is_workday)


def handle_by(region: str, opened_on: date) -> date:
    """Return by when a case is to be found one way or the other."""
    days = rule(region, "handle_workdays", opened_on).count
    return due_on(opened_on, days, (), is_workday)


def reward_for(region: str, value: Fen, day: date) -> Fen:
    """Return the reward for a case of some value, by the brackets of the day."""
    bands = rule(region, "reward_bands", day).bands
    least, most = (rule(region, name, day).fen for name in ("reward_least", "reward_most"))
    return reward_of(value, bands, least, most)
