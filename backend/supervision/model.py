"""Tables of monitoring."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant


class Alert(SQLModel, table=True):
    """An alert. ``subject_key`` names rule and subject; ``open_key`` the same while it is not judged.

    ``words`` are sealed. ``held_until``: a payment waits for it at most until then.
    """

    __tablename__ = "supervision_alert"
    __table_args__ = (
        Index("ix_supervision_alert_region", "region", "state"),
        Index("ix_supervision_alert_subject", "subject_key"),
    )

    id: str = Field(primary_key=True)
    monitor: str
    suspect: str
    subject_key: str
    open_key: str | None = Field(default=None, unique=True)
    state: str
    region: str
    institution_id: str = Field(foreign_key="institution.id")
    person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    terminal_id: str | None = None
    trace_code: str | None = None
    raised_at: datetime = Field(sa_type=Instant)
    held_until: datetime | None = Field(default=None, sa_type=Instant)
    handler: str = ""
    words: str = Field(default="", sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)


class Sighting(SQLModel, table=True):
    """Something that belongs to an alert, once for each bill or attempt. Append-only."""

    __tablename__ = "supervision_sighting"

    alert_id: str = Field(foreign_key="supervision_alert.id", primary_key=True)
    sale_key: str = Field(primary_key=True)
    of: str
    sale_id: str
    institution_id: str = Field(foreign_key="institution.id")
    at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    total_fen: int = Field(sa_type=Amount)
    facts: Any = Field(sa_type=CanonicalJson)
    others: Any = Field(sa_type=CanonicalJson)
    rule: str
    effective_from: date
    provisional: bool


class Examined(SQLModel, table=True):
    """That the rules have looked at a bill. Append-only."""

    __tablename__ = "supervision_examined"

    bill_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    after_death: bool = Field(default=False, primary_key=True)
    """Looked at again, because its person turned out to have died before it."""
