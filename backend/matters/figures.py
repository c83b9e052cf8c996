"""How much there is to do, and how fast it is done: counts, never names of people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median_low
from typing import TypeVar

from sqlmodel import col, select

from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.matters import logic, queries, workdays
from backend.matters.contracts import (
    AT_THE_AGENCY,
    MatterEvent,
    MatterKind,
    MatterStep,
)
from backend.matters.load_contracts import KindLoad, StaffLoad, Workload
from backend.matters.model import Matter, MatterStepRow
from backend.policies import queries as policies
from backend.policies.contracts import Service

T = TypeVar("T")
_ROWS_MAX = 5_000
_AT_ONCE = 500
_SOON_WORKDAYS = 2
_DECIDED = (MatterEvent.APPROVE, MatterEvent.REJECT)


@dataclass(frozen=True)
class _Case:
    """What figures need of an application. ``decided_by``: of those that are decided."""

    kind: MatterKind
    holder: str | None
    submitted_on: date
    due_on: date
    decided_on: date | None = None
    decided_by: str = ""
    workdays: int = 0


def workload(unit: Unit, regions: Sequence[str], days: int) -> Workload:
    """Return what waits in some regions now, and what was decided there in some days up to today.

    At most 5,000 of either are counted, the oldest and the newest; ``complete`` says whether that is all.
    """
    today = local_day(unit.now)
    since = unit.now - timedelta(days=days)
    waiting, all_waiting = _waiting(unit, regions)
    decided, all_decided = _decided(unit, regions, since)
    kinds = [_of_kind(kind, waiting, decided, today) for kind in MatterKind]
    return Workload(
        since=since,
        kinds=tuple(one for one in kinds if one.waiting or one.decided),
        staff=_of_staff(waiting, decided, today),
        complete=all_waiting and all_decided,
    )


def _of_kind(
    kind: MatterKind, waiting: Sequence[_Case], decided: Sequence[_Case], today: date
) -> KindLoad:
    open_ = [one for one in waiting if one.kind is kind]
    done = [one for one in decided if one.kind is kind]
    soon = logic.due_on(today, _SOON_WORKDAYS, (), workdays.is_workday)
    return KindLoad(
        kind=kind,
        waiting=len(open_),
        overdue=sum(one.due_on < today for one in open_),
        due_soon=sum(today <= one.due_on <= soon for one in open_),
        free=sum(one.holder is None for one in open_),
        oldest_on=min((one.submitted_on for one in open_), default=None),
        decided=len(done),
        on_time=sum(one.decided_on is not None and one.decided_on <= one.due_on for one in done),
        median_workdays=median_low(one.workdays for one in done) if done else None,
    )


def _of_staff(
    waiting: Sequence[_Case], decided: Sequence[_Case], today: date
) -> tuple[StaffLoad, ...]:
    held = Counter(one.holder for one in waiting if one.holder)
    late = Counter(one.holder for one in waiting if one.holder and one.due_on < today)
    done = Counter(one.decided_by for one in decided)
    return tuple(
        StaffLoad(by.removeprefix("staff:"), held[by], late[by], done[by])
        for by in sorted({*held, *done})
    )


def _waiting(unit: Unit, regions: Sequence[str]) -> tuple[list[_Case], bool]:
    query = select(Matter).where(queries.within(regions), col(Matter.state).in_(AT_THE_AGENCY))
    rows = unit.db.exec(query.order_by(col(Matter.submitted_at)).limit(_ROWS_MAX + 1)).all()
    cases = _cases(unit, [(row, None, "") for row in rows[:_ROWS_MAX]])
    return cases, len(rows) <= _ROWS_MAX


def _decided(unit: Unit, regions: Sequence[str], since: datetime) -> tuple[list[_Case], bool]:
    """Return decisions of staff. One that was appealed against counts with its own day and no other."""
    steps = unit.db.exec(
        select(MatterStepRow)
        .where(col(MatterStepRow.matter_id).in_(select(Matter.id).where(queries.within(regions))))
        .where(col(MatterStepRow.event).in_(_DECIDED), col(MatterStepRow.at) >= since)
        .where(col(MatterStepRow.actor).startswith("staff:"))
        .order_by(col(MatterStepRow.id).desc())
        .limit(_ROWS_MAX + 1)
    ).all()
    rows = _rows(unit, [step.matter_id for step in steps[:_ROWS_MAX]])
    cases = _cases(unit, [(rows[one.matter_id], one.at, one.actor) for one in steps[:_ROWS_MAX]])
    return cases, len(steps) <= _ROWS_MAX


def _rows(unit: Unit, ids: Sequence[str]) -> dict[str, Matter]:
    found: dict[str, Matter] = {}
    for at in range(0, len(ids), _AT_ONCE):
        some = unit.db.exec(select(Matter).where(col(Matter.id).in_(ids[at : at + _AT_ONCE])))
        found |= {row.id: row for row in some.all()}
    return found


def _cases(unit: Unit, rows: Sequence[tuple[Matter, datetime | None, str]]) -> list[_Case]:
    """Return cases of rows, each with the instant and the author of its decision, if it has one."""
    steps = _steps(unit, sorted({row.id for row, _, _ in rows}))
    began = [row.submitted_at for row, _, _ in rows if row.submitted_at is not None]
    areas = {row.area_code for row, _, _ in rows}
    away = policies.outage_days(unit, areas, Service.MATTERS, min(began)) if began else {}
    cases, today = [], local_day(unit.now)
    for row, decided_at, by in rows:
        own = [one for one in steps[row.id] if decided_at is None or one.at <= decided_at]
        starts = [one.at for one in own if one.event in (MatterEvent.SUBMIT, MatterEvent.APPEAL)]
        submitted = max(starts, default=row.submitted_at or row.started_at)
        ended = today if decided_at is None else local_day(decided_at)
        paused = away.get(row.area_code, set()) | queries.waited(own, ended)
        first = local_day(submitted)
        worked = sum(
            workdays.is_workday(day) and day not in paused
            for day in (first + timedelta(days=n + 1) for n in range((ended - first).days))
        )
        cases.append(
            _Case(
                MatterKind(row.kind),
                row.holder,
                first,
                logic.due_on(first, row.due_days, paused, workdays.is_workday),
                None if decided_at is None else ended,
                by,
                worked,
            )
        )
    return cases


def _steps(unit: Unit, ids: Sequence[str]) -> dict[str, list[MatterStep]]:
    found: dict[str, list[MatterStep]] = defaultdict(list)
    for at in range(0, len(ids), _AT_ONCE):
        for step in unit.db.exec(
            select(MatterStepRow)
            .where(col(MatterStepRow.matter_id).in_(ids[at : at + _AT_ONCE]))
            .order_by(col(MatterStepRow.id))
        ).all():
            found[step.matter_id].append(queries.step_view(step))
    return found
