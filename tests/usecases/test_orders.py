"""A bill paid through two ledgers: every way in which one of them fails, and nothing is lost."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from backend.access.contracts import DutyMissing, Role, SignInRequired
from backend.desk import payments as desk_payments
from backend.desk.contracts import CashNotFound
from backend.identity import safety
from backend.identity.safety_contracts import Proof
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.orders import driving, queries, service
from backend.orders.contracts import (
    CancelOrder,
    CashSeen,
    CashState,
    ChannelName,
    OrderNotFound,
    OrderNotOpen,
    OrderState,
    OrderView,
    PayAtCounter,
    PayBill,
    ReturnState,
    TakeNote,
    Why,
)
from backend.payments import queries as bills
from backend.payments.contracts import (
    BillNotFound,
    BillState,
    PaymentUnderWay,
)
from mobile_bff import payment_tools
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_safety import messages
from tests.world import EJIAO, IBUPROFEN, LEVEL_3, VISIT, World, line, new_key

S = OrderState
MIXED = (line(IBUPROFEN, "1", "300.00"), line(EJIAO, "1", "98.00"))
"""Fund 50.00, account 250.00, cash 98.00."""


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def pay(world: World, key: str = "worker", bill_id: str = "", **more: Any) -> Any:
    bill_id = bill_id or world.bill(key, *more.get("lines", MIXED)).id
    world.prove(more.get("by", key), Proof.SMS_CODE)
    command = PayBill(world.actor(more.get("by", key)), bill_id, ChannelName.WECHAT, new_key())
    return world.do(service.pay_bill, command)


def drive(world: World, channel: ScriptedChannel, order_id: str) -> OrderView:
    driving.drive(world.database, {ChannelName.WECHAT: channel}, order_id)
    return seen(world, order_id)


def drive_all(world: World, channel: ScriptedChannel, seconds: int = 1200) -> None:
    """Let time pass with a worker that looks after orders."""
    for _ in range(seconds // 10):
        driving.drive_due(world.database, {ChannelName.WECHAT: channel})
        world.clock.forward(seconds=10)
    world._actors.clear()


def seen(world: World, order_id: str) -> OrderView:
    found = world.database.read(lambda u: queries.order(u, order_id))
    assert found is not None
    return found


def cancel(world: World, order_id: str, by: str = "worker") -> Any:
    return world.do(service.cancel_order, CancelOrder(world.actor(by), order_id, new_key()))


def calls_back(world: World, channel: ScriptedChannel, order: OrderView, **more: Any) -> OrderView:
    said = channel.pays(order.number, **more)
    world.database.write(lambda u: service.note_cash(u, order.id, said))
    return seen(world, order.id)


def at_rest(world: World, channel: ScriptedChannel, kept: int) -> None:
    """Nothing is held, nothing is between the ledgers, and both sides name the same sum."""
    assert world.faults() == []
    assert world.database.read(queries.verify) == []
    assert channel.kept() == kept
    both = world.database.read(lambda u: ledger.sum_of(u, accounts.channel("WECHAT")))
    assert both == -kept
    names = world.database.read(
        lambda u: [
            queries.held_fen(u, one.id)
            for one in queries.of_person(u, world.person("worker"), None, 50)
        ]
    )
    assert not any(names)


def test_one_payment_moves_both_ledgers(world: World, channel: ScriptedChannel) -> None:
    before = world.balance("worker") or 0
    order = pay(world)
    assert (order.state, order.fund_fen, order.account_fen, order.cash_fen) == (
        S.INSURANCE_LOCKED,
        5000,
        25000,
        9800,
    )
    order = drive(world, channel, order.id)
    assert (order.state, order.pay) == (S.CASH_PENDING, {"prepay_id": f"wx{order.number}"})
    # nothing has moved, and what the account pays is held
    assert world.balance("worker") == before
    free = world.database.read(
        lambda u: ledger.free(u, accounts.personal(world.enrolment("worker")))
    )
    assert free == before - 25000
    assert calls_back(world, channel, order).state is S.PAID
    order = drive(world, channel, order.id)
    assert (order.state, order.trade_number) == (S.SETTLED, f"T{order.number}")
    assert world.balance("worker") == before - 25000
    assert messages(world)[-1][0] == "paid"
    told = TakeNote(world.terminal(), order.id, new_key())
    assert world.do(service.take_note, told).state is S.TOLD
    assert world.do(service.take_note, told).state is S.TOLD
    bill = world.database.read(lambda u: bills.bill(u, order.bill_id))
    assert bill is not None
    assert (bill.state, bill.settlement_id) == (BillState.SETTLED, order.settlement_id)
    assert [one.event for one in seen(world, order.id).steps] == ["ASK", "PAY", "SETTLE", "TELL"]
    at_rest(world, channel, 9800)


def test_without_cash_no_channel_is_asked(world: World, channel: ScriptedChannel) -> None:
    order = pay(world, lines=(line(IBUPROFEN, "1", "300.00"),))
    assert order.cash_fen == 0
    assert drive(world, channel, order.id).state is S.SETTLED
    assert channel.calls == []
    at_rest(world, channel, 0)


def test_while_it_is_under_way_nothing_else_is_booked(
    world: World, channel: ScriptedChannel
) -> None:
    other = world.bill("worker", line(IBUPROFEN, "1", "20.00"))
    order = pay(world)
    drive(world, channel, order.id)
    refused = world.settle(other.id)
    assert isinstance(refused, PaymentUnderWay)
    assert isinstance(world.settle(order.bill_id), PaymentUnderWay)
    assert isinstance(pay(world, bill_id=other.id), PaymentUnderWay)
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is S.RELEASED
    again = world.bill("worker", line(IBUPROFEN, "1", "20.00"))
    assert world.settle(again.id).total_fen == 2000
    at_rest(world, channel, 0)


def test_nobody_pays_and_everything_is_let_go(world: World, channel: ScriptedChannel) -> None:
    order = pay(world)
    drive_all(world, channel)
    order = seen(world, order.id)
    assert (order.state, order.why) == (S.RELEASED, Why.OUT_OF_TIME)
    assert channel.books[order.number].state is CashState.CLOSED
    at_rest(world, channel, 0)


@pytest.mark.parametrize("fault", ["lost", "late"])
def test_no_answer_is_no_answer(world: World, channel: ScriptedChannel, fault: str) -> None:
    channel.faults = {"ask": [fault], "look": ["lost", "lost"]}
    order = pay(world)
    order = drive(world, channel, order.id)
    assert order.state is S.QUERYING
    driven = [S.QUERYING]
    for _ in range(6):
        world.clock.forward(seconds=10)
        driven.append(drive(world, channel, order.id).state)
    assert driven[-1] is S.CASH_PENDING
    calls_back(world, channel, order)
    drive_all(world, channel, 60)
    assert seen(world, order.id).state is S.SETTLED
    at_rest(world, channel, 9800)


def test_success_after_a_time_out_counts(world: World, channel: ScriptedChannel) -> None:
    """The patient pays while the channel answers nothing for minutes, and no callback ever comes."""
    order = drive(world, channel, pay(world).id)
    channel.pays(order.number)
    channel.faults = {"look": ["lost"] * 60, "close": ["lost"] * 5}
    drive_all(world, channel, 900)
    assert seen(world, order.id).state is S.SETTLED
    at_rest(world, channel, 9800)


def test_it_is_not_given_up_while_nobody_knows(world: World, channel: ScriptedChannel) -> None:
    order = drive(world, channel, pay(world).id)
    channel.faults = {"look": ["lost"] * 90, "close": ["lost"] * 3}
    world.clock.forward(seconds=301)
    assert drive(world, channel, order.id).state is S.QUERYING
    drive_all(world, channel)
    assert seen(world, order.id).state is S.RELEASED
    at_rest(world, channel, 0)


def test_the_channel_refuses(world: World, channel: ScriptedChannel) -> None:
    channel.faults = {"ask": ["refused"]}
    order = drive(world, channel, pay(world).id)
    assert (order.state, order.why, order.words) == (
        S.RELEASED,
        Why.CHANNEL_REFUSED,
        "商户号被限制",
    )
    # the same bill can be paid at the till while its time runs
    assert world.settle(order.bill_id).cash_fen == 9800
    at_rest(world, channel, 0)


def test_a_channel_that_does_not_answer_keeps_nobody_from_care(
    world: World, channel: ScriptedChannel
) -> None:
    """After a while insurance stands by no more; what was paid all the same goes back."""
    order = drive(world, channel, pay(world).id)
    channel.pays(order.number)
    channel.faults = {"look": ["lost"] * 999, "close": ["lost"] * 999}
    drive_all(world, channel, 600)
    other = world.bill("worker", line(IBUPROFEN, "1", "20.00"))
    refused = world.settle(other.id)
    assert isinstance(refused, PaymentUnderWay)
    assert refused.until > world.clock.now()
    drive_all(world, channel, 700)
    assert seen(world, order.id).state is S.QUERYING
    again = pay(world, lines=(line(EJIAO, "1", "98.00"),))
    assert isinstance(again, OrderView)
    channel.faults = {}
    drive_all(world, channel, 600)
    done = seen(world, order.id)
    assert (done.state, done.why, done.returned_fen) == (S.RETURNED, Why.PAID_TOO_LATE, 9800)
    assert seen(world, again.id).state is S.RELEASED
    at_rest(world, channel, 0)


@pytest.mark.parametrize("paid", [False, True])
def test_refused_after_a_request_that_was_lost(
    world: World, channel: ScriptedChannel, paid: bool
) -> None:
    """The first request arrived although nobody heard so: it is closed before it is given up."""
    channel.faults = {"ask": ["late", "refused"], "close": ["lost"]}
    order = drive(world, channel, pay(world).id)
    assert order.state is S.QUERYING
    world.clock.forward(seconds=3)
    assert drive(world, channel, order.id).why is Why.CHANNEL_REFUSED
    if paid:
        channel.pays(order.number)
    drive_all(world, channel, 60)
    done = seen(world, order.id)
    if paid:
        assert (done.state, done.why) == (S.SETTLED, None)
    else:
        assert (done.state, done.why) == (S.RELEASED, Why.CHANNEL_REFUSED)
        assert channel.books[order.number].state is CashState.CLOSED
    at_rest(world, channel, 9800 if paid else 0)


def test_cash_after_everything_was_let_go_goes_back(world: World, channel: ScriptedChannel) -> None:
    order = drive(world, channel, pay(world).id)
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is S.RELEASED
    late = calls_back(world, channel, order)  # it was paid before it was closed, and said so late
    assert (late.state, late.why) == (S.RETURNING, Why.PAID_TOO_LATE)
    assert messages(world)[-1][0] == "cash_returning"
    done = drive(world, channel, order.id)
    assert (done.state, done.returned_fen) == (S.RETURNED, 9800)
    assert messages(world)[-1][0] == "cash_returned"
    at_rest(world, channel, 0)


def test_who_cancels_and_has_paid_gets_it_back(world: World, channel: ScriptedChannel) -> None:
    order = drive(world, channel, pay(world).id)
    channel.pays(order.number)
    assert cancel(world, order.id).state is S.CASH_PENDING
    done = drive(world, channel, order.id)
    assert (done.state, done.why, done.returned_fen) == (S.RETURNED, Why.CANCELLED, 9800)
    assert cancel(world, order.id) == OrderNotOpen()
    at_rest(world, channel, 0)


def test_another_amount_than_asked_for_goes_back(world: World, channel: ScriptedChannel) -> None:
    order = drive(world, channel, pay(world).id)
    said = calls_back(world, channel, order, amount=9700)
    assert (said.state, said.why) == (S.RETURNING, Why.AMOUNT_DIFFERS)
    assert drive(world, channel, order.id).returned_fen == 9700
    at_rest(world, channel, 0)


def test_a_callback_twice_or_after_a_look_counts_once(
    world: World, channel: ScriptedChannel
) -> None:
    order = drive(world, channel, pay(world).id)
    assert calls_back(world, channel, order).state is S.PAID
    assert calls_back(world, channel, order).state is S.PAID
    assert drive(world, channel, order.id).state is S.SETTLED
    assert calls_back(world, channel, order).state is S.SETTLED
    stale = CashSeen(CashState.CLOSED)
    world.database.write(lambda u: service.note_cash(u, order.id, stale))
    assert seen(world, order.id).state is S.SETTLED
    at_rest(world, channel, 9800)


def test_insurance_that_cannot_be_booked_gives_the_cash_back(
    world: World, channel: ScriptedChannel
) -> None:
    before = world.balance("worker")
    order = drive(world, channel, pay(world).id)
    world.database.write(lambda u: safety.freeze(u, world.person("worker"), "test", "test"))
    calls_back(world, channel, order)
    done = drive(world, channel, order.id)
    assert (done.state, done.why, done.words) == (
        S.RETURNED,
        Why.INSURANCE_REFUSED,
        "ACCOUNT_FROZEN",
    )
    assert world.balance("worker") == before
    at_rest(world, channel, 0)


def test_giving_back_fails_and_a_person_sees_to_it(world: World, channel: ScriptedChannel) -> None:
    channel.returns = [ReturnState.FAILED]
    order = drive(world, channel, pay(world).id)
    channel.pays(order.number)
    cancel(world, order.id)
    stuck = drive(world, channel, order.id)
    assert (stuck.state, stuck.words) == (S.RETURN_FAILED, "账户异常")
    listed = world.database.read(lambda u: queries.failed_returns(u, 10))
    assert [one.id for one in listed] == [order.id]
    city, province = world.staff("CD1003"), world.staff("SC1001")
    retry = desk_payments.retry_return
    assert world.database.read(lambda u: desk_payments.failed_returns(u, city, 10)) == []
    assert world.database.write(lambda u: retry(u, city, order.id)) == DutyMissing(Role.CHECKER)
    assert world.database.write(lambda u: retry(u, province, "nothing")) == CashNotFound()
    again = world.database.write(lambda u: retry(u, province, order.id))
    assert isinstance(again, OrderView)
    assert world.database.write(lambda u: retry(u, province, order.id)) == CashNotFound()
    assert drive(world, channel, order.id).state is S.RETURNED
    [number] = channel.books[order.number].returns  # by a new number: the first came to nothing
    assert number.startswith("YR")
    at_rest(world, channel, 0)


@pytest.mark.parametrize("fault", ["lost", "late"])
def test_giving_back_without_an_answer_is_never_done_twice(
    world: World, channel: ScriptedChannel, fault: str
) -> None:
    channel.faults = {"give_back": [fault], "look_at_return": ["lost"] * 3}
    order = drive(world, channel, pay(world).id)
    channel.pays(order.number)
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is S.RETURNING
    drive_all(world, channel)
    assert seen(world, order.id).state is S.RETURNED
    [(number, amount)] = channel.books[order.number].returns.items()
    assert (number[:2], amount) == ("YR", 9800)
    at_rest(world, channel, 0)


def test_the_till_takes_it_back_and_both_halves_return(
    world: World, channel: ScriptedChannel
) -> None:
    before = world.balance("worker")
    order = drive(world, channel, pay(world).id)
    calls_back(world, channel, order)
    settled = drive(world, channel, order.id)
    assert settled.settlement_id is not None
    assert world.reverse(settled.settlement_id).cash_fen == -9800
    assert world.balance("worker") == before
    back = drive(world, channel, order.id)
    assert (back.state, back.why, back.returned_fen) == (S.RETURNED, Why.TAKEN_BACK, 9800)
    assert back.return_by is not None
    at_rest(world, channel, 0)


def test_a_stay_is_paid_at_the_hospital(world: World) -> None:
    stay = world.admit("worker")
    bill = world.presettle(
        "", line(VISIT, "1", "100.00"), at=LEVEL_3, stay_id=stay.id, discharge=True
    )
    assert pay(world, bill_id=bill.id) == PayAtCounter()


def test_nobody_pays_or_cancels_for_a_stranger(world: World, channel: ScriptedChannel) -> None:
    bill = world.bill("worker", *MIXED)
    assert pay(world, bill_id=bill.id, by="retiree") == BillNotFound()
    till = PayBill(world.terminal(), bill.id, ChannelName.WECHAT, new_key())
    assert isinstance(world.do(service.pay_bill, till), BillNotFound | SignInRequired)
    order = pay(world, bill_id=bill.id)
    assert cancel(world, order.id, by="retiree") == OrderNotFound()
    elsewhere = TakeNote(world.terminal(LEVEL_3), order.id, new_key())
    assert world.do(service.take_note, elsewhere) == OrderNotFound()
    phone = TakeNote(world.actor("worker"), order.id, new_key())
    assert world.do(service.take_note, phone) == SignInRequired()


def test_an_operator_sees_what_is_not_decided(
    world: World, channel: ScriptedChannel, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        parser = argparse.ArgumentParser()
        payment_tools.payments_command(parser)
        options = parser.parse_args(arguments)
        database = world.database
        return payment_tools._payments(options, database.write, database.read, "operator:op")

    assert run("--minutes", "-99999999") == 0
    order = drive(world, channel, pay(world).id)
    assert run("--minutes", "-99999999") == 1
    assert f"{order.number}  CASH_PENDING  WECHAT  98.00" in capsys.readouterr().out
    channel.returns = [ReturnState.FAILED]
    channel.pays(order.number)
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is S.RETURN_FAILED
    assert run() == 1
    assert run("--again", order.number) == 0
    assert run("--again", order.number) == 1
    assert drive(world, channel, order.id).state is S.RETURNED
    assert run() == 0


def test_one_order_that_cannot_be_looked_after_keeps_no_other_from_its_end(
    world: World, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = pay(world)
    fine = pay(world, "worker_2", lines=(line(EJIAO, "1", "98.00"),))
    ask = channel.ask

    def breaks(order: Any) -> CashSeen:
        if order.number == broken.number:
            raise RuntimeError("a fault of ours")
        return ask(order)

    monkeypatch.setattr(channel, "ask", breaks)
    driving.drive_due(world.database, {ChannelName.WECHAT: channel})
    assert seen(world, broken.id).state is S.INSURANCE_LOCKED
    assert seen(world, fine.id).state is S.CASH_PENDING
