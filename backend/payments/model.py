"""Tables of bills and payment rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
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
    settlement_id: str | None = None


class PaymentRule(SQLModel, table=True):
    """A patient's own limit."""

    __tablename__ = "payment_rule"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    confirm_above_fen: int = Field(sa_type=Amount)
