"""Tables of institutions' statements."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant


class Statement(SQLModel, table=True):
    """A day of an institution as it last stated it."""

    __tablename__ = "statement"

    institution_id: str = Field(primary_key=True, foreign_key="institution.id")
    day: date = Field(primary_key=True)
    insurance: str = Field(primary_key=True)
    state: str
    theirs: Any = Field(sa_type=CanonicalJson)
    compared_at: datetime = Field(sa_type=Instant)


class Mismatch(SQLModel, table=True):
    """A settlement of which an institution's statement and ours differ."""

    __tablename__ = "statement_mismatch"
    __table_args__ = (
        Index("ix_statement_mismatch_day", "institution_id", "day", "insurance"),
        Index("ix_statement_mismatch_state", "state", "id"),
    )

    id: str = Field(primary_key=True)
    institution_id: str = Field(foreign_key="institution.id")
    area_code: str
    day: date
    insurance: str
    kind: str
    state: str
    settlement_id: str
    ours: Any = Field(default=None, sa_column=Column(CanonicalJson, nullable=True))
    theirs: Any = Field(default=None, sa_column=Column(CanonicalJson, nullable=True))
    words: str = ""
    closed_by: str = ""
