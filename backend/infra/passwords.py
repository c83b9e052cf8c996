"""How passwords are kept: argon2id, with the costs of the settings."""

from __future__ import annotations

from argon2 import PasswordHasher

from backend.infra.settings import Settings


def hasher(settings: Settings) -> PasswordHasher:
    """Return the hasher for passwords that are stored or checked now."""
    return PasswordHasher(
        time_cost=settings.argon2_passes, memory_cost=settings.argon2_kibibytes, parallelism=1
    )
