"""Tables of insured persons. What identifies a person is sealed; indexes are keyed hashes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant


class Person(SQLModel, table=True):
    """A person. The row is locked by whatever moves the person's money."""

    __tablename__ = "person"

    id: str = Field(primary_key=True)
    particulars: str = Field(sa_type=Text)
    id_number_index: str = Field(unique=True)
    """Of the ID number, the master index; for who has none ``none:`` and the record's own id."""
    phone_index: str | None = Field(default=None, unique=True)
    registered_at: datetime = Field(sa_type=Instant)
    died_on: date | None = None
    match_index: str | None = Field(default=None, index=True)
    """Of name, birth date and sex: it finds who may have two records, and decides nothing."""
    merged_into: str | None = Field(default=None, foreign_key="person.id", index=True)
    """The record that goes on for both, once a person has decided that they are one."""


class PersonDocument(SQLModel, table=True):
    """A document beside the ID number. Two people may have reported the same: a clerk decides."""

    __tablename__ = "person_document"
    __table_args__ = (UniqueConstraint("person_id", "number_index"),)

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id")
    kind: str
    number: str
    number_index: str = Field(index=True)
    country: str = ""
    valid_until: date | None = None
    recorded_at: datetime = Field(sa_type=Instant)


class DuplicateCase(SQLModel, table=True):
    """Two records that may be one person's; ``moved`` tells what a merge did to which table."""

    __tablename__ = "duplicate_case"
    __table_args__ = (UniqueConstraint("first_id", "second_id"),)

    id: str = Field(primary_key=True)
    first_id: str = Field(foreign_key="person.id")
    second_id: str = Field(foreign_key="person.id", index=True)
    reason: str
    state: str = Field(index=True)
    found_at: datetime = Field(sa_type=Instant)
    kept_id: str | None = None
    words: str = Field(default="", sa_type=Text)
    proposed_by: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    moved: Any = Field(default=None, nullable=True, sa_type=CanonicalJson)


class Enrolment(SQLModel, table=True):
    """Somebody's insurance in one area (``psn_no`` is its person number)."""

    __tablename__ = "enrolment"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    person_number: str = Field(unique=True)
    area_code: str
    insurance_type: str
    account_kind: str
    contribution_base_fen: int = Field(sa_type=Amount)
    civil_servant: bool = False
    division_code: str = ""


class EnrolmentPeriod(SQLModel, table=True):
    """From when to when an enrolment had which status."""

    __tablename__ = "enrolment_period"

    enrolment_id: str = Field(primary_key=True, foreign_key="enrolment.id")
    starts: date = Field(primary_key=True)
    ends: date | None = None
    status: str
    person_kind: str
    tier: str = ""


class AidIdentity(SQLModel, table=True):
    """From when to when the civil affairs authority recognised somebody as 低保, 特困 and so on."""

    __tablename__ = "aid_identity"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    identity: str = Field(primary_key=True)
    starts: date = Field(primary_key=True)
    ends: date | None = None


class Supplement(SQLModel, table=True):
    """A supplement that somebody bought, for a period; continuous where another went before it."""

    __tablename__ = "supplement"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    product: str = Field(primary_key=True)
    starts: date = Field(primary_key=True)
    ends: date
    continuous: bool


class PersonPreference(SQLModel, table=True):
    """What somebody has chosen; no row: the defaults."""

    __tablename__ = "person_preference"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    elder_mode: bool
    notice_by: str
