"""What the journal of the processes must not hold: everything that people are, and have written."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import select

from backend.infra.database import Unit
from backend.infra.journal import keep_contents_out
from backend.people import queries as people
from backend.people.model import Person
from tests.world import World


@contextmanager
def journal_of_all() -> Iterator[io.StringIO]:
    """Collect what every logger of this process writes, from DEBUG on.

    Rows that SQLAlchemy would show at DEBUG are the database itself; its statements are collected.
    """
    keep_contents_out()
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    root, database = logging.getLogger(), logging.getLogger("sqlalchemy")
    levels = root.level, database.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    database.setLevel(logging.INFO)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(levels[0])
        database.setLevel(levels[1])


def personal_markers(world: World) -> set[str]:
    """Return name, number and phone of everybody in a province."""

    def read(unit: Unit) -> set[str]:
        markers = set()
        for person_id in unit.db.exec(select(Person.id)).all():
            known = people.particulars(unit, person_id)
            markers |= {known.name, known.id_number, known.phone}
        return markers - {""}

    return world.database.read(read)
