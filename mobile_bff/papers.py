"""``POST /materials/<matter>`` and ``GET /materials/<paper>/content``: papers in and out.

A paper comes as the one part of a multipart form, named by its requirement. It goes out to whose it is, to
relatives who file for them, and to staff of the region, as an attachment that no browser runs.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.desk.papers import read_material
from backend.kernel.errors import Refusal
from backend.matters import materials
from backend.matters.contracts import MatterNotFound, Requirement
from backend.matters.material_contracts import AddMaterial
from mobile_bff.file_queue import FileQueue
from mobile_bff.file_routes import (
    FileRoutes,
    FormBroken,
    FormShape,
    malformed,
    path_id,
    refusal_answer,
    sent_files,
)

FORM_BYTES_MAX = materials.BYTES_MAX + 100_000
"""A paper with the form around it."""
_FORM = FormShape(
    parts=tuple(Requirement),
    words=f"send one file, its part named by what it is: {', '.join(Requirement)}",
    bytes_max=FORM_BYTES_MAX,
)


class Papers:
    """Takes papers in and shows them."""

    def __init__(self, routes: FileRoutes, queue: FileQueue) -> None:
        self._routes = routes
        self._queue = queue

    async def take(self, request: Request) -> Response:
        """Answer an upload: 200 with the paper's id, else a refusal in words and what to do.

        The caller's right is looked up before the file is opened, and again in the transaction that keeps it.
        """
        caller, matter_id = self._routes.caller(request), path_id(request, "matter_id")
        if caller.claims is None:  # before anything is looked at
            return refusal_answer(MatterNotFound(), request)
        refusal = await self._routes.read(
            caller, lambda unit, actor: materials.add_refusal(unit, actor, matter_id)
        )
        if refusal is not None:
            return refusal_answer(refusal, request)
        try:
            [sent] = await sent_files(request, _FORM)
        except FormBroken as error:
            return malformed(str(error))
        file = await self._queue.run(lambda: materials.read_file(sent.content))
        if isinstance(file, Refusal):
            return refusal_answer(file, request)
        paper, requirement = file, Requirement(sent.part)
        made = await self._routes.write(
            caller,
            lambda unit, actor: materials.add_material(
                unit,
                AddMaterial(
                    actor=actor,
                    matter_id=matter_id,
                    requirement=requirement,
                    name=sent.name,
                    file=paper,
                ),
            ),
        )
        if isinstance(made, Refusal):
            return refusal_answer(made, request)
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
        caller, material_id = self._routes.caller(request), path_id(request, "material_id")
        paper = await self._routes.write(
            caller, lambda unit, actor: read_material(unit, actor, material_id)
        )
        if isinstance(paper, Refusal):
            return refusal_answer(paper, request)
        view, content = paper
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(view.name)}",
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        }
        return Response(content, media_type=view.content_type, headers=headers)
