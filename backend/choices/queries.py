"""Reads of choices, teams and contracts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import func, or_
from sqlmodel import col, select

from backend.choices.contracts import ChosenView, TeamContractView, TeamView
from backend.choices.model import ChosenInstitution, DoctorTeam, TeamContract
from backend.infra.database import Unit
from backend.institutions import queries as institutions


def chosen_on(unit: Unit, enrolment_ids: Sequence[str], day: date) -> list[ChosenView]:
    """Return what is chosen on a day and what is to count later."""
    rows = unit.db.exec(
        select(ChosenInstitution)
        .where(col(ChosenInstitution.enrolment_id).in_(enrolment_ids))
        .where(or_(col(ChosenInstitution.ends).is_(None), col(ChosenInstitution.ends) >= day))
        .order_by(col(ChosenInstitution.starts), col(ChosenInstitution.id))
    ).all()
    return [
        ChosenView(row.enrolment_id, row.institution_id, row.starts, row.ends)
        for row in rows
        if row.ends is None or row.ends >= row.starts
    ]


def teams_of_area(unit: Unit, area_code: str, day: date, limit: int) -> list[TeamView]:
    """Return the teams of an insured area with the places that they have left, two statements."""
    rows = unit.db.exec(
        select(DoctorTeam)
        .where(col(DoctorTeam.institution_id).in_(institutions.of_area(area_code)))
        .order_by(col(DoctorTeam.institution_id), col(DoctorTeam.name))
        .limit(limit)
    ).all()
    return _teams(unit, rows, day)


def team(unit: Unit, team_id: str, day: date, lock: bool = False) -> TeamView | None:
    """Return a team, or ``None``."""
    query = select(DoctorTeam).where(DoctorTeam.id == team_id)
    row = unit.db.exec(query.with_for_update() if lock else query).first()
    return None if row is None else _teams(unit, [row], day)[0]


def contracts_of(
    unit: Unit, enrolment_ids: Sequence[str], day: date, renew_days: int
) -> list[TeamContractView]:
    """Return contracts that are not over, the earliest first."""
    rows = unit.db.exec(
        select(TeamContract)
        .where(col(TeamContract.enrolment_id).in_(enrolment_ids), TeamContract.ends >= day)
        .order_by(col(TeamContract.starts))
    ).all()
    found = unit.db.exec(
        select(DoctorTeam).where(col(DoctorTeam.id).in_([row.team_id for row in rows]))
    ).all()
    teams = {one.id: one for one in _teams(unit, found, day)}
    return [
        TeamContractView(
            row.enrolment_id,
            teams[row.team_id],
            row.starts,
            row.ends,
            row.ends - timedelta(days=renew_days),
        )
        for row in rows
    ]


def _teams(unit: Unit, rows: Sequence[DoctorTeam], day: date) -> list[TeamView]:
    signed = dict(
        unit.db.exec(
            select(TeamContract.team_id, func.count())
            .where(col(TeamContract.team_id).in_([row.id for row in rows]))
            .where(TeamContract.ends >= day)
            .group_by(col(TeamContract.team_id))
        ).all()
    )
    return [
        TeamView(
            row.id,
            row.institution_id,
            row.name,
            row.leader,
            max(0, row.capacity - signed.get(row.id, 0)),
        )
        for row in rows
    ]
