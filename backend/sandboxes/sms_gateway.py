"""A sandbox gateway of messages and calls: takes signed ones over HTTP and writes them to a mailbox file.

Run it with ``python -m backend.sandboxes.sms_gateway --mailbox FILE --port N``. It behaves as gateways
do: it checks the signature, drops a repeated id, answers 202, and on demand fails
(``--fail-first N``: the first N deliveries get 503; ``--delay SECONDS``: every answer is late;
``--nobody-answers``: every call gets 504). Each line of the mailbox is one message or call as JSON; a call
says so.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BODY_BYTES_MAX = 10_000


@dataclass
class Gateway:
    """What the gateway remembers."""

    mailbox: Path
    secret: bytes
    failures_left: int
    delay_seconds: float
    nobody_answers: bool = False
    seen: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, body: bytes, signature: str, call: bool = False) -> int:
        """Return the HTTP status for a delivery, and write a new message to the mailbox."""
        expected = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            return 401
        if call and self.nobody_answers:
            return 504
        with self.lock:
            if self.failures_left > 0:
                self.failures_left -= 1
                return 503
            try:
                message = json.loads(body)
                number = str(message["id"])
            except (ValueError, KeyError, TypeError):
                return 400
            if number not in self.seen:
                self.seen.add(number)
                message |= {"call": True} if call else {}
                with self.mailbox.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(message, ensure_ascii=False) + "\n")
        return 202


def make_server(gateway: Gateway, port: int) -> ThreadingHTTPServer:
    """Return the HTTP server of a gateway on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(gateway.delay_seconds)
            length = int(self.headers.get("content-length", "0"))
            known = self.path in ("/v1/messages", "/v1/calls")
            if not known or length > BODY_BYTES_MAX:
                self.send_error(404)
                return
            signature = self.headers.get("x-signature", "")
            status = gateway.accept(self.rfile.read(length), signature, self.path == "/v1/calls")
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: messages are personal."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="sandbox SMS gateway")
    parser.add_argument("--mailbox", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--secret", default="sandbox-secret")
    parser.add_argument("--fail-first", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--nobody-answers", action="store_true")
    options = parser.parse_args()
    gateway = Gateway(
        options.mailbox,
        options.secret.encode(),
        options.fail_first,
        options.delay,
        options.nobody_answers,
    )
    make_server(gateway, options.port).serve_forever()


if __name__ == "__main__":
    main()
