"""Whether the database takes a write at this moment, proven by making one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from backend.infra.database import Database, Unit
from backend.infra.unavailable import DatabaseUnavailable, Unavailability, unavailability_of

ROOM_BYTES = 1 << 20
"""What must be free beside an SQLite file."""


def prove_writable(database: Database) -> None:
    """Make the smallest write that there is, and leave nothing behind.

    SQLite: the writer's turn and lock, and a file beside the database that takes up room, is synced and is gone
    again. PostgreSQL: a record in the log of changes, synced by its commit.

    Raises: ``DatabaseUnavailable``.
    """
    database.write(_write)
    if database.file is not None:
        try:
            _take_room(database.file.parent)
        except OSError as error:
            kind = unavailability_of(error) or Unavailability.FAILING
            raise DatabaseUnavailable(kind) from error


def _write(unit: Unit) -> None:
    connection = unit.db.connection()
    if connection.dialect.name == "sqlite":
        return
    standby = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
    if connection.exec_driver_sql(standby).scalar():
        raise DatabaseUnavailable(Unavailability.READ_ONLY)
    connection.exec_driver_sql("SELECT pg_logical_emit_message(true, 'yibao', 'ready')")


def _take_room(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, ROOM_BYTES)
        file.write(b"ready")
        file.flush()
        os.fsync(file.fileno())
