"""E1 预约挂号: hospitals that can be booked, their clinics, appointments and waiting lists."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import strawberry

from backend.access.contracts import Action, SignInRequired
from backend.access.logic import own_id
from backend.appointments import queries, service, waiting
from backend.appointments.clinic_contracts import (
    ClinicView,
    RulesView,
    SeatTime,
)
from backend.appointments.contracts import (
    AppointmentBeingPaid,
    AppointmentEvent,
    AppointmentNotFound,
    AppointmentState,
    AppointmentView,
    BarReason,
    BarView,
    Book,
    BookedAlready,
    BookingBarred,
    CancelTooLate,
    ChangeAppointment,
    ClinicFull,
    ClinicNotFound,
    ClinicNotOpenYet,
    FeeUnpaid,
    JoinWaiting,
    LeaveWaiting,
    RefundState,
    TooYoung,
    WaitingNotFound,
    WaitingNotPossible,
    WaitingState,
    WaitingView,
)
from backend.appointments.logic import HORIZON_MAX
from backend.codes.contracts import PurposeNotHere
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import AgreementNotOpen
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.payments.contracts import NotInsured
from backend.policies.contracts import OutageNow
from mobile_bff.clinics import (
    BookableDepartment,
    BookingRulesType,
    ClinicTime,
    ClinicType,
    clinic_type,
    rules_type,
)
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.wording import Status, status, words

MODULE = AppModule(
    "E1",
    "预约挂号",
    "预约挂号",
    "Appointments",
    ModuleState.AVAILABLE,
    "按医院规则预约、先付或到院付费、候补、退号退费；可代亲属预约；停诊、提醒、爽约自动处理。",
)


@strawberry.type(name="AppointmentStep", description="Something that happened to an appointment.")
class AppointmentStepType:
    """An event in words."""

    at: datetime = strawberry.field(description="When.")
    event: AppointmentEvent = strawberry.field(description="What.")
    text: str = strawberry.field(description="The same in words.")
    words: str = strawberry.field(description="What was said; may be empty.")


@strawberry.type(name="Appointment", description="A seat that somebody has, had, or is kept.")
class AppointmentType:
    """An appointment and what became of it."""

    appointment_id: strawberry.ID = strawberry.field(description="Its id.")
    state: AppointmentState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words, with what to do.")
    clinic: ClinicType = strawberry.field(description="Of which clinic.")
    person: PersonType = strawberry.field(description="The patient, masked.")
    queue_number: int = strawberry.field(description="The number in the clinic's queue.")
    starts_at: datetime = strawberry.field(description="It begins.")
    ends_at: datetime = strawberry.field(description="It ends.")
    hold_until: datetime | None = strawberry.field(
        description="Until when the seat is kept to be paid or confirmed; null: it is not held."
    )
    charge_id: strawberry.ID | None = strawberry.field(
        description="The charge to pay for it (takeCharge, payBill); null: none."
    )
    cancel_by: datetime = strawberry.field(description="Until when it can be cancelled.")
    arrive_by: datetime = strawberry.field(description="By when to be there.")
    refund: RefundState = strawberry.field(description="What becomes of a fee that was paid.")
    refund_status: Status = strawberry.field(description="The same in words.")
    refund_problem: str = strawberry.field(description="Why it has not gone back yet; or empty.")
    created_at: datetime = strawberry.field(description="When it was made.")
    steps: list[AppointmentStepType] = strawberry.field(description="What happened, in order.")


@strawberry.type(name="WaitingPlace", description="A place on the waiting list of a clinic.")
class WaitingType:
    """A place and how far it is."""

    waiting_id: strawberry.ID = strawberry.field(description="Its id.")
    state: WaitingState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words.")
    clinic: ClinicType = strawberry.field(description="Of which clinic.")
    person: PersonType = strawberry.field(description="The patient, masked.")
    ahead: int = strawberry.field(description="How many come before.")
    appointment_id: strawberry.ID | None = strawberry.field(
        description="The seat that is kept for them; null: none yet."
    )
    created_at: datetime = strawberry.field(description="Since when.")


@strawberry.type(description="Why somebody cannot book at a hospital now.")
class BookingBar:
    """Until when and why."""

    until: date = strawberry.field(description="The last day of it.")
    reason: BarReason = strawberry.field(description="Why.")
    text: str = strawberry.field(description="The same in words.")


def appointment_type(view: AppointmentView, locale: Locale) -> AppointmentType:
    """Return an appointment for the schema."""
    return AppointmentType(
        appointment_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        clinic=clinic_type(view.clinic, locale),
        person=person_type(view.person),
        queue_number=view.queue_number,
        starts_at=view.starts_at,
        ends_at=view.ends_at,
        hold_until=view.hold_until,
        charge_id=strawberry.ID(view.charge_id) if view.charge_id else None,
        cancel_by=view.cancel_by,
        arrive_by=view.arrive_by,
        refund=view.refund,
        refund_status=status(view.refund, locale),
        refund_problem=view.refund_problem,
        created_at=view.created_at,
        steps=[
            AppointmentStepType(
                at=one.at, event=one.event, text=words(one.event).text(locale), words=one.words
            )
            for one in view.steps
        ],
    )


def waiting_type(view: WaitingView, locale: Locale) -> WaitingType:
    """Return a place on a waiting list for the schema."""
    return WaitingType(
        waiting_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        clinic=clinic_type(view.clinic, locale),
        person=person_type(view.person),
        ahead=view.ahead,
        appointment_id=strawberry.ID(view.appointment_id) if view.appointment_id else None,
        created_at=view.created_at,
    )


@strawberry.input(description="Books a seat of a clinic.")
class BookAppointmentInput:
    """Which clinic, for whom, and when."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    clinic_id: strawberry.ID = strawberry.field(description="The clinic.")
    starts_at: datetime | None = strawberry.field(
        description="Which stretch of it; null: the earliest that is free.", default=None
    )
    subject_id: strawberry.ID | None = strawberry.field(
        description="For whom; null: for oneself.", default=None
    )


@strawberry.input(description="Names an appointment.")
class AppointmentInput:
    """Which appointment."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    appointment_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="Asks for the next seat that becomes free.")
class JoinWaitingInput:
    """Of which clinic, for whom."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    clinic_id: strawberry.ID = strawberry.field(description="The clinic.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="For whom; null: for oneself.", default=None
    )


@strawberry.input(description="Names a place on a waiting list.")
class WaitingInput:
    """Which place."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    waiting_id: strawberry.ID = strawberry.field(description="Its id.")


_HERE = (PurposeNotHere, AgreementNotOpen, OutageNow)
_WANTED = (ClinicNotFound, ClinicNotOpenYet, BookedAlready, BookingBarred, TooYoung)


@strawberry.type
class AppointmentQueries:
    """Hospitals, clinics, and a person's own appointments."""

    @strawberry.field(description="Hospitals that can be booked; of a region where it is named.")
    async def bookable_hospitals(
        self, info: Info, region: str | None = "", first: int | None = None
    ) -> list[InstitutionType]:
        """Return hospitals."""
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: queries.hospitals(unit, region or "", limit)
        )
        return [institution_type(one) for one in found]

    @strawberry.field(description="A hospital's rules of booking; null: it cannot be booked here.")
    async def booking_rules(self, info: Info, hospital: str) -> BookingRulesType | None:
        """Return rules by the hospital's code."""

        def read(unit: Unit) -> RulesView | None:
            place = institutions.by_code(unit, hospital)
            return None if place is None else queries.rules_of(unit, place.id)

        found = await info.context.door.read(read)
        return None if found is None else rules_type(found)

    @strawberry.field(description="Departments of a hospital that have clinics from today on.")
    async def bookable_departments(self, info: Info, hospital: str) -> list[BookableDepartment]:
        """Return departments by the hospital's code."""

        def read(unit: Unit) -> list[tuple[str, str]]:
            place = institutions.by_code(unit, hospital)
            today = local_day(unit.now)
            return [] if place is None else queries.departments(unit, place.id, today)

        found = await info.context.door.read(read)
        return [BookableDepartment(code=code, name=name) for code, name in found]

    @strawberry.field(description="Clinics of a hospital by time, with what is left of each.")
    async def clinics(
        self,
        info: Info,
        hospital: str,
        department: str | None = "",
        doctor: str | None = "",
        since: date | None = None,
        until: date | None = None,
        first: int | None = None,
    ) -> list[ClinicType]:
        """Return clinics from a day (today) to a day."""
        limit = page_size(first)

        def read(unit: Unit) -> list[ClinicView]:
            place = institutions.by_code(unit, hospital)
            begins = since or local_day(unit.now)
            days = (begins, until or begins + timedelta(days=HORIZON_MAX))
            if place is None:
                return []
            return queries.clinics(unit, place.id, days, department or "", doctor or "", limit)

        found = await info.context.door.read(read)
        return [clinic_type(one, info.context.locale) for one in found]

    @strawberry.field(description="The stretches of a clinic with what is left of each.")
    async def clinic_times(self, info: Info, clinic_id: strawberry.ID) -> list[ClinicTime]:
        """Return stretches."""
        found: list[SeatTime] = await info.context.door.read(
            lambda unit: queries.seat_times(unit, clinic_id)
        )
        return [ClinicTime(starts_at=x.starts_at, ends_at=x.ends_at, free=x.free) for x in found]

    @strawberry.field(description="A person's appointments, the newest first.")
    async def appointments(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        first: int | None = None,
        after: strawberry.ID | None = None,
    ) -> list[AppointmentType]:
        """Return appointments of the caller, or of somebody for whom they may book."""
        subject = await info.context.person(Action.BOOK, subject_id)
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: queries.of_person(unit, subject, after, limit)
        )
        return [appointment_type(one, info.context.locale) for one in found]

    @strawberry.field(description="A person's places on waiting lists, the newest first.")
    async def waiting_places(
        self, info: Info, subject_id: strawberry.ID | None = None, first: int | None = None
    ) -> list[WaitingType]:
        """Return places of the caller, or of somebody for whom they may book."""
        subject = await info.context.person(Action.BOOK, subject_id)
        limit = page_size(first)
        found = await info.context.door.read(lambda unit: queries.waiting_of(unit, subject, limit))
        return [waiting_type(one, info.context.locale) for one in found]

    @strawberry.field(description="What bars a person from booking at a hospital; null: nothing.")
    async def booking_bar(
        self, info: Info, hospital: str, subject_id: strawberry.ID | None = None
    ) -> BookingBar | None:
        """Return a bar by the hospital's code."""
        subject = await info.context.person(Action.BOOK, subject_id)

        def read(unit: Unit) -> BarView | None:
            place = institutions.by_code(unit, hospital)
            rules = None if place is None else queries.rules_of(unit, place.id)
            return None if rules is None else queries.bar_of(unit, subject, rules)

        found = await info.context.door.read(read)
        if found is None:
            return None
        text = found.reason.text(info.context.locale)
        return BookingBar(until=found.until, reason=found.reason, text=text)


@strawberry.type
class AppointmentMutations:
    """Booking, confirming, cancelling, waiting."""

    @strawberry.mutation(
        description="Book a seat; where the hospital wants its fee first, it is held to be paid.",
        graphql_type=result_union(
            "BookAppointmentResult",
            AppointmentType,
            (*KEYED, *_WANTED, ClinicFull, NotInsured, *_HERE),
        ),
    )
    async def book_appointment(self, info: Info, input: BookAppointmentInput) -> Any:
        """Book for the caller or a relative."""
        outcome = await info.context.act(
            service.book,
            lambda actor: Book(
                actor,
                input.subject_id or own_id(actor),
                input.clinic_id,
                input.starts_at,
                input.request_id,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: appointment_type(view, locale))

    @strawberry.mutation(
        description="Say that one wants a seat that is kept; one to be paid is confirmed by paying.",
        graphql_type=result_union(
            "ConfirmAppointmentResult", AppointmentType, (*KEYED, AppointmentNotFound, FeeUnpaid)
        ),
    )
    async def confirm_appointment(self, info: Info, input: AppointmentInput) -> Any:
        """Confirm a held seat."""
        outcome = await info.context.act(
            service.confirm,
            lambda actor: ChangeAppointment(actor, input.appointment_id, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: appointment_type(view, locale))

    @strawberry.mutation(
        description="Cancel an appointment in time; what was paid for it goes back by itself.",
        graphql_type=result_union(
            "CancelAppointmentResult",
            AppointmentType,
            (*KEYED, AppointmentNotFound, CancelTooLate, AppointmentBeingPaid),
        ),
    )
    async def cancel_appointment(self, info: Info, input: AppointmentInput) -> Any:
        """Cancel an appointment."""
        outcome = await info.context.act(
            service.cancel,
            lambda actor: ChangeAppointment(actor, input.appointment_id, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: appointment_type(view, locale))

    @strawberry.mutation(
        description="Wait for a seat; whoever is next is offered what becomes free.",
        graphql_type=result_union(
            "JoinWaitingResult", WaitingType, (*KEYED, *_WANTED, WaitingNotPossible)
        ),
    )
    async def join_waiting(self, info: Info, input: JoinWaitingInput) -> Any:
        """Join a waiting list."""
        outcome = await info.context.act(
            waiting.join,
            lambda actor: JoinWaiting(
                actor, input.subject_id or own_id(actor), input.clinic_id, input.request_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: waiting_type(view, locale))

    @strawberry.mutation(
        description="Wait no longer.",
        graphql_type=result_union(
            "LeaveWaitingResult", WaitingType, (*KEYED, SignInRequired, WaitingNotFound)
        ),
    )
    async def leave_waiting(self, info: Info, input: WaitingInput) -> Any:
        """Leave a waiting list."""
        outcome = await info.context.act(
            waiting.leave,
            lambda actor: LeaveWaiting(actor, input.waiting_id, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: waiting_type(view, locale))
