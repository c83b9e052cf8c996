"""Identifiers: 26 characters, sortable by time, unguessable to 80 bits (the ULID layout).

The national interface allows 30 characters for ``setl_id`` and its kin and some of its clients read
an id of digits as a number, so these always fit and always hold a letter-capable alphabet.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_LENGTH = 26


class IdSource(Protocol):
    """Where ids and secrets come from; always handed in, so that tests can own chance."""

    def new_id(self, at: datetime) -> str:
        """Return a fresh identifier for something made at ``at``."""
        ...

    def secret(self, byte_count: int) -> bytes:
        """Return bytes that nobody can predict."""
        ...

    def digits(self, count: int) -> str:
        """Return decimal digits that nobody can predict."""
        ...


def encode_id(at: datetime, randomness: bytes) -> str:
    """Return the identifier for an instant and ten random bytes."""
    if len(randomness) != 10:
        raise ValueError("an identifier takes ten random bytes")
    value = (int(at.timestamp() * 1000) << 80) | int.from_bytes(randomness, "big")
    characters = []
    for _ in range(ID_LENGTH):
        value, index = divmod(value, 32)
        characters.append(_ALPHABET[index])
    return "".join(reversed(characters))
