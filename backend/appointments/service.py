"""Use cases of appointments: booking, confirming, cancelling, and receiving patients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlmodel import col, select

from backend.access.contracts import Action, SignInRequired, TerminalActor
from backend.access.logic import label
from backend.appointments import queries
from backend.appointments.clinic_contracts import OnePer, RulesView
from backend.appointments.contracts import (
    AppointmentBeingPaid,
    AppointmentEvent,
    AppointmentNotFound,
    AppointmentState,
    AppointmentView,
    Book,
    BookAtWindow,
    BookedAlready,
    BookingBarred,
    CancelTooLate,
    ChangeAppointment,
    ClinicFull,
    ClinicNotFound,
    ClinicNotOpenYet,
    FeeUnpaid,
    ReceivePatient,
    TooYoung,
    WaitingState,
)
from backend.appointments.logic import opens_at
from backend.appointments.model import Appointment, Clinic, Waiting
from backend.appointments.seats import (
    STANDING,
    can,
    free_seat,
    locked_with_person,
    move,
    owe_fee,
    seat_for,
    tell_of,
)
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid, Purpose
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.institutions import queries as institutions
from backend.kernel.calendar import age_on, local_day
from backend.kernel.errors import Refusal
from backend.payments import booking, charges
from backend.payments.charge_contracts import ChargeNotOpen
from backend.payments.contracts import NotInsured
from backend.payments.service import at_till
from backend.payments.visits import enrolment_on
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note

_OF_HOSPITAL = (
    AppointmentEvent.ARRIVE,
    AppointmentEvent.SEE,
    AppointmentEvent.CANCEL,
    AppointmentEvent.EXCUSE,
    AppointmentEvent.CORRECT,
)
_WORDS_MAX = 200
_WAITS = (WaitingState.WAITING, WaitingState.OFFERED)


def book(unit: Unit, command: Book) -> AppointmentView | Refusal:
    """Book a seat for oneself or a relative; paid first, it is held for some minutes."""
    right = authorize(unit, command.actor, Action.BOOK, command.person_id)
    if isinstance(right, Refusal):
        return right
    return once(
        unit,
        f"book:{label(command.actor)}",
        command.request_id,
        command,
        (AppointmentView,),
        lambda: _book(unit, command, right),
    )


def book_at_window(unit: Unit, command: BookAtWindow) -> AppointmentView | Refusal:
    """Book for whoever's code a hospital has scanned; its fee is the window's own affair."""
    return at_till(unit, "book_at_window", command, AppointmentView, _book_at_window)


def confirm(unit: Unit, command: ChangeAppointment) -> AppointmentView | Refusal:
    """Say that one wants a seat that is held; where it is to be paid first, paying says so."""
    return _by_patient(unit, "confirm_appointment", command, _confirm)


def cancel(unit: Unit, command: ChangeAppointment) -> AppointmentView | Refusal:
    """Cancel an appointment within the hospital's time; what was paid for it goes back."""
    return _by_patient(unit, "cancel_appointment", command, _cancel)


def receive(unit: Unit, command: ReceivePatient) -> AppointmentView | Refusal:
    """Note what became of an appointment at its hospital."""
    return at_till(unit, "receive_patient", command, AppointmentView, _receive)


def settle_hold(unit: Unit, row: Appointment, by: str) -> AppointmentBeingPaid | None:
    """Bring a held seat with a charge to rest: confirm it where it is paid, else take the charge away.

    Before: the person and the row are locked. A refusal: the money is on its way, and nobody may give
    the seat to anybody else until it is known where it went.
    """
    if row.charge_id is None:
        return None
    if charges.settlement_of(unit, row.charge_id) is not None:
        move(unit, row, AppointmentEvent.CONFIRM, by)
        return None
    gone = charges.withdraw_for(unit, row.charge_id, by)
    return AppointmentBeingPaid() if isinstance(gone, ChargeNotOpen) else None


def in_the_way(
    unit: Unit, clinic: Clinic, person_id: str, rules: RulesView, besides: str = ""
) -> Refusal | None:
    """Return why a person cannot have a seat of a clinic. Before: the person is locked.

    ``besides``: the place on a waiting list that is being served.
    """
    bar = queries.bar_of(unit, person_id, rules)
    if bar is not None:
        return BookingBarred(bar.reason, bar.until)
    age = age_on(people.particulars(unit, person_id).birth_date, clinic.day)
    if age < rules.rules.minimum_age:
        return TooYoung(rules.rules.minimum_age)
    return _same_again(unit, clinic, person_id, rules, besides)


def _book(unit: Unit, command: Book, right: Right) -> AppointmentView | Refusal:
    found = unit.db.get(Clinic, command.clinic_id)
    rules = None if found is None else queries.rules_of(unit, found.institution_id)
    if found is None or rules is None or _is_over(unit, found):
        return ClinicNotFound()
    opens = opens_at(rules.rules, found.day)
    if unit.now < opens:
        return ClinicNotOpenYet(opens)
    view = queries.clinic_views(unit, [found])[0]
    if view.free == 0 or view.waiting:  # looked up before anything is locked: a rush ends here
        return ClinicFull(view.waiting)
    people.lock_person(unit, command.person_id)
    refusal = in_the_way(unit, found, command.person_id, rules)
    pays = bool(rules.rules.pay_first and found.fee_fen)
    if refusal is None and pays:
        refusal = _cannot_pay(unit, found, command.person_id)
    if refusal is not None:
        return refusal
    seat = free_seat(unit, found.id, command.starts_at, window=False)
    if seat is None:
        return ClinicFull(view.waiting)
    hold = unit.now + timedelta(minutes=rules.rules.hold_minutes) if pays else None
    state = AppointmentState.HELD if pays else AppointmentState.BOOKED
    by = label(command.actor)
    row = seat_for(unit, found, command.person_id, seat, rules, state, hold, by)
    note(unit, right, command.actor, Action.BOOK)
    if not pays:
        tell_of(unit, row, "appointment_booked")
    return queries.views(unit, [row])[0]


def _book_at_window(
    unit: Unit, command: BookAtWindow, actor: TerminalActor
) -> AppointmentView | Refusal:
    found = unit.db.exec(
        select(Clinic).where(
            Clinic.institution_id == actor.institution_id, Clinic.number == command.number
        )
    ).first()
    rules = queries.rules_of(unit, actor.institution_id)
    if found is None or rules is None or _is_over(unit, found):
        return ClinicNotFound()
    grant = codes.open_grant(unit, command.token, actor.terminal_id)
    if isinstance(grant, GrantNotValid):
        return grant
    again = _same_again(unit, found, grant.person_id, rules, "")
    if again is not None:
        return again
    view = queries.clinic_views(unit, [found])[0]
    seat = free_seat(unit, found.id, command.starts_at, window=True)
    if seat is None or (not seat.at_window and view.waiting):
        return ClinicFull(view.waiting)
    state, by = AppointmentState.BOOKED, label(actor)
    row = seat_for(unit, found, grant.person_id, seat, rules, state, None, by)
    tell_of(unit, row, "appointment_booked")
    return queries.views(unit, [row])[0]


def _confirm(
    unit: Unit, row: Appointment, command: ChangeAppointment
) -> AppointmentNotFound | FeeUnpaid | None:
    if row.state != AppointmentState.HELD or (row.hold_until or unit.now) <= unit.now:
        return AppointmentNotFound()
    paid = row.charge_id and charges.settlement_of(unit, row.charge_id) is not None
    if row.charge_id and not paid:
        return FeeUnpaid()
    move(unit, row, AppointmentEvent.CONFIRM, label(command.actor))
    tell_of(unit, row, "appointment_booked")
    return None


def _cancel(unit: Unit, row: Appointment, command: ChangeAppointment) -> Refusal | None:
    by = label(command.actor)
    if row.state == AppointmentState.HELD:
        busy = settle_hold(unit, row, by)
        if busy is not None:
            return busy
    if not can(row, AppointmentEvent.CANCEL) or row.state == AppointmentState.MISSED:
        return AppointmentNotFound()
    if row.state == AppointmentState.BOOKED and unit.now > row.cancel_by:
        return CancelTooLate(row.cancel_by)
    if row.state == AppointmentState.BOOKED:
        row.cancelled_on = local_day(unit.now)
    move(unit, row, AppointmentEvent.CANCEL, by)
    owe_fee(unit, row)
    return None


def _receive(
    unit: Unit, command: ReceivePatient, actor: TerminalActor
) -> AppointmentView | Refusal:
    found = unit.db.get(Appointment, command.appointment_id)
    mine = found is not None and found.institution_id == actor.institution_id
    if found is None or not mine or command.event not in _OF_HOSPITAL:
        return AppointmentNotFound()
    row, by = locked_with_person(unit, found.id), label(actor)
    if row.state == AppointmentState.HELD:
        busy = settle_hold(unit, row, by)
        if busy is not None:
            return busy
    if not can(row, command.event):
        return AppointmentNotFound()
    move(unit, row, command.event, by, command.words.strip()[:_WORDS_MAX])
    if row.state == AppointmentState.CANCELLED:
        owe_fee(unit, row)
        tell_of(unit, row, "appointment_cancelled")
    return queries.views(unit, [row])[0]


def _by_patient(
    unit: Unit,
    name: str,
    command: ChangeAppointment,
    act: Callable[[Unit, Appointment, ChangeAppointment], Refusal | None],
) -> AppointmentView | Refusal:
    found = unit.db.get(Appointment, command.appointment_id)
    right = authorize(unit, command.actor, Action.BOOK, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return AppointmentNotFound()

    def run() -> AppointmentView | Refusal:
        row = locked_with_person(unit, found.id)
        refusal = act(unit, row, command)
        if refusal is not None:
            return refusal
        note(unit, right, command.actor, Action.BOOK)
        return queries.views(unit, [row])[0]

    scope = f"{name}:{label(command.actor)}"
    return once(unit, scope, command.request_id, command, (AppointmentView,), run)


def _same_again(
    unit: Unit, clinic: Clinic, person_id: str, rules: RulesView, besides: str
) -> BookedAlready | None:
    same = [
        Clinic.institution_id == clinic.institution_id,
        Clinic.day == clinic.day,
        Clinic.department_code == clinic.department_code,
    ]
    if rules.rules.one_per is OnePer.DOCTOR:
        same.append(Clinic.doctor_code == clinic.doctor_code)
    booked = (
        select(Appointment.id)
        .join(Clinic, col(Clinic.id) == Appointment.clinic_id)
        .where(Appointment.person_id == person_id, col(Appointment.state).in_(STANDING), *same)
    )
    waits = (
        select(Waiting.id)
        .join(Clinic, col(Clinic.id) == Waiting.clinic_id)
        .where(Waiting.person_id == person_id, col(Waiting.state).in_(_WAITS), *same)
        .where(Waiting.id != besides)
    )
    twice = unit.db.exec(booked).first() or unit.db.exec(waits).first()
    return None if twice is None else BookedAlready(clinic.department)


def _cannot_pay(unit: Unit, clinic: Clinic, person_id: str) -> Refusal | None:
    place = institutions.institution(unit, clinic.institution_id)
    if enrolment_on(unit, person_id, None, local_day(unit.now)) is None:
        return NotInsured()
    return booking.place_refusal(unit, place, Purpose.OUTPATIENT_SETTLEMENT)


def _is_over(unit: Unit, clinic: Clinic) -> bool:
    return clinic.stopped or clinic.ends_at <= unit.now
