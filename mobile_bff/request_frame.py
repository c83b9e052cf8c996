"""The outermost middleware: what every request and every socket passes before anything reads it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.infra.settings import Settings
from mobile_bff.addresses import caller_address, is_trusted

SETTINGS = "settings"
"""The key under which the application's lifespan hands its settings to its connections."""
_SAFE_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"content-security-policy": (
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
"""What every answer says unless it says something of its own."""
_LENGTH_DIGITS_MAX = 12
"""Of a declared length; the language itself refuses to read numbers of thousands of digits."""
_SCHEMES = ("http", "https", "ws", "wss")


class RequestFrame:
    """A request id, the caller's address, a rate bucket, bounds on bodies and sockets, safe headers."""

    def __init__(
        self,
        app: ASGIApp,
        new_request_id: Callable[[], str],
        settings: Settings,
        bucket: RateBucket,
        larger: Mapping[str, int],
    ) -> None:
        self.app = app
        self._new_request_id = new_request_id
        self._settings = settings
        self._trusted = settings.trusted_proxy_networks
        self._bucket = bucket
        self._larger = larger
        self._sockets = SocketCount(
            per_address=settings.sockets_per_address_max, in_all=settings.sockets_per_worker_max
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Frame a request or a socket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id = self._new_request_id()
        scope["yibao_request_id"] = request_id
        address = self._name_caller(scope)
        framed = _with_headers(send, request_id)
        if not self._bucket.take(address):
            await _too_many("too many requests; wait a little")(scope, receive, framed)
        elif scope["type"] == "websocket":
            await self._socket(address, scope, receive, framed)
        else:
            await self._with_limit(scope, receive, framed)

    def _name_caller(self, scope: Scope) -> str:
        """Put the caller's address in place of the peer's, for whatever counts or notes callers."""
        peer, port = scope.get("client") or ("", 0)
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        forwarded = [value for name, value in headers if name == b"x-forwarded-for"]
        address = caller_address(peer, forwarded, self._trusted)
        if is_trusted(peer, self._trusted):
            proto = dict(headers).get(b"x-forwarded-proto", b"").decode("latin-1").strip()
            plain, secure = ("ws", "wss") if scope["type"] == "websocket" else ("http", "https")
            if proto in _SCHEMES:
                scope["scheme"] = secure if proto in ("https", "wss") else plain
        scope["client"] = (address, port)
        return address

    async def _socket(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a socket where the address and the worker have room for one more."""
        with self._sockets.opened(address) as refusal:
            await (refusal or self.app)(scope, receive, send)

    async def _with_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit and within its time, then hand it on whole."""
        most = next(
            (size for path, size in self._larger.items() if scope["path"].startswith(path)),
            self._settings.body_bytes_max,
        )
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        begun, chunks, size, more = time.monotonic(), [], 0, True
        digits = len(declared) <= _LENGTH_DIGITS_MAX and declared.isdigit()
        too_large = not digits or int(declared) > most
        while more and not too_large:
            try:
                async with asyncio.timeout(self._seconds_left(begun, size)):
                    message = await receive()
            except TimeoutError:
                await _too_slow()(scope, receive, send)
                return
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

    def _seconds_left(self, begun: float, size: int) -> float:
        """Return how long a body may still take that has come so far."""
        allowed = self._settings.request_body_seconds + size / self._settings.bytes_per_second_min
        return begun + allowed - time.monotonic()


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


class SocketCount:
    """How many sockets are open in this worker, and from which address."""

    def __init__(self, *, per_address: int, in_all: int) -> None:
        self._per_address = per_address
        self._in_all = in_all
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(self, address: str) -> Iterator[Response | None]:
        """Count a socket while it is open. Yields the refusal where there is no room for it."""
        if self._open[address] >= self._per_address:
            yield _too_many("too many open sockets; close one")
            return
        if self._open.total() >= self._in_all:
            yield _refuse(503, "TOO_MANY_SOCKETS", "no more sockets here; try again in a little")
            return
        self._open[address] += 1
        try:
            yield None
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


def _too_many(message: str) -> Response:
    """Return the answer to a caller who asks too often or for too much at once."""
    return _refuse(429, "TOO_MANY_REQUESTS", message)


def _too_slow() -> Response:
    refusal = _refuse(408, "REQUEST_TIMEOUT", "the request body did not come in time")
    refusal.headers["connection"] = "close"  # the rest of the body is not waited for
    return refusal


def _refuse(status: int, code: str, message: str) -> Response:
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return JSONResponse(body, status, {"Retry-After": "1"} if status in (429, 503) else None)


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
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            own = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            names = {name.lower() for name, _ in own}
            safe = [pair for pair in _SAFE_HEADERS.items() if pair[0] not in names]
            message["headers"] = own + safe
        await send(message)

    return framed
