"""Reads of filings."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_
from sqlmodel import col, select

from backend.filings.contracts import FilingView
from backend.filings.model import Filing
from backend.infra.database import Unit
from backend.regions.library import province_code
from backend.settlement.case import FilingKind


def in_force(unit: Unit, enrolment_id: str, place_area: str, day: date) -> FilingView | None:
    """Return the filing that counts at a place on a day: the one begun last of those that cover it."""
    province = f"{province_code(place_area)}0000"
    row = unit.db.exec(
        select(Filing)
        .where(Filing.enrolment_id == enrolment_id, Filing.starts <= day)
        .where(or_(col(Filing.ends).is_(None), col(Filing.ends) >= day))
        .where(col(Filing.area_code).in_([place_area, province]))
        .order_by(col(Filing.starts).desc(), col(Filing.id).desc())
    ).first()
    if row is None:
        return None
    return FilingView(
        row.id, row.enrolment_id, FilingKind(row.kind), row.area_code, row.starts, row.ends
    )
