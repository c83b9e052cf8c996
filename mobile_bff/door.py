"""The one door between the async edge and the synchronous domain: a thread hop, a transaction.

Reads, writes, and what waits for a channel of cash have threads of their own, so that none of them queues
behind another kind.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TypeVar

from backend.infra.database import Database, Unit
from backend.infra.settings import Settings
from backend.infra.unavailable import DatabaseUnavailable
from backend.orders.agreeing import look_after
from backend.orders.contracts import CashChannel, ChannelName
from backend.orders.driving import drive
from mobile_bff.lanes import Lane, LaneSize

T = TypeVar("T")
C = TypeVar("C")

WAITING_MAX = 200
"""Pieces of work of one kind that may wait for a thread; at ten milliseconds each two seconds' work."""
OUTSIDE_SECONDS = 6
"""How long a request waits for channels of cash; the worker's jobs do the rest."""


class Door:
    """Runs use cases and reads in threads, so that no transaction ever blocks the event loop."""

    def __init__(
        self,
        database: Database,
        after_write: Callable[[], None],
        channels: Mapping[ChannelName, CashChannel],
    ) -> None:
        self._database = database
        self._after_write = after_write
        self.channels = channels
        settings = database.resources.settings
        self._reads, self._writes, self._outside = _lanes(settings)
        self._caller = ""
        self._until = 0.0

    def for_caller(self, caller: str, until: float) -> Door:
        """Return the same door for one request of a caller, which ends at this time of the event loop.

        ``caller``: a session; empty for those that have none. ``until``: 0 for a socket.
        """
        door = copy.copy(self)
        door._caller, door._until = caller, until
        return door

    async def write(self, use_case: Callable[[Unit, C], T], command: C, request_id: str) -> T:
        """Run a use case in one transaction and return its answer after commit.

        Raises: ``DatabaseUnavailable``.
        """
        outcome = await self._writes.run(
            lambda: self._database.write(lambda unit: use_case(unit, command), request_id),
            caller=self._caller,
            until=self._until,
        )
        self._after_write()
        return outcome

    async def read(self, query: Callable[[Unit], T]) -> T:
        """Run a read on one consistent view of the data. Raises ``DatabaseUnavailable``."""
        return await self._reads.run(
            lambda: self._database.read(query), caller=self._caller, until=self._until
        )

    async def drive(self, order_id: str) -> None:
        """Take a payment order as far as it goes now; between its transactions the channel is asked."""
        await self._ask(lambda: drive(self._database, self.channels, order_id))

    async def look_after(self, agreement_id: str) -> None:
        """Take an agreement to collect as far as it goes now; between transactions the channel is asked."""
        await self._ask(lambda: look_after(self._database, self.channels, agreement_id))

    def close(self) -> None:
        """Begin nothing more."""
        for lane in (self._reads, self._writes, self._outside):
            lane.close()

    async def _ask(self, work: Callable[[], object]) -> None:
        """Do what asks a channel; the worker's jobs do what did not fit into the time."""
        try:
            await self._outside.run(work, caller=self._caller, until=self._until)
        except DatabaseUnavailable:
            return
        finally:
            self._after_write()


def _lanes(settings: Settings) -> tuple[Lane, Lane, Lane]:
    """Return the lanes of reads, of writes, and of what waits for a channel."""
    reading, writing = settings.reading_threads, settings.writing_threads
    outside = settings.outside_threads
    half = max(1, writing // 2)
    most = {"waiting_max": WAITING_MAX, "seconds": settings.transaction_seconds}
    per_session = settings.writing_threads_per_session
    return (
        Lane(
            "reads",
            LaneSize(
                threads=reading,
                threads_per_caller=reading,
                threads_of_nameless=reading,
                **most,
            ),
        ),
        Lane(
            "writes",
            LaneSize(
                threads=writing,
                threads_per_caller=per_session,
                threads_of_nameless=half,
                **most,
            ),
        ),
        Lane(
            "outside",
            LaneSize(
                threads=outside,
                threads_per_caller=1,
                threads_of_nameless=outside,
                waiting_max=WAITING_MAX,
                seconds=OUTSIDE_SECONDS,
            ),
        ),
    )
