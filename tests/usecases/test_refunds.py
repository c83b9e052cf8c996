"""退费申请: asked for from the phone, granted or declined, and both halves back."""

from __future__ import annotations

from typing import Any

import pytest

from backend.orders import driving, refunds
from backend.orders.contracts import ChannelName, OrderState
from backend.orders.refund_contracts import (
    AskRefund,
    DecideRefund,
    RefundNotFound,
    RefundNotPossible,
    RefundProblem,
    RefundRequestState,
    WithdrawRefund,
)
from backend.payments.contracts import PaymentUnderWay
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_orders import at_rest, calls_back, drive, pay, seen
from tests.usecases.test_relatives import bound, may_pay
from tests.usecases.test_safety import messages
from tests.usecases.test_stays import care, quiet
from tests.world import IBUPROFEN, OTHER_PHARMACY, PHARMACY, World, line, new_key

S, P = RefundRequestState, RefundProblem


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def ask(world: World, settlement_id: str, by: str = "worker", words: str = "药不对症") -> Any:
    command = AskRefund(world.actor(by), settlement_id, words, new_key())
    return world.do(refunds.ask, command)


def decide(
    world: World, refund: Any, grant: bool = True, words: str = "", at: str = PHARMACY
) -> Any:
    command = DecideRefund(world.terminal(at), refund.id, grant, words, new_key())
    return world.do(refunds.decide, command)


def mine(world: World, who: str = "worker") -> list[Any]:
    person = world.person(who)
    return world.database.read(lambda u: refunds.of_person(u, person, 9))


def later(world: World, days: int) -> None:
    world.clock.forward(days=days)
    world._actors.clear()
    world._terminals.clear()


def test_a_refund_days_later_moves_both_halves_back(world: World, channel: ScriptedChannel) -> None:
    before = world.balance("worker") or 0
    order = drive(world, channel, pay(world).id)
    calls_back(world, channel, order)
    order = drive(world, channel, order.id)
    assert world.balance("worker") == before - 25_000
    later(world, 3)
    refund = ask(world, order.settlement_id)
    assert (refund.state, refund.payment_id, refund.cash_fen) == (S.ASKED, order.id, 9800)
    assert ask(world, order.settlement_id) == RefundNotPossible(P.ASKED)
    place = world.terminal().institution_id
    assert [one.id for one in world.database.read(lambda u: refunds.to_decide(u, place, 9))] == [
        refund.id
    ]
    assert decide(world, refund, at=OTHER_PHARMACY) == RefundNotFound()
    granted = decide(world, refund)
    assert (granted.state, messages(world)[-1][0]) == (S.GRANTED, "refund_granted")
    assert world.balance("worker") == before
    for _ in range(3):
        driving.drive_due(world.database, {ChannelName.WECHAT: channel})
        world.clock.forward(seconds=10)
    assert seen(world, order.id).state is OrderState.RETURNED
    assert decide(world, refund) == RefundNotFound()
    assert ask(world, order.settlement_id) == RefundNotPossible(P.TAKEN_BACK)
    at_rest(world, channel, 0)


def test_an_institution_declines_and_says_why(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "20.00"))
    refund = ask(world, settled.id)
    assert decide(world, refund, False) == RefundNotPossible(P.WORDS)
    no = decide(world, refund, False, "药品已拆封")
    assert (no.state, no.answer, messages(world)[-1][0]) == (
        S.DECLINED,
        "药品已拆封",
        "refund_declined",
    )
    again = ask(world, settled.id, words="未拆封，请看照片")
    assert again.state is S.ASKED
    gone = world.do(refunds.withdraw, WithdrawRefund(world.actor("worker"), again.id, new_key()))
    assert gone.state is S.WITHDRAWN
    assert {one.state for one in mine(world)} == {S.WITHDRAWN, S.DECLINED}
    assert decide(world, again) == RefundNotFound()


def test_what_cannot_be_taken_back_now_stays_asked_for(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "20.00"))
    refund = ask(world, settled.id)
    pay(world)  # another payment of the same person is under way
    assert isinstance(decide(world, refund), PaymentUnderWay)
    assert mine(world)[0].state is S.ASKED
    assert world.faults() == []


def test_what_the_phone_cannot_ask_for(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "20.00"))
    assert ask(world, "nothing") == RefundNotFound()
    assert ask(world, settled.id, by="worker_2") == RefundNotFound()
    assert ask(world, settled.id, words=" ") == RefundNotPossible(P.WORDS)
    quiet(world)
    stay = world.admit("worker")
    left = world.settle_stay(stay.id, care("3000"))
    assert ask(world, left.id) == RefundNotPossible(P.STAY)
    later(world, 91)
    assert ask(world, settled.id) == RefundNotPossible(P.TOO_LATE)


def test_who_pays_for_a_relative_may_ask_for_it_back(world: World) -> None:
    settled = world.buy("retiree", line(IBUPROFEN, "1", "20.00"))
    assert ask(world, settled.id, by="worker") == RefundNotFound()
    binding = bound(world, "worker", "retiree")
    assert ask(world, settled.id, by="worker") == RefundNotFound()
    may_pay(world, "retiree", binding.id, 100_000)
    asked = ask(world, settled.id, by="worker")
    assert asked.state is S.ASKED
    later(world, 10)
    assert mine(world, "retiree")[0].overdue
