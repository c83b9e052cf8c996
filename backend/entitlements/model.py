"""Tables of entitlements and capitation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant


class ChronicDisease(SQLModel, table=True):
    """Somebody may have a listed disease treated as 门诊慢特病."""

    __tablename__ = "chronic_disease"

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    disease: str
    starts: date
    ends: date | None = None
    hospital_id: str | None = Field(default=None, foreign_key="institution.id")
    matter_id: str | None = Field(default=None, foreign_key="matter.id")


class Capitation(SQLModel, table=True):
    """A capitation agreement with a pilot hospital."""

    __tablename__ = "capitation"

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    institution_id: str = Field(foreign_key="institution.id", index=True)
    entered_on: date
    effective_from: date
    ends: date
    suspended_months: Any = Field(sa_type=CanonicalJson)


class PilotHospital(SQLModel, table=True):
    """A pilot hospital of an insured area, and how many it can take at once."""

    __tablename__ = "pilot_hospital"

    institution_id: str = Field(primary_key=True, foreign_key="institution.id")
    area_code: str = Field(primary_key=True)
    seats: int


class CapitationMonth(SQLModel, table=True):
    """A cleared month of a pilot hospital; a month is cleared once. Append-only."""

    __tablename__ = "capitation_month"
    __table_args__ = (UniqueConstraint("institution_id", "area_code", "insurance_type", "month"),)

    id: str = Field(primary_key=True)
    institution_id: str = Field(foreign_key="institution.id")
    area_code: str
    insurance_type: str
    month: date
    headcount: int
    left_out: int
    capitation_fen: int = Field(sa_type=Amount)
    patient_fen: int = Field(sa_type=Amount)
    referred_fen: int = Field(sa_type=Amount)
    due_fen: int = Field(sa_type=Amount)
    booked_fen: int = Field(sa_type=Amount)
    to_post_fen: int = Field(sa_type=Amount)
    cost_fen: int = Field(sa_type=Amount)
    ledger_entry_id: str | None = Field(default=None, foreign_key="ledger_entry.id")
    cleared_at: datetime = Field(sa_type=Instant)


class CapitationYear(SQLModel, table=True):
    """A cleared year of a pilot hospital; a year is cleared once, and closes its months. Append-only."""

    __tablename__ = "capitation_year"
    __table_args__ = (UniqueConstraint("institution_id", "area_code", "insurance_type", "year"),)

    id: str = Field(primary_key=True)
    institution_id: str = Field(foreign_key="institution.id")
    area_code: str
    insurance_type: str
    year: int
    missed_quality: str
    capitation_fen: int = Field(sa_type=Amount)
    cost_fen: int = Field(sa_type=Amount)
    due_fen: int = Field(sa_type=Amount)
    deduction_fen: int = Field(sa_type=Amount)
    final_fen: int = Field(sa_type=Amount)
    surplus_fen: int = Field(sa_type=Amount)
    overspend_fen: int = Field(sa_type=Amount)
    ledger_entry_id: str | None = Field(default=None, foreign_key="ledger_entry.id")
    cleared_at: datetime = Field(sa_type=Instant)
