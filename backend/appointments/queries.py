"""Reads of clinics, appointments and waiting lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import TypeAdapter
from sqlalchemy import func
from sqlmodel import col, select

from backend.access.logic import prefix_of
from backend.appointments import logic
from backend.appointments.clinic_contracts import (
    BookingRules,
    ClinicKind,
    ClinicView,
    RulesView,
    SeatTime,
)
from backend.appointments.contracts import (
    AppointmentEvent,
    AppointmentState,
    AppointmentStep,
    AppointmentView,
    BarView,
    RefundState,
    WaitingState,
    WaitingView,
)
from backend.appointments.model import (
    Appointment,
    AppointmentStepRow,
    BookingRuleRow,
    Clinic,
    ClinicSeat,
    Waiting,
)
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.people import queries as people

_RULES = TypeAdapter(BookingRules)


def rules_of(unit: Unit, institution_id: str) -> RulesView | None:
    """Return a hospital's rules in force, ``None`` where it has set none and so books nothing here."""
    row = unit.db.exec(
        select(BookingRuleRow)
        .where(BookingRuleRow.institution_id == institution_id)
        .order_by(col(BookingRuleRow.id).desc())
    ).first()
    if row is None:
        return None
    place = institutions.institution(unit, institution_id)
    return RulesView(place, _RULES.validate_python(row.rules), row.since)


def hospitals(unit: Unit, region: str, limit: int) -> list[InstitutionView]:
    """Return hospitals that can be booked, of a region (empty: everywhere), by their codes."""
    ids = unit.db.exec(select(BookingRuleRow.institution_id).distinct()).all()
    found = institutions.institutions(unit, ids).values()
    within = [one for one in found if one.division_code.startswith(prefix_of(region))]
    return sorted(within, key=lambda one: one.code)[:limit]


def clinics(
    unit: Unit,
    institution_id: str,
    days: tuple[date, date],
    department: str = "",
    doctor: str = "",
    limit: int = 100,
) -> list[ClinicView]:
    """Return clinics of a hospital within some days, by time, those that were stopped too."""
    query = select(Clinic).where(
        Clinic.institution_id == institution_id,
        col(Clinic.day) >= days[0],
        col(Clinic.day) <= days[1],
    )
    if department:
        query = query.where(Clinic.department_code == department)
    if doctor:
        query = query.where(Clinic.doctor_code == doctor)
    rows = unit.db.exec(query.order_by(col(Clinic.starts_at), col(Clinic.id)).limit(limit)).all()
    return clinic_views(unit, rows)


def clinic(unit: Unit, clinic_id: str) -> ClinicView | None:
    """Return a clinic, or ``None``."""
    row = unit.db.get(Clinic, clinic_id)
    return None if row is None else clinic_views(unit, [row])[0]


def departments(unit: Unit, institution_id: str, today: date) -> list[tuple[str, str]]:
    """Return codes and names of departments that have clinics from today on, by their codes."""
    query = (
        select(Clinic.department_code, func.max(Clinic.department))
        .where(Clinic.institution_id == institution_id, col(Clinic.day) >= today)
        .group_by(col(Clinic.department_code))
        .order_by(col(Clinic.department_code))
    )
    return [(code, name) for code, name in unit.db.exec(query).all()]


def seat_times(unit: Unit, clinic_id: str) -> list[SeatTime]:
    """Return the stretches of a clinic with what is left of each for the phone."""
    query = (
        select(
            ClinicSeat.starts_at,
            ClinicSeat.ends_at,
            func.count().filter(
                col(ClinicSeat.appointment_id).is_(None), col(ClinicSeat.at_window).is_(False)
            ),
        )
        .where(ClinicSeat.clinic_id == clinic_id)
        .group_by(col(ClinicSeat.starts_at), col(ClinicSeat.ends_at))
        .order_by(col(ClinicSeat.starts_at))
    )
    return [SeatTime(starts, ends, int(free)) for starts, ends, free in unit.db.exec(query).all()]


def appointment(unit: Unit, appointment_id: str) -> AppointmentView | None:
    """Return an appointment, or ``None``."""
    row = unit.db.get(Appointment, appointment_id)
    return None if row is None else views(unit, [row])[0]


def owner_of(unit: Unit, appointment_id: str) -> str | None:
    """Return whose appointment it is, ``None`` where there is no such one."""
    return unit.db.exec(
        select(Appointment.person_id).where(Appointment.id == appointment_id)
    ).first()


def of_person(unit: Unit, person_id: str, after: str | None, limit: int) -> list[AppointmentView]:
    """Return a person's appointments, the newest first, below an id."""
    query = select(Appointment).where(Appointment.person_id == person_id)
    if after is not None:
        query = query.where(col(Appointment.id) < after)
    return views(unit, unit.db.exec(query.order_by(col(Appointment.id).desc()).limit(limit)).all())


def of_clinic(unit: Unit, institution_id: str, number: str) -> list[AppointmentView]:
    """Return who comes to a clinic of a hospital, by their numbers, and whose fee it owes back."""
    shown = (AppointmentState.BOOKED, AppointmentState.CHECKED_IN, AppointmentState.SEEN)
    rows = unit.db.exec(
        select(Appointment)
        .join(Clinic, col(Clinic.id) == Appointment.clinic_id)
        .where(Clinic.institution_id == institution_id, Clinic.number == number)
        .where(
            col(Appointment.state).in_((*shown, AppointmentState.MISSED))
            | (col(Appointment.refund) == RefundState.DUE)
        )
        .order_by(col(Appointment.queue_number), col(Appointment.id))
    ).all()
    return views(unit, rows)


def waiting_of(unit: Unit, person_id: str, limit: int) -> list[WaitingView]:
    """Return a person's places on waiting lists, the newest first."""
    rows = unit.db.exec(
        select(Waiting)
        .where(Waiting.person_id == person_id)
        .order_by(col(Waiting.id).desc())
        .limit(limit)
    ).all()
    return waiting_views(unit, rows)


def waiting_owner(unit: Unit, waiting_id: str) -> str | None:
    """Return whose place on a list it is, ``None`` where there is no such one."""
    return unit.db.exec(select(Waiting.person_id).where(Waiting.id == waiting_id)).first()


def bar_of(unit: Unit, person_id: str, rules: RulesView) -> BarView | None:
    """Return what bars a person from booking at a hospital today."""
    at = (
        Appointment.person_id == person_id,
        Appointment.institution_id == rules.institution.id,
    )
    missed = unit.db.exec(
        select(col(Appointment.day)).where(*at, Appointment.state == AppointmentState.MISSED)
    ).all()
    cancelled = unit.db.exec(
        select(col(Appointment.cancelled_on)).where(*at, col(Appointment.cancelled_on).is_not(None))
    ).all()
    days = [one for one in cancelled if one is not None]
    return logic.bar(missed, days, rules.rules, local_day(unit.now))


def clinic_views(unit: Unit, rows: Sequence[Clinic]) -> list[ClinicView]:
    """Return the views of clinics, as many reads for one as for all."""
    ids = [row.id for row in rows]
    places = institutions.institutions(unit, [row.institution_id for row in rows])
    rules = {one: rules_of(unit, one) for one in places}
    seats = _seats(unit, ids)
    waits = _waits(unit, ids)
    views = []
    for row in rows:
        every, free, window = seats.get(row.id, (0, 0, 0))
        own = rules[row.institution_id]
        views.append(
            ClinicView(
                id=row.id,
                number=row.number,
                institution=places[row.institution_id],
                day=row.day,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                kind=ClinicKind(row.kind),
                department_code=row.department_code,
                department=row.department,
                doctor_code=row.doctor_code,
                doctor=row.doctor,
                title=row.title,
                place=row.place,
                fee_code=row.fee_code,
                fee_fen=Fen(row.fee_fen),
                opens_at=row.starts_at if own is None else logic.opens_at(own.rules, row.day),
                stopped=row.stopped,
                stop_reason=row.stop_reason,
                seats=every,
                free=free,
                free_at_window=window,
                waiting=waits.get(row.id, 0),
            )
        )
    return views


def views(unit: Unit, rows: Sequence[Appointment]) -> list[AppointmentView]:
    """Return the views of appointments, as many reads for one as for all."""
    of = _clinics_of(unit, [row.clinic_id for row in rows])
    held = people.prefetch(unit, [row.person_id for row in rows])
    steps: dict[str, list[AppointmentStep]] = {}
    for step in unit.db.exec(
        select(AppointmentStepRow)
        .where(col(AppointmentStepRow.appointment_id).in_([row.id for row in rows]))
        .order_by(col(AppointmentStepRow.id))
    ).all():
        shown = AppointmentStep(
            step.at, AppointmentEvent(step.event), AppointmentState(step.state), step.words
        )
        steps.setdefault(step.appointment_id, []).append(shown)
    found = [
        AppointmentView(
            id=row.id,
            state=AppointmentState(row.state),
            clinic=of[row.clinic_id],
            person=people.person(unit, row.person_id),
            queue_number=row.queue_number,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            hold_until=row.hold_until if row.state == AppointmentState.HELD else None,
            charge_id=row.charge_id,
            cancel_by=row.cancel_by,
            arrive_by=row.arrive_by,
            refund=RefundState(row.refund),
            refund_problem=row.refund_problem,
            created_at=row.created_at,
            steps=tuple(steps.get(row.id, ())),
        )
        for row in rows
    ]
    del held
    return found


def waiting_views(unit: Unit, rows: Sequence[Waiting]) -> list[WaitingView]:
    """Return the views of places on waiting lists."""
    of = _clinics_of(unit, [row.clinic_id for row in rows])
    held = people.prefetch(unit, [row.person_id for row in rows])
    found = [
        WaitingView(
            id=row.id,
            state=WaitingState(row.state),
            clinic=of[row.clinic_id],
            person=people.person(unit, row.person_id),
            ahead=_ahead(unit, row),
            appointment_id=row.appointment_id,
            created_at=row.created_at,
        )
        for row in rows
    ]
    del held
    return found


def _ahead(unit: Unit, row: Waiting) -> int:
    if row.state != WaitingState.WAITING:
        return 0
    query = select(func.count()).where(
        Waiting.clinic_id == row.clinic_id,
        Waiting.state == WaitingState.WAITING,
        col(Waiting.place) < row.place,
    )
    return int(unit.db.exec(query).one())


def _clinics_of(unit: Unit, ids: Iterable[str]) -> dict[str, ClinicView]:
    rows = unit.db.exec(select(Clinic).where(col(Clinic.id).in_(set(ids)))).all()
    return {view.id: view for view in clinic_views(unit, rows)}


def _seats(unit: Unit, ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    open_seat = col(ClinicSeat.appointment_id).is_(None) & (col(ClinicSeat.starts_at) > unit.now)
    window = col(ClinicSeat.at_window)
    query = (
        select(
            ClinicSeat.clinic_id,
            func.count(),
            func.count().filter(open_seat, window.is_(False)),
            func.count().filter(open_seat, window.is_(True)),
        )
        .where(col(ClinicSeat.clinic_id).in_(ids))
        .group_by(col(ClinicSeat.clinic_id))
    )
    return {
        clinic_id: (int(every), int(free), int(at_window))
        for clinic_id, every, free, at_window in unit.db.exec(query).all()
    }


def _waits(unit: Unit, ids: Sequence[str]) -> dict[str, int]:
    query = (
        select(Waiting.clinic_id, func.count())
        .where(col(Waiting.clinic_id).in_(ids), Waiting.state == WaitingState.WAITING)
        .group_by(col(Waiting.clinic_id))
    )
    return {clinic_id: int(count) for clinic_id, count in unit.db.exec(query).all()}
