"""A real server with its SMS sandbox, over real HTTP, on both databases.

The server of most sites is a thread of the test's process: real HTTP over a real socket, without three
processes to start. ``worker_site`` has the processes of production where they are the point.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from backend.sample_data.load import sample_key
from mobile_bff.client import Client, terminal_assertion
from mobile_bff.processes import newest_code, server, sms_sandbox
from tests.databases import drop_database, new_database
from tests.server_thread import server_thread
from tests.world import PHARMACY, phone_of

SETTINGS = {"YIBAO_SMS_RESEND_SECONDS": "1", "YIBAO_SMS_PER_ADDRESS_PER_HOUR": "1000"}


@dataclass
class Site:
    """A running server."""

    url: str
    mailbox: Path
    database_url: str
    keys_file: Path
    http: httpx.Client
    staff_steps: dict[str, int] = field(default_factory=dict)
    """The last step of the authenticator with which each member of staff signed in."""
    _phones: dict[str, Client] = field(default_factory=dict)

    def anonymous(self, **more: str) -> Client:
        return Client(self.url, http=self.http, **more)

    def phone(self, key: str) -> Client:
        """Return a signed-in person's client."""
        if key not in self._phones:
            client = self.anonymous()
            number = phone_of(key)
            client.do("RequestSignInCode", phone=number)
            code = newest_code(self.mailbox, number)
            session = client.do("SignIn", phone=number, code=code, deviceName="测试机")
            client.token = session["accessToken"]
            self._phones[key] = client
        return self._phones[key]

    def terminal(self, code: str = PHARMACY) -> Client:
        """Return a signed-in terminal's client."""
        number = f"T{code}01"
        client = self.anonymous()
        session = client.do(
            "OpenTerminalSession",
            assertion=terminal_assertion(number, sample_key(number)),
            operatorId="1001",
            operatorName="收银员",
        )
        client.token = session["accessToken"]
        return client


@contextmanager
def site_on(
    kind: str,
    request: pytest.FixtureRequest,
    folder: Path,
    gateway_faults: tuple[str, ...] = (),
    port: int | None = None,
    workers: int = 0,
    **settings: str,
) -> Iterator[Site]:
    """Run a site on a fresh copy of the sample province, with worker processes if any are asked for."""
    keys_file = request.getfixturevalue("keys_file")
    if kind == "sqlite":
        place = Path(tempfile.mkdtemp(dir=request.getfixturevalue("shared")))
        shutil.copy(request.getfixturevalue("sqlite_template"), place / "site.sqlite3")
        url = f"sqlite:///{place / 'site.sqlite3'}"
    else:
        postgres = request.getfixturevalue("postgres")
        url = new_database(postgres, request.getfixturevalue("postgres_template"))
    environment = {"YIBAO_DATABASE_URL": url, "YIBAO_KEYS_FILE": str(keys_file), **SETTINGS}
    mailbox = folder / "mailbox.jsonl"
    with sms_sandbox(mailbox, *gateway_faults) as gateway:
        environment |= {"YIBAO_SMS_GATEWAY_URL": gateway, **settings}
        serving = (
            server(environment, port, workers) if workers else server_thread(environment, port)
        )
        with serving as address, httpx.Client(timeout=60, trust_env=False) as http:
            yield Site(address, mailbox, url, keys_file, http)
    if kind == "sqlite":
        shutil.rmtree(place)
    else:
        drop_database(postgres, url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with site_on(request.param, request, tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def worker_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site of two worker processes, as in production."""
    folder = tmp_path_factory.mktemp("workers")
    with site_on(request.param, request, folder, workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def lone_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site where the database does not matter."""
    with site_on("sqlite", request, tmp_path_factory.mktemp("lone")) as running:
        yield running


def plain_text_of(site: Site) -> bytes:
    """Return everything that lies in an SQLite site's database files."""
    path = Path(site.database_url.removeprefix("sqlite:///"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(FULL)")
    return b"".join(p.read_bytes() for p in path.parent.glob(path.name + "*"))
