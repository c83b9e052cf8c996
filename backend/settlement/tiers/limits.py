"""Up to what basic insurance pays (封顶线, 限额): on its own payments or on the cost it counts."""

from __future__ import annotations

from dataclasses import dataclass

from backend.kernel.money import Fen, yuan_text
from backend.rulebook.contracts import Finding, RuleRef
from backend.settlement.case import Case
from backend.settlement.contracts import PayerKind, StepKind, WorkingStep
from backend.settlement.tiers.law import Law

UNLIMITED = Fen(10**15)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, what of it is left, and the counter that what is used of it goes to.

    ``on`` is ``FUND``, ``COST`` (before the deductible) or ``COST_AFTER_DEDUCTIBLE``. ``amount`` is
    ``None`` where the law names a limit that no source gives, or none.
    """

    on: str
    amount: Fen | None
    left: Fen
    counter: str | None
    ref: RuleRef
    kind: StepKind

    def step(self) -> WorkingStep:
        """Return the line of the working that shows what is left of it."""
        used = "" if self.amount is None else yuan_text(Fen(self.amount - self.left))
        shown = "" if self.amount is None else f"{yuan_text(self.amount)} - {used}"
        left = None if self.amount is None else self.left
        return WorkingStep(self.kind, PayerKind.BASIC, "", shown, self.ref, amount_fen=left)


def limits_of(case: Case, law: Law) -> list[Limit]:
    """Return the limit of this kind of care and the cap of the year, where there are any."""
    found = []
    own = law.may(f"{law.pool}.limit")
    if own is not None:
        on = law.need(f"{law.pool}.limit_on").choice
        period = law.need(f"{law.pool}.limit_period").choice
        counter_rule = law.may(f"{law.pool}.limit_counter")
        unit = "fund" if on == "FUND" else "cost"
        counter: str | None = counter_rule.choice if counter_rule else f"{law.pool}.{unit}"
        if period == "MONTH":
            counter = f"{counter}.{case.service_date:%Y-%m}"
        elif period == "BILL":
            counter = None
        kind = StepKind.FUND_LIMIT if on == "FUND" else StepKind.COST_LIMIT
        found.append(_limit(on, own, counter, case, kind))
    cap = law.may(f"basic_{law.scheme}.year_cap")
    if cap is not None:
        found.append(_limit("FUND", cap, f"basic_{law.scheme}.fund", case, StepKind.YEAR_CAP))
    return found


def _limit(on: str, rule: Finding, counter: str | None, case: Case, kind: StepKind) -> Limit:
    amount = rule.limit
    used = case.used.get(counter, 0) if counter else 0
    left = UNLIMITED if amount is None else Fen(max(0, amount - used))
    return Limit(on, amount, left, counter, rule.ref, kind)
