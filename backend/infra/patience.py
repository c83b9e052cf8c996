"""How long transactions wait. A request waits less than its client; jobs and operators wait longer."""

from __future__ import annotations

from dataclasses import dataclass

from backend.infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The longest waits of a transaction, in seconds; 0 has no end."""

    lock: float
    """For a row that another transaction holds, and for the turn to write an SQLite file."""

    statement: float
    transaction: float
    connect: int
    """For the server to take a connection. The library takes at least 2."""

    connection: float
    """For a connection of this process to come free."""


COMMANDS = Patience(lock=30, statement=0, transaction=0, connect=10, connection=30)
"""Of an operator's commands: migrating and verifying read and change whole tables."""

JOBS = Patience(lock=5, statement=60, transaction=120, connect=3, connection=10)
"""Of what a worker does in the background: nobody waits for the answer."""

PROBES = Patience(lock=1.5, statement=1.5, transaction=2, connect=2, connection=1)
"""Of the question whether a worker is ready."""


def of_requests(settings: Settings) -> Patience:
    """Return the patience of requests."""
    return Patience(
        lock=settings.lock_milliseconds / 1000,
        statement=settings.statement_seconds,
        transaction=settings.transaction_seconds,
        connect=settings.connect_seconds,
        connection=settings.connect_seconds,
    )
