"""The key ring: one file, readable by the server alone, holding what everything secret hangs on.

``{"master": [{"id", "key"}], "signing": [{"id", "key"}]}``, the newest first. New data is sealed and
new tokens are signed with the first key; older ones stay until what they protect is gone.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.kernel.errors import OperatorError
from backend.kernel.ids import IdSource


class KeysError(OperatorError):
    """The key ring is missing or cannot be read."""


@dataclass(frozen=True)
class KeyRing:
    """Master keys for sealing and signing keys for tokens, by id, the newest first."""

    masters: dict[str, bytes]
    signers: dict[str, Ed25519PrivateKey]

    @property
    def master_id(self) -> str:
        """Return the id of the master key for new data."""
        return next(iter(self.masters))

    @property
    def signer_id(self) -> str:
        """Return the id of the key that signs new tokens."""
        return next(iter(self.signers))

    def derive(self, master_id: str, purpose: str) -> bytes:
        """Return the 256-bit key of one purpose, so that no key ever serves two."""
        hkdf = HKDF(hashes.SHA256(), length=32, salt=None, info=f"yibao/{purpose}".encode())
        return hkdf.derive(self.masters[master_id])


def make_keys(path: Path, ids: IdSource) -> None:
    """Write a fresh key ring that only its owner may read. Refuses to overwrite one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ring = {
        "master": [{"id": f"m{ids.digits(6)}", "key": _text(ids.secret(32))}],
        "signing": [{"id": f"s{ids.digits(6)}", "key": _text(ids.secret(32))}],
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(ring, file, indent=2)


def rotate_keys(path: Path, ids: IdSource) -> tuple[str, str]:
    """Put a fresh master and a fresh signing key before the others; return their ids.

    What older keys sealed opens and what they signed counts as before. The file is replaced in one
    step, so that a reader finds the old ring or the new one. Raises ``KeysError``.
    """
    load_keys(path)
    ring = json.loads(path.read_text())
    fresh = {
        kind: {"id": f"{kind[0]}{ids.digits(6)}", "key": _text(ids.secret(32))}
        for kind in ("master", "signing")
    }
    newer = {kind: [fresh[kind], *ring[kind]] for kind in fresh}
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(newer, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    return fresh["master"]["id"], fresh["signing"]["id"]


class KeyFile:
    """Reads the ring again once its file has changed, so that a rotation needs no restart to be known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = self._changed_at()

    def newer(self) -> KeyRing | None:
        """Return the ring where the file has changed since it was read, ``None`` where not."""
        changed_at = self._changed_at()
        if changed_at == self._read_at:
            return None
        self._read_at = changed_at
        return load_keys(self._path)

    def _changed_at(self) -> int:
        return self._path.stat().st_mtime_ns


def load_keys(path: Path) -> KeyRing:
    """Read the key ring. Raises ``KeysError`` with what to do."""
    try:
        ring = json.loads(path.read_text())
        return KeyRing(
            masters={item["id"]: _bytes(item["key"]) for item in ring["master"]},
            signers={
                item["id"]: Ed25519PrivateKey.from_private_bytes(_bytes(item["key"]))
                for item in ring["signing"]
            },
        )
    except FileNotFoundError:
        raise KeysError(f"there is no key ring at {path}; make one with: yibao keys") from None
    except (ValueError, KeyError, TypeError) as error:
        raise KeysError(f"the key ring at {path} cannot be read: {error}") from error


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
