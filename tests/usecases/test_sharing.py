"""Family funds and the wallet: grants, draw order, transfers, the night and the morning."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import select

from backend.access.assurance import Proof, StepUpRequired
from backend.access.contracts import Anonymous, SignInRequired
from backend.identity import safety
from backend.identity.safety_contracts import AccountFrozen, FreezeAccount
from backend.infra.database import Unit
from backend.infra.idempotency import RequestKeyReused
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.people import queries as people
from backend.people.model import EnrolmentPeriod
from backend.people.service import record_death
from backend.proxies.contracts import Relation, RelativeUnknown, TooManyBindingRequests
from backend.sharing import queries, service
from backend.sharing.contracts import (
    DecideTransfer,
    EndShare,
    GiveShare,
    NotEnoughMoney,
    OpenWallet,
    SendMoney,
    ShareNotFound,
    ShareStanding,
    ShareView,
    SharingNotPossible,
    SharingProblem,
    TooManyShares,
    TooManyTransfers,
    TransferEvent,
    TransferNotFound,
    TransferState,
    TransferTooLarge,
    TransferView,
    TransitFault,
    WalletClosed,
    WalletNotOpen,
    WalletView,
)
from backend.sharing.model import Transfer
from tests.usecases.test_relatives import allowed
from tests.usecases.test_safety import messages
from tests.world import World, new_key


def facts(world: World, key: str) -> tuple[str, str]:
    known = world.database.read(lambda u: people.particulars(u, world.person(key)))
    return known.name, known.id_number


def shared(world: World, giver: str, user: str, **changes: Any) -> GiveShare:
    made = GiveShare(world.actor(giver), *facts(world, user), Relation.CHILD, True, new_key())
    return replace(made, **changes)


def give(world: World, giver: str, user: str, **changes: Any) -> Any:
    world.prove(giver, Proof.DESK)
    return world.do(service.give_share, shared(world, giver, user, **changes))


def open_wallet(world: World, key: str) -> Any:
    return world.do(service.open_wallet, OpenWallet(world.actor(key)))


def sending(world: World, sender: str, receiver: str, amount: int, **changes: Any) -> SendMoney:
    relative = facts(world, receiver)
    made = SendMoney(world.actor(sender), *relative, Relation.CHILD, Fen(amount), True, new_key())
    return replace(made, **changes)


def send(world: World, sender: str, receiver: str, amount: int, **changes: Any) -> Any:
    world.prove(sender, Proof.DESK)
    return world.do(service.send_money, sending(world, sender, receiver, amount, **changes))


def decide(world: World, key: str, transfer: TransferView, event: TransferEvent) -> Any:
    command = DecideTransfer(world.actor(key), transfer.id, event)
    return world.do(service.decide_transfer, command)


def give_back(world: World) -> int:
    return int(service.expire_transfers(world.database))


def account(world: World, key: str) -> int:
    name = accounts.personal(world.enrolment(key))
    return int(world.database.read(lambda u: ledger.balance(u, name)) or 0)


def wallet(world: World, key: str) -> WalletView:
    return world.database.read(lambda u: queries.wallet(u, world.person(key)))


def purses(world: World, key: str) -> list[str]:
    found = world.database.read(lambda u: queries.purses(u, world.person(key)))
    return [purse.giver_id for purse in found]


def adds_up(world: World) -> None:
    assert world.database.read(ledger.verify) == []
    assert world.database.read(queries.verify) == []


@pytest.fixture
def pair(world: World) -> World:
    """Return a world at ten in the morning in which father and daughter have opened their wallets."""
    world.clock.instant = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
    for key in ("retiree", "worker"):
        assert open_wallet(world, key).open
    return world


# -- family funds ----------------------------------------------------------------------------------


def test_an_account_is_shared_and_gives_no_other_right(world: World) -> None:
    asked = shared(world, "retiree", "resident")
    assert world.do(service.give_share, asked) == StepUpRequired((Proof.SMS_CODE,))
    world.prove("retiree", Proof.SMS_CODE)
    share = world.do(service.give_share, asked)
    assert isinstance(share, ShareView)
    assert (share.standing, share.relation) == (ShareStanding.IN_FORCE, Relation.CHILD)
    assert world.do(service.give_share, asked) == share  # the phone lost the answer
    changed = replace(asked, relation=Relation.SPOUSE)
    assert isinstance(world.do(service.give_share, changed), RequestKeyReused)
    assert purses(world, "resident") == [world.person("retiree")]
    assert not allowed(world, "resident", "retiree")
    assert not allowed(world, "retiree", "resident")
    told = [f["to"] for kind, f in messages(world) if kind == "share_given"]
    assert len(told) == 2
    again = give(world, "retiree", "resident")
    assert again == SharingNotPossible(SharingProblem.ALREADY)


def test_the_own_account_pays_first_then_relatives_as_they_filed(world: World) -> None:
    give(world, "retiree", "worker")
    world.clock.forward(minutes=1)
    give(world, "worker_2", "worker")
    order = [world.person(key) for key in ("worker", "retiree", "worker_2")]
    assert purses(world, "worker") == order
    found = world.database.read(lambda u: queries.purses(u, world.person("worker")))
    assert [purse.left_fen for purse in found] == [
        account(world, key) for key in ("worker", "retiree", "worker_2")
    ]


@pytest.mark.parametrize(
    ("giver", "user", "changes", "problem"),
    [
        ("retiree", "retiree", {}, SharingProblem.ONESELF),
        ("retiree", "worker", {"promise": False}, SharingProblem.NO_PROMISE),
        ("retiree", "worker", {"relation": Relation.SIBLING}, SharingProblem.RELATION),
        ("resident", "worker", {}, SharingProblem.NO_ACCOUNT),
        ("retiree_pool_only", "worker", {}, SharingProblem.NO_ACCOUNT),
    ],
)
def test_the_condition_that_fails_is_named(
    world: World, giver: str, user: str, changes: dict[str, Any], problem: SharingProblem
) -> None:
    refused = give(world, giver, user, **changes)
    assert refused == SharingNotPossible(problem)
    assert refused.message(Locale.ZH) != refused.message(Locale.EN)
    assert world.database.read(lambda u: queries.shares_of(u, world.person(giver))) == []


def interrupted(world: World, key: str) -> None:
    enrolment = world.enrolment(key)

    def run(unit: Unit) -> None:
        query = select(EnrolmentPeriod).where(EnrolmentPeriod.enrolment_id == enrolment)
        for period in unit.db.exec(query).all():
            period.status = "SUSPENDED"

    world.database.write(run)


def test_a_share_rests_while_either_is_not_insured(world: World) -> None:
    share = give(world, "retiree", "resident")
    interrupted(world, "resident")
    found = world.database.read(lambda u: queries.shares_of(u, world.person("resident")))
    assert [(one.id, one.standing) for one in found] == [(share.id, ShareStanding.RESTS)]
    assert purses(world, "resident") == []
    assert give(world, "retiree_2", "resident") == SharingNotPossible(
        SharingProblem.RELATIVE_NOT_INSURED
    )
    interrupted(world, "retiree")
    assert give(world, "retiree", "worker") == SharingNotPossible(SharingProblem.NOT_INSURED)


def test_death_ends_a_share(world: World) -> None:
    give(world, "retiree", "resident")
    world.database.write(
        lambda u: record_death(u, "register", world.person("retiree"), date(2026, 6, 1))
    )
    assert purses(world, "resident") == []


@pytest.mark.parametrize("who", ["retiree", "resident"])
def test_either_ends_it_at_once(world: World, who: str) -> None:
    share = give(world, "retiree", "resident")
    end = EndShare(world.actor(who), share.id)
    assert world.do(service.end_share, replace(end, actor=world.actor("worker"))) == ShareNotFound()
    assert world.do(service.end_share, replace(end, actor=Anonymous())) == SignInRequired()
    assert world.do(service.end_share, end).standing is ShareStanding.ENDED
    assert world.do(service.end_share, end) == ShareNotFound()
    assert purses(world, "resident") == []
    assert isinstance(give(world, "retiree", "resident"), ShareView)


def test_five_relatives_and_of_two_for_the_last_place_one(world: World) -> None:
    users = [f"worker_{number}" for number in range(2, 6)]
    for user in users:
        assert isinstance(give(world, "retiree", user), ShareView)
    world.prove("retiree", Proof.DESK)
    commands = [shared(world, "retiree", user) for user in ("worker", "resident", "child")]
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda c: world.do(service.give_share, c), commands))
    assert [isinstance(one, ShareView) for one in answers].count(True) == 1
    assert answers.count(TooManyShares(5)) == 2


def test_names_that_match_nobody_are_counted(world: World) -> None:
    wrong = {"relative_name": "某某"}
    for _ in range(10):
        assert give(world, "retiree", "worker", **wrong) == RelativeUnknown()
    assert isinstance(give(world, "retiree", "worker"), TooManyBindingRequests)
    nobody = shared(world, "retiree", "worker", actor=Anonymous())
    assert world.do(service.give_share, nobody) == SignInRequired()


# -- the wallet ------------------------------------------------------------------------------------


def test_money_is_sent_and_taken(pair: World) -> None:
    world, before = pair, account(pair, "retiree")
    asked = sending(world, "retiree", "worker", 10_000)
    assert isinstance(world.do(service.send_money, asked), StepUpRequired)
    sent = send(world, "retiree", "worker", 20_000)
    assert isinstance(sent, TransferView), sent
    assert (sent.state, sent.sent_by_me) == (TransferState.SENT, True)
    assert sent.due_at == datetime(2026, 6, 15, 22, 0, tzinfo=UTC)  # 06:00 of the next day
    assert account(world, "retiree") == before - 20_000
    assert wallet(world, "worker").balance_fen == 0
    taken = decide(world, "worker", sent, TransferEvent.RECEIVE)
    assert (taken.state, taken.sent_by_me) == (TransferState.RECEIVED, False)
    assert wallet(world, "worker").balance_fen == 20_000
    assert decide(world, "worker", sent, TransferEvent.RECEIVE) == TransferNotFound()
    adds_up(world)
    views = world.database.read(lambda u: queries.transfers(u, world.person("worker"), None, 9))
    assert [view.id for view in views] == [sent.id]
    older = world.database.read(lambda u: queries.transfers(u, world.person("worker"), sent.id, 9))
    assert older == []


def test_a_transfer_that_somebody_tampered_with_is_found(pair: World) -> None:
    sent = send(pair, "retiree", "worker", 20_000)
    adds_up(pair)

    def tamper(unit: Unit) -> None:
        unit.db.get_one(Transfer, sent.id).amount_fen = 30_000

    pair.database.write(tamper)
    found = TransitFault(pair.person("retiree"), Fen(20_000), Fen(30_000))
    assert pair.database.read(queries.verify) == [found]


def test_the_same_request_moves_money_once(pair: World) -> None:
    pair.prove("retiree", Proof.DESK)
    before, command = account(pair, "retiree"), sending(pair, "retiree", "worker", 1_000)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: pair.do(service.send_money, command), range(4)))
    assert len({answer.id for answer in answers}) == 1
    assert account(pair, "retiree") == before - 1_000


@pytest.mark.parametrize(
    ("who", "event"),
    [("worker", TransferEvent.DECLINE), ("retiree", TransferEvent.TAKE_BACK)],
)
def test_money_goes_back_when_declined_or_taken_back(
    pair: World, who: str, event: TransferEvent
) -> None:
    before = account(pair, "retiree")
    sent = send(pair, "retiree", "worker", 20_000)
    other = "retiree" if who == "worker" else "worker"
    assert decide(pair, other, sent, event) == TransferNotFound()
    assert decide(pair, "resident", sent, event) == TransferNotFound()
    assert decide(pair, who, sent, TransferEvent.LAPSE) == TransferNotFound()
    assert decide(pair, who, sent, event).state is TransferState.RETURNED
    assert account(pair, "retiree") == before
    assert decide(pair, "worker", sent, TransferEvent.RECEIVE) == TransferNotFound()
    adds_up(pair)


def test_what_nobody_took_is_back_by_six(pair: World) -> None:
    before = account(pair, "retiree")
    sent = send(pair, "retiree", "worker", 20_000)
    later = send(pair, "retiree", "worker", 10_000)
    pair._actors.clear()
    pair.clock.instant = datetime(2026, 6, 15, 21, 59, 59, tzinfo=UTC)
    assert give_back(pair) == 0
    assert decide(pair, "worker", sent, TransferEvent.RECEIVE).state is TransferState.RECEIVED
    pair.clock.instant = datetime(2026, 6, 15, 22, 0, tzinfo=UTC)
    assert decide(pair, "worker", later, TransferEvent.RECEIVE) == TransferNotFound()
    assert give_back(pair) == 1
    assert give_back(pair) == 0
    assert account(pair, "retiree") == before - 20_000
    told = [kind for kind, _ in messages(pair) if kind == "transfer_returned"]
    assert len(told) == 2
    adds_up(pair)


def test_the_morning_s_job_and_the_last_tap_do_not_both_win(pair: World) -> None:
    sent = send(pair, "retiree", "worker", 20_000)
    pair._actors.clear()
    daughter = pair.actor("worker")
    take = DecideTransfer(daughter, sent.id, TransferEvent.TAKE_BACK)
    pair.actor("retiree")
    pair.clock.instant = sent.due_at
    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(give_back, pair) for _ in range(6)]
        done.append(threads.submit(pair.do, service.decide_transfer, take))
    assert sum(job.result() for job in done[:6]) == 1
    adds_up(pair)


@pytest.mark.parametrize(
    ("clock", "opened"),
    [
        ("2026-06-15T21:59:59+08:00", True),
        ("2026-06-15T22:00:00+08:00", False),
        ("2026-06-16T00:00:00+08:00", False),
        ("2026-06-16T05:59:59+08:00", False),
        ("2026-06-16T06:00:00+08:00", True),
    ],
)
def test_nothing_is_sent_at_night(pair: World, clock: str, opened: bool) -> None:
    before = account(pair, "retiree")
    pair.clock.instant = datetime.fromisoformat(clock)
    command = sending(pair, "retiree", "worker", 1_000)
    pair.prove("retiree", Proof.DESK)
    answer = pair.do(service.send_money, command)
    assert wallet(pair, "retiree").closed_now is not opened
    if opened:
        assert isinstance(answer, TransferView)
        return
    assert isinstance(answer, WalletClosed)
    assert (answer.closes, answer.opens) == (22, 6)
    assert account(pair, "retiree") == before
    pair.clock.forward(seconds=answer.retry_after_seconds)
    pair.prove("retiree", Proof.DESK)
    assert isinstance(pair.do(service.send_money, command), TransferView)


def test_three_a_day_and_two_thousand_each(pair: World) -> None:
    assert send(pair, "retiree", "worker", 200_001) == TransferTooLarge(Fen(200_000))
    for left in (2, 1, 0):
        sent = send(pair, "retiree", "worker", 100)
        assert wallet(pair, "retiree").sends_left_today == left
    decide(pair, "retiree", sent, TransferEvent.TAKE_BACK)
    assert send(pair, "retiree", "worker", 100) == TooManyTransfers(3)
    pair._actors.clear()
    pair.clock.forward(hours=24)
    assert isinstance(send(pair, "retiree", "worker", 100), TransferView)


def test_of_four_transfers_at_once_three_go(pair: World) -> None:
    pair.prove("retiree", Proof.DESK)
    commands = [sending(pair, "retiree", "worker", 100) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda c: pair.do(service.send_money, c), commands))
    assert answers.count(TooManyTransfers(3)) == 1


def test_what_cannot_be_sent_is_refused_and_moves_nothing(pair: World) -> None:
    before = account(pair, "retiree")
    assert send(pair, "retiree", "retiree", 1) == SharingNotPossible(SharingProblem.ONESELF)
    assert send(pair, "retiree", "worker", 0) == SharingNotPossible(SharingProblem.AMOUNT)
    assert send(pair, "retiree", "worker", -5) == SharingNotPossible(SharingProblem.AMOUNT)
    unopened = send(pair, "retiree", "resident", 100)
    assert isinstance(unopened, WalletNotOpen)
    assert "*" in unopened.name
    open_wallet(pair, "resident")
    assert send(pair, "resident", "worker", 1) == SharingNotPossible(SharingProblem.NO_ACCOUNT)
    name = accounts.personal(pair.enrolment("retiree"))
    drained = [(name, -before + 50), (accounts.contributions("510100"), before - 50)]

    def drain(unit: Unit) -> None:
        from backend.ledger import service as books
        from backend.ledger.contracts import EntryKind, Posting

        postings = [Posting(one, Fen(amount)) for one, amount in drained]
        books.post(unit, EntryKind.CONTRIBUTION, "x", "x", postings)

    pair.database.write(drain)
    assert send(pair, "retiree", "worker", 51) == NotEnoughMoney(Fen(50))
    pair.do(safety.freeze_account, FreezeAccount(pair.actor("retiree"), ""))
    assert isinstance(send(pair, "retiree", "worker", 50), AccountFrozen)
    assert account(pair, "retiree") == 50


def test_a_frozen_wallet_takes_nothing_and_the_sender_may_still_take_back(pair: World) -> None:
    sent = send(pair, "retiree", "worker", 100)
    pair.do(safety.freeze_account, FreezeAccount(pair.actor("worker"), ""))
    assert isinstance(decide(pair, "worker", sent, TransferEvent.RECEIVE), AccountFrozen)
    back = decide(pair, "retiree", sent, TransferEvent.TAKE_BACK)
    assert back.state is TransferState.RETURNED


def test_a_wallet_is_opened_by_whoever_is_insured_and_twice_is_no_error(world: World) -> None:
    assert world.do(service.open_wallet, OpenWallet(Anonymous())) == SignInRequired()
    assert not wallet(world, "resident").open
    first = open_wallet(world, "resident")
    assert (first.open, first.balance_fen, first.provisional) == (True, 0, True)
    assert open_wallet(world, "resident") == first
    interrupted(world, "worker")
    assert open_wallet(world, "worker") == SharingNotPossible(SharingProblem.NOT_INSURED)
