"""一码通行: a signed identity code that anybody with the trust list verifies without a network.

A CBOR Web Token in COSE_Sign1 (RFC 9052, RFC 8392), signed with Ed25519, written in base45 (RFC 9285)
so that a QR code stays small. It says who issued it, until when, a masked name, and a digest by which
an ID card in the verifier's hand can be compared; nobody's number can be read from it. It proves
identity and moves no money, ever.

The trust list is a JSON Web Token of the same issuer: keys by region with their times, serials that
were revoked, and until when the list itself may be believed. A list past that says nothing at all.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import base45
import cbor2
import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from backend.kernel.calendar import instant_of

PREFIX = "YBI1."
_SIGN1, _ALGORITHM, _KEY_ID, _EDDSA = 18, 1, 4, -8
_ISSUER, _EXPIRES, _ISSUED, _SERIAL, _NAME, _DIGEST = 1, 4, 6, 7, -70001, -70002
_DIGEST_BYTES = 16
_CHARACTERS_MAX = 2_000
_MALFORMED = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
    *(MemoryError, re.error, cbor2.CBORDecodeError),
)
"""What reading a text of anybody's making can raise: CBOR holds numbers, patterns and references."""
TRUST_AUDIENCE = "yibao/identity-trust"


class Verdict(StrEnum):
    """What a verifier may say about a code."""

    VALID = "VALID"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    REVOKED = "REVOKED"
    FORGED = "FORGED"
    """Signed by nobody whom the list trusts for that region and time, or altered."""
    UNREADABLE = "UNREADABLE"
    CANNOT_VERIFY = "CANNOT_VERIFY"
    """The trust list is too old to say anything; neither yes nor no."""


@dataclass(frozen=True)
class IdentityClaims:
    """What an identity code says."""

    issuer: str
    serial: str
    masked_name: str
    document_digest: bytes
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class TrustedKey:
    """A key that signs identity codes of a region in some time."""

    key_id: str
    region: str
    public: bytes
    since: datetime
    until: datetime


@dataclass(frozen=True)
class TrustList:
    """Whom to believe, and until when this list itself may be believed."""

    issued_at: datetime
    fresh_until: datetime
    keys: tuple[TrustedKey, ...]
    revoked: frozenset[str]


@dataclass(frozen=True)
class Verified:
    """What a verifier learns. ``same_document``: whether the ID card in hand is the code's."""

    verdict: Verdict
    claims: IdentityClaims | None = None
    same_document: bool | None = None


class TrustListInvalid(Exception):
    """The trust list is malformed or not signed by who it says."""


def document_digest(serial: str, id_number: str) -> bytes:
    """Return the digest by which a document is compared; it differs for each code."""
    return hashlib.sha256(f"{serial}:{id_number.upper()}".encode()).digest()[:_DIGEST_BYTES]


def make(claims: IdentityClaims, key_id: str, key: Ed25519PrivateKey) -> str:
    """Return the signed text of an identity code."""
    protected = cbor2.dumps({_ALGORITHM: _EDDSA, _KEY_ID: key_id.encode()}, canonical=True)
    payload = cbor2.dumps(
        {
            _ISSUER: claims.issuer,
            _EXPIRES: int(claims.expires_at.timestamp()),
            _ISSUED: int(claims.issued_at.timestamp()),
            _SERIAL: claims.serial,
            _NAME: claims.masked_name,
            _DIGEST: claims.document_digest,
        },
        canonical=True,
    )
    signature = key.sign(_to_be_signed(protected, payload))
    message = cbor2.dumps(cbor2.CBORTag(_SIGN1, [protected, {}, payload, signature]))
    text: str = base45.b45encode(message).decode()
    return PREFIX + text


def verify(text: str, trust: TrustList, now: datetime, id_number: str | None = None) -> Verified:
    """Return what can be said about a code with nothing but the trust list at hand."""
    try:
        protected, payload, signature, key_id, claims = _parsed(text)
    except _MALFORMED:
        return Verified(Verdict.UNREADABLE)
    if not trust.issued_at <= now <= trust.fresh_until:
        return Verified(Verdict.CANNOT_VERIFY)
    trusted = next(
        (
            key
            for key in trust.keys
            if (key.key_id, key.region) == (key_id, claims.issuer)
            and key.since <= claims.issued_at <= key.until
        ),
        None,
    )
    if trusted is None or not _signed(trusted.public, protected, payload, signature):
        return Verified(Verdict.FORGED)
    same = (
        None
        if id_number is None
        else claims.document_digest == document_digest(claims.serial, id_number)
    )
    if claims.serial in trust.revoked:
        return Verified(Verdict.REVOKED, claims, same)
    if now < claims.issued_at:
        return Verified(Verdict.NOT_YET_VALID, claims, same)
    verdict = Verdict.VALID if now < claims.expires_at else Verdict.EXPIRED
    return Verified(verdict, claims, same)


def write_trust(trust: TrustList, issuer: str, key_id: str, key: Ed25519PrivateKey) -> str:
    """Return the trust list as a signed token."""
    content = {
        "iss": issuer,
        "aud": TRUST_AUDIENCE,
        "iat": int(trust.issued_at.timestamp()),
        "exp": int(trust.fresh_until.timestamp()),
        "keys": [
            {
                "kid": one.key_id,
                "region": one.region,
                "x": base64.urlsafe_b64encode(one.public).decode(),
                "since": int(one.since.timestamp()),
                "until": int(one.until.timestamp()),
            }
            for one in trust.keys
        ],
        "revoked": sorted(trust.revoked),
    }
    token: str = jwt.encode(content, key, algorithm="EdDSA", headers={"kid": key_id})
    return token


def read_trust(token: str, anchors: Mapping[str, bytes]) -> TrustList:
    """Return a trust list signed by one of the known keys, fresh or not. Raises ``TrustListInvalid``.

    ``anchors`` are public keys by id that the verifier was given once, by a way that it trusts.
    """
    try:
        key_id = jwt.get_unverified_header(token).get("kid", "")
        content: dict[str, Any] = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(anchors[key_id]),
            algorithms=["EdDSA"],
            audience=TRUST_AUDIENCE,
            options={"require": ["iat", "exp"], "verify_exp": False, "verify_iat": False},
        )
        return TrustList(
            issued_at=instant_of(content["iat"]),
            fresh_until=instant_of(content["exp"]),
            keys=tuple(
                TrustedKey(
                    one["kid"],
                    one["region"],
                    base64.urlsafe_b64decode(one["x"]),
                    instant_of(one["since"]),
                    instant_of(one["until"]),
                )
                for one in content["keys"]
            ),
            revoked=frozenset(content["revoked"]),
        )
    except (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise TrustListInvalid(str(error)) from error


def _parsed(text: str) -> tuple[bytes, bytes, bytes, str, IdentityClaims]:
    if not text.startswith(PREFIX) or len(text) > _CHARACTERS_MAX:
        raise ValueError("no identity code")
    message = cbor2.loads(base45.b45decode(text.removeprefix(PREFIX)))
    if not isinstance(message, cbor2.CBORTag) or message.tag != _SIGN1:
        raise ValueError("no COSE_Sign1")
    protected, _, payload, signature = message.value
    header, said = cbor2.loads(protected), cbor2.loads(payload)
    if header[_ALGORITHM] != _EDDSA:
        raise ValueError("another algorithm")
    claims = IdentityClaims(
        issuer=str(said[_ISSUER]),
        serial=str(said[_SERIAL]),
        masked_name=str(said[_NAME]),
        document_digest=bytes(said[_DIGEST]),
        issued_at=instant_of(said[_ISSUED]),
        expires_at=instant_of(said[_EXPIRES]),
    )
    return protected, payload, signature, bytes(header[_KEY_ID]).decode(), claims


def _signed(public: bytes, protected: bytes, payload: bytes, signature: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, _to_be_signed(protected, payload))
    except InvalidSignature:
        return False
    return True


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    signed: bytes = cbor2.dumps(["Signature1", protected, b"", payload])
    return signed
