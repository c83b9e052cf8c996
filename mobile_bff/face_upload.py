"""``POST /face-checks/<id>``: the pictures of a face check, which are measured and thrown away."""

from __future__ import annotations

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.access.contracts import Actor
from backend.identity import face_checks
from backend.identity.face_checks import ACTIONS, PICTURES_MAX
from backend.identity.face_contracts import (
    FaceCheckJudged,
    FaceCheckTaken,
    FaceCheckUnknown,
    FaceUnavailable,
    JudgeFaceCheck,
    TakeFaceCheck,
)
from backend.identity.face_reader import FaceReader
from backend.infra.database import Unit
from backend.infra.tokens import Claims
from mobile_bff.bearer import Bearer
from mobile_bff.context import resolve_actor
from mobile_bff.door import Door
from mobile_bff.http import refused

Taken = FaceCheckTaken | FaceCheckUnknown
_PICTURE_MAX = 1_000_000
_STEPS = tuple(str(number) for number in range(ACTIONS + 1))
_CALL = "then ask for the outcome with finishFaceCheck"


class FaceUpload:
    """Takes pictures in, has them measured in another process, and lets the domain judge."""

    def __init__(self, door: Door, reader: FaceReader, bearer: Bearer) -> None:
        self._door = door
        self._reader = reader
        self._bearer = bearer

    async def answer(self, request: Request) -> Response:
        """Answer an upload: 200 with the state, whether it passed or not; 4xx where none was judged."""
        check_id = str(request.path_params["check_id"])
        claims = self._bearer.claims(request.headers.get("authorization", ""))
        address = request.client.host if request.client else ""
        request_id = request.scope.get("yibao_request_id", "")
        if claims is None:
            return refused(FaceCheckUnknown(), request, 404)
        try:
            pictures = await _pictures(request)
        except (HTTPException, MultiPartException, ValueError) as error:
            words = error.detail if isinstance(error, HTTPException) else str(error)
            return JSONResponse({"code": "BAD_REQUEST", "message": words}, 400)
        taken = await self._door.write(_take(claims, address), check_id, request_id)
        if isinstance(taken, FaceCheckUnknown):
            return refused(taken, request, 404)
        measured = await self._reader.measure(pictures)
        if isinstance(measured, FaceUnavailable):
            judged = await self._door.write(face_checks.give_up, check_id, request_id)
        else:
            judged = await self._door.write(
                face_checks.judge, JudgeFaceCheck(check_id, measured), request_id
            )
        return _judged(judged)


def _take(claims: Claims | None, address: str) -> Callable[[Unit, str], Taken]:
    def run(unit: Unit, check_id: str) -> FaceCheckTaken | FaceCheckUnknown:
        actor: Actor = resolve_actor(unit, claims, address)
        return face_checks.take(unit, TakeFaceCheck(actor, check_id))

    return run


async def _pictures(request: Request) -> list[tuple[int, bytes]]:
    """Return the pictures with their steps, in the order sent. Raises ``ValueError`` in plain words."""
    async with request.form(max_files=PICTURES_MAX, max_fields=0) as form:
        pictures = []
        for name, part in form.multi_items():
            if isinstance(part, str) or name not in _STEPS:
                raise ValueError("each part is a picture, named by the number of its step")
            data = await part.read(_PICTURE_MAX + 1)
            if len(data) > _PICTURE_MAX:
                raise ValueError(f"a picture has at most {_PICTURE_MAX} bytes; send it smaller")
            pictures.append((int(name), data))
    if not pictures:
        raise ValueError("send the pictures as multipart form data")
    return pictures


def _judged(judged: FaceCheckJudged) -> Response:
    return JSONResponse({"checkId": judged.check_id, "state": judged.state.value, "next": _CALL})
