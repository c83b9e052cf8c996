"""The application: every route and middleware in one list."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from backend.codes.identities import signed_trust_list
from backend.identity.face_reader import FaceReader
from backend.infra.database import Database, Resources
from backend.infra.journal import keep_contents_out
from backend.infra.patience import JOBS, of_requests
from backend.infra.settings import Mode, Settings
from backend.infra.tokens import key_set
from backend.infra.unavailable import DatabaseUnavailable, NoOutage
from mobile_bff.bearer import Bearer
from mobile_bff.certificates import FILE_BYTES_MAX, Certificates
from mobile_bff.channels.callbacks import Callbacks
from mobile_bff.channels.offered import open_channels
from mobile_bff.desk.schema import DESK_DOCUMENTS, make_desk_schema
from mobile_bff.door import Door
from mobile_bff.evidence import Evidence
from mobile_bff.exports import Exports
from mobile_bff.face_upload import FaceUpload
from mobile_bff.faults import Faults, no_such_route
from mobile_bff.feed import Feed
from mobile_bff.file_queue import FileQueue
from mobile_bff.file_routes import FileRoutes
from mobile_bff.http import YibaoGraphQL, answer_busy
from mobile_bff.papers import FORM_BYTES_MAX, Papers
from mobile_bff.readiness import Readiness
from mobile_bff.request_frame import SETTINGS, RateBucket, RequestFrame
from mobile_bff.schema import make_schema
from mobile_bff.sockets import Sockets
from mobile_bff.start import open_resources
from mobile_bff.trusted import load_documents
from mobile_bff.warming import warm_up
from mobile_bff.workers import Workers, jobs_of, outside_of

JOBS_CONNECTIONS = 4
"""Kept for what a worker does in the background; as many more when needed."""
_LOOPS = ("yibao.jobs", "yibao.feed")
"""Loggers of loops that go on after a failure."""
OPENED_AT_ONCE = 1
"""Files that one worker opens at a time. Each takes up to 200 MB and a processor."""


def create_app(settings: Settings) -> Starlette:
    """Return the application for these settings. The database must be migrated already."""
    return assemble(open_resources(settings))


def assemble(resources: Resources) -> Starlette:
    """Return the application around the given resources; tests hand in their own clock."""
    keep_contents_out()
    settings = resources.settings
    database, jobs = _databases(resources)
    readiness = Readiness(database)
    feed = Feed(jobs, settings.feed_poll_milliseconds)
    channels = open_channels(resources)
    door = Door(database, feed.nudge, channels)
    callbacks = Callbacks(door, channels)
    documents = load_documents(only_own=settings.mode is Mode.PRODUCTION)
    faces = FaceReader(settings.face_processes, settings.face_queue_max, settings.face_seconds_max)
    bucket = RateBucket(settings.requests_per_minute_per_address)
    sockets = Sockets(resources, database, bucket)
    graphql = YibaoGraphQL(make_schema(), resources, door, feed, documents, sockets)
    at_desk = load_documents(settings.mode is Mode.PRODUCTION, DESK_DOCUMENTS)
    desk = YibaoGraphQL(make_desk_schema(), resources, door, feed, at_desk, sockets)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Settings]]:
        workers = Workers(jobs, jobs_of(outside_of(settings, channels)))
        workers.start()
        tasks = [asyncio.create_task(work) for work in (feed.run(), sockets.run(), warm_up())]
        yield {SETTINGS: settings}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, workers.end(), return_exceptions=True)
        faces.close()
        door.close()
        readiness.close()
        database.close()
        jobs.close()

    application = Starlette(
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", graphql),
            Route("/desk/graphql", desk),
            Route("/channels/wechat/notify", callbacks.wechat, methods=["POST"]),
            Route("/channels/unionpay/notify", callbacks.unionpay, methods=["POST"]),
            *_files(resources, door, faces),
            *_probes(resources, door, readiness),
        ],
        middleware=[
            Middleware(
                RequestFrame,
                new_request_id=lambda: resources.ids.new_id(resources.clock.now()),
                settings=settings,
                bucket=bucket,
                larger={
                    "/face-checks/": settings.face_upload_bytes_max,
                    "/materials/": FORM_BYTES_MAX,
                    "/reports/evidence": FORM_BYTES_MAX,
                    "/verify": FILE_BYTES_MAX,
                },
            ),
            Middleware(Faults),
        ],
        exception_handlers={DatabaseUnavailable: answer_busy, HTTPException: no_such_route},
        lifespan=lifespan,
    )
    application.state.database = database
    # CodedErrors logs what is a fault of ours; the library would log every refusal with its stack.
    logging.getLogger("strawberry.execution").setLevel(logging.CRITICAL)
    return application


def _databases(resources: Resources) -> tuple[Database, Database]:
    """Return the database of requests, with a connection for each of their threads, and that of jobs."""
    settings = resources.settings
    threads = settings.reading_threads + settings.writing_threads + settings.outside_threads
    kept = threads // 2
    jobs = Database(resources, patience=JOBS, pool_size=JOBS_CONNECTIONS)
    patience = of_requests(settings)
    requests = jobs.with_patience(patience, kept_connections=kept, more_connections=threads - kept)
    for name in _LOOPS:
        logging.getLogger(name).addFilter(NoOutage())
    return requests, jobs


def _files(resources: Resources, door: Door, faces: FaceReader) -> list[Route]:
    """Return where files come in and go out."""
    routes = FileRoutes(door, Bearer(resources))
    opening = FileQueue(at_once=OPENED_AT_ONCE, waiting_max=8, seconds_max=10)
    signing = FileQueue(at_once=2, waiting_max=30, seconds_max=20)
    pictures, papers = FaceUpload(routes, faces), Papers(routes, opening)
    evidence, exports = Evidence(routes, opening), Exports(routes)
    certificates = Certificates(routes, signing, resources)
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


def _probes(resources: Resources, door: Door, readiness: Readiness) -> list[Route]:
    """Return what other servers and the operator's machines ask for."""

    async def jwks(_request: Request) -> Response:
        return JSONResponse(key_set(resources.vault.ring))

    async def trust(_request: Request) -> Response:
        token = await door.read(signed_trust_list)
        return PlainTextResponse(token, media_type="application/jwt")

    async def alive(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return [
        Route("/.well-known/jwks.json", jwks),
        Route("/.well-known/identity-trust.jwt", trust),
        Route("/health/live", alive),
        Route("/health/ready", readiness.answer),
    ]


def from_environment() -> Starlette:
    """Return the application for the environment."""
    return create_app(Settings.from_environment(os.environ))
