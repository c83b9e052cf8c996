"""Tables of notices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, FetchedValue, Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant, Serial


class Notice(SQLModel, table=True):
    """Something that somebody was told. ``facts`` are sealed."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_person", "person_id", "number"),
        Index("ix_notice_unread", "person_id", "read_at"),
    )

    number: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    id: str = Field(unique=True)
    person_id: str = Field(foreign_key="person.id")
    kind: str
    facts: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Instant)
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    written: bool = False
    """A message was sent, at once or because a push or a call was given up: never a second one."""
    transaction_id: int | None = Field(
        default=None, sa_column=Column(BigInteger, server_default=FetchedValue())
    )
    """Who wrote it, for ``backend.infra.live``: PostgreSQL fills it in, SQLite leaves it empty."""


class NoticeChoice(SQLModel, table=True):
    """A person's quiet hours and muted topics; no row: the defaults."""

    __tablename__ = "notice_choice"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    quiet_from: str
    quiet_until: str
    muted: Any = Field(sa_type=CanonicalJson)


class PushDevice(SQLModel, table=True):
    """A device that can be pushed to, while its session lasts. The token is sealed."""

    __tablename__ = "push_device"

    session_id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    token: str = Field(sa_type=Text)
    token_index: str = Field(unique=True)
    registered_at: datetime = Field(sa_type=Instant)
