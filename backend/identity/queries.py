"""Reads of sessions and of how accounts are protected."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from backend.access.assurance import Proof
from backend.identity.model import (
    AccountFreeze,
    DeviceSession,
    FaceTemplate,
    Passkey,
    PaymentPassword,
)
from backend.identity.passkey_contracts import Passkeys, PasskeyView
from backend.identity.safety_contracts import DeviceView, PasswordState, SafetyView
from backend.infra.database import Unit


def session_is_open(unit: Unit, session_id: str, person_id: str) -> bool:
    """Tell whether a session of this person is still open; asked on every request and event."""
    session = unit.db.get(DeviceSession, session_id)
    return session is not None and session.person_id == person_id and session.ended_at is None


def open_sessions(unit: Unit, session_ids: Sequence[str]) -> dict[str, str]:
    """Return the person of each of these sessions that is still open."""
    query = select(DeviceSession.id, DeviceSession.person_id).where(
        col(DeviceSession.id).in_(session_ids), col(DeviceSession.ended_at).is_(None)
    )
    return dict(unit.db.exec(query).all())


def devices(unit: Unit, person_id: str) -> list[DeviceView]:
    """Return where a person is signed in, the device last seen first."""
    rows = unit.db.exec(
        select(DeviceSession)
        .where(DeviceSession.person_id == person_id, col(DeviceSession.ended_at).is_(None))
        .order_by(col(DeviceSession.last_seen_at).desc(), col(DeviceSession.id).desc())
    ).all()
    return [DeviceView(row.id, row.device_name, row.opened_at, row.last_seen_at) for row in rows]


def ways(unit: Unit, person_id: str) -> tuple[Proof, ...]:
    """Return what a person has set up to prove themselves with, beside the phone."""
    held = []
    if unit.db.get(PaymentPassword, person_id) is not None:
        held.append(Proof.PAYMENT_PASSWORD)
    if unit.db.exec(select(Passkey.id).where(Passkey.person_id == person_id)).first() is not None:
        held.append(Proof.PASSKEY)
    if unit.db.get(FaceTemplate, person_id) is not None:
        held.append(Proof.FACE)
    return tuple(held)


def passkeys(unit: Unit, person_id: str) -> Passkeys:
    """Return a person's passkeys, the newest first."""
    rows = unit.db.exec(
        select(Passkey)
        .where(Passkey.person_id == person_id)
        .order_by(col(Passkey.added_at).desc(), col(Passkey.id))
    ).all()
    return Passkeys(
        tuple(PasskeyView(row.id, row.name, row.added_at, row.last_used_at) for row in rows)
    )


def safety(unit: Unit, person_id: str) -> SafetyView:
    """Return how a person's account is protected."""
    password = unit.db.get(PaymentPassword, person_id)
    frozen = unit.db.get(AccountFreeze, person_id)
    return SafetyView(
        person_id=person_id,
        password=PasswordState.UNSET if password is None else password_state(unit, password),
        password_locked_until=None if password is None else password.locked_until,
        frozen_at=None if frozen is None else frozen.frozen_at,
        freeze_reason=""
        if frozen is None
        else unit.vault.open(frozen.reason, f"freeze:{person_id}"),
        ways=ways(unit, person_id),
    )


def password_state(unit: Unit, row: PaymentPassword) -> PasswordState:
    """Return where a payment password stands now."""
    if row.failures >= unit.settings.password_failures_to_block:
        return PasswordState.BLOCKED
    locked = row.locked_until is not None and row.locked_until > unit.now
    return PasswordState.LOCKED if locked else PasswordState.SET


def frozen_people(unit: Unit) -> list[str]:
    """Return whose accounts are frozen now."""
    return list(unit.db.exec(select(AccountFreeze.person_id)).all())
