"""Tables of ratings. What people write is sealed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant, Serial


class Rating(SQLModel, table=True):
    """A rating of a settlement, one for each."""

    __tablename__ = "rating"
    __table_args__ = (
        Index("ix_rating_institution", "institution_id", "state"),
        Index("ix_rating_person", "person_id", "id"),
        Index("ix_rating_state", "state", "due_on"),
    )

    id: str = Field(primary_key=True)
    state: str
    settlement_id: str = Field(foreign_key="settlement.id", unique=True)
    institution_id: str = Field(foreign_key="institution.id")
    area_code: str
    """Of the institution: whose agency decides about an appeal."""
    person_id: str = Field(foreign_key="person.id")
    grade: int
    reasons: Any = Field(sa_type=CanonicalJson)
    words: str = Field(sa_type=Text)
    given_at: datetime = Field(sa_type=Instant)
    due_on: date | None = None
    appealed: bool = False


class RatingStepRow(SQLModel, table=True):
    """Something that happened to a rating. Append-only."""

    __tablename__ = "rating_step"
    __table_args__ = (Index("ix_rating_step", "rating_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    rating_id: str = Field(foreign_key="rating.id")
    at: datetime = Field(sa_type=Instant)
    actor: str
    event: str
    state: str
    words: str = Field(sa_type=Text)
