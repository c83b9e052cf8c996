"""Tables of staff. The password is kept as argon2id, the secret of the authenticator sealed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, Instant


class StaffMember(SQLModel, table=True):
    """A member of staff. ``last_step`` is the time step of the newest code used: each serves once."""

    __tablename__ = "staff_member"

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    name: str
    password_digest: str
    totp_secret: str
    last_step: int = Field(default=0, sa_type=Amount)
    added_at: datetime = Field(sa_type=Instant)
    blocked_at: datetime | None = Field(default=None, sa_type=Instant)


class StaffDuty(SQLModel, table=True):
    """A role that a member of staff has in a region."""

    __tablename__ = "staff_duty"

    staff_id: str = Field(primary_key=True, foreign_key="staff_member.id")
    role: str = Field(primary_key=True)
    region: str = Field(primary_key=True)


class StaffSession(SQLModel, table=True):
    """A session at the desk. ``place`` is the keyed place of the network that it was opened at."""

    __tablename__ = "staff_session"

    id: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff_member.id", index=True)
    opened_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    place: str = ""
