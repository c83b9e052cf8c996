"""Pure decisions about clinics and appointments. Times of day are those of Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from backend.appointments.clinic_contracts import (
    BarRule,
    BookingRules,
    CancelRule,
    ClinicKind,
    ClinicPlan,
    ClinicProblem,
    RulesProblem,
    SeatBlock,
)
from backend.appointments.contracts import BarReason, BarView
from backend.kernel.calendar import SHANGHAI, add_months, local, local_day

HORIZON_MAX = 90
SEATS_MAX = 500
NAME_MAX = 60
FEE_MAX_FEN = 1_000_000
_NOON = time(12)
_NIGHT = (time(22), time(7))
"""Between these nobody is made to answer an offer."""


def at(day: date, wall: time) -> datetime:
    """Return the instant at which clocks in Chengdu show a time of a day."""
    return datetime.combine(day, wall, SHANGHAI)


def opens_at(rules: BookingRules, day: date) -> datetime:
    """Return from when a clinic of a day can be booked."""
    return at(day - timedelta(days=rules.horizon_days), rules.release_at)


def cancel_by(
    rules: BookingRules, kind: ClinicKind, starts_at: datetime, is_workday: Callable[[date], bool]
) -> datetime:
    """Return until when an appointment can be cancelled by whoever has it."""
    rule = rules.cancel_expert if kind is ClinicKind.EXPERT else rules.cancel_ordinary
    if rule.at is None:
        return starts_at - timedelta(minutes=rule.minutes_before)
    day, left = local_day(starts_at), rule.days_before
    while left:
        day -= timedelta(days=1)
        if not rule.workdays or is_workday(day):
            left -= 1
    return min(at(day, rule.at), starts_at)


def arrive_by(rules: BookingRules, starts_at: datetime, clinic_ends_at: datetime) -> datetime:
    """Return by when a patient is to be there: the half-day's hour, never before their own time begins."""
    morning = local(starts_at).time() < _NOON
    wall = rules.arrive_morning if morning else rules.arrive_afternoon
    if wall is None:
        return clinic_ends_at
    return max(at(local_day(starts_at), wall), starts_at)


def barred(days: Sequence[date], rules: Sequence[BarRule]) -> date | None:
    """Return the last day on which somebody is barred who missed or cancelled on some days, if at all."""
    ends = [
        _bar_end(held[number], rule)
        for rule in rules
        for held in (sorted(days),)
        for number in range(rule.count - 1, len(held))
        if _within(held[number - rule.count + 1], held[number], rule.within_days)
    ]
    return max(ends, default=None)


def bar(
    missed: Sequence[date], cancelled: Sequence[date], rules: BookingRules, today: date
) -> BarView | None:
    """Return what bars somebody from booking today."""
    found = [
        BarView(until, reason)
        for until, reason in (
            (barred(missed, rules.missed), BarReason.MISSED),
            (barred(cancelled, rules.cancelled), BarReason.CANCELLED),
        )
        if until is not None and until >= today
    ]
    return max(found, key=lambda one: one.until, default=None)


def offer_until(rules: BookingRules, now: datetime, starts_at: datetime) -> datetime:
    """Return until when a seat is kept for whoever waited; at night it keeps until the morning."""
    clock, begins = local(now), now
    if clock.time() >= _NIGHT[0]:
        begins = at(clock.date() + timedelta(days=1), _NIGHT[1])
    elif clock.time() < _NIGHT[1]:
        begins = at(clock.date(), _NIGHT[1])
    return min(begins + timedelta(minutes=rules.offer_minutes), starts_at)


def rules_problem(rules: BookingRules) -> RulesProblem | None:
    """Return what is wrong with a hospital's rules."""
    checks = (
        (1 <= rules.horizon_days <= HORIZON_MAX, RulesProblem.HORIZON),
        (5 <= rules.hold_minutes <= 60, RulesProblem.HOLD),
        (0 <= rules.minimum_age <= 18, RulesProblem.AGE),
        (_cancels(rules.cancel_ordinary) and _cancels(rules.cancel_expert), RulesProblem.CANCEL),
        (all(_bars(one) for one in (*rules.missed, *rules.cancelled)), RulesProblem.BAR),
        (
            0 <= rules.waiting_max <= SEATS_MAX and 5 <= rules.offer_minutes <= 720,
            RulesProblem.WAITING,
        ),
    )
    return next((problem for holds, problem in checks if not holds), None)


def plan_problem(plan: ClinicPlan, today: date) -> ClinicProblem | None:
    """Return what is wrong with a clinic by itself."""
    named = (plan.number, plan.department_code, plan.department)
    every = (*named, plan.doctor_code, plan.doctor, plan.title, plan.place)
    total = sum(one.seats for one in plan.blocks)
    windows = all(one.seats >= 1 and 0 <= one.at_window <= one.seats for one in plan.blocks)
    checks = (
        (all(named) and all(len(one) <= NAME_MAX for one in every), ClinicProblem.NAMES),
        (today <= plan.day <= today + timedelta(days=HORIZON_MAX), ClinicProblem.DAY),
        (windows and 1 <= total <= SEATS_MAX, ClinicProblem.SEATS),
        (_follow(plan.blocks) and _on_minutes(plan.blocks), ClinicProblem.TIMES),
        (0 <= plan.fee_fen <= FEE_MAX_FEN, ClinicProblem.FEE),
    )
    return next((problem for holds, problem in checks if not holds), None)


def _on_minutes(blocks: Sequence[SeatBlock]) -> bool:
    """Tell whether blocks begin and end on whole minutes, which people are shown and phones send back."""
    times = [clock for one in blocks for clock in (one.begins, one.ends)]
    return not any(clock.second or clock.microsecond for clock in times)


def seats_of(plan: ClinicPlan) -> list[tuple[int, datetime, datetime, bool]]:
    """Return number, begin, end, and whether it is the window's, of every seat in order."""
    seats: list[tuple[int, datetime, datetime, bool]] = []
    for block in plan.blocks:
        times = at(plan.day, block.begins), at(plan.day, block.ends)
        online = block.seats - block.at_window
        seats += [(len(seats) + place + 1, *times, place >= online) for place in range(block.seats)]
    return seats


def _within(first: date, last: date, days: int) -> bool:
    if days == 0:
        return (first.year, first.month) == (last.year, last.month)
    return (last - first).days < days


def _bar_end(last: date, rule: BarRule) -> date:
    if rule.barred_days:
        return last + timedelta(days=rule.barred_days)
    return add_months(last.replace(day=1), 1) - timedelta(days=1)


def _cancels(rule: CancelRule) -> bool:
    if rule.at is None:
        return 0 <= rule.minutes_before <= 30 * 24 * 60 and rule.days_before == 0
    return 0 <= rule.days_before <= 30 and rule.minutes_before == 0


def _bars(rule: BarRule) -> bool:
    return 1 <= rule.count <= 20 and 0 <= rule.within_days <= 366 and 0 <= rule.barred_days <= 366


def _follow(blocks: Sequence[SeatBlock]) -> bool:
    ordered = all(one.begins < one.ends for one in blocks)
    return ordered and all(one.ends <= later.begins for one, later in pairwise(blocks))
