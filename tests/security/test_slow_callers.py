"""Callers who send or read slowly, or not at all, are ended after a bounded time."""

from __future__ import annotations

import json
import select
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.serving import SECONDS_MAX, Server, ask, closed, ends, served, start
from tests.world import ManualClock, resources_for

HEAD = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
INTROSPECTION = (
    "{ __schema { types { name description fields { name description args { name description } } "
    "inputFields { name description } enumValues { name description } } } }"
)


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that waits for nobody longer than two seconds."""
    path = tmp_path_factory.mktemp("slow") / "yibao.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    keys = request.getfixturevalue("keys_file")
    short = {
        "request_head_seconds": 2,
        "request_body_seconds": 2,
        "keep_alive_seconds": 2,
        "write_seconds": 1,
        "socket_init_seconds": 2,
        "socket_ping_seconds": 1,
        "socket_buffer_bytes_max": 2_000_000,
    }
    resources = resources_for(f"sqlite:///{path}", keys, ManualClock(), **short)
    with served(resources) as running:
        yield running


def _dribbled(caller: socket.socket, until: float) -> bytes:
    """Send one byte after another until the server ends the connection, and return what it said."""
    received, deadline = b"", time.monotonic() + until
    while time.monotonic() < deadline:
        readable, _, _ = select.select([caller], [], [], 0.1)
        try:
            if readable:
                chunk = caller.recv(65_536)
                if not chunk:
                    return received
                received += chunk
            caller.send(b"a")
        except (ConnectionResetError, BrokenPipeError):
            return received
    raise AssertionError("the server still waits")


@pytest.mark.parametrize(
    "begun",
    [b"", b"P", HEAD, b"POST /graphql HTTP/1.1\r\nx: "],
    ids=["nothing", "a letter", "most of it", "a header without end"],
)
def test_half_a_head(server: Server, begun: bytes) -> None:
    with closing(server.raw()) as silent:
        silent.send(begun)
        assert ends(silent) == b""
    if begun:
        with closing(server.raw()) as slow:
            slow.send(begun)
            assert _dribbled(slow, SECONDS_MAX) == b""


def test_half_a_head_after_an_answer(server: Server) -> None:
    """The first byte of a second request ends the wait of an idle connection."""
    with closing(server.raw()) as caller:
        caller.send(LIVE + HEAD)
        answer = _dribbled(caller, SECONDS_MAX)
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.count(b"HTTP/1.1") == 1


def test_half_a_body(server: Server) -> None:
    with closing(server.raw()) as caller:
        caller.send(HEAD + b"content-length: 1000\r\n\r\n{")
        answer = _dribbled(caller, SECONDS_MAX)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"REQUEST_TIMEOUT"' in answer
    assert b"connection: close" in answer.lower()


def test_a_silent_body(server: Server) -> None:
    with closing(server.raw()) as caller:
        caller.send(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{")
        assert ends(caller).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_was_answered_already_is_not_waited_for(server: Server) -> None:
    with closing(server.raw()) as caller:
        caller.send(HEAD + b"content-length: 100000\r\n\r\n{")
        assert _dribbled(caller, SECONDS_MAX).startswith(b"HTTP/1.1 413 ")


def test_a_slow_body_that_comes_on_is_waited_for(server: Server) -> None:
    body = json.dumps({"query": "{ __typename }", "pad": "x" * 60_000}).encode()
    with closing(server.raw()) as caller:
        caller.send(HEAD + f"content-length: {len(body)}\r\n\r\n".encode())
        begun = time.monotonic()
        for start_ in range(0, len(body), 10_000):
            caller.sendall(body[start_ : start_ + 10_000])
            time.sleep(0.5)  # a slow network: three seconds in all, which is more than two
        assert time.monotonic() - begun > 2
        assert caller.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_an_idle_connection(server: Server) -> None:
    with closing(server.raw()) as caller:
        caller.send(LIVE)
        assert ends(caller).startswith(b"HTTP/1.1 200 ")


def test_a_caller_who_reads_no_answer(server: Server) -> None:
    request = f"GET /graphql?query={INTROSPECTION.replace(' ', '%20')} HTTP/1.1\r\nhost: x\r\n"
    whole = (request + "accept: application/json\r\n\r\n").encode()
    with closing(server.raw(receive_bytes=2_048)) as caller:
        caller.sendall(whole * 20)
        _is_reset(caller)


def test_a_socket_without_a_beginning(server: Server) -> None:
    with server.socket() as caller:
        assert closed(caller) == (4408, "Connection initialisation timeout")


def test_a_socket_that_answers_no_ping(server: Server) -> None:
    with closing(server.raw()) as caller:
        caller.send(UPGRADE)
        said = ends(caller)
    assert said.startswith(b"HTTP/1.1 101 ")
    assert b"server:" not in said.lower()


def test_a_socket_that_begins_and_falls_silent(server: Server) -> None:
    with closing(server.raw()) as caller:
        _begin(caller)
        said = ends(caller)
    assert b"connection_ack" in said
    assert b"keepalive ping timeout" in said


def test_a_socket_that_answers_pings_stays(server: Server) -> None:
    with server.socket() as caller:
        start(caller)
        time.sleep(3)  # longer than ping and answer may take
        assert ask(caller, 1, "{ __typename }")["type"] == "next"


def _begin(caller: socket.socket) -> None:
    """Open a socket on a bare connection; what comes before the handshake is answered is lost."""
    caller.sendall(UPGRADE)
    while not caller.recv(65_536, socket.MSG_PEEK).endswith(b"\r\n\r\n"):
        time.sleep(0.01)
    caller.sendall(_frame(b'{"type":"connection_init"}'))


def _reading_nothing(caller: socket.socket) -> None:
    _begin(caller)
    for number in range(10):
        payload = {"query": INTROSPECTION}
        message = {"id": str(number), "type": "subscribe", "payload": payload}
        caller.sendall(_frame(json.dumps(message).encode()))


def _pinging(caller: socket.socket) -> None:
    _begin(caller)
    ping = _frame(b"p" * 125, opcode=9)
    caller.settimeout(1)
    try:
        for _ in range(400):
            caller.sendall(ping * 200)
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        return


@pytest.mark.parametrize("behave", [_reading_nothing, _pinging], ids=["queries", "pings"])
def test_a_socket_that_reads_nothing(
    server: Server, behave: Callable[[socket.socket], None]
) -> None:
    with closing(server.raw(receive_bytes=2_048)) as caller:
        behave(caller)
        _is_reset(caller)


def _is_reset(caller: socket.socket) -> None:
    """Wait, reading nothing, until the server has dropped the connection with all that waits in it."""
    poll = select.poll()
    poll.register(caller, 0)
    assert poll.poll(SECONDS_MAX * 1000), "the server still waits for the caller to read"


def _frame(payload: bytes, opcode: int = 1) -> bytes:
    """Return a client's frame under a mask of zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def test_more_connections_than_a_worker_has_room_for(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("full") / "yibao.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    keys = request.getfixturevalue("keys_file")
    few: dict[str, Any] = {"connections_per_worker_max": 3, "sockets_per_worker_max": 1}
    resources = resources_for(f"sqlite:///{path}", keys, ManualClock(), **few)
    with (
        served(resources) as full,
        closing(full.raw()) as first,
        closing(full.raw()),
        closing(full.raw()),
        closing(full.raw()) as last,
    ):
        last.send(LIVE)
        assert last.recv(65_536).startswith(b"HTTP/1.1 503 ")
        first.send(LIVE)
        assert first.recv(65_536).startswith(b"HTTP/1.1 ")
