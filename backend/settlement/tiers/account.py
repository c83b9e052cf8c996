"""What personal accounts pay of what the patient bears: the own one, then a relative's; then cash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.kernel.money import ZERO, Fen, share
from backend.people.contracts import AccountKind, BenefitStatus, PersonKind
from backend.rulebook.contracts import RuleMissing, RuleRef
from backend.rulebook.library import Rulebook
from backend.settlement.case import Case
from backend.settlement.contracts import PayerKind
from backend.settlement.tiers.burden import Burden
from backend.settlement.tiers.law import Law

_EVERYTHING = Fen(10**15)


def pay_by_accounts(case: Case, burdens: Sequence[Burden], law: Law) -> RuleRef | None:
    """Let the accounts pay, then cash, and return the rule by which an account took part.

    Accounts are drawn in the order of the burdens, the own one first (``personal_account.order``),
    until they are empty, for the kinds of burden that ``personal_account.pays_for`` lists; cash takes
    the rest of each by subtraction. Account money is the patient's own: it is no fund payment, and it
    counts toward the deductible.
    """
    eligible, ref = _eligible(case, law)
    if ref is not None:
        balances = {
            PayerKind.ACCOUNT: case.account_balance_fen if _has_account(case) else ZERO,
            PayerKind.FAMILY_ACCOUNT: case.family_balance_fen,
        }
        for payer, balance in balances.items():
            left = balance
            for burden in burdens:
                if burden.kind in eligible:
                    left = Fen(left - burden.pay(payer, "", left))
    for burden in burdens:
        burden.pay(PayerKind.CASH, "", _EVERYTHING)
    return ref


def monthly_credit(area: str, kind: PersonKind, base: Fen, day: date, book: Rulebook) -> Fen:
    """Return what a month adds to the account of an active worker: a share of their own base.

    Rounded half up to fen (``CD-ACC/credit_rate``). Raises ``RuleMissing`` for retirees, whose fixed
    base no source states: their credits come from the authority and are never reckoned here.
    """
    rate = book.find(area, "personal_account.credit_rate", day, person=kind.value)
    if kind is not PersonKind.ACTIVE:
        raise RuleMissing(area, "personal_account.credit_base", day, kind.value)
    return share(base, rate.rate)


def _has_account(case: Case) -> bool:
    return case.insured.account_kind is AccountKind.COMBINED


def _eligible(case: Case, law: Law) -> tuple[frozenset[str], RuleRef | None]:
    if not case.use_account or not (_has_account(case) or case.family_balance_fen):
        return frozenset(), None
    if case.insured.status is not BenefitStatus.ACTIVE:
        usable = law.need("personal_account.while_suspended")
        if not usable.flag:
            return frozenset(), None
    scope = law.need("personal_account.pays_for")
    return frozenset(scope.items), scope.ref
