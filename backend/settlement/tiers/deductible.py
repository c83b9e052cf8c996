"""What the patient pays before the fund begins (起付标准)."""

from __future__ import annotations

from dataclasses import dataclass

from backend.kernel.invariants import invariant
from backend.kernel.money import ZERO, Fen, yuan_text
from backend.rulebook.contracts import RuleRef
from backend.settlement.case import Case, Stay
from backend.settlement.contracts import PayerKind, StepKind, WorkingStep
from backend.settlement.tiers.law import Law

LEVELS = ("LEVEL_0", "LEVEL_1", "LEVEL_2", "LEVEL_3")


@dataclass(frozen=True, slots=True)
class Deductible:
    """What is still due before the fund pays, and what the year will count.

    ``standard_fen`` is what the whole year or stay demands, ``left_fen`` what of it is still open.
    ``counter`` takes what this bill consumes; ``counts`` is added besides.
    """

    standard_fen: Fen
    left_fen: Fen
    counter: str | None
    counts: dict[str, int]
    ref: RuleRef
    steps: tuple[WorkingStep, ...]


def find_deductible(case: Case, law: Law) -> Deductible:
    """Return the deductible of a bill: of the stay, of the year, or some times a year.

    ``deductible_period`` says which. Raises ``RuleMissing``.
    """
    period = law.need(f"{law.pool}.deductible_period").choice
    waived = _waived(case, law)
    if waived is not None:
        return waived if case.stay is None else _counting_stay(case.stay, case, law, waived)
    if period == "STAY":
        invariant(case.stay is not None, "a deductible of the stay needs a stay")
        assert case.stay is not None
        return _of_stay(case.stay, case, law)
    return _of_year(case, law, period)


def _of_year(case: Case, law: Law, period: str) -> Deductible:
    """Annual and cumulative, or due at most some times a year, each time at most once whole."""
    standard = law.need(f"{law.pool}.deductible")
    counter_rule = law.may(f"{law.pool}.deductible_counter")
    counter = counter_rule.choice if counter_rule else f"{law.pool}.deductible"
    used = Fen(case.used.get(counter, 0))
    year, text = standard.fen, yuan_text(standard.fen)
    if period == "TIMES_A_YEAR":
        times = law.need(f"{law.pool}.deductible_times").count
        year, text = Fen(standard.fen * times), f"{times} × {text}"
    left = Fen(min(standard.fen, max(0, year - used)))
    if used:
        text = f"{text} - {yuan_text(used)}"
    step = _step(StepKind.DEDUCTIBLE_STANDARD, text, standard.ref)
    return Deductible(year, left, counter, {}, standard.ref, (step,))


def _of_stay(stay: Stay, case: Case, law: Law) -> Deductible:
    """Once a stay: the standard of the place, less for later stays, the difference on referral."""
    standard = law.need(f"{law.pool}.deductible")
    steps = [_step(StepKind.DEDUCTIBLE_STANDARD, yuan_text(standard.fen), standard.ref)]
    listed = law.may(f"{law.pool}.once_a_year_diseases")
    origin = stay.referred_from
    if stay.deductible_due_fen is not None:
        due = stay.deductible_due_fen
    elif listed is not None and case.disease in listed.items:
        due = standard.fen
        if case.used.get(f"{law.pool}.listed_stays", 0):
            due = ZERO
            steps.append(_step(StepKind.DEDUCTIBLE_WAIVED, "0.00", listed.ref, case.disease))
    elif origin is not None and (referral := law.may(f"{law.pool}.deductible_referral")):
        full = _stepped_down(standard.fen, origin.stays_before, law, steps)
        due = _difference(full, case.place.key, origin.place, origin.deductible_fen)
        figures = f"{yuan_text(full)} - {yuan_text(origin.deductible_fen)}" if due else "0.00"
        steps.append(_step(StepKind.DEDUCTIBLE_REFERRAL, figures, referral.ref, origin.place))
    else:
        stays = case.used.get(f"{law.pool}.stays", 0)
        due = _stepped_down(standard.fen, stays, law, steps)
    left = Fen(max(0, due - stay.deductible_paid_fen))
    found = Deductible(due, left, None, {}, standard.ref, tuple(steps))
    return _counting_stay(stay, case, law, found)


def _difference(full: Fen, here: str, there: str, due_there: Fen) -> Fen:
    """Upward: only what the higher level demands more. To the same or a lower level: nothing."""
    upward = LEVELS.index(here) > LEVELS.index(there)
    return Fen(max(0, full - due_there)) if upward else ZERO


def _stepped_down(standard: Fen, before: int, law: Law, steps: list[WorkingStep]) -> Fen:
    """Return the standard after some stays of the year: less by a step each, not below the floor."""
    step = law.may(f"{law.pool}.deductible_step")
    if step is None or not before or not step.fen:
        return standard
    floor = law.need(f"{law.pool}.deductible_floor")
    due = Fen(min(standard, max(floor.fen, standard - step.fen * before)))
    figures = (
        f"max({yuan_text(floor.fen)}, {yuan_text(standard)} - {before} × {yuan_text(step.fen)})"
    )
    steps.append(_step(StepKind.DEDUCTIBLE_STEP_DOWN, figures, step.ref, str(before + 1)))
    return due


def _waived(case: Case, law: Law) -> Deductible | None:
    """Return a deductible of nothing where age or disease frees the patient of it."""
    old = law.may(f"{law.pool}.no_deductible_age")
    free = law.may(f"{law.pool}.no_deductible_diseases")
    fact = ""
    if old is not None and case.insured.age >= old.count:
        rule, fact = old, str(case.insured.age)
    elif free is not None and case.disease in free.items:
        rule, fact = free, case.disease
    else:
        return None
    step = _step(StepKind.DEDUCTIBLE_WAIVED, "0.00", rule.ref, fact)
    return Deductible(ZERO, ZERO, None, {}, rule.ref, (step,))


def _counting_stay(stay: Stay, case: Case, law: Law, found: Deductible) -> Deductible:
    """Let the year count the stay, once for all its stretches."""
    if stay.counted:
        return found
    counts = {f"{law.pool}.stays": 1}
    listed = law.may(f"{law.pool}.once_a_year_diseases")
    if listed is not None and case.disease in listed.items:
        counts[f"{law.pool}.listed_stays"] = 1
    return Deductible(
        found.standard_fen, found.left_fen, found.counter, counts, found.ref, found.steps
    )


def _step(kind: StepKind, formula: str, ref: RuleRef, fact: str = "") -> WorkingStep:
    return WorkingStep(kind, PayerKind.BASIC, "", formula, ref, fact)
