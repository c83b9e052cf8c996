"""Use cases of passkeys. The library verifies; here lie challenges, keys, and what they count for.

A challenge serves once and for some minutes, for one purpose; what was asked for signing in proves
nothing about a payment. Keys verify the user (fingerprint, face or PIN of the device), always.
The library is loaded with the first passkey that a worker meets: it takes 10 MB.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from backend.access.assurance import Demand, Proof
from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.identity import queries
from backend.identity.contracts import SessionOpened
from backend.identity.model import Passkey, PasskeyChallenge
from backend.identity.passkey_contracts import (
    PASSKEYS_MAX,
    AddPasskey,
    BeginAddPasskey,
    BeginPasskeySignIn,
    BeginPasskeyStepUp,
    PasskeyCeremony,
    PasskeyCloned,
    PasskeyNotAccepted,
    Passkeys,
    PasskeyUnknown,
    RemovePasskey,
    SignInWithPasskey,
    StepUpWithPasskey,
    TooManyAttempts,
    TooManyPasskeys,
)
from backend.identity.safety import demand, prove
from backend.identity.safety_contracts import SteppedUp
from backend.identity.service import Device, open_session
from backend.infra import audit, rates
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.notices.service import tell
from backend.people import queries as people

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

ADD, SIGN_IN, STEP_UP = "ADD", "SIGN_IN", "STEP_UP"
_CHALLENGE_BYTES = 32
_ANSWER_MAX = 16_384
_NOT_GIVEN = (ValueError, TypeError, KeyError)
"""What the library or the reading of an answer raises, beside the library's own exception."""


def begin_add(unit: Unit, command: BeginAddPasskey) -> PasskeyCeremony | Refusal:
    """Return the options for a new passkey; asks for a fresh proof, because it lets somebody in."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    missing = demand(unit, actor, Demand.STRONG)
    if missing is not None:
        return missing
    held = _of_person(unit, actor.person_id)
    if len(held) >= PASSKEYS_MAX:
        return TooManyPasskeys(PASSKEYS_MAX)
    from webauthn import generate_registration_options
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    challenge = unit.resources.ids.secret(_CHALLENGE_BYTES)
    options = generate_registration_options(
        rp_id=unit.settings.passkey_domain,
        rp_name=unit.settings.passkey_name,
        user_name=people.person(unit, actor.person_id).masked_name,
        user_id=actor.person_id.encode(),
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[_descriptor(key) for key in held],
    )
    return _ceremony(unit, ADD, actor, challenge, options)


def add(unit: Unit, command: AddPasskey) -> Passkeys | Refusal:
    """Keep the public key of a new passkey."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    asked = _spend(unit, command.ceremony_id, ADD, actor)
    if asked is None:
        return PasskeyNotAccepted()
    from webauthn import verify_registration_response
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        made = verify_registration_response(
            credential=_read(command.credential),
            expected_challenge=base64url_to_bytes(asked.challenge),
            expected_rp_id=unit.settings.passkey_domain,
            expected_origin=unit.settings.passkey_origin_list,
            require_user_verification=True,
        )
    except (WebAuthnException, *_NOT_GIVEN):
        return PasskeyNotAccepted()
    key_id = bytes_to_base64url(made.credential_id)
    if unit.db.get(Passkey, key_id) is not None:
        return PasskeyNotAccepted()
    unit.db.add(
        Passkey(
            id=key_id,
            person_id=actor.person_id,
            public_key=base64.b64encode(made.credential_public_key).decode(),
            sign_count=made.sign_count,
            name=command.name[:60],
            added_at=unit.now,
        )
    )
    unit.db.flush()
    audit.record(unit, label(actor), "passkey.add", f"person:{actor.person_id}", {"key": key_id})
    tell(unit, actor.person_id, "passkey_added")
    return queries.passkeys(unit, actor.person_id)


def remove(unit: Unit, command: RemovePasskey) -> Passkeys | Refusal:
    """Throw a passkey away; asks for a fresh proof."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    key = unit.db.get(Passkey, command.passkey_id)
    if key is None or key.person_id != actor.person_id:
        return PasskeyUnknown()
    missing = demand(unit, actor, Demand.STRONG)
    if missing is not None:
        return missing
    unit.db.delete(key)
    unit.db.flush()
    facts = {"key": command.passkey_id}
    audit.record(unit, label(actor), "passkey.remove", f"person:{actor.person_id}", facts)
    tell(unit, actor.person_id, "passkey_removed")
    return queries.passkeys(unit, actor.person_id)


def begin_sign_in(unit: Unit, command: BeginPasskeySignIn) -> PasskeyCeremony | TooManyAttempts:
    """Return the options for signing in; the device itself knows whose passkeys it holds."""
    limit = unit.settings.passkey_asks_per_address_per_hour
    place = rates.place_of(unit, command.address)
    wait = rates.hit(unit, f"passkey-from:{place}", limit, 3600)
    if wait is not None:
        return TooManyAttempts(wait)
    return _begin(unit, SIGN_IN, None, [])


def sign_in(unit: Unit, command: SignInWithPasskey) -> SessionOpened | Refusal:
    """Open a session for whoever holds a passkey."""
    asked = _spend(unit, command.ceremony_id, SIGN_IN, None)
    if asked is None:
        return PasskeyNotAccepted()
    key = _verified(unit, asked, command.credential)
    if isinstance(key, Refusal):
        return key
    device = Device(command.device_name, command.address)
    return open_session(unit, key.person_id, device, Proof.PASSKEY)


def begin_step_up(unit: Unit, command: BeginPasskeyStepUp) -> PasskeyCeremony | Refusal:
    """Return the options for a fresh proof with one of the caller's own passkeys."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    held = _of_person(unit, command.actor.person_id)
    return _begin(unit, STEP_UP, command.actor, held) if held else PasskeyUnknown()


def step_up(unit: Unit, command: StepUpWithPasskey) -> SteppedUp | Refusal:
    """Let the session count as proven for some minutes."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    asked = _spend(unit, command.ceremony_id, STEP_UP, actor)
    if asked is None:
        return PasskeyNotAccepted()
    key = _verified(unit, asked, command.credential)
    if isinstance(key, Refusal):
        return key
    return (
        prove(unit, actor, Proof.PASSKEY) if key.person_id == actor.person_id else PasskeyUnknown()
    )


def _begin(
    unit: Unit, purpose: str, actor: PersonActor | None, allowed: list[Passkey]
) -> PasskeyCeremony:
    from webauthn import generate_authentication_options
    from webauthn.helpers.structs import UserVerificationRequirement

    challenge = unit.resources.ids.secret(_CHALLENGE_BYTES)
    options = generate_authentication_options(
        rp_id=unit.settings.passkey_domain,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
        allow_credentials=[_descriptor(key) for key in allowed],
    )
    return _ceremony(unit, purpose, actor, challenge, options)


def _ceremony(
    unit: Unit, purpose: str, actor: PersonActor | None, challenge: bytes, options: Any
) -> PasskeyCeremony:
    from webauthn import options_to_json
    from webauthn.helpers import bytes_to_base64url

    row = PasskeyChallenge(
        id=unit.new_id(),
        purpose=purpose,
        session_id=actor.session_id if actor else None,
        challenge=bytes_to_base64url(challenge),
        expires_at=unit.now + timedelta(seconds=unit.settings.step_up_seconds),
    )
    unit.db.add(row)
    unit.db.flush()
    return PasskeyCeremony(row.id, options_to_json(options), row.expires_at)


def _spend(
    unit: Unit, ceremony_id: str, purpose: str, actor: PersonActor | None
) -> PasskeyChallenge | None:
    """Use up a challenge, whatever comes of it; ``None`` where it was not for this."""
    query = select(PasskeyChallenge).where(PasskeyChallenge.id == ceremony_id).with_for_update()
    row = unit.db.exec(query).first()
    session = actor.session_id if actor else None
    if row is None or (row.purpose, row.session_id) != (purpose, session):
        return None
    unit.db.delete(row)
    unit.db.flush()
    return row if row.expires_at > unit.now else None


def _verified(unit: Unit, asked: PasskeyChallenge, credential: str) -> Passkey | Refusal:
    """Return the passkey that answered a challenge, its counter moved on."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        answer = _read(credential)
        query = select(Passkey).where(Passkey.id == str(answer["id"])).with_for_update()
        key = unit.db.exec(query).first()
        if key is None:
            return PasskeyUnknown()
        shown = verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(asked.challenge),
            expected_rp_id=unit.settings.passkey_domain,
            expected_origin=unit.settings.passkey_origin_list,
            credential_public_key=base64.b64decode(key.public_key),
            credential_current_sign_count=0,  # a counter that went back is told apart below
            require_user_verification=True,
        )
    except (WebAuthnException, *_NOT_GIVEN):
        return PasskeyNotAccepted()
    counts = shown.new_sign_count or key.sign_count
    if counts and shown.new_sign_count <= key.sign_count:
        facts = {"key": key.id, "kept": key.sign_count, "shown": shown.new_sign_count}
        subject = f"person:{key.person_id}"
        audit.record(unit, subject, "passkey.cloned", subject, facts)
        tell(unit, key.person_id, "passkey_removed")
        unit.db.delete(key)
        unit.db.flush()
        return PasskeyCloned()
    key.sign_count = shown.new_sign_count
    key.last_used_at = unit.now
    unit.db.flush()
    return key


def _read(credential: str) -> dict[str, Any]:
    if len(credential) > _ANSWER_MAX:
        raise ValueError("too long")
    answer = json.loads(credential)
    if not isinstance(answer, dict):
        raise TypeError("not an object")
    return answer


def _of_person(unit: Unit, person_id: str) -> list[Passkey]:
    query = select(Passkey).where(Passkey.person_id == person_id)
    return list(unit.db.exec(query.order_by(col(Passkey.added_at), col(Passkey.id))).all())


def _descriptor(key: Passkey) -> PublicKeyCredentialDescriptor:
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.id))
