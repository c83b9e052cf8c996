"""What a worker loads in the background once it is ready, so that no patient waits for it.

That is what nearly every patient needs: the law (370 ms) and what draws a code (30 ms). What few need is
loaded for them: the signing of PDF files takes 540 ms once in the life of a worker, and 20 MB.
"""

from __future__ import annotations

import logging

from anyio import to_thread

from backend.rulebook.library import rulebook
from mobile_bff.mobile_payment.unified_code import svg_of

_log = logging.getLogger("yibao")


async def warm_up() -> None:
    """Load what nearly every patient needs. A failure is logged: the request that needs it meets it again."""
    try:
        await to_thread.run_sync(_load)
    except Exception:
        _log.exception("a worker could not load what patients need")


def _load() -> None:
    rulebook()
    svg_of("0")
