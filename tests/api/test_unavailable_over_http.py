"""What callers are told while the database cannot serve: the same request again, and once it serves, its answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import create_engine, text
from starlette.types import ASGIApp

from backend.infra.clock import SystemClock
from backend.infra.database import Database
from backend.sample_data.load import sample_key
from mobile_bff import documents
from mobile_bff.app import assemble
from mobile_bff.client import Client, terminal_assertion
from mobile_bff.processes import free_port
from tests.databases import name_of
from tests.usecases.test_waits import locked, turn_held
from tests.world import IBUPROFEN, PHARMACY, World, line, new_key, resources_for

HASTE = {"lock_milliseconds": 300, "statement_seconds": 2, "transaction_seconds": 3}
SECONDS_MAX = 20
NEWER = "application/graphql-response+json"
ERROR = {
    "message": "系统繁忙，本次请求没有得到确定的结果。 请在2秒后用同一编号重试，已经办成的不会重复办理。",
    "extensions": {
        "code": "SYSTEM_BUSY",
        "nextAction": "请在2秒后用同一编号重试，已经办成的不会重复办理。",
        "retry": "SAME_REQUEST",
        "retryAfterSeconds": 2,
    },
}


@dataclass
class Till:
    """A worker of the server in this process, a till that calls it, and the province behind it."""

    http: httpx.Client
    world: World
    client: Client

    def send(self, operation: str, accept: str = "application/json", **variables: Any) -> Any:
        headers = {**self.client.headers(), "accept": accept}
        body = {"query": documents.document(operation), "variables": variables}
        return self.http.post("/graphql", json=body, headers=headers)

    def bill(self) -> str:
        return self.world.bill("worker", line(IBUPROFEN)).id

    def is_ready(self) -> bool:
        return self.http.get("/health/ready").status_code == httpx.codes.OK


@pytest.fixture
def till(database_url: str, keys_file: Path) -> Iterator[Till]:
    clock: Any = SystemClock()
    world = World(Database(resources_for(database_url, keys_file, clock)), clock)
    application = assemble(resources_for(database_url, keys_file, clock, **HASTE))
    with _served(application) as http:
        client = Client("", http=http)
        number = f"T{PHARMACY}01"
        opened = client.do(
            "OpenTerminalSession",
            assertion=terminal_assertion(number, sample_key(number)),
            operatorId="1001",
            operatorName="收银员",
        )
        client.token = opened["accessToken"]
        yield Till(http, world, client)
    world.database.close()


@contextmanager
def _served(application: ASGIApp) -> Iterator[httpx.Client]:
    """Run a worker in a thread of this process, where its log can be read."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application, port=port, log_config=None))
    thread = Thread(target=server.run)
    thread.start()
    assert eventually(lambda: server.started)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
        yield http
    server.should_exit = True
    thread.join(timeout=SECONDS_MAX)
    assert not thread.is_alive()


def eventually(holds: Any) -> bool:
    until = time.monotonic() + SECONDS_MAX
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def told(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the errors of an answer without their places."""
    errors = answer.json()["errors"]
    return [{key: error[key] for key in ("message", "extensions")} for error in errors]


def test_a_settlement_before_a_locked_person_is_refused_and_made_once_by_the_same_request(
    till: Till,
) -> None:
    bill = till.bill()
    fields = {"billId": bill, "requestId": new_key()}
    with locked(till.world, till.world.person("worker")):
        plain, newer = till.send("Settle", input=fields), till.send("Settle", NEWER, input=fields)
        looked = till.send("TillBill", billId=bill)
    assert (plain.status_code, plain.headers["retry-after"]) == (200, "2")
    assert (newer.status_code, newer.headers["retry-after"]) == (503, "2")
    assert (told(plain), told(newer)) == ([ERROR], [ERROR])
    assert plain.json()["data"] is None
    assert "data" not in newer.json()
    assert "errors" not in looked.json()
    assert "retry-after" not in looked.headers
    settled = till.client.do("Settle", **fields)
    assert settled["__typename"] == "Settlement"
    assert till.client.do("Settle", **fields) == settled
    count = text("SELECT count(*) FROM settlement WHERE bill_id = :bill")
    rows = till.world.database.read(lambda u: u.db.connection().execute(count, {"bill": bill}))
    assert rows.scalar() == 1
    assert till.world.faults() == []


def test_other_routes_and_languages_are_told_as_well(till: Till) -> None:
    on_file = till.world.database.file is not None
    with locked(till.world, "") if on_file else _gone(till):
        headers = {"accept-language": "en", "authorization": f"Bearer {till.client.token}"}
        answer = till.http.get("/exports/settlements.csv?year=2026", headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json() == {
        "code": "SYSTEM_BUSY",
        "message": "The system is busy, and this request has no certain outcome.",
        "nextAction": "Send the same request with the same number again in 2 seconds; "
        "what was done is not done twice.",
        "retry": "SAME_REQUEST",
    }


# -- SQLite ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_held_turn_stops_writers_but_neither_readers_nor_the_probe(till: Till) -> None:
    file = till.world.database.file
    assert file is not None
    bill = till.bill()
    assert eventually(till.is_ready)
    with turn_held(file):
        fields = {"billId": bill, "requestId": new_key()}
        assert told(till.send("Settle", input=fields)) == [ERROR]
        assert "errors" not in till.send("TillBill", billId=bill).json()
        assert till.http.get("/health/live").text == "ok"
        assert eventually(lambda: not till.is_ready())
        assert till.http.get("/health/ready").json() == {
            "code": "NOT_READY",
            "reason": "LOCKED",
            "message": "another transaction keeps every writer waiting",
        }
    assert eventually(till.is_ready)
    assert till.client.do("Settle", **fields)["__typename"] == "Settlement"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_not_ready(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("backend.infra.readiness.os.posix_fallocate", no_room)
        assert eventually(lambda: not till.is_ready())
        assert till.http.get("/health/ready").json()["reason"] == "FULL"
    assert eventually(till.is_ready)


# -- PostgreSQL ------------------------------------------------------------------------------------


def _away(till: Till, allowed: bool) -> None:
    """Let the database take connections or none, and end those that there are."""
    url = till.world.settings.database_url
    server = url.replace(name_of(url), "postgres")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        word = "true" if allowed else "false"
        connection.exec_driver_sql(f'ALTER DATABASE "{name_of(url)}" ALLOW_CONNECTIONS {word}')
        end = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        if not allowed:
            connection.execute(end, {"name": name_of(url)})
    engine.dispose()


@contextmanager
def _gone(till: Till) -> Iterator[None]:
    _away(till, allowed=False)
    yield
    _away(till, allowed=True)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_is_away_is_one_line_in_the_log_and_served_when_it_is_back(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    bill = till.bill()
    fields = {"billId": bill, "requestId": new_key()}
    assert eventually(till.is_ready)
    caplog.set_level(logging.WARNING)
    with _gone(till):
        for _ in range(5):
            assert told(till.send("Settle", input=fields)) == [ERROR]
            assert till.send("TillBill", NEWER, billId=bill).status_code == 503
        assert eventually(lambda: not till.is_ready())
        assert till.http.get("/health/ready").json()["reason"] == "UNREACHABLE"
        assert till.http.get("/.well-known/identity-trust.jwt").status_code == 503
    assert eventually(till.is_ready)
    assert till.client.do("Settle", **fields)["__typename"] == "Settlement"
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in lines if record.exc_info] == []
    outage = [record.getMessage() for record in lines if "UNREACHABLE" in record.getMessage()]
    assert sorted(message.split(":")[0] for message in outage) == ["reading", "writing"]
    assert eventually(lambda: "writing: served again" in caplog.text)
