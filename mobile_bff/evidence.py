"""``POST /reports/evidence`` and ``GET /reports/evidence/<id>``: files of a report in, and out to inspectors.

Whoever reports names the report by its secret (``x-report-secret``), or, signed in, by its id
(``x-report-id``): neither stands in an address, which servers write down.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.reports import handling, service
from backend.reports.contracts import AddEvidence, EvidenceView, ReportNotFound, Whose
from mobile_bff.bearer import Bearer
from mobile_bff.context import resolve_actor
from mobile_bff.door import Door
from mobile_bff.http import refused


class Evidence:
    """Takes files of a report and shows them to inspectors."""

    def __init__(self, door: Door, bearer: Bearer) -> None:
        self._door = door
        self._bearer = bearer

    async def take(self, request: Request) -> Response:
        """Answer an upload: 200 with what is kept and its hash, else a refusal in words."""
        secret = request.headers.get("x-report-secret", "")
        report_id = request.headers.get("x-report-id", "")
        if not secret and not report_id:  # before anything of the body is looked at
            return _refused(ReportNotFound(), request)
        try:
            name, content = await _part(request)
        except (HTTPException, MultiPartException, ValueError) as error:
            words = error.detail if isinstance(error, HTTPException) else str(error)
            return JSONResponse({"code": "BAD_REQUEST", "message": words}, 400)
        claims = self._bearer.claims(request.headers.get("authorization", ""))

        def run(unit: Unit, _: None) -> EvidenceView | Refusal:
            actor = resolve_actor(unit, claims, "")
            whose = Whose(actor, report_id, secret)
            return service.add_evidence(unit, AddEvidence(whose, name, content))

        kept = await self._door.write(run, None, "")
        if isinstance(kept, Refusal):
            return _refused(kept, request)
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
        claims = self._bearer.claims(request.headers.get("authorization", ""))
        evidence_id = str(request.path_params["evidence_id"])

        def run(unit: Unit, _: None) -> tuple[str, str, bytes] | None:
            return handling.evidence(unit, resolve_actor(unit, claims, ""), evidence_id)

        found = await self._door.write(run, None, request.scope.get("yibao_request_id", ""))
        if found is None:
            return _refused(ReportNotFound(), request)
        name, kind, content = found
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        }
        return Response(content, media_type=kind, headers=headers)


async def _part(request: Request) -> tuple[str, bytes]:
    """Return the one part of an upload. Raises ``ValueError`` in plain words."""
    async with request.form(max_files=1, max_fields=0) as form:
        for _, part in form.multi_items():
            if not isinstance(part, str):
                return part.filename or "", await part.read()
    raise ValueError("send one file as multipart form data")


def _refused(refusal: Refusal, request: Request) -> Response:
    return refused(refusal, request, 404 if isinstance(refusal, ReportNotFound) else 422)
