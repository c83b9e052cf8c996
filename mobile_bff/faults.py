"""What is answered where a request cannot be: faults of ours, and paths and methods that are not there.

The library answers a fault outside of all other middleware, as plain text without a request id. Here it is
answered inside the frame, which gives it the id and the safe headers.
"""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("yibao")
_CODES = {400: "BAD_REQUEST", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
_FAULT = "INTERNAL_SERVER_ERROR"


class Faults:
    """Answers a fault with its request id, by which the log tells what went wrong. Stands inside the frame."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application. Raises again what goes wrong once an answer has begun."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def observed(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, observed)
        except Exception:
            request_id = scope.get("yibao_request_id", "")
            _log.exception("request %s failed: %s", request_id, scope["method"])
            if begun:
                raise
            await _fault(request_id)(scope, receive, send)


async def no_such_route(_request: Request, error: Exception) -> Response:
    """Answer what the router refuses, and whatever else ends in a status."""
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "BAD_REQUEST")
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    body = {"code": code, "message": error.detail}
    return JSONResponse(body, error.status_code, error.headers)


def _fault(request_id: str) -> Response:
    message = f"系统内部错误 Internal error; quote request {request_id}"
    body = {
        "code": _FAULT,
        "message": message,
        "requestId": request_id,
        "errors": [{"message": message, "extensions": {"code": _FAULT, "requestId": request_id}}],
    }
    return JSONResponse(body, 500)
