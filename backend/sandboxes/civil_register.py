"""A sandbox civil register: says whether a name and an ID number belong together (公民身份信息核查).

Run it with ``python -m backend.sandboxes.civil_register --port N``. It knows the fictitious people of the
sample province and three who are not insured there. Requests and answers are signed with HMAC-SHA256 over
the body, and an answer repeats the request's nonce. On demand it behaves as registers do: ``--fail-first N`` answers
503, ``--garbage-first N`` answers no JSON, ``--forge-first N`` signs with a wrong key, ``--delay S`` is late.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from backend.sample_data.people import CivilRecord, civil_records

BODY_BYTES_MAX = 4_000


@dataclass
class Register:
    """What the register knows, and which faults are still to come."""

    secret: bytes
    delay_seconds: float = 0
    faults: dict[str, int] = field(default_factory=dict)
    records: Mapping[str, CivilRecord] = field(default_factory=civil_records)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: bytes, signature: str) -> tuple[int, bytes, str]:
        """Return status, body and signature of the answer to a request."""
        if not hmac.compare_digest(self.sign(body), signature):
            return 401, b"", ""
        if self.strikes("fail"):
            return 503, b"", ""
        if self.strikes("garbage"):
            garbage = b"<html>busy</html>"
            return 200, garbage, self.sign(garbage)
        try:
            asked = json.loads(body)
            result = self.compare(str(asked["name"]), str(asked["idNumber"]))
            said = json.dumps({"nonce": asked["nonce"], "result": result}).encode()
        except (ValueError, KeyError, TypeError):
            return 400, b"", ""
        return 200, said, "0" * 64 if self.strikes("forge") else self.sign(said)

    def compare(self, name: str, number: str) -> str:
        """Return what the register says of a name and a number."""
        record = self.records.get(number)
        if record is None:
            return "UNKNOWN"
        if record.name != name:
            return "MISMATCH"
        return "MATCH" if record.died_on is None else "DECEASED"

    def sign(self, body: bytes) -> str:
        """Return the signature of a body."""
        return hmac.new(self.secret, body, hashlib.sha256).hexdigest()

    def strikes(self, fault: str) -> bool:
        """Tell whether a fault is due now, and count it."""
        with self.lock:
            left = self.faults.get(fault, 0)
            self.faults[fault] = max(0, left - 1)
            return left > 0


def make_server(register: Register, port: int) -> ThreadingHTTPServer:
    """Return the HTTP server of a register on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(register.delay_seconds)
            length = int(self.headers.get("content-length", "0"))
            if self.path != "/v1/checks" or length > BODY_BYTES_MAX:
                self.send_error(404)
                return
            body, signature = self.rfile.read(length), self.headers.get("x-signature", "")
            status, said, signed = register.answer(body, signature)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.send_header("x-signature", signed)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: names and numbers are personal."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="sandbox civil register")
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--secret", default="sandbox-secret")
    parser.add_argument("--delay", type=float, default=0)
    for fault in ("fail", "garbage", "forge"):
        parser.add_argument(f"--{fault}-first", type=int, default=0)
    options = parser.parse_args()
    faults = {name: getattr(options, f"{name}_first") for name in ("fail", "garbage", "forge")}
    register = Register(options.secret.encode(), options.delay, faults)
    make_server(register, options.port).serve_forever()


if __name__ == "__main__":
    main()
