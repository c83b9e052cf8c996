"""Disease packages (按病种) and per-diem (按床日): the hospital is paid a standard, not its bill.

The patient's share stands on the standard, on the actual cost, or on the whole bill, as the region
says; what the hospital saves is not the patient's money, and what it overspends is its own.
"""

from __future__ import annotations

from backend.kernel.invariants import invariant
from backend.kernel.money import ZERO, Fen, percent_text, share, yuan_text
from backend.rulebook.contracts import RuleRef
from backend.settlement.case import Case
from backend.settlement.contracts import PartKind, PayerKind, StepKind, WorkingStep
from backend.settlement.tiers.burden import Burden
from backend.settlement.tiers.law import Law
from backend.settlement.tiers.pool import Pool

_BASIC = PayerKind.BASIC


def package_rule(law: Law) -> RuleRef:
    """Return the rule that takes a bill's lines into the package. Raises ``RuleMissing``."""
    return law.need("packages.standard").ref


def package_pool(case: Case, total: Fen, law: Law) -> Pool:
    """Split a bill that a package pays.

    ``STANDARD``: the patient bears ``standard × (1 − rate)``, at most the bill. ``ACTUAL``: the bill up
    to the standard × (1 − rate). ``TOTAL``: the whole bill × (1 − rate). Each fund amount is rounded
    once, half up, the patient's share is what is left. Cost above the standard is the hospital's,
    except under ``TOTAL``. The fund owes the hospital ``standard − patient's share``, never less than
    nothing. Raises ``RuleMissing``.
    """
    use = case.package
    invariant(use is not None, "a package bill names its package")
    assert use is not None
    rule, rate = law.need("packages.standard"), law.need("packages.rate")
    per_day = law.need("packages.kind").choice == "PER_DAY"
    on = law.need("packages.share_on").choice
    standard = Fen(rule.fen * use.days) if per_day else rule.fen
    figures = f"{yuan_text(rule.fen)} × {use.days}" if per_day else yuan_text(rule.fen)
    base = {"STANDARD": standard, "ACTUAL": Fen(min(total, standard)), "TOTAL": total}[on]
    entitled = share(base, rate.rate)
    own = Fen(min(total, base - entitled))
    above = ZERO if on == "TOTAL" else Fen(max(0, total - max(standard, own)))
    fund = Fen(total - own - above)
    product = f"{yuan_text(base)} × {percent_text(rate.rate)}"
    burdens = [
        Burden(PartKind.FUND_SHARE, fund, product, rate.ref),
        Burden(PartKind.OWN_SHARE, own, f"{yuan_text(base)} - {yuan_text(entitled)}", rate.ref),
        Burden(
            PartKind.ABOVE_PACKAGE, above, f"{yuan_text(total)} - {yuan_text(standard)}", rule.ref
        ),
    ]
    burdens[0].pay(_BASIC, "", fund)
    burdens[2].pay(PayerKind.HOSPITAL, "", above)
    steps = [
        WorkingStep(StepKind.PACKAGE_STANDARD, _BASIC, "", figures, rule.ref, use.code, standard),
        WorkingStep(
            StepKind.PACKAGE_OWN,
            _BASIC,
            "",
            f"{yuan_text(base)} - {yuan_text(entitled)}",
            rate.ref,
            amount_fen=own,
        ),
    ]
    due = Fen(max(0, standard - own))
    cap = f"basic_{law.scheme}.fund"
    return Pool(burdens, steps, fund_fen=fund, counts={cap: fund}, hospital_due_fen=due)
