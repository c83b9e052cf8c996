"""Use cases of sign-in.

``sign_in`` and ``refresh_session`` keep what they wrote when they refuse: a wrong code counts, and a
reused token ends its whole family. They carry no request key, because an answer with tokens in it is
not to be stored; a lost answer is covered by the short grace of a rotated token.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, delete, select

from backend.access.assurance import Proof
from backend.access.contracts import PersonActor, SignInRequired
from backend.identity.challenges import SIGN_IN, at_place, send_code, show_code
from backend.identity.contracts import (
    CodeWrong,
    PhoneInvalid,
    RefreshSession,
    RequestSignInCode,
    SessionEnded,
    SessionOpened,
    SignedOut,
    SignIn,
    SignInCodeSent,
    SignInLocked,
    SignOut,
    TooManyCodes,
)
from backend.identity.model import (
    DeviceSession,
    PasskeyChallenge,
    RefreshToken,
    SignInChallenge,
)
from backend.infra import audit, rates, tokens
from backend.infra.database import Unit
from backend.notices.service import forget_device
from backend.people import queries as people

_PHONE = re.compile(r"1\d{10}\Z", re.ASCII)


def is_phone(text: str) -> bool:
    """Tell whether a text is a mobile number of mainland China."""
    return _PHONE.match(text) is not None


def request_sign_in_code(
    unit: Unit, command: RequestSignInCode
) -> SignInCodeSent | PhoneInvalid | TooManyCodes:
    """Send a six-digit code to a phone. A newer code voids the older one of the same asker."""
    if not is_phone(command.phone):
        return PhoneInvalid()
    owner = people.person_by_phone(unit, command.phone)
    return send_code(unit, command.phone, at_place(unit, command.address), owner, SIGN_IN)


def sign_in(unit: Unit, command: SignIn) -> SessionOpened | PhoneInvalid | CodeWrong | SignInLocked:
    """Open a session for who holds the phone and its newest code."""
    if not is_phone(command.phone):
        return PhoneInvalid()
    asker = at_place(unit, command.address)
    person_id = show_code(unit, command.phone, command.code, SIGN_IN, asker)
    if isinstance(person_id, CodeWrong | SignInLocked):
        return person_id
    device = Device(command.device_name, command.address)
    return open_session(unit, person_id, device, Proof.SMS_CODE)


@dataclass(frozen=True)
class Device:
    """A device that signs in: what its owner calls it, and the address that it is seen at."""

    name: str
    address: str


def open_session(unit: Unit, person_id: str, device: Device, proof: Proof) -> SessionOpened:
    """Open a session on a device that has shown a proof just now."""
    session = DeviceSession(
        id=unit.new_id(),
        person_id=person_id,
        device_name=device.name[:60],
        place=rates.place_of(unit, device.address),
        opened_at=unit.now,
        last_seen_at=unit.now,
        proofs={proof.value: unit.now.isoformat()},
    )
    unit.db.add(session)
    unit.db.flush()
    opened = _opened(unit, session)
    facts = {"session": session.id, "proof": proof.value}
    audit.record(unit, f"person:{person_id}", "session.open", f"person:{person_id}", facts)
    return opened


def refresh_session(unit: Unit, command: RefreshSession) -> SessionOpened | SessionEnded:
    """Exchange a refresh token for new tokens.

    A token that has served is taken as stolen and ends the session with all its tokens, unless its
    successor was never used and it comes back within the grace: then the answer was lost on the way.
    """
    digest = _digest(unit, command.refresh_token)
    token = unit.db.exec(
        select(RefreshToken).where(RefreshToken.digest == digest).with_for_update()
    ).first()
    if token is None or token.expires_at <= unit.now:
        return SessionEnded()
    session = unit.db.get_one(DeviceSession, token.session_id)
    if session.ended_at is not None:
        return SessionEnded()
    if token.used_at is not None and not _answer_was_lost(unit, token):
        end(unit, session, "refresh token reused")
        return SessionEnded()
    token.used_at = unit.now
    session.last_seen_at, session.place = unit.now, rates.place_of(unit, command.address)
    opened = _opened(unit, session)
    token.successor = _digest(unit, opened.refresh_token)
    return opened


def sign_out(unit: Unit, command: SignOut) -> SignedOut | SignInRequired:
    """End the caller's session. Ending it twice is no error."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    session = unit.db.get_one(DeviceSession, command.actor.session_id)
    if session.ended_at is None:
        end(unit, session, "signed out")
    return SignedOut(session.id)


def _opened(unit: Unit, session: DeviceSession) -> SessionOpened:
    access_expires = unit.now + timedelta(seconds=unit.settings.access_token_seconds)
    refresh_expires = unit.now + timedelta(days=unit.settings.refresh_token_days)
    secret = base64.urlsafe_b64encode(unit.resources.ids.secret(32)).rstrip(b"=").decode()
    unit.db.add(
        RefreshToken(
            digest=_digest(unit, secret),
            session_id=session.id,
            issued_at=unit.now,
            expires_at=refresh_expires,
        )
    )
    claims = tokens.Claims(tokens.Audience.PERSON, session.person_id, session.id, access_expires)
    return SessionOpened(
        session_id=session.id,
        access_token=tokens.sign_access_token(
            unit.vault.ring, unit.settings.issuer, claims, unit.now
        ),
        access_expires_at=access_expires,
        refresh_token=secret,
        refresh_expires_at=refresh_expires,
        person=people.person(unit, session.person_id),
    )


def _answer_was_lost(unit: Unit, token: RefreshToken) -> bool:
    grace = timedelta(seconds=unit.settings.refresh_grace_seconds)
    if token.used_at is None or unit.now - token.used_at > grace or token.successor is None:
        return False
    successor = unit.db.get(RefreshToken, token.successor)
    if successor is None or successor.used_at is not None:
        return False
    unit.db.delete(successor)
    return True


def tidy_up(unit: Unit) -> int:
    """Remove challenges that nobody answered and refresh tokens past their time; return how many."""
    done = (
        delete(SignInChallenge).where(col(SignInChallenge.expires_at) <= unit.now),
        delete(PasskeyChallenge).where(col(PasskeyChallenge.expires_at) < unit.now),
        delete(RefreshToken).where(col(RefreshToken.expires_at) < unit.now),
    )
    return sum(unit.db.exec(statement).rowcount for statement in done)


def end(unit: Unit, session: DeviceSession, reason: str) -> None:
    """End a session; its tokens are worthless from now on."""
    session.ended_at = unit.now
    session.ended_because = reason
    forget_device(unit, session.id)
    subject = f"person:{session.person_id}"
    facts = {"session": session.id, "reason": reason}
    audit.record(unit, subject, "session.end", subject, facts)


def _digest(unit: Unit, secret: str) -> str:
    return unit.vault.index(secret, "secret")
