"""The server in a thread of the test's process: real HTTP, without the time that processes take to start."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn

from backend.infra.settings import Settings
from mobile_bff.app import create_app
from mobile_bff.processes import DidNotStart, free_port
from mobile_bff.wire import server_options

START_SECONDS_MAX = 30


@contextmanager
def server_thread(environment: Mapping[str, str], port: int | None = None) -> Iterator[str]:
    """Run the server on a migrated database and yield its address once it answers."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    settings = Settings.from_environment({"YIBAO_PUBLIC_URL": address, **environment})
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), port=port, log_config=None, **server_options(settings))
    )
    thread = threading.Thread(target=server.run, name=f"server {port}")
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield address
    finally:
        server.should_exit = True
        thread.join()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise DidNotStart("the server's thread ended, or did not start in time")
        time.sleep(0.01)
