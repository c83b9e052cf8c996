"""The one door between the async edge and the synchronous domain: a thread hop, a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from backend.infra.database import Database, Unit
from backend.orders.agreeing import look_after
from backend.orders.contracts import CashChannel, ChannelName
from backend.orders.driving import drive

T = TypeVar("T")
C = TypeVar("C")

THREADS = 16


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
        self._threads = CapacityLimiter(THREADS)

    async def write(self, use_case: Callable[[Unit, C], T], command: C, request_id: str) -> T:
        """Run a use case in one transaction and return its answer after commit."""
        outcome = await to_thread.run_sync(
            lambda: self._database.write(lambda unit: use_case(unit, command), request_id),
            limiter=self._threads,
        )
        self._after_write()
        return outcome

    async def read(self, query: Callable[[Unit], T]) -> T:
        """Run a read on one consistent view of the data."""
        return await to_thread.run_sync(lambda: self._database.read(query), limiter=self._threads)

    async def drive(self, order_id: str) -> None:
        """Take a payment order as far as it goes now; between its transactions the channel is asked."""
        await to_thread.run_sync(
            lambda: drive(self._database, self.channels, order_id), limiter=self._threads
        )
        self._after_write()

    async def look_after(self, agreement_id: str) -> None:
        """Take an agreement to collect as far as it goes now; between transactions the channel is asked."""
        await to_thread.run_sync(
            lambda: look_after(self._database, self.channels, agreement_id), limiter=self._threads
        )
        self._after_write()
