"""Access tokens: short-lived JWTs signed with Ed25519, each naming its key."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.infra.keys import KeyRing
from backend.kernel.calendar import instant_of

ALGORITHM = "EdDSA"
NAME_MAX = 200
"""Characters of an issuer or of a token's own id, which are looked up and kept."""


class Audience(StrEnum):
    """Whom a token speaks for. A token for one is worthless as the other."""

    PERSON = "yibao/person"
    TERMINAL = "yibao/terminal"
    STAFF = "yibao/staff"


@dataclass(frozen=True)
class Claims:
    """What a verified access token says."""

    audience: Audience
    subject: str
    session: str
    expires_at: datetime


class TokenInvalid(Exception):
    """The token is malformed, forged, expired, or for somebody else."""


def sign_access_token(ring: KeyRing, issuer: str, claims: Claims, now: datetime) -> str:
    """Return the signed token for the claims."""
    payload = {
        "iss": issuer,
        "aud": claims.audience.value,
        "sub": claims.subject,
        "sid": claims.session,
        "iat": int(now.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    key_id = ring.signer_id
    return jwt.encode(payload, ring.signers[key_id], algorithm=ALGORITHM, headers={"kid": key_id})


def verify_access_token(ring: KeyRing, issuer: str, token: str, now: datetime) -> Claims:
    """Return what the token says. Raises ``TokenInvalid``. Time is the caller's, not the library's."""
    with _all_malformed_is_invalid():
        key_id = jwt.get_unverified_header(token).get("kid", "")
        if key_id not in ring.signers:
            raise TokenInvalid("unknown key")
        payload = jwt.decode(
            token,
            ring.signers[key_id].public_key(),
            algorithms=[ALGORITHM],
            audience=[audience.value for audience in Audience],
            issuer=issuer,
            options={
                "require": ["exp", "iat", "sub", "aud"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        expires_at = instant_of(payload["exp"])
        claims = Claims(Audience(payload["aud"]), payload["sub"], payload["sid"], expires_at)
    if expires_at <= now:
        raise TokenInvalid("expired")
    return claims


def verify_assertion(
    public_key: bytes, token: str, audience: str, now: datetime, longest: timedelta
) -> dict[str, Any]:
    """Return the claims of a client's own signed assertion (RFC 7523), fresh and for us only.

    It must carry ``iss``, ``jti``, ``iat`` and ``exp``, live no longer than ``longest`` and be signed
    by the registered key. Raises ``TokenInvalid``. The caller sees to it that a ``jti`` serves once.
    """
    with _all_malformed_is_invalid():
        payload: dict[str, Any] = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(public_key),
            algorithms=[ALGORITHM],
            audience=audience,
            options={
                "require": ["exp", "iat", "jti", "iss"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        issued, expires = instant_of(payload["iat"]), instant_of(payload["exp"])
        _named(payload["jti"])
    if expires <= now or expires - issued > longest or issued - now > longest:
        raise TokenInvalid("outside its time")
    return payload


def key_id_of(token: str) -> str:
    """Return the key that a token claims to be signed by; nothing is verified."""
    try:
        with _all_malformed_is_invalid():
            return str(jwt.get_unverified_header(token).get("kid", ""))
    except TokenInvalid:
        return ""


def unverified_issuer(token: str) -> str:
    """Return whom an assertion claims to come from, to find the key that can prove it.

    Raises ``TokenInvalid``, also for a name that no database holds.
    """
    with _all_malformed_is_invalid():
        return _named(jwt.decode(token, options={"verify_signature": False}).get("iss"))


def key_set(ring: KeyRing) -> dict[str, list[dict[str, str]]]:
    """Return the public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": ALGORITHM,
                "kid": key_id,
                "x": _raw_public(key.public_key()),
            }
            for key_id, key in ring.signers.items()
        ]
    }


@contextmanager
def _all_malformed_is_invalid() -> Iterator[None]:
    """Raise ``TokenInvalid`` for whatever reading a token of anybody's making can raise."""
    malformed = (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError)
    try:
        yield
    except malformed as error:
        raise TokenInvalid(type(error).__name__) from error


def _named(value: object) -> str:
    """Return a name that can be looked up and kept. Raises ``TokenInvalid`` for any other."""
    if not isinstance(value, str) or len(value) > NAME_MAX or not value.isprintable():
        raise TokenInvalid("a name that nobody has")
    return value


def _raw_public(key: Ed25519PublicKey) -> str:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
