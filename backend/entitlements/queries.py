"""Reads of entitlements and capitation agreements."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_
from sqlmodel import col, select

from backend.entitlements.contracts import CapitationAgreement
from backend.entitlements.model import Capitation, ChronicDisease
from backend.infra.database import Unit
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


def agreements_of(unit: Unit, institution_id: str, month: date) -> list[CapitationAgreement]:
    """Return the agreements of a pilot hospital that stand in a month, given by its first day."""
    rows = unit.db.exec(
        select(Capitation)
        .where(Capitation.institution_id == institution_id)
        .where(Capitation.effective_from <= month, Capitation.ends >= month)
        .order_by(col(Capitation.id))
    ).all()
    return [
        CapitationAgreement(
            id=row.id,
            enrolment_id=row.enrolment_id,
            institution_id=row.institution_id,
            entered_on=row.entered_on,
            effective_from=row.effective_from,
            ends=row.ends,
            suspended_months=tuple(date.fromisoformat(text) for text in row.suspended_months),
        )
        for row in rows
    ]
