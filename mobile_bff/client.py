"""A small client of the public API, for the demo, the benchmark and the tests.

It speaks what any app speaks: HTTP with the app's own documents, ``graphql-transport-ws`` for events.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from mobile_bff import documents

DESK: dict[str, Any] = {
    "path": "/desk/graphql",
    "folder": documents.FOLDER.parent / "desk" / "documents",
}
"""What a client of the desk is made with."""


class CallFailed(Exception):
    """The server answered with GraphQL errors, which are no refusals."""


@dataclass
class Client:
    """One caller, with the token it holds."""

    base_url: str
    token: str = ""
    path: str = "/graphql"
    folder: Path = documents.FOLDER
    language: str = "zh-Hans"
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=60, trust_env=False), repr=False
    )

    def post(self, body: dict[str, Any]) -> httpx.Response:
        """Send a request body as it is."""
        return self.http.post(f"{self.base_url}{self.path}", json=body, headers=self.headers())

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        headers = {"accept": "application/json", "accept-language": self.language}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return headers

    def call(self, operation: str, **variables: Any) -> Any:
        """Run one of the app's operations and return the value of its first field."""
        document = documents.document(operation, self.folder)
        answer = self.post({"query": document, "variables": variables}).json()
        if answer.get("errors"):
            raise CallFailed(json.dumps(answer["errors"], ensure_ascii=False))
        return next(iter(answer["data"].values()))

    def do(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Run a mutation that takes one input and return the member of its union."""
        result: dict[str, Any] = self.call(operation, input=fields)
        return result

    def do_once(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Run a mutation with a fresh request key."""
        return self.do(operation, requestId=str(uuid.uuid4()), **fields)

    def issue_code(self, purpose: str, **images: bool) -> dict[str, Any]:
        """Ask for a fresh code; ``svg`` and ``png`` say which images to draw."""
        asked = {"requestId": str(uuid.uuid4()), "purpose": purpose}
        result: dict[str, Any] = self.call("IssueCode", input=asked, **images)
        return result

    @contextmanager
    def events(self, operation: str = "BillEvents") -> Iterator[Iterator[dict[str, Any]]]:
        """Follow the caller's bills, or another subscription. Yields an iterator of events."""
        address = self.base_url.replace("http", "ws", 1) + "/graphql"
        with connect(address, subprotocols=["graphql-transport-ws"], proxy=None) as socket:  # type: ignore[list-item]
            start = {"authorization": f"Bearer {self.token}", "acceptLanguage": self.language}
            socket.send(json.dumps({"type": "connection_init", "payload": start}))
            _expect(socket, "connection_ack")
            payload = {"query": documents.document(operation)}
            socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            socket.send(json.dumps({"type": "ping"}))
            _expect(socket, "pong")
            yield _events(socket)


def terminal_assertion(number: str, key: Ed25519PrivateKey) -> str:
    """Return what a terminal signs to open a session."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": number,
        "aud": "openTerminalSession",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 60,
    }
    return jwt.encode(claims, key, algorithm="EdDSA")


def _expect(socket: ClientConnection, kind: str) -> None:
    message = json.loads(socket.recv(timeout=10))
    if message["type"] != kind:
        raise CallFailed(f"expected {kind}, got {message}")


def _events(socket: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        try:
            message = json.loads(socket.recv(timeout=60))
        except ConnectionClosedError as error:
            raise CallFailed(f"the socket closed with {error.rcvd}") from error
        if message["type"] == "next" and not message["payload"].get("errors"):
            yield next(iter(message["payload"]["data"].values()))
        elif message["type"] in ("next", "error", "complete"):
            raise CallFailed(json.dumps(message, ensure_ascii=False))
