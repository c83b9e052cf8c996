"""Many callers in the same moment, on both databases: one wins, and nothing is counted twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import time
from functools import partial
from typing import Any

import pytest

from backend.appointments import service as appointments
from backend.appointments.clinic_contracts import SeatBlock
from backend.appointments.contracts import (
    AppointmentState,
    AppointmentView,
    BookedAlready,
    ClinicFull,
)
from backend.appointments.keeping import advance_appointments
from backend.codes.contracts import CodeUsed
from backend.identity.safety_contracts import Proof
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.orders import driving
from backend.orders import queries as order_queries
from backend.orders import service as orders
from backend.orders.contracts import (
    CancelOrder,
    ChannelName,
    OrderEvent,
    OrderState,
    OrderView,
    PayBill,
)
from backend.payments.contracts import BillNotOpen, BillOutdated, ScannedCode
from backend.settlement.contracts import SettlementView, TraceCodeSold
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_appointments import book, change, clinic, free, keep, look, stop
from tests.world import EJIAO, IBUPROFEN, LEVEL_3, OTHER_PHARMACY, PHARMACY, World, line, new_key

_THREADS = 8


def together(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run acts at the same moment and return their outcomes in order."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def kinds(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def test_two_terminals_scan_one_code(world: World) -> None:
    for at in (PHARMACY, OTHER_PHARMACY):
        world.terminal(at)
    for _ in range(5):
        text = world.issue("worker").text
        acts = [
            lambda at=at, text=text: world.scan_text(text, at)
            for at in (PHARMACY, OTHER_PHARMACY) * (_THREADS // 2)
        ]
        outcomes = together(acts)
        assert kinds(outcomes) == {ScannedCode.__name__: 1, CodeUsed.__name__: _THREADS - 1}


def test_one_key_from_many_threads_books_once(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "100.00"))
    before, key = world.balance("worker") or 0, new_key()
    outcomes = together([lambda: world.settle(bill.id, key=key)] * _THREADS)
    assert kinds(outcomes) == {SettlementView.__name__: _THREADS}
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert world.balance("worker") == before - 10000
    assert world.faults() == []


def test_many_keys_for_one_bill_book_once(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "100.00"))
    outcomes = together([lambda: world.settle(bill.id)] * _THREADS)
    assert kinds(outcomes) == {SettlementView.__name__: 1, BillNotOpen.__name__: _THREADS - 1}
    assert world.faults() == []


def test_one_pack_at_many_tills(world: World) -> None:
    pack = line(IBUPROFEN, "1", "50.00")
    people = [f"worker_{n}" for n in range(2, 10)]
    bills = [world.bill(who, pack) for who in people]
    outcomes = together([lambda b=bill: world.settle(b.id) for bill in bills])
    assert kinds(outcomes) == {SettlementView.__name__: 1, TraceCodeSold.__name__: 7}
    assert world.faults() == []


def test_many_bills_of_one_person_share_one_deductible(world: World) -> None:
    bills = [world.bill("worker", line(IBUPROFEN, "1", "150.00")) for _ in range(4)]
    outcomes = together([lambda b=bill: world.settle(b.id) for bill in bills])
    assert kinds(outcomes) == {SettlementView.__name__: 1, BillOutdated.__name__: 3}
    assert world.used("worker").deductible_fen == 15000
    assert world.faults() == []


def test_reversed_many_times_at_once(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    outcomes = together([lambda: world.reverse(settled.id)] * _THREADS)
    assert kinds(outcomes) == {"SettlementView": 1, "AlreadyReversed": _THREADS - 1}
    assert world.used("worker").deductible_fen == 0
    assert world.faults() == []


def test_strangers_do_not_deadlock(world: World) -> None:
    people = [f"worker_{n}" for n in range(2, 10)]

    def shop(who: str) -> list[Any]:
        bought = [world.buy(who, line(IBUPROFEN, "1", "60.00")) for _ in range(3)]
        return [world.reverse(settled.id) for settled in reversed(bought)]

    for who in people:
        world.actor(who)
    world.terminal()
    reversals = together([lambda w=who: shop(w) for who in people])
    assert kinds([r for shopped in reversals for r in shopped]) == {"SettlementView": 24}
    assert world.faults() == []


def test_one_bill_is_paid_once_however_often_it_is_tapped(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "20.00"), line(EJIAO, "1", "98.00"))
    world.prove("worker", Proof.SMS_CODE)
    taps = [PayBill(world.actor("worker"), bill.id, ChannelName.WECHAT, new_key()) for _ in "12345"]
    outcomes = together(
        [lambda tap=tap: world.do(orders.pay_bill, tap) for tap in taps]
        + [lambda: world.settle(bill.id)]
    )
    paying = kinds(outcomes)
    assert paying[OrderView.__name__] + paying[SettlementView.__name__] == 1
    assert paying["PaymentUnderWay"] + paying["BillNotOpen"] == len(outcomes) - 1
    assert world.faults() == []


@pytest.mark.parametrize("key", ["worker_2", "worker_3", "worker_4"])
def test_callbacks_looks_and_a_cancellation_in_one_moment(world: World, key: str) -> None:
    channel = ScriptedChannel(world.clock)
    channels = {ChannelName.WECHAT: channel}
    bill = world.bill(key, line(IBUPROFEN, "1", "300.00"), line(EJIAO, "1", "98.00"))
    world.prove(key, Proof.SMS_CODE)
    tap = PayBill(world.actor(key), bill.id, ChannelName.WECHAT, new_key())
    order = world.do(orders.pay_bill, tap)
    driving.drive(world.database, channels, order.id)
    said = channel.pays(order.number)
    cancel = CancelOrder(world.actor(key), order.id, new_key())
    callback = partial(world.database.write, lambda u: orders.note_cash(u, order.id, said))
    look = partial(driving.drive, world.database, channels, order.id)
    together([*[callback] * 3, *[look] * 3, partial(world.do, orders.cancel_order, cancel)])
    look()
    done = world.database.read(lambda u: order_queries.order(u, order.id))
    assert done is not None
    assert done.state in (OrderState.SETTLED, OrderState.RETURNED), done
    assert [one.event for one in done.steps].count(OrderEvent.PAY) == 1
    assert world.faults() == []
    assert world.database.read(order_queries.verify) == []
    kept = world.database.read(lambda u: ledger.sum_of(u, accounts.channel("WECHAT")))
    assert kept == -channel.kept()


def test_a_rush_for_an_experts_seats_sells_each_once(world: World) -> None:
    """``make rush`` does the same with 5,000 people over HTTP."""
    shown = clinic(world, blocks=(SeatBlock(time(8), time(9), 5), SeatBlock(time(9), time(10), 2)))
    keys = [f"worker_{number}" for number in range(2, 11)]
    keys += [f"retiree_{number}" for number in range(2, 5)] + ["worker", "retiree", "several"]
    for key in keys:
        world.actor(key)
    outcomes = together([partial(book, world, shown.id, key) for key in keys])
    assert kinds(outcomes) == {AppointmentView.__name__: 7, ClinicFull.__name__: len(keys) - 7}
    numbers = [one.queue_number for one in outcomes if isinstance(one, AppointmentView)]
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6, 7]
    assert free(world, shown.id) == 0


def test_one_person_books_once_from_many_devices(world: World) -> None:
    shown = clinic(world)
    world.actor("worker")
    outcomes = together([partial(book, world, shown.id)] * _THREADS)
    assert kinds(outcomes) == {
        AppointmentView.__name__: 1,
        BookedAlready.__name__: _THREADS - 1,
    }
    assert free(world, shown.id) == 1


def test_a_seat_is_cancelled_and_its_clinic_stopped_in_one_moment(world: World) -> None:
    shown = clinic(world)
    one = book(world, shown.id)
    world.terminal(LEVEL_3)
    acts = [
        partial(change, world, appointments.cancel, one),
        partial(stop, world),
        partial(advance_appointments, world.database),
        partial(advance_appointments, world.database),
    ]
    together(acts)
    keep(world)
    assert look(world, one).state in (AppointmentState.CANCELLED, AppointmentState.STOPPED)
    assert len(look(world, one).steps) == 1
