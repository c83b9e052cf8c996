"""Relatives' money at the till: wallet, then who shares, in their order; held, given back, and told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.access.assurance import Proof, StepUpRequired
from backend.identity import safety
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.orders.contracts import OrderState
from backend.payments.contracts import BillOutdated
from backend.settlement.contracts import SettlementView
from backend.sharing import service
from backend.sharing.contracts import (
    EndShare,
    LimitShare,
    ShareNotFound,
    ShareView,
    SharingNotPossible,
    SharingProblem,
    TransferEvent,
    TransferView,
)
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_orders import cancel, drive, pay
from tests.usecases.test_safety import messages
from tests.usecases.test_sharing import account, adds_up, decide, give, open_wallet, send
from tests.world import EJIAO, IBUPROFEN, World, line

_BASKET = line(IBUPROFEN, "1", "150.00")


def wallet(world: World, key: str) -> int:
    name = accounts.wallet(world.person(key))
    return int(world.database.read(lambda u: ledger.balance(u, name)) or 0)


def buys(world: World, key: str, yuan: str = "150.00") -> SettlementView:
    return world.buy(key, line(IBUPROFEN, "1", yuan))


def test_a_parents_account_pays_for_a_child_without_one(world: World) -> None:
    before = account(world, "worker")
    assert buys(world, "resident").family_fen == 0
    give(world, "worker", "resident")
    settled = buys(world, "resident")
    assert settled.family_fen > 0
    assert (settled.account_fen, settled.cash_fen) == (0, 0)
    assert settled.fund_fen + settled.family_fen == 15_000
    assert account(world, "worker") == before - settled.family_fen
    [facts] = [facts for kind, facts in messages(world) if kind == "family_paid"]
    assert (facts["who"], facts["amount_fen"]) == ("赵*例", settled.family_fen)
    assert isinstance(world.reverse(settled.id), SettlementView)
    assert account(world, "worker") == before
    adds_up(world)
    assert world.faults() == []


def test_own_account_wallet_and_relatives_in_their_order(world: World) -> None:
    world.clock.instant = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
    for key in ("retiree", "worker"):
        open_wallet(world, key)
    sent = send(world, "retiree", "worker", 20_000)
    assert isinstance(sent, TransferView)
    decide(world, "worker", sent, TransferEvent.RECEIVE)
    give(world, "retiree", "worker")
    world.clock.forward(minutes=1)
    give(world, "worker_2", "worker")
    own, first, second = (account(world, key) for key in ("worker", "retiree", "worker_2"))
    settled = buys(world, "worker", "4000.00")
    rest = 400_000 - settled.fund_fen - own - 20_000 - first
    assert 0 < rest < second
    assert (settled.account_fen, settled.family_fen, settled.cash_fen) == (
        own,
        20_000 + first + rest,
        0,
    )
    assert [account(world, key) for key in ("worker", "retiree", "worker_2")] == [
        0,
        0,
        second - rest,
    ]
    assert wallet(world, "worker") == 0
    told = [facts for kind, facts in messages(world) if kind == "family_paid"]
    assert [one["amount_fen"] for one in told] == [first, rest]  # a wallet's money was one's own
    world.reverse(settled.id)
    assert wallet(world, "worker") == 20_000
    assert [account(world, key) for key in ("worker", "retiree", "worker_2")] == [
        own,
        first,
        second,
    ]
    adds_up(world)
    assert world.faults() == []


def test_a_share_that_ended_meanwhile_changes_the_bill(world: World) -> None:
    share = give(world, "worker", "resident")
    assert isinstance(share, ShareView)
    bill = world.bill("resident", _BASKET)
    world.do(service.end_share, EndShare(world.actor("worker"), share.id))
    before = world.money()
    assert isinstance(world.settle(bill.id), BillOutdated)
    assert world.money() == before


@pytest.mark.parametrize("why", ["frozen", "declined"])
def test_when_a_relatives_account_takes_no_part(world: World, why: str) -> None:
    give(world, "worker", "resident")
    if why == "frozen":
        giver = world.person("worker")
        world.database.write(lambda u: safety.freeze(u, giver, "测试", "test"))
    bill = world.bill("resident", _BASKET, use_account=why == "frozen")
    assert (bill.outcome.family_fen, bill.outcome.account_fen) == (0, 0)


def test_what_stands_by_of_a_relatives_account_is_nobody_elses(world: World) -> None:
    channel = ScriptedChannel(world.clock)
    give(world, "worker", "worker_2")
    own, givers = account(world, "worker_2"), account(world, "worker")
    dear = line(IBUPROFEN, "1", "2500.00"), line(EJIAO, "1", "98.00")
    order = pay(world, "worker_2", lines=dear)
    drawn = order.account_fen - own
    assert (0 < drawn < givers, order.cash_fen) == (True, 9_800)
    assert drive(world, channel, order.id).state is OrderState.CASH_PENDING
    name = accounts.personal(world.enrolment("worker"))
    assert world.database.read(lambda u: ledger.free(u, name)) == givers - drawn
    assert account(world, "worker") == givers
    bill = world.bill("worker", line(IBUPROFEN, "1", "3000.00"))
    assert bill.outcome.account_fen == givers - drawn  # the rest stands by for the relative
    cancel(world, order.id, "worker_2")
    assert drive(world, channel, order.id).state is OrderState.RELEASED
    assert world.database.read(lambda u: ledger.free(u, name)) == givers
    dear = line(IBUPROFEN, "1", "2500.00"), line(EJIAO, "1", "98.00")
    again = pay(world, "worker_2", lines=dear)
    drive(world, channel, again.id)
    left = account(world, "worker") - drawn
    assert buys(world, "worker", "100.00").account_fen == 10_000  # the giver spends of the rest
    channel.pays(again.number)
    assert drive(world, channel, again.id).state is OrderState.SETTLED
    assert (account(world, "worker_2"), account(world, "worker")) == (0, left - 10_000)
    assert world.faults() == []


def test_two_who_share_with_each_other(world: World) -> None:
    give(world, "worker", "worker_2")
    give(world, "worker_2", "worker")
    one, two = account(world, "worker"), account(world, "worker_2")
    spent: list[Any] = [buys(world, key, "199.00") for key in ("worker", "worker_2")]
    drawn = sum(settled.account_fen + settled.family_fen for settled in spent)
    assert account(world, "worker") + account(world, "worker_2") == one + two - drawn
    assert all(settled.family_fen == Fen(0) for settled in spent)  # the own one has enough
    assert world.faults() == []


def test_a_giver_limits_what_a_share_pays_of_one_payment(world: World) -> None:
    share = give(world, "worker", "resident", limit_fen=Fen(2_000))
    assert share.limit_fen == 2_000
    first = buys(world, "resident")
    assert (first.family_fen, first.cash_fen) == (2_000, 13_000 - first.fund_fen)
    actor = world.actor("worker")

    def limits(limit: int | None, by: str = "worker") -> Any:
        fen = None if limit is None else Fen(limit)
        return world.do(service.limit_share, LimitShare(world.actor(by), share.id, fen))

    assert limits(0) == SharingNotPossible(SharingProblem.AMOUNT)
    assert limits(500, "resident") == ShareNotFound()
    assert limits(1_000).limit_fen == 1_000
    world.clock.forward(hours=1)  # the proof is stale
    assert limits(900).limit_fen == 900  # less needs none
    for more in (901, None):
        assert isinstance(limits(more), StepUpRequired)
    world.prove("worker", Proof.DESK)
    assert limits(None).limit_fen is None
    assert buys(world, "resident").cash_fen == 0
    assert actor.person_id == share.giver_id
    ended = world.do(service.end_share, EndShare(actor, share.id))
    assert isinstance(ended, ShareView)
    assert limits(100) == ShareNotFound()
