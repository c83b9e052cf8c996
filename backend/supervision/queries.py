"""Reads of alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, func, or_, select

from backend.access.contracts import Role, StaffActor
from backend.access.logic import covers, prefix_of, regions_of
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.supervision.contracts import (
    EXPLAINED,
    AlertState,
    AlertView,
    Monitor,
    MonitorRate,
    SightingOf,
    SightingView,
    Suspect,
)
from backend.supervision.model import Alert, Sighting

_OPEN = (AlertState.RAISED, AlertState.TAKEN)
_SIGHTINGS_SHOWN = 20


def waiting(unit: Unit, actor: StaffActor, limit: int) -> list[AlertView]:
    """Return alerts of an inspector's regions that are not judged: those that hold a payment first."""
    regions = regions_of(actor.duties, Role.INSPECTOR)
    if not regions:
        return []
    mine = or_(*(col(Alert.region).startswith(prefix_of(one)) for one in regions))
    rows = unit.db.exec(
        select(Alert)
        .where(mine, col(Alert.state).in_(_OPEN))
        .order_by(func.coalesce(col(Alert.held_until) <= unit.now, True))
        .order_by(col(Alert.raised_at), col(Alert.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def alert(unit: Unit, actor: StaffActor, alert_id: str) -> AlertView | None:
    """Return an alert to an inspector of its region."""
    row = unit.db.get(Alert, alert_id)
    regions = regions_of(actor.duties, Role.INSPECTOR)
    if row is None or not any(covers(region, row.region) for region in regions):
        return None
    return views(unit, [row])[0]


def verdict(unit: Unit, alert_id: str) -> tuple[Monitor, AlertState, datetime | None]:
    """Return which rule raised an alert, where it stands, and until when a payment waits for it."""
    row = unit.db.get_one(Alert, alert_id)
    return Monitor(row.monitor), AlertState(row.state), row.held_until


def rates(unit: Unit, regions: Sequence[str]) -> list[MonitorRate]:
    """Return how each rule has done in some regions, from what inspectors have said so far."""
    mine = or_(*(col(Alert.region).startswith(prefix_of(one)) for one in regions))
    rows = unit.db.exec(
        select(Alert.monitor, Alert.state, func.count())
        .where(mine)
        .group_by(col(Alert.monitor), col(Alert.state))
    ).all()
    counted = {(monitor, state): number for monitor, state, number in rows}
    return [
        MonitorRate(
            one,
            sum(number for (monitor, _), number in counted.items() if monitor == one),
            counted.get((one.value, AlertState.VIOLATION.value), 0),
            counted.get((one.value, AlertState.FALSE_ALARM.value), 0),
        )
        for one in Monitor
    ]


def views(unit: Unit, rows: Sequence[Alert]) -> list[AlertView]:
    """Return views of alerts, each with the latest of what was seen."""
    ids = [row.id for row in rows]
    sightings = unit.db.exec(
        select(Sighting)
        .where(col(Sighting.alert_id).in_(ids))
        .order_by(col(Sighting.at).desc(), col(Sighting.sale_key))
    ).all()
    places = {row.institution_id for row in rows} | {one.institution_id for one in sightings}
    found = institutions.institutions(unit, sorted(places)) if places else {}
    names = {institution_id: view.name for institution_id, view in found.items()}
    held = people.prefetch(unit, [row.person_id for row in rows if row.person_id])
    shown = [
        AlertView(
            id=row.id,
            monitor=Monitor(row.monitor),
            suspect=Suspect(row.suspect),
            state=AlertState(row.state),
            region=row.region,
            institution_name=names[row.institution_id],
            terminal_id=row.terminal_id,
            person_id=row.person_id,
            person_name=people.person(unit, row.person_id).masked_name if row.person_id else None,
            trace_code=row.trace_code,
            raised_at=row.raised_at,
            held_until=row.held_until,
            handler=row.handler,
            words=unit.vault.open(row.words, f"alert:{row.id}") if row.words else "",
            sightings=tuple(
                _sighting(one, names)
                for one in [one for one in sightings if one.alert_id == row.id][:_SIGHTINGS_SHOWN]
            ),
        )
        for row in rows
    ]
    del held  # until here, or the session would forget them
    return shown


def _sighting(row: Sighting, names: dict[str, str]) -> SightingView:
    return SightingView(
        of=SightingOf(row.of),
        sale_id=row.sale_id,
        institution_name=names[row.institution_id],
        at=row.at,
        total_fen=Fen(row.total_fen),
        said=said(row),
        others=tuple(row.others),
        rule=row.rule,
        effective_from=row.effective_from,
        provisional=row.provisional,
    )


def said(row: Sighting) -> tuple[str, str]:
    """Return what a rule says about a sighting, in Chinese and English."""
    monitor = Monitor(row.rule.rpartition("/")[2].removesuffix("_effect").upper())
    words = EXPLAINED[monitor]
    return words.zh.format(**row.facts), words.en.format(**row.facts)
