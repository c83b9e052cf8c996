"""What the clock does to appointments: holds that run out, fees that go back, no-shows, reminders.

Each piece is a transaction of its own, so that one that fails keeps no other from its turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlmodel import col, or_, select

from backend.access.contracts import TerminalActor
from backend.appointments import clinics, waiting
from backend.appointments.contracts import (
    AppointmentEvent,
    AppointmentState,
    RefundState,
)
from backend.appointments.model import Appointment, Clinic
from backend.appointments.seats import can, locked_with_person, move, tell_of
from backend.appointments.service import settle_hold
from backend.infra.database import Database, Unit
from backend.kernel.calendar import local
from backend.kernel.errors import Locale, Refusal
from backend.orders import service as orders
from backend.payments import charges
from backend.payments.contracts import AlreadyReversed, BillState, ReverseSettlement
from backend.payments.model import Bill, Charge
from backend.settlement import queries as settlements

_BATCH = 100
_REFUND_AGAIN = timedelta(hours=1)
_REMIND_BEFORE = timedelta(hours=18)
_AWAKE = range(8, 21)
_log = logging.getLogger("yibao.appointments")


def keep_appointments(database: Database) -> int:
    """Do to appointments and waiting lists whatever is due now; return how much it was."""
    if not database.read(_is_due):  # looking takes no writer's turn
        return 0
    done = 0
    work: list[tuple[Callable[[Unit], list[str]], Callable[[Unit, str], bool]]] = [
        (clinics.to_let_go, clinics.let_go),
        (clinics.lists_to_close, clinics.close_place),
        (_held_to_settle, _settle_held),
        (_missed, _miss),
        (_refunds, _refund),
        (waiting.clinics_to_serve, waiting.serve),
        (_to_remind, _remind),
    ]
    for find, act in work:
        for one in database.read(find):
            try:
                done += database.write(partial(_with, act=act, one=one))
            except Exception:
                _log.exception("appointment or clinic %s could not be looked after", one)
    return done


def _with(unit: Unit, act: Callable[[Unit, str], bool], one: str) -> bool:
    return act(unit, one)


def _is_due(unit: Unit) -> bool:
    of_clinics = (waiting.clinics_to_serve, clinics.to_let_go, clinics.lists_to_close)
    finds = (_held_to_settle, _missed, _refunds, _to_remind, *of_clinics)
    return any(find(unit) for find in finds)


def _held_to_settle(unit: Unit) -> list[str]:
    """Return held seats whose time is over or whose fee is paid."""
    query = (
        select(Appointment.id)
        .outerjoin(Charge, col(Charge.id) == Appointment.charge_id)
        .outerjoin(Bill, col(Bill.id) == Charge.bill_id)
        .where(Appointment.state == AppointmentState.HELD)
        .where(or_(col(Appointment.hold_until) <= unit.now, Bill.state == BillState.SETTLED))
        .order_by(col(Appointment.id))
        .limit(_BATCH)
    )
    return list(unit.db.exec(query).all())


def _settle_held(unit: Unit, appointment_id: str) -> bool:
    row = locked_with_person(unit, appointment_id)
    if row.state != AppointmentState.HELD:
        return False
    paid = row.charge_id and charges.settlement_of(unit, row.charge_id) is not None
    if not paid and row.hold_until is not None and row.hold_until > unit.now:
        return False
    if settle_hold(unit, row, "system") is not None:
        return False  # the money is on its way; it is looked at again
    if can(row, AppointmentEvent.LAPSE):
        move(unit, row, AppointmentEvent.LAPSE, "system")
        tell_of(unit, row, "appointment_lapsed")
    else:
        tell_of(unit, row, "appointment_booked")
    return True


def _missed(unit: Unit) -> list[str]:
    query = select(Appointment.id).where(
        Appointment.state == AppointmentState.BOOKED, col(Appointment.arrive_by) < unit.now
    )
    return list(unit.db.exec(query.order_by(col(Appointment.id)).limit(_BATCH)).all())


def _miss(unit: Unit, appointment_id: str) -> bool:
    row = locked_with_person(unit, appointment_id)
    clinic = unit.db.get_one(Clinic, row.clinic_id)
    if row.state != AppointmentState.BOOKED or clinic.stopped:
        return False
    move(unit, row, AppointmentEvent.MISS, "system")
    tell_of(unit, row, "appointment_missed")
    return True


def _refunds(unit: Unit) -> list[str]:
    query = select(Appointment.id).where(
        Appointment.refund == RefundState.DUE, col(Appointment.refund_at) <= unit.now
    )
    return list(unit.db.exec(query.order_by(col(Appointment.id)).limit(_BATCH)).all())


def _refund(unit: Unit, appointment_id: str) -> bool:
    """Take back the settlement of a fee; where that is refused, say why and try again in an hour."""
    row = locked_with_person(unit, appointment_id)
    if row.refund != RefundState.DUE or row.charge_id is None:
        return False
    settlement_id = charges.settlement_of(unit, row.charge_id)
    done = None if settlement_id is None else _give_back(unit, row, settlement_id)
    if isinstance(done, Refusal) and not isinstance(done, AlreadyReversed):
        unit.db.rollback()
        row = locked_with_person(unit, appointment_id)
        row.refund_at, row.refund_problem = unit.now + _REFUND_AGAIN, done.message(Locale.ZH)
        unit.db.flush()
        return True
    row = locked_with_person(unit, appointment_id)
    counter = settlement_id is not None and _was_cash(unit, settlement_id)
    row.refund = RefundState.AT_COUNTER if counter else RefundState.DONE
    row.refund_problem = ""
    unit.db.flush()
    tell_of(unit, row, "fee_at_counter" if counter else "fee_returned")
    return True


def _give_back(unit: Unit, row: Appointment, settlement_id: str) -> object:
    clinic = unit.db.get_one(Clinic, row.clinic_id)
    till = TerminalActor(clinic.terminal_id, clinic.institution_id, "", clinic.operator_id)
    command = ReverseSettlement(till, settlement_id, "预约取消退号", "")
    return orders.give_back(unit, command, till)


def _was_cash(unit: Unit, settlement_id: str) -> bool:
    """Tell whether the window took cash for it, which no channel can give back."""
    found = settlements.settlement(unit, settlement_id)
    by_channel = settlements.order_of(unit, settlement_id) is not None
    return found is not None and found.cash_fen > 0 and not by_channel


def _to_remind(unit: Unit) -> list[str]:
    if local(unit.now).hour not in _AWAKE:
        return []
    query = select(Appointment.id).where(
        Appointment.state == AppointmentState.BOOKED,
        col(Appointment.reminded).is_(False),
        col(Appointment.starts_at) > unit.now,
        col(Appointment.starts_at) <= unit.now + _REMIND_BEFORE,
        col(Appointment.created_at) < unit.now - timedelta(hours=1),
    )
    return list(unit.db.exec(query.order_by(col(Appointment.id)).limit(_BATCH)).all())


def _remind(unit: Unit, appointment_id: str) -> bool:
    row = locked_with_person(unit, appointment_id)
    if row.state != AppointmentState.BOOKED or row.reminded:
        return False
    row.reminded = True
    unit.db.flush()
    tell_of(unit, row, "appointment_soon")
    return True
