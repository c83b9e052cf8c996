"""Tables of prescriptions and of what pharmacies offer."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, Instant, Serial


class Prescription(SQLModel, table=True):
    """A prescription. ``body`` (doctor, diagnosis, drugs) and ``address`` are sealed."""

    __tablename__ = "prescription"
    __table_args__ = (
        Index("ix_prescription_person", "person_id", "id"),
        Index("ix_prescription_state", "state", "valid_until"),
        Index("ix_prescription_pharmacy", "pharmacy_id", "state"),
        Index("ix_prescription_chosen", "chosen_id", "state"),
    )

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    state: str
    person_id: str = Field(foreign_key="person.id")
    hospital_id: str = Field(foreign_key="institution.id")
    body: str = Field(sa_type=Text)
    disease: str
    fills: int
    fills_done: int = 0
    fill_days: int
    signed_at: datetime = Field(sa_type=Instant)
    valid_from: date
    valid_until: datetime = Field(sa_type=Instant)
    pharmacy_id: str | None = Field(default=None, foreign_key="institution.id")
    chosen_id: str | None = Field(default=None, foreign_key="institution.id")
    locked_until: datetime | None = Field(default=None, sa_type=Instant)
    deliver: bool = False
    address: str = Field(default="", sa_type=Text)
    courier: str = ""
    charge_id: str | None = Field(default=None, foreign_key="charge.id")


class PrescriptionStepRow(SQLModel, table=True):
    """Something that happened to a prescription. Append-only."""

    __tablename__ = "prescription_step"
    __table_args__ = (Index("ix_prescription_step", "prescription_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    prescription_id: str = Field(foreign_key="prescription.id")
    at: datetime = Field(sa_type=Instant)
    actor: str
    event: str
    state: str
    words: str = Field(sa_type=Text)


class PharmacyOfferRow(SQLModel, table=True):
    """What a pharmacy sells a drug for, and whether it has it."""

    __tablename__ = "pharmacy_offer"
    __table_args__ = (Index("ix_pharmacy_offer", "code"),)

    institution_id: str = Field(foreign_key="institution.id", primary_key=True)
    code: str = Field(primary_key=True)
    unit_price: int = Field(sa_type=Amount)
    in_stock: bool
    updated_at: datetime = Field(sa_type=Instant)
