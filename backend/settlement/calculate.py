"""The settlement of a bill: a pure function of the case and the law.

The same case and the same rulebook give the same outcome, bit for bit, in any year. Nothing here
reads a clock, a database or a setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.kernel.invariants import invariant
from backend.kernel.money import ZERO, Fen, yuan_text
from backend.rulebook.contracts import RuleRef
from backend.rulebook.library import Rulebook
from backend.settlement.case import Case
from backend.settlement.contracts import (
    LineOutcome,
    Outcome,
    Part,
    PartKind,
    PayerKind,
    Share,
    StepKind,
    WorkingStep,
)
from backend.settlement.tiers.account import pay_by_accounts
from backend.settlement.tiers.burden import Burden
from backend.settlement.tiers.law import Law
from backend.settlement.tiers.package import package_pool, package_rule
from backend.settlement.tiers.payers import pay_by_others
from backend.settlement.tiers.pool import Pool, basic_pool
from backend.settlement.tiers.scope import Scope


@dataclass(frozen=True, slots=True)
class Sums:
    """The parts of all lines together."""

    total: Fen
    full_self_pay: Fen
    over_limit: Fen
    prepaid_share: Fen
    in_scope: Fen


def calculate(case: Case, book: Rulebook) -> Outcome:
    """Settle a bill through every payer, in the order that the insured region names.

    Before: at least one line; prices positive; what lines take back was charged by others. After: the
    identities of ``check_identities`` hold. Raises ``RuleMissing`` where the law is not loaded, and
    ``CaseContradicts`` where the facts cannot all be true.
    """
    invariant(bool(case.lines), "a bill has lines")
    law = Law(case, book)
    packaged = package_rule(law) if case.package else None
    lines = Scope(law, packaged).lines(case.lines)
    sums = _sums(lines)
    pool = basic_pool(case, sums.total, sums.in_scope, law)
    if packaged is not None and pool.reason is None:
        pool = package_pool(case, sums.total, law)
    burdens = pool.burdens + _self_paid(lines, law)
    steps = [_scope_step(sums, law), *pool.steps]
    counts = dict(pool.counts)
    if pool.reason is None:
        more_steps, more_counts = pay_by_others(case, burdens, law)
        steps += more_steps
        counts |= more_counts
    account_ref = pay_by_accounts(case, burdens, law)
    parts = tuple(burden.part() for burden in burdens if burden.amount)
    outcome = _outcome(case, lines, sums, pool, parts, steps, counts, account_ref, book.digest)
    check_identities(outcome)
    return outcome


def _outcome(
    case: Case,
    lines: tuple[LineOutcome, ...],
    sums: Sums,
    pool: Pool,
    parts: tuple[Part, ...],
    steps: list[WorkingStep],
    counts: dict[str, int],
    account_ref: RuleRef | None,
    digest: str,
) -> Outcome:
    shares = _shares(parts)
    account, family = _paid(shares, PayerKind.ACCOUNT), _paid(shares, PayerKind.FAMILY_ACCOUNT)
    return Outcome(
        total_fen=sums.total,
        full_self_pay_fen=sums.full_self_pay,
        over_limit_fen=sums.over_limit,
        prepaid_share_fen=sums.prepaid_share,
        in_scope_fen=sums.in_scope,
        deductible_fen=pool.deductible_fen,
        pool_fen=_paid(shares, PayerKind.BASIC),
        fund_fen=_paid(shares, *(payer for payer in PayerKind if payer.is_fund)),
        hospital_fen=_paid(shares, PayerKind.HOSPITAL),
        account_fen=account,
        family_fen=family,
        cash_fen=_paid(shares, PayerKind.CASH),
        deductible_year_fen=pool.deductible_year_fen,
        deductible_left_fen=pool.deductible_left_fen,
        fund_limit_fen=pool.fund_limit_fen,
        fund_left_fen=pool.fund_left_fen,
        account_balance_after_fen=Fen(case.account_balance_fen - account),
        family_balance_after_fen=Fen(case.family_balance_fen - family),
        accumulator_year=case.year,
        counts={name: amount for name, amount in counts.items() if amount},
        lines=lines,
        parts=parts,
        shares=shares,
        steps=tuple(steps),
        account_ref=account_ref,
        hospital_due_fen=pool.hospital_due_fen,
        rulebook_digest=digest,
    )


def check_identities(outcome: Outcome) -> None:
    """Stop where an outcome contradicts itself. The first four are the national interface's own."""
    o = outcome
    scope_sum = o.full_self_pay_fen + o.over_limit_fen + o.prepaid_share_fen + o.in_scope_fen
    invariant(o.total_fen == scope_sum, "the bill is the sum of its scope parts")
    funds = sum(share.amount_fen for share in o.shares if share.payer.is_fund)
    invariant(o.fund_fen == funds, "fund payments are the sum of the funds")
    personal = o.total_fen - o.fund_fen - o.hospital_fen
    invariant(
        personal == o.account_fen + o.family_fen + o.cash_fen,
        "the patient's part is account, family account and cash",
    )
    invariant(o.pool_fen <= o.in_scope_fen - o.deductible_fen, "basic insurance stays in scope")
    invariant(sum(part.amount_fen for part in o.parts) == o.total_fen, "the parts are the bill")
    for part in o.parts:
        invariant(sum(s.amount_fen for s in part.paid) == part.amount_fen, "each part is paid once")
    amounts = [o.fund_fen, o.hospital_fen, o.account_fen, o.family_fen, o.cash_fen, o.in_scope_fen]
    amounts += [o.account_balance_after_fen, o.family_balance_after_fen]
    invariant(min(amounts) >= 0, "no amount is negative")


def _paid(shares: Sequence[Share], *payers: PayerKind) -> Fen:
    return Fen(sum(share.amount_fen for share in shares if share.payer in payers))


def _shares(parts: Sequence[Part]) -> tuple[Share, ...]:
    """Return what each payer pays of the whole bill, in the order of ``PayerKind``."""
    sums: dict[tuple[PayerKind, str], int] = {}
    for part in parts:
        for paid in part.paid:
            key = (paid.payer, paid.topic)
            sums[key] = sums.get(key, 0) + paid.amount_fen
    order = list(PayerKind)
    ordered = sorted(sums.items(), key=lambda item: order.index(item[0][0]))
    return tuple(Share(payer, topic, Fen(amount)) for (payer, topic), amount in ordered)


def _sums(lines: Sequence[LineOutcome]) -> Sums:
    total = full_self_pay = over_limit = prepaid_share = in_scope = 0
    for line in lines:
        total += line.total_fen
        full_self_pay += line.full_self_pay_fen
        over_limit += line.over_limit_fen
        prepaid_share += line.prepaid_share_fen
        in_scope += line.in_scope_fen
    return Sums(Fen(total), Fen(full_self_pay), Fen(over_limit), Fen(prepaid_share), Fen(in_scope))


def _scope_step(sums: Sums, law: Law) -> WorkingStep:
    taken = (sums.full_self_pay, sums.over_limit, sums.prepaid_share)
    figures = [sums.total, *(amount for amount in taken if amount)]
    formula = " - ".join(yuan_text(amount) for amount in figures)
    ref = law.need("catalogue.over_limit").ref
    return WorkingStep(StepKind.IN_SCOPE, PayerKind.BASIC, "", formula, ref, "", sums.in_scope)


def _self_paid(lines: Sequence[LineOutcome], law: Law) -> list[Burden]:
    over_limit = law.need("catalogue.over_limit").ref
    prepaid = _ref_of(lines, "prepaid_share_fen") or over_limit
    outside = _ref_of(lines, "full_self_pay_fen") or over_limit
    return [
        _sum(PartKind.PREPAID_SHARE, lines, "prepaid_share_fen", prepaid),
        _sum(PartKind.OVER_LIMIT, lines, "over_limit_fen", over_limit),
        _sum(PartKind.FULL_SELF_PAY, lines, "full_self_pay_fen", outside),
    ]


def _sum(kind: PartKind, lines: Sequence[LineOutcome], field: str, ref: RuleRef) -> Burden:
    amounts = [getattr(line, field) for line in lines if getattr(line, field)]
    formula = " + ".join(yuan_text(amount) for amount in amounts) or yuan_text(ZERO)
    return Burden(kind, Fen(sum(amounts)), formula, ref)


def _ref_of(lines: Sequence[LineOutcome], field: str) -> RuleRef | None:
    return next((line.ref for line in lines if getattr(line, field)), None)
