"""Tables of bills and payment rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant


class Bill(SQLModel, table=True):
    """A priced basket on its way to a settlement."""

    __tablename__ = "bill"
    __table_args__ = (Index("ix_bill_person", "person_id", "id"),)

    id: str = Field(primary_key=True)
    state: str
    purpose: str
    institution_id: str = Field(foreign_key="institution.id")
    terminal_id: str
    operator_id: str
    person_id: str = Field(foreign_key="person.id")
    enrolment_id: str
    grant_id: str = Field(index=True)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    confirm_above_fen: int = Field(sa_type=Amount)
    case_facts: Any = Field(sa_type=CanonicalJson)
    outcome: Any = Field(sa_type=CanonicalJson)
    traces: Any = Field(sa_type=CanonicalJson)
    family: Any = Field(default_factory=list, sa_type=CanonicalJson)
    """The accounts that stand by for it after the own one, in their order, each with what it will pay."""
    settlement_id: str | None = None
    stay_id: str | None = Field(default=None, index=True)
    discharge: bool = False
    instalments: int = 0
    shown_by_id: str | None = None
    """The relative who showed the code or confirmed the bill; empty where the person did."""
    confirm_reason: str | None = None
    alert_id: str | None = Field(default=None, index=True)
    """The monitoring alert that an inspector judges before it is booked; empty: none."""
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    locked_until: datetime | None = Field(default=None, sa_type=Instant)
    """By when the cash of a locked bill is there or is given up; the order lets go, not the clock."""


class Charge(SQLModel, table=True):
    """What an institution wants to be paid for by a phone. ``lines`` are sealed; ``digest``: of its code."""

    __tablename__ = "charge"
    __table_args__ = (Index("ix_charge_person", "person_id", "id"),)

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    state: str
    purpose: str
    institution_id: str = Field(foreign_key="institution.id")
    terminal_id: str
    operator_id: str
    person_id: str | None = Field(default=None, foreign_key="person.id")
    grant_id: str | None = None
    lines: str = Field(sa_type=Text)
    disease: str = ""
    emergency: bool = False
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    bill_id: str | None = Field(default=None, foreign_key="bill.id", index=True)


class HospitalStay(SQLModel, table=True):
    """A stay in hospital from admission to discharge, settled at the end or in stretches.

    ``deductible_due_fen`` and ``deductible_paid_fen`` speak of the stretches that are settled, of which
    ``settled_fen`` is the patient's cash so far.
    """

    __tablename__ = "hospital_stay"
    __table_args__ = (Index("ix_hospital_stay_person", "person_id", "id"),)

    id: str = Field(primary_key=True)
    state: str
    person_id: str = Field(foreign_key="person.id")
    enrolment_id: str = Field(foreign_key="enrolment.id")
    institution_id: str = Field(foreign_key="institution.id")
    grant_id: str
    admitted_on: date
    discharged_on: date | None = None
    disease: str
    filing: str
    referred_from_id: str | None = None
    stays_before: int
    pay_later_id: str | None = None
    deposit_fen: int = Field(default=0, sa_type=Amount)
    stretches: int = 0
    deductible_due_fen: int | None = Field(default=None, sa_type=Amount)
    deductible_paid_fen: int = Field(default=0, sa_type=Amount)
    settled_to: date | None = None


class PaymentRule(SQLModel, table=True):
    """A person's own rules; no row: the defaults."""

    __tablename__ = "payment_rule"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    confirm_above_fen: int = Field(sa_type=Amount)
    per_payment_fen: int | None = Field(default=None, sa_type=Amount)
    per_day_fen: int | None = Field(default=None, sa_type=Amount)
    silent_from: str | None = None
    silent_until: str | None = None


class MisuseReport(SQLModel, table=True):
    """Somebody said that a settlement was not theirs, in words that are sealed. Append-only."""

    __tablename__ = "misuse_report"

    id: str = Field(primary_key=True)
    settlement_id: str = Field(foreign_key="settlement.id", unique=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    words: str
    reported_at: datetime = Field(sa_type=Instant)
