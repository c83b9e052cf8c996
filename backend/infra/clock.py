"""The machine's clock and its source of randomness: the only place that asks for either."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from backend.kernel.ids import encode_id


class SystemClock:
    """The present as the machine knows it."""

    def now(self) -> datetime:
        """Return the present instant in UTC, to the microsecond."""
        return datetime.now(UTC)


class SystemIds:
    """Identifiers and secrets from the operating system's generator."""

    def new_id(self, at: datetime) -> str:
        """Return a fresh identifier."""
        return encode_id(at, secrets.token_bytes(10))

    def secret(self, byte_count: int) -> bytes:
        """Return unpredictable bytes."""
        return secrets.token_bytes(byte_count)

    def digits(self, count: int) -> str:
        """Return unpredictable decimal digits."""
        return str(secrets.randbelow(10**count)).zfill(count)
