"""The runner of jobs: what fails keeps nothing else from its turn, and the end waits for the item in hand."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from backend.infra.database import Database
from backend.infra.queue import Ending
from mobile_bff.workers import HOUR, Job, Workers, pause_after

NO_DATABASE = cast("Database", None)
PATIENCE = 10


def job(name: str, work: Callable[[Ending], int], every: float = HOUR, lane: str = "") -> Job:
    return Job(name=name, every=every, work=lambda _, ending: work(ending), lane=lane)


def run_until(enough: threading.Event, *jobs: Job) -> None:
    """Run jobs until something has happened, and end them."""

    async def run() -> None:
        workers = Workers(NO_DATABASE, jobs)
        workers.start()
        assert await asyncio.to_thread(enough.wait, PATIENCE)
        await asyncio.wait_for(workers.end(), PATIENCE)

    asyncio.run(run())


def test_a_job_that_fails_keeps_the_jobs_after_it_from_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ran, enough = [], threading.Event()

    def fail(_: Ending) -> int:
        ran.append("first")
        raise RuntimeError("poison")

    def work(_: Ending) -> int:
        ran.append("second")
        enough.set()
        return 0

    with caplog.at_level(logging.ERROR, "yibao.jobs"):
        run_until(enough, job("first", fail, lane="hourly"), job("second", work, lane="hourly"))
    assert ran == ["first", "second"]
    assert [one.getMessage() for one in caplog.records] == ["job first failed; it is tried again"]


def test_a_job_with_work_runs_again_at_once_and_one_without_waits() -> None:
    left, enough = [3, 2, 1, 0], threading.Event()

    def work(_: Ending) -> int:
        count = left.pop(0)
        if not count:
            enough.set()
        return count

    run_until(enough, job("eager", work))
    assert left == []  # one more run would have found nothing to take, and failed


def test_the_end_waits_for_the_item_in_hand_and_begins_no_other() -> None:
    """What is under way is finished and noted; the job sees that the server ends, and stops."""
    noted: list[int] = []
    sending, may_go_on = threading.Event(), threading.Event()

    def work(ending: Ending) -> int:
        for number in range(100):
            if ending():
                return number
            sending.set()
            assert may_go_on.wait(PATIENCE)
            noted.append(number)
        return 100

    async def run() -> None:
        workers = Workers(NO_DATABASE, [job("deliver", work)])
        workers.start()
        assert await asyncio.to_thread(sending.wait, PATIENCE)
        end = asyncio.create_task(workers.end())
        await asyncio.sleep(0)
        assert not end.done()
        assert noted == []
        may_go_on.set()
        await asyncio.wait_for(end, PATIENCE)

    asyncio.run(run())
    assert noted == [0]


@pytest.mark.parametrize(
    ("every", "pauses"),
    [
        (0.2, [0.2, 2, 4, 8, 16, 30, 30]),
        (60.0, [60, 2, 4, 8, 16, 32, 60]),
        (HOUR, [HOUR, 2, 4, 8, 16, 32, 64]),
    ],
)
def test_the_pause_grows_with_each_failure_in_a_row(every: float, pauses: list[float]) -> None:
    one = job("one", lambda _: 0, every)
    assert [pause_after(one, failures=n, worked=False) for n in range(7)] == pauses
    assert pause_after(one, failures=0, worked=True) == 0
    assert pause_after(one, failures=9999, worked=False) == max(30, min(every, 300))


def test_lanes_do_not_wait_for_each_other() -> None:
    both = threading.Barrier(2)
    enough = threading.Event()

    def meet(_: Ending) -> int:
        both.wait(PATIENCE)  # it breaks unless both jobs run at the same time
        enough.set()
        return 0

    run_until(enough, job("one", meet), job("two", meet))
    assert not both.broken


def test_a_failure_is_tried_again_and_then_goes_on_as_before() -> None:
    outcomes: list[Any] = [RuntimeError("once"), 0]
    enough = threading.Event()

    def work(_: Ending) -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        enough.set()
        return int(outcome)

    run_until(enough, job("one", work))
    assert outcomes == []
