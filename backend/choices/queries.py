"""Reads of choices, teams and contracts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import func, or_
from sqlmodel import col, select

from backend.choices.contracts import ChosenView, ReferralView, TeamContractView, TeamView
from backend.choices.model import ChosenInstitution, DoctorTeam, Referral, TeamContract
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.people.contracts import EnrolmentView
from backend.rulebook.library import rulebook
from backend.settlement.case import CareKind, Chosen
from backend.settlement.logic import asks_about_choice


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


def stands_to(
    unit: Unit, enrolment: EnrolmentView, institution_id: str, care: CareKind, day: date
) -> Chosen | None:
    """Return how a place stands to what somebody has chosen on a day, ``None`` where no law asks."""
    if not asks_about_choice(enrolment.area_code, enrolment.insurance_type, care, rulebook()):
        return None
    own = own_places(unit, enrolment.id, day)
    if institution_id in own:
        return Chosen.CHOSEN
    referred = unit.db.exec(
        select(Referral.id)
        .where(Referral.enrolment_id == enrolment.id)
        .where(Referral.to_institution_id == institution_id)
        .where(Referral.starts <= day, Referral.ends >= day)
    ).first()
    if referred is not None:
        return Chosen.REFERRED
    return Chosen.OTHER if own else Chosen.NOTHING


def own_places(unit: Unit, enrolment_id: str, day: date) -> set[str]:
    """Return the institutions that somebody has chosen, or whose doctor team they signed with."""
    chosen = unit.db.exec(
        select(ChosenInstitution.institution_id)
        .where(ChosenInstitution.enrolment_id == enrolment_id, ChosenInstitution.starts <= day)
        .where(or_(col(ChosenInstitution.ends).is_(None), col(ChosenInstitution.ends) >= day))
    ).all()
    signed = unit.db.exec(
        select(DoctorTeam.institution_id)
        .join(TeamContract, col(TeamContract.team_id) == col(DoctorTeam.id))
        .where(TeamContract.enrolment_id == enrolment_id)
        .where(TeamContract.starts <= day, TeamContract.ends >= day)
    ).all()
    return {*chosen, *signed}


def referrals_of(unit: Unit, enrolment_ids: Sequence[str], limit: int) -> list[ReferralView]:
    """Return the referrals of enrolments, the latest first."""
    rows = unit.db.exec(
        select(Referral)
        .where(col(Referral.enrolment_id).in_(enrolment_ids))
        .order_by(col(Referral.id).desc())
        .limit(limit)
    ).all()
    return [referral_of(unit, row) for row in rows]


def referral_of(unit: Unit, row: Referral) -> ReferralView:
    """Return the view of a referral."""
    reason = unit.vault.open(row.reason, f"referral:{row.id}")
    return ReferralView(
        row.id, row.from_institution_id, row.to_institution_id, row.starts, row.ends, reason
    )


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
