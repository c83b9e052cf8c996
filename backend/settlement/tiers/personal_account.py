"""What the patient's own account pays of what the patient bears; the rest is cash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from backend.kernel.money import ZERO, Fen, share
from backend.people.contracts import AccountKind, BenefitStatus, PersonKind
from backend.rulebook.contracts import RuleMissing, RuleRef
from backend.rulebook.library import Rulebook
from backend.settlement.contracts import Case, Part, PartKind


def pay_parts(
    parts: Sequence[Part], case: Case, book: Rulebook
) -> tuple[tuple[Part, ...], RuleRef | None]:
    """Return the parts with their payers, and the rule by which the account took part, if it could.

    The account is drawn in the order of the parts, until it is empty, for the kinds of burden that
    ``CD-ACC/pays_for`` lists; cash takes the rest of each part by subtraction.
    """
    eligible, ref = _eligible(case, book)
    left = case.account_balance_fen if ref is not None else ZERO
    paid = []
    for part in parts:
        if part.kind is PartKind.FUND_SHARE:
            paid.append(replace(part, by_fund_fen=part.amount_fen))
            continue
        drawn = Fen(min(left, part.amount_fen)) if part.kind.value in eligible else ZERO
        left = Fen(left - drawn)
        cash = Fen(part.amount_fen - drawn)
        paid.append(replace(part, by_account_fen=drawn, by_cash_fen=cash))
    return tuple(paid), ref


def monthly_credit(area: str, kind: PersonKind, base: Fen, day: date, book: Rulebook) -> Fen:
    """Return what a month adds to the account of an active worker: a share of their own base.

    Rounded half up to fen (``CD-ACC/credit_rate``). Raises ``RuleMissing`` for retirees, whose fixed
    base no source states: their credits come from the authority and are never reckoned here.
    """
    rate = book.find(area, "personal_account.credit_rate", day, person=kind.value)
    if kind is not PersonKind.ACTIVE:
        raise RuleMissing(area, "personal_account.credit_base", day, kind.value)
    return share(base, rate.rate)


def _eligible(case: Case, book: Rulebook) -> tuple[frozenset[str], RuleRef | None]:
    if case.insured.account_kind is not AccountKind.COMBINED or not case.use_account:
        return frozenset(), None
    area, day = case.insured.area_code, case.service_date
    if case.insured.status is not BenefitStatus.ACTIVE:
        usable = book.find(area, "personal_account.while_suspended", day)
        if usable.value is False:
            return frozenset(), None
    scope = book.find(area, "personal_account.pays_for", day)
    return frozenset(scope.items), scope.ref
