"""The phone scans the till, or finds what its hospital wants to be paid for."""

from __future__ import annotations

from typing import Any

import pytest

from backend.access.contracts import NotPermitted, SignInRequired
from backend.codes.contracts import GrantNotValid, Purpose, PurposeNotHere
from backend.orders import driving
from backend.orders.contracts import ChannelName, OrderState
from backend.payments import charges
from backend.payments.charge_contracts import (
    ChargeNotFound,
    ChargeNotOpen,
    ChargeState,
    ChargeView,
    PutCharge,
    TakeCharge,
    WithdrawCharge,
)
from backend.payments.contracts import (
    BasketEmpty,
    BillNotOpen,
    BillState,
    BillView,
    ItemNotInCatalogue,
    NotInsured,
)
from backend.payments.model import Charge
from backend.settlement.contracts import TraceCodeSold
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_orders import at_rest, calls_back, cancel, drive, pay, seen
from tests.usecases.test_relatives import bound, may_pay
from tests.world import EJIAO, IBUPROFEN, LEVEL_3, OTHER_PHARMACY, VISIT, World, line, new_key

PHARMACY, CLINIC = Purpose.PHARMACY_PURCHASE, Purpose.OUTPATIENT_SETTLEMENT


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def put(world: World, *lines: Any, at: str = "", token: str = "", **more: Any) -> Any:
    till = world.terminal(at) if at else world.terminal()
    purpose = more.pop("purpose", PHARMACY)
    command = PutCharge(till, purpose, lines, new_key(), token, **more)
    return world.do(charges.put_charge, command)


def take(world: World, charge: Any, who: str = "worker", by: str = "", **more: Any) -> Any:
    by_id = more.pop("by_id", False)
    command = TakeCharge(
        world.actor(by or who),
        world.person(who),
        "" if by_id else charge.text,
        charge.id if by_id else "",
        True,
        None,
        new_key(),
    )
    return world.do(charges.take_charge, command)


def withdraw(world: World, charge: Any, at: str = "") -> Any:
    till = world.terminal(at) if at else world.terminal()
    return world.do(charges.withdraw_charge, WithdrawCharge(till, charge.id, new_key()))


def of_till(world: World, charge: ChargeView) -> ChargeView:
    place = world.terminal().institution_id
    found = world.database.read(lambda u: charges.charge_of(u, place, charge.id))
    assert found is not None
    return found


def open_for(world: World, who: str) -> list[str]:
    found = world.database.read(lambda u: charges.open_charges(u, world.person(who), 10))
    return [one.id for one in found]


def test_a_phone_scans_the_till_and_pays(world: World, channel: ScriptedChannel) -> None:
    charge = put(world, line(IBUPROFEN, "1", "300.00"), line(EJIAO, "1", "98.00"))
    assert (charge.state, charge.total_fen, charge.line_count) == (ChargeState.OPEN, 39_800, 2)
    bill = take(world, charge)
    assert isinstance(bill, BillView)
    assert (bill.outcome.fund_fen, bill.outcome.account_fen, bill.outcome.cash_fen) == (
        5000,
        25000,
        9800,
    )
    order = drive(world, channel, pay(world, bill_id=bill.id).id)
    assert take(world, charge) == ChargeNotOpen(ChargeState.TAKEN)
    assert withdraw(world, charge) == ChargeNotOpen(ChargeState.TAKEN)
    calls_back(world, channel, order)
    assert drive(world, channel, order.id).state is OrderState.SETTLED
    done = of_till(world, charge)
    assert (done.state, done.paid, done.bill_id, done.text) == (
        ChargeState.TAKEN,
        True,
        bill.id,
        "",
    )
    assert take(world, charge) == ChargeNotOpen(ChargeState.TAKEN)
    at_rest(world, channel, 9800)


def test_it_can_also_be_paid_in_cash_at_the_till(world: World) -> None:
    charge = put(world, line(IBUPROFEN, "1", "20.00"))
    bill = take(world, charge)
    assert world.settle(bill.id).total_fen == 2000
    assert of_till(world, charge).paid


def test_who_took_it_may_take_it_again_and_nobody_else(world: World) -> None:
    charge = put(world, line(IBUPROFEN, "1", "300.00"))
    first = take(world, charge)
    assert take(world, charge, "worker_2") == ChargeNotFound()
    world.clock.forward(seconds=400)
    world._actors.clear()
    second = take(world, charge)
    assert second.id != first.id
    world.decide("worker", second.id, accept=True)
    assert world.settle(first.id) == BillNotOpen(BillState.SUPERSEDED)
    assert world.settle(second.id).total_fen == 30_000


def test_a_hospital_puts_a_charge_to_its_patient(world: World, channel: ScriptedChannel) -> None:
    token = world.scan("worker", LEVEL_3, CLINIC).token
    charge = put(world, line(VISIT, "1", "1000.00"), at=LEVEL_3, token=token, purpose=CLINIC)
    assert open_for(world, "worker") == [charge.id]
    assert open_for(world, "worker_2") == []
    assert take(world, charge, "worker_2") == ChargeNotFound()
    assert take(world, charge, "worker_2", by_id=True) == ChargeNotFound()
    world.clock.forward(days=2)  # it can wait, the code at the till could not
    world._actors.clear()
    bill = take(world, charge, by_id=True)
    assert isinstance(bill, BillView)
    order = drive(world, channel, pay(world, bill_id=bill.id).id)
    if order.state is OrderState.CASH_PENDING:
        calls_back(world, channel, order)
        order = drive(world, channel, order.id)
    assert order.state is OrderState.SETTLED
    assert open_for(world, "worker") == []


def test_a_relative_takes_it_and_pays_for_the_patient(
    world: World, channel: ScriptedChannel
) -> None:
    charge = put(world, line(IBUPROFEN, "1", "100.00"), line(EJIAO, "1", "98.00"))
    assert isinstance(take(world, charge, "retiree", by="worker"), NotPermitted)
    binding = bound(world, "worker", "retiree")
    may_pay(world, "retiree", binding.id, 100_000)
    bill = take(world, charge, "retiree", by="worker")
    assert isinstance(bill, BillView)
    order = pay(world, bill_id=bill.id, by="worker")
    order = drive(world, channel, order.id)
    calls_back(world, channel, order)
    assert drive(world, channel, order.id).state is OrderState.SETTLED


def test_withdrawn_it_takes_its_bill_along(world: World) -> None:
    charge = put(world, line(IBUPROFEN, "1", "20.00"))
    bill = take(world, charge)
    assert withdraw(world, charge, at=OTHER_PHARMACY) == ChargeNotFound()
    assert withdraw(world, charge).state is ChargeState.WITHDRAWN
    assert world.settle(bill.id) == BillNotOpen(BillState.SUPERSEDED)
    assert take(world, charge) == ChargeNotOpen(ChargeState.WITHDRAWN)
    assert withdraw(world, charge) == ChargeNotOpen(ChargeState.WITHDRAWN)


def test_cancelled_it_can_be_taken_and_paid_once_more(
    world: World, channel: ScriptedChannel
) -> None:
    charge = put(world, line(EJIAO, "1", "98.00"))
    order = drive(world, channel, pay(world, bill_id=take(world, charge).id).id)
    cancel(world, order.id)
    assert drive(world, channel, order.id).state is OrderState.RELEASED
    again = drive(world, channel, pay(world, bill_id=take(world, charge).id).id)
    calls_back(world, channel, again)
    driving.drive_due(world.database, {ChannelName.WECHAT: channel})
    assert seen(world, again.id).state is OrderState.SETTLED
    at_rest(world, channel, 9800)


def test_what_a_till_cannot_ask_for(world: World) -> None:
    assert put(world) == BasketEmpty()
    assert isinstance(put(world, line(VISIT), at=LEVEL_3), PurposeNotHere)
    assert isinstance(put(world, line(IBUPROFEN), token="nonsense"), GrantNotValid)
    phone = PutCharge(world.actor("worker"), PHARMACY, (line(IBUPROFEN),), new_key())
    assert world.do(charges.put_charge, phone) == SignInRequired()


def test_what_a_phone_cannot_take(world: World) -> None:
    charge = put(world, line(IBUPROFEN, "1", "20.00"))
    forged = ChargeView(**{**vars(charge), "text": "YBJF1.AAAA"})
    assert take(world, forged) == ChargeNotFound()
    assert take(world, charge, "not_insured") == NotInsured()
    world.clock.forward(seconds=1801)
    world._actors.clear()
    assert take(world, charge) == ChargeNotFound()
    unknown = put(world, line("NO-SUCH-CODE", "1", "20.00"))
    assert isinstance(take(world, unknown), ItemNotInCatalogue)
    sold = line(IBUPROFEN, "1", "20.00")
    assert world.settle(take(world, put(world, sold)).id).total_fen == 2000
    assert isinstance(take(world, put(world, sold)), TraceCodeSold)


def test_what_is_in_it_is_sealed(world: World) -> None:
    charge = put(world, line(IBUPROFEN, "1", "20.00"))
    row = world.database.read(lambda u: u.db.get_one(Charge, charge.id).lines)
    assert IBUPROFEN not in row
