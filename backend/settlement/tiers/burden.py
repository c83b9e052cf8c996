"""What is still to be paid of a bill, part by part, while one payer after another pays."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from backend.kernel.invariants import invariant
from backend.kernel.money import ZERO, Fen
from backend.rulebook.contracts import RuleRef
from backend.settlement.contracts import NoBenefitReason, Part, PartKind, PayerKind, Share


class Burden:
    """A part of the bill. ``exact`` is its amount before rounding, where that is no whole fen."""

    __slots__ = ("amount", "exact", "formula", "kind", "left", "paid", "reason", "ref")

    def __init__(
        self,
        kind: PartKind,
        amount: Fen,
        formula: str,
        ref: RuleRef,
        exact: Fraction | None = None,
        reason: NoBenefitReason | None = None,
    ) -> None:
        invariant(amount >= 0, "no part of a bill is negative")
        self.kind = kind
        self.amount = amount
        self.left = amount
        self.exact = exact
        self.formula = formula
        self.ref = ref
        self.reason = reason
        self.paid: list[Share] = []

    def pay(self, payer: PayerKind, topic: str, at_most: Fen) -> Fen:
        """Let a payer pay what is left, up to an amount, and return what it paid."""
        amount = Fen(min(self.left, at_most))
        if amount > ZERO:
            self.paid.append(Share(payer, topic, amount))
            self.left = Fen(self.left - amount)
        return amount

    def exact_left(self) -> Fraction | int:
        """Return what is left before rounding."""
        if self.exact is None:
            return self.left
        return self.exact - (self.amount - self.left)

    def part(self) -> Part:
        """Return the part as it stands when everybody has paid."""
        invariant(self.left == ZERO, "a part is paid in full")
        return Part(self.kind, self.amount, self.formula, self.ref, self.reason, tuple(self.paid))


def pay_in_order(
    burdens: Sequence[Burden], kinds: tuple[str, ...], payer: PayerKind, topic: str, amount: Fen
) -> Fen:
    """Let a payer pay an amount off the kinds of burden, in the order in which the law names them.

    Returns what could not be placed, which is zero where the amount is at most what is left.
    """
    rest = amount
    for kind in kinds if amount else ():
        for burden in burdens:
            if burden.kind == kind:
                rest = Fen(rest - burden.pay(payer, topic, rest))
    return rest
