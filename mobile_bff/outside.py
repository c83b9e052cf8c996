"""Calls to other servers, with an end for the whole call and not only for each of its parts.

A library's time-out begins anew with every byte that comes, so a server that sends one a second would never
be too slow.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

CALL_SECONDS = 5
"""How long another server has for a whole answer, and for each part of one."""
_CALLS_MAX = 16
_threads = ThreadPoolExecutor(_CALLS_MAX, "yibao-outside")


def answered_in_time(call: Callable[[], T], seconds: float = CALL_SECONDS) -> T:
    """Return what a call to another server returned.

    A call that is too slow keeps its thread until its own end; where all threads are kept, no other begins.

    Raises: ``httpx.ReadTimeout`` where it takes too long, and what the call raises.
    """
    future = _threads.submit(call)
    try:
        return future.result(seconds)
    except concurrent.futures.TimeoutError:
        if future.done() and not future.cancelled():
            raise  # the call's own
        future.cancel()
        import httpx  # whatever calls has loaded it already

        raise httpx.ReadTimeout("the answer as a whole took too long") from None
