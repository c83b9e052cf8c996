"""Writes filings."""

from __future__ import annotations

from datetime import date

from backend.filings.model import Filing
from backend.infra import audit
from backend.infra.database import Unit
from backend.settlement.case import FilingKind


def record_filing(
    unit: Unit,
    actor: str,
    enrolment_id: str,
    kind: FilingKind,
    area_code: str,
    starts: date,
    ends: date | None,
) -> str:
    """Store a filing that is effective and return its id. Applying for one is another matter."""
    filing = Filing(
        id=unit.new_id(),
        enrolment_id=enrolment_id,
        kind=kind,
        area_code=area_code,
        starts=starts,
        ends=ends,
    )
    unit.db.add(filing)
    unit.db.flush()
    facts = {"filing": filing.id, "kind": kind.value, "area": area_code}
    audit.record(unit, actor, "filing.record", f"enrolment:{enrolment_id}", facts)
    return filing.id
