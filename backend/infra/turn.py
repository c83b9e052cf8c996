"""Whose turn it is to write an SQLite file, over threads and processes."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backend.infra.unavailable import DatabaseUnavailable, Unavailability


class Turn:
    """One writer at a time on an SQLite file, woken at once when it is free, and refused after a while.

    SQLite would make the second writer sleep and look again, up to a tenth of a second each time. A file's
    lock knows no time-out, so a thread of its own waits for it; where the writer has given up meanwhile,
    that thread gives the file back.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._state = threading.Condition()
        self._file: IO[bytes] | None = None
        self._waits = False
        """Whether the thread waits for the file."""
        self._wanted = self._granted = self._closed = False

    @contextmanager
    def held(self, seconds: float) -> Iterator[None]:
        """Hold the turn. Raises ``DatabaseUnavailable`` where it is not free within so many seconds."""
        until = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise DatabaseUnavailable(Unavailability.LOCKED)
        try:
            self._take_file(until)
            try:
                yield
            finally:
                fcntl.flock(self._opened(), fcntl.LOCK_UN)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the file; where the thread still waits for it, that thread does."""
        with self._state:
            self._closed = True
            self._close_file()

    def _close_file(self) -> None:
        if self._closed and self._file is not None and not self._waits:
            self._file.close()
            self._file = None

    def _take_file(self, until: float) -> None:
        with self._state:
            if not self._waits:
                if self._is_free():
                    return
                self._waits = True
                threading.Thread(target=self._wait_for_file, daemon=True).start()
            self._wanted = True
            granted = self._state.wait_for(lambda: self._granted, until - time.monotonic())
            self._wanted = self._granted = False
            if not granted:
                raise DatabaseUnavailable(Unavailability.LOCKED)

    def _is_free(self) -> bool:
        """Take the file if nobody holds it, and tell whether it was so."""
        try:
            fcntl.flock(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for_file(self) -> None:
        file, locked = self._opened(), False
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            locked = True
        finally:
            with self._state:
                self._waits = False
                self._granted = locked and self._wanted
                self._state.notify()
                if locked and not self._granted:
                    fcntl.flock(file, fcntl.LOCK_UN)
                self._close_file()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._closed = False
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab")
        return self._file
