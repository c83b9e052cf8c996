"""Lanes: nobody waits behind another kind of work, behind one caller, or without end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from backend.infra.unavailable import DatabaseUnavailable, Unavailability
from mobile_bff.lanes import Lane, LaneSize

SIZE: dict[str, Any] = {
    "threads": 4,
    "threads_per_caller": 2,
    "threads_of_nameless": 3,
    "waiting_max": 10,
    "seconds": 20,
}


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What blocked work waits for; opened in the end, so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


def _lane(**changes: Any) -> Lane:
    return Lane("test", LaneSize(**{**SIZE, **changes}))


async def _begun(lane: Lane, count: int) -> None:
    async with asyncio.timeout(10):
        while lane._running.total() < count:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(("caller", "share"), [("phone", 2), ("", 3)])
def test_one_caller_gets_its_share_of_the_threads_and_is_passed_over(
    gate: threading.Event, caller: str, share: int
) -> None:
    async def story() -> tuple[int, str, list[bool]]:
        lane = _lane()
        repeats = [asyncio.create_task(lane.run(gate.wait, caller=caller)) for _ in range(6)]
        await _begun(lane, share)
        served = await lane.run(lambda: "served", caller="till")
        running = lane._running[caller]
        gate.set()
        return running, served, await asyncio.gather(*repeats)

    assert asyncio.run(story()) == (share, "served", [True] * 6)


def test_what_waits_too_long_never_runs_and_what_runs_too_long_keeps_its_thread(
    gate: threading.Event,
) -> None:
    ran: list[str] = []

    async def story() -> tuple[list[Any], int, list[str], bool]:
        lane = _lane(threads=1, seconds=0.05)
        first = asyncio.create_task(lane.run(gate.wait, caller="a"))
        await _begun(lane, 1)
        second = asyncio.create_task(lane.run(lambda: ran.append("second"), caller="b"))
        kinds = []
        for error in await asyncio.gather(first, second, return_exceptions=True):
            assert isinstance(error, DatabaseUnavailable)
            kinds.append(error.kind)
        busy, before = lane._running.total(), list(ran)
        gate.set()
        async with asyncio.timeout(10):
            while lane._running:
                await asyncio.sleep(0.005)
        return kinds, busy, before, await lane.run(lambda: True)

    kinds, busy, before, again = asyncio.run(story())
    assert kinds == [Unavailability.SLOW, Unavailability.CROWDED]
    assert (busy, before, again, ran) == (1, [], True, [])


def test_a_request_that_is_nearly_over_waits_no_longer_than_that(gate: threading.Event) -> None:
    async def story() -> None:
        lane = _lane()
        await lane.run(gate.wait, until=asyncio.get_running_loop().time() + 0.05)

    with pytest.raises(DatabaseUnavailable) as told:
        asyncio.run(story())
    assert told.value.kind is Unavailability.SLOW


def test_too_many_who_wait_are_refused_at_once(gate: threading.Event) -> None:
    async def story() -> None:
        lane = _lane(threads=1, waiting_max=2)
        waiting = [asyncio.create_task(lane.run(gate.wait, caller=name)) for name in "abc"]
        await _begun(lane, 1)
        try:
            await lane.run(gate.wait, caller="d")
        finally:
            gate.set()
            await asyncio.gather(*waiting)

    with pytest.raises(DatabaseUnavailable) as told:
        asyncio.run(story())
    assert told.value.kind is Unavailability.CROWDED


def test_errors_of_the_work_are_the_callers(gate: threading.Event) -> None:
    def fail() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(_lane().run(fail))
