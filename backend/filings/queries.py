"""Reads of filings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.filings.contracts import AwayKind, FilingRoute, FilingState, FilingView
from backend.filings.model import Filing
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.people import queries as people
from backend.regions.library import province_code
from backend.settlement.case import FilingKind

_STANDING = (FilingState.APPROVED, FilingState.UPLOAD_FAILED, FilingState.EFFECTIVE)


def in_force(unit: Unit, enrolment_id: str, place_area: str, day: date) -> FilingView | None:
    """Return the filing that counts at a place on a day: the one begun last of those that cover it.

    Only what the national platform has taken counts; one that was replaced or cancelled still counts
    for the days before.
    """
    row = unit.db.exec(
        select(Filing)
        .where(Filing.enrolment_id == enrolment_id, Filing.starts <= day)
        .where(or_(col(Filing.ends).is_(None), col(Filing.ends) >= day))
        .where(col(Filing.area_code).in_(_places(place_area)))
        .where(col(Filing.effective_at).is_not(None))
        .order_by(col(Filing.starts).desc(), col(Filing.id).desc())
    ).first()
    return None if row is None else view(row, local_day(unit.now))


def standing(
    unit: Unit, enrolment_ids: Sequence[str], today: date, lock: bool = False
) -> list[FilingView]:
    """Return filings of some enrolments that neither ended nor ran out, the newest first."""
    query = (
        select(Filing)
        .where(col(Filing.enrolment_id).in_(enrolment_ids), col(Filing.state).in_(_STANDING))
        .where(or_(col(Filing.ends).is_(None), col(Filing.ends) >= today))
        .order_by(col(Filing.id).desc())
    )
    rows = unit.db.exec(query.with_for_update() if lock else query).all()
    return [view(row, local_day(unit.now)) for row in rows]


def of_enrolments(unit: Unit, enrolment_ids: Sequence[str], limit: int) -> list[FilingView]:
    """Return all filings of some enrolments, the newest first."""
    rows = unit.db.exec(
        select(Filing)
        .where(col(Filing.enrolment_id).in_(enrolment_ids))
        .order_by(col(Filing.id).desc())
        .limit(limit)
    ).all()
    return [view(row, local_day(unit.now)) for row in rows]


def not_seen_yet(unit: Unit, enrolment_id: str, place_area: str, day: date) -> FilingView | None:
    """Return a filing that would cover a place but that the national platform has not taken yet."""
    row = unit.db.exec(
        select(Filing)
        .where(Filing.enrolment_id == enrolment_id, Filing.starts <= day)
        .where(or_(col(Filing.ends).is_(None), col(Filing.ends) >= day))
        .where(col(Filing.area_code).in_(_places(place_area)))
        .where(col(Filing.state).in_((FilingState.APPROVED, FilingState.UPLOAD_FAILED)))
        .order_by(col(Filing.id).desc())
    ).first()
    return None if row is None else view(row, local_day(unit.now))


def failed_uploads(unit: Unit, regions: Sequence[str], limit: int) -> list[FilingView]:
    """Return filings of some regions whose upload has failed, the oldest first."""
    rows = unit.db.exec(
        select(Filing)
        .where(Filing.state == FilingState.UPLOAD_FAILED)
        .where(col(Filing.enrolment_id).in_(people.enrolments_within(regions)))
        .order_by(col(Filing.id))
        .limit(limit)
    ).all()
    return [view(row, local_day(unit.now)) for row in rows]


def of_matters(unit: Unit, matter_ids: Sequence[str]) -> dict[str, FilingView]:
    """Return what applications became, by the application."""
    rows = unit.db.exec(select(Filing).where(col(Filing.matter_id).in_(matter_ids))).all()
    today = local_day(unit.now)
    return {row.matter_id: view(row, today) for row in rows if row.matter_id is not None}


def filings(unit: Unit, ids: Sequence[str]) -> dict[str, FilingView]:
    """Return filings by id."""
    rows = unit.db.exec(select(Filing).where(col(Filing.id).in_(ids))).all() if ids else []
    return {row.id: view(row, local_day(unit.now)) for row in rows}


def filing(unit: Unit, filing_id: str) -> FilingView | None:
    """Return a filing, or ``None``."""
    row = unit.db.get(Filing, filing_id)
    return None if row is None else view(row, local_day(unit.now))


def people_filed_for(area_code: str, today: date) -> SelectOfScalar[str]:
    """Return, as a query, who has a filing in force for an area."""
    return people.people_of_enrolments(
        select(Filing.enrolment_id).where(
            Filing.state == FilingState.EFFECTIVE,
            or_(col(Filing.ends).is_(None), col(Filing.ends) >= today),
            col(Filing.area_code).in_(_places(area_code)),
        )
    )


def view(row: Filing, today: date) -> FilingView:
    """Return the view of a row as it stands today."""
    failed = row.state == FilingState.UPLOAD_FAILED
    over = row.ends is not None and row.ends < today
    state = FilingState(row.state)
    return FilingView(
        id=row.id,
        enrolment_id=row.enrolment_id,
        kind=FilingKind(row.kind),
        area_code=row.area_code,
        starts=row.starts,
        ends=row.ends,
        state=FilingState.EXPIRED if over and state in _STANDING else state,
        away_kind=None if row.away_kind is None else AwayKind(row.away_kind),
        route=None if row.route is None else FilingRoute(row.route),
        locked_until=row.locked_until,
        effective_at=row.effective_at,
        next_try_at=row.try_at if failed else None,
        matter_id=row.matter_id,
    )


def _places(place_area: str) -> list[str]:
    return [place_area, f"{province_code(place_area)}0000"]
