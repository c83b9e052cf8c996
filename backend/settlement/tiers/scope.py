"""What of a line insurance counts at all: class, price limit, prepaid share."""

from __future__ import annotations

from fractions import Fraction

from backend.kernel.invariants import invariant
from backend.kernel.money import ZERO, Fen, line_amount, share
from backend.rulebook.contracts import RuleRef
from backend.rulebook.library import Rulebook
from backend.settlement.contracts import Case, LineInput, LineOutcome, LineReason


def scope_of_line(line: LineInput, case: Case, book: Rulebook) -> LineOutcome:
    """Split a line into self-paid, over the limit, prepaid and in scope.

    Order: what is outside the catalogue is paid by the patient whole; then the excess over the price
    limit; then the prepaid share of the rest (``CD-CAT/class_treatment``). The prepaid share is
    rounded half up to fen, as ``preselfpay_amt`` is; the in-scope amount is what is left, so that the
    parts always sum to the line.
    """
    treatment = book.find(
        case.insured.area_code,
        "catalogue.class_treatment",
        case.service_date,
        item_class=line.item_class.value,
    )
    reason = LineReason(treatment.choice)
    total = line_amount(line.unit_price, line.quantity)
    if reason is LineReason.OUT_OF_SCOPE:
        return _outcome(line, reason, total, total, ZERO, ZERO, treatment.ref)
    counted = total
    if line.price_limit is not None and line.price_limit < line.unit_price:
        counted = line_amount(line.price_limit, line.quantity)
    rate = Fraction(line.prepaid_share) if reason is LineReason.PREPAID_SHARE_FIRST else Fraction(0)
    prepaid = share(counted, rate)
    return _outcome(line, reason, total, ZERO, Fen(total - counted), prepaid, treatment.ref)


def _outcome(
    line: LineInput,
    reason: LineReason,
    total: Fen,
    full_self_pay: Fen,
    over_limit: Fen,
    prepaid: Fen,
    ref: RuleRef,
) -> LineOutcome:
    in_scope = Fen(total - full_self_pay - over_limit - prepaid)
    invariant(min(full_self_pay, over_limit, prepaid, in_scope) >= 0, "no part is negative")
    return LineOutcome(
        number=line.number,
        code=line.code,
        name=line.name,
        item_class=line.item_class,
        reason=reason,
        quantity=line.quantity,
        unit_price=line.unit_price,
        price_limit=line.price_limit,
        prepaid_rate=line.prepaid_share,
        total_fen=total,
        full_self_pay_fen=full_self_pay,
        over_limit_fen=over_limit,
        prepaid_share_fen=prepaid,
        in_scope_fen=in_scope,
        illustrative=line.illustrative,
        ref=ref,
    )
