"""The whole application in this process, called as a server calls it: raw scopes, no sockets, no tasks behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.types import Message

from backend.access.contracts import PersonActor, StaffActor, TerminalActor
from backend.infra.tokens import Audience, Claims, sign_access_token
from mobile_bff.app import assemble
from tests.world import World

T = TypeVar("T")
Headers = Sequence[tuple[str, str]]
SECONDS_MAX = 60


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the application answers."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the one header of a name."""
        [value] = [value for key, value in self.headers if key == name]
        return value

    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)


def application(world: World, **settings: Any) -> Starlette:
    """Return the application around a world's resources, with no limit of requests."""
    world.change_settings(requests_per_minute_per_address=1_000_000, **settings)
    return assemble(world.database.resources)


def bearer(world: World, actor: PersonActor | TerminalActor | StaffActor) -> tuple[str, str]:
    """Return the header by which somebody is signed in for a day."""
    if isinstance(actor, PersonActor):
        who = (Audience.PERSON, actor.person_id)
    elif isinstance(actor, StaffActor):
        who = (Audience.STAFF, actor.staff_id)
    else:
        who = (Audience.TERMINAL, actor.terminal_id)
    now = world.clock.now()
    claims = Claims(*who, actor.session_id, now + timedelta(days=1))
    resources = world.database.resources
    token = sign_access_token(resources.vault.ring, world.settings.issuer, claims, now)
    return ("authorization", f"Bearer {token}")


async def ask(
    app: Starlette,
    method: str,
    target: str,
    *,
    headers: Headers = (),
    body: bytes = b"",
    length: bool = True,
) -> Answer:
    """Send a request; ``target`` is path and query as they stand on the wire."""
    raw_path, _, query = target.partition("?")
    sent = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]
    if length:
        sent.append((b"content-length", str(len(body)).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path),  # as the server does
        "raw_path": raw_path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": sent,
        "client": ("198.51.100.9", 40_000),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    answered: list[Message] = []

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answered.append(message)

    await asyncio.wait_for(app(scope, receive, send), SECONDS_MAX)
    start = answered[0]
    return Answer(
        status=start["status"],
        headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in start["headers"]],
        body=b"".join(message.get("body", b"") for message in answered[1:]),
    )


def run(app: Starlette, work: Callable[[], Awaitable[T]]) -> T:
    """Run work against the application in an event loop of its own, and close its database."""

    async def whole() -> T:
        try:
            return await work()
        finally:
            app.state.database.close()

    return asyncio.run(whole())


def form(*parts: tuple[str, str, bytes], boundary: str = "b0undary") -> tuple[Headers, bytes]:
    """Return headers and body of a multipart form: part, file name and content of each file."""
    pieces = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{part}"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for part, name, content in parts
    ]
    kind = ("content-type", f"multipart/form-data; boundary={boundary}")
    return [kind], b"".join((*pieces, f"--{boundary}--\r\n".encode()))
