"""The database: SQLite embedded by default, PostgreSQL by URL, and one transaction for a use case.

SQLite runs in WAL mode and syncs at every commit, so that an answer that was given survives a power
cut. A writing transaction takes the write lock at once (``BEGIN IMMEDIATE``), so that it never fails
half way for a lock. PostgreSQL runs at READ COMMITTED with explicit row locks; the order in which
they are taken is written down in ``backend/decisions/0004-lock-order.md``.

Every wait has an end: a transaction that could not be made in time, or whose database is away, raises
``DatabaseUnavailable`` and holds nothing any more.
"""

from __future__ import annotations

import contextlib
import copy
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel

from backend.infra.patience import COMMANDS, Patience
from backend.infra.sealing import Vault
from backend.infra.settings import Settings
from backend.infra.turn import Turn
from backend.infra.unavailable import (
    DatabaseUnavailable,
    OutageLog,
    Unavailability,
    unavailability_of,
)
from backend.kernel.calendar import Clock
from backend.kernel.ids import IdSource

T = TypeVar("T")

ATTEMPTS_MAX = 3
_RETRYABLE_STATES = {"40001", "40P01"}  # serialization failure, deadlock
_UNTIL = "yibao_until"
"""Under which a connection keeps when its transaction ends."""
_SILENCE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
"""How a PostgreSQL server that has vanished from the network is noticed, within eleven seconds."""
_STEPS = 100_000
"""Of SQLite's machine, between two looks at the clock."""


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

    def __init__(
        self, resources: Resources, pool_size: int = 10, patience: Patience = COMMANDS
    ) -> None:
        self.resources = resources
        url = make_url(resources.settings.resolved_database_url)
        on_file = url.get_backend_name() == "sqlite" and url.database
        self.file = Path(url.database or "") if on_file else None
        """The SQLite file, ``None`` on PostgreSQL."""
        self._writers = Turn(Path(f"{self.file}.turn")) if self.file else None
        self._reads, self._writes = OutageLog("reading"), OutageLog("writing")
        self._connect(url, pool_size, pool_size, patience)

    def with_patience(
        self, patience: Patience, *, kept_connections: int, more_connections: int
    ) -> Database:
        """Return one on the same data whose transactions wait as long as given.

        It has connections of its own, some of them kept and more when needed, and shares the writers' turn.
        """
        other = copy.copy(self)
        url = make_url(self.resources.settings.resolved_database_url)
        other._connect(url, kept_connections, more_connections, patience)
        return other

    def _connect(self, url: URL, kept: int, more: int, patience: Patience) -> None:
        self._patience = patience
        self.engine = make_engine(url, kept, more, patience)
        self._for_writing = self.engine.execution_options(yibao_writing=True)
        reading: dict[str, Any] = {"yibao_writing": False}
        if self.engine.dialect.name == "postgresql":
            reading |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._for_reading = self.engine.execution_options(**reading)

    def write(self, work: Callable[[Unit], T], request_id: str = "") -> T:
        """Run ``work`` in one transaction and commit it, or roll all of it back.

        A deadlock or serialization failure runs it again, at most ``ATTEMPTS_MAX`` times in all.

        Raises: ``DatabaseUnavailable``; where the connection was lost, the commit may have counted.
        """
        with self._available(writing=True):
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
        """Run ``work`` on one consistent view of the data and change nothing.

        Raises: ``DatabaseUnavailable``.
        """
        with (
            self._available(writing=False),
            self._transaction(writing=False, request_id=request_id) as unit,
        ):
            outcome = work(unit)
            unit.db.rollback()
            return outcome

    @contextmanager
    def _available(self, writing: bool) -> Iterator[None]:
        """Tell what stands in a transaction's way, apart from faults of ours, and log it once."""
        log = self._writes if writing else self._reads
        try:
            yield
        except Exception as error:
            kind = unavailability_of(error)
            if kind is None or (kind is Unavailability.READ_ONLY and not writing):
                raise
            log.note(kind, error)
            raise DatabaseUnavailable(kind) from error
        log.note_success()

    @contextmanager
    def _transaction(self, writing: bool, request_id: str) -> Iterator[Unit]:
        engine = self._for_writing if writing else self._for_reading
        with (
            self._turn(writing),
            Session(engine, expire_on_commit=False, autoflush=True) as session,
        ):
            yield Unit(session, self.resources.clock.now(), self.resources, request_id)

    def _turn(self, writing: bool) -> AbstractContextManager[None]:
        if self._writers is None or not writing:
            return contextlib.nullcontext()
        return self._writers.held(self._patience.lock)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        if self._writers is not None:
            self._writers.close()


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


def make_engine(
    url: str | URL,
    kept_connections: int = 10,
    more_connections: int = 10,
    patience: Patience = COMMANDS,
) -> Engine:
    """Return an engine that behaves alike on both databases.

    No statement begins once its transaction has lasted too long; on SQLite none goes on either.
    """
    pool: dict[str, Any] = {
        "pool_size": kept_connections,
        "max_overflow": more_connections,
        "pool_timeout": patience.connection,
        "hide_parameters": True,  # errors are logged, and parameters are personal
    }
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite_engine(url, pool, patience)
    else:
        engine = _postgres_engine(make_url(url), pool, patience)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.info[_UNTIL] = _end_of(patience)
        if isinstance(raw := connection.connection.dbapi_connection, sqlite3.Connection):
            _begin_sqlite(connection, raw)

    @event.listens_for(engine, "before_cursor_execute")
    def _check(connection: Connection, *_: object) -> None:
        if time.monotonic() > connection.info.get(_UNTIL, float("inf")):
            raise DatabaseUnavailable(Unavailability.SLOW)

    return engine


def _end_of(patience: Patience) -> float:
    return time.monotonic() + (patience.transaction or float("inf"))


def _begin_sqlite(connection: Connection, raw: sqlite3.Connection) -> None:
    """Begin a transaction whose statements are interrupted at its end."""
    until: float = connection.info[_UNTIL]
    raw.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    writing = connection.get_execution_options().get("yibao_writing", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")


def _postgres_engine(url: URL, pool: Mapping[str, Any], patience: Patience) -> Engine:
    given = dict(url.query)  # what the operator has put into the URL counts
    limits = {
        "lock_timeout": patience.lock,
        "statement_timeout": patience.statement,
        "idle_in_transaction_session_timeout": patience.transaction,
    }
    options = [f"-c {name}={round(seconds * 1000)}" for name, seconds in limits.items()]
    arguments = {**_SILENCE, "connect_timeout": patience.connect}
    return create_engine(
        url,
        **pool,
        pool_pre_ping=True,
        connect_args={
            **{name: value for name, value in arguments.items() if name not in given},
            "options": " ".join([*options, str(given.get("options", ""))]).strip(),
        },
    )


def _sqlite_engine(url: str | URL, pool: Mapping[str, Any], patience: Patience) -> Engine:
    engine = create_engine(
        url, **pool, connect_args={"check_same_thread": False, "timeout": patience.lock}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun above, not guessed by the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _may_run_again(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE_STATES
