"""Tables of institutions and terminals."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant


class Institution(SQLModel, table=True):
    """A designated hospital or pharmacy (``fixmedins``).

    ``latitude`` and ``longitude`` in millionths of a degree; ``hours``: the opening hours of the seven
    days from Monday, such as ``08:00-20:30``, empty where it is shut.
    """

    __tablename__ = "institution"

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    name: str
    kind: str
    level: int | None
    division_code: str = Field(index=True)
    area_code: str = Field(index=True)
    address: str
    abilities: Any = Field(sa_type=CanonicalJson)
    agreement: str
    latitude: int | None = None
    longitude: int | None = None
    hours: Any = Field(default=None, sa_column=Column(CanonicalJson, nullable=True))
    on_duty: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Terminal(SQLModel, table=True):
    """A registered terminal and the public half of the key that it keeps to itself."""

    __tablename__ = "terminal"

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    institution_id: str = Field(foreign_key="institution.id", index=True)
    public_key: str
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)


class TerminalSession(SQLModel, table=True):
    """An operator at a terminal for a while."""

    __tablename__ = "terminal_session"

    id: str = Field(primary_key=True)
    terminal_id: str = Field(foreign_key="terminal.id", index=True)
    operator_id: str
    operator_name: str
    opened_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
