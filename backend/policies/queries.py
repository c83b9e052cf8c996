"""Reads of outages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from sqlmodel import col, select

from backend.infra.database import Unit
from backend.kernel.calendar import SHANGHAI, local_day
from backend.policies.contracts import OutageNow, OutageView, Service
from backend.policies.model import Outage
from backend.regions.library import area_name

_OPENS, _CLOSES = time(9), time(17)
"""Office hours; an outage outside of them delays nobody's application."""


def outages(unit: Unit, area_code: str | None, limit: int) -> list[OutageView]:
    """Return outages that are not over, the next first."""
    query = (
        select(Outage).where(Outage.ends_at > unit.now).order_by(col(Outage.starts_at)).limit(limit)
    )
    if area_code is not None:
        query = query.where(Outage.area_code == area_code)
    return [view(row) for row in unit.db.exec(query).all()]


def outage_now(unit: Unit, area_codes: Iterable[str], service: Service) -> OutageNow | None:
    """Return the refusal where one of the areas is without the service at this moment."""
    current = unit.db.exec(
        select(Outage)
        .where(col(Outage.area_code).in_(set(area_codes)))
        .where(Outage.starts_at <= unit.now, Outage.ends_at > unit.now)
        .order_by(col(Outage.ends_at).desc())
    ).all()
    for outage in current:
        if service.value in outage.services:
            return OutageNow(
                area_name(outage.area_code), outage.reason, outage.ends_at, outage.instead
            )
    return None


def outage_days(
    unit: Unit, area_codes: Iterable[str], service: Service, since: datetime
) -> dict[str, set[date]]:
    """Return the days since an instant on which areas' service was or will be away in office hours."""
    wanted = col(Outage.area_code).in_(set(area_codes))
    rows = unit.db.exec(select(Outage).where(wanted, Outage.ends_at > since)).all()
    days: dict[str, set[date]] = {}
    for row in rows:
        if service.value in row.services:
            days.setdefault(row.area_code, set()).update(_office_days(row))
    return days


def _office_days(row: Outage) -> Iterator[date]:
    """Yield the days whose office hours an outage falls into."""
    day, last = local_day(row.starts_at), local_day(row.ends_at)
    while day <= last:
        opens = datetime.combine(day, _OPENS, SHANGHAI)
        closes = datetime.combine(day, _CLOSES, SHANGHAI)
        if row.starts_at < closes and row.ends_at > opens:
            yield day
        day += timedelta(days=1)


def view(row: Outage) -> OutageView:
    """Return the view of a row."""
    return OutageView(
        id=row.id,
        area_code=row.area_code,
        services=tuple(Service(service) for service in row.services),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.reason,
        instead=row.instead,
    )
