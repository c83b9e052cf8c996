"""Jobs in trouble: gateways that hang, items that fail for ever, clocks past midnight, days of standstill."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import col, select

from backend.applications.outages import notify_outages
from backend.appointments.clinic_contracts import SeatBlock
from backend.appointments.keeping import advance_appointments
from backend.filings import service as filings
from backend.filings import uploads
from backend.filings.contracts import CancelFiling, FilingState, UploadAnswered, UploadDue
from backend.infra import outbox, queue
from backend.infra.database import Unit
from backend.infra.housekeeping import tidy_up
from backend.infra.model import OutboxMessage
from backend.infra.outbox import Channel, Delivery, DeliveryFailed, DeliveryRefused, deliver_due
from backend.infra.queue import Due, advance
from backend.notices.service import take_another_way
from backend.orders import driving, reconciling
from backend.orders.contracts import ChannelName
from backend.orders.model import PaymentOrder
from backend.policies import service as policies
from backend.reports import handling, steps, telling
from backend.reports.contracts import ReportState
from tests.scripted_channel import ScriptedChannel
from tests.usecases import test_appointments as seats
from tests.usecases import test_filings, test_orders, test_reconciling, test_reports
from tests.usecases.test_policies import OPERATOR, AnnounceOutage, Service
from tests.usecases.test_safety import messages
from tests.world import World


def enqueue(world: World, *topics: str, channel: Channel = Channel.SMS) -> None:
    for topic in topics:
        world.database.write(
            lambda u, t=topic: outbox.enqueue(u, channel, t, "code", json.dumps({"to": t}))
        )


def of_channel(channel: Channel) -> Any:
    return (
        select(OutboxMessage)
        .where(OutboxMessage.channel == channel)
        .order_by(col(OutboxMessage.id))
    )


def stored(world: World, channel: Channel = Channel.SMS) -> list[tuple[int, str | None, bool]]:
    """Return attempts, failure and whether it was delivered, of each message."""

    def read(unit: Unit) -> list[tuple[int, str | None, bool]]:
        rows = unit.db.exec(of_channel(channel)).all()
        return [(row.attempts, row.failure, row.delivered_at is not None) for row in rows]

    return world.database.read(read)


def to_of(delivery: Delivery) -> str:
    return str(json.loads(delivery.payload)["to"])


def test_messages_behind_a_gateway_that_hangs_are_given_back_unsent(world: World) -> None:
    """Their lease would have run out before their turn, and another worker would have sent them as well."""
    enqueue(world, "1", "2", "3", "4")
    sent: list[str] = []

    def hang(delivery: Delivery) -> None:
        sent.append(to_of(delivery))
        world.clock.forward(seconds=6)

    assert deliver_due(world.database, Channel.SMS, hang) == 2
    assert stored(world) == [(1, None, True), (1, None, True), (0, None, False), (0, None, False)]
    assert deliver_due(world.database, Channel.SMS, hang) == 2  # at once, and not after a lease
    assert sent == ["1", "2", "3", "4"]


def test_messages_are_given_back_when_the_server_ends(world: World) -> None:
    enqueue(world, "1", "2")
    sent: list[str] = []
    ending = lambda: bool(sent)  # noqa: E731
    send = lambda delivery: sent.append(to_of(delivery))  # noqa: E731
    assert deliver_due(world.database, Channel.SMS, send, ending=ending) == 1
    assert stored(world) == [(1, None, True), (0, None, False)]


def test_a_late_failure_does_not_undo_what_another_worker_delivered(world: World) -> None:
    """A push that hangs past its lease: the other worker has it, and no message goes out beside it."""
    enqueue(world, "1", channel=Channel.PUSH)
    sent: list[str] = []

    def hang(_: Delivery) -> None:
        for _turn in range(3):  # others try it meanwhile, as often as it takes to be given up
            world.clock.forward(seconds=31)
            if not sent:
                deliver_due(
                    world.database, Channel.PUSH, lambda d: sent.append(to_of(d)), take_another_way
                )
        raise DeliveryFailed("timeout")

    deliver_due(world.database, Channel.PUSH, hang, take_another_way)
    assert sent == ["1"]
    assert stored(world, Channel.PUSH) == [(2, None, True)]
    assert stored(world, Channel.SMS) == []


def test_a_message_that_nobody_can_open_stops_no_other(world: World) -> None:
    enqueue(world, "1", "2")

    def break_seal(unit: Unit) -> None:
        unit.db.exec(of_channel(Channel.SMS)).first().topic = "another"

    world.database.write(break_seal)
    sent: list[str] = []
    deliver_due(world.database, Channel.SMS, lambda d: sent.append(to_of(d)))
    assert sent == ["2"]
    assert [one.failure for one in world.database.read(outbox.undelivered)] == ["SealBroken"]


def test_a_message_that_always_fails_in_our_own_code_is_given_up_at_last(world: World) -> None:
    enqueue(world, "1", "2")
    sent: list[str] = []

    def send(delivery: Delivery) -> None:
        if to_of(delivery) == "1":
            raise KeyError("13900000000")
        sent.append(to_of(delivery))

    for _ in range(20):
        deliver_due(world.database, Channel.SMS, send)
        world.clock.forward(minutes=10)
    assert sent == ["2"]
    [given_up] = world.database.read(outbox.undelivered)
    assert (given_up.attempts, given_up.failure) == (outbox.ATTEMPTS_MAX, "KeyError")


def test_an_end_never_overtakes_its_beginning_while_the_platform_hangs(world: World) -> None:
    """Each is taken just before it is told: one that waits its turn is cancelled without a word to anybody."""
    first = test_filings.filed(world, test_filings.JOURNEY, "worker")
    world.clock.forward(seconds=1)
    saved = test_filings.save(world, test_filings.JOURNEY, "worker_2")
    second = test_filings.submit(world, saved, "worker_2")
    told: list[tuple[str, str]] = []

    def hang(due: UploadDue) -> UploadAnswered:
        told.append((due.filing_id, due.operation))
        if len(told) == 1:
            world.clock.forward(seconds=11)
            cancel = CancelFiling(world.actor("worker_2"), second.filing.id)
            gone = world.do(filings.cancel, cancel)
            assert gone.filing.state is FilingState.CANCELLED
        return UploadAnswered(due.filing_id, due.operation, True)

    uploads.upload_due(world.database, hang)
    assert told == [(first.filing.id, "FILE")]


# -- items that fail for ever ----------------------------------------------------------------------


def poisoned(tries: list[datetime], world: World) -> Due:
    def act(unit: Unit, item: str) -> bool:
        if item == "a":
            tries.append(unit.now)
            raise RuntimeError("李样例")
        return False

    return Due(name="test.poison", items=lambda _: ("a", "b"), act=act)


def test_an_item_that_fails_for_ever_is_tried_less_and_less_often(world: World) -> None:
    tries: list[datetime] = []
    due = poisoned(tries, world)
    for _ in range(24 * 360):
        advance(world.database, due)
        world.clock.forward(seconds=10)
        if world.clock.now() - tries[0] > timedelta(hours=3):
            break
    waits = [int((b - a).total_seconds()) for a, b in pairwise(tries)]
    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
    [waiting] = world.database.read(lambda u: queue.postponements(u, 10))
    assert (waiting.job, waiting.item, waiting.failures) == ("test.poison", "a", 11)
    assert waiting.failure == "RuntimeError"  # and nothing of what it said
    world.clock.forward(days=1, hours=2)
    world.database.write(tidy_up)  # it went another way
    assert world.database.read(lambda u: queue.postponements(u, 10)) == []


def test_an_item_that_succeeds_is_forgotten(world: World) -> None:
    failing = [True]

    def act(_unit: Unit, _item: str) -> bool:
        if failing:
            failing.pop()
            raise RuntimeError
        return True

    due = Due(name="test.once", items=lambda _: ("a",), act=act)
    assert advance(world.database, due) == 0
    assert advance(world.database, due) == 0  # it waits
    assert len(world.database.read(lambda u: queue.postponements(u, 10))) == 1
    world.clock.forward(seconds=10)
    assert advance(world.database, due) == 1
    assert world.database.read(lambda u: queue.postponements(u, 10)) == []


def test_one_lease_at_a_time_and_another_worker_once_it_ran_out(world: World) -> None:
    def lease(holder: str) -> bool:
        return world.database.write(
            partial(queue.lease, job="j", holder=holder, lasts=timedelta(seconds=60))
        )

    assert [lease(one) for one in ("a", "b", "a")] == [True, False, True]
    world.clock.forward(seconds=59)
    assert not lease("b")
    world.clock.forward(seconds=1)
    assert [lease(one) for one in ("b", "a")] == [True, False]
    world.database.write(partial(queue.release, job="j", holder="a"))  # not its own
    assert not lease("a")
    world.database.write(partial(queue.release, job="j", holder="b"))
    assert lease("a")


def test_an_order_that_fails_for_ever_is_tried_less_and_less_often(world: World) -> None:
    test_orders.pay(world, "worker")
    tries: list[datetime] = []

    class Broken(ScriptedChannel):
        def ask(self, order: Any) -> Any:
            tries.append(world.clock.now())
            raise KeyError("code_url")

    channels = {ChannelName.WECHAT: Broken(world.clock)}
    for _ in range(30):
        driving.drive_due(world.database, channels)
        world.clock.forward(seconds=10)
    waits = [int((b - a).total_seconds()) for a, b in pairwise(tries)]
    assert waits == [10, 20, 40, 80]


def test_a_report_that_cannot_be_taken_in_keeps_no_other_outside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = (test_reports.lodge(world, who) for who in ("worker", "worker_2"))

    def move(unit: Unit, row: Any, *more: Any) -> None:
        steps.move(unit, row, *more)
        if row.id == broken.report_id:
            raise RuntimeError("after it was written")

    monkeypatch.setattr(handling, "move", move)
    assert world.database.write(handling.take_in) == 1
    assert test_reports.mine(world, broken).state is ReportState.LODGED
    assert test_reports.mine(world, whole).state is ReportState.RECEIVED
    monkeypatch.undo()
    assert world.database.write(handling.take_in) == 1
    assert world.faults() == []


# -- reporters -------------------------------------------------------------------------------------


def marked(world: World, who: str = "worker") -> Any:
    receipt = test_reports.taken_in(world, who)
    test_reports.proven(world, receipt)
    return receipt


def test_a_repeated_notice_to_a_reporter_bears_the_number_of_the_first(world: World) -> None:
    marked(world)
    numbers: list[int] = []

    def lose_answer(delivery: Delivery) -> None:
        numbers.append(delivery.id)
        if len(numbers) == 1:
            raise DeliveryFailed("timeout")

    assert telling.notify_reporters(world.database, lose_answer) == 0
    assert telling.notify_reporters(world.database, lose_answer) == 0  # it waits
    world.clock.forward(seconds=10)
    assert telling.notify_reporters(world.database, lose_answer) == 1
    assert numbers == [numbers[0]] * 2


def test_a_phone_that_is_gone_and_one_that_fails_keep_no_other_reporter_waiting(
    world: World,
) -> None:
    for who in ("worker", "worker_2", "worker_3"):
        marked(world, who)
    phones: list[str] = []

    def send(delivery: Delivery) -> None:
        phones.append(to_of(delivery))
        if len(phones) == 1:
            raise DeliveryRefused("nobody is there any more")
        if len(phones) == 2:
            raise KeyError("a fault of ours")

    assert telling.notify_reporters(world.database, send) == 2
    assert len(set(phones)) == 3
    assert len(world.database.read(telling.reports_due)) == 0  # the one that failed waits
    world.clock.forward(seconds=10)
    assert telling.notify_reporters(world.database, send) == 1
    assert phones[3] == phones[1]


def test_what_happens_while_a_notice_is_on_its_way_is_told_as_well(world: World) -> None:
    receipt = marked(world)

    def more(delivery: Delivery) -> None:
        if len(sent) == 0:
            again = partial(steps.locked, report_id=receipt.report_id)
            world.database.write(lambda u: steps.owe_notice(u, again(u)))  # type: ignore[arg-type]
        sent.append(delivery.id)

    sent: list[str] = []
    telling.notify_reporters(world.database, more)
    telling.notify_reporters(world.database, more)
    telling.notify_reporters(world.database, more)
    assert len(sent) == 2
    assert sent[0] != sent[1]


@pytest.mark.parametrize(
    ("hour", "minute", "told"), [(23, 59, 0), (0, 0, 1), (12, 59, 1), (13, 0, 0)]
)
def test_reporters_are_told_from_eight_to_nine_at_night_in_chengdu(
    world: World, hour: int, minute: int, told: int
) -> None:
    marked(world)
    world.clock.instant = datetime(2026, 6, 16, hour, minute, tzinfo=UTC)
    assert telling.notify_reporters(world.database, lambda _: None) == told


# -- days of standstill ----------------------------------------------------------------------------


def test_a_channel_that_fails_keeps_no_other_from_being_reconciled(world: World) -> None:
    channel = ScriptedChannel(world.clock)
    other = test_orders.pay(world, "worker_2")

    def by_unionpay(unit: Unit) -> None:
        unit.db.get_one(PaymentOrder, other.id).channel = ChannelName.UNIONPAY

    test_reconciling.settled(world, channel)
    test_reconciling.next_morning(world)

    class Broken(ScriptedChannel):
        def file_of(self, day: Any) -> Any:
            raise ValueError("a file that cannot be read")

    world.database.write(by_unionpay)
    channels = {ChannelName.UNIONPAY: Broken(world.clock), ChannelName.WECHAT: channel}
    days = reconciling.reconcile_due(world.database, channels)
    assert [(one.channel, one.differences) for one in days] == [(ChannelName.WECHAT, 0)]
    mended = {ChannelName.UNIONPAY: ScriptedChannel(world.clock)}
    [late] = reconciling.reconcile_due(world.database, mended)  # its day is not lost
    assert late.day == test_reconciling.TODAY


def test_a_job_that_stood_still_for_three_days_catches_up_with_all_of_it(world: World) -> None:
    """More than a page of it, in one run."""
    count = queue.PAGE * 2 + 1
    seen: list[str] = []

    def act(_unit: Unit, item: str) -> bool:
        seen.append(item)
        return False  # it stays due, as what waits for money does

    def items(_unit: Unit) -> Any:
        return select(OutboxMessage.topic).where(OutboxMessage.channel == "SMS")

    enqueue(world, *(f"{number:04}" for number in range(count)))
    world.clock.forward(days=3)
    advance(world.database, Due(name="test.many", items=items, act=act))
    assert seen == [f"{number:04}" for number in range(count)]


def test_an_outage_that_was_ended_before_it_began_is_announced_to_nobody(world: World) -> None:
    world.admit("resident")
    starts = world.clock.now() + timedelta(hours=20)
    command = AnnounceOutage(
        OPERATOR,
        "510100",
        (Service.INPATIENT_SETTLEMENT,),
        starts,
        starts + timedelta(hours=5),
        "升级",
        "请先垫付",
    )
    outage = world.do(policies.announce_outage, command)
    world.database.write(lambda u: policies.end_outage(u, "test", outage.id))
    world.clock.forward(hours=1)
    assert notify_outages(world.database) == 0
    assert "outage_ahead" not in [kind for kind, _ in messages(world)]


def test_nothing_is_reminded_of_at_night_and_once_in_the_morning(world: World) -> None:
    shown = seats.clinic(world, blocks=(SeatBlock(time(14), time(15), 1),))
    seats.book(world, shown.id)
    for day, clock, count in (
        (17, time(21, 0), 0),
        (18, time(0, 0), 0),
        (18, time(7, 59), 0),
        (18, time(8, 0), 1),
        (18, time(8, 1), 1),
    ):
        seats.later(world, seats.at(date(2026, 6, day), clock))
        advance_appointments(world.database)
        assert [kind for kind, _ in messages(world)].count("appointment_soon") == count
