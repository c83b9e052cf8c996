"""The signature that everything outside shares with us: HMAC-SHA256 over the body, in hex."""

from __future__ import annotations

import hashlib
import hmac


def signature_of(secret: bytes, body: bytes) -> str:
    """Return the signature of a body."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def is_signed(secret: bytes, body: bytes, signature: str) -> bool:
    """Tell whether a signature is that of a body, in the same time for every wrong one."""
    return hmac.compare_digest(signature_of(secret, body).encode(), signature.encode())
