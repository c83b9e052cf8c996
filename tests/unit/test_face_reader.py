"""The processes that measure faces: real ones, killed and crowded."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from backend.identity import face_worker
from backend.identity.face_contracts import FaceProblem, FaceUnavailable, Frame
from backend.identity.face_reader import FaceReader
from tests.faces import LOOK, jpeg, posed, seen


@pytest.fixture
def reader() -> Iterator[FaceReader]:
    made = FaceReader(processes=1, queue_max=0, seconds_max=60)
    yield made
    made.close()


def test_it_measures_elsewhere_and_starts_anew_after_a_crash(reader: FaceReader) -> None:
    picture = (2, jpeg(seen(posed("biden", LOOK))))

    async def live() -> None:
        first = await reader.measure([picture])
        assert isinstance(first, tuple)
        assert (first[0].step, first[0].problem, len(first[0].points)) == (2, None, 68)
        assert reader._pool is not None
        (process,) = (reader._pool._processes or {}).values()
        assert process.pid != os.getpid()
        work = asyncio.create_task(reader.measure([picture] * 20))
        await asyncio.sleep(0.3)
        assert await reader.measure([picture]) == FaceUnavailable()  # no place is left
        os.kill(process.pid or 0, signal.SIGKILL)
        assert await work == FaceUnavailable()
        again = await reader.measure([picture, (0, b"")])
        assert isinstance(again, tuple)
        assert again[1] == Frame(0, FaceProblem.UNREADABLE)

    asyncio.run(live())


def test_whoever_takes_too_long_is_given_up() -> None:
    reader = FaceReader(processes=1, queue_max=0, seconds_max=0)

    async def live() -> None:
        assert await reader.measure([(0, b"")]) == FaceUnavailable()

    asyncio.run(live())
    reader.close()


def test_a_library_that_ends_the_process_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins
    from typing import Any

    real = builtins.__import__

    def quits(name: str, *rest: Any) -> Any:
        if name == "face_recognition":
            raise SystemExit(0)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", quits)
    with pytest.raises(face_worker.FaceLibraryMissing):
        face_worker._library()
