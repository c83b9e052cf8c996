"""A sandbox push gateway, as the makers of phones run them: takes signed pushes and writes them to a file.

Run it with ``python -m backend.sandboxes.push_gateway --mailbox FILE --port N``. It drops a repeated id and
answers 202; a token that begins with ``gone`` is of a phone that has removed the app and gets 410; the first
``--fail-first N`` pushes get 503. Each line of the file is one push as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BODY_BYTES_MAX = 4_096
"""What gateways take at most."""
_NEEDED = {"id", "token", "title", "text"}


@dataclass
class PushGateway:
    """What the gateway remembers."""

    mailbox: Path
    secret: bytes
    failures_left: int = 0
    seen: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, body: bytes, signature: str) -> int:
        """Return the HTTP status for a push, and write a new one to the file."""
        expected = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            return 401
        with self.lock:
            if self.failures_left > 0:
                self.failures_left -= 1
                return 503
            try:
                push = json.loads(body)
            except ValueError:
                return 400
            if not isinstance(push, dict) or not push.keys() >= _NEEDED:
                return 400
            if str(push["token"]).startswith("gone"):
                return 410
            if push["id"] not in self.seen:
                self.seen.add(push["id"])
                with self.mailbox.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(push, ensure_ascii=False) + "\n")
        return 202


def make_server(gateway: PushGateway, port: int) -> ThreadingHTTPServer:
    """Return the HTTP server of a gateway on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            if self.path != "/v1/push" or length > BODY_BYTES_MAX:
                self.send_error(404)
                return
            status = gateway.accept(self.rfile.read(length), self.headers.get("x-signature", ""))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: pushes are personal."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="sandbox push gateway")
    parser.add_argument("--mailbox", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8095)
    parser.add_argument("--secret", default="sandbox-secret")
    parser.add_argument("--fail-first", type=int, default=0)
    options = parser.parse_args()
    gateway = PushGateway(options.mailbox, options.secret.encode(), options.fail_first)
    make_server(gateway, options.port).serve_forever()


if __name__ == "__main__":
    main()
