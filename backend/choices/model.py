"""Tables of chosen institutions, doctor teams and contracts with them."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from backend.infra.columns import Instant


class ChosenInstitution(SQLModel, table=True):
    """An institution that somebody has chosen. One that ends before it starts never counted."""

    __tablename__ = "chosen_institution"

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    institution_id: str = Field(foreign_key="institution.id")
    starts: date
    ends: date | None = None
    matter_id: str = Field(foreign_key="matter.id")


class DoctorTeam(SQLModel, table=True):
    """A team of family doctors. The row is locked by whoever signs with it."""

    __tablename__ = "doctor_team"

    id: str = Field(primary_key=True)
    institution_id: str = Field(foreign_key="institution.id", index=True)
    name: str
    leader: str
    capacity: int


class TeamContract(SQLModel, table=True):
    """A contract with a team."""

    __tablename__ = "team_contract"

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    team_id: str = Field(foreign_key="doctor_team.id", index=True)
    starts: date
    ends: date
    matter_id: str = Field(foreign_key="matter.id")


class Referral(SQLModel, table=True):
    """A primary institution sends somebody on to another place of care."""

    __tablename__ = "referral"

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    from_institution_id: str = Field(foreign_key="institution.id")
    to_institution_id: str = Field(foreign_key="institution.id")
    starts: date
    ends: date
    reason: str
    made_by: str
    made_at: datetime = Field(sa_type=Instant)
