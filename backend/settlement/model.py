"""Tables of settlements. Settlements and entries can only be added; triggers refuse anything else."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant, Serial


class Settlement(SQLModel, table=True):
    """A booked settlement or reversal, with the case and outcome that recompute it."""

    __tablename__ = "settlement"
    __table_args__ = (
        Index("ix_settlement_person", "person_id", "number"),
        Index("ix_settlement_institution", "institution_id", "number"),
        Index("ix_settlement_year", "enrolment_id", "accumulator_year"),
        Index("ix_settlement_settled", "settled_at"),
        Index("ix_settlement_place_day", "institution_id", "settled_at"),
        Index("ix_settlement_terminal", "terminal_id", "settled_at"),
    )

    number: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    id: str = Field(unique=True)
    kind: str
    person_id: str = Field(foreign_key="person.id")
    enrolment_id: str = Field(foreign_key="enrolment.id")
    institution_id: str = Field(foreign_key="institution.id")
    terminal_id: str
    operator_id: str
    bill_id: str = Field(index=True)
    purpose: str
    service_date: date
    settled_at: datetime = Field(sa_type=Instant)
    accumulator_year: int
    area_code: str
    insurance_type: str
    total_fen: int = Field(sa_type=Amount)
    fund_fen: int = Field(sa_type=Amount)
    hospital_fen: int = Field(default=0, sa_type=Amount)
    account_fen: int = Field(sa_type=Amount)
    family_fen: int = Field(default=0, sa_type=Amount)
    cash_fen: int = Field(sa_type=Amount)
    account_balance_after_fen: int = Field(sa_type=Amount)
    case_facts: Any = Field(sa_type=CanonicalJson)
    outcome: Any = Field(sa_type=CanonicalJson)
    traces: Any = Field(sa_type=CanonicalJson)
    family: Any = Field(default_factory=list, sa_type=CanonicalJson)
    """The accounts that could pay after the own one, in their order, each with what it paid."""
    owed: bool = False
    order_id: str | None = None
    """The payment order whose cash channel collected the patient's cash; empty: the till did."""
    ledger_entry_id: str = Field(foreign_key="ledger_entry.id")
    reverses_id: str | None = Field(default=None, unique=True)
    reason: str = ""


class Counter(SQLModel, table=True):
    """What a year has used of something, by enrolment: the sum of its entries, kept at hand."""

    __tablename__ = "counter"

    enrolment_id: str = Field(primary_key=True, foreign_key="enrolment.id")
    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(primary_key=True)
    amount: int = Field(sa_type=Amount)


class CounterEntry(SQLModel, table=True):
    """What one settlement or reversal added to a counter of a year."""

    __tablename__ = "counter_entry"
    __table_args__ = (Index("ix_counter_entry_enrolment_year", "enrolment_id", "year"),)

    settlement_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    enrolment_id: str
    year: int
    amount: int = Field(sa_type=Amount)


class RulebookText(SQLModel, table=True):
    """The text of a rulebook that settlements were made under, so that any of them recomputes."""

    __tablename__ = "rulebook_text"

    digest: str = Field(primary_key=True)
    source: str = Field(sa_type=Text)
    first_used_at: datetime = Field(sa_type=Instant)


class TraceHolding(SQLModel, table=True):
    """A drug pack that is sold at present. ``split`` packs may be sold in several parts."""

    __tablename__ = "trace_holding"

    trace_code: str = Field(primary_key=True)
    split: bool
    uses: int
    settlement_id: str


class TraceEvent(SQLModel, table=True):
    """A pack was sold or taken back; append-only."""

    __tablename__ = "trace_event"
    __table_args__ = (Index("ix_trace_event_code", "trace_code"),)

    settlement_id: str = Field(primary_key=True)
    trace_code: str = Field(primary_key=True)
    sold: bool
    at: datetime = Field(sa_type=Instant)
