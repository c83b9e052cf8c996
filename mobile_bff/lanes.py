"""Threads for one kind of work, and the queue before them, both with an end.

A caller that has as many threads as it may is passed over by those behind it. Whoever does not get an
answer in time is refused; what was not begun by then never runs, and what was begun keeps its thread until
it ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from backend.infra.unavailable import DatabaseUnavailable, Unavailability

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class LaneSize:
    """How much a lane takes. Of one caller, and of all nameless ones together, only a part of it."""

    threads: int
    threads_per_caller: int
    threads_of_nameless: int
    waiting_max: int
    seconds: float
    """How long a piece of work may wait and run."""


@dataclass(eq=False)
class _Piece:
    caller: str
    run: Callable[[], Any]
    answer: asyncio.Future[Any]


class Lane:
    """Runs work in its threads. Belongs to the event loop that first uses it."""

    def __init__(self, name: str, size: LaneSize) -> None:
        self._size = size
        self._threads = ThreadPoolExecutor(size.threads, f"yibao-{name}")
        self._waiting: list[_Piece] = []
        self._running: Counter[str] = Counter()

    async def run(self, work: Callable[[], T], *, caller: str = "", until: float = 0) -> T:
        """Return what ``work`` returned in a thread.

        ``until``: the loop's time at which the caller's whole request ends, 0 for none.

        Raises: ``DatabaseUnavailable`` where too many wait, or the time is over.
        """
        if len(self._waiting) >= self._size.waiting_max:
            raise DatabaseUnavailable(Unavailability.CROWDED)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._size.seconds
        context = contextvars.copy_context()
        piece = _Piece(caller, lambda: context.run(work), loop.create_future())
        self._waiting.append(piece)
        self._begin(loop)
        try:
            async with asyncio.timeout_at(min(end, until or end)) as limit:
                outcome: T = await piece.answer
        except TimeoutError:
            if not limit.expired():
                raise
            begun = piece not in self._waiting
            kind = Unavailability.SLOW if begun else Unavailability.CROWDED
            raise DatabaseUnavailable(kind) from None
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(piece)
        return outcome

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give free threads to those who wait and may have one, in their order."""
        for piece in list(self._waiting):
            if self._running.total() >= self._size.threads:
                return
            if self._running[piece.caller] >= self._share(piece.caller):
                continue
            self._waiting.remove(piece)
            self._running[piece.caller] += 1
            future = self._threads.submit(piece.run)
            future.add_done_callback(partial(self._hand_over, loop, piece))

    def _hand_over(self, loop: asyncio.AbstractEventLoop, piece: _Piece, done: Future[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed before the thread ended
            loop.call_soon_threadsafe(self._end, loop, piece, done)

    def _end(self, loop: asyncio.AbstractEventLoop, piece: _Piece, done: Future[Any]) -> None:
        self._running[piece.caller] -= 1
        if not self._running[piece.caller]:
            del self._running[piece.caller]
        if done.cancelled():
            piece.answer.cancel()
        elif not piece.answer.done():
            error = done.exception()
            if error is not None:
                piece.answer.set_exception(error)
            else:
                piece.answer.set_result(done.result())
        self._begin(loop)

    def _share(self, caller: str) -> int:
        size = self._size
        return size.threads_per_caller if caller else size.threads_of_nameless
