"""Where files are opened and laid out: in threads of their own, a bounded number at a time, in no transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from anyio import CapacityLimiter, Semaphore, move_on_after, to_thread

from backend.kernel.errors import Refusal, Retry

T = TypeVar("T")


@dataclass(frozen=True)
class FileQueueFull(Refusal):
    """Too many files wait to be opened."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "现在处理的文件较多，这个文件还没有处理。"
    en = "Many files are being handled; this one was not."
    next_zh = "请过几秒钟，再提交同样的请求。"
    next_en = "Wait a few seconds and send the same request again."


class FileQueue:
    """Runs work on files, ``at_once`` at a time; others wait up to ``seconds_max``, ``waiting_max`` of them.

    What runs cannot be ended, so that each piece of work bounds itself.
    """

    def __init__(self, *, at_once: int, waiting_max: int, seconds_max: float) -> None:
        self._turn = Semaphore(at_once)
        self._threads = CapacityLimiter(at_once)
        self._places = at_once + waiting_max
        self._seconds_max = seconds_max

    async def run(self, work: Callable[[], T]) -> T | FileQueueFull:
        """Return what the work returns, or that there is no place for it now."""
        if self._places == 0:
            return FileQueueFull()
        self._places -= 1
        try:
            with move_on_after(self._seconds_max) as waiting:
                await self._turn.acquire()
            if waiting.cancelled_caught:
                return FileQueueFull()
            try:
                return await to_thread.run_sync(work, limiter=self._threads)
            finally:
                self._turn.release()
        finally:
            self._places += 1
