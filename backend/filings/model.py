"""Table of filings."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.infra.columns import Instant


class Filing(SQLModel, table=True):
    """What is on file about care away from home, from a day to a day.

    ``operation`` is what the national platform is still to be told: FILE or CANCEL; empty: nothing.
    Only what it has taken (``effective_at``) counts at a hospital.
    """

    __tablename__ = "filing"
    __table_args__ = (Index("ix_filing_upload", "operation", "try_at"),)

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    kind: str
    area_code: str
    starts: date
    ends: date | None = None
    state: str
    away_kind: str | None = None
    route: str | None = None
    locked_until: date | None = None
    matter_id: str | None = Field(default=None, foreign_key="matter.id", index=True)
    effective_at: datetime | None = Field(default=None, sa_type=Instant)
    operation: str = ""
    try_at: datetime | None = Field(default=None, sa_type=Instant)
    attempts: int = 0
    failure: str = ""
    end_told_on: date | None = None
    """The day on which its people were told that it runs out."""
