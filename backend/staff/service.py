"""Use cases of staff: accounts made at the console, sessions opened at the desk."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from functools import cache

import pyotp
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import update
from sqlmodel import col, delete, select

from backend.access.contracts import Duty, SignInRequired, StaffActor
from backend.access.logic import label
from backend.infra import audit, rates, tokens
from backend.infra.database import Unit
from backend.infra.passwords import hasher
from backend.infra.rates import Allowance
from backend.infra.settings import Settings
from backend.kernel.errors import Seconds
from backend.staff import queries
from backend.staff.contracts import (
    ChangeStaffPassword,
    CloseStaffSession,
    OpenStaffSession,
    StaffAdded,
    StaffLocked,
    StaffPasswordChanged,
    StaffPasswordWeak,
    StaffSessionClosed,
    StaffSessionOpened,
    StaffSignInWrong,
    StaffView,
)
from backend.staff.logic import is_weak
from backend.staff.model import StaffDuty, StaffMember, StaffSession

_STEP_SECONDS = 30
_HOUR, _DAY = 3_600, 86_400
_NOBODYS_SECRET = "A" * 32
"""Read where nobody has a number, so that it takes as long; no code of it opens anything."""
_ISSUER = "医保经办"


def add(
    unit: Unit,
    operator: str,
    number: str,
    name: str,
    duties: Sequence[Duty],
    known: tuple[str, str] | None = None,
) -> StaffAdded:
    """Add a member of staff, or give one a new password and authenticator; old sessions end.

    What is returned is handed over once; only a digest and the sealed secret are kept. Sample data
    alone brings a ``known`` password and secret.
    """
    row = unit.db.exec(select(StaffMember).where(StaffMember.number == number)).first()
    chance = unit.resources.ids
    password, secret = known or (
        base64.urlsafe_b64encode(chance.secret(15)).decode(),
        base64.b32encode(chance.secret(20)).decode(),
    )
    if row is None:
        row = StaffMember(
            id=unit.new_id(),
            number=number,
            name=name,
            password_digest="",
            totp_secret="",
            added_at=unit.now,
        )
        unit.db.add(row)
    row.name, row.blocked_at, row.last_step = name, None, 0
    rates.forget_all(unit, f"staff-wrong:{_number_index(unit, number)}:")
    row.password_digest = hasher(unit.settings).hash(password)
    row.totp_secret = unit.vault.seal(secret, f"staff:{row.id}")
    unit.db.flush()
    set_duties(unit, operator, row.id, duties)
    _end_sessions(unit, row.id)
    uri = pyotp.TOTP(secret).provisioning_uri(name=number, issuer_name=_ISSUER)
    return StaffAdded(queries.view(unit, row), password, uri)


def set_duties(unit: Unit, operator: str, staff_id: str, duties: Sequence[Duty]) -> StaffView:
    """Give somebody these duties and no others; it holds from the next request on."""
    unit.db.exec(delete(StaffDuty).where(col(StaffDuty.staff_id) == staff_id))
    for duty in sorted(set(duties), key=lambda one: (one.region, one.role)):
        unit.db.add(StaffDuty(staff_id=staff_id, role=duty.role, region=duty.region))
    unit.db.flush()
    facts = {"duties": [f"{duty.role}:{duty.region}" for duty in duties]}
    audit.record(unit, f"operator:{operator}", "staff.duties", f"staff:{staff_id}", facts)
    return queries.view(unit, unit.db.get_one(StaffMember, staff_id))


def block(unit: Unit, operator: str, staff_id: str) -> StaffView:
    """Let somebody work here no more, at once."""
    row = unit.db.get_one(StaffMember, staff_id)
    row.blocked_at = row.blocked_at or unit.now
    _end_sessions(unit, staff_id)
    audit.record(unit, f"operator:{operator}", "staff.block", f"staff:{staff_id}", {})
    return queries.view(unit, row)


def open_session(
    unit: Unit, command: OpenStaffSession
) -> StaffSessionOpened | StaffSignInWrong | StaffLocked:
    """Open a session at the desk. A number that nobody has is answered, counted and worked on alike.

    Wrong attempts count for the number and the address that they come from: after
    ``staff_failures_to_lock`` of them this address waits for this number, and no other address does. At
    addresses where the number has not signed in for ``staff_known_address_days``, a number also waits
    after ``staff_failures_elsewhere_per_day`` wrong attempts in a day from all of these together, and an
    address after ``staff_failures_per_address_per_hour`` whatever the numbers. Ten addresses reach the
    former, and neither keeps a clerk out of a desk in use.
    """
    number, place = command.number.strip(), rates.place_of(unit, command.address)
    query = select(StaffMember).where(StaffMember.number == number)
    row = unit.db.exec(query.with_for_update()).first()
    tries = _tries(unit, number, row, place)
    wait = _wait(unit, tries)
    if wait is not None:
        return StaffLocked(wait)
    known = row is not None and row.blocked_at is None
    digest = row.password_digest if row is not None and known else _nobodys(unit.settings)
    right = _fits(unit, digest, command.password)
    step = _step(unit, row, command.code)
    if row is None or not known or not right or step is None:
        return _count_failure(unit, row, tries)
    row.last_step = step
    rates.forget(unit, tries[0].bucket)
    session = StaffSession(
        id=unit.new_id(),
        staff_id=row.id,
        opened_at=unit.now,
        expires_at=unit.now + timedelta(seconds=unit.settings.staff_session_seconds),
        place=place,
    )
    unit.db.add(session)
    unit.db.flush()
    claims = tokens.Claims(tokens.Audience.STAFF, row.id, session.id, session.expires_at)
    facts = {"session": session.id}
    audit.record(unit, f"staff:{row.number}", "staff.sign_in", f"staff:{row.id}", facts)
    token = tokens.sign_access_token(unit.vault.ring, unit.settings.issuer, claims, unit.now)
    return StaffSessionOpened(session.id, token, session.expires_at, queries.view(unit, row))


def close_session(unit: Unit, command: CloseStaffSession) -> StaffSessionClosed | SignInRequired:
    """End the caller's session at the desk. Ending it twice is no error."""
    actor = command.actor
    if not isinstance(actor, StaffActor):
        return SignInRequired()
    row = unit.db.get_one(StaffSession, actor.session_id)
    row.closed_at = row.closed_at or unit.now
    unit.db.flush()
    audit.record(unit, label(actor), "staff.sign_out", f"staff:{actor.staff_id}", {})
    return StaffSessionClosed(row.id)


def change_password(
    unit: Unit, command: ChangeStaffPassword
) -> StaffPasswordChanged | SignInRequired | StaffSignInWrong | StaffLocked | StaffPasswordWeak:
    """Set a new password; every other session of the caller's ends.

    A wrong old one counts against the caller's own session and against no sign-in.
    """
    actor = command.actor
    if not isinstance(actor, StaffActor):
        return SignInRequired()
    query = select(StaffMember).where(StaffMember.id == actor.staff_id)
    row = unit.db.exec(query.with_for_update()).one()
    settings = unit.settings
    bucket = f"staff-password:{actor.session_id}"
    tries = [Allowance(bucket, settings.staff_failures_to_lock, settings.staff_lock_seconds)]
    wait = _wait(unit, tries)
    if wait is not None:
        return StaffLocked(wait)
    if not _fits(unit, row.password_digest, command.password):
        return _count_failure(unit, row, tries)
    if is_weak(command.new_password, row.number, row.name):
        return StaffPasswordWeak()
    row.password_digest = hasher(settings).hash(command.new_password)
    rates.forget(unit, bucket)
    _end_sessions(unit, row.id, keep=actor.session_id)
    audit.record(unit, label(actor), "staff.password", f"staff:{row.id}", {})
    return StaffPasswordChanged(row.id)


def _step(unit: Unit, row: StaffMember | None, code: str) -> int | None:
    """Return the time step whose code was shown, one early or late; ``None`` where none fits or it was used."""
    secret = _NOBODYS_SECRET
    if row is not None:
        secret = unit.vault.open(row.totp_secret, f"staff:{row.id}")
    totp = pyotp.TOTP(secret)
    now = int(unit.now.timestamp()) // _STEP_SECONDS
    for step in (now, now - 1, now + 1):
        fits = pyotp.utils.strings_equal(totp.generate_otp(step), code.strip())
        if fits and row is not None and step > row.last_step:
            return step
    return None


def _tries(unit: Unit, number: str, row: StaffMember | None, place: str) -> list[Allowance]:
    """Return what a wrong attempt counts against: the number here, and at unknown places the number."""
    settings, index = unit.settings, _number_index(unit, number)
    tries = [
        Allowance(
            f"staff-wrong:{index}:{place}",
            settings.staff_failures_to_lock,
            settings.staff_lock_seconds,
        )
    ]
    if not _has_signed_in_at(unit, "" if row is None else row.id, place):
        limit = settings.staff_failures_elsewhere_per_day
        tries.append(Allowance(f"staff-wrong:{index}:elsewhere", limit, _DAY))
        limit = settings.staff_failures_per_address_per_hour
        tries.append(Allowance(f"staff-wrong-from:{place}", limit, _HOUR))
    return tries


def _has_signed_in_at(unit: Unit, staff_id: str, place: str) -> bool:
    since = unit.now - timedelta(days=unit.settings.staff_known_address_days)
    query = select(StaffSession.id).where(
        StaffSession.staff_id == staff_id,
        StaffSession.place == place,
        StaffSession.opened_at > since,
    )
    return unit.db.exec(query.limit(1)).first() is not None


def _wait(unit: Unit, tries: Sequence[Allowance]) -> Seconds | None:
    waits = [rates.wait_for(unit, one.bucket, one.limit, one.window_seconds) for one in tries]
    return max((one for one in waits if one is not None), default=None)


def _count_failure(
    unit: Unit, row: StaffMember | None, tries: Sequence[Allowance]
) -> StaffSignInWrong | StaffLocked:
    for one in tries:
        rates.hit(unit, one.bucket, one.limit, one.window_seconds)
    wait = _wait(unit, tries)
    subject = "staff:nobody" if row is None else f"staff:{row.id}"
    facts = {"locks": wait is not None}
    audit.record(unit, "anonymous", "staff.sign_in_wrong", subject, facts)
    return StaffSignInWrong() if wait is None else StaffLocked(wait)


def _number_index(unit: Unit, number: str) -> str:
    return unit.vault.index(number, "staff_number")


def _fits(unit: Unit, digest: str, password: str) -> bool:
    try:
        return hasher(unit.settings).verify(digest, password)
    except VerifyMismatchError:
        return False


@cache
def _nobodys(settings: Settings) -> str:
    """Return a digest to compare with where nobody has the number, so that it takes as long."""
    return hasher(settings).hash("nobody has this password")


def _end_sessions(unit: Unit, staff_id: str, keep: str = "") -> None:
    ended = (
        update(StaffSession)
        .where(col(StaffSession.staff_id) == staff_id, col(StaffSession.id) != keep)
        .where(col(StaffSession.closed_at).is_(None))
        .values(closed_at=unit.now)
    )
    unit.db.execute(ended)
    unit.db.flush()
