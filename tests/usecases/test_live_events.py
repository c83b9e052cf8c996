"""Live events reach each follower once, whatever the order in which their transactions commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from backend.infra import outbox
from backend.infra.database import Database, Unit
from backend.infra.housekeeping import tidy_up
from backend.infra.outbox import Channel
from mobile_bff.feed import Feed
from tests.world import World

TOPIC = "person:P"
LAST = "last"
WAIT = 10


def write(database: Database, payload: str, topic: str = TOPIC) -> None:
    database.write(lambda unit: outbox.enqueue(unit, Channel.LIVE, topic, "K", payload))


@contextmanager
def slow_writer(database: Database, *payloads: str, topic: str = TOPIC) -> Iterator[None]:
    """Write events in a transaction that commits at the end of the block."""
    written, over = threading.Event(), threading.Event()

    def work(unit: Unit) -> None:
        for payload in payloads:
            outbox.enqueue(unit, Channel.LIVE, topic, "K", payload)
            unit.db.flush()
        written.set()
        assert over.wait(60)

    thread = threading.Thread(target=database.write, args=(work,))
    thread.start()
    try:
        assert written.wait(WAIT)
        yield
    finally:
        over.set()
        thread.join(WAIT)
        assert not thread.is_alive()


class Follower:
    """Follows a topic and keeps what it is handed."""

    def __init__(self, feed: Feed, since, topic: str = TOPIC) -> None:
        self.payloads: asyncio.Queue[str] = asyncio.Queue()
        self._task = asyncio.create_task(self._go(feed, since, topic))

    async def _go(self, feed: Feed, since, topic: str) -> None:
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


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_event_that_commits_long_after_a_later_one_is_shown(world: World) -> None:
    async def scenario() -> list[str]:
        async with running(world.database) as feed:
            follower = Follower(feed, await feed.mark())
            write(world.database, "first")
            assert await follower.next() == "first"
            with slow_writer(world.database, "early id, late commit"):
                write(world.database, "late id, early commit")
                assert await follower.next() == "late id, early commit"
                world.clock.forward(seconds=12)
                write(world.database, "next")
                assert await follower.next() == "next"
                await asyncio.sleep(0.2)
            write(world.database, LAST)
            return await follower.until_last()

    assert asyncio.run(scenario()) == ["early id, late commit"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_event_that_began_before_the_connection_and_commits_after_it_is_shown(
    world: World,
) -> None:
    async def scenario() -> list[str]:
        async with running(world.database) as feed:
            with slow_writer(world.database, "began before"):
                world.clock.forward(seconds=1)
                since = await feed.mark()
            follower = Follower(feed, since)
            assert feed
            await asyncio.sleep(0.3)
            write(world.database, LAST)
            return await follower.until_last()

    assert asyncio.run(scenario()) == ["began before"]


def test_events_after_all_earlier_ones_were_tidied_up_are_shown(world: World) -> None:
    async def scenario() -> list[str]:
        async with running(world.database) as feed:
            follower = Follower(feed, await feed.mark())
            await asyncio.sleep(0.3)
            for payload in ("one", "two", "three"):
                write(world.database, payload)
                assert await follower.next() == payload
            world.clock.forward(days=1, seconds=1)
            await asyncio.sleep(0.3)
            world.database.write(tidy_up)
            write(world.database, "new")
            write(world.database, LAST)
            return await follower.until_last()

    assert asyncio.run(scenario()) == ["new"]
