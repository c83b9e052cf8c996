"""The shape of a code: three digits of prefix, 23 of chance, two of check (ISO 7064 MOD 97-10).

23 unpredictable digits are 76 bits; with at most a minute of life and a rate limit, guessing one is
hopeless. The check digits catch a misread before anything is looked up.
"""

from __future__ import annotations

from backend.codes.contracts import CodeKind
from backend.codes.identity_code import PREFIX as SIGNED_PREFIX

NATIONAL_PREFIX = "424"
CODE_LENGTH = 28
PREFIX_LENGTH = 3
RANDOM_LENGTH = 23


def make_code(prefix: str, random_digits: str) -> str:
    """Return the code text for 23 random digits."""
    if len(prefix) != PREFIX_LENGTH or len(random_digits) != RANDOM_LENGTH:
        raise ValueError("a code has three digits of prefix and 23 of chance")
    body = prefix + random_digits
    check = 98 - int(body + "00") % 97
    return f"{body}{check:02d}"


def is_code(text: str, prefix: str) -> bool:
    """Tell whether a scanned text could be one of our codes."""
    return (
        len(text) == CODE_LENGTH
        and text.isascii()
        and text.isdigit()
        and text.startswith(prefix)
        and int(text) % 97 == 1
    )


def classify(text: str, prefix: str, printed_prefix: str) -> CodeKind:
    """Tell which of the world's codes a scanned text is, by its shape alone.

    28 digits of ours, of a printed code, or of the national platform (424); ``opc`` of a mini program;
    a signed code by its mark; parts with colons are a health card. Anything else is somebody else's.
    """
    text = text.strip()
    if text.startswith(SIGNED_PREFIX):
        return CodeKind.SIGNED
    if len(text) == CODE_LENGTH and text.isascii() and text.isdigit():
        kinds = {
            prefix: CodeKind.UNIFIED,
            printed_prefix: CodeKind.PRINTED,
            NATIONAL_PREFIX: CodeKind.NATIONAL,
        }
        return kinds.get(text[:PREFIX_LENGTH], CodeKind.OTHER)
    if text.startswith("opc"):
        return CodeKind.NATIONAL
    return CodeKind.HEALTH_CARD if ":" in text else CodeKind.OTHER
