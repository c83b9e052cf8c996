"""What a hospital's system does about booking: rules, clinics, who comes, and its window."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import strawberry

from backend.access.contracts import TerminalActor
from backend.appointments import clinics, queries, service
from backend.appointments.clinic_contracts import (
    BarRule,
    BookingRules,
    BookingRulesInvalid,
    CancelRule,
    ClinicInvalid,
    ClinicKind,
    ClinicPlan,
    OnePer,
    PublishClinics,
    SeatBlock,
    SetRules,
    StopClinic,
)
from backend.appointments.contracts import (
    AppointmentBeingPaid,
    AppointmentEvent,
    AppointmentNotFound,
    BookAtWindow,
    BookedAlready,
    ClinicFull,
    ClinicNotFound,
    ReceivePatient,
)
from backend.codes.contracts import GrantNotValid, PurposeNotHere
from backend.kernel.money import Fen
from mobile_bff.benefits.appointments import AppointmentType, appointment_type
from mobile_bff.clinics import BookingRulesType, ClinicType, clinic_type, rules_type
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union


@strawberry.input(description="Until when an appointment may be cancelled.")
class CancelRuleInput:
    """A time of day some days before, or minutes before."""

    at: time | None = strawberry.field(
        description="At this time of day; null: minutes before the appointment.", default=None
    )
    days_before: int = strawberry.field(description="So many days before its day.", default=0)
    workdays: bool = strawberry.field(description="Whether only working days count.", default=False)
    minutes_before: int = strawberry.field(
        description="So many minutes before, where no time is.", default=0
    )


@strawberry.input(description="What bars somebody from booking for a while.")
class BarRuleInput:
    """So many within so many days, for so many days."""

    count: int = strawberry.field(description="How many.")
    within_days: int = strawberry.field(description="Within so many days; 0: a calendar month.")
    barred_days: int = strawberry.field(description="Barred for so many; 0: to the month's end.")


@strawberry.input(description="A hospital's rules of booking.")
class SetBookingRulesInput:
    """All of them at once."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    horizon_days: int = strawberry.field(description="A clinic opens so many days before.")
    release_at: time = strawberry.field(description="At this time of day.")
    one_per: OnePer = strawberry.field(description="What one appointment a day is for.")
    minimum_age: int = strawberry.field(description="The lowest age; 0: any.", default=0)
    pay_first: bool = strawberry.field(description="Whether the fee is paid before.")
    hold_minutes: int = strawberry.field(
        description="How long a seat is kept to be paid; 5 to 60.", default=15
    )
    cancel_ordinary: CancelRuleInput = strawberry.field(description="For ordinary clinics.")
    cancel_expert: CancelRuleInput = strawberry.field(description="For experts' clinics.")
    arrive_morning: time | None = strawberry.field(
        description="By when to be there in the morning; null: by the clinic's end.", default=None
    )
    arrive_afternoon: time | None = strawberry.field(
        description="The same for the afternoon.", default=None
    )
    missed: list[BarRuleInput] = strawberry.field(
        description="What missing bars from.", default_factory=list
    )
    cancelled: list[BarRuleInput] = strawberry.field(
        description="What cancelling bars from.", default_factory=list
    )
    waiting_max: int = strawberry.field(
        description="How many a waiting list takes; 0: none.", default=0
    )
    offer_minutes: int = strawberry.field(
        description="How long an offered seat is kept.", default=30
    )


@strawberry.input(description="Seats of one stretch of a clinic.")
class SeatBlockInput:
    """From when to when, and how many."""

    begins: time = strawberry.field(description="It begins.")
    ends: time = strawberry.field(description="It ends.")
    seats: int = strawberry.field(description="How many seats.")
    at_window: int = strawberry.field(
        description="How many of them the window alone gives out.", default=0
    )


@strawberry.input(description="A half-day of a doctor or a department.")
class ClinicInput:
    """As the hospital plans it."""

    number: str = strawberry.field(description="The hospital's own number; the same: a change.")
    day: date = strawberry.field(description="On which day.")
    kind: ClinicKind = strawberry.field(description="Ordinary or an expert's.")
    department_code: str = strawberry.field(description="The department's code.")
    department: str = strawberry.field(description="Its name.")
    doctor_code: str = strawberry.field(description="The doctor's code.", default="")
    doctor: str = strawberry.field(description="The doctor's name.", default="")
    title: str = strawberry.field(description="The doctor's title.", default="")
    place: str = strawberry.field(description="Which room.", default="")
    fee_code: str = strawberry.field(
        description="The item of the catalogue that its fee is.", default=""
    )
    fee_fen: int = strawberry.field(description="The fee in fen; 0: none.", default=0)
    blocks: list[SeatBlockInput] = strawberry.field(description="Its stretches, in order.")


@strawberry.input(description="Clinics of a hospital; all of them or none.")
class PublishClinicsInput:
    """Up to 50."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    clinics: list[ClinicInput] = strawberry.field(description="The clinics.")


@strawberry.input(description="A clinic does not take place.")
class StopClinicInput:
    """Which, and why."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    number: str = strawberry.field(description="The hospital's own number of it.")
    reason: str = strawberry.field(description="What patients are told.")


@strawberry.input(description="What became of an appointment at its hospital.")
class ReceivePatientInput:
    """Which, and what."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    appointment_id: strawberry.ID = strawberry.field(description="The appointment.")
    event: AppointmentEvent = strawberry.field(
        description="ARRIVE, SEE, CANCEL for the patient, EXCUSE or CORRECT a missed one."
    )
    words: str = strawberry.field(description="Why; the patient reads it.", default="")


@strawberry.input(description="Books at the hospital's window.")
class BookAtWindowInput:
    """For whoever was scanned."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    token: str = strawberry.field(description="Of the scan.")
    number: str = strawberry.field(description="The hospital's own number of the clinic.")
    starts_at: datetime | None = strawberry.field(
        description="Which stretch of it; null: the earliest that is free.", default=None
    )


@strawberry.type(description="A clinic as its hospital sees it.")
class ClinicDay:
    """A clinic with who comes."""

    clinic: ClinicType = strawberry.field(description="The clinic.")
    free_at_window: int = strawberry.field(description="Seats left for the window alone.")


@strawberry.type(name="ClinicsPublished", description="Clinics that were published.")
class ClinicsPublishedType:
    """All of the request."""

    clinics: list[ClinicType] = strawberry.field(description="The clinics.")


@strawberry.type
class TillClinics:
    """A hospital's clinics and who comes."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(description="This hospital's clinics of a day.")
    async def clinic_days(self, info: Info, day: date) -> list[ClinicDay]:
        """Return clinics of a day."""
        place = self.actor.institution_id
        found = await info.context.door.read(lambda unit: queries.clinics(unit, place, (day, day)))
        return [
            ClinicDay(
                clinic=clinic_type(one, info.context.locale), free_at_window=one.free_at_window
            )
            for one in found
        ]

    @strawberry.field(description="Who comes to a clinic, and whose fee it owes back.")
    async def clinic_appointments(self, info: Info, number: str) -> list[AppointmentType]:
        """Return appointments by the hospital's own number of the clinic."""
        place = self.actor.institution_id
        found = await info.context.door.read(lambda unit: queries.of_clinic(unit, place, number))
        return [appointment_type(one, info.context.locale) for one in found]


def _cancel(rule: CancelRuleInput) -> CancelRule:
    return CancelRule(rule.at, rule.days_before, rule.workdays, rule.minutes_before)


def _bars(rules: list[BarRuleInput]) -> tuple[BarRule, ...]:
    return tuple(BarRule(one.count, one.within_days, one.barred_days) for one in rules)


def _rules(input: SetBookingRulesInput) -> BookingRules:
    return BookingRules(
        horizon_days=input.horizon_days,
        release_at=input.release_at,
        one_per=input.one_per,
        minimum_age=input.minimum_age,
        pay_first=input.pay_first,
        hold_minutes=input.hold_minutes,
        cancel_ordinary=_cancel(input.cancel_ordinary),
        cancel_expert=_cancel(input.cancel_expert),
        arrive_morning=input.arrive_morning,
        arrive_afternoon=input.arrive_afternoon,
        missed=_bars(input.missed),
        cancelled=_bars(input.cancelled),
        waiting_max=input.waiting_max,
        offer_minutes=input.offer_minutes,
    )


def _plan(input: ClinicInput) -> ClinicPlan:
    return ClinicPlan(
        number=input.number.strip(),
        day=input.day,
        kind=input.kind,
        department_code=input.department_code.strip(),
        department=input.department.strip(),
        doctor_code=input.doctor_code.strip(),
        doctor=input.doctor.strip(),
        title=input.title.strip(),
        place=input.place.strip(),
        fee_code=input.fee_code.strip(),
        fee_fen=Fen(input.fee_fen),
        blocks=tuple(
            SeatBlock(one.begins, one.ends, one.seats, one.at_window) for one in input.blocks
        ),
    )


@strawberry.type
class ClinicMutations:
    """Rules, clinics, and receiving patients."""

    @strawberry.mutation(
        description="Set this hospital's rules of booking; what is booked keeps its times.",
        graphql_type=result_union(
            "SetBookingRulesResult", BookingRulesType, (*KEYED, BookingRulesInvalid, PurposeNotHere)
        ),
    )
    async def set_booking_rules(self, info: Info, input: SetBookingRulesInput) -> Any:
        """Set rules."""
        rules = _rules(input)
        outcome = await info.context.act(
            clinics.set_rules, lambda actor: SetRules(actor, rules, input.request_id)
        )
        return answer(outcome, info.context.locale, rules_type)

    @strawberry.mutation(
        description="Publish clinics or change them; seats that are taken keep number and time.",
        graphql_type=result_union(
            "PublishClinicsResult", ClinicsPublishedType, (*KEYED, ClinicInvalid)
        ),
    )
    async def publish_clinics(self, info: Info, input: PublishClinicsInput) -> Any:
        """Publish clinics."""
        plans = tuple(_plan(one) for one in input.clinics)
        outcome = await info.context.act(
            clinics.publish, lambda actor: PublishClinics(actor, plans, input.request_id)
        )
        locale = info.context.locale
        return answer(
            outcome,
            locale,
            lambda done: ClinicsPublishedType(
                clinics=[clinic_type(one, locale) for one in done.clinics]
            ),
        )

    @strawberry.mutation(
        description="Stop a clinic: everybody who has a seat is told and gets the fee back.",
        graphql_type=result_union("StopClinicResult", ClinicType, (*KEYED, ClinicNotFound)),
    )
    async def stop_clinic(self, info: Info, input: StopClinicInput) -> Any:
        """Stop a clinic."""
        outcome = await info.context.act(
            clinics.stop,
            lambda actor: StopClinic(actor, input.number, input.reason, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: clinic_type(view, locale))

    @strawberry.mutation(
        description="Note what became of an appointment of this hospital.",
        graphql_type=result_union(
            "ReceivePatientResult",
            AppointmentType,
            (*KEYED, AppointmentNotFound, AppointmentBeingPaid),
        ),
    )
    async def receive_patient(self, info: Info, input: ReceivePatientInput) -> Any:
        """Receive a patient."""
        outcome = await info.context.act(
            service.receive,
            lambda actor: ReceivePatient(
                actor, input.appointment_id, input.event, input.words, input.request_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: appointment_type(view, locale))

    @strawberry.mutation(
        description="Book at the window for whoever was scanned; its own seats come first.",
        graphql_type=result_union(
            "BookAtWindowResult",
            AppointmentType,
            (*KEYED, GrantNotValid, ClinicNotFound, ClinicFull, BookedAlready),
        ),
    )
    async def book_at_window(self, info: Info, input: BookAtWindowInput) -> Any:
        """Book at the window."""
        outcome = await info.context.act(
            service.book_at_window,
            lambda actor: BookAtWindow(
                actor, input.token, input.number, input.starts_at, input.request_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: appointment_type(view, locale))
