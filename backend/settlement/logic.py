"""Pure decisions around a settlement: what it asks about, and what a reversal would disturb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from backend.people.contracts import InsuranceType
from backend.rulebook.library import Rulebook
from backend.settlement.calculate import calculate
from backend.settlement.case import CareKind, Case
from backend.settlement.contracts import Outcome

_AGE_RULES = ("rate_age_points", "rate_per_year_of_age", "full_rate_age", "no_deductible_age")
_PERSON_RULES = ("identities", "product")


@dataclass(frozen=True)
class Booked:
    """A settlement as it was booked."""

    id: str
    case: Case
    outcome: Outcome


@dataclass(frozen=True)
class Rerun:
    """A later settlement that comes out differently, and how."""

    booked: Booked
    case: Case
    outcome: Outcome


def asks_about_person(
    region: str, insurance: InsuranceType, care: CareKind, day: date, book: Rulebook
) -> bool:
    """Tell whether the law of this care asks about age, identities or supplements at all.

    Where it does not, nothing of the kind is read or stored with the settlement.
    """
    scheme = "worker" if insurance is InsuranceType.EMPLOYEE else "resident"
    pool = f"{care.value.lower()}_{scheme}"
    if any(book.parameter(region, f"{pool}.{rule}") for rule in _AGE_RULES):
        return True
    order = book.find_if_any(region, "payers.order", day, insurance=insurance.value)
    for topic in order.items if order else ():
        cares = book.find_if_any(region, f"{topic}.cares", day)
        taken = cares is not None and care.value in cares.items
        if taken and any(book.parameter(region, f"{topic}.{rule}") for rule in _PERSON_RULES):
            return True
    return False


def asks_about_choice(
    region: str, insurance: InsuranceType, care: CareKind, book: Rulebook
) -> bool:
    """Tell whether the law of this care asks what the person has chosen; no region has to."""
    scheme = "worker" if insurance is InsuranceType.EMPLOYEE else "resident"
    pool = f"{care.value.lower()}_{scheme}."
    rules = book.rules_of(region).items()
    return any(name.startswith(pool) and "chosen" in rule.by for name, rule in rules)


def add(used: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    """Return the year's counters after a bill."""
    return {name: used.get(name, 0) + counts.get(name, 0) for name in {*used, *counts}}


def take(used: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    """Return the year's counters as if a bill had never been."""
    left = {name: used.get(name, 0) - counts.get(name, 0) for name in {*used, *counts}}
    return {name: amount for name, amount in left.items() if amount}


def rerun_without(
    used_before: Mapping[str, int], later: Sequence[Booked], book: Rulebook
) -> list[Rerun]:
    """Return the later settlements that would come out differently without an earlier one.

    ``used_before`` is what the year had used before the settlement that is to be reversed, and
    ``later`` what still stands of the bills booked after it, in their order. Each is reckoned again,
    one on top of the other, as if the reversed one had never been. Where every payer but account and
    cash pays the same, it is untouched: who paid a share in cash for lack of balance keeps that.
    """
    found, used = [], dict(used_before)
    for booked in later:
        case = replace(booked.case, used=used)
        again = calculate(case, book)
        if _fund_side(again) != _fund_side(booked.outcome):
            found.append(Rerun(booked, case, again))
        used = add(used, again.counts)
    return found


def _fund_side(outcome: Outcome) -> tuple[object, ...]:
    shares = [(s.payer, s.topic, s.amount_fen) for s in outcome.shares if s.payer.is_fund]
    return (outcome.deductible_fen, outcome.hospital_fen, shares)
