"""Tables of appointments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant, Serial


class BookingRuleRow(SQLModel, table=True):
    """A hospital's rules of booking; the newest count. Append-only."""

    __tablename__ = "booking_rule"
    __table_args__ = (Index("ix_booking_rule", "institution_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    institution_id: str = Field(foreign_key="institution.id")
    since: datetime = Field(sa_type=Instant)
    rules: Any = Field(sa_type=CanonicalJson)
    set_by: str


class Clinic(SQLModel, table=True):
    """A half-day of a doctor or a department. ``terminal_id``: which system published it last."""

    __tablename__ = "clinic"
    __table_args__ = (
        UniqueConstraint("institution_id", "number"),
        Index("ix_clinic_day", "institution_id", "day", "department_code"),
        Index("ix_clinic_stopped", "stopped"),
    )

    id: str = Field(primary_key=True)
    institution_id: str = Field(foreign_key="institution.id")
    number: str
    day: date
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    kind: str
    department_code: str
    department: str
    doctor_code: str
    doctor: str
    title: str
    place: str
    fee_code: str
    fee_fen: int
    stopped: bool = False
    stop_reason: str = ""
    terminal_id: str
    operator_id: str


class ClinicSeat(SQLModel, table=True):
    """A seat of a clinic; whose row names an appointment is taken, so that none is ever given twice."""

    __tablename__ = "clinic_seat"
    __table_args__ = (Index("ix_clinic_seat_free", "clinic_id", "appointment_id"),)

    clinic_id: str = Field(foreign_key="clinic.id", primary_key=True)
    number: int = Field(primary_key=True)
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    at_window: bool
    appointment_id: str | None = Field(default=None, unique=True)


class Appointment(SQLModel, table=True):
    """A seat that somebody has, had, or is kept for them."""

    __tablename__ = "appointment"
    __table_args__ = (
        Index("ix_appointment_person", "person_id", "id"),
        Index("ix_appointment_clinic", "clinic_id", "queue_number"),
        Index("ix_appointment_state", "state", "hold_until"),
        Index("ix_appointment_refund", "refund", "refund_at"),
        Index("ix_appointment_arrive", "state", "arrive_by"),
        Index("ix_appointment_remind", "state", "reminded", "starts_at"),
    )

    id: str = Field(primary_key=True)
    state: str
    clinic_id: str = Field(foreign_key="clinic.id")
    institution_id: str = Field(foreign_key="institution.id")
    person_id: str = Field(foreign_key="person.id")
    queue_number: int
    day: date
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    hold_until: datetime | None = Field(default=None, sa_type=Instant)
    charge_id: str | None = Field(default=None, foreign_key="charge.id")
    cancel_by: datetime = Field(sa_type=Instant)
    arrive_by: datetime = Field(sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    cancelled_on: date | None = None
    """By the patient: what the hospital's rules about cancelling count."""
    reminded: bool = False
    refund: str
    refund_at: datetime | None = Field(default=None, sa_type=Instant)
    refund_problem: str = Field(default="", sa_type=Text)


class AppointmentStepRow(SQLModel, table=True):
    """Something that happened to an appointment. Append-only."""

    __tablename__ = "appointment_step"
    __table_args__ = (Index("ix_appointment_step", "appointment_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    appointment_id: str = Field(foreign_key="appointment.id")
    at: datetime = Field(sa_type=Instant)
    actor: str
    event: str
    state: str
    words: str = Field(sa_type=Text)


class Waiting(SQLModel, table=True):
    """Somebody's place on the waiting list of a clinic; the lowest place is the next."""

    __tablename__ = "clinic_waiting"
    __table_args__ = (
        UniqueConstraint("clinic_id", "place"),
        Index("ix_clinic_waiting_state", "state", "clinic_id"),
        Index("ix_clinic_waiting_person", "person_id", "id"),
    )

    id: str = Field(primary_key=True)
    state: str
    clinic_id: str = Field(foreign_key="clinic.id")
    place: int
    person_id: str = Field(foreign_key="person.id")
    appointment_id: str | None = Field(default=None, foreign_key="appointment.id")
    created_at: datetime = Field(sa_type=Instant)
