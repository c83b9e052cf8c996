"""The database: SQLite embedded by default, PostgreSQL by URL, and one transaction for a use case.

SQLite runs in WAL mode and a writing transaction takes the write lock at once (``BEGIN IMMEDIATE``),
so that it never fails half way for a lock. PostgreSQL runs at READ COMMITTED with explicit row locks;
the order in which they are taken is written down in ``backend/decisions/0004-lock-order.md``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.infra.sealing import Vault
from backend.infra.settings import Settings
from backend.kernel.calendar import Clock
from backend.kernel.ids import IdSource

T = TypeVar("T")

ATTEMPTS_MAX = 3
_RETRYABLE_STATES = {"40001", "40P01"}  # serialization failure, deadlock


@dataclass(frozen=True)
class Resources:
    """What a use case may need besides the database; one set for each process."""

    settings: Settings
    clock: Clock
    ids: IdSource
    vault: Vault


@dataclass(frozen=True)
class Unit:
    """One transaction: everything done through it happens together or not at all.

    ``now`` is the instant at which the transaction began and does not move within it.
    """

    db: Session
    now: datetime
    resources: Resources
    request_id: str

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return self.resources.settings

    @property
    def vault(self) -> Vault:
        """Return the vault for personal data."""
        return self.resources.vault

    def new_id(self) -> str:
        """Return a fresh identifier."""
        return self.resources.ids.new_id(self.now)


class Database:
    """Opens transactions. Safe to share between threads."""

    def __init__(self, resources: Resources, pool_size: int = 10) -> None:
        self.resources = resources
        self.engine = make_engine(resources.settings.resolved_database_url, pool_size)

    def write(self, work: Callable[[Unit], T], request_id: str = "") -> T:
        """Run ``work`` in one transaction and commit it, or roll all of it back.

        A deadlock or serialization failure runs it again, at most ``ATTEMPTS_MAX`` times in all.
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with self._transaction(writing=True, request_id=request_id) as unit:
                    outcome = work(unit)
                    unit.db.commit()
                    return outcome
            except OperationalError as error:
                if attempt == ATTEMPTS_MAX or not _may_run_again(error):
                    raise
        raise AssertionError("unreachable")

    def read(self, work: Callable[[Unit], T], request_id: str = "") -> T:
        """Run ``work`` on one consistent view of the data and change nothing."""
        with self._transaction(writing=False, request_id=request_id) as unit:
            outcome = work(unit)
            unit.db.rollback()
            return outcome

    @contextmanager
    def _transaction(self, writing: bool, request_id: str) -> Iterator[Unit]:
        options: dict[str, Any] = {"yibao_writing": writing}
        if not writing and self.engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        engine = self.engine.execution_options(**options)
        with Session(engine, expire_on_commit=False, autoflush=True) as session:
            yield Unit(session, self.resources.clock.now(), self.resources, request_id)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def make_engine(url: str, pool_size: int = 10) -> Engine:
    """Return an engine that behaves alike on both databases."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, pool_size)
    return create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)


def _sqlite_engine(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writing = connection.get_execution_options().get("yibao_writing", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")

    return engine


def _may_run_again(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE_STATES
