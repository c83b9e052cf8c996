"""The database: SQLite embedded by default, PostgreSQL by URL, and one transaction for a use case.

SQLite runs in WAL mode and syncs at every commit, so that an answer that was given survives a power
cut. A writing transaction takes the write lock at once (``BEGIN IMMEDIATE``), so that it never fails
half way for a lock. PostgreSQL runs at READ COMMITTED with explicit row locks; the order in which
they are taken is written down in ``backend/decisions/0004-lock-order.md``.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy import URL, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel

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
    reporters: Vault
    """Of whoever reports misuse: keys of their own, used for nothing else."""


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
        url = make_url(resources.settings.resolved_database_url)
        self.engine = make_engine(url, pool_size)
        self._for_writing = self.engine.execution_options(yibao_writing=True)
        reading: dict[str, Any] = {"yibao_writing": False}
        if self.engine.dialect.name == "postgresql":
            reading |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._for_reading = self.engine.execution_options(**reading)
        on_file = url.get_backend_name() == "sqlite" and url.database
        self._writers: Turn | contextlib.nullcontext[None] = (
            Turn(Path(f"{url.database}.turn")) if on_file else contextlib.nullcontext()
        )

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
        engine = self._for_writing if writing else self._for_reading
        turn = self._writers if writing else contextlib.nullcontext()
        with turn, Session(engine, expire_on_commit=False, autoflush=True) as session:
            yield Unit(session, self.resources.clock.now(), self.resources, request_id)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        if isinstance(self._writers, Turn):
            self._writers.close()


class Turn:
    """One writer at a time on an SQLite file, over threads and processes, woken at once.

    SQLite would make the second writer sleep and look again, up to a tenth of a second each time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._lock.release()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def insert_new(unit: Unit, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows whose keys are new and return how many were: one statement for some hundred rows.

    All rows name the same columns. A row that another transaction is inserting at this moment is waited for.
    """
    if not rows:
        return 0
    table = model.__table__  # type: ignore[attr-defined]
    statement = _insert_where_new(unit, table).returning(next(iter(table.primary_key)))
    return len(unit.db.connection().execute(statement, [dict(row) for row in rows]).all())


def insert_many(unit: Unit, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert thousands of rows whose keys are new, uncounted: the driver sends them without waiting for each.

    All rows name the same columns.
    """
    if rows:
        table = model.__table__  # type: ignore[attr-defined]
        unit.db.connection().execute(_insert_where_new(unit, table), [dict(row) for row in rows])


def _insert_where_new(unit: Unit, table: Table) -> postgresql.Insert | sqlite.Insert:
    if unit.db.connection().dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def add_to(
    unit: Unit, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], column: str
) -> list[int]:
    """Add each row's ``column`` to the row with its key, or insert it, and return what they hold now.

    Rows come in the order of their keys, so that two transactions never wait for each other.
    """
    table = model.__table__  # type: ignore[attr-defined]
    connection = unit.db.connection()
    postgres = connection.dialect.name == "postgresql"
    insert = postgresql.insert(table) if postgres else sqlite.insert(table)
    values = insert.values([dict(row) for row in rows])
    summed = {column: table.c[column] + values.excluded[column]}
    key = list(table.primary_key)
    statement = values.on_conflict_do_update(index_elements=key, set_=summed)
    return list(connection.execute(statement.returning(table.c[column])).scalars())


def make_engine(url: str | URL, pool_size: int = 10) -> Engine:
    """Return an engine that behaves alike on both databases."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, pool_size)
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,  # errors are logged, and parameters are personal
    )


def _sqlite_engine(url: str | URL, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writing = connection.get_execution_options().get("yibao_writing", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")

    return engine


def _may_run_again(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE_STATES
