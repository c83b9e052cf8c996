"""Tables of the infrastructure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, FetchedValue, Index, Text, text
from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant, Serial


class IdempotencyRecord(SQLModel, table=True):
    """The answer that a request key got, stored in the transaction that made it."""

    __tablename__ = "idempotency_record"

    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    answer: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)


class AuditLane(SQLModel, table=True):
    """The head of one hash chain. Its row is locked while a line is added."""

    __tablename__ = "audit_lane"

    lane: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    length: int
    head: str


class AuditLine(SQLModel, table=True):
    """One thing that somebody did; append-only, each line hashing the one before it in its lane."""

    __tablename__ = "audit_line"

    lane: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant)
    actor: str
    action: str
    subject: str = Field(index=True)
    facts: Any = Field(sa_type=CanonicalJson)
    request_id: str
    hash: str


class OutboxMessage(SQLModel, table=True):
    """Something that must leave after commit: to a phone's live feed, or to an outside gateway."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index("ix_outbox_due", "channel", "delivered_at", "next_attempt_at"),
        Index("ix_outbox_order", "channel", "topic", "id"),
        Index(
            "ix_outbox_live",
            "transaction_id",
            postgresql_where=text("channel = 'LIVE'"),
            sqlite_where=text("channel = 'LIVE'"),
        ),
        Index("ix_outbox_outgoing", "outgoing_id", unique=True),
    )

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    channel: str
    topic: str
    kind: str
    payload: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    attempts: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_type=Instant)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)
    failure: str | None = None
    transaction_id: int | None = Field(
        default=None, sa_column=Column(BigInteger, server_default=FetchedValue())
    )
    """Who wrote it, for ``backend.infra.live``: PostgreSQL fills it in, SQLite leaves it empty."""
    outgoing_id: str | None = None
    """By which a gateway knows it, for ever and at every try; empty for live events."""


class RateWindow(SQLModel, table=True):
    """How often something happened since its window began."""

    __tablename__ = "rate_window"

    bucket: str = Field(primary_key=True)
    window_start: int
    hits: int


class UsedNonce(SQLModel, table=True):
    """A one-time value that has served."""

    __tablename__ = "used_nonce"

    nonce: str = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=Instant)


class Postponement(SQLModel, table=True):
    """An item of a job that failed, and when it is tried again. It names its item by an id alone."""

    __tablename__ = "postponement"

    job: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    failures: int
    next_at: datetime = Field(sa_type=Instant)
    failure: str


class JobLease(SQLModel, table=True):
    """Which worker does a job that one worker does at a time, and until when; empty: none."""

    __tablename__ = "job_lease"

    job: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=Instant)


class SearchGram(SQLModel, table=True):
    """A pair of neighbouring characters, or one, by which something is found."""

    __tablename__ = "search_gram"
    __table_args__ = ({"sqlite_with_rowid": False},)

    kind: str = Field(primary_key=True)
    gram: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    weight: int
