"""Ratings at the desk: appeals of institutions against them, and answers that are overdue."""

from __future__ import annotations

from backend.access.contracts import Role, StaffActor
from backend.access.logic import label, regions_of, serves
from backend.desk.service import serves_somewhere
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.ratings import queries, service
from backend.ratings.contracts import DecideRating, RatingNotFound, RatingView


def waiting(unit: Unit, actor: StaffActor, limit: int) -> list[RatingView]:
    """Return appeals and overdue answers of a clerk's regions, the longest waiting first."""
    return queries.for_desk(unit, regions_of(actor.duties, Role.CLERK), limit)


def decide(unit: Unit, command: DecideRating) -> RatingView | Refusal:
    """Decide whether a rating stands that an institution calls false: of the institution's area."""
    found = queries.rating(unit, command.rating_id)
    if found is None:
        return serves_somewhere(command.actor, Role.CLERK) or RatingNotFound()
    area = found.institution.division_code
    refusal = serves(command.actor, Role.CLERK, (area,))
    if refusal is not None:
        return refusal
    return service.decide(unit, label(command.actor), found.id, command.uphold, command.words)
