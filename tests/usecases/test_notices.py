"""Notices: by which way and when, once and in order, another way when one fails, and the inbox."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from backend.access.contracts import Anonymous, SignInRequired
from backend.coordination.service import _TOLD as TICKETS_TOLD
from backend.identity import safety
from backend.identity.safety_contracts import EndSession
from backend.infra.database import Unit
from backend.infra.model import OutboxMessage
from backend.infra.outbox import Channel, Delivery, DeliveryFailed, DeliveryRefused, deliver_due
from backend.kernel.calendar import SHANGHAI
from backend.matters.service import _TOLD as MATTERS_TOLD
from backend.notices import logic, queries, service
from backend.notices.contracts import (
    NoticeChoices,
    NoticeChoicesInvalid,
    NoticesRead,
    NoticeTopic,
    ReadNotices,
    RegisterPush,
    SetNoticeChoices,
    Way,
)
from backend.notices.logic import Reach, Sending
from backend.notices.templates import ACTIONS, TEMPLATES
from backend.orders.refund_contracts import RefundRequestState
from backend.people.contracts import NoticeBy, SetPreferences
from backend.people.service import set_preferences
from backend.proxies.contracts import ConsentAsked, ConsentKind
from backend.ratings.contracts import RatingState
from backend.sharing.contracts import TransferState
from mobile_bff.inbox import _UP_TO
from tests.usecases import test_relatives as relatives
from tests.usecases.test_safety import messages
from tests.world import IBUPROFEN, World, line, phone_of

T, W = NoticeTopic, Way
NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 6, 15, 15, 30, tzinfo=UTC)  # half past eleven in Chengdu
MORNING = datetime(2026, 6, 16, 7, 0, tzinfo=SHANGHAI)


def reach(**changes: Any) -> Reach:
    facts = {"has_phone": True, "has_devices": False, "wants_calls": False}
    return Reach(quiet_from="22:00", quiet_until="07:00", **{**facts, **changes})


@pytest.mark.parametrize(
    ("topic", "urgent", "changes", "now", "expected"),
    [
        (T.MONEY, True, {}, NOON, [(W.SMS, NOON)]),
        (T.MONEY, True, {}, NIGHT, [(W.SMS, NIGHT)]),
        (T.AFFAIRS, False, {}, NIGHT, [(W.SMS, MORNING)]),
        (T.MONEY, True, {"has_devices": True}, NIGHT, [(W.PUSH, NIGHT)]),
        (T.SECURITY, True, {"has_devices": True}, NOON, [(W.PUSH, NOON), (W.SMS, NOON)]),
        (T.MONEY, True, {"wants_calls": True}, NOON, [(W.VOICE, NOON)]),
        (T.MONEY, True, {"wants_calls": True}, NIGHT, [(W.SMS, NIGHT), (W.VOICE, MORNING)]),
        (T.AFFAIRS, False, {"wants_calls": True}, NIGHT, [(W.VOICE, MORNING)]),
        (
            T.CARE,
            False,
            {"wants_calls": True, "has_devices": True},
            NOON,
            [(W.PUSH, NOON), (W.VOICE, NOON)],
        ),
        (T.CARE, True, {"muted": (T.CARE,)}, NOON, []),
        (T.MONEY, False, {"muted": (T.MONEY,)}, NOON, [(W.SMS, NOON)]),
        (T.SECURITY, True, {"has_phone": False}, NOON, []),
        (T.SECURITY, True, {"has_phone": False, "has_devices": True}, NOON, [(W.PUSH, NOON)]),
    ],
)
def test_by_which_way_and_when(
    topic: T, urgent: bool, changes: dict[str, Any], now: datetime, expected: list[Any]
) -> None:
    found = logic.sendings(topic, urgent, reach(**changes), now)
    assert found == [Sending(way, due) for way, due in expected]


@pytest.mark.parametrize(
    ("hour", "minute", "begins", "ends", "until"),
    [
        (21, 59, "22:00", "07:00", None),
        (22, 0, "22:00", "07:00", (16, 7)),
        (6, 59, "22:00", "07:00", (15, 7)),
        (7, 0, "22:00", "07:00", None),
        (13, 0, "12:30", "14:00", (15, 14)),
        (14, 0, "12:30", "14:00", None),
        (3, 0, "22:00", "22:00", None),
        (22, 0, "22:00", "22:00", None),
    ],
)
def test_quiet_hours(hour: int, minute: int, begins: str, ends: str, until: Any) -> None:
    now = datetime(2026, 6, 15, hour, minute, tzinfo=SHANGHAI)
    found = logic.quiet_until(now, begins, ends)
    assert found == (None if until is None else datetime(2026, 6, *until, tzinfo=SHANGHAI))


def test_every_kind_that_is_made_up_from_a_state_has_a_template() -> None:
    kinds = {f"matter_{event.lower()}" for event in MATTERS_TOLD}
    kinds |= {f"ticket_{event.lower()}" for event in TICKETS_TOLD}
    kinds |= {f"binding_{kind.lower()}" for kind in ConsentKind}
    kinds |= {f"transfer_{state.lower()}" for state in TransferState}
    decided = (RefundRequestState.GRANTED, RefundRequestState.DECLINED)
    kinds |= {f"refund_{state.lower()}" for state in decided}
    answered = (RatingState.ANSWERED, RatingState.ANSWERED_AGAIN, RatingState.STRUCK)
    kinds |= {f"rating_{state.lower()}" for state in answered}
    assert kinds <= set(TEMPLATES)
    assert all(zh and en for zh, en in ACTIONS.values())


def register(world: World, who: str, token: str) -> Any:
    return world.do(service.register_push, RegisterPush(world.actor(who), token))


def sent(world: World, channel: Channel = Channel.PUSH) -> list[dict[str, Any]]:
    def read(unit: Any) -> list[dict[str, Any]]:
        query = select(OutboxMessage).where(OutboxMessage.channel == channel)
        rows = unit.db.exec(query.order_by(col(OutboxMessage.id))).all()
        waiting = [row for row in rows if row.payload]
        return [json.loads(unit.vault.open(m.payload, f"outbox:{m.topic}")) for m in waiting]

    return world.database.read(read)


def inbox(world: World, who: str = "worker", **more: Any) -> list[Any]:
    person = world.person(who)
    return world.database.read(lambda u: queries.inbox(u, person, None, 50, **more))


def deliver(world: World, channel: Channel, send: Any) -> int:
    give_up = None if channel is Channel.SMS else service.take_another_way
    return deliver_due(world.database, channel, send, give_up)


def fails(_: Delivery) -> None:
    raise DeliveryFailed("503")


def gone(_: Delivery) -> None:
    raise DeliveryRefused("gone")


def test_a_payment_is_told_by_push_and_stands_in_the_inbox(world: World) -> None:
    assert register(world, "worker", "token-1").devices == 1
    world.buy("worker", line(IBUPROFEN, "1", "12.00"))
    [push] = sent(world)
    assert (push["token"], push["title"]) == ("token-1", "医保支付")
    assert push["text"].startswith("您在成都市锦江区示例大药房结算12.00元，个人账户支付")
    assert "paid" not in [kind for kind, _ in messages(world)]
    [notice] = inbox(world)
    assert (notice.kind, notice.topic, notice.read_at) == ("paid", T.MONEY, None)
    assert notice.text[1].startswith("12.00 yuan at 成都市锦江区示例大药房")
    person = world.person("worker")
    assert world.database.read(lambda u: queries.unread(u, person)) == 1
    read = world.do(service.read_notices, ReadNotices(world.actor("worker"), notice.number))
    assert read == NoticesRead(0)
    assert inbox(world)[0].read_at == world.clock.now()
    assert inbox(world, unread_only=True) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_notice_that_comes_up_late_is_not_marked_unseen(world: World) -> None:
    """Its number is lower than that of one that was seen, and it was not yet committed then."""
    person, actor = world.person("worker"), world.actor("worker")
    written, over = threading.Event(), threading.Event()

    def work(unit: Unit) -> None:
        service.tell(unit, person, "account_frozen")
        unit.db.flush()
        written.set()
        assert over.wait(60)

    writer = threading.Thread(target=world.database.write, args=(work,))
    writer.start()
    try:
        assert written.wait(30)
        world.database.write(lambda u: service.tell(u, person, "account_unfrozen"))
        [seen] = inbox(world)
    finally:
        over.set()
        writer.join(30)
    read = ReadNotices(actor, seen.number, seen.snapshot)
    assert world.do(service.read_notices, read) == NoticesRead(1)
    late = inbox(world)[1]
    assert (late.kind, late.read_at, late.number < seen.number) == ("account_frozen", None, True)
    newest = inbox(world)[0]
    again = ReadNotices(actor, newest.number, newest.snapshot)
    assert world.do(service.read_notices, again) == NoticesRead(0)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_notices_of_a_restored_backup_can_be_marked(world: World) -> None:
    person = world.person("worker")
    world.database.write(lambda u: service.tell(u, person, "account_frozen"))
    later = text("UPDATE notice SET transaction_id = transaction_id + 1000000")
    world.database.write(lambda u: u.db.connection().execute(later))
    [seen] = inbox(world)
    read = ReadNotices(world.actor("worker"), seen.number, seen.snapshot)
    assert world.do(service.read_notices, read) == NoticesRead(0)


@pytest.mark.parametrize(
    ("up_to", "parts"),
    [
        ("9", ("9", None)),
        ("9.7:8:", ("9", "7:8:")),
        ("9.7:12:7,10", ("9", "7:12:7,10")),
        ("9.", None),
        ("9.7:8", None),
        ("9.7:8:7,", None),
        ("9.7:8:x", None),
        ("-9", None),
        ("9" * 19, None),
        ("9.7:" + "8" * 19 + ":", None),
    ],
)
def test_what_an_app_hands_back_of_an_inbox_is_a_number_and_a_snapshot(
    up_to: str, parts: tuple[str, str | None] | None
) -> None:
    match = _UP_TO.fullmatch(up_to)
    assert (match and (match["number"], match["snapshot"])) == parts


def test_a_refused_settlement_tells_nobody(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "12.00"))
    world.clock.forward(hours=1)
    assert world.settle(bill.id).code() == "BILL_EXPIRED"
    assert inbox(world) == []


def test_a_push_that_fails_becomes_one_message(world: World) -> None:
    register(world, "worker", "token-1")
    world.buy("worker", line(IBUPROFEN, "1", "12.00"))
    tries = 0
    while deliver(world, Channel.PUSH, fails):
        tries += 1
        world.clock.forward(minutes=5)
    assert tries == 3
    assert [kind for kind, _ in messages(world)].count("paid") == 1
    assert messages(world)[-1][1]["to"] == phone_of("worker")
    assert register(world, "worker", "token-1").devices == 1  # it was down, not gone


def test_what_was_written_at_once_is_not_written_again(world: World) -> None:
    register(world, "worker", "token-1")
    person = world.person("worker")
    world.database.write(lambda u: service.tell(u, person, "account_frozen"))
    while deliver(world, Channel.PUSH, fails):
        world.clock.forward(minutes=5)
    assert [kind for kind, _ in messages(world)].count("account_frozen") == 1


def test_a_phone_that_is_gone_is_forgotten(world: World) -> None:
    register(world, "worker", "gone-1")
    world.buy("worker", line(IBUPROFEN, "1", "12.00"))
    assert deliver(world, Channel.PUSH, gone) == 1
    assert [kind for kind, _ in messages(world)].count("paid") == 1
    world.buy("worker", line(IBUPROFEN, "1", "12.00"))
    assert sent(world) == []
    assert [kind for kind, _ in messages(world)].count("paid") == 2


def test_an_elder_is_called_and_written_to_if_nobody_answers(world: World) -> None:
    world.do(set_preferences, SetPreferences(world.actor("retiree"), True, NoticeBy.CALL))
    world.buy("retiree", line(IBUPROFEN, "1", "12.00"))
    [call] = sent(world, Channel.VOICE)
    assert call["to"] == phone_of("retiree")
    assert call["text"].startswith("医保支付。您在成都市锦江区示例大药房结算12.00元")
    while deliver(world, Channel.VOICE, fails):
        world.clock.forward(minutes=5)
    kind, facts = messages(world)[-1]
    assert (kind, facts["by"]) == ("paid", "MESSAGE")


def test_what_can_wait_waits_for_the_morning(world: World) -> None:
    world.clock.instant = NIGHT
    world.database.write(
        lambda u: service.tell(u, world.person("worker"), "matter_submit", {"number": "B1"})
    )
    assert deliver(world, Channel.SMS, lambda _: None) == 0
    assert [one.kind for one in inbox(world)] == ["matter_submit"]
    world.clock.instant = MORNING.astimezone(UTC)
    assert deliver(world, Channel.SMS, lambda _: None) == 1


def test_messages_to_one_phone_keep_their_order(world: World) -> None:
    def tell(who: str, number: str) -> None:
        person = world.person(who)
        facts = {"number": number}
        world.database.write(lambda u: service.tell(u, person, "matter_submit", facts))

    for who, number in (("worker", "B1"), ("worker", "B2"), ("worker_2", "B3")):
        tell(who, number)
    taken: list[str] = []

    def take(delivery: Delivery) -> None:
        number = json.loads(delivery.payload)["number"]
        taken.append(number)
        if taken == ["B1"]:
            raise DeliveryFailed("503")

    assert deliver(world, Channel.SMS, take) == 2  # the second waits behind the first
    assert taken == ["B1", "B3"]
    assert deliver(world, Channel.SMS, take) == 0
    world.clock.forward(seconds=2)
    assert deliver(world, Channel.SMS, take) == 1
    assert deliver(world, Channel.SMS, take) == 1
    assert taken == ["B1", "B3", "B1", "B2"]


def test_choices(world: World) -> None:
    actor = world.actor("worker")
    person = actor.person_id

    def choose(begins: str, ends: str, *muted: T) -> Any:
        return world.do(service.set_choices, SetNoticeChoices(actor, begins, ends, muted))

    shown = world.database.read(lambda u: queries.choices(u, person))
    assert shown == NoticeChoices("22:00", "07:00", (), 0)
    for wrong in (("24:00", "07:00"), ("22:00", "7:00"), ("", ""), ("22:00", "07:60")):
        assert choose(*wrong) == NoticeChoicesInvalid()
    assert choose("22:00", "07:00", T.MONEY) == NoticeChoicesInvalid()
    assert choose("21:00", "08:00", T.CARE) == NoticeChoices("21:00", "08:00", (T.CARE,), 0)
    facts = {"where": "x", "number": "C1"}
    world.database.write(lambda u: service.tell(u, person, "prescription_signed", facts))
    assert [one.kind for one in inbox(world)] == ["prescription_signed"]
    assert "prescription_signed" not in [kind for kind, _ in messages(world)]
    nobody = SetNoticeChoices(Anonymous(), "21:00", "08:00", ())
    assert world.do(service.set_choices, nobody) == SignInRequired()


def test_a_device_is_pushed_to_while_its_session_lasts(world: World) -> None:
    for wrong in ("a b", "x" * 513, "密"):
        assert register(world, "worker", wrong) == NoticeChoicesInvalid()
    register(world, "worker", "token-1")
    assert register(world, "worker_2", "token-1").devices == 1  # the phone was handed on
    person, other = world.person("worker"), world.person("worker_2")
    assert world.database.read(lambda u: queries.choices(u, person)).devices == 0
    assert register(world, "worker_2", "").devices == 0
    register(world, "worker_2", "token-2")
    actor = world.actor("worker_2")
    world.do(safety.end_session, EndSession(actor, actor.session_id))
    assert world.database.read(lambda u: queries.choices(u, other)).devices == 0


def test_old_notices_go(world: World) -> None:
    world.buy("worker", line(IBUPROFEN, "1", "12.00"))
    world.clock.forward(days=730)
    assert world.database.write(service.tidy_up) == 0
    world.clock.instant += timedelta(seconds=1)
    assert world.database.write(service.tidy_up) == 1
    assert inbox(world) == []


def test_a_code_is_called_out_to_who_wants_calls_and_written_where_nobody_answers(
    world: World,
) -> None:
    world.do(set_preferences, SetPreferences(world.actor("retiree"), True, NoticeBy.CALL))
    asked = relatives.request(world, "worker", "retiree")
    assert isinstance(relatives.ask(world, "worker", asked.id), ConsentAsked)
    calls = [one for one in sent(world, Channel.VOICE) if "code" in one]
    assert [(one["by"], one["to"]) for one in calls] == [("CALL", phone_of("retiree"))]
    assert [one for one in sent(world, Channel.SMS) if "code" in one] == []
    for _ in range(6):
        deliver(world, Channel.VOICE, fails)
        world.clock.forward(minutes=5)
    [written] = [one for one in sent(world, Channel.SMS) if "code" in one]
    assert (written["by"], written["code"]) == ("MESSAGE", calls[0]["code"])
    assert written["to"] == phone_of("retiree")
    world.clock.instant = NIGHT + timedelta(days=1)  # nobody is called in their quiet hours
    world._actors.clear()
    assert isinstance(relatives.ask(world, "worker", asked.id), ConsentAsked)
    assert len([one for one in sent(world, Channel.SMS) if "code" in one]) == 2
    assert [one for one in sent(world, Channel.VOICE) if "code" in one] == []
