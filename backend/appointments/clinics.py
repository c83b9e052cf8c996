"""What a hospital does about its clinics: rules, publishing, changing, stopping."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select
from sqlmodel import col, select

from backend.access.contracts import TerminalActor
from backend.access.logic import label
from backend.appointments import logic, queries
from backend.appointments.clinic_contracts import (
    BookingRules,
    BookingRulesInvalid,
    ClinicInvalid,
    ClinicPlan,
    ClinicProblem,
    ClinicsPublished,
    ClinicView,
    PublishClinics,
    RulesView,
    SetRules,
    StopClinic,
)
from backend.appointments.contracts import (
    AppointmentEvent,
    AppointmentState,
    ClinicNotFound,
    WaitingEvent,
    WaitingState,
)
from backend.appointments.model import (
    Appointment,
    BookingRuleRow,
    Clinic,
    ClinicSeat,
    Waiting,
)
from backend.appointments.seats import (
    can,
    locked_waiting,
    locked_with_person,
    move,
    move_waiting,
    owe_fee,
    tell_of,
)
from backend.appointments.service import settle_hold
from backend.catalogue import queries as catalogue
from backend.codes.contracts import Purpose, PurposeNotHere
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionKind
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.payments.service import at_till
from backend.people import queries as people

_RULES = TypeAdapter(BookingRules)
_BATCH_MAX = 50
_HAVE_SEATS = (AppointmentState.HELD, AppointmentState.BOOKED, AppointmentState.CHECKED_IN)


def set_rules(unit: Unit, command: SetRules) -> RulesView | Refusal:
    """Set a hospital's rules. What is booked already keeps the times it was promised."""
    return at_till(unit, "set_booking_rules", command, RulesView, _set_rules)


def publish(unit: Unit, command: PublishClinics) -> ClinicsPublished | Refusal:
    """Publish clinics or change them. Seats that are taken keep their number and time."""
    return at_till(unit, "publish_clinics", command, ClinicsPublished, _publish)


def stop(unit: Unit, command: StopClinic) -> ClinicView | Refusal:
    """Stop a clinic: nobody books it from now on, and everybody who had a seat is told soon."""
    return at_till(unit, "stop_clinic", command, ClinicView, _stop)


def to_let_go(_unit: Unit) -> Select[Any]:
    """Return appointments of clinics that were stopped and that somebody still counts on."""
    return (
        select(Appointment.id)
        .join(Clinic, col(Clinic.id) == Appointment.clinic_id)
        .where(col(Clinic.stopped).is_(True), col(Appointment.state).in_(_HAVE_SEATS))
    )


def lists_to_close(unit: Unit) -> Select[Any]:
    """Return places on the lists of clinics that were stopped or are over."""
    return (
        select(Waiting.id)
        .join(Clinic, col(Clinic.id) == Waiting.clinic_id)
        .where(Waiting.state == WaitingState.WAITING)
        .where(col(Clinic.stopped).is_(True) | (col(Clinic.ends_at) <= unit.now))
    )


def close_place(unit: Unit, waiting_id: str) -> bool:
    """Tell who waits that there will be no seat; return whether they still waited."""
    people.lock_person(unit, unit.db.get_one(Waiting, waiting_id).person_id)
    row = locked_waiting(unit, waiting_id)
    if row.state != WaitingState.WAITING:
        return False
    move_waiting(unit, row, WaitingEvent.CLOSE, "system")
    return True


def let_go(unit: Unit, appointment_id: str) -> bool:
    """Take a seat of a stopped clinic from whoever has it; they are told and get their fee back."""
    row = locked_with_person(unit, appointment_id)
    if row.state == AppointmentState.HELD and settle_hold(unit, row, "system") is not None:
        return False  # its money is on the way; it is looked at again
    if not can(row, AppointmentEvent.STOP):
        return False
    reason = unit.db.get_one(Clinic, row.clinic_id).stop_reason
    move(unit, row, AppointmentEvent.STOP, "system", reason)
    owe_fee(unit, row)
    tell_of(unit, row, "clinic_stopped", reason=reason)
    return True


def _set_rules(
    unit: Unit, command: SetRules, actor: TerminalActor
) -> RulesView | BookingRulesInvalid | PurposeNotHere:
    place = institutions.institution(unit, actor.institution_id)
    if place.kind is not InstitutionKind.HOSPITAL:
        return PurposeNotHere(Purpose.OUTPATIENT_SETTLEMENT.value)
    problem = logic.rules_problem(command.rules)
    if problem is not None:
        return BookingRulesInvalid(problem)
    unit.db.add(
        BookingRuleRow(
            institution_id=place.id,
            since=unit.now,
            rules=_RULES.dump_python(command.rules, mode="json"),
            set_by=label(actor),
        )
    )
    unit.db.flush()
    audit.record(unit, label(actor), "booking_rules.set", f"institution:{place.id}", {})
    return RulesView(place, command.rules, unit.now)


def _publish(
    unit: Unit, command: PublishClinics, actor: TerminalActor
) -> ClinicsPublished | ClinicInvalid:
    numbers = [one.number for one in command.clinics]
    if not 1 <= len(numbers) <= _BATCH_MAX or len(set(numbers)) != len(numbers):
        return ClinicInvalid(numbers[0] if numbers else "-", ClinicProblem.NONE)
    place = institutions.institution(unit, actor.institution_id)
    if queries.rules_of(unit, place.id) is None:
        return ClinicInvalid(numbers[0], ClinicProblem.NO_RULES)
    rows = []
    for plan in sorted(command.clinics, key=lambda one: one.number):
        row = _published(unit, plan, actor)
        if isinstance(row, ClinicProblem):
            return ClinicInvalid(plan.number, row)
        rows.append(row)
    unit.db.flush()
    facts = {"clinics": len(rows)}
    audit.record(unit, label(actor), "clinics.publish", f"institution:{place.id}", facts)
    return ClinicsPublished(tuple(queries.clinic_views(unit, rows)))


def _published(unit: Unit, plan: ClinicPlan, actor: TerminalActor) -> Clinic | ClinicProblem:
    problem = logic.plan_problem(plan, local_day(unit.now))
    if problem is not None:
        return problem
    if plan.fee_fen and not catalogue.items_on(unit, [plan.fee_code], plan.day):
        return ClinicProblem.FEE
    row = unit.db.exec(
        select(Clinic)
        .where(Clinic.institution_id == actor.institution_id, Clinic.number == plan.number)
        .with_for_update()
    ).first()
    if row is not None and row.stopped:
        return ClinicProblem.STOPPED
    if row is not None and _moved(unit, row, plan):
        return ClinicProblem.TAKEN
    before = None if row is None else (row.doctor, row.place)
    row = _row(row.id if row is not None else unit.new_id(), plan, actor)
    row = unit.db.merge(row)
    unit.db.flush()
    _lay_seats(unit, row, plan)
    if before is not None and before != (row.doctor, row.place):
        _tell_changed(unit, row)
    return row


def _row(clinic_id: str, plan: ClinicPlan, actor: TerminalActor) -> Clinic:
    return Clinic(
        id=clinic_id,
        institution_id=actor.institution_id,
        number=plan.number,
        day=plan.day,
        starts_at=logic.at(plan.day, plan.blocks[0].begins),
        ends_at=logic.at(plan.day, plan.blocks[-1].ends),
        kind=plan.kind,
        department_code=plan.department_code,
        department=plan.department,
        doctor_code=plan.doctor_code,
        doctor=plan.doctor,
        title=plan.title,
        place=plan.place,
        fee_code=plan.fee_code,
        fee_fen=plan.fee_fen,
        terminal_id=actor.terminal_id,
        operator_id=actor.operator_id,
    )


def _moved(unit: Unit, row: Clinic, plan: ClinicPlan) -> bool:
    """Tell whether a plan changes what somebody who has a seat was promised."""
    wanted = {number: (starts, ends) for number, starts, ends, _ in logic.seats_of(plan)}
    taken = unit.db.exec(
        select(ClinicSeat)
        .where(ClinicSeat.clinic_id == row.id, col(ClinicSeat.appointment_id).is_not(None))
        .with_for_update()
    ).all()
    other = (row.department_code, row.fee_code, row.fee_fen) != (
        plan.department_code,
        plan.fee_code,
        plan.fee_fen,
    )
    return bool(taken) and (
        other or any(wanted.get(one.number) != (one.starts_at, one.ends_at) for one in taken)
    )


def _lay_seats(unit: Unit, row: Clinic, plan: ClinicPlan) -> None:
    """Lay out the seats of a plan around those that are taken."""
    held = unit.db.exec(
        select(ClinicSeat).where(ClinicSeat.clinic_id == row.id).with_for_update()
    ).all()
    kept = {one.number for one in held if one.appointment_id is not None}
    for one in held:
        if one.appointment_id is None:
            unit.db.delete(one)
    unit.db.flush()
    unit.db.add_all(
        ClinicSeat(
            clinic_id=row.id, number=number, starts_at=starts, ends_at=ends, at_window=window
        )
        for number, starts, ends, window in logic.seats_of(plan)
        if number not in kept
    )
    unit.db.flush()


def _tell_changed(unit: Unit, row: Clinic) -> None:
    taken = unit.db.exec(
        select(Appointment).where(
            Appointment.clinic_id == row.id, col(Appointment.state).in_(_HAVE_SEATS)
        )
    ).all()
    for one in taken:
        tell_of(unit, one, "clinic_changed", place=row.place)


def _stop(unit: Unit, command: StopClinic, actor: TerminalActor) -> ClinicView | ClinicNotFound:
    row = unit.db.exec(
        select(Clinic)
        .where(Clinic.institution_id == actor.institution_id, Clinic.number == command.number)
        .with_for_update()
    ).first()
    if row is None or row.stopped or row.ends_at <= unit.now:
        return ClinicNotFound()
    row.stopped, row.stop_reason = True, command.reason.strip()[:200]
    unit.db.flush()
    facts = {"clinic": row.id}
    audit.record(unit, label(actor), "clinic.stop", f"institution:{actor.institution_id}", facts)
    return queries.clinic_views(unit, [row])[0]
