"""A server in a thread of the tests' own process: real sockets, the tests' own clock and settings."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from backend.access.contracts import PersonActor, StaffActor, TerminalActor
from backend.infra.database import Resources
from backend.infra.tokens import Audience, Claims, sign_access_token
from mobile_bff.app import assemble
from mobile_bff.wire import server_options
from tests.world import World

PROTOCOL: Any = "graphql-transport-ws"
SECONDS_MAX = 20
"""Longer than any test waits for what it waits for, even on a busy machine."""


@dataclass
class Server:
    """A running server."""

    port: int
    url: str

    def socket(self, **more: Any) -> ClientConnection:
        """Open a socket; nothing is said on it yet."""
        address = f"ws://127.0.0.1:{self.port}/graphql"
        return connect(address, subprotocols=[PROTOCOL], proxy=None, **more)

    def raw(self, receive_bytes: int | None = None) -> socket.socket:
        """Open a bare connection, with a small window where asked."""
        caller = socket.socket()
        if receive_bytes is not None:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        caller.settimeout(SECONDS_MAX)
        caller.connect(("127.0.0.1", self.port))
        return caller


@contextmanager
def served(resources: Resources) -> Iterator[Server]:
    """Serve the application around these resources until the test is done."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    application = assemble(resources)
    engine = application.state.database.engine
    pool = engine.pool
    config = uvicorn.Config(
        application,
        log_level="critical",
        timeout_graceful_shutdown=5,
        **server_options(resources.settings),
    )
    server = uvicorn.Server(config)
    others = set(threading.enumerate())
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield Server(port, f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        for worker in set(threading.enumerate()) - others:
            if worker.name == "AnyIO worker thread":  # it may still be in a transaction
                worker.join(SECONDS_MAX)
        pool.dispose()
        engine.dispose()  # of a transaction that began while the application closed


def wait_until(condition: Any) -> None:
    """Wait for something that happens in another thread."""
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def claims_of(world: World, actor: PersonActor | StaffActor | TerminalActor) -> Claims:
    """Return what an actor's token says, for as long as access tokens live."""
    expires = world.clock.now() + timedelta(seconds=world.settings.access_token_seconds)
    if isinstance(actor, PersonActor):
        return Claims(Audience.PERSON, actor.person_id, actor.session_id, expires)
    if isinstance(actor, StaffActor):
        return Claims(Audience.STAFF, actor.staff_id, actor.session_id, expires)
    return Claims(Audience.TERMINAL, actor.terminal_id, actor.session_id, expires)


def token_of(world: World, actor: PersonActor | StaffActor | TerminalActor) -> str:
    """Return an access token of an actor's."""
    resources = world.database.resources
    claims = claims_of(world, actor)
    ring, issuer = resources.vault.ring, resources.settings.issuer
    return sign_access_token(ring, issuer, claims, world.clock.now())


def start(caller: ClientConnection, token: str = "") -> dict[str, Any]:
    """Say who calls, and return what the server says to it."""
    payload = {"authorization": f"Bearer {token}"} if token else {}
    return say(caller, {"type": "connection_init", "payload": payload})


def say(caller: ClientConnection, message: Any) -> dict[str, Any]:
    """Send a message and return the next one."""
    caller.send(json.dumps(message))
    return hear(caller)


def hear(caller: ClientConnection) -> dict[str, Any]:
    """Return the next message."""
    answer: dict[str, Any] = json.loads(caller.recv(timeout=SECONDS_MAX))
    return answer


def ask(caller: ClientConnection, number: int, query: str, **variables: Any) -> dict[str, Any]:
    """Run a query on a socket and return its answer, or the error message instead of one."""
    payload = {"query": query, "variables": variables}
    answer = say(caller, {"id": str(number), "type": "subscribe", "payload": payload})
    if answer["type"] == "next":
        assert hear(caller) == {"id": str(number), "type": "complete"}
    return answer


def closed(caller: ClientConnection) -> tuple[int, str]:
    """Read until the server closes the socket, and return code and reason."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            caller.recv(timeout=SECONDS_MAX)
    assert caller.close_code is not None
    return caller.close_code, caller.close_reason or ""


def ends(caller: socket.socket) -> bytes:
    """Read a bare connection until the server ends it, and return what came before."""
    received = b""
    try:
        while chunk := caller.recv(65_536):
            received += chunk
    except ConnectionResetError:
        return received
    return received
