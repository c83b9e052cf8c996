"""What can pay at this till for this person, before anything is in the basket."""

from __future__ import annotations

from datetime import date

from backend.infra.database import Unit
from backend.institutions.contracts import InstitutionView
from backend.kernel.money import ZERO
from backend.payments.contracts import Payer, PayerReason, PayerView
from backend.people.contracts import AccountKind, EnrolmentView
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from backend.settlement.contracts import Case
from backend.settlement.facts import gather_case
from backend.settlement.tiers.outpatient_pool import OUTPATIENT

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
    case = gather_case(unit, enrolment, institution, day, use_account=True, lines=())
    return (_fund(case), _account(case), _CASH)


def _fund(case: Case) -> PayerView:
    """Ask the regime of the day what it would do with a bill of nothing."""
    try:
        regime = OUTPATIENT.on(case.insured.area_code, case.service_date)
        pool = regime(case, ZERO, rulebook())
    except RuleMissing:
        return PayerView(Payer.FUND, False, PayerReason.RULE_NOT_LOADED, None)
    if pool.fund_left_fen is None:
        reason = pool.parts[0].no_benefit_reason
        return PayerView(Payer.FUND, False, PayerReason(reason or PayerReason.STATUS), None)
    if pool.fund_left_fen == ZERO:
        return PayerView(Payer.FUND, False, PayerReason.LIMIT_USED_UP, ZERO)
    return PayerView(Payer.FUND, True, PayerReason.USABLE, pool.fund_left_fen)


def _account(case: Case) -> PayerView:
    if case.insured.account_kind is not AccountKind.COMBINED:
        return PayerView(Payer.ACCOUNT, False, PayerReason.NO_ACCOUNT, None)
    if case.account_balance_fen == ZERO:
        return PayerView(Payer.ACCOUNT, False, PayerReason.ACCOUNT_EMPTY, ZERO)
    return PayerView(Payer.ACCOUNT, True, PayerReason.USABLE, case.account_balance_fen)
