"""Tables of applications. Forms and papers are sealed: they say where somebody lives and is ill."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, Instant, Serial


class Matter(SQLModel, table=True):
    """An application. ``due_days`` are the working days that were promised when it was submitted."""

    __tablename__ = "matter"
    __table_args__ = (
        Index("ix_matter_person", "person_id", "id"),
        Index("ix_matter_queue", "state", "submitted_at"),
    )

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    kind: str
    state: str
    person_id: str = Field(foreign_key="person.id")
    applicant_id: str = Field(foreign_key="person.id")
    relation: str
    area_code: str
    county_code: str = Field(default="", sa_column_kwargs={"server_default": ""})
    enrolment_id: str | None = Field(default=None, foreign_key="enrolment.id")
    """Of whom is not insured yet there is none."""
    form: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=Instant)
    submitted_at: datetime | None = Field(default=None, sa_type=Instant)
    due_days: int = 0
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    decided_by: str | None = None
    result_id: str | None = None
    holder: str | None = Field(default=None, index=True)
    held_at: datetime | None = Field(default=None, sa_type=Instant)


class MatterHandOver(SQLModel, table=True):
    """An application came into other hands. Append-only."""

    __tablename__ = "matter_hand_over"
    __table_args__ = (Index("ix_matter_hand_over_matter", "matter_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    matter_id: str = Field(foreign_key="matter.id")
    at: datetime = Field(sa_type=Instant)
    by: str
    held_before: str | None = None
    holder: str | None = None
    words: str = Field(default="", sa_type=Text)


class MatterStepRow(SQLModel, table=True):
    """Something that happened to an application. Append-only."""

    __tablename__ = "matter_step"
    __table_args__ = (Index("ix_matter_step_matter", "matter_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    matter_id: str = Field(foreign_key="matter.id")
    at: datetime = Field(sa_type=Instant)
    party: str
    actor: str
    event: str
    state: str
    words: str = Field(default="", sa_type=Text)


class MatterOpinion(SQLModel, table=True):
    """What an expert said of an application. Append-only; each speaks once."""

    __tablename__ = "matter_opinion"
    __table_args__ = (UniqueConstraint("matter_id", "expert"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    matter_id: str = Field(foreign_key="matter.id")
    round: int
    expert: str
    meets: bool
    words: str = Field(default="", sa_type=Text)
    at: datetime = Field(sa_type=Instant)


class Material(SQLModel, table=True):
    """A paper of an application. Two papers of the same content share one blob."""

    __tablename__ = "material"

    id: str = Field(primary_key=True)
    matter_id: str = Field(foreign_key="matter.id", index=True)
    requirement: str
    digest: str = Field(foreign_key="material_blob.digest", index=True)
    name: str
    content_type: str
    size: int = Field(sa_type=Amount)
    added_at: datetime = Field(sa_type=Instant)
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
    verdict: str | None = None
    reason: str = ""


class MaterialBlob(SQLModel, table=True):
    """The sealed content of papers, found by a keyed hash of what it holds."""

    __tablename__ = "material_blob"

    digest: str = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)
    kept_at: datetime = Field(sa_type=Instant)
