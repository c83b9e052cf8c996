"""Tables of outages and policy documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant


class Outage(SQLModel, table=True):
    """A time during which services of an area are away."""

    __tablename__ = "outage"

    id: str = Field(primary_key=True)
    area_code: str = Field(index=True)
    services: Any = Field(sa_type=CanonicalJson)
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    reason: str
    instead: str
    told_at: datetime | None = Field(default=None, sa_type=Instant)


class OutageNotice(SQLModel, table=True):
    """Somebody was told of an outage the day before; once."""

    __tablename__ = "outage_notice"

    outage_id: str = Field(primary_key=True, foreign_key="outage.id")
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    told_at: datetime = Field(sa_type=Instant)


class PolicyDocument(SQLModel, table=True):
    """A policy document, a guide or news."""

    __tablename__ = "policy_document"
    __table_args__ = (Index("ix_policy_document_region", "state", "region", "effective_from"),)

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    kind: str
    state: str
    region: str
    title: str
    issuer: str
    number: str
    published_on: date | None = None
    effective_from: date
    effective_until: date | None = None
    summary: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    topic: str
    insurance: str | None = None
    source: str
    provisional: bool
    supersedes: str | None = Field(default=None, index=True)
