"""Why the database cannot serve a request now, told apart from faults of ours, and said once in the log.

Everything here passes by itself or by an operator's hand: a lock that another transaction holds, a server
that is away, a full disk. The caller repeats the same request; its key keeps it from happening twice, even
where the connection was lost at the commit and nobody knows whether it counted.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import psycopg
from sqlalchemy import exc

from backend.kernel.errors import Refusal, Retry, Seconds

RETRY_AFTER = Seconds(2)
_LOG_SECONDS = 60
_OVER_SECONDS = 2
_log = logging.getLogger("yibao.database")


class Unavailability(StrEnum):
    """What kind of thing stands in the way."""

    LOCKED = "LOCKED"
    """Another transaction held for too long what this one needed."""

    SLOW = "SLOW"
    """It took longer than a request may."""

    CROWDED = "CROWDED"
    """Too many wait already, or all connections are in use."""

    UNREACHABLE = "UNREACHABLE"
    """The database does not answer, or the connection was lost."""

    FULL = "FULL"
    """There is no room left to write."""

    READ_ONLY = "READ_ONLY"
    """The database takes no writes: a standby, or a disk that is mounted read-only."""

    FAILING = "FAILING"
    """The storage answers with errors."""


class DatabaseUnavailable(Exception):
    """A transaction could not be made for a reason that passes. Nothing of it is held any more."""

    def __init__(self, kind: Unavailability) -> None:
        super().__init__(kind.value)
        self.kind = kind


@dataclass(frozen=True)
class SystemBusy(Refusal):
    """The request could not be served in time, and nobody can tell the caller its outcome."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "系统繁忙，本次请求没有得到确定的结果。"
    en = "The system is busy, and this request has no certain outcome."
    next_zh = "请在{retry_after_seconds}后用同一编号重试，已经办成的不会重复办理。"
    next_en = (
        "Send the same request with the same number again in {retry_after_seconds}; "
        "what was done is not done twice."
    )
    retry_after_seconds: Seconds = RETRY_AFTER


_BY_STATE = {
    "25006": Unavailability.READ_ONLY,
    "25P03": Unavailability.SLOW,  # idle in a transaction
    "25P04": Unavailability.SLOW,  # the whole transaction
    "40001": Unavailability.LOCKED,  # after several attempts
    "40P01": Unavailability.LOCKED,
    "53100": Unavailability.FULL,
    "55P03": Unavailability.LOCKED,
    "57014": Unavailability.SLOW,
    "58030": Unavailability.FAILING,
}
_BY_STATE_CLASS = {
    "08": Unavailability.UNREACHABLE,
    "53": Unavailability.CROWDED,
    "57": Unavailability.UNREACHABLE,
}
_BY_SQLITE_CODE = {
    sqlite3.SQLITE_BUSY: Unavailability.LOCKED,
    sqlite3.SQLITE_LOCKED: Unavailability.LOCKED,
    sqlite3.SQLITE_PROTOCOL: Unavailability.LOCKED,
    sqlite3.SQLITE_INTERRUPT: Unavailability.SLOW,
    sqlite3.SQLITE_NOMEM: Unavailability.CROWDED,
    sqlite3.SQLITE_CANTOPEN: Unavailability.UNREACHABLE,
    sqlite3.SQLITE_FULL: Unavailability.FULL,
    sqlite3.SQLITE_READONLY: Unavailability.READ_ONLY,
    sqlite3.SQLITE_IOERR: Unavailability.FAILING,
}
_BY_ERRNO = {
    errno.ENOSPC: Unavailability.FULL,
    errno.EDQUOT: Unavailability.FULL,
    errno.EROFS: Unavailability.READ_ONLY,
    errno.EIO: Unavailability.FAILING,
    errno.EMFILE: Unavailability.CROWDED,
    errno.ENFILE: Unavailability.CROWDED,
}
_OUTAGES = frozenset(Unavailability) - {
    Unavailability.LOCKED,
    Unavailability.SLOW,
    Unavailability.CROWDED,
}
_TOO_MANY = ("too many", "remaining connection slots")


def unavailability_of(error: BaseException) -> Unavailability | None:
    """Return why the database could not serve, ``None`` where the error is a fault of ours."""
    if isinstance(error, DatabaseUnavailable):
        return error.kind
    if isinstance(error, exc.TimeoutError):
        return Unavailability.CROWDED  # of the pool
    cause = (error.orig or error) if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        return _of_postgres(cause)
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        return None if code is None else _BY_SQLITE_CODE.get(code & 0xFF)
    return _BY_ERRNO.get(cause.errno or 0) if isinstance(cause, OSError) else None


def _of_postgres(error: psycopg.Error) -> Unavailability | None:
    state = error.sqlstate
    if state is not None:
        return _BY_STATE.get(state) or _BY_STATE_CLASS.get(state[:2])
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return None
    refused = any(words in str(error) for words in _TOO_MANY)  # the library tells no code here
    return Unavailability.CROWDED if refused else Unavailability.UNREACHABLE


class OutageLog:
    """Says in one line that the database cannot be read or written, one a minute while it lasts, and one after.

    Locks and crowds pass while others are served, so nobody says of them that they are over.
    """

    def __init__(self, subject: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._subject = subject
        self._clock = clock
        self._guard = threading.Lock()
        self._failures = 0
        """Since the outage began; 0 where there is none."""
        self._failed_at = 0.0
        self._unsaid: Counter[Unavailability] = Counter()
        self._said_at: dict[Unavailability, float] = {}

    def note(self, kind: Unavailability, error: BaseException) -> None:
        """Count a failure, and say it where nothing was said of its kind for a minute."""
        with self._guard:
            now = self._clock()
            if kind in _OUTAGES:
                self._failures, self._failed_at = self._failures + 1, now
            self._unsaid[kind] += 1
            if now - self._said_at.get(kind, float("-inf")) < _LOG_SECONDS:
                return
            self._said_at[kind] = now
            count = self._unsaid.pop(kind)
        _log.error("%s: %s (%d times): %s", self._subject, kind.value, count, _first_line(error))

    def note_success(self) -> None:
        """Say that an outage is over, once nothing has failed for two seconds."""
        if not self._failures:
            return
        with self._guard:
            if not self._failures or self._clock() - self._failed_at < _OVER_SECONDS:
                return
            failures, self._failures = self._failures, 0
            for kind in _OUTAGES:  # the next one is said at once
                self._said_at.pop(kind, None)
                self._unsaid.pop(kind, None)
        _log.warning("%s: served again, after %d failures", self._subject, failures)


class NoOutage(logging.Filter):
    """Lets no record with the stack of an outage pass: the outage has a line of its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is about something else."""
        return not (record.exc_info and isinstance(record.exc_info[1], DatabaseUnavailable))


def _first_line(error: BaseException) -> str:
    cause = (error.orig or error) if isinstance(error, exc.DBAPIError) else error
    lines = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {lines[0] if lines else ''}"
