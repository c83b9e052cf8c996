"""Every wait for the database has an end, and what waited too long left nothing behind."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, make_url, text

from backend.infra.database import Database, Unit, make_engine
from backend.infra.patience import COMMANDS, JOBS, Patience, of_requests
from backend.infra.readiness import prove_writable
from backend.infra.settings import Settings
from backend.infra.turn import Turn
from backend.infra.unavailable import DatabaseUnavailable, Unavailability
from backend.payments import service as payments
from backend.payments.contracts import Settle
from tests.databases import drop_database, name_of, new_database
from tests.world import IBUPROFEN, ManualClock, World, line, new_key, resources_for

HASTE = Patience(lock=0.3, statement=0.6, transaction=5, connect=2, connection=0.3)
SECONDS_MAX = 4
"""What a wait of a third of a second takes at most on a machine that does much else."""
_HOLD_FLOCK = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hasty(world: World) -> Iterator[Database]:
    database = world.database.with_patience(HASTE, kept_connections=2, more_connections=0)
    yield database
    database.engine.dispose()


@contextmanager
def locked(world: World, person_id: str) -> Iterator[None]:
    """Hold a person's row from outside; on SQLite that is the whole file."""
    engine = create_engine(world.settings.resolved_database_url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            row = text("SELECT id FROM person WHERE id = :id FOR UPDATE")
            connection.execute(row, {"id": person_id}).one()
        yield
        connection.rollback()
    engine.dispose()


@contextmanager
def turn_held(file: Path) -> Iterator[None]:
    """Hold the turn to write an SQLite file in another process."""
    command = [sys.executable, "-c", _HOLD_FLOCK, f"{file}.turn"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.communicate(timeout=30)


def refused(database: Database, work: Any, writing: bool = True) -> Unavailability:
    """Return why work was refused, which took no longer than it may."""
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable) as told:
        (database.write if writing else database.read)(work)
    assert time.monotonic() - began < SECONDS_MAX
    return told.value.kind


def test_a_locked_person_is_refused_in_time_and_settled_once_by_the_same_request(
    world: World, hasty: Database
) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    command = Settle(world.terminal(), bill.id, new_key())
    settle = partial(payments.settle, command=command)
    before = world.money()
    with locked(world, world.person("worker")):
        assert refused(hasty, settle) is Unavailability.LOCKED
        assert world.database.read(_transactions_open) == 1  # the one from outside
    assert world.money() == before
    settled = hasty.write(settle)
    assert settled.bill_id == bill.id
    assert hasty.write(settle) == settled
    rows = text("SELECT count(*) FROM settlement WHERE bill_id = :bill")
    assert world.database.read(_scalar(rows, bill=bill.id)) == 1
    assert world.faults() == []


def _scalar(statement: Any, **values: Any) -> Any:
    return lambda unit: unit.db.connection().execute(statement, values).scalar()


def _transactions_open(unit: Unit) -> int:
    """Return how many other transactions hold something; on SQLite the only one is known."""
    connection = unit.db.connection()
    if connection.dialect.name == "sqlite":
        return 1
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    )
    return int(connection.exec_driver_sql(query).scalar_one())


def test_others_are_read_and_written_beside_a_locked_person(world: World, hasty: Database) -> None:
    with locked(world, world.person("worker")):
        assert hasty.read(_scalar(text("SELECT count(*) FROM person"))) > 0
        if hasty.file is None:
            world.database = hasty
            assert world.buy("resident", line(IBUPROFEN)).cash_fen >= 0
            prove_writable(hasty)


def test_a_statement_and_a_transaction_that_take_too_long_are_cut(
    world: World, hasty: Database
) -> None:
    if hasty.file is None:
        slow = text("SELECT pg_sleep(30)")
    else:
        hasty = world.database.with_patience(
            replace(HASTE, transaction=0.3), kept_connections=1, more_connections=0
        )
        slow = text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        )
    assert refused(hasty, _scalar(slow), writing=False) is Unavailability.SLOW
    assert refused(hasty, _scalar(slow)) is Unavailability.SLOW
    assert hasty.read(_scalar(text("SELECT 1"))) == 1
    hasty.engine.dispose()


def test_no_free_connection_is_a_refusal(world: World, hasty: Database) -> None:
    with hasty.engine.connect(), hasty.engine.connect():
        one = _scalar(text("SELECT 1"))
        assert refused(hasty, one, writing=False) is Unavailability.CROWDED
    assert hasty.read(one) == 1


def test_a_full_database_reads_and_says_that_it_is_full(world: World, hasty: Database) -> None:
    """PostgreSQL is told so by its server; SQLite by a bound on its pages."""

    def fill(unit: Unit) -> None:
        connection = unit.db.connection()
        if hasty.file is None:
            connection.exec_driver_sql(
                "DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"
            )
        connection.exec_driver_sql("CREATE TABLE filling AS SELECT zeroblob(100000) AS room")

    if hasty.file is not None:

        @event.listens_for(hasty.engine, "connect")
        def _bound(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA max_page_count = 1")  # means: what it has already

    before = world.money()
    assert refused(hasty, fill) is Unavailability.FULL
    assert world.money() == before
    assert hasty.read(_scalar(text("SELECT count(*) FROM person"))) > 0


# -- SQLite alone ----------------------------------------------------------------------------------


@pytest.fixture
def filed(own_folder: Path, sqlite_template: Path, keys_file: Path) -> Iterator[Database]:
    """An SQLite database with little patience."""
    path = own_folder / "yibao.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    resources = resources_for(f"sqlite:///{path}", keys_file, ManualClock())
    database = Database(resources, pool_size=2, patience=HASTE)
    yield database
    database.close()


def test_a_turn_that_another_process_holds_is_waited_for_and_then_given_up(
    filed: Database,
) -> None:
    file = filed.file
    assert file is not None
    one = _scalar(text("SELECT 1"))
    with turn_held(file):
        for _ in range(3):
            assert refused(filed, one) is Unavailability.LOCKED
        assert filed.read(one) == 1
        waiting = [thread for thread in threading.enumerate() if "_wait_for_file" in thread.name]
        assert len(waiting) == 1  # one thread waits for the file, however many gave up
    patient = filed.with_patience(COMMANDS, kept_connections=1, more_connections=0)
    assert patient.write(one) == 1
    patient.engine.dispose()
    other = Turn(Path(f"{file}.turn"))
    with other.held(SECONDS_MAX):  # and nobody keeps it
        assert refused(filed, one) is Unavailability.LOCKED
    other.close()


def test_one_writer_at_a_time_over_threads_and_files(tmp_path: Path) -> None:
    turns = [Turn(tmp_path / "turn"), Turn(tmp_path / "turn")]
    inside, most = 0, 0

    def write(turn: Turn) -> None:
        nonlocal inside, most
        for _ in range(100):
            with turn.held(60):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=write, args=(turn,)) for turn in turns * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (most, inside, any(thread.is_alive() for thread in threads)) == (1, 0, False)
    for turn in turns:
        turn.close()


def test_a_disk_without_room_is_not_writable(
    filed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert filed.file is not None
    prove_writable(filed)
    before = sorted(filed.file.parent.iterdir())
    prove_writable(filed)
    assert sorted(filed.file.parent.iterdir()) == before

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.infra.readiness.os.posix_fallocate", no_room)
    with pytest.raises(DatabaseUnavailable) as told:
        prove_writable(filed)
    assert told.value.kind is Unavailability.FULL


# -- PostgreSQL alone ------------------------------------------------------------------------------


@pytest.fixture
def served(postgres: str, postgres_template: str, keys_file: Path) -> Iterator[Database]:
    """A PostgreSQL database with little patience."""
    url = new_database(postgres, postgres_template)
    database = Database(resources_for(url, keys_file, ManualClock()), pool_size=2, patience=HASTE)
    yield database
    database.close()
    drop_database(postgres, url)


@contextmanager
def _administration(postgres: str) -> Iterator[Any]:
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_server_that_went_away_is_said_and_found_again(served: Database, postgres: str) -> None:
    one = _scalar(text("SELECT 1"))
    name = name_of(served.resources.settings.database_url)
    assert served.write(one) == 1
    with _administration(postgres) as server:
        server.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        end = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        server.execute(end, {"name": name})
        assert refused(served, one) is Unavailability.UNREACHABLE
        assert refused(served, one, writing=False) is Unavailability.UNREACHABLE
        server.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert (served.write(one), served.read(one)) == (1, 1)


def test_a_connection_lost_half_way_rolls_back(served: Database, postgres: str) -> None:
    def die(unit: Unit) -> None:
        connection = unit.db.connection()
        connection.exec_driver_sql("UPDATE person SET id = id")
        with _administration(postgres) as server:
            mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            server.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        connection.exec_driver_sql("SELECT 1")

    assert refused(served, die) is Unavailability.UNREACHABLE
    assert served.write(_scalar(text("SELECT 1"))) == 1


def test_connections_that_are_used_up_are_a_refusal(
    served: Database, postgres: str, keys_file: Path
) -> None:
    url = make_url(served.resources.settings.database_url)
    role = f"teller_{new_key()}"
    with _administration(postgres) as server:
        server.exec_driver_sql(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")
        theirs = url.set(username=role).render_as_string(hide_password=False)
        database = Database(
            resources_for(theirs, keys_file, ManualClock()), pool_size=2, patience=HASTE
        )
        one = _scalar(text("SELECT 1"))
        with database.engine.connect() as first:
            assert first.exec_driver_sql("SELECT 1").scalar() == 1
            assert refused(database, one) is Unavailability.CROWDED
        assert database.write(one) == 1
        database.close()
        server.exec_driver_sql(f"DROP ROLE {role}")


def test_a_standby_takes_no_writes(served: Database, postgres: str) -> None:
    name = name_of(served.resources.settings.database_url)
    with _administration(postgres) as server:
        server.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    change = text("UPDATE person SET id = id")
    assert refused(served, lambda unit: unit.db.connection().execute(change)) is (
        Unavailability.READ_ONLY
    )
    with pytest.raises(DatabaseUnavailable) as told:
        prove_writable(served)
    assert told.value.kind is Unavailability.READ_ONLY


def _limits(url: str, patience: Patience) -> list[str]:
    engine = make_engine(url, 1, 0, patience)
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    with engine.connect() as connection:
        shown = [str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in names]
    engine.dispose()
    return shown


def test_requests_are_cut_before_jobs_and_commands_never(served: Database) -> None:
    url = served.resources.settings.database_url
    assert _limits(url, of_requests(Settings())) == ["2500ms", "6s", "8s"]
    assert _limits(url, JOBS) == ["5s", "1min", "2min"]
    assert _limits(url, COMMANDS) == ["30s", "0", "0"]  # a migration takes as long as it takes
    given = make_url(url).update_query_dict({"options": "-c statement_timeout=9000"})
    told = given.render_as_string(hide_password=False)
    assert _limits(told, JOBS) == ["5s", "9s", "2min"]  # what the operator says counts


def test_requests_end_before_their_clients_do() -> None:
    settings = Settings()
    patience = of_requests(settings)
    assert patience.lock < patience.statement < patience.transaction < settings.request_seconds < 15
    assert settings.connect_seconds + patience.lock < settings.request_seconds


def test_many_short_statements_are_cut_as_a_whole(world: World) -> None:
    hasty = world.database.with_patience(
        replace(HASTE, transaction=0.2), kept_connections=1, more_connections=0
    )
    passed: list[int] = []

    def dawdle(unit: Unit) -> None:
        for number in range(1000):
            unit.db.connection().exec_driver_sql("SELECT 1")
            passed.append(number)
            time.sleep(0.02)

    assert refused(hasty, dawdle) is Unavailability.SLOW
    assert len(passed) <= 11
    assert hasty.write(_scalar(text("SELECT 1"))) == 1
    hasty.engine.dispose()
