"""Tables of the desk. What a proposal is about is sealed: it may hold an ID number."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Instant


class Proposal(SQLModel, table=True):
    """Something that one person has proposed and another confirms."""

    __tablename__ = "desk_proposal"
    __table_args__ = (Index("ix_desk_proposal_state", "state", "id"),)

    id: str = Field(primary_key=True)
    kind: str
    state: str
    person_id: str = Field(foreign_key="person.id", index=True)
    about_id: str
    payload: str = Field(sa_type=Text)
    words: str = Field(sa_type=Text)
    proposed_by: str
    proposed_at: datetime = Field(sa_type=Instant)
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Instant)


class ReplyTemplate(SQLModel, table=True):
    """Words that clerks of a region begin a decision with. ``kind`` is empty where they suit every kind."""

    __tablename__ = "reply_template"

    id: str = Field(primary_key=True)
    region: str = Field(index=True)
    kind: str
    decision: str
    words: str = Field(sa_type=Text)
    added_by: str
    added_at: datetime = Field(sa_type=Instant)
    removed_by: str | None = None
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
