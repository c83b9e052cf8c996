"""Pure decisions about staff."""

from __future__ import annotations

PASSWORD_MIN = 12


def is_weak(password: str, number: str, name: str) -> bool:
    """Tell whether a password may not be chosen."""
    lowered = password.lower()
    return (
        len(password) < PASSWORD_MIN
        or number.lower() in lowered
        or (bool(name) and name.lower() in lowered)
        or len(set(password)) < PASSWORD_MIN // 2
    )
