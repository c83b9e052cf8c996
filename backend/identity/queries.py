"""Reads of sessions."""

from __future__ import annotations

from backend.identity.model import DeviceSession
from backend.infra.database import Unit


def session_is_open(unit: Unit, session_id: str, person_id: str) -> bool:
    """Tell whether a session of this person is still open; asked on every request and event."""
    session = unit.db.get(DeviceSession, session_id)
    return session is not None and session.person_id == person_id and session.ended_at is None
