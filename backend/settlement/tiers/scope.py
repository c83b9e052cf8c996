"""What of a line insurance counts at all: class, restriction, price limit, prepaid share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.kernel.invariants import invariant
from backend.kernel.money import (
    ZERO,
    Fen,
    Quantity,
    UnitPrice,
    line_amount,
    share,
    unit_price_fen,
    units,
    whole_fen,
)
from backend.rulebook.contracts import Finding, RuleRef
from backend.settlement.case import CaseContradicts, LineInput
from backend.settlement.contracts import LineOutcome, LineReason
from backend.settlement.tiers import bands
from backend.settlement.tiers.law import Law

Treatment = tuple[LineReason, RuleRef, Finding | None]


class Scope:
    """Splits the lines of one bill. What the law says of a class is looked up once a bill."""

    def __init__(self, law: Law, packaged: RuleRef | None = None) -> None:
        self._law = law
        self._packaged = packaged
        self._treatments: dict[tuple[ItemClass, ItemKind], Treatment] = {}
        self._capped_at_home: Finding | None = None
        if law.away:
            self._capped_at_home = law.may("catalogue.home_price")

    def lines(self, lines: Sequence[LineInput]) -> tuple[LineOutcome, ...]:
        """Return how each line splits. Raises ``CaseContradicts`` (see ``net_of_refunds``)."""
        return tuple(self._line(line) for line in net_of_refunds(lines))

    def _line(self, line: LineInput) -> LineOutcome:
        """Split a line into self-paid, over the limit, prepaid and in scope.

        Order: what is outside the catalogue, or outside an item's restriction, is paid by the patient
        whole; then the excess over the price limit; then the prepaid share of the rest. The prepaid
        share is rounded half up to fen, as ``preselfpay_amt`` is; the in-scope amount is what is left,
        so that the parts always sum to the line.
        """
        reason, ref, prepaid_bands = self._treatment(line)
        if line.quantity <= 0:
            return _outcome(line, LineReason.TAKEN_BACK, ZERO, ZERO, ZERO, ZERO, ref)
        total = line_amount(line.unit_price, line.quantity)
        if self._packaged is not None:
            return _outcome(line, LineReason.IN_PACKAGE, total, ZERO, ZERO, ZERO, self._packaged)
        if reason is LineReason.OUT_OF_SCOPE:
            return _outcome(line, reason, total, total, ZERO, ZERO, ref)
        if line.restriction_met is False:
            ref = self._law.need("catalogue.restricted_payment").ref
            return _outcome(line, LineReason.RESTRICTION_NOT_MET, total, total, ZERO, ZERO, ref)
        price = self._counted_price(line)
        counted = total if price == line.unit_price else line_amount(price, line.quantity)
        prepaid = ZERO
        if prepaid_bands is not None:
            each = bands.over(prepaid_bands.bands, unit_price_fen(price))
            prepaid = min(counted, whole_fen(each * units(line.quantity)))
            reason = LineReason.PREPAID_SHARE_FIRST if prepaid else LineReason.IN_SCOPE
        elif reason is LineReason.PREPAID_SHARE_FIRST:
            prepaid = share(counted, _rate(line.prepaid_share))
        over_limit = Fen(total - counted)
        return _outcome(line, reason, total, ZERO, over_limit, prepaid, ref)

    def _treatment(self, line: LineInput) -> Treatment:
        key = (line.item_class, line.kind)
        found = self._treatments.get(key)
        if found is None:
            law = self._law.under({"item_class": line.item_class, "item_kind": line.kind})
            rule = law.need("catalogue.class_treatment")
            prepaid_bands = law.may("catalogue.prepaid_bands")
            found = (LineReason(rule.choice), rule.ref, prepaid_bands)
            self._treatments[key] = found
        return found

    def _counted_price(self, line: LineInput) -> UnitPrice:
        price = line.unit_price
        if line.price_limit is not None:
            price = min(price, line.price_limit)
        if line.home_price is not None and self._capped_at_home is not None:
            price = min(price, line.home_price)
        return price


def net_of_refunds(lines: Sequence[LineInput]) -> list[LineInput]:
    """Return the lines with what was taken back removed from what was charged.

    A line with a negative quantity takes back what lines of the same code and price charged, the
    earliest first, and stays in the list with nothing left of it. Raises ``CaseContradicts`` where
    more is taken back than was charged, so that no class of cost ever falls below zero.
    """
    if all(line.quantity > 0 for line in lines):
        return list(lines)
    back: dict[tuple[str, UnitPrice], int] = {}
    for line in lines:
        if line.quantity < 0:
            key = (line.code, line.unit_price)
            back[key] = back.get(key, 0) - line.quantity
    netted = []
    for line in lines:
        key = (line.code, line.unit_price)
        if line.quantity > 0 and back.get(key):
            taken = min(back[key], line.quantity)
            back[key] -= taken
            line = replace(line, quantity=Quantity(line.quantity - taken))
        netted.append(line)
    excess = sorted(code for (code, _), left in back.items() if left)
    if excess:
        raise CaseContradicts(f"more is taken back than was charged: {', '.join(excess)}")
    return netted


@lru_cache(maxsize=1024)
def _rate(text: str) -> Fraction:
    return Fraction(text)


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
    negative = full_self_pay < 0 or over_limit < 0 or prepaid < 0 or in_scope < 0
    invariant(not negative, "no part is negative")
    return LineOutcome(
        line.number,
        line.code,
        line.name,
        line.item_class,
        reason,
        line.quantity,
        line.unit_price,
        line.price_limit,
        line.prepaid_share,
        total_fen=total,
        full_self_pay_fen=full_self_pay,
        over_limit_fen=over_limit,
        prepaid_share_fen=prepaid,
        in_scope_fen=in_scope,
        illustrative=line.illustrative,
        ref=ref,
    )
