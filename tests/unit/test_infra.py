"""Settings, outbox, housekeeping, rates."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.infra import outbox, rates
from backend.infra.database import Unit
from backend.infra.housekeeping import tidy_up
from backend.infra.outbox import ATTEMPTS_MAX, Channel, Delivery, DeliveryFailed, deliver_due
from backend.infra.settings import Mode, Settings, SettingsError
from tests.world import IBUPROFEN, World, line


def test_settings_are_read_and_unknown_ones_refused() -> None:
    read = Settings.from_environment({"YIBAO_CODE_SECONDS": "30", "HOME": "x"})
    assert read.code_seconds == 30
    assert read.mode is Mode.DEVELOPMENT
    for wrong in (
        {"YIBAO_CODE_SECOND": "30"},
        {"YIBAO_CODE_SECONDS": "thirty"},
        {"YIBAO_MODE": "prod"},
        {"YIBAO_CODE_PREFIX": "424"},
        {"YIBAO_MODE": "production"},
    ):
        with pytest.raises(SettingsError, match=next(iter(wrong)).removesuffix("_MODE")):
            Settings.from_environment(wrong)


def test_production_takes_no_secret_of_a_sandbox() -> None:
    names = ("SMS_GATEWAY", "PUSH_GATEWAY", "CIVIL_REGISTER", "NATIONAL_PLATFORM")
    given = {"YIBAO_MODE": "production", **{f"YIBAO_{name}_SECRET": "own" for name in names}}
    assert Settings.from_environment(given).mode is Mode.PRODUCTION
    for name in names:
        left = {key: value for key, value in given.items() if key != f"YIBAO_{name}_SECRET"}
        with pytest.raises(SettingsError, match=f"YIBAO_{name}_SECRET must be set"):
            Settings.from_environment(left)


def _send(world: World, kind: str = "k", payload: str = "p") -> None:
    world.database.write(lambda u: outbox.enqueue(u, Channel.SMS, "t", kind, payload))


def test_a_message_is_delivered_once_and_emptied(world: World) -> None:
    _send(world, payload="secret")
    taken: list[Delivery] = []
    assert deliver_due(world.database, Channel.SMS, taken.append) == 1
    assert deliver_due(world.database, Channel.SMS, taken.append) == 0
    assert [delivery.payload for delivery in taken] == ["secret"]
    query = text("SELECT payload FROM outbox_message WHERE channel = 'SMS'")
    left = world.database.read(lambda u: u.db.connection().execute(query).scalars().all())
    assert left == [""]


def test_a_failing_gateway_is_tried_again_later_and_given_up_at_last(world: World) -> None:
    _send(world)
    tries = 0

    def fail(_: Delivery) -> None:
        nonlocal tries
        tries += 1
        raise DeliveryFailed("503")

    for _ in range(30):
        deliver_due(world.database, Channel.SMS, fail)
        world.clock.forward(seconds=2**9)
    assert tries == ATTEMPTS_MAX
    given_up = world.database.read(outbox.undelivered)
    assert [(m.attempts, m.failure) for m in given_up] == [(ATTEMPTS_MAX, "503")]


def test_a_message_of_a_worker_that_died_is_taken_up_again(world: World) -> None:
    _send(world)

    def die(_: Delivery) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver_due(world.database, Channel.SMS, die)
    taken: list[Delivery] = []
    assert deliver_due(world.database, Channel.SMS, taken.append) == 0  # still leased
    world.clock.forward(seconds=30)
    assert deliver_due(world.database, Channel.SMS, taken.append) == 1


def _outgoing_ids(world: World, failures: int = 0) -> list[str]:
    ids: list[str] = []

    def send(delivery: Delivery) -> None:
        ids.append(delivery.id)
        if len(ids) <= failures:
            raise DeliveryFailed("503")

    for _ in range(failures + 1):
        deliver_due(world.database, Channel.SMS, send)
        world.clock.forward(seconds=60)
    return ids


def test_every_try_of_a_message_carries_the_same_id(world: World) -> None:
    _send(world)
    first, second, third = _outgoing_ids(world, failures=2)
    assert first == second == third
    assert re.fullmatch("yibao-[0-9A-Z]{26}", first)


def test_an_id_never_comes_back_though_the_table_counts_from_one_again(world: World) -> None:
    """As after a restore, or at a second installation: a gateway would drop the new message."""
    _send(world)
    [first] = _outgoing_ids(world)
    restart = text("DELETE FROM outbox_message")
    world.database.write(lambda u: u.db.connection().execute(restart))
    if world.database.engine.dialect.name == "postgresql":
        again = text("ALTER SEQUENCE outbox_message_id_seq RESTART")
        world.database.write(lambda u: u.db.connection().execute(again))
    _send(world)
    query = text("SELECT id FROM outbox_message")
    assert world.database.read(lambda u: u.db.connection().execute(query).scalars().all()) == [1]
    [second] = _outgoing_ids(world)
    assert second != first


def test_live_events_carry_no_outgoing_id(world: World) -> None:
    world.database.write(lambda u: outbox.enqueue(u, Channel.LIVE, "t", "k", "p"))
    query = text("SELECT outgoing_id FROM outbox_message WHERE payload = 'p'")
    assert world.database.read(lambda u: u.db.connection().execute(query).scalars().all()) == [None]


def test_rates(world: World) -> None:
    def hit(unit: Unit) -> int | None:
        return rates.hit(unit, "bucket", 2, 60)

    assert [world.database.write(hit) for _ in range(3)] == [None, None, 60]
    world.clock.forward(seconds=60)
    assert world.database.write(hit) is None


def test_a_one_time_value_serves_once(world: World) -> None:
    def spend(unit: Unit) -> bool:
        return rates.spend_nonce(unit, "n", timedelta(seconds=60))

    assert [world.database.write(spend) for _ in range(2)] == [True, False]


def test_tidying_up_takes_what_has_served_and_nothing_else(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    first = world.settle(bill.id, key="kept")
    _send(world)
    deliver_due(world.database, Channel.SMS, lambda _: None)
    before = world.money()
    assert world.database.write(tidy_up) == 0
    world.clock.forward(days=1, seconds=1)
    assert world.database.write(tidy_up) > 0
    query = text("SELECT count(*), max(channel) FROM outbox_message")
    left = world.database.read(lambda u: u.db.connection().execute(query).one())
    assert tuple(left) == (1, "SMS")  # the newest
    assert world.money() == before
    assert world.settle(bill.id, key="kept") == first
