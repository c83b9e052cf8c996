"""Fixtures: every test that asks for ``world`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.infra.clock import SystemIds
from backend.infra.database import Database
from backend.infra.keys import make_keys
from backend.sample_data.load import load_sample_data
from mobile_bff.start import migrate
from tests.databases import drop_database, name_of, new_database, postgres_server
from tests.world import ManualClock, World, resources_for

CHROMIUM = "chromium"
collect_ignore = [] if shutil.which(CHROMIUM) else ["browser"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make simulation` ask for more and longer histories."""
    parser.addoption("--histories", type=int, default=2, help="how many histories of paying")
    parser.addoption("--happenings", type=int, default=220, help="how much happens in each")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each history its seed."""
    if "seed" in metafunc.fixturenames and "happenings" in metafunc.fixturenames:
        histories = range(1, metafunc.config.getoption("histories") + 1)
        metafunc.parametrize("seed", histories)


@pytest.fixture
def happenings(request: pytest.FixtureRequest) -> int:
    """How much happens in a history."""
    return int(request.config.getoption("happenings"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where tests were left out, so that nobody takes them for passed."""
    if collect_ignore:
        terminalreporter.write_sep("!", f"tests/browser left out: there is no {CHROMIUM} here")


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    make_keys(path, SystemIds())
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, keys_file: Path) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    _fill(f"sqlite:///{path}", keys_file)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str, keys_file: Path) -> Iterator[str]:
    url = new_database(postgres)
    _fill(url, keys_file)
    yield name_of(url)
    drop_database(postgres, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh copy of the sample province."""
    if request.param == "sqlite":
        path = tmp_path / "yibao.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgres")
    url = new_database(server, request.getfixturevalue("postgres_template"))
    yield url
    drop_database(server, url)


@pytest.fixture
def world(database_url: str, keys_file: Path) -> Iterator[World]:
    clock = ManualClock()
    database = Database(resources_for(database_url, keys_file, clock))
    yield World(database, clock)
    database.close()


def _fill(url: str, keys_file: Path) -> None:
    database = Database(resources_for(url, keys_file, ManualClock()))
    migrate(database)
    database.write(load_sample_data)
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
    database.close()
