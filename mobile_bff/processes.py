"""Starts the server and the sandboxes as real processes; for the demo, the benchmark and tests.

Each ends with the process that started it, whichever way that ends: see ``backend.infra.tether``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

from backend.kernel.errors import OperatorError

STOP_SECONDS_MAX = 10
START_SECONDS_MAX = 90
_CODES = ("sign_in_code", "step_up_code", "register_code", "new_phone_code")


class DidNotStart(OperatorError):
    """A process ended or stayed silent."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def reserved(port: int) -> socket.socket:
    """Return a listening socket, to be handed to a server: no other program takes the port meanwhile.

    Port 0 is any that is free. Raises ``DidNotStart`` where another program has the port.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise DidNotStart(f"port {port} is taken; choose another with --port") from None
    return listener


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn the signals that end a program into an exception, so that what it started is ended too.

    The exit status is 128 and the signal's number, as shells have it. Ctrl-C is an exception already.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    quiet: bool = False,
    descriptors: tuple[int, ...] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module as a Python process and end it afterwards, with all that it has started.

    ``descriptors`` of this process are the other's too, by the same numbers.
    """
    watched, held = os.pipe()  # the system closes ours with this process, even if it is killed
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.infra.tether", str(watched), module, *arguments],
            env={**os.environ, **environment},
            pass_fds=(watched, *descriptors),
            start_new_session=True,
            stdout=subprocess.DEVNULL if quiet else None,
        )
    except BaseException:
        os.close(held)
        raise
    finally:
        os.close(watched)
    try:
        yield process
    finally:
        _end(process)
        os.close(held)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def seed(environment: Mapping[str, str]) -> None:
    """Fill the database of an environment with the sample province. Raises ``DidNotStart``."""
    with running("mobile_bff.command", ["seed"], environment, quiet=True) as process:
        if process.wait():
            raise DidNotStart(f"the database was not filled: status {process.returncode}")


def sms_sandbox(mailbox: Path, *more: str) -> AbstractContextManager[str]:
    """Run the SMS sandbox and yield its address."""
    return _sandbox("sms_gateway", "--mailbox", str(mailbox), *more)


def push_sandbox(mailbox: Path, *more: str) -> AbstractContextManager[str]:
    """Run the push sandbox and yield its address."""
    return _sandbox("push_gateway", "--mailbox", str(mailbox), *more)


def civil_register(*more: str) -> AbstractContextManager[str]:
    """Run the sandbox of the civil register and yield its address."""
    return _sandbox("civil_register", *more)


def national_platform(*more: str) -> AbstractContextManager[str]:
    """Run the sandbox of the national platform and yield its address."""
    return _sandbox("national_platform", *more)


def wechat_pay(keys: Path) -> AbstractContextManager[str]:
    """Run the sandbox of WeChat Pay, its keys and the merchant's in a folder, and yield its address."""
    return _sandbox("wechat_pay", "--keys", str(keys))


def unionpay(keys: Path) -> AbstractContextManager[str]:
    """Run the sandbox of UnionPay, its keys and the merchant's in a folder, and yield its address."""
    return _sandbox("unionpay", "--keys", str(keys))


def bank_credit(keys: Path, *more: str) -> AbstractContextManager[str]:
    """Run the sandbox of a bank that grants credit, keys of both sides in a folder; yield its address."""
    return _sandbox("bank_credit", "--keys", str(keys), *more)


@contextmanager
def _sandbox(name: str, *more: str) -> Iterator[str]:
    port = free_port()
    with running(f"backend.sandboxes.{name}", ["--port", str(port), *more], {}) as process:
        _wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def server(
    environment: Mapping[str, str],
    port: int | None = None,
    workers: int = 1,
    listener: socket.socket | None = None,
) -> Iterator[str]:
    """Run the server on a port, or a socket that listens already; yield its address once it is ready."""
    with listener or reserved(port or 0) as handed:
        port, descriptor = handed.getsockname()[1], handed.fileno()
        address = f"http://127.0.0.1:{port}"
        settings = {"YIBAO_PUBLIC_URL": address, **environment}
        shown = ("--port", str(port))  # in the list of processes, for whoever looks for the server
        arguments = ["serve", *shown, "--fd", str(descriptor), "--workers", str(workers)]
        with running(
            "mobile_bff.command", arguments, settings, descriptors=(descriptor,)
        ) as process:
            handed.close()  # it is the server's alone: with the server the port is given up
            _wait_until_ready(port, process)
            yield address


def newest_code(mailbox: Path, phone: str, seconds: float = 10) -> str:
    """Return the newest sign-in code in the mailbox for a phone, waiting for the first."""
    for _ in range(int(seconds * 20)):
        if mailbox.exists():
            lines = mailbox.read_text(encoding="utf-8").splitlines()
            sent = [m for m in map(json.loads, lines) if m["to"] == phone]
            codes = [m["code"] for m in sent if m["template"] in _CODES]
            if codes:
                return str(codes[-1])
        time.sleep(0.05)
    raise DidNotStart(f"no message for {phone} arrived in the mailbox")


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS_MAX * 20):
        if process.poll() is not None:
            raise DidNotStart(f"the process ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DidNotStart(f"nothing listens on port {port}")


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS_MAX * 20):
        if process.poll() is not None:
            raise DidNotStart(f"the server ended with status {process.returncode}")
        if is_ready(port):
            return
        time.sleep(0.05)
    raise DidNotStart("the server is not ready")


def is_ready(port: int) -> bool:
    """Tell whether a server on a port of this machine answers that it is ready."""
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as caller:
            caller.request("GET", "/health/ready")
            return caller.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
