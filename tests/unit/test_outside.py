"""Another server has a time for its whole answer, however it fills it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from mobile_bff.outside import answered_in_time


@pytest.fixture
def trickling() -> Iterator[str]:
    """A server that sends a byte of its headers every tenth of a second, and never the last."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            caller, _ = listener.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
                while not ended.wait(0.1):
                    caller.sendall(b"a")

        thread = threading.Thread(target=trickle)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join(timeout=10)


def test_a_server_that_trickles_is_too_slow(trickling: str) -> None:
    with httpx.Client(timeout=5, trust_env=False) as client:
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            answered_in_time(lambda: client.get(trickling), seconds=0.5)
        assert time.monotonic() - began < 4


def test_answers_and_errors_of_a_call_are_its_own() -> None:
    def fail() -> None:
        raise TimeoutError("its own")

    assert answered_in_time(lambda: 7) == 7
    with pytest.raises(TimeoutError, match="its own"):
        answered_in_time(fail)
