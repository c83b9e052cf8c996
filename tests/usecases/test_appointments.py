"""预约挂号: a seat's whole life, the hospital's rules, waiting lists, and what is paid for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from backend.access.contracts import NotPermitted, SignInRequired
from backend.appointments import clinics, queries, service, waiting
from backend.appointments.clinic_contracts import (
    BarRule,
    BookingRules,
    BookingRulesInvalid,
    CancelRule,
    ClinicInvalid,
    ClinicKind,
    ClinicPlan,
    ClinicProblem,
    ClinicView,
    OnePer,
    PublishClinics,
    RulesProblem,
    SeatBlock,
    SetRules,
    StopClinic,
)
from backend.appointments.contracts import (
    AppointmentBeingPaid,
    AppointmentEvent,
    AppointmentNotFound,
    AppointmentState,
    AppointmentView,
    BarReason,
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
    JoinWaiting,
    LeaveWaiting,
    ReceivePatient,
    RefundState,
    TooYoung,
    WaitingNotFound,
    WaitingNotPossible,
    WaitingState,
)
from backend.appointments.keeping import advance_appointments
from backend.appointments.logic import at
from backend.codes.contracts import GrantNotValid, Purpose, PurposeNotHere
from backend.identity.safety_contracts import Proof
from backend.kernel.money import Fen
from backend.orders import driving
from backend.orders.contracts import ChannelName, OrderState
from backend.payments import charges
from backend.payments.charge_contracts import ChargeView, TakeCharge, WithdrawCharge
from backend.payments.contracts import BillNotOpen, BillState, NotInsured
from backend.proxies import service as proxies
from backend.proxies.contracts import Relation
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_orders import at_rest, calls_back, drive, drive_all, pay, seen
from tests.usecases.test_relatives import bound, request
from tests.usecases.test_safety import messages
from tests.world import LEVEL_3, VISIT, World, line, new_key

S, E, W = AppointmentState, AppointmentEvent, WaitingState
DAY = date(2026, 6, 18)
"""Three days after the world's."""
DAY_BEFORE = CancelRule(time(17), days_before=1)
RULES = BookingRules(
    horizon_days=7,
    release_at=time(7),
    one_per=OnePer.DEPARTMENT,
    minimum_age=14,
    pay_first=False,
    hold_minutes=15,
    cancel_ordinary=CancelRule(None, minutes_before=30),
    cancel_expert=DAY_BEFORE,
    arrive_morning=time(11, 20),
    arrive_afternoon=time(16, 20),
    missed=(BarRule(3, 366, 30),),
    cancelled=(BarRule(3, 0, 0),),
    waiting_max=2,
    offer_minutes=30,
)
PLAN = ClinicPlan(
    number="X1",
    day=DAY,
    kind=ClinicKind.EXPERT,
    department_code="0301",
    department="心血管内科",
    doctor_code="D9",
    doctor="甘示例",
    title="主任医师",
    place="门诊楼3层1室",
    fee_code=VISIT,
    fee_fen=Fen(5000),
    blocks=(SeatBlock(time(8), time(9), 1), SeatBlock(time(9), time(10), 2, at_window=1)),
)


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def rules(world: World, **changes: Any) -> Any:
    command = SetRules(world.terminal(LEVEL_3), replace(RULES, **changes), new_key())
    return world.do(clinics.set_rules, command)


def publish(world: World, *plans: ClinicPlan) -> Any:
    return world.do(clinics.publish, PublishClinics(world.terminal(LEVEL_3), plans, new_key()))


def clinic(world: World, rule: dict[str, Any] | None = None, **changes: Any) -> ClinicView:
    rules(world, **(rule or {}))
    found = publish(world, replace(PLAN, **changes)).clinics[0]
    assert isinstance(found, ClinicView)
    return found


def book(world: World, clinic_id: str, who: str = "worker", **more: Any) -> Any:
    command = Book(
        world.actor(more.get("by", who)),
        world.person(who),
        clinic_id,
        more.get("at"),
        more.get("key") or new_key(),
    )
    return world.do(service.book, command)


def change(world: World, what: Any, one: Any, by: str = "worker") -> Any:
    return world.do(what, ChangeAppointment(world.actor(by), one.id, new_key()))


def receive(world: World, one: Any, event: E, place: str = LEVEL_3) -> Any:
    return world.do(
        service.receive, ReceivePatient(world.terminal(place), one.id, event, "", new_key())
    )


def join(world: World, clinic_id: str, who: str) -> Any:
    command = JoinWaiting(world.actor(who), world.person(who), clinic_id, new_key())
    return world.do(waiting.join, command)


def stop(world: World, number: str = "X1") -> Any:
    command = StopClinic(world.terminal(LEVEL_3), number, "医生外出", new_key())
    return world.do(clinics.stop, command)


def keep(world: World) -> None:
    for _ in range(20):
        if not advance_appointments(world.database):
            return
    raise AssertionError("there is no end to it")


def look(world: World, one: Any) -> AppointmentView:
    found = world.database.read(lambda u: queries.appointment(u, one.id))
    assert found is not None
    return found


def free(world: World, clinic_id: str) -> int:
    found = world.database.read(lambda u: queries.clinic(u, clinic_id))
    assert found is not None
    return found.free


def waits(world: World, who: str) -> list[WaitingState]:
    person = world.person(who)
    return [one.state for one in world.database.read(lambda u: queries.waiting_of(u, person, 9))]


def later(world: World, moment: datetime) -> None:
    world.clock.forward(seconds=(moment - world.clock.now()).total_seconds())
    world._actors.clear()
    world._terminals.clear()


def test_a_seat_is_booked_kept_and_used(world: World) -> None:
    shown = clinic(world)
    assert (shown.seats, shown.free, shown.free_at_window) == (3, 2, 1)
    assert shown.opens_at == at(date(2026, 6, 11), time(7))
    one = book(world, shown.id)
    assert (one.state, one.queue_number, one.hold_until, one.charge_id) == (S.BOOKED, 1, None, None)
    assert one.cancel_by == at(date(2026, 6, 17), time(17))
    assert one.arrive_by == at(DAY, time(11, 20))
    kind, said = messages(world)[-1]
    assert (kind, said["department"], said["at"]) == (
        "appointment_booked",
        "心血管内科",
        "2026-06-18 08:00",
    )
    assert [
        step.free for step in world.database.read(lambda u: queries.seat_times(u, shown.id))
    ] == [
        0,
        1,
    ]
    later(world, at(date(2026, 6, 17), time(20, 30)))
    keep(world)
    keep(world)
    assert [kind for kind, _ in messages(world)].count("appointment_soon") == 1
    later(world, at(DAY, time(8)))
    assert receive(world, one, E.ARRIVE).state is S.CHECKED_IN
    assert receive(world, one, E.SEE).state is S.SEEN
    assert receive(world, one, E.SEE) == AppointmentNotFound()
    assert [step.event for step in look(world, one).steps] == [E.ARRIVE, E.SEE]
    later(world, at(DAY, time(18)))
    keep(world)
    assert look(world, one).state is S.SEEN


def test_somebody_chooses_the_time(world: World) -> None:
    shown = clinic(world)
    one = book(world, shown.id, at=at(DAY, time(9)))
    assert (one.queue_number, one.starts_at) == (2, at(DAY, time(9)))
    assert book(world, shown.id, "worker_2", at=at(DAY, time(9))) == ClinicFull(0)
    assert book(world, shown.id, "worker_2").queue_number == 1


def test_nothing_is_booked_twice_or_beside_the_rules(world: World) -> None:
    shown = clinic(world)
    far = publish(world, replace(PLAN, number="X2", day=DAY + timedelta(days=30))).clinics[0]
    assert book(world, far.id) == ClinicNotOpenYet(at(date(2026, 7, 11), time(7)))
    assert book(world, "nothing") == ClinicNotFound()
    one = book(world, shown.id)
    other = publish(world, replace(PLAN, number="X3", doctor_code="D8")).clinics[0]
    assert book(world, other.id) == BookedAlready("心血管内科")
    rules(world, one_per=OnePer.DOCTOR)
    assert book(world, other.id).state is S.BOOKED
    book(world, shown.id, "worker_2")
    assert book(world, shown.id, "worker_3") == ClinicFull(0)
    change(world, service.cancel, one)
    assert free(world, shown.id) == 1
    key = new_key()
    again = book(world, shown.id, "worker_3", key=key)
    assert again.queue_number == 1
    assert book(world, shown.id, "worker_3", key=key) == again
    later(world, at(DAY, time(10)))
    assert book(world, shown.id, "worker_4") == ClinicNotFound()


def test_young_patients_are_told_where_they_can_go(world: World) -> None:
    shown = clinic(world)
    assert book(world, shown.id, "child_3", by="worker") == NotPermitted("BOOK")
    made = request(world, "worker", "child_3", relation=Relation.CHILD, promise=True)
    world.database.write(lambda u: proxies.approve_at_desk(u, "chen", made.id))
    assert book(world, shown.id, "child_3", by="worker") == TooYoung(14)
    rules(world, minimum_age=11)
    assert book(world, shown.id, "child_3", by="worker").state is S.BOOKED


def test_a_relative_books_and_cancels_and_a_stranger_does_not(world: World) -> None:
    shown = clinic(world)
    assert book(world, shown.id, "retiree", by="worker") == NotPermitted("BOOK")
    bound(world, "worker", "retiree")
    one = book(world, shown.id, "retiree", by="worker")
    assert one.state is S.BOOKED
    assert change(world, service.cancel, one, by="worker_2") == AppointmentNotFound()
    assert change(world, service.cancel, one, by="worker").state is S.CANCELLED
    assert free(world, shown.id) == 2


def paid_first(world: World, **changes: Any) -> ClinicView:
    return clinic(world, {"pay_first": True}, **changes)


def bill_of(world: World, one: Any, who: str) -> Any:
    world.prove(who, Proof.SMS_CODE)
    command = TakeCharge(
        world.actor(who), world.person(who), "", one.charge_id, True, None, new_key()
    )
    return world.do(charges.take_charge, command)


def buys_seat(world: World, channel: ScriptedChannel, shown: ClinicView, who: str) -> Any:
    one = book(world, shown.id, who)
    order = drive(world, channel, pay(world, who, bill_id=bill_of(world, one, who).id).id)
    if order.cash_fen:
        calls_back(world, channel, order)
        order = drive(world, channel, order.id)
    keep(world)
    return look(world, one), order


def test_a_seat_that_is_paid_first_is_held_paid_and_given_back_with_its_fee(
    world: World, channel: ScriptedChannel
) -> None:
    shown = paid_first(world)
    one = book(world, shown.id, "pool_only")
    assert (one.state, one.hold_until) == (S.HELD, world.clock.now() + timedelta(minutes=15))
    assert change(world, service.confirm, one, "pool_only") == FeeUnpaid()
    bill = bill_of(world, one, "pool_only")
    assert bill.outcome.cash_fen == 5000
    order = drive(world, channel, pay(world, "pool_only", bill_id=bill.id).id)
    assert change(world, service.cancel, one, "pool_only") == AppointmentBeingPaid()
    later(world, one.hold_until + timedelta(seconds=1))
    keep(world)
    assert look(world, one).state is S.HELD  # the money may be on its way
    calls_back(world, channel, order)
    assert drive(world, channel, order.id).state is OrderState.SETTLED
    keep(world)
    assert look(world, one).state is S.BOOKED
    assert messages(world)[-1][0] == "appointment_booked"
    later(world, at(date(2026, 6, 17), time(16)))  # another day: no till could take it back
    back = change(world, service.cancel, one, "pool_only")
    assert (back.state, back.refund) == (S.CANCELLED, RefundState.DUE)
    assert free(world, shown.id) == 2
    keep(world)
    assert look(world, one).refund is RefundState.DONE
    for _ in range(3):
        driving.drive_due(world.database, {ChannelName.WECHAT: channel})
        world.clock.forward(seconds=10)
    assert seen(world, order.id).state is OrderState.RETURNED
    at_rest(world, channel, 0)


def test_a_seat_that_nobody_pays_for_goes_to_somebody_else(world: World) -> None:
    shown = paid_first(world, blocks=(SeatBlock(time(8), time(9), 1),))
    one = book(world, shown.id)
    bill = bill_of(world, one, "worker")
    assert book(world, shown.id, "worker_2") == ClinicFull(0)
    later(world, one.hold_until)
    keep(world)
    assert look(world, one).state is S.LAPSED
    assert messages(world)[-1][0] == "appointment_lapsed"
    assert pay(world, "worker", bill_id=bill.id) == BillNotOpen(BillState.SUPERSEDED)
    assert book(world, shown.id, "worker_2").state is S.HELD
    assert book(world, shown.id, "not_insured") == ClinicFull(0)


def test_a_charge_that_the_hospital_took_away_keeps_no_seat(world: World) -> None:
    shown = paid_first(world)
    one = book(world, shown.id)
    gone = WithdrawCharge(world.terminal(LEVEL_3), one.charge_id, new_key())
    assert isinstance(world.do(charges.withdraw_charge, gone), ChargeView)
    later(world, one.hold_until)
    keep(world)
    assert look(world, one).state is S.LAPSED
    assert free(world, shown.id) == 2


def test_who_is_not_insured_cannot_hold_what_they_cannot_pay(world: World) -> None:
    assert book(world, paid_first(world).id, "not_insured") == NotInsured()
    assert book(world, clinic(world).id, "not_insured").state is S.BOOKED


def test_cancelling_a_held_seat_takes_its_charge_away(world: World) -> None:
    shown = paid_first(world)
    one = book(world, shown.id)
    bill = bill_of(world, one, "worker")
    assert change(world, service.cancel, one).refund is RefundState.NONE
    assert pay(world, "worker", bill_id=bill.id) == BillNotOpen(BillState.SUPERSEDED)
    assert free(world, shown.id) == 2
    again = book(world, shown.id)  # it was never booked, and counts as no cancelling
    assert again.state is S.HELD


def test_a_doctor_who_cannot_come_gives_everybody_their_fee_back(
    world: World, channel: ScriptedChannel
) -> None:
    shown = paid_first(world, blocks=(SeatBlock(time(8), time(9), 2),))
    one, order = buys_seat(world, channel, shown, "pool_only")
    assert (one.state, order.state) == (S.BOOKED, OrderState.SETTLED)
    held = book(world, shown.id, "worker")
    bill = bill_of(world, held, "worker")
    assert join(world, shown.id, "worker_2").state is W.WAITING
    told = len(messages(world))
    assert stop(world).stopped
    assert stop(world) == ClinicNotFound()
    assert book(world, shown.id, "worker_3") == ClinicNotFound()
    keep(world)
    assert [look(world, x).state for x in (one, held)] == [S.STOPPED, S.STOPPED]
    assert look(world, one).refund is RefundState.DONE
    assert waits(world, "worker_2") == [W.CLOSED]
    kinds = [kind for kind, _ in messages(world)[told:]]
    assert sorted(kinds) == ["cash_returning", "clinic_stopped", "clinic_stopped", "fee_returned"]
    assert pay(world, "worker", bill_id=bill.id) == BillNotOpen(BillState.SUPERSEDED)
    again = publish(world, PLAN)
    assert again == ClinicInvalid("X1", ClinicProblem.STOPPED)


def test_a_fee_that_cannot_go_back_says_why_and_is_tried_again(
    world: World, channel: ScriptedChannel
) -> None:
    shown = paid_first(world)
    one, _ = buys_seat(world, channel, shown, "pool_only")
    visit = world.scan("pool_only", LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT)
    other = world.presettle(visit.token, line(VISIT, "1", "900.00"), at=LEVEL_3)
    drive(world, channel, pay(world, "pool_only", bill_id=other.id).id)
    change(world, service.cancel, one, "pool_only")
    keep(world)
    stuck = look(world, one)
    assert stuck.refund is RefundState.DUE
    assert "支付" in stuck.refund_problem
    world.clock.forward(seconds=3600)
    drive_all(world, channel, 1200)  # the other payment is given up
    keep(world)
    assert (look(world, one).refund, look(world, one).refund_problem) == (RefundState.DONE, "")


def test_what_the_window_took_in_cash_is_given_back_there(world: World) -> None:
    shown = paid_first(world)
    one = book(world, shown.id, "pool_only")
    bill = bill_of(world, one, "pool_only")
    assert world.settle(bill.id, at=LEVEL_3).cash_fen == 5000
    keep(world)
    assert look(world, one).state is S.BOOKED
    change(world, service.cancel, one, "pool_only")
    keep(world)
    assert look(world, one).refund is RefundState.AT_COUNTER
    assert messages(world)[-1][0] == "fee_at_counter"


def test_cancelling_has_its_time(world: World) -> None:
    shown = clinic(world)
    one = book(world, shown.id)
    later(world, one.cancel_by + timedelta(seconds=1))
    assert change(world, service.cancel, one) == CancelTooLate(one.cancel_by)
    assert change(world, service.cancel, one, "worker_2") == AppointmentNotFound()
    assert receive(world, one, E.CANCEL, "H51010400002") == AppointmentNotFound()
    assert receive(world, one, E.MISS) == AppointmentNotFound()
    done = receive(world, one, E.CANCEL)  # the window can
    assert (done.state, messages(world)[-1][0]) == (S.CANCELLED, "appointment_cancelled")
    two = book(world, shown.id)
    assert two.state is S.BOOKED  # the hospital's own cancelling counts for nothing
    ordinary = publish(
        world, replace(PLAN, number="X4", kind=ClinicKind.ORDINARY, department_code="0302")
    ).clinics[0]
    third = book(world, ordinary.id, at=at(DAY, time(9)))
    assert third.cancel_by == at(DAY, time(8, 30))


def test_who_misses_or_cancels_too_often_is_barred_for_a_while(world: World) -> None:
    rules(world)
    missed = []
    for number in range(3):
        day = DAY + timedelta(days=number)
        shown = publish(world, replace(PLAN, number=f"M{number}", day=day)).clinics[0]
        missed.append(book(world, shown.id))
    later(world, at(date(2026, 6, 20), time(23)))
    keep(world)
    assert {look(world, one).state for one in missed} == {S.MISSED}
    next_one = publish(world, replace(PLAN, number="M9", day=date(2026, 6, 23))).clinics[0]
    assert book(world, next_one.id) == BookingBarred(BarReason.MISSED, date(2026, 7, 20))
    assert join(world, next_one.id, "worker") == BookingBarred(BarReason.MISSED, date(2026, 7, 20))
    assert receive(world, missed[0], E.CORRECT).state is S.SEEN  # they were there after all
    assert book(world, next_one.id).state is S.BOOKED
    assert receive(world, missed[1], E.EXCUSE).state is S.CANCELLED

    for number in range(3):
        day = date(2026, 6, 24) + timedelta(days=number)
        shown = publish(world, replace(PLAN, number=f"C{number}", day=day)).clinics[0]
        change(world, service.cancel, book(world, shown.id, "worker_2"), "worker_2")
    end = BookingBarred(BarReason.CANCELLED, date(2026, 6, 30))
    assert book(world, next_one.id, "worker_2") == end
    token = world.scan("worker_2", LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT).token
    assert at_window(world, token, "M9").state is S.BOOKED  # the window turns nobody away


def at_window(world: World, token: str, number: str = "X1", **more: Any) -> Any:
    command = BookAtWindow(
        world.terminal(LEVEL_3), token, number, more.get("at"), more.get("key") or new_key()
    )
    return world.do(service.book_at_window, command)


def test_the_window_books_its_own_seats_for_whoever_comes(world: World) -> None:
    shown = paid_first(world)
    token = world.scan("elder_no_phone", LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT).token
    assert at_window(world, "nothing") == GrantNotValid()
    assert at_window(world, token, "X9") == ClinicNotFound()
    one = at_window(world, token)
    assert (one.state, one.queue_number, one.charge_id) == (S.BOOKED, 3, None)
    assert at_window(world, token) == BookedAlready("心血管内科")
    assert free(world, shown.id) == 2
    two = world.scan("retiree", LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT).token
    assert at_window(world, two, at=at(DAY, time(8))).queue_number == 1
    for who in ("worker", "worker_2"):
        book(world, shown.id, who)
    three = world.scan("retiree_2", LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT).token
    assert at_window(world, three) == ClinicFull(0)


def test_freed_seats_go_to_who_waits_in_their_order(world: World) -> None:
    shown = clinic(world, blocks=(SeatBlock(time(8), time(9), 1, 0),))
    assert join(world, shown.id, "worker_2") == WaitingNotPossible()  # there is a seat
    one = book(world, shown.id)
    first = join(world, shown.id, "worker_2")
    second = join(world, shown.id, "worker_3")
    assert (first.ahead, second.ahead) == (0, 1)
    assert join(world, shown.id, "worker_4") == WaitingNotPossible()  # it takes two
    assert join(world, shown.id, "worker_2") == BookedAlready("心血管内科")
    change(world, service.cancel, one)
    assert book(world, shown.id, "worker_4") == ClinicFull(2)  # before its turn
    keep(world)
    assert waits(world, "worker_2") == [W.OFFERED]
    [offer] = world.database.read(lambda u: queries.of_person(u, world.person("worker_2"), None, 9))
    assert (offer.state, offer.hold_until) == (
        S.HELD,
        world.clock.now() + timedelta(minutes=30),
    )
    assert messages(world)[-1][0] == "seat_offered"
    later(world, offer.hold_until)
    keep(world)
    assert waits(world, "worker_2") == [W.PASSED]
    assert waits(world, "worker_3") == [W.OFFERED]
    [offer] = world.database.read(lambda u: queries.of_person(u, world.person("worker_3"), None, 9))
    assert change(world, service.confirm, offer, "worker_3").state is S.BOOKED
    assert waits(world, "worker_3") == [W.TAKEN]
    assert leave(world, second, "worker_3") == WaitingNotFound()


def leave(world: World, place: Any, by: str) -> Any:
    return world.do(waiting.leave, LeaveWaiting(world.actor(by), place.id, new_key()))


def test_an_offer_in_the_night_stands_until_the_morning(world: World) -> None:
    shown = clinic(world, blocks=(SeatBlock(time(8), time(9), 1),))
    one = book(world, shown.id)
    place = join(world, shown.id, "worker_2")
    later(world, at(date(2026, 6, 16), time(23)))
    change(world, service.cancel, one)
    keep(world)
    [offer] = world.database.read(lambda u: queries.of_person(u, world.person("worker_2"), None, 9))
    assert offer.hold_until == at(date(2026, 6, 17), time(7, 30))
    assert leave(world, place, "worker_2") == WaitingNotFound()  # it is cancelled as any other
    assert change(world, service.cancel, offer, "worker_2").state is S.CANCELLED
    assert waits(world, "worker_2") == [W.PASSED]
    assert free(world, shown.id) == 1


def test_a_list_ends_with_its_clinic_and_may_be_left(world: World) -> None:
    shown = clinic(world, blocks=(SeatBlock(time(8), time(9), 1),))
    book(world, shown.id)
    gone, stays = join(world, shown.id, "worker_2"), join(world, shown.id, "worker_3")
    assert leave(world, gone, "worker_4") == WaitingNotFound()
    assert leave(world, gone, "worker_2").state is W.LEFT
    assert stays.state is W.WAITING
    later(world, at(DAY, time(9)))
    keep(world)
    assert waits(world, "worker_3") == [W.CLOSED]


def test_a_hospital_changes_its_clinics_and_keeps_what_it_promised(world: World) -> None:
    shown = clinic(world)
    book(world, shown.id)
    bad = {
        ClinicProblem.NAMES: replace(PLAN, department=""),
        ClinicProblem.DAY: replace(PLAN, day=date(2026, 6, 14)),
        ClinicProblem.SEATS: replace(PLAN, blocks=()),
        ClinicProblem.TIMES: replace(
            PLAN, blocks=(SeatBlock(time(9), time(10), 1), SeatBlock(time(8), time(9), 1))
        ),
        ClinicProblem.FEE: replace(PLAN, fee_code="nothing"),
        ClinicProblem.TAKEN: replace(PLAN, blocks=(SeatBlock(time(8), time(8, 30), 3),)),
    }
    for problem, plan in bad.items():
        assert publish(world, plan) == ClinicInvalid("X1", problem)
    assert publish(world) == ClinicInvalid("-", ClinicProblem.NONE)
    assert publish(world, PLAN, PLAN) == ClinicInvalid("X1", ClinicProblem.NONE)
    assert publish(world, replace(PLAN, number="X0"), bad[ClinicProblem.FEE]) == ClinicInvalid(
        "X1", ClinicProblem.FEE
    )
    assert (
        len(world.database.read(lambda u: queries.clinics(u, shown.institution.id, (DAY, DAY))))
        == 1
    )
    told = len(messages(world))
    wider = replace(
        PLAN,
        doctor="另示例",
        blocks=(SeatBlock(time(8), time(9), 1), SeatBlock(time(9), time(11), 9)),
    )
    [now] = publish(world, wider).clinics
    assert (now.id, now.seats, now.free, now.doctor) == (shown.id, 10, 9, "另示例")
    [(kind, said)] = messages(world)[told:]
    assert (kind, said["doctor"]) == ("clinic_changed", "另示例")
    [again] = publish(world, wider).clinics
    assert again.free == 9
    assert len(messages(world)) == told + 1


@pytest.mark.parametrize("begins", [time(8, 0, 30), time(8, 0, 0, 1)])
def test_a_clinic_begins_and_ends_on_whole_minutes(world: World, begins: time) -> None:
    rules(world)
    plan = replace(PLAN, blocks=(SeatBlock(begins, time(9), 1),))
    assert publish(world, plan) == ClinicInvalid("X1", ClinicProblem.TIMES)
    place = world.terminal(LEVEL_3).institution_id
    assert world.database.read(lambda u: queries.clinics(u, place, (DAY, DAY))) == []


def test_rules_make_sense_or_stay_as_they_were(world: World) -> None:
    assert publish(world, PLAN) == ClinicInvalid("X1", ClinicProblem.NO_RULES)
    bad: dict[RulesProblem, dict[str, Any]] = {
        RulesProblem.HORIZON: {"horizon_days": 0},
        RulesProblem.HOLD: {"hold_minutes": 4},
        RulesProblem.AGE: {"minimum_age": 19},
        RulesProblem.CANCEL: {"cancel_expert": CancelRule(time(9), minutes_before=5)},
        RulesProblem.BAR: {"missed": (BarRule(0, 30, 30),)},
        RulesProblem.WAITING: {"waiting_max": 501},
    }
    for problem, changes in bad.items():
        assert rules(world, **changes) == BookingRulesInvalid(problem)
    place = world.terminal(LEVEL_3).institution_id
    assert world.database.read(lambda u: queries.rules_of(u, place)) is None
    assert rules(world).rules == RULES
    assert rules(world, horizon_days=14).rules.horizon_days == 14
    found = world.database.read(lambda u: queries.rules_of(u, place))
    assert found is not None
    assert found.rules.horizon_days == 14
    shown = world.database.read(lambda u: queries.hospitals(u, "510100", 9))
    assert [one.code for one in shown] == [LEVEL_3]
    actor = SetRules(world.actor("worker"), RULES, new_key())
    assert world.do(clinics.set_rules, actor) == SignInRequired()
    pharmacy = SetRules(world.terminal(), RULES, new_key())
    assert world.do(clinics.set_rules, pharmacy) == PurposeNotHere("OUTPATIENT_SETTLEMENT")
