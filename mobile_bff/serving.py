"""Runs the server: in this process, or in several that a supervisor starts, watches and starts again."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from backend.infra.tether import end_with_parent

if TYPE_CHECKING:
    from starlette.applications import Starlette

APPLICATION = "mobile_bff.serving:application"

_log = logging.getLogger("yibao.supervisor")


def application() -> Starlette:
    """Return the application for the environment; what each worker calls. It ends with its supervisor.

    What is loaded at the start lives as long as the worker: the collector passes over it, now and later.
    """
    end_with_parent()
    gc.disable()
    try:
        from mobile_bff.app import from_environment  # takes most of a worker's start

        made = from_environment()
    finally:
        gc.enable()
    gc.collect()
    gc.freeze()
    return made


def run(*, workers: int, descriptor: int | None = None, **options: Any) -> int:
    """Serve until stopped and return the exit status; ``options`` are those of uvicorn.

    ``descriptor`` is a socket that listens already, in place of a host and a port.
    """
    config = uvicorn.Config(APPLICATION, factory=True, workers=workers, **options)
    handed = [] if descriptor is None else [socket.socket(fileno=descriptor)]
    if workers > 1:
        supervisor = Supervisor(config, sockets=handed or [config.bind_socket()])
        supervisor.run()
        failed = any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes)
        return STARTUP_FAILURE if failed else 0
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):  # it has been stopped by Ctrl-C, and in good order
        server.run(handed or None)
    return 0 if server.started else STARTUP_FAILURE


class Supervisor(Multiprocess):
    """Keeps a number of workers running, and says in the log of each that it replaces why it did."""

    def keep_subprocess_alive(self) -> None:
        """Replace workers that have ended, and kill and replace those that do not answer."""
        before = [(worker, worker.process.is_alive()) for worker in self.processes]
        super().keep_subprocess_alive()
        for (worker, was_alive), now in zip(before, self.processes, strict=True):
            if now is not worker:
                killed = was_alive and worker.exitcode == -signal.SIGKILL
                why = self._silent() if killed else _ended(worker.exitcode)
                _log.warning("worker %s %s; worker %s takes its place", worker.pid, why, now.pid)

    def _silent(self) -> str:
        seconds = self.config.timeout_worker_healthcheck
        return (
            f"had not answered for {seconds} seconds (YIBAO_WORKER_ANSWER_SECONDS) and was killed"
        )


def _ended(status: int | None) -> str:
    """Return how a process ended, from its exit status."""
    if status is not None and status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
