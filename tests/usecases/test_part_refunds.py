"""部分退费: some lines of a settlement come back; the rest stands as if it alone had been bought."""

from __future__ import annotations

from typing import Any

import pytest

from backend.kernel.money import parse_quantity
from backend.orders import driving, queries, reconciling, refunds, service
from backend.orders.contracts import CashOnItsWay, ChannelName, OrderState, ReturnState
from backend.orders.refund_contracts import (
    AskRefund,
    DecideRefund,
    PartLine,
    RefundLines,
    RefundNotPossible,
    RefundProblem,
    RefundRequestState,
)
from backend.payments import queries as bills
from backend.payments.contracts import BillState, SettlementNotFound
from backend.settlement import queries as settlements
from backend.settlement.contracts import LaterSettlementsInTheWay, SettlementView
from backend.settlement.service import packs_of
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_family_pays import buys, wallet
from tests.usecases.test_orders import at_rest, calls_back, drive, pay, seen
from tests.usecases.test_reconciling import next_morning
from tests.usecases.test_safety import messages
from tests.usecases.test_sharing import account, adds_up, give
from tests.usecases.test_stays import care, quiet
from tests.world import EJIAO, IBUPROFEN, OTHER_PHARMACY, PHARMACY, World, line, new_key

P = RefundProblem


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def part(number: int, quantity: str = "1") -> PartLine:
    return PartLine(number, parse_quantity(quantity))


def ask(world: World, settlement_id: str, *lines: PartLine, by: str = "worker") -> Any:
    command = AskRefund(world.actor(by), settlement_id, "多买了", new_key(), tuple(lines))
    return world.do(refunds.ask, command)


def grant(world: World, refund: Any, *packs: str) -> Any:
    command = DecideRefund(world.terminal(), refund.id, True, "", new_key(), tuple(packs))
    return world.do(refunds.decide, command)


def take_back(
    world: World, settlement_id: str, *lines: PartLine, packs: Any = (), at: str = PHARMACY
) -> Any:
    command = RefundLines(
        world.terminal(at), settlement_id, tuple(lines), tuple(packs), "质量问题", new_key()
    )
    return world.do(refunds.refund_lines, command)


def packs(world: World, settlement_id: str, number: int) -> list[str]:
    sold = world.database.read(lambda u: packs_of(u, settlement_id))
    return [use.trace_code for use in sold if use.line_number == number]


def settlement(world: World, settlement_id: str) -> SettlementView:
    found = world.database.read(lambda u: settlements.settlement(u, settlement_id))
    assert found is not None
    return found


def run(world: World, channel: ScriptedChannel) -> None:
    for _ in range(3):
        driving.drive_due(world.database, {ChannelName.WECHAT: channel})
        world.clock.forward(seconds=10)


def paid(world: World, channel: ScriptedChannel) -> Any:
    order = drive(world, channel, pay(world).id)  # fund 50.00, account 250.00, cash 98.00
    calls_back(world, channel, order)
    return drive(world, channel, order.id)


def test_the_cash_of_a_line_goes_back_and_the_rest_stands(
    world: World, channel: ScriptedChannel
) -> None:
    order = paid(world, channel)
    balance = world.balance("worker")
    refund = ask(world, order.settlement_id, part(2))
    assert [(one.number, one.quantity) for one in refund.lines] == [(2, 10_000)]
    back = (refund.total_fen, refund.fund_fen, refund.account_fen, refund.cash_fen)
    assert back == (9800, 0, 0, 9800)
    sold = packs(world, order.settlement_id, 2)
    granted = grant(world, refund, *sold)
    assert granted.state is RefundRequestState.GRANTED
    kept = settlement(world, granted.rest_id)
    assert (kept.total_fen, kept.cash_fen, kept.account_fen) == (30_000, 0, 25_000)
    assert packs(world, kept.id, 2) == []
    assert len(packs(world, kept.id, 1)) == 1
    assert seen(world, order.id).state is OrderState.RETURNING
    run(world, channel)
    after = seen(world, order.id)
    assert (after.state, after.returned_fen) == (OrderState.PART_RETURNED, 9800)
    assert after.settlement_id == kept.id
    bill = world.database.read(lambda u: bills.bill(u, order.bill_id))
    assert bill is not None
    assert (bill.state, bill.settlement_id) == (BillState.SETTLED, kept.id)
    assert world.balance("worker") == balance
    [told] = [facts for kind, facts in messages(world) if kind == "cash_returned"]
    assert told["amount_fen"] == 9800
    at_rest(world, channel, 0)
    # a pack that came back can be sold again
    assert world.buy("worker_2", line(EJIAO, "1", "98.00", trace_codes=tuple(sold))).cash_fen


def test_two_parts_then_all_of_the_rest_each_return_with_its_number(
    world: World, channel: ScriptedChannel
) -> None:
    before = world.balance("worker") or 0
    lines = (line(EJIAO, "3", "98.00"), line(IBUPROFEN, "1", "300.00"))
    order = drive(world, channel, pay(world, lines=lines).id)
    calls_back(world, channel, order)
    order = drive(world, channel, order.id)
    current = order.settlement_id
    for left in (19_600, 9_800):
        refund = ask(world, current, part(1))
        current = grant(world, refund, packs(world, current, 1)[0]).rest_id
        assert settlement(world, current).cash_fen == left
        again = ask(world, current, part(1))
        # the cash of the one before is on its way: another waits
        assert grant(world, again, packs(world, current, 1)[0]) == CashOnItsWay()
        withdraw = refunds.WithdrawRefund(world.actor("worker"), again.id, new_key())
        world.do(refunds.withdraw, withdraw)
        run(world, channel)
        assert seen(world, order.id).state is OrderState.PART_RETURNED
    numbers = channel.books[order.number].returns
    assert list(numbers.values()) == [9800, 9800]
    next_morning(world)
    [day] = reconciling.reconcile_due(world.database, {ChannelName.WECHAT: channel})
    assert (day.returned_fen, day.differences) == (19_600, 0)
    whole = ask(world, current)
    assert whole.lines == ()
    assert grant(world, whole).rest_id is None
    run(world, channel)
    assert seen(world, order.id).state is OrderState.RETURNED
    assert world.balance("worker") == before
    at_rest(world, channel, 0)


def test_a_return_of_a_part_that_fails_is_tried_again(
    world: World, channel: ScriptedChannel
) -> None:
    order = paid(world, channel)
    channel.returns = [ReturnState.FAILED]
    grant(world, ask(world, order.settlement_id, part(2)), *packs(world, order.settlement_id, 2))
    run(world, channel)
    assert seen(world, order.id).state is OrderState.RETURN_FAILED
    assert world.faults() == []
    assert world.database.read(queries.verify) == []
    assert world.database.write(lambda u: service.try_again(u, "operator:x", order.id))
    run(world, channel)
    assert seen(world, order.id).state is OrderState.PART_RETURNED
    at_rest(world, channel, 0)


def test_a_part_of_what_only_fund_and_account_paid_needs_no_channel(
    world: World, channel: ScriptedChannel
) -> None:
    order = drive(world, channel, pay(world, lines=(line(IBUPROFEN, "3", "100.00"),)).id)
    assert order.cash_fen == 0
    refund = ask(world, order.settlement_id, part(1))
    assert refund.cash_fen == 0
    assert refund.account_fen + refund.fund_fen == 10_000
    grant(world, refund, packs(world, order.settlement_id, 1)[0])
    run(world, channel)
    assert seen(world, order.id).state is OrderState.PART_RETURNED
    assert [kind for kind, _ in messages(world)].count("cash_returned") == 0
    assert channel.calls == []
    at_rest(world, channel, 0)


def test_the_till_takes_lines_back_and_is_told_what_to_hand_out(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "3", "100.00"), line(EJIAO, "1", "98.00"))
    assert take_back(world, settled.id, part(1), at=OTHER_PHARMACY) == SettlementNotFound()
    for wrong in ([], packs(world, settled.id, 2), ["90000000000000000000"]):
        refused = take_back(world, settled.id, part(1), packs=wrong)
        assert refused == RefundNotPossible(P.PACKS)
    first = packs(world, settled.id, 1)
    done = take_back(
        world, settled.id, part(1), part(2), packs=[first[0], *packs(world, settled.id, 2)]
    )
    assert (done.cash_fen, done.payment_id, done.total_fen) == (9800, None, 19_800)
    assert packs(world, done.rest_id, 1) == first[1:]
    alone = world.buy("worker_2", line(IBUPROFEN, "2", "100.00"))
    kept = settlement(world, done.rest_id)
    assert (kept.fund_fen, kept.account_fen) == (alone.fund_fen, alone.account_fen)
    assert kept.outcome.deductible_fen == alone.outcome.deductible_fen
    assert world.faults() == []


def test_what_is_no_part(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "2", "100.00"), line(EJIAO, "1", "98.00"))
    for lines in (
        [part(9)],
        [part(1), part(1)],
        [part(1, "3")],
        [part(1, "0.5")],
        [part(1, "-1")],
    ):
        assert ask(world, settled.id, *lines) == RefundNotPossible(P.LINES)
    everything = ask(world, settled.id, part(1, "2"), part(2))
    assert everything.lines == ()
    assert everything.total_fen == settled.total_fen
    assert ask(world, settled.id, part(1)) == RefundNotPossible(P.ASKED)
    assert take_back(world, settled.id) == RefundNotPossible(P.LINES)
    assert grant(world, everything).rest_id is None
    quiet(world)
    stay = world.admit("worker")
    left = world.settle_stay(stay.id, care("3000"))
    assert ask(world, left.id, part(1)) == RefundNotPossible(P.STAY)


def test_a_part_stands_in_its_place_in_the_year(world: World) -> None:
    first = world.buy("worker", line(IBUPROFEN, "2", "100.00"), line(EJIAO, "1", "98.00"))
    second = world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    before = take_back(world, first.id, part(1), packs=packs(world, first.id, 1)[:1])
    assert before == LaterSettlementsInTheWay(1, (second.id,))  # it would have paid more since
    assert settlement(world, first.id).reversed_by_id is None
    done = take_back(world, first.id, part(2), packs=packs(world, first.id, 2))
    kept = settlement(world, done.rest_id)
    assert (kept.fund_fen, kept.account_fen) == (first.fund_fen, first.account_fen)
    assert settlement(world, second.id).reversed_by_id is None
    assert world.faults() == []


def test_relatives_accounts_get_back_what_they_paid_of_the_part(world: World) -> None:
    give(world, "worker", "resident")
    settled = world.buy("resident", line(IBUPROFEN, "3", "100.00"))
    before, paid_by_family = account(world, "worker"), settled.family_fen
    assert paid_by_family
    done = take_back(world, settled.id, part(1), packs=packs(world, settled.id, 1)[:1])
    kept = settlement(world, done.rest_id)
    assert kept.family_fen < paid_by_family
    assert account(world, "worker") == before + paid_by_family - kept.family_fen
    assert done.account_fen == paid_by_family - kept.family_fen
    assert wallet(world, "resident") == 0
    assert buys(world, "resident", "20.00").total_fen == 2000
    adds_up(world)
    assert world.faults() == []
