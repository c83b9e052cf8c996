"""居民电子健康卡: index, card number and dynamic validity, in SM3 and SM4.

Made as the specification is implemented in the field: a dispersion factor folds the index, a key is
derived from the root key by it, and the card number is the document under that key. The index itself
(SM3 over kind and number of the document) is our reading of its length; no text of it was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from backend.kernel.calendar import SHANGHAI, local

ID_CARD = "01"
"""证件类型: the resident identity card."""
_GROUP, _BLOCK = 8, 16


@dataclass(frozen=True)
class CardKeys:
    """The root key that cards are derived from, and the key that protects validity: 16 bytes each."""

    root: bytes
    protection: bytes


@dataclass(frozen=True)
class CardText:
    """What a health card's QR code says. ``valid_at`` is ``None`` for a static one."""

    index: str
    card_id: str
    valid_at: datetime | None


class CardUnreadable(Exception):
    """The text is no health card of ours."""


def index_of(kind: str, number: str) -> str:
    """Return the index (主索引ID) of a document: 64 hexadecimal digits."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(f"{kind}{number}".encode())
    return digest.finalize().hex().upper()


def factor_of(index: str) -> bytes:
    """Return the dispersion factor (分散因子) of an index: the XOR of its four groups of 8 bytes."""
    raw, factor = bytes.fromhex(index), bytes(_GROUP)
    for start in range(0, len(raw), _GROUP):
        group = raw[start : start + _GROUP]
        factor = bytes(a ^ b for a, b in zip(factor, group, strict=True))
    return factor


def card_key(root: bytes, index: str) -> bytes:
    """Return the key of one card: the factor and its complement under the root key."""
    factor = factor_of(index)
    return _encrypted(root, factor + bytes(byte ^ 0xFF for byte in factor))


def card_id_of(root: bytes, index: str, kind: str, number: str) -> str:
    """Return the number of a card (电子健康卡ID): 64 hexadecimal digits."""
    return _encrypted(card_key(root, index), _padded(f"{kind}{number}".encode())).hex().upper()


def document_of(root: bytes, index: str, card_id: str) -> tuple[str, str]:
    """Return kind and number of the document that a card stands for. Raises ``CardUnreadable``."""
    try:
        plain = _decrypted(card_key(root, index), bytes.fromhex(card_id))
        text = plain.rstrip(b"\0").decode("ascii")
    except (ValueError, UnicodeDecodeError) as error:
        raise CardUnreadable("not a card number") from error
    kind, number = text[:2], text[2:]
    if index_of(kind, number) != index.upper():
        raise CardUnreadable("index and card number do not belong together")
    return kind, number


def validity_of(protection: bytes, at: datetime) -> str:
    """Return the dynamic validity (有效性信息) of an instant: its local digits under the key."""
    digits = local(at).strftime("%Y%m%d%H%M%S")
    return _encrypted(protection, _padded(bytes.fromhex(digits))).hex().upper()


def text_of(keys: CardKeys, kind: str, number: str, valid_at: datetime | None) -> str:
    """Return the text of a card's QR code, parts separated by colons."""
    index = index_of(kind, number)
    parts = [index, card_id_of(keys.root, index, kind, number)]
    if valid_at is not None:
        parts.append(validity_of(keys.protection, valid_at))
    return ":".join(parts)


def read(keys: CardKeys, text: str) -> CardText:
    """Return what a card's text says. Raises ``CardUnreadable``."""
    parts = text.strip().split(":")
    if len(parts) not in (2, 3):
        raise CardUnreadable("two or three parts are needed")
    try:
        valid_at = _instant(keys.protection, parts[2]) if len(parts) == 3 else None
    except ValueError as error:
        raise CardUnreadable("the validity cannot be read") from error
    return CardText(parts[0].upper(), parts[1].upper(), valid_at)


def _instant(protection: bytes, sealed: str) -> datetime:
    digits = _decrypted(protection, bytes.fromhex(sealed)).hex()[:14]
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)


def _padded(plain: bytes) -> bytes:
    return plain + bytes(-len(plain) % _BLOCK)


def _encrypted(key: bytes, plain: bytes) -> bytes:
    cipher = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305 - as specified
    return cipher.update(plain) + cipher.finalize()


def _decrypted(key: bytes, sealed: bytes) -> bytes:
    cipher = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()  # noqa: S305 - as specified
    return cipher.update(sealed) + cipher.finalize()
