"""Who works on an application: a clerk takes it, lets it go, or it is handed over with words why.

What nobody holds is anybody's of its region; what somebody holds is theirs for ``matter_hold_hours``, so
that two do not write to one applicant and nothing waits for who is ill.
"""

from __future__ import annotations

from backend.access.contracts import Actor, Role
from backend.access.logic import covers, label, serves
from backend.desk import queries
from backend.desk.contracts import (
    CannotHandTo,
    HandOver,
    MatterAtDesk,
    TakeMatter,
    WordsMissing,
)
from backend.desk.service import serves_somewhere
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.matters import queries as matters
from backend.matters import service as matter_service
from backend.matters.contracts import AT_THE_AGENCY, MatterNotFound, MatterView
from backend.staff import queries as staff
from backend.staff.contracts import StaffView


def take(unit: Unit, command: TakeMatter) -> MatterAtDesk | Refusal:
    """Take an application to work on, or let go what one holds."""
    matter = matters.matter(unit, command.matter_id)
    refusal = _reach(command.actor, matter, (Role.CLERK,))
    if refusal is not None or matter is None:
        return refusal or MatterNotFound()
    by = label(command.actor)
    held = queries.held_by_another(unit, by, matter)
    if held is not None:
        return held
    moved = matter_service.hold(unit, by, matter.id, None if command.let_go else by)
    return MatterNotFound() if moved is None else queries.matter_at_desk(unit, moved)


def hand_over(unit: Unit, command: HandOver) -> list[MatterAtDesk] | Refusal:
    """Give applications to another clerk, all or none: who holds them does, or a supervisor."""
    if not command.words.strip():
        return WordsMissing()
    to = staff.by_number(unit, command.to_number)
    done = []
    for matter_id in dict.fromkeys(command.matter_ids):
        moved = _handed(unit, command, matter_id, to)
        if isinstance(moved, Refusal):
            unit.db.rollback()
            return moved
        done.append(moved)
    return queries.matters_at_desk(unit, done)


def _handed(
    unit: Unit, command: HandOver, matter_id: str, to: StaffView | None
) -> MatterView | Refusal:
    matter = matters.matter(unit, matter_id)
    refusal = _reach(command.actor, matter, (Role.SUPERVISOR, Role.CLERK))
    if refusal is not None or matter is None:
        return refusal or MatterNotFound()
    by = label(command.actor)
    supervises = _reach(command.actor, matter, (Role.SUPERVISOR,)) is None
    held = queries.held_by_another(unit, by, matter)
    if held is not None and not supervises:
        return held
    if to is None or not _may_take(to, matter):
        return CannotHandTo(command.to_number)
    holder = f"staff:{to.number}"
    moved = matter_service.hold(unit, by, matter.id, holder, command.words)
    return MatterNotFound() if moved is None else moved


def _may_take(to: StaffView, matter: MatterView) -> bool:
    """Tell whether somebody could work on an application: not who decided what is appealed against."""
    if to.blocked_at is not None or matter.decided_by == f"staff:{to.number}":
        return False
    return any(
        d.role is Role.CLERK and covers(d.region, desk) for d in to.duties for desk in matter.desks
    )


def _reach(actor: Actor, matter: MatterView | None, roles: tuple[Role, ...]) -> Refusal | None:
    """Return why an application is out of reach, ``None`` where one of the roles reaches it."""
    if matter is None:
        refusals = [serves_somewhere(actor, role) for role in roles]
        return refusals[-1] if None not in refusals else MatterNotFound()
    found = [serves(actor, role, matter.desks) for role in roles]
    if None not in found:
        return found[-1]
    return None if matter.state in AT_THE_AGENCY else MatterNotFound()
