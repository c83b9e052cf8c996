"""Payers beyond basic insurance, one after another: each works on what the ones before have left.

Critical illness, large-amount aid, civil servants' subsidy, commercial supplements, medical aid and a
hospital's waiver all have one form, filled by the parameters of their topic:
``pay = f(cum) − f(cum before)``, where ``cum`` is the burden of the year (or of the bill alone), ``f``
is nothing up to a threshold and bands of rates above it, and a limit caps the sum. The best of the
patient's identities counts, never their sum (就高不就低).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from backend.kernel.money import ZERO, Fen, percent_text, share, whole_fen, yuan_text
from backend.rulebook.contracts import Band, Finding, RuleRef
from backend.settlement.case import Case, CaseContradicts
from backend.settlement.contracts import PayerKind, StepKind, WorkingStep
from backend.settlement.tiers import bands
from backend.settlement.tiers.bands import exact_text
from backend.settlement.tiers.burden import Burden, pay_in_order
from backend.settlement.tiers.law import Law

NO_IDENTITY = "NONE"


@dataclass(frozen=True, slots=True)
class Payment:
    """What a payer would pay under one identity, how, and what its year counts for it."""

    amount: Fen
    base: Fen
    steps: tuple[WorkingStep, ...]


def pay_by_others(
    case: Case, burdens: Sequence[Burden], law: Law
) -> tuple[list[WorkingStep], dict[str, int]]:
    """Let every payer of the region's order pay, and return the working and the counters.

    The order is ``payers.order``, by insurance and date. Raises ``RuleMissing``; ``CaseContradicts``
    where a payer is said to pay more than is left for it.
    """
    steps: list[WorkingStep] = []
    counts: dict[str, int] = {}
    for topic in law.need("payers.order").items:
        if not _takes_part(case, topic, law):
            continue
        payer = PayerKind(law.need(f"{topic}.payer").choice)
        if (given := law.may(f"{topic}.mechanism")) is not None and given.choice == "GIVEN":
            _given(case, burdens, topic, payer, given, law, steps)
            continue
        liabilities = law.may(f"{topic}.liabilities")
        for liability in liabilities.items if liabilities else ("",):
            kinds = law.under({"liability": liability}).need(f"{topic}.base").items
            paid = _best(case, burdens, kinds, topic, liability, payer, law)
            steps.extend(paid.steps)
            pay_in_order(burdens, kinds, payer, topic, paid.amount)
            counts[counter(topic, liability, "base")] = paid.base
            counts[counter(topic, liability, "paid")] = paid.amount
    return steps, counts


def counter(topic: str, liability: str, what: str) -> str:
    """Return the name of a payer's counter."""
    return f"{topic}.{liability}.{what}" if liability else f"{topic}.{what}"


def _takes_part(case: Case, topic: str, law: Law) -> bool:
    """Tell whether a payer has to do with this bill and this person at all."""
    cares = law.need(f"{topic}.cares")
    if case.care not in cares.items:
        return False
    civil = law.may(f"{topic}.for_civil_servants")
    if civil is not None and civil.flag and not case.insured.civil_servant:
        return False
    product = law.may(f"{topic}.product")
    if product is not None and all(p.code != product.choice for p in case.insured.products):
        return False
    needed = law.may(f"{topic}.identity_required")
    return not (needed and needed.flag) or bool(_identities(case, topic, law))


def _identities(case: Case, topic: str, law: Law) -> list[str]:
    known = law.may(f"{topic}.identities")
    return [name for name in known.items if name in case.insured.identities] if known else []


def _best(
    case: Case,
    burdens: Sequence[Burden],
    kinds: tuple[str, ...],
    topic: str,
    liability: str,
    payer: PayerKind,
    law: Law,
) -> Payment:
    taken = [b for kind in kinds for b in burdens if b.kind == kind and b.left]
    left = Fen(sum(b.left for b in taken))
    base, shown = _base(taken, topic, liability, law)
    ref = law.under({"liability": liability}).need(f"{topic}.base").ref
    first = WorkingStep(
        StepKind.BASE, payer, topic, shown or "0.00", ref, liability, whole_fen(base)
    )
    held = _identities(case, topic, law)
    needed = law.may(f"{topic}.identity_required")
    candidates = held if needed and needed.flag else [NO_IDENTITY, *held]
    product = law.may(f"{topic}.product")
    continuous = any(
        p.continuous for p in case.insured.products if product and p.code == product.choice
    )
    best: Payment | None = None
    for identity in candidates:
        case_of = {
            "liability": liability,
            "identity": identity,
            "continuity": "CONTINUOUS" if continuous else "NEW",
        }
        found = _under(case, base, topic, payer, law.under(case_of), case_of)
        if best is None or found.amount > best.amount:
            best = found
    assert best is not None  # an identity is needed and held, or none is needed
    amount = Fen(min(best.amount, left))
    pays = WorkingStep(StepKind.PAYS, payer, topic, yuan_text(amount), ref, liability, amount)
    return Payment(amount, best.base, (first, *best.steps, pays))


def _base(
    taken: Sequence[Burden], topic: str, liability: str, law: Law
) -> tuple[Fraction | int, str]:
    """Return what a payer reckons on, and the figures: the burdens, each with its weight if it has one."""
    base: Fraction | int = 0
    figures = []
    for burden in taken:
        amount, figure = burden.exact_left(), exact_text(burden.exact_left())
        if law.has(f"{topic}.weight"):
            asked = law.under({"liability": liability, "part": burden.kind})
            weight = asked.may(f"{topic}.weight")
            if weight is not None:
                amount, figure = amount * weight.rate, f"{figure} × {percent_text(weight.rate)}"
        base += amount
        figures.append(figure)
    return base, " + ".join(figures)


def _under(
    case: Case,
    base: Fraction | int,
    topic: str,
    payer: PayerKind,
    law: Law,
    case_of: dict[str, str],
) -> Payment:
    """Return what the payer pays under one identity.

    ``f(cum)`` and ``f(cum before)`` are each rounded once, half up, so that the payments of a year sum
    to ``f`` of its whole burden, however the year is split into bills.
    """
    liability, identity = case_of["liability"], case_of["identity"]
    yearly = law.need(f"{topic}.period").choice == "YEAR"
    before = Fen(case.used.get(counter(topic, liability, "base"), 0)) if yearly else ZERO
    paid = Fen(case.used.get(counter(topic, liability, "paid"), 0))
    cumulative = before + base
    steps: list[WorkingStep] = []

    def step(kind: StepKind, formula: str, ref: RuleRef, fact: str = "") -> None:
        steps.append(WorkingStep(kind, payer, topic, formula, ref, fact))

    threshold_rule = law.need(f"{topic}.threshold")
    threshold = threshold_rule.fen
    step(StepKind.THRESHOLD, yuan_text(threshold), threshold_rule.ref)
    factor = law.may(f"{topic}.tilt_threshold")
    if factor is not None:
        lowered = share(threshold, factor.rate)
        figures = f"{yuan_text(threshold)} × {percent_text(factor.rate)} = {yuan_text(lowered)}"
        step(StepKind.TILT, figures, factor.ref, identity)
        threshold = lowered
    table, origin, rule = _table(topic, law)
    points = law.may(f"{topic}.tilt_points")
    if points is not None:
        table = bands.raised(table, points.rate)
        step(StepKind.TILT, f"+{percent_text(points.rate)}", points.ref, identity)
    amount = ZERO
    if cumulative <= threshold:
        step(StepKind.BANDS, "0.00", rule.ref)
    else:
        start = Fraction(0 if origin == "ABSOLUTE" else threshold)
        floor, low, high = threshold - start, max(before, threshold) - start, cumulative - start
        at_floor = bands.over(table, floor) if floor else floor
        paid_before = whole_fen(bands.over(table, low) - at_floor) if low > floor else ZERO
        amount = Fen(whole_fen(bands.over(table, high) - at_floor) - paid_before)
        step(StepKind.BANDS, bands.formula(table, low, high), rule.ref)
    limit = law.may(f"{topic}.limit")
    lifted = law.may(f"{topic}.tilt_no_limit")
    if lifted is not None and lifted.flag:
        step(StepKind.TILT, "", lifted.ref, identity)
    elif limit is not None and limit.limit is not None:
        spent = paid if yearly or _limit_is_yearly(topic, law) else ZERO
        step(StepKind.PAYER_LIMIT, f"{yuan_text(limit.fen)} - {yuan_text(spent)}", limit.ref)
        amount = Fen(min(amount, max(0, limit.fen - spent)))
    return Payment(amount, whole_fen(base), tuple(steps))


def _limit_is_yearly(topic: str, law: Law) -> bool:
    period = law.may(f"{topic}.limit_period")
    return period is not None and period.choice == "YEAR"


def _table(topic: str, law: Law) -> tuple[tuple[Band, ...], str, Finding]:
    """Return the bands, where they begin to count, and their rule; one rate is one band."""
    banded = law.may(f"{topic}.bands")
    if banded is not None:
        return banded.bands, law.need(f"{topic}.band_origin").choice, banded
    rate = law.need(f"{topic}.rate")
    return (Band(None, rate.rate),), "ABOVE_THRESHOLD", rate


def _given(
    case: Case,
    burdens: Sequence[Burden],
    topic: str,
    payer: PayerKind,
    rule: Finding,
    law: Law,
    steps: list[WorkingStep],
) -> None:
    """Take a payer's amount as it has stated it. Raises ``CaseContradicts`` where too much is given."""
    amount = case.given.get(topic, ZERO)
    if not amount:
        return
    kinds = law.need(f"{topic}.base").items
    if amount < 0 or pay_in_order(burdens, kinds, payer, topic, amount):
        raise CaseContradicts(f"{topic} is said to pay more than is left for it")
    steps.append(
        WorkingStep(StepKind.GIVEN, payer, topic, yuan_text(amount), rule.ref, amount_fen=amount)
    )
