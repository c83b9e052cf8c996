"""``GET /health/ready``: whether this worker can serve, told within two seconds whatever else waits."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from backend.infra.database import Database
from backend.infra.patience import PROBES
from backend.infra.readiness import prove_writable
from backend.infra.unavailable import DatabaseUnavailable, Unavailability
from mobile_bff.busy import BUSY_HEADERS, BUSY_STATUS
from mobile_bff.lanes import Lane, LaneSize

KEPT_SECONDS = 1
"""How long an answer serves everybody who asks."""
_WORDS = {
    Unavailability.LOCKED: "another transaction keeps every writer waiting",
    Unavailability.SLOW: "the database answers too slowly",
    Unavailability.CROWDED: "no connection or thread is free",
    Unavailability.UNREACHABLE: "the database does not answer",
    Unavailability.FULL: "there is no room left to write",
    Unavailability.READ_ONLY: "the database takes no writes",
    Unavailability.FAILING: "the storage answers with errors",
}


class Readiness:
    """Asks the database over a connection and a thread of its own, once a second at most."""

    def __init__(self, database: Database) -> None:
        self._database = database.with_patience(PROBES, kept_connections=1, more_connections=0)
        size = LaneSize(
            threads=1,
            threads_per_caller=1,
            threads_of_nameless=1,
            waiting_max=1,
            seconds=PROBES.transaction,
        )
        self._lane = Lane("ready", size)
        self._one_asks = asyncio.Lock()
        self._asked_at = float("-inf")
        self._obstacle: Unavailability | None = None

    async def answer(self, _request: Request) -> Response:
        """Answer 200, or 503 with the reason."""
        async with self._one_asks:
            loop = asyncio.get_running_loop()
            if loop.time() - self._asked_at >= KEPT_SECONDS:
                self._obstacle = await self._ask()
                self._asked_at = loop.time()
        if self._obstacle is None:
            return PlainTextResponse("ok")
        body = {"code": "NOT_READY", "reason": self._obstacle, "message": _WORDS[self._obstacle]}
        return JSONResponse(body, BUSY_STATUS, BUSY_HEADERS)

    def close(self) -> None:
        """Give the connection back."""
        self._lane.close()
        self._database.engine.dispose()

    async def _ask(self) -> Unavailability | None:
        try:
            await self._lane.run(lambda: prove_writable(self._database))
        except DatabaseUnavailable as error:
            return error.kind
        return None
