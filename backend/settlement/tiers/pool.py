"""What basic insurance pays: one form for every region, filled by the region's parameters.

``fund = min(limits left, round2((in scope − deductible) × rate))``, rounded once, half up, as
``hifp_pay`` has two decimals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from backend.institutions.contracts import InstitutionKind
from backend.kernel.money import ZERO, Fen, percent_text, share, whole_fen, yuan_text
from backend.rulebook.contracts import Finding, RuleRef
from backend.settlement.case import CapitatedCare, CareKind, Case, CaseContradicts
from backend.settlement.contracts import NoBenefitReason, PartKind, PayerKind, StepKind, WorkingStep
from backend.settlement.tiers import bands
from backend.settlement.tiers.burden import Burden
from backend.settlement.tiers.deductible import Deductible, find_deductible
from backend.settlement.tiers.law import LOCAL, Law
from backend.settlement.tiers.limits import Limit, limits_of
from backend.settlement.tiers.rates import Rates, find_rates

_BASIC = PayerKind.BASIC


@dataclass(slots=True)
class Pool:
    """How the in-scope cost splits, and how the year stands after it.

    The burdens sum to the in-scope cost. The year's figures are ``None`` where no benefit applies.
    """

    burdens: list[Burden]
    steps: list[WorkingStep]
    deductible_fen: Fen = ZERO
    fund_fen: Fen = ZERO
    deductible_year_fen: Fen | None = None
    deductible_left_fen: Fen | None = None
    fund_limit_fen: Fen | None = None
    fund_left_fen: Fen | None = None
    counts: dict[str, int] = field(default_factory=dict)
    hospital_due_fen: Fen | None = None

    @property
    def reason(self) -> NoBenefitReason | None:
        """Return why the fund pays nothing, or ``None`` where it would."""
        return next((burden.reason for burden in self.burdens if burden.reason), None)


def basic_pool(case: Case, total: Fen, in_scope: Fen, law: Law) -> Pool:
    """Return what the fund pays of the in-scope cost of a bill, and what is left to others.

    Raises ``RuleMissing``; ``CaseContradicts`` where an amount that the fund is said to pay exceeds
    the cost in scope.
    """
    absent = _no_benefit(case, in_scope, law)
    if absent is not None:
        return absent
    given = law.may(f"{law.pool}.mechanism")
    if given is not None and given.choice == "GIVEN":
        return _given(case, in_scope, given)
    steps: list[WorkingStep] = []
    away, deductible = _away_first(total, in_scope, law, steps), find_deductible(case, law)
    own_deductible = _bill_deductible(total, law)
    deductible = own_deductible or deductible
    rates = find_rates(case, law)
    limits = limits_of(case, law)
    base = Fen(in_scope - sum(burden.amount for burden in away))
    pool = _reckon(case, base, deductible, rates, limits, law)
    pool.burdens = away + pool.burdens
    pool.steps = steps + pool.steps
    return pool


def _reckon(
    case: Case, base: Fen, deductible: Deductible, rates: Rates, limits: list[Limit], law: Law
) -> Pool:
    steps = list(deductible.steps)
    open_cost = min([base, *(limit.left for limit in limits if limit.on == "COST")])
    consumed = Fen(min(deductible.left_fen, open_cost))
    figures = f"min({yuan_text(deductible.left_fen)}, {yuan_text(Fen(open_cost))})"
    steps.append(
        WorkingStep(StepKind.DEDUCTIBLE, _BASIC, "", figures, deductible.ref, amount_fen=consumed)
    )
    steps.extend(rates.steps)
    above = Fen(open_cost - consumed)
    counted = Fen(min([above, *(x.left for x in limits if x.on == "COST_AFTER_DEDUCTIBLE")]))
    low = _low(case, consumed, rates, law)
    entitled, formula = _entitled(counted, consumed, low, rates)
    fund_limits = [limit for limit in limits if limit.on == "FUND"]
    fund = Fen(min([entitled, *(limit.left for limit in fund_limits)]))
    if fund != entitled:
        formula = f"min({formula}, {yuan_text(fund)})"
    steps.extend(limit.step() for limit in limits)
    steps.append(WorkingStep(StepKind.ENTITLED, _BASIC, "", formula, rates.ref, amount_fen=fund))
    burdens = [
        Burden(PartKind.DEDUCTIBLE, consumed, figures, deductible.ref),
        *_shares(counted, entitled, fund, low, formula, rates, fund_limits, law),
        *_above_cost(base, open_cost, above, counted, limits),
    ]
    burdens[1].pay(_BASIC, "", fund)
    counts = dict(deductible.counts)
    if deductible.counter is not None:
        counts[deductible.counter] = consumed
    if rates.yearly:
        counts[f"{law.pool}.banded"] = counted
    for limit in limits:
        amount = {"FUND": fund, "COST": open_cost, "COST_AFTER_DEDUCTIBLE": counted}[limit.on]
        if limit.counter is not None:
            counts[limit.counter] = amount
    yearly = fund_limits[0] if fund_limits and fund_limits[0].amount is not None else None
    return Pool(
        burdens=burdens,
        steps=steps,
        deductible_fen=consumed,
        fund_fen=fund,
        deductible_year_fen=deductible.standard_fen,
        deductible_left_fen=Fen(deductible.left_fen - consumed),
        fund_limit_fen=yearly.amount if yearly else None,
        fund_left_fen=Fen(yearly.left - fund) if yearly else None,
        counts=counts,
    )


def _low(case: Case, consumed: Fen, rates: Rates, law: Law) -> Fraction:
    """Return where in the bands the cost above the deductible begins."""
    low = Fraction(consumed if rates.absolute else 0)
    return low + case.used.get(f"{law.pool}.banded", 0) if rates.yearly else low


def _entitled(counted: Fen, consumed: Fen, low: Fraction, rates: Rates) -> tuple[Fen, str]:
    """Return what the rates give on the cost above the deductible, rounded once, and the figures."""
    if len(rates.bands) == 1:
        rate = rates.bands[0].rate
        product = f"({yuan_text(Fen(counted + consumed))} - {yuan_text(consumed)})"
        return share(counted, rate), f"{product} × {percent_text(rate)}"
    exact = bands.over(rates.bands, low + counted) - bands.over(rates.bands, low)
    return whole_fen(exact), bands.formula(rates.bands, low, low + counted)


def _shares(
    counted: Fen,
    entitled: Fen,
    fund: Fen,
    low: Fraction,
    formula: str,
    rates: Rates,
    limits: list[Limit],
    law: Law,
) -> list[Burden]:
    """Split the cost above the deductible: the fund's, the patient's, and what a limit cut off.

    What a limit cuts off is the fund's money that is not paid (``FUND``), or the cost beyond the point
    where the limit was reached (``COST``), which stays unrounded for payers that take it up (P46).
    """
    own, above = Fraction(counted - entitled), Fraction(entitled - fund)
    measure = law.may(f"basic_{law.scheme}.above_limit_as")
    if fund < entitled and measure is not None and measure.choice == "COST":
        covered = bands.inverse(rates.bands, bands.over(rates.bands, low) + fund) - low
        own, above = covered - fund, counted - covered
    above_fen = whole_fen(above)
    own_fen = Fen(counted - fund - above_fen)
    binding = min(limits, key=lambda limit: limit.left).ref if limits else rates.ref
    return [
        Burden(PartKind.FUND_SHARE, fund, formula, rates.ref),
        Burden(
            PartKind.OWN_SHARE,
            own_fen,
            f"{yuan_text(counted)} - {yuan_text(Fen(counted - own_fen))}",
            rates.ref,
            own if own != own_fen else None,
        ),
        Burden(
            PartKind.ABOVE_FUND_LIMIT,
            above_fen,
            f"{yuan_text(Fen(above_fen + fund))} - {yuan_text(fund)}",
            binding,
            above if above != above_fen else None,
        ),
    ]


def _above_cost(
    base: Fen, open_cost: Fen, above: Fen, counted: Fen, limits: list[Limit]
) -> list[Burden]:
    """Return the cost beyond limits on cost."""
    found = []
    for on, whole, within in (
        ("COST", base, open_cost),
        ("COST_AFTER_DEDUCTIBLE", above, counted),
    ):
        if whole > within:
            ref = min((x for x in limits if x.on == on), key=lambda limit: limit.left).ref
            figures = f"{yuan_text(whole)} - {yuan_text(Fen(within))}"
            amount = Fen(whole - within)
            found.append(Burden(PartKind.ABOVE_FUND_LIMIT, amount, figures, ref))
    return found


def _away_first(total: Fen, in_scope: Fen, law: Law, steps: list[WorkingStep]) -> list[Burden]:
    """Return the share that the patient pays first for care away, where the region says so."""
    if law.dimensions["relation"] == LOCAL:
        return []
    if law.need("cross_region.mechanism").choice != "PREPAY_SHARE":
        return []
    rule = law.need("cross_region.prepay_share")
    amount = share(in_scope, rule.rate)
    figures = f"{yuan_text(in_scope)} × {percent_text(rule.rate)}"
    fact = law.dimensions["filing"]
    steps.append(WorkingStep(StepKind.AWAY_PREPAID, _BASIC, "", figures, rule.ref, fact, amount))
    return [Burden(PartKind.AWAY_PREPAID, amount, figures, rule.ref)]


def _bill_deductible(total: Fen, law: Law) -> Deductible | None:
    """Return a deductible that is a share of the bill, between a least and a most, for care away."""
    if law.dimensions["relation"] == LOCAL:
        return None
    if law.need("cross_region.mechanism").choice != "BILL_DEDUCTIBLE":
        return None
    rule = law.need("cross_region.bill_deductible_rate")
    least = law.need("cross_region.bill_deductible_least").fen
    most = law.need("cross_region.bill_deductible_most").fen
    due = Fen(min(most, max(least, share(total, rule.rate))))
    figures = f"{yuan_text(total)} × {percent_text(rule.rate)} = {yuan_text(due)}"
    step = WorkingStep(StepKind.DEDUCTIBLE_STANDARD, _BASIC, "", figures, rule.ref)
    return Deductible(due, due, None, {}, rule.ref, (step,))


def _given(case: Case, in_scope: Fen, rule: Finding) -> Pool:
    """Take the fund's amount as the insured area has stated it; the rest is the patient's share."""
    fund = case.given.get("basic", ZERO)
    if not 0 <= fund <= in_scope:
        raise CaseContradicts("the fund is said to pay more than the cost in scope")
    burdens = [
        Burden(PartKind.FUND_SHARE, fund, yuan_text(fund), rule.ref),
        Burden(
            PartKind.OWN_SHARE,
            Fen(in_scope - fund),
            f"{yuan_text(in_scope)} - {yuan_text(fund)}",
            rule.ref,
        ),
    ]
    burdens[0].pay(_BASIC, "", fund)
    step = WorkingStep(StepKind.GIVEN, _BASIC, "", yuan_text(fund), rule.ref, amount_fen=fund)
    return Pool(burdens, [step], fund_fen=fund)


def _no_benefit(case: Case, in_scope: Fen, law: Law) -> Pool | None:
    """Return the cost as the patient's own where the fund pays nothing, with the reason."""
    reason, ref = _why_not(case, law)
    if reason is None or ref is None:
        return None
    fact = law.dimensions["status"] if reason is NoBenefitReason.STATUS else ""
    step = WorkingStep(StepKind.NO_BENEFIT, _BASIC, "", yuan_text(in_scope), ref, fact, in_scope)
    whole = Burden(PartKind.NO_FUND_BENEFIT, in_scope, yuan_text(in_scope), ref, reason=reason)
    return Pool([whole], [step])


def _why_not(case: Case, law: Law) -> tuple[NoBenefitReason | None, RuleRef | None]:
    status = law.need("benefit_status.fund_pays")
    if not status.flag:
        paused = law.dimensions["status"] == "PAUSED"
        reason = NoBenefitReason.BENEFITS_PAUSED if paused else NoBenefitReason.STATUS
        return reason, status.ref
    if case.capitated is CapitatedCare.SELF_REFERRED:
        return NoBenefitReason.SELF_REFERRED, law.need("capitation.self_referral").ref
    if case.care is CareKind.CHRONIC:
        listed = law.need(f"{law.pool}.diseases")
        if case.disease not in listed.items:
            return NoBenefitReason.DISEASE_NOT_LISTED, listed.ref
    places = law.need(f"{law.pool}.places")
    if case.place.key not in places.items:
        return NoBenefitReason.PLACE_NOT_COVERED, places.ref
    outpatient = case.care is CareKind.OUTPATIENT or case.place.kind is InstitutionKind.PHARMACY
    if outpatient and not case.place.pooling:
        return NoBenefitReason.NOT_POOLING_PLACE, places.ref
    if law.dimensions["relation"] != LOCAL:
        away = law.need("cross_region.mechanism")
        if away.choice == "NOT_PAID":
            return NoBenefitReason.NOT_PAID_AWAY, away.ref
    return None, None
