"""Personal data at rest: sealed with AES-256-GCM, found again by keyed blind indexes.

A sealed value names its key and is bound to the place it belongs to (``context``), so that a value
copied into another person's row does not open there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.infra.keys import KeyFile, KeyRing
from backend.kernel.ids import IdSource

_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed value was altered, moved, or sealed with a key that the ring no longer holds."""


def _broken(context: str) -> SealBroken:
    return SealBroken(f"a sealed value for {context.partition(':')[0]} does not open")


@dataclass
class Vault:
    """Seals, opens and indexes. One for each process."""

    ring: KeyRing
    ids: IdSource
    file: KeyFile | None = None
    """Where the ring is read anew from when something names a key that it does not hold."""
    _derived: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def renew(self) -> bool:
        """Take up a ring that was rotated meanwhile; tell whether there was one."""
        newer = None if self.file is None else self.file.newer()
        if newer is not None:
            self.ring = newer
            self._derived.clear()
        return newer is not None

    def seal(self, plain: str, context: str) -> str:
        """Return the value sealed for this context."""
        key_id, _, raw = self.seal_bytes(plain.encode(), context).partition(b".")
        return f"{key_id.decode()}.{base64.urlsafe_b64encode(raw).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """Return the plain value. Raises ``SealBroken``."""
        key_id, _, body = sealed.partition(".")
        try:
            raw = base64.urlsafe_b64decode(body)
        except ValueError:
            raise _broken(context) from None
        return self.open_bytes(key_id.encode() + b"." + raw, context).decode()

    def seal_bytes(self, plain: bytes, context: str) -> bytes:
        """Return bytes sealed for this context: the key's name, a point, nonce and cipher."""
        nonce = self.ids.secret(_NONCE_BYTES)
        key_id = self.ring.master_id
        cipher = AESGCM(self._key(key_id, "seal")).encrypt(nonce, plain, context.encode())
        return key_id.encode() + b"." + nonce + cipher

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """Return the plain bytes. Raises ``SealBroken``."""
        name, _, raw = sealed.partition(b".")
        key_id = name.decode(errors="replace")
        if key_id not in self.ring.masters:
            self.renew()
        try:
            key = self._key(key_id, "seal")
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError, KeyError):
            raise _broken(context) from None

    def index(self, value: str, purpose: str) -> str:
        """Return the blind index by which an exact value can be found without being stored."""
        oldest = list(self.ring.masters)[-1]  # indexes stay on the first key, or nothing is found
        key = self._key(oldest, f"index/{purpose}")
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()

    def _key(self, key_id: str, purpose: str) -> bytes:
        if (key_id, purpose) not in self._derived:
            self._derived[key_id, purpose] = self.ring.derive(key_id, purpose)
        return self._derived[key_id, purpose]
