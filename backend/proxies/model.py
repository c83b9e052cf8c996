"""Tables of bindings between relatives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant, Serial


class Binding(SQLModel, table=True):
    """A delegate who acts for an owner, or has asked to."""

    __tablename__ = "binding"
    __table_args__ = (
        Index("ix_binding_delegate", "delegate_id", "owner_id"),
        Index("ix_binding_owner", "owner_id", "state"),
    )

    id: str = Field(primary_key=True)
    owner_id: str = Field(foreign_key="person.id")
    delegate_id: str = Field(foreign_key="person.id")
    relation: str
    scopes: Any = Field(sa_type=CanonicalJson)
    state: str
    requested_at: datetime = Field(sa_type=Instant)
    active_since: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    expires_on: date
    consented_by: str | None = None
    pay_limit_fen: int | None = Field(default=None, sa_type=Amount)
    pay_day_limit_fen: int | None = Field(default=None, sa_type=Amount)


class ConsentChallenge(SQLModel, table=True):
    """The newest code that an owner may read out, and to what it consents. Never a sign-in code."""

    __tablename__ = "consent_challenge"

    binding_id: str = Field(primary_key=True, foreign_key="binding.id")
    kind: str
    digest: str
    expires_at: datetime = Field(sa_type=Instant)
    attempts: int = 0
    pay_limit_fen: int | None = Field(default=None, sa_type=Amount)
    pay_day_limit_fen: int | None = Field(default=None, sa_type=Amount)


class ProxyAct(SQLModel, table=True):
    """Something that a delegate did for an owner. Append-only."""

    __tablename__ = "proxy_act"
    __table_args__ = (Index("ix_proxy_act_owner", "owner_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    binding_id: str = Field(foreign_key="binding.id", index=True)
    owner_id: str
    delegate_id: str
    action: str
    at: datetime = Field(sa_type=Instant)
    amount_fen: int | None = Field(default=None, sa_type=Amount)
