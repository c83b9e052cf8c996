"""Live events: every worker follows the outbox and hands what is new to its own subscribers.

A worker looks often, and at once after a write of its own. What a look showed is a mark, and the next look
shows what was committed after it, so nothing is remembered and nothing is read again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from anyio import to_thread

from backend.infra.database import Database, Unit
from backend.infra.live import LiveEvent, LiveMark, disown_restored, live_mark, live_sight

T = TypeVar("T")
_WAITING_MAX = 200
_log = logging.getLogger("yibao.feed")

Event = tuple[str, str]
"""The kind of an event and the id that it is about."""


class FollowerTooSlow(Exception):
    """A subscriber let too many events pile up; it reconnects and reads the present state."""


class FeedInterrupted(Exception):
    """The database is another one, or began a new life; a subscriber reconnects and reads the present state."""


_Queue = asyncio.Queue[LiveEvent | type[FollowerTooSlow] | type[FeedInterrupted]]


class Feed:
    """One for each worker. ``run`` it as a background task."""

    def __init__(self, database: Database, poll_milliseconds: int) -> None:
        self._database = database
        self._poll_seconds = poll_milliseconds / 1000
        self._followers: dict[str, set[_Queue]] = defaultdict(set)
        self._nudge = asyncio.Event()
        self._opening = asyncio.Lock()
        self._shown: LiveMark | None = None
        """What all followers were shown; ``None`` while there are none."""
        self._server = ""

    def nudge(self) -> None:
        """Look at once: this worker has just written something."""
        self._nudge.set()

    async def mark(self) -> LiveMark:
        """Return from where a connection counts that is acknowledged now."""
        return await self._read(live_mark)

    async def follow(self, topic: str, since: LiveMark | None) -> AsyncIterator[Event]:
        """Yield the events of a topic that were committed after a mark, or from now on, each once.

        Nobody tells a client when its subscription begins to count, so it counts from the moment at
        which its connection was acknowledged: what was written meanwhile is read first.

        Raises: ``FollowerTooSlow``, ``FeedInterrupted``.
        """
        queue: _Queue = asyncio.Queue(_WAITING_MAX)
        self._followers[topic].add(queue)
        try:
            await self._open()
            start = since or await self.mark()
            missed = await self._read(lambda unit: live_sight(unit, start, topic))
            if not start.precedes(missed.mark) or missed.mark.server != self._server:
                raise FeedInterrupted
            for event in missed.events:
                yield event.kind, event.payload
            while isinstance(later := await queue.get(), LiveEvent):
                if not missed.mark.shows(later.transaction):
                    yield later.kind, later.payload
            raise later
        finally:
            self._followers[topic].discard(queue)
            if not self._followers[topic]:
                del self._followers[topic]

    async def run(self) -> None:
        """Look for new events until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), self._poll_seconds)
            self._nudge.clear()
            if not self._followers:
                self._shown = None
            if self._shown is None:
                continue  # nobody follows, or the first one is reading from where
            try:
                await self._hand_out(self._shown)
            except Exception:
                _log.exception("looking for live events failed; trying again")
                await asyncio.sleep(1)

    async def _open(self) -> None:
        """Begin to look from now on, unless somebody follows already."""
        async with self._opening:
            if self._shown is not None:
                return
            mark = await self._read(live_mark)
            if mark.server != self._server:
                await to_thread.run_sync(self._database.write, disown_restored)
                self._server = mark.server
            self._shown = mark

    async def _hand_out(self, shown: LiveMark) -> None:
        sight = await self._read(lambda unit: live_sight(unit, shown))
        if not shown.precedes(sight.mark):
            self._interrupt()
            return
        for event in sight.events:
            for queue in list(self._followers.get(event.topic, ())):
                self._put(queue, event)
        self._shown = sight.mark

    def _interrupt(self) -> None:
        """End every subscription: what was shown and what is new can no longer be told apart."""
        self._shown = None
        for queue in [queue for queues in self._followers.values() for queue in queues]:
            self._end(queue, FeedInterrupted)

    def _put(self, queue: _Queue, event: LiveEvent) -> None:
        try:
            queue.put_nowait(event)
        except asyncio.QueueFull:
            self._end(queue, FollowerTooSlow)

    def _end(self, queue: _Queue, why: type[FollowerTooSlow] | type[FeedInterrupted]) -> None:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(why)

    async def _read(self, query: Callable[[Unit], T]) -> T:
        return await to_thread.run_sync(self._database.read, query)
