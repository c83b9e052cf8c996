"""Notifying reporters that something waits for them, without a trace of it in any message or queue.

A message in the outbox would lay a phone beside the moment of a decision. So nothing is queued: one worker at a
time opens who it is, hands a neutral sentence over, and only then is the report's mark taken off.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlmodel import col, select

from backend.infra import queue
from backend.infra.database import Database, Unit
from backend.infra.outbox import Delivery, DeliveryFailed, DeliveryRefused
from backend.infra.queue import Ending, never
from backend.kernel.calendar import local
from backend.reports import identities
from backend.reports.model import Report
from backend.reports.steps import locked

JOB = "reporter.notify"
_AWAKE = range(8, 21)
_LEASE = timedelta(seconds=60)
"""Longer than a gateway can hang; renewed with each notice."""
_log = logging.getLogger("yibao.reports")


@dataclass(frozen=True, kw_only=True)
class NoticeDue:
    """A report whose reporter is to be told, and their phone; empty: they look for themselves.

    ``outgoing_id`` is the gateway's, the same at every try. It is made of ``notice_id`` under the reporters'
    keys, so that the gateway's log and this database cannot be joined without them.
    """

    report_id: str
    notice_id: str
    outgoing_id: str
    phone: str


def notify_reporters(
    database: Database, courier: Callable[[Delivery], None], ending: Ending = never
) -> int:
    """Notify each reporter for whom something waits, once; return how many were.

    One that fails is logged and postponed, and keeps no other from its turn.
    """
    due = database.read(reports_due)
    if not due:
        return 0
    holder = database.resources.ids.new_id(database.resources.clock.now())
    notified = 0
    for report_id in due:
        if ending():
            break
        try:
            notified += _notify(database, courier, report_id=report_id, holder=holder)
        except Exception as error:
            if not isinstance(error, DeliveryFailed):
                _log.exception("a reporter could not be notified; it is tried again later")
            failure = type(error).__name__
            database.write(partial(_postpone, report_id=report_id, failure=failure))
    database.write(partial(queue.release, job=JOB, holder=holder))
    return notified


def _notify(
    database: Database, courier: Callable[[Delivery], None], *, report_id: str, holder: str
) -> bool:
    notice = database.write(partial(take, report_id=report_id, holder=holder))
    if notice is None:
        return False
    if notice.phone:
        try:
            courier(
                Delivery(notice.outgoing_id, "notice_waiting", json.dumps({"to": notice.phone}))
            )
        except DeliveryRefused:
            _log.warning("a reporter's phone takes no messages any more")
    return database.write(partial(note_notified, notice=notice))


def reports_due(unit: Unit) -> list[str]:
    """Return the reports whose reporters are to be notified now; none at night."""
    if local(unit.now).hour not in _AWAKE:
        return []
    marked = unit.db.exec(
        select(Report.id).where(col(Report.notice_due).is_(True)).order_by(col(Report.id))
    ).all()
    waiting = queue.postponed(unit, JOB)
    return [one for one in marked if identities.report_index(unit, one) not in waiting]


def take(unit: Unit, report_id: str, holder: str) -> NoticeDue | None:
    """Return a notice to hand over; ``None`` where another worker notifies, or has notified."""
    if not queue.lease(unit, JOB, holder=holder, lasts=_LEASE):
        return None
    row = locked(unit, report_id)
    if row is None or not row.notice_due:
        return None
    return NoticeDue(
        report_id=row.id,
        notice_id=row.notice_id,
        outgoing_id=identities.outgoing_id(unit, row.id, row.notice_id),
        phone=identities.phone_of(unit, row.id) if row.real_name else "",
    )


def note_notified(unit: Unit, notice: NoticeDue) -> bool:
    """Take the mark off a report whose reporter was notified; one that was set meanwhile stays."""
    queue.forget(unit, JOB, identities.report_index(unit, notice.report_id))
    row = locked(unit, notice.report_id)
    if row is None or not row.notice_due or row.notice_id != notice.notice_id:
        return False
    row.notice_due = False
    unit.db.flush()
    return True


def _postpone(unit: Unit, report_id: str, failure: str) -> None:
    # under its keyed index: the row bears an hour, and no row of a report does
    queue.postpone(unit, JOB, identities.report_index(unit, report_id), failure)
