"""What the pooling fund pays of ordinary outpatient care and pharmacy purchases, regime by regime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from backend.institutions.contracts import InstitutionKind
from backend.kernel.money import ZERO, Fen, percent_text, share, yuan_text
from backend.people.contracts import InsuranceType
from backend.regions.library import province_code
from backend.rulebook.contracts import RuleMissing, RuleRef
from backend.rulebook.library import Rulebook
from backend.rulebook.regimes import Regimes
from backend.settlement.contracts import Case, NoBenefitReason, Part, PartKind, Place

TOPICS = {
    InsuranceType.EMPLOYEE: "outpatient_worker",
    InsuranceType.RESIDENT: "outpatient_resident",
}


@dataclass(frozen=True)
class Pool:
    """How the in-scope cost splits, and how the year stands after it.

    The parts sum to the in-scope cost. The year's figures are ``None`` where no benefit applies.
    """

    parts: tuple[Part, ...]
    deductible_fen: Fen = ZERO
    fund_fen: Fen = ZERO
    deductible_year_fen: Fen | None = None
    deductible_left_fen: Fen | None = None
    fund_limit_fen: Fen | None = None
    fund_left_fen: Fen | None = None


OUTPATIENT: Regimes[[Case, Fen, Rulebook], Pool] = Regimes("outpatient")


@OUTPATIENT.add("510100", starts=date(2023, 1, 1))
def chengdu_outpatient(case: Case, in_scope: Fen, book: Rulebook) -> Pool:
    """Chengdu from 2023-01-01: annual deductible, one rate by place, annual limit on fund payment.

    ``fund = round2((in scope − deductible left) × rate)``, at most what is left of the limit
    (CD-OP-W, CD-OP-R). Rounded once, half up: the fund's amount is ``hifp_pay`` with two decimals.
    """
    absent = _no_benefit(case, in_scope, book)
    if absent is not None:
        return Pool((absent,))
    area, day, topic = (
        case.insured.area_code,
        case.service_date,
        TOPICS[case.insured.insurance_type],
    )
    person, account = case.insured.person_kind.value, case.insured.account_kind.value
    place = place_key(case.place)
    year_deductible = book.find(area, f"{topic}.deductible", day, person=person)
    rate = book.find(area, f"{topic}.rate", day, person=person, place=place)
    limit = book.find(area, f"{topic}.fund_limit", day, person=person, account=account)

    left = Fen(max(0, year_deductible.fen - case.used.deductible_fen))
    deductible = Fen(min(left, in_scope))
    above = Fen(in_scope - deductible)
    entitled = share(above, rate.rate)
    fund_left = Fen(max(0, limit.fen - case.used.fund_fen))
    fund = Fen(min(entitled, fund_left))

    product = f"({yuan_text(in_scope)} - {yuan_text(deductible)}) × {percent_text(rate.rate)}"
    parts = (
        Part(
            PartKind.DEDUCTIBLE,
            deductible,
            f"min({yuan_text(left)}, {yuan_text(in_scope)})",
            year_deductible.ref,
        ),
        Part(PartKind.FUND_SHARE, fund, _fund_formula(product, entitled, fund), rate.ref),
        Part(
            PartKind.OWN_SHARE,
            Fen(above - entitled),
            f"{yuan_text(above)} - {yuan_text(entitled)}",
            rate.ref,
        ),
        Part(
            PartKind.ABOVE_FUND_LIMIT,
            Fen(entitled - fund),
            f"{yuan_text(entitled)} - {yuan_text(fund)}",
            limit.ref,
        ),
    )
    return Pool(
        parts=parts,
        deductible_fen=deductible,
        fund_fen=fund,
        deductible_year_fen=year_deductible.fen,
        deductible_left_fen=Fen(left - deductible),
        fund_limit_fen=limit.fen,
        fund_left_fen=Fen(fund_left - fund),
    )


def place_key(place: Place) -> str:
    """Return the name by which the rulebook's tables know a place."""
    if place.kind is InstitutionKind.PHARMACY:
        return "PHARMACY"
    return "CAMPUS" if place.campus else f"LEVEL_{place.level}"


def _no_benefit(case: Case, in_scope: Fen, book: Rulebook) -> Part | None:
    """Return the part that the patient bears whole where the fund pays nothing, with the reason."""
    area, day, topic = (
        case.insured.area_code,
        case.service_date,
        TOPICS[case.insured.insurance_type],
    )
    _require_region(case, book)
    status = book.find(area, "benefit_status.fund_pays", day, status=case.insured.status.value)
    if status.value is False:
        return _whole(in_scope, NoBenefitReason.STATUS, status.ref)
    places = book.find(area, f"{topic}.places", day, person=case.insured.person_kind.value)
    if place_key(case.place) not in places.items:
        return _whole(in_scope, NoBenefitReason.PLACE_NOT_COVERED, places.ref)
    if not case.place.pooling:
        return _whole(in_scope, NoBenefitReason.NOT_POOLING_PLACE, places.ref)
    return None


def _require_region(case: Case, book: Rulebook) -> None:
    """Refuse a place for which no rule of the insured area speaks (CD-XR)."""
    home, away = case.insured.area_code, case.place.area_code
    if away == home:
        return
    name = "cross_region.outpatient_no_filing_provinces"
    provinces = book.find(home, name, case.service_date)
    if province_code(away) not in provinces.items:
        raise RuleMissing(home, name, case.service_date, f"place={away}")


def _whole(in_scope: Fen, reason: NoBenefitReason, ref: RuleRef) -> Part:
    return Part(PartKind.NO_FUND_BENEFIT, in_scope, yuan_text(in_scope), ref, reason)


def _fund_formula(product: str, entitled: Fen, fund: Fen) -> str:
    if fund == entitled:
        return product
    return f"min({product}, {yuan_text(fund)})"
