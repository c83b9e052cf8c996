"""The whole server dies under load; a new one finds a true ledger, and every till its answer."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from backend.infra import audit
from backend.sample_data.load import sample_key
from mobile_bff.client import Client, terminal_assertion
from mobile_bff.processes import (
    DidNotStart,
    free_port,
    newest_code,
    reserved,
    server,
    sms_sandbox,
)
from tests.world import IBUPROFEN, World, phone_of, trace_code

PEOPLE = ("worker", "worker_2", "worker_3", "worker_4")


@dataclass
class Till:
    """A till with its customer, and every settlement it ever asked for."""

    key: str
    phone: Client
    terminal: Client
    asked: dict[str, str] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)

    def sell(self) -> None:
        code = self.phone.issue_code("PHARMACY_PURCHASE", svg=False)
        scanned = self.terminal.do_once(
            "DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE"
        )
        line = {
            "code": IBUPROFEN,
            "quantity": "1",
            "unitPrice": "7.77",
            "traceCodes": [trace_code()],
        }
        bill = self.terminal.do_once("Presettle", token=scanned["token"], lines=[line])
        request = str(uuid.uuid4())
        self.asked[request] = bill["billId"]
        self.settle(request)

    def settle(self, request: str) -> None:
        settled = self.terminal.do("Settle", requestId=request, billId=self.asked[request])
        self.answered[request] = settled["settlementId"]


@contextmanager
def _server(world: World, keys_file: Path, gateway: str, port: int) -> Iterator[str]:
    environment = {
        "YIBAO_DATABASE_URL": world.settings.database_url,
        "YIBAO_KEYS_FILE": str(keys_file),
        "YIBAO_SMS_GATEWAY_URL": gateway,
    }
    with server(environment, port, workers=2) as address:
        yield address


def test_killed_under_load(world: World, keys_file: Path, tmp_path: Path) -> None:
    port, before = free_port(), {who: world.balance(who) or 0 for who in PEOPLE}
    world.database.close()
    with sms_sandbox(tmp_path / "mailbox") as gateway, httpx.Client(timeout=20) as http:
        with _server(world, keys_file, gateway, port) as url:
            tills = [_till(url, tmp_path / "mailbox", http, n) for n in range(len(PEOPLE))]
            threads = [threading.Thread(target=_until_it_dies, args=(till,)) for till in tills]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + 30
            while sum(len(till.asked) for till in tills) <= 12 and time.monotonic() < deadline:
                time.sleep(0.05)
            _kill_the_group_on(port)
            for thread in threads:
                thread.join()
        _wait_until_free(port)
        with _server(world, keys_file, gateway, port):
            for till in tills:
                for request in till.asked:
                    first = till.answered.get(request)
                    till.settle(request)
                    assert first in (None, till.answered[request])
    assert sum(len(till.asked) for till in tills) > 8
    assert world.faults() == []
    assert world.database.read(audit.verify) == []
    for till in tills:
        assert len(set(till.answered.values())) == len(till.asked)
        assert world.balance(till.key) == before[till.key] - 777 * len(till.asked)


def _till(url: str, mailbox: Path, http: httpx.Client, number: int) -> Till:
    key = PEOPLE[number]
    phone, terminal = Client(url, http=http), Client(url, http=http)
    mobile = phone_of(key)
    phone.do("RequestSignInCode", phone=mobile)
    code = newest_code(mailbox, mobile)
    phone.token = phone.do("SignIn", phone=mobile, code=code, deviceName="d")["accessToken"]
    station = f"TP51010{4 + number}0000101"
    assertion = terminal_assertion(station, sample_key(station))
    opened = terminal.do(
        "OpenTerminalSession", assertion=assertion, operatorId="1", operatorName="o"
    )
    terminal.token = opened["accessToken"]
    return Till(key, phone, terminal)


def _until_it_dies(till: Till) -> None:
    for _ in range(10_000):
        try:
            till.sell()
        except httpx.HTTPError:
            return


def _wait_until_free(port: int) -> None:
    """Wait for the last of the killed processes: until it is gone it holds the socket."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with reserved(port):
                return
        except DidNotStart:
            time.sleep(0.05)
    raise AssertionError(f"port {port} is not given back")


def _kill_the_group_on(port: int) -> None:
    """Kill the server and its workers at once, as a power cut would."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if f"--port\0{port}\0" in command:
                os.killpg(os.getpgid(int(entry.name)), signal.SIGKILL)
                return
    raise AssertionError("no server to kill")
