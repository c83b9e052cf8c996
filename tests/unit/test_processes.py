"""What is started ends with what started it, whichever way that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mobile_bff.processes import free_port, is_ready

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 120
YIBAO = ("-m", "mobile_bff.command")
SERVING = "按 Ctrl-C 停止"
ENDED_SECONDS_MAX = 30


@pytest.fixture
def mark() -> str:
    """Stands in the environment of everything that a test starts, children of children too."""
    return f"TESTED_PROCESS={os.getpid()}-{time.monotonic_ns()}"


def marked(mark: str) -> dict[int, str]:
    """Return the command lines of the living processes that carry a mark, by process."""
    lines = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and mark in _read(folder / "environ"):
            lines[int(folder.name)] = " ".join(_read(folder / "cmdline"))
    return {number: line for number, line in lines.items() if line}  # what has ended has no line


def workers(mark: str) -> list[int]:
    """Return the processes that a supervisor has started."""
    return [number for number, line in marked(mark).items() if "spawn_main" in line]


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").split("\0")
    except OSError:
        return []  # it has ended meanwhile


def wait_until(holds: Callable[[], bool], what: str, seconds: float = SECONDS_MAX) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.1)


@contextmanager
def started(
    arguments: list[str],
    folder: Path,
    mark: str,
    output: Path,
    settings: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start Python as a terminal would, and leave nothing of it behind."""
    name, value = mark.split("=")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("YIBAO_")}
    environment = {**inherited, **(settings or {}), name: value, "PYTHONPATH": str(ROOT)}
    with output.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for number in marked(mark):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)


def ended_by(
    number: signal.Signals, process: subprocess.Popen[bytes], mark: str
) -> tuple[int, list[str]]:
    """Send a signal; return the exit status and what is left after a bounded time."""
    process.send_signal(number)
    status = process.wait(timeout=ENDED_SECONDS_MAX)
    until = time.monotonic() + ENDED_SECONDS_MAX
    while (left := marked(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    return status, list(left.values())


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGTERM, 128 + signal.SIGTERM),
        (signal.SIGHUP, 128 + signal.SIGHUP),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
    ids=["SIGTERM", "SIGHUP", "SIGKILL"],
)
def test_nothing_of_a_demo_outlives_it(
    tmp_path: Path, mark: str, number: signal.Signals, status: int
) -> None:
    output = tmp_path / "output"
    with started([*YIBAO, "demo", "--port", str(free_port())], tmp_path, mark, output) as demo:
        wait_until(lambda: SERVING in output.read_text() or demo.poll() is not None, "it serves")
        assert demo.poll() is None, output.read_text()
        assert len(marked(mark)) == 9  # itself, seven sandboxes, the server
        assert ended_by(number, demo, mark) == (status, [])


def test_ctrl_c_while_a_demo_starts_leaves_nothing_of_it(tmp_path: Path, mark: str) -> None:
    output = tmp_path / "output"
    with started([*YIBAO, "demo", "--port", str(free_port())], tmp_path, mark, output) as demo:
        wait_until(lambda: len(marked(mark)) > 1, "it fills its database")
        assert ended_by(signal.SIGINT, demo, mark) == (130, [])
    assert "Traceback" not in output.read_text()


def test_two_demos_keep_apart(tmp_path: Path, mark: str) -> None:
    port, second = str(free_port()), tmp_path / "second"
    lock = tmp_path / ".demo" / "lock"
    with started([*YIBAO, "demo", "--port", port], tmp_path, mark, tmp_path / "first") as first:
        wait_until(lock.exists, "the first has its folder")
        wait_until(lambda: len(marked(mark)) > 1, "the first fills its database")
        (tmp_path / ".demo" / "of-the-first").touch()
        for arguments, folder, said in (
            (["--port", str(free_port())], tmp_path, f"is at work in {tmp_path / '.demo'}; end it"),
            (["--port", port], tmp_path / "elsewhere", f"port {port} is taken; choose another"),
        ):
            folder.mkdir(exist_ok=True)
            with started([*YIBAO, "demo", *arguments], folder, f"{mark}-second", second) as refused:
                assert refused.wait(timeout=SECONDS_MAX) == 2
            assert said in second.read_text()
            assert "Traceback" not in second.read_text()
        assert not (tmp_path / "elsewhere" / ".demo").exists()
        assert (tmp_path / ".demo" / "of-the-first").exists()
        assert first.poll() is None


def test_workers_end_with_a_supervisor_that_is_killed(tmp_path: Path, mark: str) -> None:
    output, port = tmp_path / "output", free_port()
    arguments = [*YIBAO, "serve", "--workers", "2", "--port", str(port)]
    with started(arguments, tmp_path, mark, output) as supervisor:
        wait_until(lambda: is_ready(port), "it is ready")
        wait_until(lambda: len(workers(mark)) == 2, "two workers")
        assert ended_by(signal.SIGKILL, supervisor, mark) == (-signal.SIGKILL, [])


def test_a_worker_that_is_replaced_is_logged_with_the_reason(tmp_path: Path, mark: str) -> None:
    output, port = tmp_path / "output", free_port()
    arguments = [*YIBAO, "serve", "--workers", "2", "--port", str(port)]
    seconds = {"YIBAO_WORKER_ANSWER_SECONDS": "15"}
    with started(arguments, tmp_path, mark, output, seconds) as supervisor:
        wait_until(lambda: is_ready(port) and len(workers(mark)) == 2, "it is ready")
        silent, killed = sorted(workers(mark))
        os.kill(killed, signal.SIGKILL)
        said_of = f"worker {killed} "  # killed while it was asked, it has not answered either
        ways = [
            f"{said_of}was ended by SIGKILL; worker ",
            f"{said_of}had not answered for 15 seconds",
        ]
        wait_until(lambda: any(way in output.read_text() for way in ways), "one is replaced")
        os.kill(silent, signal.SIGSTOP)
        said = f"worker {silent} had not answered for 15 seconds"
        wait_until(lambda: said in output.read_text(), "the other is replaced")
        wait_until(lambda: len(workers(mark)) == 2, "there are two again")
        assert output.read_text().count("takes its place") == 2
        status, left = ended_by(signal.SIGTERM, supervisor, mark)
        assert (status, left) == (0, [])


def test_what_measures_faces_ends_with_a_worker_that_is_killed(tmp_path: Path, mark: str) -> None:
    script, output = tmp_path / "worker.py", tmp_path / "output"
    script.write_text(
        """
import time
from backend.identity.face_reader import FaceReader
from backend.identity.face_worker import measure

if __name__ == "__main__":
    reader = FaceReader(1, 1, 30)
    assert reader._running().submit(measure, []).result() == []
    print("ready", flush=True)
    time.sleep(600)
"""
    )
    with started([str(script)], tmp_path, mark, output) as worker:
        wait_until(lambda: "ready" in output.read_text() or worker.poll() is not None, "ready")
        assert workers(mark), output.read_text()
        assert ended_by(signal.SIGKILL, worker, mark) == (-signal.SIGKILL, [])
