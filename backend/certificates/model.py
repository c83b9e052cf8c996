"""Table of certificates. What they state is sealed; the check code is a keyed hash."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Instant


class Certificate(SQLModel, table=True):
    """A certificate. ``file`` is its signed PDF, sealed, made when it is first fetched."""

    __tablename__ = "certificate"

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    kind: str
    state: str
    person_id: str = Field(foreign_key="person.id", index=True)
    year: int | None = None
    check_index: str = Field(unique=True)
    facts: str = Field(sa_type=Text)
    issued_at: datetime = Field(sa_type=Instant)
    issued_by: str
    valid_until: date
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    file: bytes | None = Field(default=None, sa_type=LargeBinary)
    digest: str | None = Field(default=None, index=True)
