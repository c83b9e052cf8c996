"""What every use case of an appointment does: take a seat, give it back, move its row, tell of it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from backend.access.contracts import TerminalActor
from backend.appointments import logic
from backend.appointments.clinic_contracts import ClinicKind, RulesView
from backend.appointments.contracts import (
    APPOINTMENT_STATES,
    WAITING_STATES,
    AppointmentEvent,
    AppointmentState,
    RefundState,
    WaitingEvent,
    WaitingState,
)
from backend.appointments.model import (
    Appointment,
    AppointmentStepRow,
    Clinic,
    ClinicSeat,
    Waiting,
)
from backend.codes.contracts import Purpose
from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.kernel.calendar import local_minute
from backend.kernel.invariants import invariant
from backend.kernel.money import QUANTITY_SCALE, Fen, Quantity, parse_unit_price, yuan_text
from backend.matters.workdays import is_workday
from backend.notices.service import tell
from backend.payments import charges
from backend.payments.charge_contracts import PutCharge
from backend.payments.contracts import BasketLine
from backend.people import queries as people

_LIVE = (AppointmentState.HELD, AppointmentState.BOOKED, AppointmentState.CHECKED_IN)
STANDING = (*_LIVE, AppointmentState.SEEN)
"""States in which an appointment counts as the one that somebody has for a day."""
_ONE = Quantity(QUANTITY_SCALE)


def free_seat(
    unit: Unit, clinic_id: str, starts_at: datetime | None, window: bool
) -> ClinicSeat | None:
    """Return a free seat, locked, the earliest that fits; ``None`` where there is none.

    A seat that another transaction is taking at this moment is passed over and not waited for, so that
    a rush for one clinic does not queue up at its first seat. ``window``: its own seats first, then the
    phone's.
    """
    query = select(ClinicSeat).where(
        ClinicSeat.clinic_id == clinic_id,
        col(ClinicSeat.appointment_id).is_(None),
        col(ClinicSeat.starts_at) > unit.now,
    )
    if starts_at is not None:
        query = query.where(ClinicSeat.starts_at == starts_at)
    if not window:
        query = query.where(col(ClinicSeat.at_window).is_(False))
    order = (col(ClinicSeat.at_window).desc(), col(ClinicSeat.number))
    return unit.db.exec(query.order_by(*order).limit(1).with_for_update(skip_locked=True)).first()


def seat_for(
    unit: Unit,
    clinic: Clinic,
    person_id: str,
    seat: ClinicSeat,
    rules: RulesView,
    state: AppointmentState,
    hold_until: datetime | None,
    by: str,
) -> Appointment:
    """Give a seat to a person, with a charge to be paid where the hospital wants its fee first.

    Before: the person and the seat are locked, the seat is free.
    """
    row = Appointment(
        id=unit.new_id(),
        state=state,
        clinic_id=clinic.id,
        institution_id=clinic.institution_id,
        person_id=person_id,
        queue_number=seat.number,
        day=clinic.day,
        starts_at=seat.starts_at,
        ends_at=seat.ends_at,
        hold_until=hold_until,
        cancel_by=logic.cancel_by(rules.rules, ClinicKind(clinic.kind), seat.starts_at, is_workday),
        arrive_by=logic.arrive_by(rules.rules, seat.starts_at, clinic.ends_at),
        created_at=unit.now,
        refund=RefundState.NONE,
    )
    if hold_until is not None and rules.rules.pay_first and clinic.fee_fen:
        row.charge_id = _charged(unit, clinic, person_id, hold_until)
    unit.db.add(row)
    seat.appointment_id = row.id
    unit.db.flush()
    tell_live(unit, row)
    facts = {"appointment": row.id, "clinic": clinic.id, "number": seat.number}
    audit.record(unit, by, "appointment.take", f"person:{person_id}", facts)
    return row


def locked(unit: Unit, appointment_id: str) -> Appointment:
    """Return an appointment, locked and read anew. Before: its person is locked."""
    query = select(Appointment).where(Appointment.id == appointment_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def locked_with_person(unit: Unit, appointment_id: str) -> Appointment:
    """Return an appointment, its person and itself locked."""
    people.lock_person(unit, unit.db.get_one(Appointment, appointment_id).person_id)
    return locked(unit, appointment_id)


def move(unit: Unit, row: Appointment, event: AppointmentEvent, by: str, words: str = "") -> None:
    """Move an appointment, write down why, and give its seat back where nobody comes for it.

    Before: the event fits the state.
    """
    after = APPOINTMENT_STATES.after(AppointmentState(row.state), event)
    invariant(after is not None, f"an appointment that is {row.state} cannot {event}")
    before, row.state = row.state, after or row.state
    unit.db.add(
        AppointmentStepRow(
            appointment_id=row.id, at=unit.now, actor=by, event=event, state=row.state, words=words
        )
    )
    if before in _LIVE and row.state not in STANDING:
        _give_back_seat(unit, row)
    unit.db.flush()
    _follow_waiting(unit, row)
    tell_live(unit, row)
    facts = {"appointment": row.id, "state": row.state}
    audit.record(unit, by, f"appointment.{event.lower()}", f"person:{row.person_id}", facts)


def owe_fee(unit: Unit, row: Appointment) -> None:
    """Let the fee go back of an appointment that does not take place, if any was paid."""
    if row.charge_id is None or charges.settlement_of(unit, row.charge_id) is None:
        return
    row.refund, row.refund_at = RefundState.DUE, unit.now
    unit.db.flush()


def can(row: Appointment, event: AppointmentEvent) -> bool:
    """Tell whether something can happen to an appointment now."""
    return APPOINTMENT_STATES.after(AppointmentState(row.state), event) is not None


def locked_waiting(unit: Unit, waiting_id: str) -> Waiting:
    """Return a place on a waiting list, locked and read anew. Before: its person is locked."""
    query = select(Waiting).where(Waiting.id == waiting_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def move_waiting(unit: Unit, row: Waiting, event: WaitingEvent, by: str) -> None:
    """Move somebody's place on a waiting list."""
    after = WAITING_STATES.after(WaitingState(row.state), event)
    invariant(after is not None, f"a place on a list that is {row.state} cannot {event}")
    row.state = after or row.state
    unit.db.flush()
    outbox.enqueue(
        unit, outbox.Channel.LIVE, f"person:{row.person_id}", "APPOINTMENT_CHANGED", row.id
    )
    audit.record(
        unit, by, f"waiting.{event.lower()}", f"person:{row.person_id}", {"waiting": row.id}
    )


def tell_live(unit: Unit, row: Appointment) -> None:
    """Let the patient's phone see at once that something has changed."""
    topic = f"person:{row.person_id}"
    outbox.enqueue(unit, outbox.Channel.LIVE, topic, "APPOINTMENT_CHANGED", row.id)


def tell_of(unit: Unit, row: Appointment, kind: str, **more: object) -> None:
    """Send a notice about an appointment: where, whom, when."""
    clinic = unit.db.get_one(Clinic, row.clinic_id)
    facts = {
        "department": clinic.department,
        "doctor": clinic.doctor,
        "at": local_minute(row.starts_at),
        "number": row.queue_number,
    }
    tell(unit, row.person_id, kind, {**facts, **more})


def _give_back_seat(unit: Unit, row: Appointment) -> None:
    query = select(ClinicSeat).where(ClinicSeat.appointment_id == row.id).with_for_update()
    seat = unit.db.exec(query).first()
    if seat is not None:
        seat.appointment_id = None


def _follow_waiting(unit: Unit, row: Appointment) -> None:
    query = select(Waiting).where(
        Waiting.appointment_id == row.id, Waiting.state == WaitingState.OFFERED
    )
    offered = unit.db.exec(query.with_for_update()).first()
    if offered is None or row.state == AppointmentState.HELD:
        return
    event = {
        AppointmentState.BOOKED: WaitingEvent.TAKE,
        AppointmentState.STOPPED: WaitingEvent.CLOSE,
    }.get(AppointmentState(row.state), WaitingEvent.MISS)
    move_waiting(unit, offered, event, "system")


def _charged(unit: Unit, clinic: Clinic, person_id: str, until: datetime) -> str:
    fee = BasketLine(clinic.fee_code, _ONE, parse_unit_price(yuan_text(Fen(clinic.fee_fen))))
    till = TerminalActor(clinic.terminal_id, clinic.institution_id, "", clinic.operator_id)
    put = PutCharge(till, Purpose.OUTPATIENT_SETTLEMENT, (fee,), "")
    return charges.put_for(unit, put, till, person_id, until).id
