"""GraphQL over a WebSocket: each operation by itself, counted like a request, and no longer than its session.

A phone is told by the code with which its socket closes what to do next: with 4403 it fetches a new access
token and connects again, with 4401 its session has ended and it signs in, with 4429 it waits.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from typing import Any, Protocol, cast

from anyio import to_thread
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)

from backend.infra.database import Database, Resources
from backend.infra.tokens import Claims
from mobile_bff.context import Context, open_claims
from mobile_bff.request_frame import RateBucket

OPERATIONS_MAX = 10
"""Operations that one socket may have running."""
REFUSALS_MAX = 20
"""Operations in a row that are refused for a flood before the socket closes."""
TOKEN_EXPIRED = (4403, "Forbidden: the access token has expired")
SESSION_ENDED = (4401, "Unauthorized: the session has ended")
FLOOD = (4429, "Too many requests")
_CLOSE_SECONDS_MAX = 1.0
_ID_LENGTH_MAX = 100
_REASON_BYTES_MAX = 123
_log = logging.getLogger("yibao.sockets")


class Sockets:
    """The open sockets of one worker, what they share, and their end. ``run`` it in the background."""

    def __init__(self, resources: Resources, database: Database, bucket: RateBucket) -> None:
        self._resources = resources
        self._database = database
        self._open: set[SocketHandler] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._seconds = resources.settings.socket_check_milliseconds / 1000
        self.bucket = bucket

    def new_request_id(self) -> str:
        """Return the request id of an operation."""
        return self._resources.ids.new_id(self._resources.clock.now())

    def add(self, handler: SocketHandler) -> None:
        """Add a socket that opens."""
        self._open.add(handler)

    def discard(self, handler: SocketHandler) -> None:
        """Remove a socket that is closed."""
        self._open.discard(handler)

    async def run(self) -> None:
        """End sockets whose token has expired or whose session has ended, until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.check()
            except Exception:
                _log.exception("looking for ended sessions failed; trying again")

    async def check(self) -> None:
        """End what is over now: one read for all sockets, none where nobody is signed in."""
        tokens = {socket: socket.context.claims for socket in self._open if socket.context.claims}
        now = self._resources.clock.now()
        current = {token for token in tokens.values() if token.expires_at > now}
        valid = await to_thread.run_sync(self._with_open_session, current) if current else set()
        for socket, token in tokens.items():
            if token not in valid:
                self._end(socket, SESSION_ENDED if token in current else TOKEN_EXPIRED)

    def _with_open_session(self, tokens: set[Claims]) -> set[Claims]:
        return self._database.read(lambda unit: open_claims(unit, tokens))

    def _end(self, handler: SocketHandler, close: tuple[int, str]) -> None:
        self.discard(handler)
        ending = asyncio.create_task(handler.end(*close))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


class SocketAdapter(ASGIWebSocketAdapter):
    """Takes a socket that has closed meanwhile for closed, whichever side closed it."""

    async def send_json(self, message: Any) -> None:
        """Send a message. Raises ``WebSocketDisconnected`` where the socket is closed."""
        try:
            await super().send_json(message)
        except RuntimeError as error:  # what either library raises once a close was sent
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, if it is open, with as much of the reason as a frame holds."""
        if self.ws.application_state is WebSocketState.DISCONNECTED:
            return
        try:
            await super().close(code, reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore"))
        except (WebSocketDisconnect, RuntimeError):
            _log.debug("the socket was closed before it was closed with %s", code)


class _View(Protocol):
    sockets: Sockets


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """One socket."""

    _task: asyncio.Task[None] | None = None
    _ended = False
    _refusals = 0

    @property
    def _sockets(self) -> Sockets:
        return cast(_View, self.view).sockets

    async def handle(self) -> None:
        """Answer until the caller leaves or the session ends."""
        self._task = asyncio.current_task()
        self._sockets.add(self)
        try:
            await super().handle()
        except asyncio.CancelledError:
            if not self._ended or self._task is None:
                raise
            self._task.uncancel()  # ``end`` is who cancelled it
        finally:
            self._sockets.discard(self)

    async def end(self, code: int, reason: str) -> None:
        """Cancel what runs and close the socket, even one whose caller reads nothing."""
        self._ended = True
        await self.shutdown()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                await self.websocket.close(code, reason)
        except TimeoutError:
            if self._task is not None:
                self._task.cancel()

    async def handle_message(self, message: Any) -> None:
        """Answer a message that the caller's bucket has room for and that is one of the protocol's."""
        if self._ended:
            return
        if not self._sockets.bucket.take(self.context.address):
            await self._refuse_flood(message)
        elif not _is_well_formed(message):
            await self.handle_invalid_message("Failed to parse message")
        elif message["type"] == "subscribe" and len(self.operations) >= OPERATIONS_MAX:
            words = f"at most {OPERATIONS_MAX} operations run at once"
            await self._refuse(message["id"], words, "TOO_MANY_OPERATIONS")
        else:
            self._refusals = 0
            await super().handle_message(message)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Run an operation in a context of its own, so that nothing that it reads outlives it."""
        alone = copy.copy(self)
        alone.context = self.context.for_operation(self._sockets.new_request_id())
        await super(SocketHandler, alone).run_operation(operation)

    async def handle_task_exception(self, error: Exception) -> None:
        """Log a fault of ours; a caller who left is none."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def _refuse_flood(self, message: Any) -> None:
        """Refuse an operation by itself; close the socket where there is none to refuse, or too many."""
        self._refusals += 1
        is_operation = _is_well_formed(message) and message["type"] == "subscribe"
        if not is_operation or not self.connection_acknowledged or self._refusals > REFUSALS_MAX:
            await self.websocket.close(*FLOOD)
            return
        await self._refuse(message["id"], "too many requests; wait a little", "TOO_MANY_REQUESTS")

    async def _refuse(self, operation_id: str, words: str, code: str) -> None:
        error: Any = {"message": words, "extensions": {"code": code}}
        await self.send_message({"id": operation_id, "type": "error", "payload": [error]})

    @staticmethod
    def _get_pre_execution_close_reason(error: object) -> str | None:
        """Answer a bad document with an error message instead of closing the whole socket."""
        return None


def _is_well_formed(message: Any) -> bool:
    """Tell whether a message has the shape that its type asks for."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] not in ("subscribe", "complete"):
        return True
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= _ID_LENGTH_MAX:
        return False
    if message["type"] == "complete":
        return True
    payload = message.get("payload")
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
