"""免密支付, 信用就医 and debts: one scan for all of a bill, limits, and a bank that is paid back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from backend.access.assurance import Proof, StepUpRequired
from backend.access.contracts import SignInRequired
from backend.codes import service as codes
from backend.codes.contracts import IssueCode, Purpose
from backend.credit.contracts import PayLaterNotFound, PayLaterState
from backend.identity import safety
from backend.identity.safety_contracts import AccountFrozen, FreezeAccount
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.orders import agreeing, agreements, debts, driving, queries, service
from backend.orders.agreement_contracts import (
    AboveAgreement,
    AgreedState,
    AgreementNotFound,
    AgreementProblem,
    AgreementState,
    AgreementView,
    AskAgreement,
    CollectingNotPossible,
    CreditBill,
    CreditStanding,
    EndAgreement,
    LimitAgreement,
    NoAgreement,
    NothingToCollect,
    PayAtTill,
    RepayCredit,
)
from backend.orders.contracts import (
    ChannelName,
    DebtPart,
    DebtUnderWay,
    OrderState,
    OrderView,
    PayBill,
    PayDebt,
    Why,
)
from backend.payments import queries as bills
from backend.payments.contracts import BillNotFound, BillState
from backend.people import queries as people
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_credit import look, pays
from tests.usecases.test_orders import at_rest, seen
from tests.usecases.test_relatives import bound, may_pay
from tests.usecases.test_safety import messages
from tests.usecases.test_stays import _owing
from tests.world import EJIAO, IBUPROFEN, OTHER_PHARMACY, PHARMACY, World, line, new_key

S, P = AgreementState, AgreementProblem
W, C = ChannelName.WECHAT, ChannelName.CREDIT


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def channels(of: ScriptedChannel) -> Mapping[ChannelName, Any]:
    return {W: of, C: of}


def ask(world: World, key: str = "worker", channel: ChannelName = W, **more: Any) -> Any:
    if more.get("proven", True):
        world.prove(key, Proof.DESK)
    command = AskAgreement(
        world.actor(key),
        channel,
        Fen(more.get("payment", 20_000)),
        Fen(more.get("day", 30_000)),
        more.get("consents", True),
        new_key(),
    )
    return world.do(agreements.ask, command)


def signed(world: World, key: str = "worker", channel: ChannelName = W) -> AgreementView:
    """Return an agreement that is signed at a channel which nobody needs to ask again."""
    script = ScriptedChannel(world.clock, credit=CreditStanding(Fen(100_000), Fen(100), Fen(0)))
    asked = ask(world, key, channel)
    return sign(world, script, asked)


def sign(world: World, channel: ScriptedChannel, asked: AgreementView) -> AgreementView:
    tend(world, channel, asked)
    channel.agreed[asked.number] = AgreedState.SIGNED
    return tend(world, channel, asked)


def tend(world: World, channel: ScriptedChannel, one: AgreementView) -> AgreementView:
    agreeing.look_after(world.database, channels(channel), one.id)
    return again(world, one)


def again(world: World, one: AgreementView) -> AgreementView:
    found = world.database.read(lambda u: agreements.agreement(u, one.id))
    assert found is not None
    return found


def till_pays(world: World, bill_id: str, at: str = PHARMACY) -> Any:
    return world.do(agreements.pay_at_till, PayAtTill(world.terminal(at), bill_id, new_key()))


def drive(world: World, channel: ScriptedChannel, order: OrderView) -> OrderView:
    driving.drive(world.database, channels(channel), order.id)
    return seen(world, order.id)


def mixed(world: World, key: str = "worker", cash: str = "98.00") -> Any:
    return world.bill(key, line(IBUPROFEN, "1", "100.00"), line(EJIAO, "1", cash))


def test_one_scan_pays_insurance_account_and_cash(world: World, channel: ScriptedChannel) -> None:
    one = sign(world, channel, ask(world))
    assert (one.state, messages(world)[-1][0]) == (S.SIGNED, "agreement_signed")
    bill = mixed(world)
    order = till_pays(world, bill.id)
    assert (order.state, order.by_agreement) == (OrderState.INSURANCE_LOCKED, True)
    done = drive(world, channel, order)
    assert (done.state, done.cash_fen) == (OrderState.SETTLED, 9800)
    assert [step.event for step in done.steps] == ["PAY", "SETTLE"]
    found = world.database.read(lambda u: bills.bill(u, bill.id))
    assert found is not None
    assert (found.state, found.settlement_id) == (BillState.SETTLED, done.settlement_id)
    at_rest(world, channel, 9800)


def test_who_has_none_or_wants_no_more_pays_otherwise(
    world: World, channel: ScriptedChannel
) -> None:
    bill = mixed(world)
    assert till_pays(world, bill.id) == NoAgreement()
    assert till_pays(world, bill.id, OTHER_PHARMACY) == BillNotFound()
    assert (
        world.do(agreements.pay_at_till, PayAtTill(world.actor("worker"), bill.id, new_key()))
        == SignInRequired()
    )
    one = sign(world, channel, ask(world, payment=9000, day=15_000))
    free = world.bill("worker", line(IBUPROFEN, "1", "10.00"))
    assert till_pays(world, free.id) == NothingToCollect()
    large = mixed(world)
    assert till_pays(world, large.id) == AboveAgreement(Fen(9800), Fen(9000))
    for _ in range(2):
        order = drive(world, channel, till_pays(world, mixed(world, cash="70.00").id))
        assert order.state is OrderState.SETTLED
    third = mixed(world, cash="70.00")
    assert till_pays(world, third.id) == AboveAgreement(Fen(7000), Fen(1000))
    world.prove("worker", Proof.DESK)
    more = LimitAgreement(world.actor("worker"), one.id, Fen(9000), Fen(38_000))
    assert isinstance(world.do(agreements.limit, more), AgreementView)
    assert drive(world, channel, till_pays(world, third.id)).state is OrderState.SETTLED
    large = mixed(world)
    assert world.settle(large.id)  # the till takes the cash itself
    assert world.database.read(queries.verify) == []
    assert world.faults() == []


def test_asking_limits_and_ending(world: World, channel: ScriptedChannel) -> None:
    assert isinstance(ask(world, proven=False), StepUpRequired)
    for wrong in ({"payment": 0}, {"payment": 200, "day": 100}, {"day": 500_001}):
        assert ask(world, **wrong) == CollectingNotPossible(P.LIMITS)
    assert ask(world, channel=C, consents=False) == CollectingNotPossible(P.CONSENT)
    assert ask(world, "child_3") == CollectingNotPossible(P.CHILD)
    one = ask(world)
    assert ask(world) == CollectingNotPossible(P.ALREADY)
    waits = tend(world, channel, one)
    assert (waits.state, waits.pay) == (S.ASKED, {"pre_entrustweb_id": f"PE{one.number}"})
    stranger = world.actor("worker_2")
    assert world.do(agreements.end, EndAgreement(stranger, one.id)) == AgreementNotFound()
    limits = (Fen(100), Fen(100))
    assert (
        world.do(agreements.limit, LimitAgreement(stranger, one.id, *limits)) == AgreementNotFound()
    )
    one = sign(world, channel, one)
    world.clock.forward(minutes=10)  # no proof is fresh any more
    assert world.do(agreements.limit, LimitAgreement(world.actor("worker"), one.id, *limits))
    more = LimitAgreement(world.actor("worker"), one.id, Fen(200), Fen(200))
    assert isinstance(world.do(agreements.limit, more), StepUpRequired)
    channel.faults["end_agreement"] = ["lost"]
    ended = world.do(agreements.end, EndAgreement(world.actor("worker"), one.id))
    assert ended.state is S.ENDING
    assert till_pays(world, mixed(world, cash="0.50").id) == NoAgreement()
    assert tend(world, channel, one).state is S.ENDING  # the channel did not answer
    world.clock.forward(minutes=10)
    assert agreeing.agree_due(world.database, channels(channel)) == 1
    assert again(world, one).state is S.ENDED
    assert channel.agreed[one.number] is AgreedState.ENDED
    assert [kind for kind, _ in messages(world)].count("agreement_ended") == 1


def test_a_callback_only_has_the_channel_asked(world: World, channel: ScriptedChannel) -> None:
    one = tend(world, channel, ask(world))
    for _ in range(8):
        tend(world, channel, one)  # by now it is asked minutes apart
    channel.agreed[one.number] = AgreedState.SIGNED
    assert agreeing.agree_due(world.database, channels(channel)) == 0
    assert world.database.read(lambda u: agreements.is_ours(u, one.number))
    world.database.write(lambda u: agreements.wake(u, one.number))
    assert again(world, one).state is S.ASKED  # what it said is not believed without asking
    assert agreeing.agree_due(world.database, channels(channel)) == 1
    assert again(world, one).state is S.SIGNED
    assert not world.database.read(lambda u: agreements.is_ours(u, "YA0"))
    world.database.write(lambda u: agreements.wake(u, "YA0"))


def test_what_nobody_signs_lapses_and_what_is_ended_there_ends_here(
    world: World, channel: ScriptedChannel
) -> None:
    channel.faults["agree"] = ["lost"]
    one = ask(world)
    assert tend(world, channel, one).pay == {}
    assert tend(world, channel, one).pay  # asked again by the same number
    world.clock.forward(minutes=16)
    world._actors.clear()
    agreeing.agree_due(world.database, channels(channel))
    assert again(world, one).state is S.ENDED
    assert "agreement_lapsed" in [kind for kind, _ in messages(world)]
    two = sign(world, channel, ask(world))
    channel.agreed[two.number] = AgreedState.ENDED
    world.clock.forward(hours=1, seconds=1)
    agreeing.agree_due(world.database, channels(channel))
    assert again(world, two).state is S.ENDED
    channel.faults["agree"] = ["refused"]
    world._actors.clear()
    three = tend(world, channel, ask(world))
    assert (three.state, three.words) == (S.DECLINED, "不符合条件")


def test_a_channel_that_will_not_or_does_not_answer_leaves_the_bill_to_the_till(
    world: World, channel: ScriptedChannel
) -> None:
    one = sign(world, channel, ask(world))
    channel.agreed[one.number] = AgreedState.ENDED  # taken back in the wallet a moment ago
    bill = mixed(world)
    refused = drive(world, channel, till_pays(world, bill.id))
    assert (refused.state, refused.why) == (OrderState.RELEASED, Why.CHANNEL_REFUSED)
    assert world.settle(bill.id)
    agreeing.agree_due(world.database, channels(channel))
    assert (
        again(world, one).state is S.ENDED
    )  # it is asked at once why, and no other till runs into it
    one = sign(world, channel, ask(world))
    channel.agreed[one.number] = AgreedState.SIGNED
    channel.faults["ask"] = ["late"]
    bill = mixed(world)
    unknown = drive(world, channel, till_pays(world, bill.id))
    assert unknown.state in (OrderState.QUERYING, OrderState.SETTLED)
    assert drive(world, channel, unknown).state is OrderState.SETTLED
    channel.faults["ask"] = ["slow"] * 20
    bill = mixed(world)
    slow = drive(world, channel, till_pays(world, bill.id))
    assert slow.state is OrderState.CASH_PENDING
    world.clock.forward(seconds=61)
    assert drive(world, channel, slow).state is OrderState.RELEASED
    assert world.settle(bill.id)
    at_rest(world, channel, 9800)


def test_a_channel_that_is_offered_no_more_blocks_nobody(
    world: World, channel: ScriptedChannel
) -> None:
    sign(world, channel, ask(world))
    bill = mixed(world)
    command = PayAtTill(world.terminal(), bill.id, new_key(), (ChannelName.UNIONPAY,))
    assert world.do(agreements.pay_at_till, command) == NoAgreement()
    order = till_pays(world, bill.id)
    assert isinstance(order, OrderView)
    driving.drive(world.database, {}, order.id)  # its keys were taken away a moment ago
    assert seen(world, order.id).state is OrderState.QUERYING
    world.clock.forward(seconds=60 + 601)
    driving.drive(world.database, {}, order.id)
    world._terminals.clear()
    world._actors.clear()
    again_bill = mixed(world)
    assert world.settle(again_bill.id)  # insurance stands by no more
    assert drive(world, channel, order).state is OrderState.RELEASED
    assert world.faults() == []


def test_a_frozen_account_collects_nothing(world: World, channel: ScriptedChannel) -> None:
    sign(world, channel, ask(world))
    bill = mixed(world)
    world.do(safety.freeze_account, FreezeAccount(world.actor("worker"), "手机丢了"))
    assert isinstance(till_pays(world, bill.id), AccountFrozen)
    assert isinstance(ask(world, channel=C), AccountFrozen)


def test_who_shows_the_code_of_a_relative_pays_with_their_own_agreement(
    world: World, channel: ScriptedChannel
) -> None:
    binding = bound(world, "worker", "retiree")
    may_pay(world, "retiree", binding.id, 100_000)
    sign(world, channel, ask(world, "retiree"))
    shown = IssueCode(
        world.actor("worker"), world.person("retiree"), Purpose.PHARMACY_PURCHASE, new_key()
    )
    scanned = world.scan_text(world.do(codes.issue_code, shown).text)
    bill = world.presettle(scanned.token, line(EJIAO, "1", "98.00"))
    assert till_pays(world, bill.id) == NoAgreement()
    sign(world, channel, ask(world, "worker"))
    done = drive(world, channel, till_pays(world, bill.id))
    assert (done.state, done.person.id) == (OrderState.SETTLED, world.person("retiree"))


def test_a_banks_credit_pays_first_and_is_paid_back(world: World, channel: ScriptedChannel) -> None:
    one = ask(world, channel=C)
    channel.credit = CreditStanding(Fen(1_000_000), Fen(0), Fen(0))
    one = sign(world, channel, one)
    assert one.credit is not None
    assert one.credit.left_fen == 1_000_000
    world.prove("worker", Proof.DESK)
    bill = mixed(world)
    order = world.do(service.pay_bill, PayBill(world.actor("worker"), bill.id, C, new_key()))
    done = drive(world, channel, order)
    assert (done.state, done.channel, done.pay) == (OrderState.SETTLED, C, {})
    nothing = RepayCredit(world.actor("worker"), one.id, new_key())
    assert world.do(agreements.repay, nothing) == CollectingNotPossible(P.NOTHING_OPEN)
    due = local_day(world.clock.now()) + timedelta(days=2)
    bill_of_bank = CreditBill(done.number, Fen(9800), Fen(9800), due)
    channel.credit = CreditStanding(Fen(1_000_000), Fen(9800), Fen(0), (bill_of_bank,))
    tend(world, channel, one)
    tend(world, channel, one)
    reminded = [facts for kind, facts in messages(world) if kind == "credit_due"]
    assert [(facts["amount_fen"], facts["due_on"]) for facts in reminded] == [(9800, str(due))]
    channel.credit = CreditStanding(Fen(1_000_000), Fen(9800), Fen(9800), (bill_of_bank,))
    late = tend(world, channel, one)
    assert late.credit is not None
    assert late.credit.left_fen == 0
    tend(world, channel, one)
    assert [kind for kind, _ in messages(world)].count("credit_overdue") == 1
    # a bank that is slow to say so is asked again by the same number, and takes it once
    channel.faults["repay"] = ["late"]
    asked = world.do(agreements.repay, RepayCredit(world.actor("worker"), one.id, new_key()))
    assert asked.repayments[0].amount_fen == 9800
    under_way = RepayCredit(world.actor("worker"), one.id, new_key())
    assert world.do(agreements.repay, under_way) == CollectingNotPossible(P.UNDER_WAY)
    tend(world, channel, one)
    after = tend(world, channel, one)
    assert (after.repayments[0].state.value, after.credit) == (
        "DONE",
        CreditStanding(Fen(1_000_000), Fen(0), Fen(0)),
    )
    assert list(channel.repaid.values()) == [9800]
    assert messages(world)[-1][0] == "credit_repaid"
    stranger = RepayCredit(world.actor("worker_2"), one.id, new_key())
    assert world.do(agreements.repay, stranger) == AgreementNotFound()


def test_what_a_bank_is_owed_outlives_the_agreement(world: World, channel: ScriptedChannel) -> None:
    channel.credit = CreditStanding(Fen(100_000), Fen(5000), Fen(0))
    one = sign(world, channel, ask(world, channel=C))
    world.do(agreements.end, EndAgreement(world.actor("worker"), one.id))
    assert tend(world, channel, one).state is S.ENDED
    channel.faults["repay"] = ["refused"]
    world.prove("worker", Proof.DESK)
    for state in ("FAILED", "DONE"):
        world.do(agreements.repay, RepayCredit(world.actor("worker"), one.id, new_key()))
        after = tend(world, channel, one)
        assert state in [paid.state.value for paid in after.repayments]
    assert {kind for kind, _ in messages(world)} >= {"credit_not_repaid", "credit_repaid"}


def test_a_bank_is_told_who_asks_and_a_wallet_is_not(
    world: World, channel: ScriptedChannel
) -> None:
    told: list[Any] = []
    real = channel.agree
    channel.agree = lambda asked: (told.append(asked.applicant), real(asked))[1]  # type: ignore[method-assign]
    tend(world, channel, ask(world))
    tend(world, channel, ask(world, channel=C))
    known = world.database.read(lambda u: people.particulars(u, world.person("worker")))
    assert told[0] is None
    assert (told[1].name, told[1].id_number) == (known.name, known.id_number)


# debts of 先诊疗后付费


def pay_debt(world: World, debt_id: str, by: str = "aided", **more: Any) -> Any:
    world.prove(by, Proof.DESK)
    part, by_channel = more.get("part", DebtPart.DUE), more.get("channel", W)
    command = PayDebt(world.actor(by), debt_id, part, by_channel, new_key())
    return world.do(debts.pay_debt, command)


def test_a_debt_is_paid_from_the_phone_part_by_part(world: World, channel: ScriptedChannel) -> None:
    agreement, _ = _owing(world)
    first, total = agreement.instalments[0].amount_fen, agreement.open_fen
    assert pay_debt(world, agreement.id, by="worker") == PayLaterNotFound()
    order = drive(world, channel, pay_debt(world, agreement.id))
    assert (order.state, order.cash_fen, order.debt_id) == (
        OrderState.CASH_PENDING,
        first,
        agreement.id,
    )
    assert isinstance(pay_debt(world, agreement.id), DebtUnderWay)
    said = channel.pays(order.number)
    world.database.write(lambda u: service.note_cash(u, order.id, said))
    assert drive(world, channel, order).state is OrderState.SETTLED
    assert look(world, agreement.id).paid_fen == first
    assert messages(world)[-1][0] == "debt_paid"
    rest = drive(world, channel, pay_debt(world, agreement.id, part=DebtPart.ALL))
    assert rest.cash_fen == total - first
    said = channel.pays(rest.number)
    world.database.write(lambda u: service.note_cash(u, rest.id, said))
    drive(world, channel, rest)
    assert look(world, agreement.id).state is PayLaterState.PAID
    assert pay_debt(world, agreement.id) == PayLaterNotFound()
    assert world.faults() == []
    assert world.database.read(queries.verify) == []
    assert channel.kept() == total


def test_who_pays_at_the_window_meanwhile_gets_the_phones_cash_back(
    world: World, channel: ScriptedChannel
) -> None:
    agreement, _ = _owing(world)
    order = drive(world, channel, pay_debt(world, agreement.id, part=DebtPart.ALL))
    assert pays(world, agreement.id, agreement.open_fen)
    said = channel.pays(order.number)
    world.database.write(lambda u: service.note_cash(u, order.id, said))
    back = drive(world, channel, order)
    assert (back.state, back.why) == (OrderState.RETURNED, Why.INSURANCE_REFUSED)
    assert look(world, agreement.id).paid_fen == agreement.debt_fen
    assert world.faults() == []
    assert world.database.read(queries.verify) == []
    assert channel.kept() == 0


def test_nobody_pays_a_debt_without_a_proof_or_by_a_credit_they_do_not_have(
    world: World, channel: ScriptedChannel
) -> None:
    agreement, _ = _owing(world)
    command = PayDebt(world.actor("aided"), agreement.id, DebtPart.DUE, W, new_key())
    assert isinstance(world.do(debts.pay_debt, command), StepUpRequired)
    assert pay_debt(world, agreement.id, channel=C) == NoAgreement()
