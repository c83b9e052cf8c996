"""What can pay at this till for this person, before anything is in the basket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from backend.choices import queries as choices
from backend.infra.database import Unit
from backend.institutions.contracts import InstitutionKind, InstitutionView
from backend.kernel.money import ZERO, Fen
from backend.payments.contracts import Payer, PayerReason, PayerView
from backend.people.contracts import AccountKind, EnrolmentView
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from backend.settlement.case import CareKind, Case, Place
from backend.settlement.facts import Visit, gather_at, gather_case
from backend.settlement.tiers.law import Law
from backend.settlement.tiers.pool import basic_pool

_PLACE = Place("", InstitutionKind.HOSPITAL, 3, pooling=True, campus=False)
"""A level-3 hospital of the insured area, where every listed disease is treated."""
_CASH = PayerView(Payer.CASH, usable=True, reason=PayerReason.USABLE, left_fen=None)


def payers(
    unit: Unit, enrolment: EnrolmentView | None, institution: InstitutionView, day: date
) -> tuple[PayerView, ...]:
    """Return fund, account and cash with whether and why they can pay here."""
    if enrolment is None:
        none = PayerReason.NOT_INSURED
        return (
            PayerView(Payer.FUND, usable=False, reason=none, left_fen=None),
            PayerView(Payer.ACCOUNT, usable=False, reason=none, left_fen=None),
            _CASH,
        )
    care = CareKind.OUTPATIENT
    chosen = choices.stands_to(unit, enrolment, institution.id, care, day)
    case = gather_case(unit, enrolment, institution, Visit(care, day, chosen=chosen), lines=())
    return (_fund(case), _account(case), _CASH)


def _fund(case: Case) -> PayerView:
    """Ask the law of the day what it would do with a bill of nothing."""
    try:
        pool = basic_pool(case, ZERO, ZERO, Law(case, rulebook()))
    except RuleMissing:
        return PayerView(Payer.FUND, False, PayerReason.RULE_NOT_LOADED, None)
    if pool.reason is not None:
        return PayerView(Payer.FUND, False, PayerReason(pool.reason), None)
    if pool.fund_left_fen == ZERO:
        return PayerView(Payer.FUND, False, PayerReason.LIMIT_USED_UP, ZERO)
    return PayerView(Payer.FUND, True, PayerReason.USABLE, pool.fund_left_fen)


@dataclass(frozen=True)
class Quota:
    """What a year still allows for a listed disease: the fund's limit and what is left of it.

    ``limit_fen`` is ``None`` where the law of the day sets none.
    """

    limit_fen: Fen | None
    left_fen: Fen | None


def quotas(
    unit: Unit, enrolment: EnrolmentView, diseases: Sequence[str], day: date
) -> dict[str, Quota]:
    """Return the quota of diseases, as many reads for one as for all.

    Where the law cannot say it, the disease is left out.
    """
    if not diseases:
        return {}
    case = gather_at(unit, enrolment, _PLACE, Visit(CareKind.CHRONIC, day), lines=())
    found = {}
    for disease in diseases:
        asked = replace(case, disease=disease)
        try:
            pool = basic_pool(asked, ZERO, ZERO, Law(asked, rulebook()))
        except RuleMissing:
            continue
        if pool.reason is None:
            found[disease] = Quota(pool.fund_limit_fen, pool.fund_left_fen)
    return found


def _account(case: Case) -> PayerView:
    if case.insured.account_kind is not AccountKind.COMBINED:
        return PayerView(Payer.ACCOUNT, False, PayerReason.NO_ACCOUNT, None)
    if case.account_balance_fen == ZERO:
        return PayerView(Payer.ACCOUNT, False, PayerReason.ACCOUNT_EMPTY, ZERO)
    return PayerView(Payer.ACCOUNT, True, PayerReason.USABLE, case.account_balance_fen)
