"""The application: every route and middleware in one list."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from backend.codes.identities import signed_trust_list
from backend.identity.face_reader import FaceReader
from backend.infra.database import Database, Resources
from backend.infra.settings import Mode, Settings
from backend.infra.tokens import key_set
from backend.matters.materials import BYTES_MAX
from mobile_bff.bearer import Bearer
from mobile_bff.certificates import FILE_BYTES_MAX, Certificates
from mobile_bff.channels.callbacks import Callbacks
from mobile_bff.channels.offered import open_channels
from mobile_bff.desk.schema import DESK_DOCUMENTS, make_desk_schema
from mobile_bff.door import Door
from mobile_bff.evidence import Evidence
from mobile_bff.exports import Exports
from mobile_bff.face_upload import FaceUpload
from mobile_bff.feed import Feed
from mobile_bff.http import RequestFrame, YibaoGraphQL
from mobile_bff.papers import Papers
from mobile_bff.schema import make_schema
from mobile_bff.start import open_resources
from mobile_bff.trusted import load_documents
from mobile_bff.workers import Workers, jobs_of, outside_of


def create_app(settings: Settings) -> Starlette:
    """Return the application for these settings. The database must be migrated already."""
    return assemble(open_resources(settings))


def assemble(resources: Resources) -> Starlette:
    """Return the application around the given resources; tests hand in their own clock."""
    settings = resources.settings
    database = Database(resources)
    feed = Feed(database, settings.feed_poll_milliseconds)
    channels = open_channels(resources)
    door = Door(database, feed.nudge, channels)
    callbacks = Callbacks(door, channels)
    documents = load_documents(only_own=settings.mode is Mode.PRODUCTION)
    faces = FaceReader(settings.face_processes, settings.face_queue_max, settings.face_seconds_max)
    graphql = YibaoGraphQL(make_schema(), resources, door, feed, documents)
    at_desk = load_documents(settings.mode is Mode.PRODUCTION, DESK_DOCUMENTS)
    desk = YibaoGraphQL(make_desk_schema(), resources, door, feed, at_desk)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        live = asyncio.create_task(feed.run())
        workers = Workers(database, jobs_of(outside_of(settings, channels)))
        workers.start()
        yield
        live.cancel()
        await asyncio.gather(live, workers.end(), return_exceptions=True)
        faces.close()
        database.close()

    application = Starlette(
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", graphql),
            Route("/desk/graphql", desk),
            Route("/channels/wechat/notify", callbacks.wechat, methods=["POST"]),
            Route("/channels/unionpay/notify", callbacks.unionpay, methods=["POST"]),
            *_files(resources, door, faces),
            *_probes(resources, door),
        ],
        middleware=[
            Middleware(
                RequestFrame,
                new_request_id=lambda: resources.ids.new_id(resources.clock.now()),
                body_bytes_max=settings.body_bytes_max,
                requests_per_minute=settings.requests_per_minute_per_address,
                larger={
                    "/face-checks/": settings.face_upload_bytes_max,
                    "/materials/": BYTES_MAX + 100_000,
                    "/reports/evidence": BYTES_MAX + 100_000,
                    "/verify": FILE_BYTES_MAX,
                },
            )
        ],
        lifespan=lifespan,
    )
    application.state.database = database
    # CodedErrors logs what is a fault of ours; the library would log every refusal with its stack.
    logging.getLogger("strawberry.execution").setLevel(logging.CRITICAL)
    return application


def _files(resources: Resources, door: Door, faces: FaceReader) -> list[Route]:
    """Return where files come in and go out."""
    bearer = Bearer(resources)
    pictures, papers = FaceUpload(door, faces, bearer), Papers(door, bearer)
    evidence = Evidence(door, bearer)
    exports, certificates = Exports(door, bearer), Certificates(door, bearer, resources)
    return [
        Route("/face-checks/{check_id:str}", pictures.answer, methods=["POST"]),
        Route("/materials/{matter_id:str}", papers.take, methods=["POST"]),
        Route("/materials/{material_id:str}/content", papers.show, methods=["GET"]),
        Route("/reports/evidence", evidence.take, methods=["POST"]),
        Route("/reports/evidence/{evidence_id:str}", evidence.show, methods=["GET"]),
        Route("/exports/settlements.csv", exports.settlements, methods=["GET"]),
        Route("/certificates/{certificate_id:str}.pdf", certificates.file, methods=["GET"]),
        Route("/verify", certificates.page, methods=["GET"]),
        Route("/verify", certificates.check, methods=["POST"]),
        Route("/verify/{code:str}", certificates.page, methods=["GET"]),
    ]


def _probes(resources: Resources, door: Door) -> list[Route]:
    """Return what other servers and the operator's machines ask for."""

    async def jwks(_request: Request) -> Response:
        return JSONResponse(key_set(resources.vault.ring))

    async def trust(_request: Request) -> Response:
        token = await door.read(signed_trust_list)
        return PlainTextResponse(token, media_type="application/jwt")

    async def alive(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(_request: Request) -> Response:
        try:
            await door.read(lambda unit: unit.db.connection().exec_driver_sql("SELECT 1").scalar())
        except Exception:
            logging.getLogger("yibao").exception("not ready")
            return PlainTextResponse("the database does not answer", 503)
        return PlainTextResponse("ok")

    return [
        Route("/.well-known/jwks.json", jwks),
        Route("/.well-known/identity-trust.jwt", trust),
        Route("/health/live", alive),
        Route("/health/ready", ready),
    ]


def from_environment() -> Starlette:
    """Return the application for the environment; what the server's workers call."""
    return create_app(Settings.from_environment(os.environ))
