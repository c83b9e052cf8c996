"""What all routes for files do alike: tell who calls, read what they name and send, and answer refusals.

An id, a year or a file's name comes from a stranger. What has not the shape of an id becomes the empty id,
which names nothing, so that no database is asked for what it cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse

from backend.access.contracts import Actor
from backend.infra.database import Unit
from backend.infra.tokens import Claims
from backend.kernel.errors import Locale, Refusal
from mobile_bff.bearer import Bearer
from mobile_bff.context import resolve_actor
from mobile_bff.door import Door
from mobile_bff.http import preferred_locale, refused

T = TypeVar("T")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_YEAR = re.compile(r"20[0-9]{2}")
_STATUS = {
    "SignInRequired": 401,
    "NotPermitted": 403,
    "DutyMissing": 403,
    "CertificateNotFound": 404,
    "FaceCheckUnknown": 404,
    "MatterNotFound": 404,
    "ReportNotFound": 404,
    "FileQueueFull": 503,
    "SealMissing": 503,
}
_TAIL = 64
"""Bytes at a form's end in which its last boundary stands."""
_UNFIT = 422
_BUSY = 503


class FormBroken(Exception):
    """A form is not what the route takes; the message is shown to the caller."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends a request, as far as the request tells."""

    claims: Claims | None
    address: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class SentFile:
    """A file of a form: the name of its part, its own name, and what it holds."""

    part: str
    name: str
    content: bytes


class FileRoutes:
    """Runs use cases for the caller of a request, each in one transaction."""

    def __init__(self, door: Door, bearer: Bearer) -> None:
        self._door = door
        self._bearer = bearer

    def caller(self, request: Request) -> Caller:
        """Return who calls."""
        return Caller(
            claims=self._claims(request),
            address=request.client.host if request.client else "",
            request_id=request.scope.get("yibao_request_id", ""),
        )

    def unrecorded(self, request: Request) -> Caller:
        """Return who calls, by their token alone: no address and no request is written down."""
        return Caller(claims=self._claims(request), address="", request_id="")

    async def read(self, caller: Caller, query: Callable[[Unit, Actor], T]) -> T:
        """Run a read for the caller."""
        return await self._door.read(
            lambda unit: query(unit, resolve_actor(unit, caller.claims, caller.address))
        )

    async def write(self, caller: Caller, use_case: Callable[[Unit, Actor], T]) -> T:
        """Run a use case for the caller, the session looked up in the same transaction."""

        def run(unit: Unit, _: None) -> T:
            return use_case(unit, resolve_actor(unit, caller.claims, caller.address))

        return await self._door.write(run, None, caller.request_id)

    def _claims(self, request: Request) -> Claims | None:
        return self._bearer.claims(request.headers.get("authorization", ""))


def identifier(text: str) -> str:
    """Return an id, or the empty one where the text has not the shape of an id."""
    return text if _ID.fullmatch(text) else ""


def path_id(request: Request, name: str) -> str:
    """Return an id of the path, the empty one where it has not the shape of an id."""
    return identifier(str(request.path_params[name]))


def year_of(request: Request) -> int | None:
    """Return the year that a query names, ``None`` where it names none from 2000 to 2099."""
    text = request.query_params.get("year", "")
    return int(text) if _YEAR.fullmatch(text) else None


@dataclass(frozen=True, kw_only=True)
class FormShape:
    """What a form may hold. ``parts``: names of its parts, any where empty; ``words``: what to send."""

    parts: Collection[str] = ()
    words: str
    files_max: int = 1
    bytes_max: int


async def sent_files(request: Request, shape: FormShape) -> list[SentFile]:
    """Return the files of a form in the order sent, at least one. Raises ``FormBroken``."""
    files = []
    if not _is_whole(request.headers.get("content-type", ""), await request.body()):
        raise FormBroken("the form ends too early")
    try:
        async with request.form(max_files=shape.files_max, max_fields=0) as form:
            for part, file in form.multi_items():
                if isinstance(file, str) or (shape.parts and part not in shape.parts):
                    raise FormBroken(shape.words)
                content = await file.read(shape.bytes_max + 1)
                if len(content) > shape.bytes_max:
                    raise FormBroken(f"a file has at most {shape.bytes_max} bytes; send it smaller")
                files.append(SentFile(part=part, name=file.filename or "", content=content))
    except HTTPException as error:
        raise FormBroken(error.detail) from None
    except (MultiPartException, ValueError):
        raise FormBroken("the form cannot be read") from None
    if not files:
        raise FormBroken(f"{shape.words}; send it as multipart form data")
    return files


def _is_whole(content_type: str, body: bytes) -> bool:
    """Tell whether a form ends with its boundary. The library leaves the file of a torn part open."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    return not boundary or b"--" + boundary + b"--" in body[-len(boundary) - _TAIL :]


def malformed(words: str) -> JSONResponse:
    """Return the answer to a request that cannot be read."""
    return JSONResponse({"code": "BAD_REQUEST", "message": words}, 400)


def refusal_answer(refusal: Refusal, request: Request) -> JSONResponse:
    """Return a refusal with the status that its kind has on every route for files."""
    status = _STATUS.get(type(refusal).__name__, _UNFIT)
    answer = refused(refusal, request, status)
    if status == _BUSY:
        answer.headers["retry-after"] = "5"
    return answer


def locale_of(request: Request) -> Locale:
    """Return the language that the caller prefers."""
    return preferred_locale(request.headers.get("accept-language", ""))
