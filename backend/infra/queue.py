"""Working through what is due: each item in a transaction of its own, however many workers there are.

An item that fails is logged and postponed, longer each time, and keeps no other from its turn. A job that only
one worker may do at a time holds a lease, which another worker takes over once it has run out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Select
from sqlmodel import col, delete, select

from backend.infra.database import Database, Unit, insert_new
from backend.infra.model import JobLease, Postponement

PAGE = 100
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(hours=1)
_log = logging.getLogger("yibao.jobs")

Ending = Callable[[], bool]
"""Tells whether the server is shutting down, so that a job ends after the item in hand."""


def never() -> bool:
    """Tell that the server goes on."""
    return False


@dataclass(frozen=True, kw_only=True)
class Due:
    """Items that one kind of work is due for. ``name`` is stored with those that fail.

    ``items`` returns ids: a query of one column without order or limit, or all of them at once.
    ``act`` tells whether it changed anything. Requires: it locks the item and looks whether it still is due.
    """

    name: str
    items: Callable[[Unit], Select[Any] | Sequence[str]]
    act: Callable[[Unit, str], bool]


def is_due(unit: Unit, *kinds: Due) -> bool:
    """Tell whether anything of these kinds is due now."""
    return any(_page(unit, due, "", 1) for due in kinds)


def advance(database: Database, *kinds: Due, ending: Ending = never) -> int:
    """Act on everything that is due and return how many items changed."""
    if not database.read(lambda unit: is_due(unit, *kinds)):
        return 0  # looking takes no writer's turn
    return sum(_advance(database, due, ending) for due in kinds)


def _advance(database: Database, due: Due, ending: Ending) -> int:
    changed, last = 0, ""
    while True:
        page = database.read(partial(_page, due=due, after=last, limit=PAGE))
        for item in page:
            if ending():
                return changed
            changed += _act(database, due, item)
        if len(page) < PAGE:
            return changed
        last = page[-1]


def _act(database: Database, due: Due, item: str) -> bool:
    try:
        return database.write(partial(_do, due=due, item=item))
    except Exception as error:
        _log.exception("%s failed for %s; it is tried again later", due.name, item)
        failure = type(error).__name__  # its words may name a person
        database.write(partial(postpone, job=due.name, item=item, failure=failure))
        return False


def _do(unit: Unit, due: Due, item: str) -> bool:
    changed = due.act(unit, item)
    row = unit.db.get(Postponement, (due.name, item))
    if row is not None:
        unit.db.delete(row)
    return changed


def _page(unit: Unit, due: Due, after: str, limit: int) -> list[str]:
    """Return ids after another that are due and not postponed, in their order."""
    items = due.items(unit)
    if not isinstance(items, Select):
        waiting = postponed(unit, due.name)
        return sorted(one for one in items if one > after and one not in waiting)
    column = next(iter(items.selected_columns))
    waits = (
        select(Postponement.item)
        .where(Postponement.job == due.name, Postponement.item == column)
        .where(col(Postponement.next_at) > unit.now)
        .exists()
    )
    page = items.where(column > after, ~waits).order_by(column).limit(limit)
    return list(unit.db.connection().execute(page).scalars())


# -- postponing ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PostponementView:
    """An item that failed, how often, and when it is tried again."""

    job: str
    item: str
    failures: int
    next_at: datetime
    failure: str


def postpone(unit: Unit, job: str, item: str, failure: str) -> None:
    """Let an item that failed wait, twice as long each time. Two workers that fail at once count as one."""
    new = {"job": job, "item": item, "failures": 0, "next_at": unit.now, "failure": failure}
    insert_new(unit, Postponement, [new])
    query = select(Postponement).where(Postponement.job == job, Postponement.item == item)
    row = unit.db.exec(query.with_for_update()).one()
    if row.next_at > unit.now:
        return
    row.next_at = unit.now + wait_after(row.failures)
    row.failures, row.failure = row.failures + 1, failure
    unit.db.flush()


def wait_after(failures: int) -> timedelta:
    """Return how long an item waits that has failed so often before."""
    return min(_FIRST_WAIT * float(2 ** min(failures, 16)), _LONGEST_WAIT)


def postponed(unit: Unit, job: str) -> set[str]:
    """Return the items of a job that wait after a failure."""
    waiting = select(Postponement.item).where(
        Postponement.job == job, col(Postponement.next_at) > unit.now
    )
    return set(unit.db.exec(waiting).all())


def postponements(unit: Unit, limit: int) -> list[PostponementView]:
    """Return items that failed and have not succeeded since, those that failed most often first."""
    rows = unit.db.exec(
        select(Postponement)
        .order_by(col(Postponement.failures).desc(), col(Postponement.job), col(Postponement.item))
        .limit(limit)
    ).all()
    return [
        PostponementView(
            job=row.job,
            item=row.item,
            failures=row.failures,
            next_at=row.next_at,
            failure=row.failure,
        )
        for row in rows
    ]


def forget(unit: Unit, job: str, item: str) -> None:
    """Forget that an item failed: it has succeeded."""
    unit.db.exec(
        delete(Postponement).where(col(Postponement.job) == job, col(Postponement.item) == item)
    )


# -- leases of jobs --------------------------------------------------------------------------------


def lease(unit: Unit, job: str, *, holder: str, lasts: timedelta) -> bool:
    """Let a worker hold a job for a while, or longer; tell whether it may: no other worker holds it."""
    free = {"job": job, "holder": "", "until": unit.now}
    insert_new(unit, JobLease, [free])
    query = select(JobLease).where(JobLease.job == job).with_for_update()
    row = unit.db.exec(query.execution_options(populate_existing=True)).one()
    if row.holder not in ("", holder) and row.until > unit.now:
        return False
    row.holder, row.until = holder, unit.now + lasts
    unit.db.flush()
    return True


def release(unit: Unit, job: str, *, holder: str) -> None:
    """Give a job back that a worker holds; another worker's lease stays."""
    query = select(JobLease).where(JobLease.job == job).with_for_update()
    row = unit.db.exec(query).first()
    if row is not None and row.holder == holder:
        row.holder = ""
        unit.db.flush()
