"""Table of pay-later agreements."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson


class PayLater(SQLModel, table=True):
    """An agreement to pay after a stay."""

    __tablename__ = "pay_later"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    enrolment_id: str = Field(foreign_key="enrolment.id")
    institution_id: str = Field(foreign_key="institution.id", index=True)
    stay_id: str = Field(unique=True)
    state: str
    signed_on: date
    debt_fen: int = Field(default=0, sa_type=Amount)
    paid_fen: int = Field(default=0, sa_type=Amount)
    instalments: Any = Field(sa_type=CanonicalJson)
    told_on: date | None = None
    reminded: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The number of the instalment of which the patient was last reminded."""
    objected_on: date | None = None
    objection: str = Field(default="", sa_column_kwargs={"server_default": ""})
    answer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    answered_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
