"""Use cases of devices, step-up, the payment password and the freeze.

``step_up`` and ``choose_password`` keep what they wrote when they refuse: a wrong password counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from argon2.exceptions import VerifyMismatchError
from sqlmodel import col, select

from backend.access import assurance
from backend.access.assurance import Demand, Proof, StepUpRequired
from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.identity import queries
from backend.identity.challenges import STEP_UP, in_session, send_code, show_code
from backend.identity.contracts import CodeWrong, SignInCodeSent, SignInLocked, TooManyCodes
from backend.identity.logic import is_weak
from backend.identity.model import AccountFreeze, DeviceSession, PaymentPassword
from backend.identity.safety_contracts import (
    AccountFrozen,
    ChoosePassword,
    EndSession,
    FreezeAccount,
    PasswordBlocked,
    PasswordLocked,
    PasswordState,
    PasswordTooWeak,
    PasswordUnset,
    PasswordWrong,
    ProofNotHere,
    RequestStepUpCode,
    SafetyView,
    SessionsEnded,
    SessionUnknown,
    SignOutEverywhere,
    SteppedUp,
    StepUp,
    UnfreezeAccount,
)
from backend.identity.service import end
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.passwords import hasher
from backend.kernel.errors import Refusal, Seconds
from backend.kernel.money import Fen
from backend.notices.service import tell
from backend.people import queries as people

PasswordRefusal = PasswordWrong | PasswordLocked | PasswordBlocked | PasswordUnset


def end_session(unit: Unit, command: EndSession) -> SessionsEnded | Refusal:
    """End the session of another or the same device of the caller's."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    session = unit.db.get(DeviceSession, command.session_id)
    if session is None or session.person_id != command.actor.person_id or session.ended_at:
        return SessionUnknown()
    end(unit, session, "ended from another device")
    return SessionsEnded(1)


def sign_out_everywhere(unit: Unit, command: SignOutEverywhere) -> SessionsEnded | Refusal:
    """End every session of the caller, this one included."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    return SessionsEnded(end_all(unit, command.actor.person_id, "signed out everywhere"))


def end_all(unit: Unit, person_id: str, reason: str, keep: str = "") -> int:
    """End every open session of a person but one, and return how many there were."""
    sessions = unit.db.exec(
        select(DeviceSession)
        .where(DeviceSession.person_id == person_id, col(DeviceSession.ended_at).is_(None))
        .where(DeviceSession.id != keep)
        .order_by(col(DeviceSession.id))
        .with_for_update()
    ).all()
    for session in sessions:
        end(unit, session, reason)
    return len(sessions)


def end_others(unit: Unit, actor: PersonActor, reason: str) -> int:
    """End every session of a person but the one that asks."""
    return end_all(unit, actor.person_id, reason, keep=actor.session_id)


def request_step_up_code(
    unit: Unit, command: RequestStepUpCode
) -> SignInCodeSent | TooManyCodes | SignInRequired:
    """Send a code to the signed-in person's own phone."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    actor = command.actor
    phone = people.particulars(unit, actor.person_id).phone
    return send_code(unit, phone, in_session(unit, actor), actor.person_id, STEP_UP)


def step_up(unit: Unit, command: StepUp) -> SteppedUp | Refusal:
    """Let the session count as proven for some minutes."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    refused: PasswordRefusal | CodeWrong | SignInLocked | None
    if command.proof is Proof.PAYMENT_PASSWORD:
        refused = check_password(unit, actor.person_id, command.secret)
    elif command.proof is Proof.SMS_CODE:
        refused = _check_phone(unit, actor, command.secret)
    else:
        return ProofNotHere()
    return refused or prove(unit, actor, command.proof)


def vouch(unit: Unit, clerk: str, person_id: str, session_id: str) -> SteppedUp | SessionUnknown:
    """Let a clerk at a counter, who sees person and document, vouch for who holds a device."""
    session = unit.db.get(DeviceSession, session_id)
    if session is None or session.person_id != person_id or session.ended_at is not None:
        return SessionUnknown()
    facts = {"session": session.id}
    audit.record(unit, clerk, "session.vouch", f"person:{person_id}", facts)
    return prove(unit, PersonActor(person_id, session.id), Proof.DESK)


def prove(unit: Unit, actor: PersonActor, proof: Proof) -> SteppedUp:
    """Write down that a session has shown a proof now."""
    session = unit.db.get_one(DeviceSession, actor.session_id, with_for_update=True)
    session.proofs = {**session.proofs, proof.value: unit.now.isoformat()}
    unit.db.flush()
    facts = {"session": session.id, "proof": proof.value}
    audit.record(unit, label(actor), "session.prove", f"person:{actor.person_id}", facts)
    return SteppedUp(proof, unit.now + _lives(unit))


def demand(
    unit: Unit, actor: PersonActor, asked: Demand, amount: Fen | None = None
) -> StepUpRequired | None:
    """Return what proof is missing for an act of this session, ``None`` where none is."""
    session = unit.db.get_one(DeviceSession, actor.session_id)
    shown = {Proof(name): datetime.fromisoformat(at) for name, at in _proofs(session).items()}
    return assurance.refusal(
        asked,
        assurance.fresh(shown, unit.now, _lives(unit)),
        frozenset(queries.ways(unit, actor.person_id)),
        amount,
        Fen(unit.settings.face_alone_max_fen),
    )


def choose_password(unit: Unit, command: ChoosePassword) -> SafetyView | Refusal:
    """Set, change or reset the payment password.

    Whoever knows the one before needs nothing else; whoever does not shows a face, a passkey or comes
    to a counter; the first one is set by whoever has just signed in with the phone.
    """
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    known = people.particulars(unit, actor.person_id)
    if is_weak(command.password, known.id_number, known.phone, known.birth_date):
        return PasswordTooWeak()
    if command.current is not None:
        wrong = check_password(unit, actor.person_id, command.current)
        if wrong is not None:
            return wrong
    else:
        missing = demand(unit, actor, Demand.NEW_PASSWORD)
        if missing is not None:
            return missing
    set_password(unit, actor.person_id, command.password, label(actor))
    return queries.safety(unit, actor.person_id)


def set_password(unit: Unit, person_id: str, password: str, by: str) -> None:
    """Store a payment password that was checked to be strong, open and with no failures."""
    row = _password(unit, person_id) or PaymentPassword(
        person_id=person_id, digest="", set_at=unit.now
    )
    row.digest = hasher(unit.settings).hash(password)
    row.set_at = unit.now
    row.failures = row.failures_in_row = 0
    row.locked_until = None
    unit.db.add(row)
    unit.db.flush()
    audit.record(unit, by, "password.set", f"person:{person_id}", {})
    tell(unit, person_id, "payment_password_set")


def check_password(unit: Unit, person_id: str, password: str) -> PasswordRefusal | None:
    """Return ``None`` where the payment password is right. A wrong one counts."""
    row = _password(unit, person_id)
    if row is None:
        return PasswordUnset()
    state = queries.password_state(unit, row)
    if state is PasswordState.BLOCKED:
        return PasswordBlocked()
    if row.locked_until is not None and row.locked_until > unit.now:
        return PasswordLocked(Seconds(ceil((row.locked_until - unit.now).total_seconds())))
    try:
        hasher(unit.settings).verify(row.digest, password)
    except VerifyMismatchError:
        return _count_wrong(unit, row)
    row.failures = row.failures_in_row = 0
    row.locked_until = None
    if hasher(unit.settings).check_needs_rehash(row.digest):
        row.digest = hasher(unit.settings).hash(password)
    unit.db.flush()
    return None


def freeze_account(unit: Unit, command: FreezeAccount) -> SafetyView | SignInRequired:
    """Freeze the caller's account. Freezing it twice is no error, and needs no proof at all."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    person_id = command.actor.person_id
    freeze(unit, person_id, command.reason, label(command.actor))
    return queries.safety(unit, person_id)


def freeze(unit: Unit, person_id: str, reason: str, by: str) -> None:
    """Let nothing of a person be paid or shown at a till."""
    people.lock_person(unit, person_id)
    if unit.db.get(AccountFreeze, person_id) is not None:
        return
    sealed = unit.vault.seal(reason[:200], f"freeze:{person_id}")
    unit.db.add(AccountFreeze(person_id=person_id, frozen_at=unit.now, reason=sealed))
    unit.db.flush()
    audit.record(unit, by, "account.freeze", f"person:{person_id}", {})
    tell(unit, person_id, "account_frozen")


def unfreeze_account(unit: Unit, command: UnfreezeAccount) -> SafetyView | Refusal:
    """Lift the caller's freeze; asks for a strong proof, because a thief would want it too."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    missing = demand(unit, command.actor, Demand.STRONG)
    if missing is not None:
        return missing
    person_id = command.actor.person_id
    people.lock_person(unit, person_id)
    row = unit.db.get(AccountFreeze, person_id)
    if row is not None:
        unit.db.delete(row)
        unit.db.flush()
        audit.record(unit, label(command.actor), "account.unfreeze", f"person:{person_id}", {})
        tell(unit, person_id, "account_unfrozen")
    return queries.safety(unit, person_id)


def frozen_refusal(unit: Unit, person_id: str) -> AccountFrozen | None:
    """Return why nothing of a person can be shown or paid, ``None`` where it can."""
    row = unit.db.get(AccountFreeze, person_id, populate_existing=True)
    return None if row is None else AccountFrozen(row.frozen_at)


def _count_wrong(unit: Unit, row: PaymentPassword) -> PasswordRefusal:
    settings = unit.settings
    row.failures += 1
    row.failures_in_row += 1
    left = settings.password_failures_to_lock - row.failures_in_row
    if left <= 0:
        row.failures_in_row = 0
        row.locked_until = unit.now + timedelta(seconds=settings.password_lock_seconds)
        tell(unit, row.person_id, "payment_password_locked")
    unit.db.flush()
    facts = {"failures": row.failures}
    audit.record(
        unit, f"person:{row.person_id}", "password.wrong", f"person:{row.person_id}", facts
    )
    if row.failures >= settings.password_failures_to_block:
        return PasswordBlocked()
    if left <= 0:
        return PasswordLocked(Seconds(settings.password_lock_seconds))
    return PasswordWrong(left)


def _check_phone(unit: Unit, actor: PersonActor, code: str) -> CodeWrong | SignInLocked | None:
    phone = people.particulars(unit, actor.person_id).phone
    shown = show_code(unit, phone, code, STEP_UP, in_session(unit, actor))
    if isinstance(shown, Refusal):
        return shown
    return None if shown == actor.person_id else CodeWrong(0)


def _password(unit: Unit, person_id: str) -> PaymentPassword | None:
    query = select(PaymentPassword).where(PaymentPassword.person_id == person_id)
    return unit.db.exec(query.with_for_update()).first()


def _lives(unit: Unit) -> timedelta:
    return timedelta(seconds=unit.settings.step_up_seconds)


def _proofs(session: DeviceSession) -> Mapping[str, str]:
    proofs: Mapping[str, str] = session.proofs
    return proofs
