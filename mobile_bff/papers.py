"""``POST /materials/<matter>`` and ``GET /materials/<paper>/content``: papers in and out.

A paper comes as the one part of a multipart form, named by its requirement. It goes out to whose it is, to
relatives who file for them, and to staff of the region, as an attachment that no browser runs.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.desk.papers import read_material
from backend.infra.database import Unit
from backend.infra.tokens import Claims
from backend.kernel.errors import Refusal
from backend.matters import materials
from backend.matters.contracts import AddMaterial, MaterialView, MatterNotFound, Requirement
from mobile_bff.bearer import Bearer
from mobile_bff.context import resolve_actor
from mobile_bff.door import Door
from mobile_bff.http import refused

_STATUS = {"MatterNotFound": 404, "SignInRequired": 401, "DutyMissing": 403}


class Papers:
    """Takes papers in and shows them."""

    def __init__(self, door: Door, bearer: Bearer) -> None:
        self._door = door
        self._bearer = bearer

    async def take(self, request: Request) -> Response:
        """Answer an upload: 200 with the paper's id, else a refusal in words and what to do."""
        claims, address = self._caller(request)
        if claims is None:  # before anything of the body is looked at
            return _refused(MatterNotFound(), request)
        try:
            requirement, name, content = await _part(request)
        except (HTTPException, MultiPartException, ValueError) as error:
            words = error.detail if isinstance(error, HTTPException) else str(error)
            return JSONResponse({"code": "BAD_REQUEST", "message": words}, 400)
        matter_id = str(request.path_params["matter_id"])

        def run(unit: Unit, _: None) -> MaterialView | Refusal:
            actor = resolve_actor(unit, claims, address)
            command = AddMaterial(actor, matter_id, requirement, name, content)
            return materials.add_material(unit, command)

        made = await self._door.write(run, None, request.scope.get("yibao_request_id", ""))
        if isinstance(made, Refusal):
            return _refused(made, request)
        return JSONResponse(
            {
                "materialId": made.id,
                "requirement": made.requirement.value,
                "name": made.name,
                "contentType": made.content_type,
                "size": made.size,
            }
        )

    async def show(self, request: Request) -> Response:
        """Answer with a paper's content. Staff looking at it are written down."""
        claims, address = self._caller(request)
        material_id = str(request.path_params["material_id"])

        def run(unit: Unit, _: None) -> tuple[MaterialView, bytes] | Refusal:
            return read_material(unit, resolve_actor(unit, claims, address), material_id)

        found = await self._door.write(run, None, request.scope.get("yibao_request_id", ""))
        if isinstance(found, Refusal):
            return _refused(found, request)
        view, content = found
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(view.name)}",
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        }
        return Response(content, media_type=view.content_type, headers=headers)

    def _caller(self, request: Request) -> tuple[Claims | None, str]:
        claims = self._bearer.claims(request.headers.get("authorization", ""))
        return claims, request.client.host if request.client else ""


async def _part(request: Request) -> tuple[Requirement, str, bytes]:
    """Return the one part of an upload. Raises ``ValueError`` in plain words."""
    async with request.form(max_files=1, max_fields=0) as form:
        for name, part in form.multi_items():
            if isinstance(part, str) or name not in Requirement.__members__:
                allowed = ", ".join(Requirement.__members__)
                raise ValueError(f"send one file, its part named by what it is: {allowed}")
            return Requirement(name), part.filename or "", await part.read()
    raise ValueError("send one file as multipart form data")


def _refused(refusal: Refusal, request: Request) -> Response:
    return refused(refusal, request, _STATUS.get(type(refusal).__name__, 422))
