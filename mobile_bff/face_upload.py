"""``POST /face-checks/<id>``: the pictures of a face check, which are measured and thrown away."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.access.contracts import Actor
from backend.identity import face_checks
from backend.identity.face_checks import ACTIONS, PICTURES_MAX
from backend.identity.face_contracts import (
    FaceCheckJudged,
    FaceCheckUnknown,
    FaceUnavailable,
    JudgeFaceCheck,
    TakeFaceCheck,
)
from backend.identity.face_reader import FaceReader
from backend.infra.database import Unit
from mobile_bff.file_routes import (
    FileRoutes,
    FormBroken,
    FormShape,
    malformed,
    path_id,
    refusal_answer,
    sent_files,
)

_PICTURE_MAX = 1_000_000
_FORM = FormShape(
    parts=tuple(str(number) for number in range(ACTIONS + 1)),
    words="each part is a picture, named by the number of its step",
    files_max=PICTURES_MAX,
    bytes_max=_PICTURE_MAX,
)
_CALL = "then ask for the outcome with finishFaceCheck"


class FaceUpload:
    """Takes pictures in, has them measured in another process, and lets the domain judge."""

    def __init__(self, routes: FileRoutes, reader: FaceReader) -> None:
        self._routes = routes
        self._reader = reader

    async def answer(self, request: Request) -> Response:
        """Answer an upload: 200 with the state, whether it passed or not; 4xx where none was judged."""
        caller, check_id = self._routes.caller(request), path_id(request, "check_id")
        if caller.claims is None:
            return refusal_answer(FaceCheckUnknown(), request)
        try:
            sent = await sent_files(request, _FORM)
        except FormBroken as error:
            return malformed(str(error))
        taken = await self._routes.write(
            caller, lambda unit, actor: face_checks.take(unit, TakeFaceCheck(actor, check_id))
        )
        if isinstance(taken, FaceCheckUnknown):
            return refusal_answer(taken, request)
        measured = await self._reader.measure(
            [(int(picture.part), picture.content) for picture in sent]
        )

        def judge(unit: Unit, _actor: Actor) -> FaceCheckJudged:
            if isinstance(measured, FaceUnavailable):
                return face_checks.give_up(unit, check_id)
            return face_checks.judge(unit, JudgeFaceCheck(check_id, measured))

        judged = await self._routes.write(caller, judge)
        return JSONResponse(
            {"checkId": judged.check_id, "state": judged.state.value, "next": _CALL}
        )
