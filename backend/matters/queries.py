"""Reads of applications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, false, or_, tuple_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.access.logic import prefix_of
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.matters import logic, workdays
from backend.matters.contracts import (
    AT_THE_AGENCY,
    MaterialVerdict,
    MaterialView,
    MatterEvent,
    MatterKind,
    MatterState,
    MatterStep,
    MatterView,
    Party,
    Requirement,
)
from backend.matters.model import Material, Matter, MatterOpinion, MatterStepRow
from backend.people import queries as people
from backend.policies import queries as policies
from backend.policies.contracts import Service
from backend.proxies import queries as bindings
from backend.proxies.contracts import Scope

_AMONG_PROPOSALS = (MatterKind.CLAIM, MatterKind.TRANSFER)


def matter(unit: Unit, matter_id: str) -> MatterView | None:
    """Return an application, or ``None``."""
    row = unit.db.get(Matter, matter_id)
    return None if row is None else views(unit, [row])[0]


def whose(unit: Unit, matter_id: str) -> tuple[str, MatterKind] | None:
    """Return whom an application is about, and its kind, to decide who may see it; nothing is opened."""
    query = select(Matter.person_id, Matter.kind).where(Matter.id == matter_id)
    row = unit.db.exec(query).first()
    return None if row is None else (row[0], MatterKind(row[1]))


def of_person(unit: Unit, person_id: str, before: str | None, limit: int) -> list[MatterView]:
    """Return a person's applications, the newest first, older than one."""
    query = select(Matter).where(col(Matter.person_id).in_(people.records_of(person_id)))
    if before is not None:
        query = query.where(col(Matter.id) < before)
    rows = unit.db.exec(query.order_by(col(Matter.id).desc()).limit(limit)).all()
    return views(unit, rows)


def of_kind(unit: Unit, person_id: str, kind: MatterKind, limit: int) -> list[MatterView]:
    """Return a person's applications of a kind, the newest first."""
    rows = unit.db.exec(
        select(Matter)
        .where(col(Matter.person_id).in_(people.records_of(person_id)), Matter.kind == kind)
        .order_by(col(Matter.id).desc())
        .limit(limit)
    ).all()
    return views(unit, rows)


def in_state(
    unit: Unit, enrolment_id: str, kind: MatterKind, states: Sequence[MatterState]
) -> list[MatterView]:
    """Return every application of a kind under an enrolment that is in one of some states."""
    rows = unit.db.exec(
        select(Matter)
        .where(Matter.enrolment_id == enrolment_id, Matter.kind == kind)
        .where(col(Matter.state).in_(states))
        .order_by(col(Matter.id))
    ).all()
    return views(unit, rows)


def of_person_in(
    unit: Unit, person_id: str, kind: MatterKind, states: Sequence[MatterState]
) -> list[MatterView]:
    """Return a person's applications of a kind that are in one of some states."""
    rows = unit.db.exec(
        select(Matter)
        .where(col(Matter.person_id).in_(people.records_of(person_id)), Matter.kind == kind)
        .where(col(Matter.state).in_(states))
        .order_by(col(Matter.id))
    ).all()
    return views(unit, rows)


def queue(
    unit: Unit,
    regions: Sequence[str],
    kind: MatterKind | None,
    holder: str | None,
    after: str | None,
    limit: int,
) -> list[MatterView]:
    """Return what waits to be decided in some regions, the longest waiting first, after one of them.

    ``holder``: only what somebody holds, empty: only what nobody does, ``None``: all.
    """
    which: list[ColumnElement[bool]] = [col(Matter.state).in_(AT_THE_AGENCY)]
    if kind is not None:
        which.append(col(Matter.kind) == kind)
    if holder is not None:
        which.append(col(Matter.holder) == holder if holder else col(Matter.holder).is_(None))
    last = None if after is None else unit.db.get(Matter, after)
    if last is not None:
        later = tuple_(col(Matter.submitted_at), col(Matter.id))
        which.append(later > (last.submitted_at, last.id))
    return _queue(unit, regions, and_(*which), limit)


def waiting(
    unit: Unit, regions: Sequence[str], expert_kinds: Sequence[MatterKind], limit: int
) -> list[MatterView]:
    """Return what waits for clerks of some regions, the longest waiting first.

    Of what experts look at first only that is theirs which experts have found.
    """
    for_clerks = or_(
        and_(
            col(Matter.state) == MatterState.RECHECK,
            col(Matter.kind).not_in(_AMONG_PROPOSALS),
        ),
        and_(
            col(Matter.state) == MatterState.SUBMITTED,
            col(Matter.kind).not_in(expert_kinds),
        ),
    )
    return _queue(unit, regions, for_clerks, limit)


def for_expert(
    unit: Unit, expert: str, regions: Sequence[str], kinds: Sequence[MatterKind], limit: int
) -> list[MatterView]:
    """Return what an expert of some regions has still to speak about, the longest waiting first."""
    spoken = select(MatterOpinion.matter_id).where(MatterOpinion.expert == expert)
    theirs = and_(
        col(Matter.state) == MatterState.SUBMITTED,
        col(Matter.kind).in_(kinds),
        col(Matter.id).not_in(spoken),
    )
    return _queue(unit, regions, theirs, limit)


def unpaid(unit: Unit, regions: Sequence[str], limit: int) -> list[MatterView]:
    """Return claims of some regions that are booked and not paid out, the longest waiting first."""
    booked = and_(col(Matter.state) == MatterState.APPROVED, col(Matter.kind) == MatterKind.CLAIM)
    return _queue(unit, regions, booked, limit)


def _queue(
    unit: Unit, regions: Sequence[str], which: ColumnElement[bool], limit: int
) -> list[MatterView]:
    rows = unit.db.exec(
        select(Matter)
        .where(which)
        .where(within(regions))
        .order_by(col(Matter.submitted_at), col(Matter.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def within(regions: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition for an application to be of the desks of some regions."""
    places = (col(Matter.area_code), col(Matter.county_code))
    return or_(
        *(place.startswith(prefix_of(region)) for place in places for region in regions), false()
    )


def people_waiting_at(area_code: str) -> SelectOfScalar[str]:
    """Return, as a query, who has an application at an area's agency that is not decided."""
    return select(Matter.person_id).where(
        Matter.area_code == area_code,
        col(Matter.state).in_(AT_THE_AGENCY),
    )


def matter_of_material(unit: Unit, material_id: str) -> MatterView | None:
    """Return the application that a paper belongs to."""
    made = unit.db.get(Material, material_id)
    return None if made is None else matter(unit, made.matter_id)


def may_file_for(unit: Unit, person_id: str, subject: str) -> bool:
    """Tell whether somebody is the person, or a relative who may file for them now."""
    if person_id == subject:
        return True
    found = bindings.in_force(unit, person_id, subject)
    return found is not None and Scope.FILE in found.scopes


def views(unit: Unit, rows: Sequence[Matter]) -> list[MatterView]:
    """Return the views of rows, their papers and steps read at once."""
    ids = [row.id for row in rows]
    papers: dict[str, list[MaterialView]] = {}
    for made in unit.db.exec(
        select(Material)
        .where(col(Material.matter_id).in_(ids), col(Material.removed_at).is_(None))
        .order_by(col(Material.id))
    ).all():
        papers.setdefault(made.matter_id, []).append(material_view(made))
    steps: dict[str, list[MatterStep]] = {}
    for step in unit.db.exec(
        select(MatterStepRow)
        .where(col(MatterStepRow.matter_id).in_(ids))
        .order_by(col(MatterStepRow.id))
    ).all():
        steps.setdefault(step.matter_id, []).append(step_view(step))
    away: dict[str, set[date]] = {}
    since = [row.submitted_at for row in rows if row.submitted_at is not None]
    if since:
        areas = {row.area_code for row in rows}
        away = policies.outage_days(unit, areas, Service.MATTERS, min(since))
    return [_view(unit, row, papers.get(row.id, []), steps.get(row.id, []), away) for row in rows]


def step_view(step: MatterStepRow) -> MatterStep:
    """Return the view of a step."""
    return MatterStep(
        step.at, Party(step.party), MatterEvent(step.event), MatterState(step.state), step.words
    )


def material_view(made: Material) -> MaterialView:
    """Return the view of a paper."""
    return MaterialView(
        id=made.id,
        requirement=Requirement(made.requirement),
        name=made.name,
        content_type=made.content_type,
        size=made.size,
        added_at=made.added_at,
        verdict=None if made.verdict is None else MaterialVerdict(made.verdict),
        reason=made.reason,
    )


def form_of(unit: Unit, row: Matter) -> str:
    """Return the form of an application, opened."""
    return unit.vault.open(row.form, f"matter:{row.id}")


def _view(
    unit: Unit,
    row: Matter,
    papers: list[MaterialView],
    steps: list[MatterStep],
    away: dict[str, set[date]],
) -> MatterView:
    due = None
    if row.submitted_at is not None and row.state in AT_THE_AGENCY:
        paused = away.get(row.area_code, set()) | waited(steps, local_day(unit.now))
        due = logic.due_on(local_day(row.submitted_at), row.due_days, paused, workdays.is_workday)
    return MatterView(
        id=row.id,
        number=row.number,
        kind=MatterKind(row.kind),
        state=MatterState(row.state),
        person_id=row.person_id,
        applicant_id=row.applicant_id,
        relation=row.relation,
        area_code=row.area_code,
        county_code=row.county_code,
        enrolment_id=row.enrolment_id or "",
        form=form_of(unit, row),
        started_at=row.started_at,
        submitted_at=row.submitted_at,
        due_on=due,
        due_is_provisional=due is not None and not workdays.is_announced(due),
        expires_at=row.expires_at,
        materials=tuple(papers),
        steps=tuple(steps),
        result_id=row.result_id,
        decided_by=row.decided_by,
        holder=row.holder,
        held_at=row.held_at,
    )


def waited(steps: Sequence[MatterStep], today: date) -> set[date]:
    """Return the days on which an application waited for its applicant and not for the agency."""
    spans, asked = [], None
    for step in steps:
        if step.state is MatterState.SUPPLEMENT:
            asked = local_day(step.at)
        elif asked is not None:
            spans.append((asked, local_day(step.at)))
            asked = None
    if asked is not None:
        spans.append((asked, today))
    return logic.days_of(spans)
