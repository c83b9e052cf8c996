"""Alerts of monitoring at the desk, and the payments that wait for them."""

from __future__ import annotations

from backend.access.contracts import Role, StaffActor
from backend.access.logic import regions_of
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.payments import holds
from backend.supervision import queries, service
from backend.supervision.contracts import AlertEvent, AlertView, MonitorRate, WorkAlert


def waiting(unit: Unit, actor: StaffActor, limit: int) -> list[AlertView]:
    """Return alerts of an inspector's regions that are not judged, those that hold a payment first."""
    return queries.waiting(unit, actor, limit)


def alert(unit: Unit, actor: StaffActor, alert_id: str) -> AlertView | None:
    """Return an alert to an inspector of its region."""
    return queries.alert(unit, actor, alert_id)


def rates(unit: Unit, actor: StaffActor) -> list[MonitorRate]:
    """Return how each rule has done in an inspector's regions."""
    regions = regions_of(actor.duties, Role.INSPECTOR)
    return queries.rates(unit, regions) if regions else []


def work(unit: Unit, command: WorkAlert) -> AlertView | Refusal:
    """Work an alert. Its payments go on where it was a false alarm, and are refused where it was none."""
    view = service.work(unit, command)
    if isinstance(view, Refusal):
        return view
    if command.event is AlertEvent.DISMISS:
        holds.let_go(unit, view.id)
    elif command.event is AlertEvent.FIND_VIOLATION:
        holds.refuse(unit, view.id)
    return view
