"""What a caller is told where the database cannot serve: to send the same request again, and when.

In GraphQL it is an error of the operation, because not every mutation's union has a member for it; on
every other route it is a refusal like others. Both carry ``Retry-After``.
"""

from __future__ import annotations

from typing import Any

from backend.infra.unavailable import RETRY_AFTER, SystemBusy
from backend.kernel.errors import Locale

BUSY = SystemBusy.code()
BUSY_STATUS = 503
BUSY_HEADERS = {"retry-after": str(RETRY_AFTER)}


def busy_message(locale: Locale) -> str:
    """Return what happened and what to do, in a sentence that can be read out."""
    refusal = SystemBusy()
    return f"{refusal.message(locale)} {refusal.next_action(locale)}"


def busy_extensions(locale: Locale) -> dict[str, Any]:
    """Return what a program needs to know of it."""
    refusal = SystemBusy()
    return {
        "code": BUSY,
        "nextAction": refusal.next_action(locale),
        "retry": refusal.retry.value,
        "retryAfterSeconds": refusal.retry_after_seconds,
    }
