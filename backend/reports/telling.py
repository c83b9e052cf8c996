"""Telling whoever reported that something waits for them, without a trace of it in any message or queue.

A message in the outbox would lay a phone beside the moment of a decision. So nothing is queued: the courier
opens who it is, hands a neutral sentence over, and only then is the report's mark taken off.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select

from backend.infra.database import Unit
from backend.kernel.calendar import local
from backend.reports import identities
from backend.reports.model import Report

_AWAKE = range(8, 21)
_BATCH = 20


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


def notices_due(unit: Unit) -> list[NoticeDue]:
    """Return whom to tell now; nobody at night."""
    if local(unit.now).hour not in _AWAKE:
        return []
    rows = unit.db.exec(
        select(Report)
        .where(col(Report.notice_due).is_(True))
        .order_by(col(Report.id))
        .limit(_BATCH)
    ).all()
    return [
        NoticeDue(
            report_id=row.id,
            notice_id=row.notice_id,
            outgoing_id=identities.outgoing_id(unit, row.id, row.notice_id),
            phone=identities.phone_of(unit, row.id) if row.real_name else "",
        )
        for row in rows
    ]


def note_told(unit: Unit, due: NoticeDue) -> None:
    """Take the mark off a report whose reporter was told, unless something came up meanwhile."""
    row = unit.db.exec(select(Report).where(Report.id == due.report_id).with_for_update()).one()
    if row.notice_id == due.notice_id:
        row.notice_due = False
    unit.db.flush()
