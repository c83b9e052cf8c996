"""Reads of manual claims."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from backend.claims.contracts import ClaimView
from backend.claims.model import ClaimedInvoice, ManualClaim
from backend.infra.database import Unit
from backend.people import queries as people
from backend.settlement import queries as settlements


def claim(unit: Unit, claim_id: str) -> ClaimView | None:
    """Return a claim, or ``None``."""
    row = unit.db.get(ManualClaim, claim_id)
    return None if row is None else _views(unit, [row])[0]


def claims(unit: Unit, ids: Sequence[str]) -> list[ClaimView]:
    """Return claims by id."""
    if not ids:
        return []
    return _views(unit, unit.db.exec(select(ManualClaim).where(col(ManualClaim.id).in_(ids))).all())


def of_person(unit: Unit, person_id: str, limit: int) -> list[ClaimView]:
    """Return a person's claims, the newest first."""
    rows = unit.db.exec(
        select(ManualClaim)
        .where(col(ManualClaim.person_id).in_(people.records_of(person_id)))
        .order_by(col(ManualClaim.id).desc())
        .limit(limit)
    ).all()
    return _views(unit, rows)


def standing_stretches(unit: Unit, claim_id: str) -> list[ClaimView]:
    """Return the claims that stand of the stay that a claim begins, the earliest first."""
    rows = unit.db.exec(
        select(ManualClaim)
        .where((col(ManualClaim.id) == claim_id) | (col(ManualClaim.continues_id) == claim_id))
        .order_by(col(ManualClaim.id))
    ).all()
    standing = [view for view in _views(unit, rows) if view.settlement.reversed_by_id is None]
    return sorted(standing, key=lambda view: view.settlement.number)


def holders(unit: Unit, invoices: Sequence[str]) -> dict[str, str]:
    """Return which standing claims hold which of some invoices, by number."""
    rows = unit.db.exec(
        select(ClaimedInvoice)
        .where(col(ClaimedInvoice.number).in_(invoices))
        .order_by(col(ClaimedInvoice.number))
    ).all()
    return {row.number: row.claim_id for row in rows}


def _views(unit: Unit, rows: Sequence[ManualClaim]) -> list[ClaimView]:
    found = settlements.latest_of_bills(unit, [row.id for row in rows])
    return [
        ClaimView(
            id=row.id,
            settlement=found[row.id],
            invoices=tuple(row.invoices),
            continues_id=row.continues_id,
            booked_by=row.booked_by,
            booked_at=row.booked_at,
        )
        for row in rows
    ]
