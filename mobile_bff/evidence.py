"""``POST /reports/evidence`` and ``GET /reports/evidence/<id>``: files of a report in, and out to inspectors.

Whoever reports names the report by its secret (``x-report-secret``), or, signed in, by its id
(``x-report-id``): neither stands in an address, which servers write down.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal
from backend.reports import handling, service
from backend.reports.contracts import AddEvidence, ReportNotFound, Whose
from mobile_bff.file_queue import FileQueue
from mobile_bff.file_routes import (
    FileRoutes,
    FormBroken,
    FormShape,
    identifier,
    malformed,
    path_id,
    refusal_answer,
    sent_files,
)
from mobile_bff.papers import FORM_BYTES_MAX

_FORM = FormShape(words="send one file", bytes_max=FORM_BYTES_MAX)


class Evidence:
    """Takes files of a report and shows them to inspectors."""

    def __init__(self, routes: FileRoutes, queue: FileQueue) -> None:
        self._routes = routes
        self._queue = queue

    async def take(self, request: Request) -> Response:
        """Answer an upload: 200 with what is kept and its hash, else a refusal in words.

        The caller's right is looked up before the file is opened, and again in the transaction that keeps it.
        """
        secret = request.headers.get("x-report-secret", "")
        report_id = identifier(request.headers.get("x-report-id", ""))
        if not secret and not report_id:  # before anything is looked at
            return refusal_answer(ReportNotFound(), request)
        caller = self._routes.unrecorded(request)

        def whose(actor: Actor) -> Whose:
            return Whose(actor, report_id, secret)

        refusal = await self._routes.read(
            caller, lambda unit, actor: service.evidence_refusal(unit, whose(actor))
        )
        if refusal is not None:
            return refusal_answer(refusal, request)
        try:
            [sent] = await sent_files(request, _FORM)
        except FormBroken as error:
            return malformed(str(error))
        file = await self._queue.run(lambda: service.read_evidence(sent.content))
        if isinstance(file, Refusal):
            return refusal_answer(file, request)
        evidence = file
        kept = await self._routes.write(
            caller,
            lambda unit, actor: service.add_evidence(unit, AddEvidence(whose(actor), evidence)),
        )
        if isinstance(kept, Refusal):
            return refusal_answer(kept, request)
        return JSONResponse(
            {
                "evidenceId": kept.id,
                "name": kept.name,
                "contentType": kept.content_type,
                "size": kept.size,
                "digest": kept.digest,
            }
        )

    async def show(self, request: Request) -> Response:
        """Answer with a file's content. An inspector's looking at it is written down."""
        caller, evidence_id = self._routes.caller(request), path_id(request, "evidence_id")
        file = await self._routes.write(
            caller, lambda unit, actor: handling.evidence(unit, actor, evidence_id)
        )
        if file is None:
            return refusal_answer(ReportNotFound(), request)
        name, kind, content = file
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        }
        return Response(content, media_type=kind, headers=headers)
