"""Mismatches with institutions' statements at the desk of their area."""

from __future__ import annotations

from backend.access.contracts import Actor, Role, StaffActor
from backend.access.logic import label, regions_of, serves
from backend.desk.service import serves_somewhere
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.statements import queries, service
from backend.statements.contracts import MismatchNotFound, MismatchView


def mismatches(unit: Unit, actor: StaffActor, limit: int) -> list[MismatchView]:
    """Return what waits for a checker of the institutions' areas, the oldest first."""
    return queries.open_in(unit, regions_of(actor.duties, Role.CHECKER), limit)


def close(unit: Unit, actor: Actor, mismatch_id: str, words: str) -> MismatchView | Refusal:
    """Close a mismatch that a person has seen to, and say what became of it."""
    area = queries.area_of(unit, mismatch_id)
    if area is None:
        return serves_somewhere(actor, Role.CHECKER) or MismatchNotFound()
    refusal = serves(actor, Role.CHECKER, (area,))
    if refusal is not None:
        return refusal
    return service.close(unit, label(actor), mismatch_id, words) or MismatchNotFound()
