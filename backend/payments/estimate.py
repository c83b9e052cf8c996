"""What care would cost somebody, before it happens: this hospital or that, filed or not, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.choices import queries as choices
from backend.credit import queries as credit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.money import QUANTITY_SCALE, Fen, Quantity, UnitPrice
from backend.payments.contracts import NotInsured
from backend.payments.visits import enrolment_on, filing_of
from backend.people.contracts import EnrolmentView, InsuranceType
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.settlement import queries as settlements
from backend.settlement.calculate import calculate
from backend.settlement.case import CareKind, FilingKind, LineInput, ReferredFrom, Stay
from backend.settlement.contracts import Outcome
from backend.settlement.facts import Visit, gather_case

OPTIONS_MAX = 8
FEN_TO_UNIT_PRICE = 10_000


@dataclass(frozen=True)
class EstimateOption:
    """A way to go: where, and what would be on file. ``None``: what is on file in fact.

    ``referred_from_level`` is the level (0 to 3) of a hospital that would refer the patient here from a
    stay, ``None`` where nobody does.
    """

    institution_id: str
    filing: FilingKind | None = None
    referred_from_level: int | None = None


@dataclass(frozen=True)
class EstimateCosts:
    """What the care is expected to cost: in scope, prepaid share of class 乙, and outside of scope."""

    in_scope_fen: Fen
    prepaid_share_fen: Fen
    full_self_pay_fen: Fen


@dataclass(frozen=True)
class Estimate:
    """What one option would come to; ``refusal`` in place of ``outcome`` where it cannot be told."""

    option: EstimateOption
    institution: InstitutionView | None
    filing: FilingKind
    outcome: Outcome | None
    refusal: RuleNotLoaded | NotInsured | None


def estimate(
    unit: Unit,
    person_id: str,
    care: CareKind,
    disease: str,
    day: date,
    costs: EstimateCosts,
    options: tuple[EstimateOption, ...],
) -> list[Estimate]:
    """Return what each option would come to for somebody, as their year stands now. Books nothing."""
    return [
        _one(unit, person_id, care, disease, day, costs, option) for option in options[:OPTIONS_MAX]
    ]


def _one(
    unit: Unit,
    person_id: str,
    care: CareKind,
    disease: str,
    day: date,
    costs: EstimateCosts,
    option: EstimateOption,
) -> Estimate:
    place = institutions.institutions(unit, [option.institution_id]).get(option.institution_id)
    enrolment = enrolment_on(unit, person_id, None, day)
    none = FilingKind.NONE
    if enrolment is None or place is None:
        return Estimate(option, place, option.filing or none, None, NotInsured())
    filing = option.filing or filing_of(unit, enrolment, place, emergency=False, day=day)
    try:
        stay = _stay(unit, enrolment, option, day) if care is CareKind.INPATIENT else None
        area = enrolment.area_code
        paused = credit.is_paused(unit, person_id, area, day, rulebook())
        visit = Visit(
            care,
            day,
            filing=filing,
            disease=disease,
            stay=stay,
            chosen=choices.stands_to(unit, enrolment, place.id, care, day),
            benefits_paused=paused,
        )
        outcome = calculate(
            gather_case(unit, enrolment, place, visit, _lines(costs, day)), rulebook()
        )
    except RuleMissing as missing:
        refusal = RuleNotLoaded(missing.region, missing.rule, missing.day)
        return Estimate(option, place, filing, None, refusal)
    return Estimate(option, place, filing, outcome, None)


def _stay(unit: Unit, enrolment: EnrolmentView, option: EstimateOption, day: date) -> Stay:
    """Return a stay of one day; referred, it follows one at home that has just ended."""
    level = option.referred_from_level
    if level is None:
        return Stay(day, day)
    scheme = "worker" if enrolment.insurance_type is InsuranceType.EMPLOYEE else "resident"
    pool = f"inpatient_{scheme}"
    before = settlements.used(unit, enrolment.id, day.year).get(f"{pool}.stays", 0)
    due = rulebook().find(
        enrolment.area_code,
        f"{pool}.deductible",
        day,
        place=f"LEVEL_{level}",
        relation="LOCAL",
        filing=FilingKind.NONE.value,
    )
    return Stay(day, day, referred_from=ReferredFrom(f"LEVEL_{level}", before, due.fen))


def _lines(costs: EstimateCosts, day: date) -> tuple[LineInput, ...]:
    """Return expected costs as lines: class 甲 whole, a prepaid share of 100 %, class 丙."""
    parts = (
        ("目录内费用（估算）", ItemClass.A, "0", costs.in_scope_fen),
        ("先行自付（估算）", ItemClass.B, "1", costs.prepaid_share_fen),
        ("目录外费用（估算）", ItemClass.C, "0", costs.full_self_pay_fen),
    )
    return tuple(
        LineInput(
            number=number,
            code=f"ESTIMATE-{number}",
            name=name,
            kind=ItemKind.TREATMENT,
            item_class=item_class,
            prepaid_share=prepaid,
            price_limit=None,
            terms_from=day,
            illustrative=True,
            quantity=Quantity(QUANTITY_SCALE),
            unit_price=UnitPrice(amount * FEN_TO_UNIT_PRICE),
        )
        for number, (name, item_class, prepaid, amount) in enumerate(parts, 1)
        if amount > 0
    )
