"""Use cases of sign-in.

``sign_in`` and ``refresh_session`` keep what they wrote when they refuse: a wrong code counts, and a
reused token ends its whole family. They carry no request key, because an answer with tokens in it is
not to be stored; a lost answer is covered by the short grace of a rotated token.
"""

from __future__ import annotations

import base64
import hmac
import re
from datetime import timedelta
from math import ceil

from sqlmodel import col, delete, select

from backend.access.assurance import Proof
from backend.access.contracts import PersonActor, SignInRequired
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
from backend.kernel.errors import Seconds
from backend.notices.service import forget_device, to_phone
from backend.people import queries as people

_PHONE = re.compile(r"1\d{10}\Z", re.ASCII)
HOUR = 3600
SIGN_IN, STEP_UP, REGISTER, NEW_PHONE = "SIGN_IN", "STEP_UP", "REGISTER", "NEW_PHONE"
"""What a code from the phone is for."""


def is_phone(text: str) -> bool:
    """Tell whether a text is a mobile number of mainland China."""
    return _PHONE.match(text) is not None


def request_sign_in_code(
    unit: Unit, command: RequestSignInCode
) -> SignInCodeSent | PhoneInvalid | TooManyCodes:
    """Send a six-digit code to a phone. A newer code voids the older one."""
    if not is_phone(command.phone):
        return PhoneInvalid()
    owner = people.person_by_phone(unit, command.phone)
    return send_code(unit, command.phone, command.address, owner, SIGN_IN)


def send_code(
    unit: Unit, phone: str, address: str, person_id: str | None, purpose: str
) -> SignInCodeSent | TooManyCodes:
    """Send a code to a phone; where nobody owns it, only a code to register by is sent.

    A code to register is told apart in the message where the phone has an account already.
    """
    settings, index = unit.settings, unit.vault.index(phone, "phone")
    wait = (
        rates.hit(unit, f"sms:{index}", 1, settings.sms_resend_seconds)
        or rates.hit(unit, f"sms-hour:{index}", settings.sms_per_phone_per_hour, HOUR)
        or rates.hit(unit, f"sms-from:{address}", settings.sms_per_address_per_hour, HOUR)
    )
    if wait is not None:
        return TooManyCodes(wait)
    code = unit.resources.ids.digits(6)
    challenge = unit.db.get(SignInChallenge, index) or SignInChallenge(
        phone_index=index,
        code_digest="",
        purpose=purpose,
        person_id=None,
        sent_at=unit.now,
        expires_at=unit.now,
    )
    challenge.code_digest = _digest(unit, f"{index}:{code}")
    challenge.purpose = purpose
    challenge.person_id = person_id
    challenge.sent_at = unit.now
    challenge.expires_at = unit.now + timedelta(seconds=settings.sms_code_seconds)
    challenge.attempts = 0
    challenge.used_at = None
    unit.db.add(challenge)
    if purpose == REGISTER and person_id is not None:
        to_phone(unit, phone, "registered_already", {})
    elif person_id is not None or purpose == REGISTER:
        facts = {"code": code, "minutes": settings.sms_code_seconds // 60}
        to_phone(unit, phone, f"{purpose.lower()}_code", facts)
    return SignInCodeSent(challenge.expires_at, Seconds(settings.sms_resend_seconds))


def show_code(
    unit: Unit, phone: str, code: str, purpose: str, *, keep: bool = False, counts: bool = True
) -> str | CodeWrong | SignInLocked:
    """Return whose code it is, and use it up unless it is kept.

    A wrong one, or one sent for something else, counts; so does a right one that is shown again, unless
    ``counts`` says that it was counted before. A code to register by is nobody's: an empty text.
    """
    index = unit.vault.index(phone, "phone")
    challenge = unit.db.exec(
        select(SignInChallenge).where(SignInChallenge.phone_index == index).with_for_update()
    ).first()
    if challenge is None:
        return CodeWrong(0)
    if challenge.locked_until is not None and challenge.locked_until > unit.now:
        return SignInLocked(Seconds(ceil((challenge.locked_until - unit.now).total_seconds())))
    challenge.attempts += counts
    if challenge.purpose != purpose or not _code_fits(unit, challenge, index, code):
        return _count_failure(unit, challenge)
    if not keep:
        challenge.used_at = unit.now
    return challenge.person_id or ""


def sign_in(unit: Unit, command: SignIn) -> SessionOpened | PhoneInvalid | CodeWrong | SignInLocked:
    """Open a session for who holds the phone and its newest code."""
    if not is_phone(command.phone):
        return PhoneInvalid()
    person_id = show_code(unit, command.phone, command.code, SIGN_IN)
    if isinstance(person_id, CodeWrong | SignInLocked):
        return person_id
    return open_session(unit, person_id, command.device_name, Proof.SMS_CODE)


def open_session(unit: Unit, person_id: str, device_name: str, proof: Proof) -> SessionOpened:
    """Open a session on a device for who has shown a proof just now."""
    session = DeviceSession(
        id=unit.new_id(),
        person_id=person_id,
        device_name=device_name[:60],
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
    session.last_seen_at = unit.now
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


def _count_failure(unit: Unit, challenge: SignInChallenge) -> CodeWrong:
    """Count a wrong code, and lock the phone from the one that is too many on."""
    settings = unit.settings
    bucket, window = f"sign-in-failed:{challenge.phone_index}", settings.sign_in_lock_seconds
    if rates.hit(unit, bucket, settings.sign_in_failures_to_lock - 1, window) is not None:
        challenge.locked_until = unit.now + timedelta(seconds=settings.sign_in_lock_seconds)
    return CodeWrong(max(0, settings.sign_in_attempts_per_code - challenge.attempts))


def _code_fits(unit: Unit, challenge: SignInChallenge, phone: str, code: str) -> bool:
    fits = hmac.compare_digest(challenge.code_digest, _digest(unit, f"{phone}:{code}"))
    return (
        fits
        and (challenge.person_id is None) is (challenge.purpose == REGISTER)
        and challenge.used_at is None
        and challenge.expires_at > unit.now
        and challenge.attempts <= unit.settings.sign_in_attempts_per_code
    )


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
