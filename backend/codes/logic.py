"""The shape of a code: three digits of prefix, 23 of chance, two of check (ISO 7064 MOD 97-10).

23 unpredictable digits are 76 bits; with at most a minute of life and a rate limit, guessing one is
hopeless. The check digits catch a misread before anything is looked up.
"""

from __future__ import annotations

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
