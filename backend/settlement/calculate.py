"""The settlement of a bill: a pure function of the case and the law.

The same case and the same rulebook give the same outcome, bit for bit, in any year. Nothing here
reads a clock, a database or a setting.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel.invariants import invariant
from backend.kernel.money import Fen, yuan_text
from backend.rulebook.contracts import RuleRef
from backend.rulebook.library import Rulebook
from backend.settlement.contracts import Case, LineOutcome, Outcome, Part, PartKind
from backend.settlement.tiers.outpatient_pool import OUTPATIENT
from backend.settlement.tiers.personal_account import pay_parts
from backend.settlement.tiers.scope import scope_of_line


def calculate(case: Case, book: Rulebook) -> Outcome:
    """Settle a bill of ordinary outpatient care or of a pharmacy.

    Before: at least one line; quantities and prices positive. After: the identities of
    ``check_identities`` hold. Raises ``RuleMissing`` where the law is not loaded.
    """
    invariant(bool(case.lines), "a bill has lines")
    lines = tuple(scope_of_line(line, case, book) for line in case.lines)
    in_scope = Fen(sum(line.in_scope_fen for line in lines))
    pool = OUTPATIENT.on(case.insured.area_code, case.service_date)(case, in_scope, book)
    self_paid = _self_paid_parts(lines, case, book)
    parts, account_ref = pay_parts((*pool.parts, *self_paid), case, book)
    account = Fen(sum(part.by_account_fen for part in parts))
    outcome = Outcome(
        total_fen=Fen(sum(line.total_fen for line in lines)),
        full_self_pay_fen=Fen(sum(line.full_self_pay_fen for line in lines)),
        over_limit_fen=Fen(sum(line.over_limit_fen for line in lines)),
        prepaid_share_fen=Fen(sum(line.prepaid_share_fen for line in lines)),
        in_scope_fen=in_scope,
        deductible_fen=pool.deductible_fen,
        fund_fen=pool.fund_fen,
        account_fen=account,
        cash_fen=Fen(sum(part.by_cash_fen for part in parts)),
        deductible_year_fen=pool.deductible_year_fen,
        deductible_left_fen=pool.deductible_left_fen,
        fund_limit_fen=pool.fund_limit_fen,
        fund_left_fen=pool.fund_left_fen,
        account_balance_after_fen=Fen(case.account_balance_fen - account),
        accumulator_year=case.service_date.year,
        counted_fund_fen=pool.fund_fen,
        counted_deductible_fen=pool.deductible_fen,
        lines=lines,
        parts=tuple(part for part in parts if part.amount_fen),
        account_ref=account_ref,
        rulebook_digest=book.digest,
    )
    check_identities(outcome)
    return outcome


def check_identities(outcome: Outcome) -> None:
    """Stop where an outcome contradicts itself. The first three are the national interface's own."""
    o = outcome
    scope_sum = o.full_self_pay_fen + o.over_limit_fen + o.prepaid_share_fen + o.in_scope_fen
    invariant(o.total_fen == scope_sum, "the bill is the sum of its scope parts")
    personal = o.total_fen - o.fund_fen
    invariant(personal == o.account_fen + o.cash_fen, "the patient's part is account and cash")
    invariant(o.fund_fen <= o.in_scope_fen - o.deductible_fen, "the fund stays within scope")
    invariant(sum(part.amount_fen for part in o.parts) == o.total_fen, "the parts are the bill")
    for part in o.parts:
        payers = part.by_fund_fen + part.by_account_fen + part.by_cash_fen
        invariant(payers == part.amount_fen, "a part is paid in full, once")
    amounts = [o.fund_fen, o.account_fen, o.cash_fen, o.in_scope_fen, o.account_balance_after_fen]
    invariant(min(amounts) >= 0, "no amount is negative")


def _self_paid_parts(lines: Sequence[LineOutcome], case: Case, book: Rulebook) -> list[Part]:
    area, day = case.insured.area_code, case.service_date
    over_limit = book.find(area, "catalogue.over_limit", day).ref
    prepaid = _ref_of(lines, "prepaid_share_fen") or over_limit
    outside = _ref_of(lines, "full_self_pay_fen") or over_limit
    return [
        _sum_part(PartKind.PREPAID_SHARE, lines, "prepaid_share_fen", prepaid),
        _sum_part(PartKind.OVER_LIMIT, lines, "over_limit_fen", over_limit),
        _sum_part(PartKind.FULL_SELF_PAY, lines, "full_self_pay_fen", outside),
    ]


def _sum_part(kind: PartKind, lines: Sequence[LineOutcome], field: str, ref: RuleRef) -> Part:
    amounts = [getattr(line, field) for line in lines if getattr(line, field)]
    formula = " + ".join(yuan_text(amount) for amount in amounts) or yuan_text(Fen(0))
    return Part(kind, Fen(sum(amounts)), formula, ref)


def _ref_of(lines: Sequence[LineOutcome], field: str) -> RuleRef | None:
    return next((line.ref for line in lines if getattr(line, field)), None)
