"""Reads of entitlements and capitation agreements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, or_
from sqlmodel import col, select

from backend.entitlements import logic
from backend.entitlements.contracts import (
    CapitationAgreement,
    ChronicView,
    MonthClearing,
    Pilot,
    PilotSeats,
)
from backend.entitlements.model import (
    Capitation,
    CapitationMonth,
    CapitationYear,
    ChronicDisease,
    PilotHospital,
)
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.rulebook.library import Rulebook, rulebook
from backend.settlement.case import CapitatedCare, FilingKind

DIALYSIS = "RENAL_DIALYSIS"


def has_disease(unit: Unit, enrolment_id: str, disease: str, day: date) -> bool:
    """Tell whether an enrolment is entitled to have a disease treated as 门诊慢特病 on a day."""
    found = unit.db.exec(
        select(ChronicDisease.id)
        .where(ChronicDisease.enrolment_id == enrolment_id, ChronicDisease.disease == disease)
        .where(ChronicDisease.starts <= day)
        .where(or_(col(ChronicDisease.ends).is_(None), col(ChronicDisease.ends) >= day))
    ).first()
    return found is not None


def disease_until(
    unit: Unit, enrolment_id: str, disease: str, today: date
) -> ChronicDisease | None:
    """Return the entitlement to a disease that ends last of those not over, ``None`` without one."""
    rows = unit.db.exec(
        select(ChronicDisease)
        .where(ChronicDisease.enrolment_id == enrolment_id, ChronicDisease.disease == disease)
        .where(or_(col(ChronicDisease.ends).is_(None), col(ChronicDisease.ends) >= today))
    ).all()
    return max(rows, key=lambda row: row.ends or date.max, default=None)


def diseases_of(unit: Unit, enrolment_ids: Sequence[str], limit: int) -> list[ChronicView]:
    """Return what some enrolments are entitled to, were, or will be, the newest first."""
    rows = unit.db.exec(
        select(ChronicDisease)
        .where(col(ChronicDisease.enrolment_id).in_(enrolment_ids))
        .order_by(col(ChronicDisease.starts).desc(), col(ChronicDisease.id))
        .limit(limit)
    ).all()
    today, book = local_day(unit.now), rulebook()
    areas = people.areas_of_enrolments(unit, [row.enrolment_id for row in rows])
    return [_chronic(row, areas[row.enrolment_id], today, book) for row in rows]


def crosses_provinces(disease: str, area_code: str, day: date) -> bool:
    """Tell whether a disease is one of those that are settled directly in other provinces."""
    found = rulebook().find_if_any(area_code, "chronic_review.cross_province", day)
    return found is not None and disease in found.items


def _chronic(row: ChronicDisease, area: str, today: date, book: Rulebook) -> ChronicView:
    ahead = book.find_if_any(area, "chronic_review.renew_ahead_days", today)
    days = 0 if ahead is None else ahead.count
    state, renew = logic.state_on(row.starts, row.ends, days, today)
    return ChronicView(
        id=row.id,
        enrolment_id=row.enrolment_id,
        disease=row.disease,
        starts=row.starts,
        ends=row.ends,
        hospital_id=row.hospital_id,
        state=state,
        renew_from=renew,
        cross_province=crosses_provinces(row.disease, area, today),
    )


def capitated_care(
    unit: Unit, enrolment_id: str, disease: str, institution_id: str, filing: FilingKind, day: date
) -> CapitatedCare | None:
    """Return how a bill stands to the person's capitation agreement, where one is in force."""
    if disease != DIALYSIS:
        return None
    month = day.replace(day=1)
    row = unit.db.exec(
        select(Capitation)
        .where(Capitation.enrolment_id == enrolment_id)
        .where(Capitation.effective_from <= month, Capitation.ends >= month)
        .order_by(col(Capitation.effective_from).desc())
    ).first()
    if row is None or month.isoformat() in row.suspended_months:
        return None
    if row.institution_id == institution_id:
        return CapitatedCare.PILOT
    if filing in (FilingKind.REFERRAL, FilingKind.EMERGENCY):
        return CapitatedCare.REFERRED_OUT
    return CapitatedCare.SELF_REFERRED


def agreements_of(unit: Unit, pilot: Pilot, month: date) -> list[CapitationAgreement]:
    """Return the agreements of a pilot hospital that stand in a month, given by its first day."""
    rows = unit.db.exec(
        select(Capitation)
        .where(Capitation.institution_id == pilot.institution_id)
        .where(Capitation.effective_from <= month, Capitation.ends >= month)
        .order_by(col(Capitation.id))
    ).all()
    insured = people.of_scheme(
        unit, [row.enrolment_id for row in rows], pilot.area_code, pilot.insurance_type
    )
    return [agreement_of(row) for row in rows if row.enrolment_id in insured]


def agreement_in(unit: Unit, enrolment_id: str, month: date) -> CapitationAgreement | None:
    """Return the agreement that stands in a month, given by its first day."""
    row = unit.db.exec(
        select(Capitation)
        .where(Capitation.enrolment_id == enrolment_id)
        .where(Capitation.effective_from <= month, Capitation.ends >= month)
        .order_by(col(Capitation.effective_from).desc())
    ).first()
    return None if row is None else agreement_of(row)


def agreements_of_person(unit: Unit, enrolment_ids: Sequence[str]) -> list[CapitationAgreement]:
    """Return the agreements of enrolments that ever counted, the latest first."""
    rows = unit.db.exec(
        select(Capitation)
        .where(col(Capitation.enrolment_id).in_(enrolment_ids))
        .where(col(Capitation.ends) >= col(Capitation.effective_from))
        .order_by(col(Capitation.effective_from).desc())
    ).all()
    return [agreement_of(row) for row in rows]


def pilots(unit: Unit, area_code: str, month: date, limit: int) -> list[PilotSeats]:
    """Return the pilot hospitals of an area with their free seats in a month, given by its first day."""
    rows = unit.db.exec(
        select(PilotHospital)
        .where(PilotHospital.area_code == area_code)
        .order_by(col(PilotHospital.institution_id))
        .limit(limit)
    ).all()
    taken = _taken(unit, [row.institution_id for row in rows], month)
    return [
        PilotSeats(
            row.institution_id, row.seats, max(0, row.seats - taken.get(row.institution_id, 0))
        )
        for row in rows
    ]


def free_seats(unit: Unit, institution_id: str, area_code: str, month: date) -> int | None:
    """Return how many more a hospital can take in a month; ``None``: it is no pilot of the area."""
    row = unit.db.get(PilotHospital, (institution_id, area_code))
    if row is None:
        return None
    return row.seats - _taken(unit, [institution_id], month).get(institution_id, 0)


def lock_pilot(unit: Unit, institution_id: str, area_code: str) -> None:
    """Hold a hospital's seats until the transaction ends, so that two do not take the last one."""
    query = select(PilotHospital).where(
        PilotHospital.institution_id == institution_id, PilotHospital.area_code == area_code
    )
    unit.db.exec(query.with_for_update().execution_options(populate_existing=True)).first()


def _taken(unit: Unit, institution_ids: Sequence[str], month: date) -> dict[str, int]:
    rows = unit.db.exec(
        select(Capitation.institution_id, func.count())
        .where(col(Capitation.institution_id).in_(institution_ids))
        .where(col(Capitation.effective_from) <= month, col(Capitation.ends) >= month)
        .group_by(col(Capitation.institution_id))
    ).all()
    return dict(rows)


def agreement_of(row: Capitation) -> CapitationAgreement:
    """Return the view of an agreement."""
    return CapitationAgreement(
        id=row.id,
        enrolment_id=row.enrolment_id,
        institution_id=row.institution_id,
        entered_on=row.entered_on,
        effective_from=row.effective_from,
        ends=row.ends,
        suspended_months=tuple(date.fromisoformat(text) for text in row.suspended_months),
    )


def month_is_cleared(unit: Unit, pilot: Pilot, month: date) -> bool:
    """Tell whether a month, given by its first day, was cleared."""
    return month in _cleared(unit, pilot, month, month)


def year_is_cleared(unit: Unit, pilot: Pilot, year: int) -> bool:
    """Tell whether a year was cleared."""
    query = select(CapitationYear.id).where(
        CapitationYear.institution_id == pilot.institution_id,
        CapitationYear.area_code == pilot.area_code,
        CapitationYear.insurance_type == pilot.insurance_type,
        CapitationYear.year == year,
    )
    return unit.db.exec(query).first() is not None


def months_to_clear(unit: Unit, pilot: Pilot, year: int) -> list[date]:
    """Return the months of a year, as first days, in which agreements stood and nothing was cleared."""
    months = [date(year, month, 1) for month in range(1, 13)]
    cleared = _cleared(unit, pilot, months[0], months[-1])
    return [m for m in months if m not in cleared and agreements_of(unit, pilot, m)]


def months_of_year(unit: Unit, pilot: Pilot, year: int) -> tuple[list[MonthClearing], Fen]:
    """Return the cleared months of a year and what the signed persons' care cost in them."""
    rows = unit.db.exec(
        select(CapitationMonth)
        .where(CapitationMonth.institution_id == pilot.institution_id)
        .where(CapitationMonth.area_code == pilot.area_code)
        .where(CapitationMonth.insurance_type == pilot.insurance_type)
        .where(CapitationMonth.month >= date(year, 1, 1))
        .where(CapitationMonth.month <= date(year, 12, 1))
        .order_by(col(CapitationMonth.month))
    ).all()
    months = [
        MonthClearing(
            headcount=row.headcount,
            left_out=row.left_out,
            capitation_fen=Fen(row.capitation_fen),
            patient_fen=Fen(row.patient_fen),
            referred_fen=Fen(row.referred_fen),
            due_fen=Fen(row.due_fen),
            booked_fen=Fen(row.booked_fen),
            to_post_fen=Fen(row.to_post_fen),
        )
        for row in rows
    ]
    return months, Fen(sum(row.cost_fen for row in rows))


def _cleared(unit: Unit, pilot: Pilot, first: date, last: date) -> set[date]:
    return set(
        unit.db.exec(
            select(col(CapitationMonth.month))
            .where(CapitationMonth.institution_id == pilot.institution_id)
            .where(CapitationMonth.area_code == pilot.area_code)
            .where(CapitationMonth.insurance_type == pilot.insurance_type)
            .where(CapitationMonth.month >= first, CapitationMonth.month <= last)
        ).all()
    )
