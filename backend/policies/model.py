"""Table of outages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant


class Outage(SQLModel, table=True):
    """A time during which services of an area are away."""

    __tablename__ = "outage"

    id: str = Field(primary_key=True)
    area_code: str = Field(index=True)
    services: Any = Field(sa_type=CanonicalJson)
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    reason: str
    instead: str
