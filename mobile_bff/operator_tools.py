"""``yibao capitation`` and ``yibao pay-later``: what the province's own people clear and follow up."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Any, Protocol, TypeVar

from backend.credit import queries as credit
from backend.credit import service as credit_service
from backend.credit.contracts import PayLaterNotPossible, PayLaterState, PayLaterView
from backend.entitlements import logic as capitation
from backend.entitlements import service as entitlements
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.errors import Locale
from backend.kernel.money import parse_yuan, yuan_text
from backend.payments.stays import was_in_hospital
from backend.people.contracts import InsuranceType
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook

T = TypeVar("T")


class Run(Protocol):
    """Does a piece of work in one transaction."""

    def __call__(self, work: Callable[[Unit], T]) -> T:
        """Return what the work returns."""
        ...


def add_operator_commands(
    add: Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser],
    write: Run,
    read: Run,
    operator: Callable[[], str],
) -> None:
    """Add the commands to the command line."""
    cleared = add(
        "capitation",
        lambda options: _capitation(options, write, read, operator()),
        "clear a month of a pilot hospital, or show what a year came to",
    )
    cleared.add_argument("institution", metavar="CODE")
    cleared.add_argument("area", help="insured area, such as 510100")
    cleared.add_argument("period", help="2026-03 clears a month; 2026 shows the year")
    cleared.add_argument(
        "--insurance", choices=[i.value for i in InsuranceType], default="EMPLOYEE"
    )
    cleared.add_argument("--missed-quality", default="0", help="share of the due, such as 0.05")
    owed = add(
        "pay-later",
        lambda options: _pay_later(options, write, read, operator()),
        "list debts of pay-later agreements, take payments, tell, list a default",
    )
    owed.add_argument("action", choices=["show", "pay", "tell", "list", "extend"])
    owed.add_argument("agreement", nargs="?")
    owed.add_argument("value", nargs="?", help="yuan to pay, or months to extend by")


def _capitation(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    found = read(lambda unit: institutions.by_code(unit, options.institution))
    if found is None:
        print(f"there is no institution {options.institution}")
        return 1
    try:
        if "-" in options.period:
            return _month(options, found.id, write, operator)
        months, cost = read(
            lambda unit: entitlements.months_of_year(
                unit, found.id, options.area, int(options.period)
            )
        )
        missed = Fraction(options.missed_quality)
        year = capitation.clear_year(
            options.area, int(options.period), months, cost, missed, rulebook()
        )
    except (RuleMissing, capitation.QualityOutOfBounds) as error:
        print(error)
        return 1
    for name, amount in vars(year).items():
        print(f"{name.removesuffix('_fen'):<12} {yuan_text(amount):>14}")
    return 0


def _month(options: argparse.Namespace, institution_id: str, write: Run, operator: str) -> int:
    month = date.fromisoformat(f"{options.period}-01")
    cleared = write(
        lambda unit: entitlements.clear_month(
            unit,
            operator,
            institution_id,
            options.area,
            InsuranceType(options.insurance),
            month,
            was_in_hospital,
            rulebook(),
        )
    )
    if cleared is None:
        print(f"{options.period} was cleared before")
        return 1
    print(f"{cleared.headcount} persons, {cleared.left_out} left out")
    for name in ("capitation", "patient", "referred", "due", "booked", "to_post"):
        print(f"{name:<12} {yuan_text(getattr(cleared, f'{name}_fen')):>14}")
    return 0


def _pay_later(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    if options.action == "show":
        for state in (PayLaterState.OWING, PayLaterState.OVERDUE, PayLaterState.DEFAULTED):
            for view in read(partial(credit.in_state, state=state)):
                _print(view)
        return 0
    agreement, value, book = options.agreement, options.value or "", rulebook()
    acts: dict[str, Callable[[Unit], Any]] = {
        "pay": lambda u: credit_service.pay(u, operator, agreement, parse_yuan(value)),
        "tell": lambda u: credit_service.tell_overdue(u, operator, agreement),
        "list": lambda u: credit_service.list_default(
            u, operator, agreement, credit.area_of(u, agreement), book
        ),
        "extend": lambda u: credit_service.extend(
            u, operator, agreement, int(value), credit.area_of(u, agreement), book
        ),
    }
    outcome = write(acts[options.action])
    if isinstance(outcome, PayLaterNotPossible):
        print(outcome.message(Locale.EN))
        return 1
    _print(outcome)
    return 0


def _print(view: PayLaterView) -> None:
    due = ", ".join(f"{part.due_on} {yuan_text(part.amount_fen)}" for part in view.instalments)
    print(f"{view.id} {view.state.value:<9} open {yuan_text(view.open_fen)} of {due}")
