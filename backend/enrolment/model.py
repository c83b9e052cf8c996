"""Tables of contributions and transfers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import false
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, Instant


class Contribution(SQLModel, table=True):
    """What was, or is to be, paid for a month or a year of an enrolment."""

    __tablename__ = "contribution"

    enrolment_id: str = Field(primary_key=True, foreign_key="enrolment.id")
    starts: date = Field(primary_key=True)
    ends: date
    state: str
    base_fen: int = Field(sa_type=Amount)
    own_fen: int = Field(sa_type=Amount)
    others_fen: int = Field(sa_type=Amount)
    payer: str = ""
    person_kind: str = ""
    tier: str = ""
    matter_id: str | None = Field(default=None, foreign_key="matter.id", index=True)
    """Of a first registration: the application, which takes effect with the payment."""
    paid_on: date | None = None
    bill_number: str | None = Field(default=None, unique=True)
    due_until: date | None = Field(default=None, index=True)
    receipt: str = ""
    repairs: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """A year without insurance that is paid back: it shortens the waiting and covers nothing."""
    reported_at: datetime = Field(sa_type=Instant)


class Transfer(SQLModel, table=True):
    """What somebody brought along from another area. Append-only.

    ``months`` were paid there; ``balance_fen`` came into the personal account.
    """

    __tablename__ = "transfer"

    id: str = Field(primary_key=True)
    matter_id: str = Field(foreign_key="matter.id", unique=True)
    from_area: str
    from_enrolment_id: str | None = Field(default=None, foreign_key="enrolment.id", unique=True)
    to_enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    months: int
    balance_fen: int = Field(sa_type=Amount)
    done_at: datetime = Field(sa_type=Instant)
