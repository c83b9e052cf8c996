"""Tables of codes. The code text and the grant's token are kept as keyed hashes only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.infra.columns import Instant


class UnifiedCode(SQLModel, table=True):
    """One issued code."""

    __tablename__ = "unified_code"
    __table_args__ = (Index("ix_code_device", "device_session_id", "state"),)

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    person_id: str = Field(foreign_key="person.id")
    device_session_id: str
    purpose: str
    state: str
    issued_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    decoded_at: datetime | None = Field(default=None, sa_type=Instant)
    terminal_id: str | None = None
    shown_by_id: str | None = None
    """The relative on whose device it is shown; empty where it is the person's own."""


class ScanGrant(SQLModel, table=True):
    """What a scan allows one terminal to do for one person, for some minutes."""

    __tablename__ = "scan_grant"
    __table_args__ = (Index("ix_scan_grant_person", "person_id", "expires_at"),)

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    code_id: str | None = Field(default=None, foreign_key="unified_code.id")
    person_id: str
    terminal_id: str
    institution_id: str
    purpose: str
    expires_at: datetime = Field(sa_type=Instant)
    used_up_at: datetime | None = Field(default=None, sa_type=Instant)
    shown_by_id: str | None = None
    identity_only: bool = False
    """It came from a document or a code that proves identity alone: no account pays."""


class PrintedCode(SQLModel, table=True):
    """A code printed for somebody without a phone. It says who they are, and pays nothing."""

    __tablename__ = "printed_code"

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    made_at: datetime = Field(sa_type=Instant)
    made_by: str
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    shown_by_id: str | None = None


class SignedCode(SQLModel, table=True):
    """A signed identity code that may still be shown somewhere."""

    __tablename__ = "signed_code"

    serial: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    issued_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    shown_by_id: str | None = None
