"""What counts as the database being unavailable, and how often the log says so."""

from __future__ import annotations

import errno
import logging
import sqlite3
from typing import Any

import psycopg
import pytest
from sqlalchemy import exc

from backend.infra.unavailable import (
    DatabaseUnavailable,
    NoOutage,
    OutageLog,
    SystemBusy,
    Unavailability,
    unavailability_of,
)
from backend.kernel.errors import Locale, Retry


def _postgres(state: str) -> exc.DBAPIError:
    original = psycopg.errors.lookup(state)("words")
    return exc.DBAPIError.instance("SELECT", None, original, psycopg.Error)


def _sqlite(code: int) -> exc.DBAPIError:
    original = sqlite3.OperationalError("words")
    original.sqlite_errorcode = code
    return exc.DBAPIError.instance("SELECT", None, original, sqlite3.Error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_postgres("55P03"), Unavailability.LOCKED),
        (_postgres("40P01"), Unavailability.LOCKED),
        (_postgres("57014"), Unavailability.SLOW),
        (_postgres("25P03"), Unavailability.SLOW),
        (_postgres("57P01"), Unavailability.UNREACHABLE),
        (_postgres("57P03"), Unavailability.UNREACHABLE),
        (_postgres("08006"), Unavailability.UNREACHABLE),
        (_postgres("53300"), Unavailability.CROWDED),
        (_postgres("53100"), Unavailability.FULL),
        (_postgres("25006"), Unavailability.READ_ONLY),
        (_postgres("58030"), Unavailability.FAILING),
        (_postgres("23505"), None),
        (_postgres("42P01"), None),
        (psycopg.OperationalError("connection refused"), Unavailability.UNREACHABLE),
        (psycopg.OperationalError("FATAL:  too many connections"), Unavailability.CROWDED),
        (_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Unavailability.LOCKED),
        (_sqlite(sqlite3.SQLITE_IOERR_WRITE), Unavailability.FAILING),
        (_sqlite(sqlite3.SQLITE_FULL), Unavailability.FULL),
        (_sqlite(sqlite3.SQLITE_CANTOPEN), Unavailability.UNREACHABLE),
        (_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), Unavailability.READ_ONLY),
        (_sqlite(sqlite3.SQLITE_CONSTRAINT_UNIQUE), None),
        (exc.TimeoutError(), Unavailability.CROWDED),
        (OSError(errno.ENOSPC, "no room"), Unavailability.FULL),
        (OSError(errno.EACCES, "not allowed"), None),
        (DatabaseUnavailable(Unavailability.SLOW), Unavailability.SLOW),
        (ValueError("a fault"), None),
    ],
)
def test_what_passes_is_told_apart_from_faults(
    error: Exception, kind: Unavailability | None
) -> None:
    assert unavailability_of(error) is kind


def test_the_refusal_asks_for_the_same_request_again() -> None:
    refusal = SystemBusy()
    assert (refusal.code(), refusal.retry) == ("SYSTEM_BUSY", Retry.SAME_REQUEST)
    assert refusal.message(Locale.ZH) == "系统繁忙，本次请求没有得到确定的结果。"
    assert refusal.next_action(Locale.ZH) == "请在2秒后用同一编号重试，已经办成的不会重复办理。"
    assert refusal.next_action(Locale.EN).startswith("Send the same request with the same number")


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return lines


def test_an_outage_is_said_once_a_minute_and_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    now = 100.0
    log, away = OutageLog("writing", lambda: now), psycopg.OperationalError("refused\nat length")
    for _ in range(50):
        log.note(Unavailability.UNREACHABLE, away)
    line = "writing: UNREACHABLE (1 times): OperationalError: refused"
    assert _lines(caplog) == [line]
    now += 61
    log.note(Unavailability.UNREACHABLE, away)
    assert _lines(caplog) == [line.replace("1 times", "50 times")]
    log.note_success()
    assert _lines(caplog) == []  # a moment ago it failed
    now += 2
    log.note_success()
    log.note_success()
    assert _lines(caplog) == ["writing: served again, after 51 failures"]
    log.note(Unavailability.UNREACHABLE, away)
    assert _lines(caplog) == [line]


def test_locks_are_said_once_a_minute_and_never_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    now = 100.0
    log = OutageLog("writing", lambda: now)
    for _ in range(3):
        log.note(Unavailability.LOCKED, DatabaseUnavailable(Unavailability.LOCKED))
        now += 5
        log.note_success()
    assert _lines(caplog) == ["writing: LOCKED (1 times): DatabaseUnavailable: LOCKED"]


@pytest.mark.parametrize(
    ("error", "passes"),
    [(DatabaseUnavailable(Unavailability.FULL), False), (ValueError(), True), (None, True)],
)
def test_loops_log_no_stack_of_an_outage(error: Any, passes: bool) -> None:
    told = (type(error), error, None) if error else None
    record = logging.LogRecord("loop", logging.ERROR, "", 1, "failed", (), told)
    assert NoOutage().filter(record) is passes
