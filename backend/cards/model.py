"""Table of lost cards."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from backend.infra.columns import Instant


class CardLoss(SQLModel, table=True):
    """A card that was reported lost. The newest report of a person counts."""

    __tablename__ = "card_loss"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    state: str
    reported_at: datetime = Field(sa_type=Instant)
    reported_by: str
    lifts_at: datetime | None = Field(default=None, sa_type=Instant)
    card_by: date | None = None
