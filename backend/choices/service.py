"""Use cases of choices: choosing primary institutions, and signing with a doctor team."""

from __future__ import annotations

from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy import or_
from sqlmodel import col, select

from backend.choices import logic, queries
from backend.choices.contracts import ChoiceForm, ChoiceNotPossible, ChoiceProblem, TeamForm
from backend.choices.model import ChosenInstitution, DoctorTeam, TeamContract
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import Agreement, InstitutionKind
from backend.kernel.calendar import add_months, local_day
from backend.kernel.errors import Refusal
from backend.matters import queries as matters
from backend.matters.contracts import (
    ApplicationNotPossible,
    ApplyProblem,
    MatterKind,
    MatterView,
)
from backend.matters.procedure import NOT_DONE, Asked, Judged, Procedure
from backend.rulebook.library import rulebook


def add_team(unit: Unit, institution_id: str, name: str, leader: str, capacity: int) -> str:
    """Store a doctor team and return its id."""
    row = DoctorTeam(
        id=unit.new_id(),
        institution_id=institution_id,
        name=name,
        leader=leader,
        capacity=capacity,
    )
    unit.db.add(row)
    unit.db.flush()
    return row.id


def _judge_choice(unit: Unit, form: ChoiceForm, asked: Asked) -> Judged | Refusal:
    rules = logic.rules_on(asked.area_code, asked.today, rulebook())
    codes = form.institution_codes
    if not 1 <= len(codes) <= rules.count_max or len(set(codes)) != len(codes):
        return ChoiceNotPossible(ChoiceProblem.HOW_MANY)
    chosen = []
    for code in codes:
        place = institutions.by_code(unit, code)
        if (
            place is None
            or place.kind is not InstitutionKind.HOSPITAL
            or place.agreement is not Agreement.OPEN
            or place.area_code != asked.area_code
            or place.level is None
            or place.level > rules.level_max
        ):
            return ChoiceNotPossible(ChoiceProblem.NOT_FIT)
        chosen.append(place.id)
    now = queries.chosen_on(unit, [asked.enrolment_id], asked.today + timedelta(days=1))
    lasting = {one.institution_id for one in now if one.ends is None}
    if lasting == set(chosen):
        return ChoiceNotPossible(ChoiceProblem.THE_SAME)
    return Judged((), 0, at_once=True)


def _take_choice(unit: Unit, by: str, matter: MatterView, form: ChoiceForm) -> str:
    """End what is chosen now and let the new choice count from the day that the rule names."""
    today = local_day(unit.now)
    rules = logic.rules_on(matter.area_code, today, rulebook())
    starts = logic.counts_from(rules.effective, today)
    before = unit.db.exec(
        select(ChosenInstitution)
        .where(ChosenInstitution.enrolment_id == matter.enrolment_id)
        .where(or_(col(ChosenInstitution.ends).is_(None), col(ChosenInstitution.ends) >= starts))
        .order_by(col(ChosenInstitution.id))
        .with_for_update()
    ).all()
    for row in before:
        # one that was to begin no earlier never counts
        row.ends = max(starts, row.starts) - timedelta(days=1)
    for code in form.institution_codes:
        place = institutions.by_code(unit, code)
        if place is not None:
            unit.db.add(
                ChosenInstitution(
                    id=unit.new_id(),
                    enrolment_id=matter.enrolment_id,
                    institution_id=place.id,
                    starts=starts,
                    matter_id=matter.id,
                )
            )
    unit.db.flush()
    facts = {"institutions": list(form.institution_codes), "from": starts.isoformat()}
    audit.record(unit, by, "choice.make", f"enrolment:{matter.enrolment_id}", facts)
    return matter.id


def _judge_team(unit: Unit, form: TeamForm, asked: Asked) -> Judged | Refusal:
    rules = logic.rules_on(asked.area_code, asked.today, rulebook())
    refusal = _team_refusal(unit, form, asked.enrolment_id, asked.area_code)
    return refusal or Judged((), rules.team_review_workdays)


def _standing_team(unit: Unit, form: TeamForm, matter: MatterView, asked: Asked) -> Refusal | None:
    others = matters.in_state(unit, matter.enrolment_id, MatterKind.DOCTOR_TEAM, NOT_DONE)
    if any(one.id != matter.id for one in others):
        return ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    return None


def _take_team(unit: Unit, by: str, matter: MatterView, form: TeamForm) -> str | Refusal:
    """Sign for the months of the rule, from tomorrow or from the day after the contract that stands."""
    refusal = _team_refusal(unit, form, matter.enrolment_id, matter.area_code, lock=True)
    if refusal is not None:
        return refusal
    today = local_day(unit.now)
    rules = logic.rules_on(matter.area_code, today, rulebook())
    standing = queries.contracts_of(unit, [matter.enrolment_id], today, rules.team_renew_days)
    starts = (standing[-1].ends if standing else today) + timedelta(days=1)
    row = TeamContract(
        id=unit.new_id(),
        enrolment_id=matter.enrolment_id,
        team_id=form.team_id,
        starts=starts,
        ends=add_months(starts, rules.team_months) - timedelta(days=1),
        matter_id=matter.id,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"team": form.team_id, "from": starts.isoformat()}
    audit.record(unit, by, "team.sign", f"enrolment:{matter.enrolment_id}", facts)
    return row.id


def _team_refusal(
    unit: Unit, form: TeamForm, enrolment_id: str, area_code: str, lock: bool = False
) -> ChoiceNotPossible | None:
    today = local_day(unit.now)
    team = queries.team(unit, form.team_id, today, lock)
    if team is None or institutions.institution(unit, team.institution_id).area_code != area_code:
        return ChoiceNotPossible(ChoiceProblem.NO_TEAM)
    if team.places_left == 0:
        return ChoiceNotPossible(ChoiceProblem.TEAM_FULL)
    rules = logic.rules_on(area_code, today, rulebook())
    standing = queries.contracts_of(unit, [enrolment_id], today, rules.team_renew_days)
    if standing and today < standing[-1].renew_from:
        return ChoiceNotPossible(ChoiceProblem.SIGNED_ALREADY)
    return None


def _team_name(unit: Unit, form: TeamForm) -> dict[str, str]:
    team = queries.team(unit, form.team_id, local_day(unit.now))
    if team is None:
        return {}
    place = institutions.institution(unit, team.institution_id)
    return {form.team_id: f"{place.name} {team.name}"}


CHOICE = Procedure(
    MatterKind.CHOICE,
    TypeAdapter(ChoiceForm),
    _judge_choice,
    _take_choice,
    names=lambda unit, form: institutions.names_of(unit, form.institution_codes),
)
DOCTOR_TEAM = Procedure(
    MatterKind.DOCTOR_TEAM,
    TypeAdapter(TeamForm),
    _judge_team,
    _take_team,
    _standing_team,
    names=_team_name,
)
