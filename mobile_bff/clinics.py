"""Clinics and rules of booking, as phones and hospitals see them."""

from __future__ import annotations

from datetime import date, datetime, time

import strawberry

from backend.appointments.clinic_contracts import (
    BarRule,
    CancelRule,
    ClinicKind,
    ClinicView,
    OnePer,
    RulesView,
)
from backend.kernel.errors import Locale
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import words


@strawberry.type(name="CancelRule", description="Until when an appointment may be cancelled.")
class CancelRuleType:
    """A time of day some days before, or minutes before."""

    at: time | None = strawberry.field(
        description="At this time of day; null: minutes before the appointment."
    )
    days_before: int = strawberry.field(description="So many days before its day.")
    workdays: bool = strawberry.field(description="Whether only working days count.")
    minutes_before: int = strawberry.field(description="So many minutes before, where no time is.")


@strawberry.type(name="BarRule", description="What bars somebody from booking for a while.")
class BarRuleType:
    """So many within so many days, for so many days."""

    count: int = strawberry.field(description="How many.")
    within_days: int = strawberry.field(description="Within so many days; 0: a calendar month.")
    barred_days: int = strawberry.field(description="Barred for so many; 0: to the month's end.")


@strawberry.type(name="BookingRules", description="A hospital's rules of booking.")
class BookingRulesType:
    """They differ from hospital to hospital."""

    institution: InstitutionType = strawberry.field(description="Whose they are.")
    since: datetime = strawberry.field(description="Since when they count.")
    horizon_days: int = strawberry.field(description="A clinic opens so many days before.")
    release_at: time = strawberry.field(description="At this time of day.")
    one_per: OnePer = strawberry.field(description="What one appointment a day is for.")
    minimum_age: int = strawberry.field(description="The lowest age; 0: any.")
    pay_first: bool = strawberry.field(description="Whether the fee is paid before.")
    hold_minutes: int = strawberry.field(description="How long a seat is kept to be paid.")
    cancel_ordinary: CancelRuleType = strawberry.field(description="For ordinary clinics.")
    cancel_expert: CancelRuleType = strawberry.field(description="For experts' clinics.")
    arrive_morning: time | None = strawberry.field(
        description="By when to be there in the morning; null: by the clinic's end."
    )
    arrive_afternoon: time | None = strawberry.field(description="The same for the afternoon.")
    missed: list[BarRuleType] = strawberry.field(description="What missing bars from.")
    cancelled: list[BarRuleType] = strawberry.field(description="What cancelling bars from.")
    waiting_max: int = strawberry.field(description="How many a waiting list takes; 0: none.")
    offer_minutes: int = strawberry.field(description="How long an offered seat is kept.")


@strawberry.type(description="A department that can be booked.")
class BookableDepartment:
    """Its code and name."""

    code: str = strawberry.field(description="The hospital's code.")
    name: str = strawberry.field(description="Its name.")


@strawberry.type(description="A stretch of a clinic.")
class ClinicTime:
    """When, and how many seats are left."""

    starts_at: datetime = strawberry.field(description="It begins.")
    ends_at: datetime = strawberry.field(description="It ends.")
    free: int = strawberry.field(description="Seats left for the phone.")


@strawberry.type(name="Clinic", description="A half-day of a doctor or a department.")
class ClinicType:
    """Whom, when, for how much, and what is left."""

    clinic_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="The hospital's own number of it.")
    institution: InstitutionType = strawberry.field(description="Where.")
    day: date = strawberry.field(description="On which day.")
    starts_at: datetime = strawberry.field(description="It begins.")
    ends_at: datetime = strawberry.field(description="It ends.")
    kind: ClinicKind = strawberry.field(description="Ordinary or an expert's.")
    kind_text: str = strawberry.field(description="The same in words.")
    department: BookableDepartment = strawberry.field(description="Which department.")
    doctor_code: str = strawberry.field(description="The doctor's code; may be empty.")
    doctor: str = strawberry.field(description="The doctor; empty: whoever is there.")
    title: str = strawberry.field(description="The doctor's title.")
    place: str = strawberry.field(description="Which room.")
    fee: Money = strawberry.field(description="Before insurance pays its share.")
    opens_at: datetime = strawberry.field(description="From when it can be booked.")
    stopped: bool = strawberry.field(description="Whether it does not take place (停诊).")
    stop_reason: str = strawberry.field(description="Why not.")
    seats: int = strawberry.field(description="All its seats.")
    free: int = strawberry.field(description="Seats left for the phone.")
    waiting: int = strawberry.field(description="How many wait for one.")


def _cancel_rule(rule: CancelRule) -> CancelRuleType:
    return CancelRuleType(
        at=rule.at,
        days_before=rule.days_before,
        workdays=rule.workdays,
        minutes_before=rule.minutes_before,
    )


def _bar_rule(rule: BarRule) -> BarRuleType:
    return BarRuleType(count=rule.count, within_days=rule.within_days, barred_days=rule.barred_days)


def rules_type(view: RulesView) -> BookingRulesType:
    """Return a hospital's rules for the schema."""
    held = view.rules
    return BookingRulesType(
        institution=institution_type(view.institution),
        since=view.since,
        horizon_days=held.horizon_days,
        release_at=held.release_at,
        one_per=held.one_per,
        minimum_age=held.minimum_age,
        pay_first=held.pay_first,
        hold_minutes=held.hold_minutes,
        cancel_ordinary=_cancel_rule(held.cancel_ordinary),
        cancel_expert=_cancel_rule(held.cancel_expert),
        arrive_morning=held.arrive_morning,
        arrive_afternoon=held.arrive_afternoon,
        missed=[_bar_rule(one) for one in held.missed],
        cancelled=[_bar_rule(one) for one in held.cancelled],
        waiting_max=held.waiting_max,
        offer_minutes=held.offer_minutes,
    )


def clinic_type(view: ClinicView, locale: Locale) -> ClinicType:
    """Return a clinic for the schema."""
    return ClinicType(
        clinic_id=strawberry.ID(view.id),
        number=view.number,
        institution=institution_type(view.institution),
        day=view.day,
        starts_at=view.starts_at,
        ends_at=view.ends_at,
        kind=view.kind,
        kind_text=words(view.kind).text(locale),
        department=BookableDepartment(code=view.department_code, name=view.department),
        doctor_code=view.doctor_code,
        doctor=view.doctor,
        title=view.title,
        place=view.place,
        fee=money(view.fee_fen, locale),
        opens_at=view.opens_at,
        stopped=view.stopped,
        stop_reason=view.stop_reason,
        seats=view.seats,
        free=view.free,
        waiting=view.waiting,
    )
