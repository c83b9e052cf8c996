"""Codes sent to phones: who may have one sent, and what a code that is shown counts against.

Each asker has a challenge of their own for a phone and a purpose. An asker is a place of the network
(an IPv4 address, or the 64-bit prefix of an IPv6 address) or, of somebody signed in, the session. So a
stranger who asks for codes voids nobody's code, and signing in, registering, proving and a new phone
never meet each other's challenges or counters.

Asking. One asker has ``sms_per_phone_per_hour`` and ``sms_per_phone_per_day`` codes for a phone. All
askers of one pool together have ``sms_per_phone_from_all_per_hour`` and ``..._per_day``. The owner's
sessions and the places that the owner's devices were seen at within 30 days have a pool of their own,
signed-in people who change to a phone another one, strangers the third. So a stranger neither keeps the
owner from a code at a known place, nor, from one or two addresses, at any place; and messages to a phone
stay bounded. A refused request counts nowhere.

Showing. A wrong code counts against the asker's own challenge (``sign_in_attempts_per_code``), or, where
the asker has none, as one of the few tries that each challenge allows to other places
(``sign_in_attempts_elsewhere_per_code``): phones change their address between asking and showing. After
``sign_in_failures_to_lock`` wrong codes within ``sign_in_lock_seconds`` one asker waits for one phone and
purpose, and nobody else does. Whether the phone is known, was never asked for, or has a used, expired or
somebody else's challenge makes no difference to the answer: ``attempts_left`` counts the asker's own
challenge and is 0 without one.

Guessing. Strangers have at most 50 codes a day sent to a phone, each compared with 5 + 3 wrong codes, and
the owner's own 50 with 3 from elsewhere: 550 tries of 1,000,000 codes a day, 0.055 %, from at least five
places and at the price of 50 messages to the owner.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ScalarResult
from sqlmodel import col, delete, select

from backend.access.contracts import PersonActor
from backend.identity.contracts import CodeWrong, SignInCodeSent, SignInLocked, TooManyCodes
from backend.identity.model import DeviceSession, SignInChallenge
from backend.infra import rates
from backend.infra.database import Unit
from backend.infra.rates import Allowance
from backend.kernel.errors import Seconds
from backend.notices.service import to_phone

HOUR, DAY = 3_600, 86_400
SIGN_IN, STEP_UP, REGISTER, NEW_PHONE = "SIGN_IN", "STEP_UP", "REGISTER", "NEW_PHONE"
"""What a code from the phone is for."""


class Pool(StrEnum):
    """Who shares a phone's allowance of messages."""

    OWNER = "owner"
    MEMBER = "member"
    STRANGER = "stranger"


@dataclass(frozen=True)
class Asker:
    """Who asks for a code: ``key`` names a place or a session, ``place`` is what addresses count by."""

    key: str
    place: str
    signed_in: bool


def at_place(unit: Unit, address: str) -> Asker:
    """Return the asker behind an address."""
    place = rates.place_of(unit, address)
    return Asker(place, place, signed_in=False)


def in_session(unit: Unit, actor: PersonActor, address: str | None = None) -> Asker:
    """Return the asker of a session; it counts as a place of its own unless an address is given."""
    key = f"session:{actor.session_id}"
    return Asker(key, key if address is None else rates.place_of(unit, address), signed_in=True)


def send_code(
    unit: Unit, phone: str, asker: Asker, person_id: str | None, purpose: str
) -> SignInCodeSent | TooManyCodes:
    """Send a code to a phone; where nobody owns it, only a code to register by is sent.

    A code to register is told apart in the message where the phone has an account already.
    """
    settings, index = unit.settings, unit.vault.index(phone, "phone")
    pool = _pool(unit, asker, person_id, purpose)
    wait = rates.hit_all(unit, _allowances(unit, index, asker, pool))
    if wait is not None:
        return TooManyCodes(wait)
    code = unit.resources.ids.digits(6)
    expires_at = unit.now + timedelta(seconds=settings.sms_code_seconds)
    challenge = unit.db.get(SignInChallenge, (index, purpose, asker.key)) or SignInChallenge(
        phone_index=index,
        purpose=purpose,
        asker=asker.key,
        code_digest="",
        person_id=None,
        sent_at=unit.now,
        expires_at=expires_at,
    )
    challenge.code_digest = _digest(unit, index, code)
    challenge.person_id = person_id
    challenge.sent_at, challenge.expires_at = unit.now, expires_at
    challenge.attempts = challenge.attempts_elsewhere = 0
    unit.db.add(challenge)
    if purpose == REGISTER and person_id is not None:
        to_phone(unit, phone, "registered_already", {})
    elif person_id is not None or purpose == REGISTER:
        facts = {"code": code, "minutes": settings.sms_code_seconds // 60}
        to_phone(unit, phone, f"{purpose.lower()}_code", facts)
    return SignInCodeSent(expires_at, Seconds(settings.sms_resend_seconds))


def show_code(
    unit: Unit,
    phone: str,
    code: str,
    purpose: str,
    asker: Asker,
    *,
    keep: bool = False,
    counts: bool = True,
) -> str | CodeWrong | SignInLocked:
    """Return whose code it is, and use it up with every other of its purpose unless it is kept.

    A right code that is shown again counts too, unless ``counts`` says that it was counted before. A code
    to register by is nobody's: an empty text. A session shows only what it has asked for itself.
    """
    index = unit.vault.index(phone, "phone")
    rows = _live(unit, index, purpose).all()
    own = next((row for row in rows if row.asker == asker.key), None)
    tries = _tries(unit, index, purpose, asker, alone=own is None)
    waits = [rates.wait_for(unit, one.bucket, one.limit, one.window_seconds) for one in tries]
    wait = max((one for one in waits if one is not None), default=None)
    if wait is not None:
        return SignInLocked(wait)
    elsewhere = () if asker.signed_in else rows
    digest = _digest(unit, index, code)
    challenge = (
        _fitting_elsewhere(unit, elsewhere, digest, counts)
        if own is None
        else _fitting(unit, own, digest, counts)
    )
    if challenge is None:
        for one in tries:
            rates.hit(unit, one.bucket, one.limit, one.window_seconds)
        attempts = unit.settings.sign_in_attempts_per_code
        return CodeWrong(0 if own is None else max(0, attempts - own.attempts))
    person_id = challenge.person_id or ""
    if not keep:
        _use_up(unit, rows)
        rates.forget(unit, tries[0].bucket)
    return person_id


def void(unit: Unit, phone: str) -> None:
    """Remove every challenge of a phone that signs its person in no more."""
    index = unit.vault.index(phone, "phone")
    unit.db.exec(delete(SignInChallenge).where(col(SignInChallenge.phone_index) == index))


def _pool(unit: Unit, asker: Asker, person_id: str | None, purpose: str) -> Pool:
    known = _was_seen_at(unit, person_id, asker.place)
    if purpose == STEP_UP or (purpose == SIGN_IN and known):
        return Pool.OWNER
    return Pool.MEMBER if purpose == NEW_PHONE else Pool.STRANGER


def _was_seen_at(unit: Unit, person_id: str | None, place: str) -> bool:
    """Tell whether one of a person's devices was seen at a place lately; of nobody, it looks as well."""
    since = unit.now - timedelta(days=unit.settings.refresh_token_days)
    query = select(DeviceSession.id).where(
        DeviceSession.person_id == (person_id or ""),
        DeviceSession.place == place,
        DeviceSession.last_seen_at > since,
    )
    return unit.db.exec(query.limit(1)).first() is not None


def _allowances(unit: Unit, index: str, asker: Asker, pool: Pool) -> list[Allowance]:
    settings, own, shared = unit.settings, f"{index}:{asker.key}", f"{index}:{pool}"
    from_all_hour = settings.sms_per_phone_from_all_per_hour
    from_all_day = settings.sms_per_phone_from_all_per_day
    return [
        Allowance(f"sms:{own}", 1, settings.sms_resend_seconds),
        Allowance(f"sms-hour:{own}", settings.sms_per_phone_per_hour, HOUR),
        Allowance(f"sms-day:{own}", settings.sms_per_phone_per_day, DAY),
        Allowance(f"sms-hour:{shared}", from_all_hour, HOUR),
        Allowance(f"sms-day:{shared}", from_all_day, DAY),
        Allowance(f"sms-from:{asker.place}", settings.sms_per_address_per_hour, HOUR),
    ]


def _tries(unit: Unit, index: str, purpose: str, asker: Asker, *, alone: bool) -> list[Allowance]:
    """Return what a wrong code counts against; ``alone``: the asker has asked for no code."""
    settings = unit.settings
    tries = [
        Allowance(
            f"code-wrong:{purpose}:{index}:{asker.key}",
            settings.sign_in_failures_to_lock,
            settings.sign_in_lock_seconds,
        )
    ]
    if alone:
        limit = settings.wrong_codes_per_address_per_hour
        tries.append(Allowance(f"code-wrong-from:{asker.key}", limit, HOUR))
    return tries


def _live(unit: Unit, index: str, purpose: str) -> ScalarResult[SignInChallenge]:
    return unit.db.exec(
        select(SignInChallenge)
        .where(SignInChallenge.phone_index == index, SignInChallenge.purpose == purpose)
        .where(SignInChallenge.expires_at > unit.now)
        .order_by(col(SignInChallenge.asker))
        .with_for_update()
    )


def _fitting(
    unit: Unit, challenge: SignInChallenge, digest: str, counts: bool
) -> SignInChallenge | None:
    challenge.attempts += counts
    in_time = challenge.attempts <= unit.settings.sign_in_attempts_per_code
    return challenge if _fits(challenge, digest) and in_time else None


def _fitting_elsewhere(
    unit: Unit, challenges: Sequence[SignInChallenge], digest: str, counts: bool
) -> SignInChallenge | None:
    fitting = None
    for challenge in challenges:
        challenge.attempts_elsewhere += counts
        limit = unit.settings.sign_in_attempts_elsewhere_per_code
        if _fits(challenge, digest) and challenge.attempts_elsewhere <= limit:
            fitting = challenge
    return fitting


def _fits(challenge: SignInChallenge, digest: str) -> bool:
    nobodys = challenge.person_id is None
    fits = hmac.compare_digest(challenge.code_digest, digest)
    return fits and nobodys is (challenge.purpose == REGISTER)


def _use_up(unit: Unit, challenges: Sequence[SignInChallenge]) -> None:
    for challenge in challenges:
        unit.db.delete(challenge)
    unit.db.flush()


def _digest(unit: Unit, index: str, code: str) -> str:
    return unit.vault.index(f"{index}:{code}", "secret")
