"""停机公告: who has something under way where an outage is announced is told the day before.

That is: who has an application at the area's agency, a filing in force for the area, or lies in a
hospital there. Each is told once for an outage, however often this is cut off.
"""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from backend.filings import queries as filings
from backend.infra.database import Unit, insert_new
from backend.kernel.calendar import local, local_day
from backend.matters import queries as matters
from backend.notices.service import tell
from backend.payments import queries as payments
from backend.policies.contracts import Service
from backend.policies.model import Outage, OutageNotice
from backend.regions.library import area_name

AHEAD = timedelta(hours=24)
BATCH = 200
"""People told in one transaction, so that no long one stands in the way of a till."""


def tell_of_outages(unit: Unit) -> int | None:
    """Tell some of those concerned by the next outage within a day, and return how many.

    ``None``: there is no such outage of which not everybody was told.
    """
    outage = unit.db.exec(
        select(Outage)
        .where(col(Outage.told_at).is_(None))
        .where(Outage.starts_at > unit.now, Outage.starts_at <= unit.now + AHEAD)
        .order_by(col(Outage.starts_at), col(Outage.id))
        .with_for_update()
    ).first()
    if outage is None:
        return None
    concerned = _concerned(unit, outage)
    told = select(OutageNotice.person_id).where(OutageNotice.outage_id == outage.id)
    left = sorted(concerned - set(unit.db.exec(told).all()))
    facts = {
        "area": area_name(outage.area_code),
        "from": local(outage.starts_at).strftime("%m-%d %H:%M"),
        "until": local(outage.ends_at).strftime("%m-%d %H:%M"),
        "instead": outage.instead,
    }
    for person_id in left[:BATCH]:
        notice = {"outage_id": outage.id, "person_id": person_id, "told_at": unit.now}
        if insert_new(unit, OutageNotice, [notice]):
            tell(unit, person_id, "outage_ahead", facts)
    if len(left) <= BATCH:
        outage.told_at = unit.now
    unit.db.flush()
    return min(len(left), BATCH)


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
