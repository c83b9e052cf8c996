"""Starts the server and the sandboxes as real processes; for the demo, the benchmark and tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx

START_SECONDS_MAX = 90
_CODES = ("sign_in_code", "step_up_code", "register_code", "new_phone_code")


class DidNotStart(Exception):
    """A process ended or stayed silent."""


def is_taken(port: int) -> bool:
    """Tell whether somebody listens on a port of this machine."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(
    arguments: list[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python process and end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **environment}, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def sms_sandbox(mailbox: Path, *more: str) -> Iterator[str]:
    """Run the SMS sandbox and yield its address."""
    port = free_port()
    arguments = ["-m", "backend.sandboxes.sms_gateway", "--mailbox", str(mailbox)]
    with running([*arguments, "--port", str(port), *more], {}) as process:
        _wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"


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
    arguments = ["-m", f"backend.sandboxes.{name}", "--port", str(port)]
    with running([*arguments, *more], {}) as process:
        _wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def server(
    environment: Mapping[str, str], port: int | None = None, workers: int = 1
) -> Iterator[str]:
    """Run the server and yield its address once it is ready."""
    port = port or free_port()
    arguments = ["-m", "mobile_bff.command", "serve", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    known = {"YIBAO_PUBLIC_URL": address, **environment}
    with running([*arguments, "--workers", str(workers)], known) as process:
        _wait_for_port(port, process)
        _wait_until_ready(address, process)
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


def _wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS_MAX * 20):
        if process.poll() is not None:
            raise DidNotStart(f"the server ended with status {process.returncode}")
        try:
            if httpx.get(f"{address}/health/ready", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise DidNotStart("the server is not ready")
