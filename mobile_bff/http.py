"""GraphQL over HTTP and WebSocket, and the middleware around it.

``YibaoGraphQL`` corrects what the stock view gets wrong: media types and status codes of the
GraphQL-over-HTTP specification, malformed bodies, JSON errors, GET only for callers that no cross-site
form can imitate, persisted documents, and a syntax error on a socket that does not end the socket.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from cross_web import HTTPException
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.types.execution import ExecutionResult, PreExecutionError

from backend.infra.database import Resources
from backend.infra.settings import Mode
from backend.infra.tokens import Claims
from backend.kernel.errors import Locale, Refusal
from mobile_bff.bearer import Bearer
from mobile_bff.civil_register import CivilRegister
from mobile_bff.context import Context
from mobile_bff.door import Door
from mobile_bff.feed import Feed
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.trusted import Documents

PLAIN = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
PREFLIGHT_HEADERS = ("x-yibao-request", "apollo-require-preflight", "x-apollo-operation-name")


class _SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Answers a bad document with an error message instead of closing the whole socket."""

    @staticmethod
    def _get_pre_execution_close_reason(error: object) -> str | None:
        return None


class YibaoGraphQL(GraphQL[Context, None]):
    """The endpoint."""

    graphql_transport_ws_handler_class = _SocketHandler

    def __init__(
        self, schema: Any, resources: Resources, door: Door, feed: Feed, documents: Documents
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=10,
        )
        self._resources = resources
        self._bearer = Bearer(resources)
        settings = resources.settings
        self._national = NationalPlatform(
            settings.national_platform_url, settings.national_platform_secret
        )
        self._register = CivilRegister(
            settings.civil_register_url, settings.civil_register_secret, resources.ids
        )
        self._door = door
        self._feed = feed
        self._documents = documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; every failure is JSON."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except HTTPException as error:
            headers = {"Allow": "GET, POST"} if error.status_code == 405 else {}
            code = "BAD_REQUEST" if error.status_code < 500 else "INTERNAL_SERVER_ERROR"
            body = {"errors": [{"message": error.reason, "extensions": {"code": code}}]}
            media = response_media_type(request.headers.get("accept", ""))
            response = Response(json.dumps(body), error.status_code, headers, media)
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Any) -> Context:
        """Return the context of a request or socket."""
        context = Context(
            door=self._door,
            feed=self._feed,
            locale=preferred_locale(request.headers.get("accept-language", "")),
            address=request.client.host if request.client else "",
            request_id=request.scope.get("yibao_request_id", ""),
            claims=self._bearer.claims(request.headers.get("authorization", "")),
            documents=self._documents,
            connected_at=self._resources.clock.now(),
            register=self._register,
            national=self._national,
        )
        context.introspection = self._may_introspect(context.claims)
        return context

    async def on_ws_connect(self, context: Context) -> Any:
        """Take the token that a browser can only send in ``connection_init``."""
        parameters = context.connection_params or {}
        token = parameters.get("authorization") or parameters.get("Authorization") or ""
        if isinstance(token, str) and token:
            context.claims = self._bearer.claims(token)
            context.introspection = self._may_introspect(context.claims)
        language = parameters.get("acceptLanguage")
        if isinstance(language, str):
            context.locale = preferred_locale(language)
        return await super().on_ws_connect(context)

    def parse_json(self, data: str | bytes) -> Any:
        """Read JSON and refuse whatever is no object."""
        try:
            parsed = self.decode_json(data)
        except (ValueError, RecursionError):
            raise HTTPException(400, "the request body is not JSON that can be stored") from None
        if not isinstance(parsed, dict):
            raise HTTPException(400, "the request body is not a JSON object")
        return parsed

    async def parse_http_body(self, request: Any) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Read the request and put a persisted document in its place."""
        if request.method == "GET" and not _is_deliberate(request.headers):
            reason = "GET needs an Accept header that names JSON, or a preflight header"
            raise HTTPException(400, reason)
        data = await super().parse_http_body(request)
        if isinstance(data, list):
            return data
        data.query = self._document(data)
        if isinstance(data.query, str) and ("\0" in data.query or "\\u0000" in data.query):
            raise HTTPException(400, "a document holds no NUL character")
        return data

    async def execute_operation(
        self,
        request: Request,
        request_adapter: Any,
        request_data: Any,
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> Any:
        """Execute, and give request errors the status that their media type asks for."""
        missing = getattr(request_data, "query", None) is _MISSING
        if missing:
            result: Any = PreExecutionError(data=None, errors=[_not_found()])
        else:
            result = await super().execute_operation(
                request, request_adapter, request_data, context, root_value, sub_response
            )
        media = response_media_type(request.headers.get("accept", ""))
        sub_response.headers["x-yibao-media"] = media
        if _is_request_error(result):
            request.state.yibao_request_error = True
            if media == GRAPHQL_RESPONSE:
                sub_response.status_code = 400
        return result

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """Leave ``data`` out of the answer to a request that was never executed."""
        data = await super().process_result(request, result)
        if getattr(request.state, "yibao_request_error", False):
            data.pop("data", None)
        return data

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        """Return the answer under the media type that was agreed on."""
        media = sub_response.headers.get("x-yibao-media", PLAIN)
        del sub_response.headers["x-yibao-media"]
        response = super().create_response(response_data, sub_response)
        response.headers["content-type"] = f"{media}; charset=utf-8"
        return response

    def decode_json(self, data: str | bytes) -> Any:
        """Read JSON, of a body or a socket, whose texts a database can hold.

        A NUL character or half a surrogate pair is refused here: no text column takes it.
        """
        parsed = json.loads(data)
        text = json.dumps(parsed, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise json.JSONDecodeError("half a surrogate pair", "", 0) from None
        if "\\u0000" in text:
            raise json.JSONDecodeError("a NUL character", "", 0)
        return parsed

    def encode_json(self, data: object) -> str:
        """Write Chinese as it is, not as escapes."""
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False)

    def _may_introspect(self, claims: Claims | None) -> bool:
        return claims is not None or self._resources.settings.mode is not Mode.PRODUCTION

    def _document(self, data: GraphQLRequestData) -> Any:
        """Return the document to run, by its hash where the client sent one."""
        persisted = (data.extensions or {}).get("persistedQuery")
        document_hash = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
        if document_hash is None:
            return data.query
        if not isinstance(document_hash, str):
            raise HTTPException(400, "persistedQuery.sha256Hash is a string")
        if data.query is None:
            return self._documents.by_hash(document_hash) or _MISSING
        if not self._documents.is_hash_of(document_hash, data.query):
            raise HTTPException(400, "persistedQuery.sha256Hash is not the hash of the query")
        self._documents.register(document_hash, data.query)
        return data.query


class _Missing:
    """Stands for a document that nobody here knows."""


_MISSING = _Missing()


def _not_found() -> GraphQLError:
    return GraphQLError("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})


def _is_request_error(result: Any) -> bool:
    if isinstance(result, PreExecutionError):
        return True
    errors = getattr(result, "errors", None)
    return result.data is None and bool(errors) and not any(e.path for e in errors or ())


def _is_deliberate(headers: Any) -> bool:
    names = {name.lower() for name in headers}
    accept = next((v for k, v in headers.items() if k.lower() == "accept"), "")
    return any(name in names for name in PREFLIGHT_HEADERS) or any(
        kind in (PLAIN, GRAPHQL_RESPONSE) for kind, _ in _ranked(accept)
    )


def response_media_type(accept: str) -> str:
    """Return the media type of the answer: plain JSON unless the newer one ranks as high."""
    ranks = dict(_ranked(accept))
    newer = ranks.get(GRAPHQL_RESPONSE, 0.0)
    return GRAPHQL_RESPONSE if newer > 0 and newer >= ranks.get(PLAIN, 0.0) else PLAIN


def refused(refusal: Refusal, request: Request, status: int) -> JSONResponse:
    """Return a refusal outside GraphQL: in the caller's language, with what to do next."""
    locale = preferred_locale(request.headers.get("accept-language", ""))
    body = {
        "code": refusal.code(),
        "message": refusal.message(locale),
        "nextAction": refusal.next_action(locale),
        "retry": refusal.retry.value,
    }
    return JSONResponse(body, status)


def preferred_locale(accept_language: str) -> Locale:
    """Return English where it ranks above Chinese, else Chinese."""
    english = chinese = 0.0
    for tag, quality in _ranked(accept_language):
        if tag.startswith("en"):
            english = max(english, quality)
        elif tag.startswith("zh"):
            chinese = max(chinese, quality)
    return Locale.EN if english > chinese else Locale.ZH


def _ranked(header: str) -> list[tuple[str, float]]:
    ranked = []
    for part in header.split(",")[:50]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        if name:
            ranked.append((name, quality))
    return ranked


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
