"""Reads of staff."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from backend.access.contracts import Duty, Role, StaffActor
from backend.infra.database import Unit
from backend.staff.contracts import StaffView
from backend.staff.model import StaffDuty, StaffMember, StaffSession


def actor(unit: Unit, session_id: str, staff_id: str) -> StaffActor | None:
    """Return who works in a session that is open, with their duties as they are now."""
    row = unit.db.exec(
        select(StaffMember)
        .join(StaffSession, col(StaffSession.staff_id) == col(StaffMember.id))
        .where(StaffSession.id == session_id, StaffMember.id == staff_id)
        .where(col(StaffSession.closed_at).is_(None), StaffSession.expires_at > unit.now)
        .where(col(StaffMember.blocked_at).is_(None))
    ).first()
    return None if row is None else StaffActor(row.id, session_id, row.number, duties(unit, row.id))


def open_sessions(unit: Unit, session_ids: Sequence[str]) -> dict[str, str]:
    """Return the member of staff of each of these sessions that is still open."""
    query = (
        select(StaffSession.id, StaffSession.staff_id)
        .join(StaffMember, col(StaffMember.id) == col(StaffSession.staff_id))
        .where(col(StaffSession.id).in_(session_ids), col(StaffSession.closed_at).is_(None))
        .where(StaffSession.expires_at > unit.now, col(StaffMember.blocked_at).is_(None))
    )
    return dict(unit.db.exec(query).all())


def duties(unit: Unit, staff_id: str) -> tuple[Duty, ...]:
    """Return what somebody may do where."""
    rows = unit.db.exec(
        select(StaffDuty)
        .where(StaffDuty.staff_id == staff_id)
        .order_by(col(StaffDuty.region), col(StaffDuty.role))
    ).all()
    return tuple(Duty(Role(row.role), row.region) for row in rows)


def by_number(unit: Unit, number: str) -> StaffView | None:
    """Return a member of staff, or ``None``."""
    row = unit.db.exec(select(StaffMember).where(StaffMember.number == number)).first()
    return None if row is None else view(unit, row)


def everybody(unit: Unit) -> list[StaffView]:
    """Return all staff in the order of their numbers."""
    rows = unit.db.exec(select(StaffMember).order_by(col(StaffMember.number))).all()
    return [view(unit, row) for row in rows]


def view(unit: Unit, row: StaffMember) -> StaffView:
    """Return the view of a row."""
    return StaffView(row.id, row.number, row.name, duties(unit, row.id), row.blocked_at)
