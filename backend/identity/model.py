"""Tables of sign-in. Codes and tokens are kept as keyed hashes only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant


class SignInChallenge(SQLModel, table=True):
    """The newest code that an asker had sent to a phone for a purpose; gone once it has served.

    ``asker`` is a keyed place of the network or a session. ``attempts`` are the asker's own,
    ``attempts_elsewhere`` those of other places.
    """

    __tablename__ = "sign_in_challenge"
    __table_args__ = (Index("ix_sign_in_challenge_expires", "expires_at"),)

    phone_index: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    asker: str = Field(primary_key=True)
    code_digest: str
    person_id: str | None
    sent_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    attempts: int = 0
    attempts_elsewhere: int = 0


class DeviceSession(SQLModel, table=True):
    """A person signed in on a device; the family of all its refresh tokens.

    ``proofs`` tells when the session has last shown which proof that it is really the person. ``place`` is
    the keyed place of the network that the device was last seen at.
    """

    __tablename__ = "device_session"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    device_name: str
    opened_at: datetime = Field(sa_type=Instant)
    last_seen_at: datetime = Field(sa_type=Instant)
    proofs: Any = Field(sa_type=CanonicalJson)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_because: str | None = None
    place: str = ""


class RefreshToken(SQLModel, table=True):
    """One refresh token. It serves once; its successor is the next row of the family."""

    __tablename__ = "refresh_token"

    digest: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="device_session.id", index=True)
    issued_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    successor: str | None = None


class PaymentPassword(SQLModel, table=True):
    """A payment password, as argon2id keeps it. ``failures`` count since it was last right."""

    __tablename__ = "payment_password"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    digest: str
    set_at: datetime = Field(sa_type=Instant)
    failures: int = 0
    failures_in_row: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=Instant)


class AccountFreeze(SQLModel, table=True):
    """An account that its owner has frozen, with the owner's words sealed; no row: it is not."""

    __tablename__ = "account_freeze"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    frozen_at: datetime = Field(sa_type=Instant)
    reason: str


class Passkey(SQLModel, table=True):
    """The public half of a passkey; its id is the authenticator's, in base64url."""

    __tablename__ = "passkey"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    public_key: str
    sign_count: int = Field(sa_type=Amount)
    name: str
    added_at: datetime = Field(sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)


class PasskeyChallenge(SQLModel, table=True):
    """A challenge that waits for an authenticator's answer; gone once it was answered."""

    __tablename__ = "passkey_challenge"

    id: str = Field(primary_key=True)
    purpose: str
    session_id: str | None = None
    challenge: str
    expires_at: datetime = Field(sa_type=Instant)


class Registration(SQLModel, table=True):
    """Somebody without a phone here who registers with one; a clerk compares the identity card."""

    __tablename__ = "registration"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    phone: str
    phone_index: str
    asked_at: datetime = Field(sa_type=Instant)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    decision: str | None = None


class FaceTemplate(SQLModel, table=True):
    """The sealed template of somebody's face: 128 numbers that no picture can be made of again."""

    __tablename__ = "face_template"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    template: str = Field(sa_type=Text)
    enrolled_at: datetime = Field(sa_type=Instant)


class FaceCheck(SQLModel, table=True):
    """A check of somebody's face. ``kept`` seals template and points of one that passed, never a picture."""

    __tablename__ = "face_check"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    purpose: str
    holder: str
    about: str
    actions: Any = Field(sa_type=CanonicalJson)
    state: str
    started_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    problem: str | None = None
    missed: str | None = None
    kept: str | None = Field(default=None, sa_type=Text)
