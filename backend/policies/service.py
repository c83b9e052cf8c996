"""Use cases of outages."""

from __future__ import annotations

from backend.access.contracts import Action, NotPermitted, SignInRequired
from backend.access.logic import label, may
from backend.infra import audit
from backend.infra.database import Unit
from backend.policies import queries
from backend.policies.contracts import AnnounceOutage, OutageView
from backend.policies.model import Outage


def announce_outage(
    unit: Unit, command: AnnounceOutage
) -> OutageView | SignInRequired | NotPermitted:
    """Store an outage; from its start every flow of the area refuses with its text."""
    refusal = may(command.actor, Action.ANNOUNCE_OUTAGE, "")
    if refusal is not None:
        return refusal
    if command.ends_at <= command.starts_at:
        raise ValueError("an outage ends after it starts")
    row = Outage(
        id=unit.new_id(),
        area_code=command.area_code,
        services=[service.value for service in command.services],
        starts_at=command.starts_at,
        ends_at=command.ends_at,
        reason=command.reason,
        instead=command.instead,
    )
    unit.db.add(row)
    facts = {"area": row.area_code, "services": row.services}
    audit.record(unit, label(command.actor), "outage.announce", f"outage:{row.id}", facts)
    return queries.view(row)


def end_outage(unit: Unit, operator: str, outage_id: str) -> OutageView | None:
    """End an outage now. Returns it, or ``None`` where there is none."""
    row = unit.db.get(Outage, outage_id)
    if row is None:
        return None
    row.ends_at = min(row.ends_at, unit.now)
    audit.record(unit, f"operator:{operator}", "outage.end", f"outage:{row.id}", {})
    return queries.view(row)
