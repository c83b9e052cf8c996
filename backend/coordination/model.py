"""Tables of tickets and their steps. What a patient says is sealed: it tells of an illness."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Instant, Serial


class Ticket(SQLModel, table=True):
    """A ticket between the place of care and the insured area."""

    __tablename__ = "ticket"
    __table_args__ = (Index("ix_ticket_queue", "state", "due_on"),)

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    institution_id: str = Field(foreign_key="institution.id")
    home_area: str
    place_area: str
    reason: str
    care: str
    words: str = Field(sa_type=Text)
    state: str
    side: str
    level: int
    region: str
    opened_at: datetime = Field(sa_type=Instant)
    due_on: date
    settlement_id: str | None = Field(default=None, foreign_key="settlement.id")


class TicketStepRow(SQLModel, table=True):
    """Something that happened to a ticket. Append-only."""

    __tablename__ = "ticket_step"
    __table_args__ = (Index("ix_ticket_step_ticket", "ticket_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    ticket_id: str = Field(foreign_key="ticket.id")
    at: datetime = Field(sa_type=Instant)
    day: date = Field(index=True)
    event: str
    actor: str
    side: str
    level: int
    words: str = Field(default="", sa_type=Text)
