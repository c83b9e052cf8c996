"""Live events: every worker follows the outbox and hands what is new to its own subscribers.

A worker looks often, and at once after a write of its own. Ids are given before commit, so a row with
a lower id may appear after one with a higher: the reader looks back some seconds and drops what it
has handed out already.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from anyio import to_thread

from backend.infra import outbox
from backend.infra.database import Database, Unit

_LOOK_BACK = timedelta(seconds=10)
_WAITING_MAX = 200
_log = logging.getLogger("yibao.feed")

Event = tuple[str, str]
"""The kind of an event and the id that it is about."""
_Numbered = tuple[int, str, str]


class FollowerTooSlow(Exception):
    """A subscriber let too many events pile up; it reconnects and reads the present state."""


class Feed:
    """One for each worker. ``run`` it as a background task."""

    def __init__(self, database: Database, poll_milliseconds: int) -> None:
        self._database = database
        self._poll_seconds = poll_milliseconds / 1000
        self._followers: dict[str, set[asyncio.Queue[_Numbered | None]]] = defaultdict(set)
        self._nudge = asyncio.Event()
        self._handed_out: set[int] = set()
        self._low_water = 0

    def nudge(self) -> None:
        """Look at once: this worker has just written something."""
        self._nudge.set()

    async def follow(self, topic: str, since: datetime) -> AsyncIterator[Event]:
        """Yield the events of a topic from an instant on, each once.

        Nobody tells a client when its subscription begins to count, so it counts from the moment at
        which its connection was acknowledged: what was written meanwhile is read first.
        """
        queue: asyncio.Queue[_Numbered | None] = asyncio.Queue(_WAITING_MAX)
        if not any(self._followers.values()):
            await self._catch_up()
        self._followers[topic].add(queue)
        try:
            missed = await to_thread.run_sync(
                lambda: self._database.read(lambda unit: outbox.live_of_topic(unit, topic, since))
            )
            seen = {number for number, _, _ in missed}
            for _, kind, payload in missed:
                yield kind, payload
            while (event := await queue.get()) is not None:
                number, kind, payload = event
                if number not in seen:
                    yield kind, payload
            raise FollowerTooSlow
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
                continue
            try:
                await self._hand_out()
            except Exception:
                _log.exception("looking for live events failed; trying again")
                await asyncio.sleep(1)

    async def _catch_up(self) -> None:
        """Take everything up to now as handed out, so that a new follower sees only what is new."""
        rows, low = await to_thread.run_sync(lambda: self._database.read(self._look_from_scratch))
        self._handed_out = {row[0] for row in rows}
        self._low_water = low

    async def _hand_out(self) -> None:
        rows, low = await to_thread.run_sync(lambda: self._database.read(self._look))
        for message_id, topic, kind, payload in rows:
            if message_id in self._handed_out:
                continue
            self._handed_out.add(message_id)
            for queue in list(self._followers.get(topic, ())):
                self._put(queue, (message_id, kind, payload))
        self._low_water = max(self._low_water, low)
        self._handed_out = {number for number in self._handed_out if number > self._low_water}

    def _look(self, unit: Unit) -> tuple[list[tuple[int, str, str, str]], int]:
        rows = outbox.live_after(unit, self._low_water)
        return rows, outbox.live_low_water(unit, unit.now - _LOOK_BACK)

    def _look_from_scratch(self, unit: Unit) -> tuple[list[tuple[int, str, str, str]], int]:
        low = outbox.live_low_water(unit, unit.now - _LOOK_BACK)
        return outbox.live_after(unit, low), low

    def _put(self, queue: asyncio.Queue[_Numbered | None], event: _Numbered) -> None:
        try:
            queue.put_nowait(event)
        except asyncio.QueueFull:
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(None)
