"""Alerts on real databases: what tills settle and try, payments that wait, and inspectors who judge."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from backend.access.contracts import DutyMissing
from backend.codes.contracts import Purpose
from backend.desk import alerts
from backend.kernel.money import Fen
from backend.payments import queries as bills
from backend.payments.contracts import (
    BillRefused,
    BillState,
    ConfirmReason,
    PatientMustConfirm,
)
from backend.people import service as people
from backend.settlement.contracts import SettlementView, TraceCodeSold
from backend.supervision.contracts import (
    AlertEvent,
    AlertNotFound,
    AlertState,
    AlertView,
    AlertWordsMissing,
    Monitor,
    PaymentHeld,
    SightingOf,
    WorkAlert,
)
from backend.supervision.service import examine_due, examine_left
from tests.usecases.test_relatives import bound, code_for, may_pay
from tests.usecases.test_safety import messages
from tests.world import BEIJING, IBUPROFEN, OTHER_PHARMACY, World, line, trace_code

E = AlertEvent
HOSPITAL = Purpose.OUTPATIENT_SETTLEMENT


def raised(world: World, by: str = "JG5101") -> list[AlertView]:
    inspector = world.staff(by)
    return world.database.read(lambda u: alerts.waiting(u, inspector, 50))


def work(
    world: World, alert: AlertView, event: E, by: str = "JG5101", words: str = "已核查"
) -> Any:
    return world.do(alerts.work, WorkAlert(world.staff(by), alert.id, event, words))


def relayed_bill(world: World, who: str = "worker") -> Any:
    """Return a bill in Chengdu of somebody whose code was scanned in Beijing ten minutes ago."""
    world.scan(who, BEIJING, HOSPITAL)
    world.clock.forward(minutes=10)
    return world.bill(who, line(IBUPROFEN, "1", "12.00"))


def test_a_payment_waits_and_goes_on_after_a_false_alarm(world: World) -> None:
    before = world.money()
    bill = relayed_bill(world)
    assert bill.confirm_reason is ConfirmReason.SUPERVISED
    [alert] = raised(world)
    assert (alert.monitor, alert.state) == (Monitor.TRAVEL, AlertState.RAISED)
    assert alert.held_until == world.clock.now() + timedelta(hours=24)
    [seen] = alert.sightings
    assert (seen.of, seen.sale_id, seen.total_fen) == (SightingOf.BILL, bill.id, 1_200)
    assert seen.said[0].startswith("10 分钟前该参保人的码在北京市示例医院被扫描，两地直线距离 15")
    assert (seen.rule, seen.provisional) == ("CN-SV/travel_effect", True)
    assert messages(world)[-1][0] == "payment_held"
    assert isinstance(world.settle(bill.id), PatientMustConfirm)
    world.decide("worker", bill.id, accept=True)
    held = world.settle(bill.id)
    assert held == PaymentHeld(alert.id, Monitor.TRAVEL, alert.held_until)
    assert world.money() == before
    world.clock.forward(
        hours=2
    )  # a bill is open for minutes; one that waits, for as long as it does
    taken = work(world, alert, E.TAKE)
    assert (taken.state, taken.handler) == (AlertState.TAKEN, "JG5101")
    assert isinstance(world.settle(bill.id), PaymentHeld)
    assert work(world, alert, E.DISMISS).state is AlertState.FALSE_ALARM
    assert messages(world)[-1][0] == "payment_released"
    settled = world.settle(bill.id)
    assert isinstance(settled, SettlementView)
    assert settled.total_fen == 1_200
    assert examine_due(world.database) == 1
    assert raised(world) == []  # the same rule leaves the person in peace
    assert world.faults() == []


def test_a_violation_refuses_the_payment(world: World) -> None:
    bill = relayed_bill(world)
    world.decide("worker", bill.id, accept=True)
    before = world.money()
    [alert] = raised(world)
    work(world, alert, E.TAKE)
    assert work(world, alert, E.FIND_VIOLATION, words="") == AlertWordsMissing()
    judged = work(world, alert, E.FIND_VIOLATION, words="持码人称码被他人骗取")
    assert (judged.state, judged.words) == (AlertState.VIOLATION, "持码人称码被他人骗取")
    assert messages(world)[-1][0] == "payment_refused"
    assert world.settle(bill.id) == BillRefused()
    assert world.money() == before
    again = world.bill("worker", line(IBUPROFEN, "1", "12.00"))  # it is no acquittal
    assert again.confirm_reason is ConfirmReason.SUPERVISED
    assert len(raised(world)) == 1


def test_a_held_bill_runs_out_with_its_day(world: World) -> None:
    bill = relayed_bill(world)
    world.clock.forward(hours=24)
    world._terminals.clear()
    assert world.settle(bill.id).code() == "BILL_EXPIRED"
    shown = world.database.read(lambda u: bills.bill(u, bill.id))
    assert shown.state is not BillState.SETTLED


def test_who_works_alerts(world: World) -> None:
    relayed_bill(world)
    [alert] = raised(world)
    assert isinstance(work(world, alert, E.TAKE, "CD1003"), DutyMissing)
    assert raised(world, "CD1003") == []
    assert work(world, alert, E.DISMISS) == AlertNotFound()  # not taken yet
    work(world, alert, E.TAKE, "JG1001")
    assert work(world, alert, E.TAKE) == AlertNotFound()
    assert work(world, alert, E.DISMISS) == AlertNotFound()  # another has taken it
    back = work(world, alert, E.HAND_BACK, "JG1001")
    assert (back.state, back.handler) == (AlertState.RAISED, "")
    inspector = world.staff("JG1001")
    shown = world.database.read(lambda u: alerts.alert(u, inspector, alert.id))
    assert shown == back
    rates = {one.monitor: one for one in world.database.read(lambda u: alerts.rates(u, inspector))}
    assert (rates[Monitor.TRAVEL].raised, rates[Monitor.TRAVEL].false_alarms) == (1, 0)


def test_a_code_on_a_relatives_phone_is_no_journey(world: World) -> None:
    may_pay(world, "worker", bound(world, "worker_2", "worker").id, 5_000)
    world.scan("worker", BEIJING, HOSPITAL)
    world.clock.forward(minutes=31)  # the guard against another place looks half an hour back
    token = world.scan_text(code_for(world, "worker_2", "worker").text).token
    bill = world.presettle(token, line(IBUPROFEN, "1", "12.00"))
    assert bill.confirm_reason is None
    assert raised(world) == []


def test_a_pack_that_another_shop_has_sold(world: World) -> None:
    pack = trace_code()
    sold = world.buy("worker", line(IBUPROFEN, "1", "12.00", trace_codes=(pack,)))
    token = world.scan("worker_2", OTHER_PHARMACY).token
    tried = world.presettle(
        token, line(IBUPROFEN, "1", "12.00", trace_codes=(pack,)), at=OTHER_PHARMACY
    )
    assert isinstance(tried, TraceCodeSold)
    [alert] = raised(world)
    assert (alert.monitor, alert.trace_code, alert.person_name) == (
        Monitor.TRACE_TWICE,
        pack,
        None,
    )
    assert [one.of for one in alert.sightings] == [SightingOf.ATTEMPT]
    assert alert.sightings[0].others == (sold.id,)
    world.presettle(token, line(IBUPROFEN, "1", "12.00", trace_codes=(pack,)), at=OTHER_PHARMACY)
    assert len(raised(world)[0].sightings) == 1  # once a day and shop
    world.reverse(sold.id)
    world.buy("worker_2", line(IBUPROFEN, "1", "12.00", trace_codes=(pack,)), at=OTHER_PHARMACY)
    examine_due(world.database)
    kinds = {one.of for one in raised(world)[0].sightings}
    assert kinds == {SightingOf.ATTEMPT, SightingOf.SETTLEMENT}


def test_the_same_shop_scanning_a_pack_again_is_told_so_and_nobody_else(world: World) -> None:
    pack = trace_code()
    world.buy("worker", line(IBUPROFEN, "1", "12.00", trace_codes=(pack,)))
    token = world.scan("worker_2").token
    world.presettle(token, line(IBUPROFEN, "1", "12.00", trace_codes=(pack,)))
    assert raised(world) == []


def test_what_was_settled_is_looked_at_once(world: World) -> None:
    for packs in ("6", "6", "6"):
        world.buy("worker", line(IBUPROFEN, packs, "10.00"))
        world.clock.forward(hours=13)
        world._terminals.clear()
    assert examine_due(world.database) == 0  # it looks back over minutes
    assert examine_left(world.database) == 3
    assert examine_left(world.database) == 0
    [alert] = raised(world)
    assert alert.monitor is Monitor.QUANTITY
    assert alert.held_until is None
    assert alert.sightings[0].said[0].endswith("18 盒，超过 15 盒。")
    assert len(alert.sightings[0].others) == 2


def test_split_bills_and_a_bill_that_was_taken_back(world: World) -> None:
    sold = [world.buy("worker", line(IBUPROFEN, "1", "199.00")) for _ in range(3)]
    assert isinstance(world.reverse(sold[2].id), SettlementView)
    examine_due(world.database)
    assert raised(world) == []
    world.buy("worker", line(IBUPROFEN, "1", "199.00"))
    examine_due(world.database)
    [alert] = raised(world)
    assert alert.monitor is Monitor.SPLIT
    assert alert.sightings[0].total_fen == Fen(19_900)


def test_somebody_who_had_died_before(world: World) -> None:
    world.buy("worker", line(IBUPROFEN, "1", "12.00"))
    examine_due(world.database)
    world.clock.forward(days=20)
    world._terminals.clear()
    world._actors.clear()
    person = world.person("worker")
    world.database.write(lambda u: people.record_death(u, "system", person, date(2026, 6, 14)))
    assert examine_left(world.database) == 1
    [alert] = raised(world)
    assert (alert.monitor, alert.person_id) == (Monitor.DEAD, person)
    assert alert.sightings[0].said[1].startswith("The insured person died on 2026-06-14")
    assert examine_left(world.database) == 0
    bill = world.bill("worker", line(IBUPROFEN, "1", "12.00"))
    assert bill.confirm_reason is ConfirmReason.SUPERVISED
    assert len(raised(world)) == 1
