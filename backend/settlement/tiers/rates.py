"""What share the pooling fund pays above the deductible."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from backend.kernel.money import percent_text
from backend.rulebook.contracts import Band, Finding, RuleRef
from backend.settlement.case import Case
from backend.settlement.contracts import PayerKind, StepKind, WorkingStep
from backend.settlement.tiers.bands import FULL, raised
from backend.settlement.tiers.law import LOCAL, Law


@dataclass(frozen=True, slots=True)
class Rates:
    """The rate, as bands of amount; one band without end where the rate is one. ``ref`` is its rule.

    ``absolute`` tells whether the bands count from the first fen in scope, so that the deductible lies
    in the lowest of them, and ``yearly`` whether they go on over the bills of the year.
    """

    bands: tuple[Band, ...]
    absolute: bool
    yearly: bool
    ref: RuleRef
    steps: tuple[WorkingStep, ...]


def find_rates(case: Case, law: Law) -> Rates:
    """Return level rate plus age points, at most 100 %, then less the points for care away.

    The cut is taken in percentage points off the rate, never as a factor (医保发〔2022〕22号); it also
    lowers the 100 % of the very old. Raises ``RuleMissing``.
    """
    full = law.may(f"{law.pool}.full_rate_age")
    if full is not None and case.insured.age >= full.count:
        steps = [_step(StepKind.RATE_FULL, "100%", full.ref, str(case.insured.age))]
        return _cut((Band(None, FULL),), False, False, full.ref, steps, law)
    banded = law.may(f"{law.pool}.rate_bands")
    absolute = yearly = False
    if banded is not None:
        bands, ref = banded.bands, banded.ref
        absolute = law.need(f"{law.pool}.rate_band_origin").choice == "ABSOLUTE"
        yearly = law.need(f"{law.pool}.rate_band_period").choice == "YEAR"
        steps = [_step(StepKind.RATE, " / ".join(percent_text(b.rate) for b in bands), ref)]
    else:
        rate = law.need(f"{law.pool}.rate")
        bands, ref = (Band(None, rate.rate),), rate.ref
        steps = [_step(StepKind.RATE, percent_text(rate.rate), ref)]
    points = _age_points(case, law, steps)
    return _cut(raised(bands, points), absolute, yearly, ref, steps, law)


def _age_points(case: Case, law: Law, steps: list[WorkingStep]) -> Fraction:
    age, points = case.insured.age, Fraction(0)
    by_year = law.may(f"{law.pool}.rate_per_year_of_age")
    if by_year is not None:
        points += by_year.rate * age
        figures = f"{percent_text(by_year.rate)} × {age} = {percent_text(by_year.rate * age)}"
        steps.append(_step(StepKind.RATE_AGE_YEARS, figures, by_year.ref, str(age)))
    by_age = law.may(f"{law.pool}.rate_age_points")
    if by_age is not None:
        added = _reached(by_age, age)
        if added:
            figures = f"+{percent_text(added)}"
            steps.append(_step(StepKind.RATE_AGE, figures, by_age.ref, str(age)))
        points += added
    return points


def _reached(rule: Finding, number: int) -> Fraction:
    return max((step.add for step in rule.steps if number >= step.starts), default=Fraction(0))


def _cut(
    bands: tuple[Band, ...],
    absolute: bool,
    yearly: bool,
    ref: RuleRef,
    steps: list[WorkingStep],
    law: Law,
) -> Rates:
    if law.dimensions["relation"] != LOCAL:
        mechanism = law.need("cross_region.mechanism")
        if mechanism.choice == "POINTS":
            cut = law.need("cross_region.points")
            bands = raised(bands, -cut.rate)
            figures = f"-{percent_text(cut.rate)}"
            steps.append(_step(StepKind.RATE_AWAY, figures, cut.ref, law.dimensions["filing"]))
    return Rates(bands, absolute, yearly, ref, tuple(steps))


def _step(kind: StepKind, formula: str, ref: RuleRef, fact: str = "") -> WorkingStep:
    return WorkingStep(kind, PayerKind.BASIC, "", formula, ref, fact)
