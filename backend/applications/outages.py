"""停机公告: who has something under way where an outage is announced is told the day before.

That is: who has an application at the area's agency, a filing in force for the area, or lies in a
hospital there. Each is told once for an outage, in a transaction of
their own, however often a worker is cut off.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlmodel import col, select

from backend.filings import queries as filings
from backend.infra.database import Database, Unit, insert_new
from backend.infra.queue import Due, Ending, advance, never
from backend.kernel.calendar import local_day, local_minute
from backend.matters import queries as matters
from backend.notices.service import tell
from backend.payments import queries as payments
from backend.policies.contracts import Service
from backend.policies.model import Outage, OutageNotice
from backend.regions.library import area_name

AHEAD = timedelta(hours=24)
_BETWEEN = ":"


def notify_outages(database: Database, ending: Ending = never) -> int:
    """Notify the patients concerned by outages within a day, and return how many."""
    notified = 0
    for outage_id in database.read(_ahead):
        due = Due(name="outage.notify", items=partial(_left, outage_id=outage_id), act=_notify)
        notified += advance(database, due, ending=ending)
        if not database.read(partial(_left, outage_id=outage_id)):
            database.write(partial(_close, outage_id=outage_id))
    return notified


def _ahead(unit: Unit) -> list[str]:
    query = (
        select(Outage.id)
        .where(col(Outage.told_at).is_(None), Outage.ends_at > unit.now)
        .where(Outage.starts_at > unit.now, Outage.starts_at <= unit.now + AHEAD)
    )
    return list(unit.db.exec(query.order_by(col(Outage.starts_at), col(Outage.id))).all())


def _left(unit: Unit, outage_id: str) -> list[str]:
    """Return who is still to be notified of an outage, each as its id and a patient's."""
    outage = unit.db.get_one(Outage, outage_id)
    told = select(OutageNotice.person_id).where(OutageNotice.outage_id == outage_id)
    left = _concerned(unit, outage) - set(unit.db.exec(told).all())
    return [f"{outage_id}{_BETWEEN}{person_id}" for person_id in left]


def _notify(unit: Unit, item: str) -> bool:
    outage_id, person_id = item.split(_BETWEEN)
    outage = unit.db.get_one(Outage, outage_id)
    notice = {"outage_id": outage_id, "person_id": person_id, "told_at": unit.now}
    over = min(outage.starts_at, outage.ends_at) <= unit.now
    if over or not insert_new(unit, OutageNotice, [notice]):
        return False
    facts = {
        "area": area_name(outage.area_code),
        "from": local_minute(outage.starts_at),
        "until": local_minute(outage.ends_at),
        "instead": outage.instead,
    }
    tell(unit, person_id, "outage_ahead", facts)
    return True


def _close(unit: Unit, outage_id: str) -> None:
    outage = unit.db.get_one(Outage, outage_id, with_for_update=True)
    outage.told_at = outage.told_at or unit.now


def _concerned(unit: Unit, outage: Outage) -> set[str]:
    services = {Service(one) for one in outage.services}
    area = outage.area_code
    found: set[str] = set()
    if Service.MATTERS in services:
        found |= set(unit.db.exec(matters.people_waiting_at(area)).all())
    if services - {Service.MATTERS}:
        found |= set(unit.db.exec(filings.people_filed_for(area, local_day(unit.now))).all())
    if Service.INPATIENT_SETTLEMENT in services:
        found |= set(unit.db.exec(payments.people_in_hospital_at(area)).all())
    return found
