"""What is started ends with what started it, whichever way that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mobile_bff.processes import free_port

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 120
SERVING = "按 Ctrl-C 停止"
ENDED_SECONDS_MAX = 30


@pytest.fixture
def mark() -> str:
    """Stands in the environment of everything that a test starts, children of children too."""
    return f"TESTED_PROCESS={os.getpid()}-{time.monotonic_ns()}"


def marked(mark: str) -> list[str]:
    """Return the command lines of the living processes that carry a mark."""
    lines = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                lines.append(" ".join((folder / "cmdline").read_text().split("\0")))
        except OSError:
            continue  # it has ended meanwhile
    return [line for line in lines if line]  # what has ended and is not reaped has no line


def wait_until(holds: Callable[[], bool], what: str, seconds: float = SECONDS_MAX) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.1)


@contextmanager
def started(
    arguments: list[str], folder: Path, mark: str, output: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command of the console as a terminal would, and leave nothing of it behind."""
    name, value = mark.split("=")
    settings = {k: v for k, v in os.environ.items() if not k.startswith("YIBAO_")}
    environment = {**settings, name: value, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with output.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "mobile_bff.command", *arguments],
            cwd=folder,
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for directory in Path("/proc").iterdir():
                if directory.name.isdigit() and mark in _environment(directory):
                    os.kill(int(directory.name), signal.SIGKILL)


def _environment(folder: Path) -> list[str]:
    try:
        return (folder / "environ").read_text(errors="replace").split("\0")
    except OSError:
        return []


def ended_by(
    number: signal.Signals, process: subprocess.Popen[bytes], mark: str
) -> tuple[int, list[str]]:
    """Send a signal; return the exit status and what is left after a bounded time."""
    process.send_signal(number)
    status = process.wait(timeout=ENDED_SECONDS_MAX)
    until = time.monotonic() + ENDED_SECONDS_MAX
    while (left := marked(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    return status, left


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
    with started(["demo", "--port", str(free_port())], tmp_path, mark, output) as demo:
        wait_until(lambda: SERVING in output.read_text() or demo.poll() is not None, "it serves")
        assert demo.poll() is None, output.read_text()
        assert len(marked(mark)) == 9  # itself, seven sandboxes, the server
        assert ended_by(number, demo, mark) == (status, [])


def test_ctrl_c_while_a_demo_starts_leaves_nothing_of_it(tmp_path: Path, mark: str) -> None:
    output = tmp_path / "output"
    with started(["demo", "--port", str(free_port())], tmp_path, mark, output) as demo:
        wait_until(lambda: len(marked(mark)) > 1, "it fills its database")
        assert ended_by(signal.SIGINT, demo, mark) == (130, [])
    assert "Traceback" not in output.read_text()


def test_two_demos_keep_apart(tmp_path: Path, mark: str) -> None:
    port, second = str(free_port()), tmp_path / "second"
    lock = tmp_path / ".demo" / "lock"
    with started(["demo", "--port", port], tmp_path, mark, tmp_path / "first") as first:
        wait_until(lock.exists, "the first has its folder")
        wait_until(lambda: len(marked(mark)) > 1, "the first fills its database")
        (tmp_path / ".demo" / "of-the-first").touch()
        for arguments, folder, said in (
            (["--port", str(free_port())], tmp_path, f"is at work in {tmp_path / '.demo'}; end it"),
            (["--port", port], tmp_path / "elsewhere", f"port {port} is taken; choose another"),
        ):
            folder.mkdir(exist_ok=True)
            with started(["demo", *arguments], folder, f"{mark}-second", second) as refused:
                assert refused.wait(timeout=SECONDS_MAX) == 2
            assert said in second.read_text()
            assert "Traceback" not in second.read_text()
        assert not (tmp_path / "elsewhere" / ".demo").exists()
        assert (tmp_path / ".demo" / "of-the-first").exists()
        assert first.poll() is None


def test_workers_end_with_a_supervisor_that_is_killed(tmp_path: Path, mark: str) -> None:
    output, port = tmp_path / "output", free_port()
    arguments = ["serve", "--workers", "2", "--port", str(port)]
    with started(arguments, tmp_path, mark, output) as supervisor:
        from mobile_bff.processes import _is_ready

        wait_until(lambda: _is_ready(port), "it is ready")
        wait_until(lambda: sum("spawn_main" in line for line in marked(mark)) == 2, "two workers")
        assert ended_by(signal.SIGKILL, supervisor, mark) == (-signal.SIGKILL, [])
