"""Fixtures: every test that asks for ``world`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from backend.infra import database
from backend.infra.clock import SystemIds
from backend.infra.database import Database
from backend.infra.keys import make_keys
from backend.sample_data.load import load_sample_data
from mobile_bff.start import migrate
from tests.databases import (
    drop_database,
    made_once,
    name_of,
    new_database,
    remove_shared_folder,
    shared_folder,
    shared_postgres,
)
from tests.world import ManualClock, World, resources_for

CHROMIUM = "chromium"
SHARED = pytest.StashKey[Path]()
TEMPLATE_URL = "template.url"
collect_ignore = [] if shutil.which(CHROMIUM) else ["browser"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder, or find the one that the run's first process made."""
    given = getattr(config, "workerinput", {}).get("shared")
    config.stash[SHARED] = Path(given) if given else shared_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the run's folder is."""
    node.workerinput["shared"] = str(node.config.stash[SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the run made, once its last worker is done."""
    if hasattr(config, "workerinput"):
        return
    folder = config.stash[SHARED]
    template = folder / TEMPLATE_URL
    if template.exists():
        drop_database(shared_postgres(folder), template.read_text())
    remove_shared_folder(folder)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make simulation` ask for more and longer histories, and `make test-fast` for one database."""
    parser.addoption("--histories", type=int, default=2, help="how many histories of paying")
    parser.addoption("--happenings", type=int, default=220, help="how much happens in each")
    parser.addoption("--one-database", action="store_true", help="leave PostgreSQL out")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs on PostgreSQL, where one database was asked for."""
    if not config.getoption("one_database"):
        return
    left_out = [item for item in items if "postgresql" in item.nodeid]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if "postgresql" not in item.nodeid]


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
def shared(pytestconfig: pytest.Config) -> Path:
    """The folder of this run, one for all workers, in memory where there is room."""
    return pytestconfig.stash[SHARED]


@pytest.fixture(scope="session")
def keys_file(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of the templates, in a folder of this worker's own."""

    def make() -> str:
        made = shared / "keys"
        made.mkdir()
        make_keys(made / "keys.json", SystemIds())
        resources_for("sqlite://", made / "keys.json", ManualClock())  # makes the reporters' keys
        return str(made)

    folder = tmp_path_factory.mktemp("keys")
    shutil.copytree(made_once(shared, "keys.path", make), folder, dirs_exist_ok=True)
    return folder / "keys.json"


@pytest.fixture(scope="session")
def postgres(shared: Path) -> str:
    return shared_postgres(shared)


@pytest.fixture(scope="session")
def sqlite_template(shared: Path, keys_file: Path) -> Path:
    def make() -> str:
        path = shared / "template.sqlite3"
        _fill(f"sqlite:///{path}", keys_file)
        return str(path)

    return Path(made_once(shared, "template.path", make))


@pytest.fixture(scope="session")
def postgres_template(shared: Path, postgres: str, keys_file: Path) -> str:
    def make() -> str:
        url = new_database(postgres)
        _fill(url, keys_file)
        return url

    return name_of(made_once(shared, TEMPLATE_URL, make))


@pytest.fixture
def own_folder(shared: Path) -> Iterator[Path]:
    """A folder for one test's databases, in memory where there is room."""
    folder = Path(tempfile.mkdtemp(dir=shared))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def _kept_engines() -> Iterator[None]:
    """Keep an engine for each address: a new one would compile every statement anew in each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "make_engine", cache(database.make_engine))
        yield


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """The name of this process among the run's workers."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "alone"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, shared: Path, worker_name: str) -> Iterator[str]:
    """A fresh copy of the sample province, at the same address for every test of this worker."""
    if request.param == "sqlite":
        folder = shared / worker_name
        folder.mkdir()
        path = folder / "yibao.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        shutil.rmtree(folder)
        return
    server, template = (request.getfixturevalue(n) for n in ("postgres", "postgres_template"))
    url = new_database(server, template, name=f"{template}_{worker_name}")
    yield url
    drop_database(server, url)


@pytest.fixture
def world(database_url: str, keys_file: Path) -> Iterator[World]:
    clock = ManualClock()
    province = Database(resources_for(database_url, keys_file, clock))
    yield World(province, clock)
    province.close()


def _fill(url: str, keys_file: Path) -> None:
    province = Database(resources_for(url, keys_file, ManualClock()))
    migrate(province)
    province.write(load_sample_data)
    if province.engine.dialect.name == "sqlite":
        with province.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
    province.close()
