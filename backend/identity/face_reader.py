"""The processes that measure faces, so that nothing else waits while one is measured.

Encoding a face holds the interpreter's lock for 65 ms a picture: in a thread it would stop every other
request of its worker. The processes are started with the first picture, and anew where one has died.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from backend.identity import face_worker
from backend.identity.face_contracts import FaceUnavailable, Frame

_log = logging.getLogger("yibao")


class FaceReader:
    """Measures pictures in other processes, a bounded number at a time."""

    def __init__(self, processes: int, queue_max: int, seconds_max: int) -> None:
        self._processes = processes
        self._places = processes + queue_max
        self._seconds_max = seconds_max
        self._pool: ProcessPoolExecutor | None = None

    async def measure(
        self, pictures: Sequence[tuple[int, bytes]]
    ) -> tuple[Frame, ...] | FaceUnavailable:
        """Return the measures of pictures, or that they cannot be had now."""
        if self._places <= 0:
            return FaceUnavailable()
        self._places -= 1
        try:
            pool = self._running()
            work = asyncio.get_running_loop().run_in_executor(pool, face_worker.measure, pictures)
            return tuple(await asyncio.wait_for(work, self._seconds_max))
        except (BrokenProcessPool, TimeoutError, face_worker.FaceLibraryMissing):
            _log.exception("faces cannot be measured; the processes are started anew")
            self.close()
            return FaceUnavailable()
        finally:
            self._places += 1

    def close(self) -> None:
        """End the processes; whatever they are measuring is given up."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)

    def _running(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=get_context("spawn"),
                initializer=face_worker.get_ready,
            )
        return self._pool
