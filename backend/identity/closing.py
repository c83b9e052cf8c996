"""Closing a record: nobody signs in with it or proves themselves by it again."""

from __future__ import annotations

from sqlalchemy import delete, update
from sqlmodel import col

from backend.identity import safety
from backend.identity.model import FaceCheck, FaceTemplate, Passkey, PaymentPassword
from backend.infra.database import Unit


def close_record(unit: Unit, person_id: str, reason: str) -> int:
    """End all sessions of a record, forget its ways of proving, and return how many sessions ended.

    Before: the person is locked. What somebody has set up on the record that goes on stays as it is.
    """
    ended = safety.end_all(unit, person_id, reason)
    db = unit.db
    db.execute(delete(Passkey).where(col(Passkey.person_id) == person_id))
    db.execute(delete(FaceTemplate).where(col(FaceTemplate.person_id) == person_id))
    db.execute(delete(PaymentPassword).where(col(PaymentPassword.person_id) == person_id))
    db.execute(update(FaceCheck).where(col(FaceCheck.person_id) == person_id).values(kept=None))
    return ended
