"""候补: who wants a seat that becomes free, in the order in which they came."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select
from sqlmodel import col, func, select

from backend.access.contracts import Action, SignInRequired
from backend.access.logic import label
from backend.appointments import logic, queries
from backend.appointments.contracts import (
    AppointmentState,
    ClinicNotFound,
    ClinicNotOpenYet,
    JoinWaiting,
    LeaveWaiting,
    WaitingEvent,
    WaitingNotFound,
    WaitingNotPossible,
    WaitingState,
    WaitingView,
)
from backend.appointments.model import Clinic, ClinicSeat, Waiting
from backend.appointments.seats import free_seat, locked_waiting, move_waiting, seat_for, tell_of
from backend.appointments.service import in_the_way
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.kernel.calendar import local_minute
from backend.kernel.errors import Refusal
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note


def join(unit: Unit, command: JoinWaiting) -> WaitingView | Refusal:
    """Take a place on the waiting list of a clinic of which no seat is left."""
    right = authorize(unit, command.actor, Action.BOOK, command.person_id)
    if isinstance(right, Refusal):
        return right
    return once(
        unit,
        f"join_waiting:{label(command.actor)}",
        command.request_id,
        command,
        (WaitingView,),
        lambda: _join(unit, command, right),
    )


def leave(unit: Unit, command: LeaveWaiting) -> WaitingView | Refusal:
    """Wait no longer. A seat that is held already is given back by cancelling it."""
    found = unit.db.get(Waiting, command.waiting_id)
    right = authorize(unit, command.actor, Action.BOOK, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return WaitingNotFound()
    return once(
        unit,
        f"leave_waiting:{label(command.actor)}",
        command.request_id,
        command,
        (WaitingView,),
        lambda: _leave(unit, command, found.person_id, right),
    )


def clinics_to_serve(unit: Unit) -> Select[Any]:
    """Return clinics that have both a free seat and somebody who waits."""
    return (
        select(Waiting.clinic_id)
        .distinct()
        .join(Clinic, col(Clinic.id) == Waiting.clinic_id)
        .join(ClinicSeat, col(ClinicSeat.clinic_id) == Clinic.id)
        .where(
            Waiting.state == WaitingState.WAITING,
            col(Clinic.stopped).is_(False),
            col(ClinicSeat.appointment_id).is_(None),
            col(ClinicSeat.at_window).is_(False),
            col(ClinicSeat.starts_at) > unit.now,
        )
    )


def serve(unit: Unit, clinic_id: str) -> bool:
    """Hold a free seat for whoever is next on the list; return whether there was somebody."""
    clinic = unit.db.get_one(Clinic, clinic_id)
    rules = queries.rules_of(unit, clinic.institution_id)
    first = unit.db.exec(
        select(Waiting)
        .where(Waiting.clinic_id == clinic_id, Waiting.state == WaitingState.WAITING)
        .order_by(col(Waiting.place))
    ).first()
    if first is None or rules is None or clinic.stopped:
        return False
    people.lock_person(unit, first.person_id)
    row = locked_waiting(unit, first.id)
    if row.state != WaitingState.WAITING:
        return True
    if in_the_way(unit, clinic, row.person_id, rules, besides=row.id) is not None:
        move_waiting(unit, row, WaitingEvent.CLOSE, "system")
        return True
    seat = free_seat(unit, clinic_id, None, window=False)
    if seat is None:
        return False
    until = logic.offer_until(rules.rules, unit.now, seat.starts_at)
    held = seat_for(
        unit, clinic, row.person_id, seat, rules, AppointmentState.HELD, until, "system"
    )
    row.appointment_id = held.id
    move_waiting(unit, row, WaitingEvent.OFFER, "system")
    tell_of(unit, held, "seat_offered", until=local_minute(until))
    return True


def _join(unit: Unit, command: JoinWaiting, right: Right) -> WaitingView | Refusal:
    found = unit.db.get(Clinic, command.clinic_id)
    rules = None if found is None else queries.rules_of(unit, found.institution_id)
    if found is None or rules is None or found.stopped or found.ends_at <= unit.now:
        return ClinicNotFound()
    opens = logic.opens_at(rules.rules, found.day)
    if unit.now < opens:
        return ClinicNotOpenYet(opens)
    people.lock_person(unit, command.person_id)
    refusal = in_the_way(unit, found, command.person_id, rules)
    if refusal is not None:
        return refusal
    unit.db.exec(select(Clinic.id).where(Clinic.id == found.id).with_for_update()).one()
    view = queries.clinic_views(unit, [found])[0]
    if (view.free and not view.waiting) or view.waiting >= rules.rules.waiting_max:
        return WaitingNotPossible()
    row = Waiting(
        id=unit.new_id(),
        state=WaitingState.WAITING,
        clinic_id=found.id,
        place=_next_place(unit, found.id),
        person_id=command.person_id,
        created_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    note(unit, right, command.actor, Action.BOOK)
    facts = {"waiting": row.id, "clinic": found.id}
    audit.record(unit, label(command.actor), "waiting.join", f"person:{command.person_id}", facts)
    return queries.waiting_views(unit, [row])[0]


def _next_place(unit: Unit, clinic_id: str) -> int:
    query = select(func.coalesce(func.max(Waiting.place), 0)).where(Waiting.clinic_id == clinic_id)
    return int(unit.db.exec(query).one()) + 1


def _leave(
    unit: Unit, command: LeaveWaiting, person_id: str, right: Right
) -> WaitingView | WaitingNotFound:
    people.lock_person(unit, person_id)
    row = locked_waiting(unit, command.waiting_id)
    if row.state != WaitingState.WAITING:
        return WaitingNotFound()
    move_waiting(unit, row, WaitingEvent.LEAVE, label(command.actor))
    note(unit, right, command.actor, Action.BOOK)
    return queries.waiting_views(unit, [row])[0]
