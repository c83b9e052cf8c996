"""GraphQL over HTTP and WebSocket.

``YibaoGraphQL`` corrects what the stock view gets wrong: media types and status codes of the
GraphQL-over-HTTP specification, malformed bodies, JSON errors, GET only for callers that no cross-site
form can imitate, persisted documents, and a syntax error on a socket that does not end the socket.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from cross_web import HTTPException
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult, PreExecutionError

from backend.infra.database import Resources
from backend.infra.settings import Mode
from backend.infra.tokens import Claims
from backend.infra.unavailable import SystemBusy
from backend.kernel.errors import Locale, Refusal
from mobile_bff.bearer import Bearer
from mobile_bff.busy import BUSY, BUSY_HEADERS, BUSY_STATUS
from mobile_bff.civil_register import CivilRegister
from mobile_bff.context import Context
from mobile_bff.door import Door
from mobile_bff.feed import Feed
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.sockets import OPERATIONS_MAX, SocketAdapter, SocketHandler, Sockets
from mobile_bff.trusted import Documents

PLAIN = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
PREFLIGHT_HEADERS = ("x-yibao-request", "apollo-require-preflight", "x-apollo-operation-name")


class YibaoGraphQL(GraphQL[Context, None]):
    """The endpoint."""

    graphql_transport_ws_handler_class = SocketHandler
    websocket_adapter_class = SocketAdapter

    def __init__(
        self,
        schema: Any,
        resources: Resources,
        door: Door,
        feed: Feed,
        documents: Documents,
        sockets: Sockets,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=resources.settings.socket_init_seconds),
            max_subscriptions_per_connection=OPERATIONS_MAX,
        )
        self.sockets = sockets
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
        claims = self._bearer.claims(request.headers.get("authorization", ""))
        ends = asyncio.get_running_loop().time() + self._resources.settings.request_seconds
        context = Context(
            door=self._door.for_caller(
                claims.session if claims else "", ends if isinstance(request, Request) else 0
            ),
            feed=self._feed,
            locale=preferred_locale(request.headers.get("accept-language", "")),
            address=request.client.host if request.client else "",
            request_id=request.scope.get("yibao_request_id", ""),
            claims=claims,
            documents=self._documents,
            register=self._register,
            national=self._national,
        )
        context.introspection = self._may_introspect(context.claims)
        return context

    async def on_ws_connect(self, context: Context) -> Any:
        """Take the token that a browser can only send in ``connection_init``, and mark where events begin.

        Raises ``ConnectionRejectionError`` for a token that does not count: the socket closes with 4403.
        """
        parameters = context.connection_params or {}
        token = parameters.get("authorization") or parameters.get("Authorization") or ""
        if token:
            context.claims = self._bearer.claims(token) if isinstance(token, str) else None
            caller = context.claims.session if context.claims else ""
            context.door = self._door.for_caller(caller, until=0)
            context.introspection = self._may_introspect(context.claims)
            if context.claims is None:
                raise ConnectionRejectionError
        language = parameters.get("acceptLanguage")
        if isinstance(language, str):
            context.locale = preferred_locale(language)
        context.connected = await self._feed.mark()
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
        if _is_busy(result):
            sub_response.headers.update(BUSY_HEADERS)
            if media == GRAPHQL_RESPONSE and result.data is None:
                request.state.yibao_request_error = True  # 503 goes without ``data``
                sub_response.status_code = BUSY_STATUS
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
        try:
            parsed = json.loads(data)
            text = json.dumps(parsed, ensure_ascii=False)
        except RecursionError:
            raise json.JSONDecodeError("nested too deep", "", 0) from None
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


def _is_busy(result: Any) -> bool:
    errors = getattr(result, "errors", None) or ()
    return any((error.extensions or {}).get("code") == BUSY for error in errors)


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


async def answer_busy(request: Request, _error: Exception) -> Response:
    """Answer a request outside GraphQL whose transaction could not be made."""
    response = refused(SystemBusy(), request, BUSY_STATUS)
    response.headers.update(BUSY_HEADERS)
    return response


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
