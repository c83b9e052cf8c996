"""Table of filings."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, SQLModel


class Filing(SQLModel, table=True):
    """What is on file about care away from home, from a day to a day."""

    __tablename__ = "filing"

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    kind: str
    area_code: str
    starts: date
    ends: date | None = None
