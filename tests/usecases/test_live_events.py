"""Live events reach each follower once, whatever the order in which their transactions commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from backend.infra import outbox
from backend.infra.database import Database, Unit
from backend.infra.housekeeping import tidy_up
from backend.infra.live import LiveMark, disown_restored, live_mark, live_sight
from backend.infra.outbox import Channel
from mobile_bff import feed as feed_module
from mobile_bff.feed import Feed, FeedInterrupted, FollowerTooSlow
from tests.world import World

TOPIC = "person:P"
LAST = "last"
WAIT = 30
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""SQLite has one writer at a time: nothing commits out of order."""


def write(database: Database, payload: str, topic: str = TOPIC) -> None:
    database.write(lambda unit: outbox.enqueue(unit, Channel.LIVE, topic, "K", payload))


@contextmanager
def slow_writer(database: Database, *payloads: str, topic: str = TOPIC) -> Iterator[int]:
    """Write events in a transaction that commits at the end of the block, and yield its number."""
    written, over = threading.Event(), threading.Event()
    numbers: list[int] = []

    def work(unit: Unit) -> None:
        for payload in payloads:
            outbox.enqueue(unit, Channel.LIVE, topic, "K", payload)
            unit.db.flush()
        number = text("SELECT pg_current_xact_id()::text::bigint")
        numbers.append(unit.db.connection().execute(number).scalar_one())
        written.set()
        assert over.wait(60)

    thread = threading.Thread(target=database.write, args=(work,))
    thread.start()
    try:
        assert written.wait(WAIT)
        yield numbers[0]
    finally:
        over.set()
        thread.join(WAIT)
        assert not thread.is_alive()


class Follower:
    """Follows a topic and keeps what it is handed."""

    def __init__(self, feed: Feed, since: LiveMark | None, topic: str = TOPIC) -> None:
        self.payloads: asyncio.Queue[str] = asyncio.Queue()
        self.task = asyncio.create_task(self._follow(feed, since, topic))

    async def _follow(self, feed: Feed, since: LiveMark | None, topic: str) -> None:
        async for _, payload in feed.follow(topic, since):
            self.payloads.put_nowait(payload)

    async def next(self) -> str:
        return await asyncio.wait_for(self.payloads.get(), WAIT)

    async def until_last(self) -> list[str]:
        payloads = []
        while (payload := await self.next()) != LAST:
            payloads.append(payload)
        return payloads


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[Feed]:
    feed = Feed(database, 10)
    task = asyncio.create_task(feed.run())
    yield feed
    task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Wait, for a bounded time, until a condition holds."""
    async with asyncio.timeout(WAIT):
        while not condition():
            await asyncio.sleep(0.005)


async def looked(feed: Feed) -> None:
    """Wait until the feed has looked twice, so that one look began after the call."""
    for _ in range(2):
        shown = feed._shown
        await until(lambda before=shown: feed._shown is not before)  # type: ignore[misc]


@ON_POSTGRESQL
def test_an_event_that_commits_long_after_a_later_one_is_shown(world: World) -> None:
    async def scenario() -> list[str]:
        async with running(world.database) as feed:
            follower = Follower(feed, await feed.mark())
            with slow_writer(world.database, "early id, late commit"):
                write(world.database, "late id, early commit")
                assert await follower.next() == "late id, early commit"  # it waits for nobody
                world.clock.forward(seconds=12)
                write(world.database, "next")
                assert await follower.next() == "next"
                await looked(feed)
            write(world.database, LAST)
            return await follower.until_last()

    assert asyncio.run(scenario()) == ["early id, late commit"]


@ON_POSTGRESQL
def test_an_event_that_began_before_the_connection_and_commits_after_it_is_shown(
    world: World,
) -> None:
    async def scenario() -> list[str]:
        async with running(world.database) as feed:
            write(world.database, "committed before")
            with slow_writer(world.database, "began before"):
                world.clock.forward(seconds=1)
                since = await feed.mark()
            follower = Follower(feed, since)
            assert await follower.next() == "began before"
            late = Follower(feed, None)
            await until(lambda: len(feed._followers[TOPIC]) == 2)
            await looked(feed)
            write(world.database, LAST)
            return [*await follower.until_last(), "-", *await late.until_last()]

    assert asyncio.run(scenario()) == ["-"]


@ON_POSTGRESQL
def test_each_of_two_workers_hands_each_event_to_each_follower_once(world: World) -> None:
    """Twelve writers commit in the reverse of the order in which they took their numbers."""
    expected = [f"{number}/{part}" for number in range(12) for part in (1, 2)]

    async def scenario() -> list[list[str]]:
        async with running(world.database) as one, running(world.database) as other:
            since = await one.mark()
            followers = [Follower(one, since), Follower(other, since), Follower(other, since)]
            with ExitStack() as writers:
                for number in range(12):
                    payloads = (f"{number}/1", f"{number}/2")
                    writers.enter_context(slow_writer(world.database, *payloads))
                elsewhere = Follower(one, since, "person:Q")
            followers.append(Follower(one, since))  # it missed them all
            write(world.database, LAST)
            write(world.database, LAST, "person:Q")
            assert await elsewhere.until_last() == []
            return [await follower.until_last() for follower in followers]

    for payloads in asyncio.run(scenario()):
        assert sorted(payloads) == sorted(expected)
        for number in range(12):  # what a transaction wrote stays in its order
            assert payloads.index(f"{number}/1") < payloads.index(f"{number}/2")


@ON_POSTGRESQL
def test_an_open_writer_makes_no_look_read_more(world: World) -> None:
    """Of another program, as a vacuum or a forgotten session: it lends no event, and hides none."""
    mark = world.database.read(live_mark)
    with slow_writer(world.database, "open", topic="person:Q") as transaction:
        for number in range(30):
            write(world.database, str(number))
            sight = world.database.read(lambda unit, since=mark: live_sight(unit, since))  # type: ignore[misc]
            assert [event.payload for event in sight.events] == [str(number)]
            mark = sight.mark
        assert transaction in mark.still_open
    [late] = world.database.read(lambda unit: live_sight(unit, mark)).events
    assert (late.topic, late.payload) == ("person:Q", "open")


def test_a_look_is_one_statement(world: World) -> None:
    mark, statements = world.database.read(live_mark), []
    write(world.database, "shown")

    def count(*arguments: object) -> None:
        statements.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", count)
    try:
        sight = world.database.read(lambda unit: live_sight(unit, mark))
        again = world.database.read(lambda unit: live_sight(unit, sight.mark))
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert [event.payload for event in sight.events] == ["shown"]
    assert again.events == []
    assert len(statements) - len([one for one in statements if "BEGIN" in str(one)]) == 2


def test_a_look_reads_an_index_however_many_old_events_there_are(world: World) -> None:
    def fill(unit: Unit) -> None:
        for number in range(5000):
            outbox.enqueue(unit, Channel.LIVE, f"person:{number}", "K", "")

    world.database.write(fill)
    world.database.write(lambda unit: unit.db.connection().execute(text("ANALYZE outbox_message")))
    mark = world.database.read(live_mark)
    on_server = world.database.engine.dialect.name == "postgresql"
    plans: list[str] = []

    def explain(_connection: object, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "outbox_message" in statement and "EXPLAIN" not in statement:
            how = "EXPLAIN" if on_server else "EXPLAIN QUERY PLAN"
            rows = cursor.execute(f"{how} {statement}", parameters).fetchall()
            plans.append("\n".join(str(row[0 if on_server else 3]) for row in rows))

    event.listen(world.database.engine, "before_cursor_execute", explain)
    world.database.read(lambda unit: live_sight(unit, mark))
    world.database.read(lambda unit: live_sight(unit, replace(mark, still_open=frozenset({3, 5}))))
    world.database.read(lambda unit: live_sight(unit, replace(mark, following=1), "person:7"))
    event.remove(world.database.engine, "before_cursor_execute", explain)
    by_mark = "ix_outbox_live" if on_server else "PRIMARY KEY (rowid>?)"
    used = (by_mark, by_mark, "ix_outbox_order")
    assert [name in plan for name, plan in zip(used, plans, strict=True)] == [True] * 3, plans
    assert not any("Seq Scan" in plan for plan in plans)


@ON_POSTGRESQL
def test_events_of_a_restored_backup_are_not_shown_as_new(world: World) -> None:
    """The server that wrote them had given more numbers, or gave one that is in use here just now."""
    write(world.database, "of the old server")
    write(world.database, "in use")
    with slow_writer(world.database, "open") as in_use:
        write(world.database, "other")
        mark = world.database.read(live_mark)
        assert not mark.shows(in_use)

        def restore(unit: Unit) -> None:
            for payload, number in (("of the old server", mark.following + 5), ("in use", in_use)):
                unit.db.connection().execute(
                    text("UPDATE outbox_message SET transaction_id = :n WHERE payload = :p"),
                    {"n": number, "p": payload},
                )

        world.database.write(restore)

        async def scenario() -> list[str]:
            async with running(world.database) as feed:
                follower = Follower(feed, mark)
                await until(lambda: feed._shown is not None)
                for number in range(12):
                    write(world.database, str(number))
                write(world.database, LAST)
                return await follower.until_last()

        assert asyncio.run(scenario()) == [str(number) for number in range(12)]
    assert world.database.write(disown_restored) == 0  # a worker's own events stay


def test_a_server_that_began_a_new_life_ends_every_subscription(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of transactions that a crash or a failover lost are given again."""
    life = "first"

    def renamed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            seen = function(*arguments)
            if isinstance(seen, LiveMark):
                return replace(seen, server=life)
            return replace(seen, mark=replace(seen.mark, server=life))

        return call

    monkeypatch.setattr(feed_module, "live_mark", renamed(live_mark))
    monkeypatch.setattr(feed_module, "live_sight", renamed(live_sight))

    async def scenario() -> list[str]:
        nonlocal life
        async with running(world.database) as feed:
            since = await feed.mark()
            follower = Follower(feed, since)
            write(world.database, "before")
            assert await follower.next() == "before"
            life = "second"
            stale = Follower(feed, since)  # its connection was marked in the first life
            for one in (follower, stale):
                with pytest.raises(FeedInterrupted):
                    await asyncio.wait_for(one.task, WAIT)
            again = Follower(feed, None)
            await until(lambda: feed._shown is not None and not again.payloads.qsize())
            await looked(feed)
            write(world.database, LAST)
            return await again.until_last()

    assert asyncio.run(scenario()) == []


def test_a_follower_that_takes_nothing_is_cut_off(world: World) -> None:
    async def scenario() -> None:
        async with running(world.database) as feed:
            events = feed.follow(TOPIC, await feed.mark())
            write(world.database, "first")
            assert await asyncio.wait_for(anext(events), WAIT) == ("K", "first")
            world.database.write(
                lambda unit: [
                    outbox.enqueue(unit, Channel.LIVE, TOPIC, "K", str(number))
                    for number in range(feed_module._WAITING_MAX + 1)
                ]
            )
            await looked(feed)
            with pytest.raises(FollowerTooSlow):
                await asyncio.wait_for(anext(events), WAIT)

    asyncio.run(scenario())


def test_events_after_all_earlier_ones_were_tidied_up_are_shown(world: World) -> None:
    """An SQLite that finds its table empty counts from one again."""

    async def scenario() -> list[str]:
        async with running(world.database) as feed:
            follower = Follower(feed, await feed.mark())
            for payload in ("one", "two", "three"):
                write(world.database, payload)
                assert await follower.next() == payload
            world.clock.forward(days=1, seconds=1)
            world.database.write(tidy_up)
            write(world.database, "new")
            write(world.database, LAST)
            return await follower.until_last()

    assert asyncio.run(scenario()) == ["new"]
