"""Every job of the table with two workers, a slow step, a death and a failing item: each thing once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from backend.infra.database import Database
from backend.infra.queue import never
from mobile_bff.workers import Job, jobs_of
from tests.simulation.job_cases import CASES, Case, Stage, counts, effects
from tests.world import World

T = TypeVar("T")
PATIENCE = 20
EVERY = pytest.mark.parametrize("name", sorted(CASES))


class Poison(Exception):
    """Something that a job did not expect."""


class Worker(Database):
    """The database of one worker, which a test stops before or after its writes."""

    writes = 0
    before: Callable[[int], None] = staticmethod(lambda _: None)
    after: Callable[[int], None] = staticmethod(lambda _: None)

    def write(self, work: Any, request_id: str = "") -> Any:
        self.writes += 1
        number = self.writes
        self.before(number)
        outcome = super().write(work, request_id)
        self.after(number)
        return outcome


@dataclass
class Scene:
    """A job that is due, two workers, and what there was before."""

    stage: Stage
    case: Case
    job: Job
    first: Worker
    second: Worker

    def __post_init__(self) -> None:
        self.before = counts(self.stage)

    def run(self, worker: Worker) -> None:
        """Let a worker do all that is due."""
        while self.job.work(worker, never):
            assert worker.writes < 500, "there is no end to it"

    def effects(self) -> dict[str, int]:
        return effects(self.before, counts(self.stage))


@pytest.fixture
def scene(world: World, name: str) -> Iterator[Scene]:
    stage, case = Stage(world), CASES[name]
    case.due(stage)
    workers = [Worker(world.database.resources) for _ in "12"]
    job = {one.name: one for one in jobs_of(stage.outside)}[name]
    yield Scene(stage, case, job, *workers)
    for one in workers:
        one.close()


def test_each_job_of_the_table_has_its_case(world: World) -> None:
    assert sorted(CASES) == sorted(job.name for job in jobs_of(Stage(world).outside))


@EVERY
def test_two_workers_at_the_same_moment_do_each_thing_once(scene: Scene) -> None:
    """Both have seen what is due before either writes anything."""
    gate = threading.Barrier(2)

    def wait(number: int) -> None:
        if number == 1:
            with contextlib.suppress(threading.BrokenBarrierError):
                gate.wait(PATIENCE)

    def run(worker: Worker) -> None:
        worker.before = wait
        try:
            scene.run(worker)
        finally:
            gate.abort()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(run, one) for one in (scene.first, scene.second)]:
            done.result(PATIENCE)
    assert scene.effects() == scene.case.effects
    assert scene.stage.world.faults() == []


@EVERY
def test_a_slow_step_holds_no_lock_and_what_it_leaves_is_done_once(scene: Scene) -> None:
    """One worker stands still between what it took and what it does; the other runs to its end."""
    stands, goes_on = threading.Event(), threading.Event()

    def stand(number: int = 1) -> None:
        if number == 1 and not stands.is_set():
            stands.set()
            assert goes_on.wait(PATIENCE)

    if scene.case.outside:
        scene.stage.hook = stand
    else:
        scene.first.before = stand
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(scene.run, scene.first)
        try:
            assert stands.wait(PATIENCE)
            assert scene.first.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            pool.submit(scene.run, scene.second).result(PATIENCE)
        finally:
            goes_on.set()
        slow.result(PATIENCE)
    assert scene.effects() == scene.case.effects


@EVERY
def test_what_a_worker_that_dies_leaves_is_done_by_another(scene: Scene) -> None:
    def die(_: int = 1) -> None:
        scene.stage.hook = lambda: None
        raise KeyboardInterrupt

    if scene.case.outside:
        scene.stage.hook = die
    else:
        scene.first.after = die
    with pytest.raises(KeyboardInterrupt):
        scene.run(scene.first)
    scene.stage.world.clock.forward(seconds=61)  # leases run out
    scene.run(scene.second)
    assert scene.effects() == scene.case.effects


@EVERY
def test_one_that_fails_keeps_no_other_from_its_turn_and_is_tried_again_later(
    scene: Scene,
) -> None:
    tries: list[int] = []

    def fail(number: int = 1) -> None:
        tries.append(number)
        if len(tries) == 1:
            raise Poison("李样例 510104199001011234")

    if scene.case.outside:
        scene.stage.hook = fail
    else:
        scene.first.before = fail
    with contextlib.suppress(Poison) if scene.case.alone else contextlib.nullcontext():
        scene.run(scene.first)
    left = scene.effects()
    assert left != scene.case.effects
    assert scene.case.alone or left, "the other was done"
    scene.run(scene.second)  # at once: it waits
    if not scene.case.alone:
        assert scene.effects() == left
    scene.stage.world.clock.forward(seconds=61)
    scene.run(scene.second)
    assert scene.effects() == scene.case.effects
