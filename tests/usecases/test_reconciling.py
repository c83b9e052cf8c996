"""Each day's orders against the channel's file: repaired by rule, or queued for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.access.contracts import DutyMissing, Role
from backend.desk import payments as desk_payments
from backend.desk.contracts import CashNotFound
from backend.kernel.money import Fen
from backend.orders import queries, reconciling
from backend.orders.contracts import (
    CashLine,
    ChannelName,
    DayView,
    DifferenceKind,
    LineKind,
    OrderState,
    OrderView,
)
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_orders import at_rest, calls_back, cancel, drive, drive_all, pay, seen
from tests.world import EJIAO, IBUPROFEN, World, line

K = DifferenceKind
TODAY = date(2026, 6, 15)


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def next_morning(world: World, days: int = 1) -> None:
    """Let it be eleven o'clock of a day after."""
    now = world.clock.instant
    world.clock.instant = (now + timedelta(days=days)).replace(hour=3, minute=0)
    world._actors.clear()
    world._terminals.clear()


def reconciled(world: World, channel: ScriptedChannel) -> list[DayView]:
    return reconciling.reconcile_due(world.database, {ChannelName.WECHAT: channel})


def waiting(world: World) -> list[tuple[DifferenceKind, int | None, int | None]]:
    found = world.database.read(lambda u: reconciling.differences(u, 10))
    return [(one.kind, one.ours_fen, one.theirs_fen) for one in found]


def settled(world: World, channel: ScriptedChannel, key: str = "worker") -> OrderView:
    lines = (line(IBUPROFEN, "1", "300.00"), line(EJIAO, "1", "98.00"))
    order = drive(world, channel, pay(world, key, lines=lines).id)
    calls_back(world, channel, order)
    done = drive(world, channel, order.id)
    assert done.state is OrderState.SETTLED
    return done


def test_a_day_on_which_all_agrees(world: World, channel: ScriptedChannel) -> None:
    assert reconciled(world, channel) == []
    settled(world, channel)
    back = settled(world, channel, "worker_2")
    assert back.settlement_id is not None
    world.reverse(back.settlement_id)
    assert drive(world, channel, back.id).state is OrderState.RETURNED
    assert reconciled(world, channel) == []  # the day is not over
    next_morning(world)
    [day] = reconciled(world, channel)
    assert (day.day, day.taken_fen, day.returned_fen, day.lines, day.differences) == (
        TODAY,
        2 * 9800,
        9800,
        3,
        0,
    )
    assert reconciled(world, channel) == []
    assert world.database.read(lambda u: reconciling.days(u, 5)) == [day]


def test_cash_that_nobody_heard_of_goes_back(world: World, channel: ScriptedChannel) -> None:
    """Released, since the channel said that it had no such order; it was paid, and no callback came."""
    order = drive(world, channel, pay(world).id)
    book = channel.books.pop(order.number)
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is OrderState.RELEASED
    channel.books[order.number] = book
    channel.pays(order.number)
    next_morning(world)
    [day] = reconciled(world, channel)
    assert day.differences == 1
    assert waiting(world) == []  # a rule saw to it
    assert seen(world, order.id).state is OrderState.RETURNING
    drive_all(world, channel, 60)
    assert seen(world, order.id).state is OrderState.RETURNED
    next_morning(world)
    [day] = reconciled(world, channel)
    assert (day.returned_fen, day.differences) == (9800, 0)
    at_rest(world, channel, 0)


def test_a_channel_that_names_a_return_by_its_own_number(
    world: World, channel: ScriptedChannel
) -> None:
    back = settled(world, channel)
    world.reverse(str(back.settlement_id))
    drive(world, channel, back.id)
    lines = channel.file_of(TODAY) or ()
    unnamed = [replace(one, number="") if one.kind is LineKind.RETURNED else one for one in lines]
    assert [one.number for one in unnamed] == [back.number, ""]
    next_morning(world)
    bank = ChannelName.WECHAT
    day = world.database.write(lambda u: reconciling.compare(u, bank, TODAY, unnamed))
    assert (day.returned_fen, day.differences) == (9800, 0)


def test_a_return_that_nobody_heard_of_is_noted(world: World, channel: ScriptedChannel) -> None:
    order = drive(world, channel, pay(world).id)
    channel.pays(order.number)
    channel.faults = {"give_back": ["late"], "look_at_return": ["lost"] * 99}
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is OrderState.RETURNING
    next_morning(world)
    [day] = reconciled(world, channel)
    assert day.differences == 1
    assert waiting(world) == []
    assert seen(world, order.id).state is OrderState.RETURNED
    channel.faults = {}
    next_morning(world)
    assert [one.differences for one in reconciled(world, channel)] == [0]
    at_rest(world, channel, 0)


def test_what_no_rule_can_repair_waits_for_a_person(world: World, channel: ScriptedChannel) -> None:
    first, second = settled(world, channel), settled(world, channel, "worker_2")
    channel.books[first.number].paid_fen = Fen(9700)
    lost = channel.books.pop(second.number)
    at = world.clock.now()
    stray = CashLine(LineKind.PAID, "YB0", Fen(1), "T0", at)
    ghost = CashLine(LineKind.RETURNED, "YB1", Fen(2), "T1", at, "YB1R1")
    file = [*(channel.file_of(TODAY) or ()), stray, ghost]
    next_morning(world)
    day = world.database.write(lambda u: reconciling.compare(u, ChannelName.WECHAT, TODAY, file))
    assert day.differences == 4
    assert set(waiting(world)) == {
        (K.AMOUNT, 9800, 9700),
        (K.NO_ORDER, None, 1),
        (K.NO_ORDER, None, 2),
        (K.PAID_HERE, lost.cash_fen, None),
    }
    [one, *_] = world.database.read(lambda u: reconciling.differences(u, 10))
    close = reconciling.close_difference
    assert world.database.write(lambda u: close(u, "operator:a", one.id, "  ")) is None
    closed = world.database.write(lambda u: close(u, "operator:a", one.id, "与渠道核对"))
    assert closed is not None
    assert closed.words == "与渠道核对"
    assert world.database.write(lambda u: close(u, "operator:a", one.id, "再来")) is None
    assert len(waiting(world)) == 3
    city, province = world.staff("CD1003"), world.staff("SC1001")
    at_desk = desk_payments.close_difference
    shown = world.database.read(lambda u: desk_payments.differences(u, province, 10))
    assert world.database.read(lambda u: desk_payments.differences(u, city, 10)) == []
    other = shown[0].id
    refused = world.database.write(lambda u: at_desk(u, city, other, "核对"))
    assert refused == DutyMissing(Role.CHECKER)
    assert world.database.write(lambda u: at_desk(u, province, other, " ")) == CashNotFound()
    assert world.database.write(lambda u: at_desk(u, province, other, "核对")).words == "核对"
    assert len(waiting(world)) == 2


def test_a_return_that_the_channel_does_not_know_of(world: World, channel: ScriptedChannel) -> None:
    order = drive(world, channel, pay(world).id)
    channel.pays(order.number)
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is OrderState.RETURNED
    channel.books[order.number].returned_at.clear()
    channel.books[order.number].returns.clear()
    next_morning(world)
    reconciled(world, channel)
    assert waiting(world) == [(K.RETURNED_HERE, 9800, None)]


def test_days_wait_for_their_file_in_their_order(world: World, channel: ScriptedChannel) -> None:
    settled(world, channel)
    next_morning(world, 3)
    channel.faults = {"file_of": ["none"]}
    assert reconciled(world, channel) == []
    assert [one.day for one in reconciled(world, channel)] == [
        TODAY + timedelta(days=n) for n in range(3)
    ]
    assert world.database.read(queries.verify) == []
