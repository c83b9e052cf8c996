"""What the clock does to appointments: holds that run out, fees that go back, no-shows, reminders.

Each piece is a transaction of its own, so that one that fails keeps no other from its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Select
from sqlmodel import col, func, or_, select

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
from backend.infra.queue import Due, Ending, advance, never
from backend.kernel.calendar import local
from backend.kernel.errors import Locale, Refusal
from backend.orders import service as orders
from backend.payments import charges
from backend.payments.contracts import AlreadyReversed, BillState, ReverseSettlement
from backend.payments.model import Bill, Charge
from backend.settlement import queries as settlements

_REFUND_AGAIN = timedelta(hours=1)
_REMIND_BEFORE = timedelta(hours=18)
_AWAKE = range(8, 21)


def advance_appointments(database: Database, ending: Ending = never) -> int:
    """Do to appointments and waiting lists what is due now; return how many changed."""
    return advance(database, *_KINDS, ending=ending)


def _held_to_settle(unit: Unit) -> Select[Any]:
    """Return held seats whose fee is paid, or whose time is over and whose fee is not on its way."""
    on_its_way = func.coalesce(Bill.state, "") == BillState.LOCKED
    over = (col(Appointment.hold_until) <= unit.now) & ~on_its_way
    return (
        select(Appointment.id)
        .outerjoin(Charge, col(Charge.id) == Appointment.charge_id)
        .outerjoin(Bill, col(Bill.id) == Charge.bill_id)
        .where(Appointment.state == AppointmentState.HELD)
        .where(or_(over, Bill.state == BillState.SETTLED))
    )


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


def _missed(unit: Unit) -> Select[Any]:
    return select(Appointment.id).where(
        Appointment.state == AppointmentState.BOOKED, col(Appointment.arrive_by) < unit.now
    )


def _miss(unit: Unit, appointment_id: str) -> bool:
    row = locked_with_person(unit, appointment_id)
    clinic = unit.db.get_one(Clinic, row.clinic_id)
    if row.state != AppointmentState.BOOKED or clinic.stopped or row.arrive_by >= unit.now:
        return False
    move(unit, row, AppointmentEvent.MISS, "system")
    tell_of(unit, row, "appointment_missed")
    return True


def _refunds(unit: Unit) -> Select[Any]:
    return select(Appointment.id).where(
        Appointment.refund == RefundState.DUE, col(Appointment.refund_at) <= unit.now
    )


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


def _to_remind(unit: Unit) -> Select[Any] | Sequence[str]:
    if local(unit.now).hour not in _AWAKE:
        return ()
    return select(Appointment.id).where(
        Appointment.state == AppointmentState.BOOKED,
        col(Appointment.reminded).is_(False),
        col(Appointment.starts_at) > unit.now,
        col(Appointment.starts_at) <= unit.now + _REMIND_BEFORE,
        col(Appointment.created_at) < unit.now - timedelta(hours=1),
    )


def _remind(unit: Unit, appointment_id: str) -> bool:
    row = locked_with_person(unit, appointment_id)
    if row.state != AppointmentState.BOOKED or row.reminded:
        return False
    row.reminded = True
    unit.db.flush()
    tell_of(unit, row, "appointment_soon")
    return True


_KINDS = (
    Due(name="appointment.let_go", items=clinics.to_let_go, act=clinics.let_go),
    Due(name="waiting.close", items=clinics.lists_to_close, act=clinics.close_place),
    Due(name="appointment.settle", items=_held_to_settle, act=_settle_held),
    Due(name="appointment.miss", items=_missed, act=_miss),
    Due(name="appointment.refund", items=_refunds, act=_refund),
    Due(name="waiting.serve", items=waiting.clinics_to_serve, act=waiting.serve),
    Due(name="appointment.remind", items=_to_remind, act=_remind),
)
