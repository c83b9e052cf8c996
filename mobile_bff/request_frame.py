"""The outermost middleware: what every request and every socket passes before anything reads it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestFrame:
    """The outermost middleware: a request id, a rate bucket, a body limit, safe headers."""

    def __init__(
        self,
        app: ASGIApp,
        new_request_id: Callable[[], str],
        body_bytes_max: int,
        requests_per_minute: int,
        larger: Mapping[str, int],
    ) -> None:
        self.app = app
        self._larger = larger
        self._new_request_id = new_request_id
        self._body_bytes_max = body_bytes_max
        self._bucket = RateBucket(requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Frame a request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id = self._new_request_id()
        scope["yibao_request_id"] = request_id
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        framed = _with_headers(send, request_id)
        address = scope["client"][0] if scope.get("client") else ""
        if not self._bucket.take(address):
            await _refuse(429, "TOO_MANY_REQUESTS", "too many requests; wait a little")(
                scope, receive, framed
            )
            return
        await self._with_limit(scope, receive, framed)

    async def _with_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit, then hand it on whole."""
        most = next(
            (size for path, size in self._larger.items() if scope["path"].startswith(path)),
            self._body_bytes_max,
        )
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        chunks, size, more = [], 0, True
        too_large = not declared.isdigit() or int(declared) > most
        while more and not too_large:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            more = message.get("more_body", False)
            too_large = size > most
        if too_large:
            await _refuse(413, "BODY_TOO_LARGE", "the request body is too large")(
                scope, receive, send
            )
            return
        await self.app(scope, _replay(b"".join(chunks), receive), send)


class RateBucket:
    """A token bucket for each address, in this worker's memory, for floods; not for sign-in."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Take one token. Returns whether there was one."""
        now = time.monotonic()
        level, at = self._levels.pop(address, (float(self._per_minute), now))
        level = min(self._per_minute, level + (now - at) * self._per_minute / 60)
        allowed = level >= 1
        self._levels[address] = (level - 1 if allowed else level, now)
        while len(self._levels) > 10_000:
            self._levels.popitem(last=False)
        return allowed


def _refuse(status: int, code: str, message: str) -> Response:
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return JSONResponse(body, status, {"Retry-After": "1"} if status == 429 else None)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_headers(send: Send, request_id: str) -> Callable[[Message], Awaitable[None]]:
    async def framed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message.get("headers", []),
                (b"x-request-id", request_id.encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"cache-control", b"no-store"),
                (b"referrer-policy", b"no-referrer"),
            ]
        await send(message)

    return framed
