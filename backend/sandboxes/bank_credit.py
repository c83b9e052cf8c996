"""A sandbox of a bank that grants credit for care: review, reserve, capture, refund, repay; badly behaved.

Run it with ``python -m backend.sandboxes.bank_credit --port N --keys FOLDER``; keys of both sides are made
there if there are none. Requests and answers are signed texts (JWS, EdDSA). ``POST /sandbox/review`` with
``{"agreement", "limit"}`` plays the bank's clerk (a limit of 0 declines); without one an application is
granted ``--grant`` fen at once. ``POST /sandbox/days`` with ``{"days"}`` lets time pass at the bank, and
``POST /sandbox/behave`` sets what goes wrong next, by name and how often: ``fail`` (503), ``lose`` (done, and
the answer is lost), ``forge`` (an answer that the bank did not sign), ``stale`` (the answer to something
else), ``busy``, ``poor`` (the patient's card is empty), ``refund_fails``. ``GET /sandbox/books`` shows what it
paid and got back.
"""

from __future__ import annotations

import argparse
import json
import threading
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from backend.infra.clock import SystemClock, SystemIds
from backend.kernel.calendar import local_day

_CLOCK, _IDS = SystemClock(), SystemIds()
_ALGORITHM = "EdDSA"
BODY_BYTES_MAX = 20_000
FREE_DAYS = 56
"""Days without interest, as published offers of such credit have them."""
Answer = tuple[str, dict[str, Any]]


def make_keys(folder: Path) -> None:
    """Write keys of us and of the bank into a folder that has none."""
    if (folder / "merchant.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("merchant", "bank"):
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / f"{name}_public.pem").write_bytes(public)
        (folder / f"{name}.pem").write_bytes(private)


@dataclass
class Trade:
    """What the bank reserved or paid for somebody."""

    number: str
    agreement: str
    amount: int
    state: str = "RESERVED"
    at: str = ""
    due_on: str = ""
    repaid: int = 0
    refunds: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """Return what is still to be paid back."""
        back = sum(amount for amount, _ in self.refunds.values())
        return max(0, self.amount - back - self.repaid) if self.state == "CAPTURED" else 0


@dataclass
class Credit:
    """Somebody's credit."""

    agreement: str
    state: str
    limit: int = 0
    repayments: dict[str, str] = field(default_factory=dict)


@dataclass
class Bank:
    """The bank: its keys, its books, and what goes wrong next."""

    folder: Path
    grant: int | None = None
    credits: dict[str, Credit] = field(default_factory=dict)
    trades: dict[str, Trade] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    days: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.private = (self.folder / "bank.pem").read_text()
        self.merchant = (self.folder / "merchant_public.pem").read_text()

    def strikes(self, fault: str) -> bool:
        """Tell whether a fault is due now, and count it."""
        with self.lock:
            left = self.faults.get(fault, 0)
            self.faults[fault] = max(0, left - 1)
            return left > 0

    def now(self) -> datetime:
        """Return the bank's time."""
        return _CLOCK.now() + timedelta(days=self.days)

    def answer(self, path: str, data: dict[str, Any]) -> Answer:
        """Return code and data of the answer to a request that is signed."""
        if self.strikes("busy"):
            return "BUSY", {}
        with self.lock:
            act = getattr(self, f"_{path.strip('/').replace('/', '_').replace('-', '_')}", None)
            return act(**data) if act is not None else ("NO_SUCH_CALL", {})

    def review(self, agreement: str, limit: int) -> bool:
        """Let the bank's clerk grant a limit, or decline."""
        with self.lock:
            held = self.credits.get(agreement)
            if held is None or held.state != "REVIEW":
                return False
            held.state, held.limit = ("GRANTED" if limit else "DECLINED"), limit
            return True

    def books(self) -> dict[str, Any]:
        """Return what the bank paid, got back from us, and from patients."""
        with self.lock:
            paid = [one for one in self.trades.values() if one.state == "CAPTURED"]
            return {
                "paid": sum(one.amount for one in paid),
                "refunded": sum(amount for one in paid for amount, _ in one.refunds.values()),
                "repaid": sum(one.repaid for one in paid),
                "trades": len(paid),
            }

    def _credit_apply(self, agreement: str, **who: Any) -> Answer:
        if not all(who.get(name) for name in ("name", "id_number", "phone", "consented_at")):
            return "BAD_REQUEST", {"words": "缺少申请信息"}
        if agreement not in self.credits:
            self.credits[agreement] = Credit(agreement, "REVIEW")
            if self.grant:
                self.review(agreement, self.grant)
        return self._credit_standing(agreement)

    def _credit_standing(self, agreement: str) -> Answer:
        held = self.credits.get(agreement)
        if held is None:
            return "NOT_FOUND", {}
        said: dict[str, Any] = {"state": held.state, "contract": f"BC{agreement}"}
        if held.state in ("GRANTED", "ENDED"):
            bills = [one for one in self.trades.values() if one.agreement == agreement and one.open]
            said |= {
                "limit": held.limit,
                "open": sum(one.open for one in bills) + self._reserved(agreement),
                "overdue": sum(one.open for one in bills if self._is_late(one)),
                "bills": [
                    {
                        "number": one.number,
                        "amount": one.amount,
                        "open": one.open,
                        "due_on": one.due_on,
                    }
                    for one in bills
                ],
            }
        return "OK", said

    def _credit_end(self, agreement: str) -> Answer:
        held = self.credits.get(agreement)
        if held is None:
            return "NOT_FOUND", {}
        held.state = "ENDED"
        return self._credit_standing(agreement)

    def _credit_repay(self, agreement: str, repayment: str, amount: int) -> Answer:
        held = self.credits.get(agreement)
        if held is None:
            return "NOT_FOUND", {}
        if repayment not in held.repayments:
            held.repayments[repayment] = "CARD_EMPTY" if self.strikes("poor") else "OK"
            left = amount if held.repayments[repayment] == "OK" else 0
            mine = [one for one in self.trades.values() if one.agreement == agreement]
            for one in sorted(mine, key=lambda one: one.due_on):
                part = min(left, one.open)
                one.repaid += part
                left -= part
        code = held.repayments[repayment]
        return code, {"words": "" if code == "OK" else "还款卡余额不足"}

    def _trade_reserve(self, number: str, agreement: str, amount: int, institution: str) -> Answer:
        held, known = self.credits.get(agreement), self.trades.get(number)
        if known is not None:
            refused = known.state == "RELEASED" or known.amount != amount
            return ("CLOSED", {"words": "订单已关闭"}) if refused else ("OK", {})
        if held is None or held.state != "GRANTED":
            return "NO_CREDIT", {"words": "没有有效的授信"}
        mine = [one for one in self.trades.values() if one.agreement == agreement]
        if any(self._is_late(one) for one in mine):
            return "OVERDUE", {"words": "有逾期未还的账单"}
        if sum(one.open for one in mine) + self._reserved(agreement) + amount > held.limit:
            return "OVER_LIMIT", {"words": "可用额度不足"}
        if not institution:
            return "BAD_REQUEST", {"words": "缺少机构"}
        self.trades[number] = Trade(number, agreement, amount)
        return "OK", {}

    def _trade_capture(self, number: str) -> Answer:
        held = self.trades.get(number)
        if held is None or held.state == "RELEASED":
            return "NOT_FOUND", {}
        if held.state == "RESERVED":
            held.state, held.at = "CAPTURED", self.now().isoformat(timespec="seconds")
            held.due_on = (local_day(self.now()) + timedelta(days=FREE_DAYS)).isoformat()
        return self._trade_query(number)

    def _trade_query(self, number: str) -> Answer:
        held = self.trades.get(number)
        if held is None:
            return "NOT_FOUND", {}
        said = {"state": held.state, "amount": held.amount, "at": held.at, "trade": f"BT{number}"}
        return "OK", said

    def _trade_release(self, number: str) -> Answer:
        held = self.trades.get(number)
        if held is not None and held.state == "RESERVED":
            held.state = "RELEASED"
        return self._trade_query(number)

    def _trade_refund(self, number: str, refund: str, amount: int, why: str) -> Answer:
        del why
        held = self.trades.get(number)
        if held is None or held.state != "CAPTURED":
            return "NOT_FOUND", {"words": "订单不存在或未扣款"}
        if refund not in held.refunds:
            gone = sum(part for part, _ in held.refunds.values())
            if self.strikes("refund_fails") or gone + amount > held.amount:
                return "REFUND_FAILED", {"words": "退款失败"}
            held.refunds[refund] = (amount, self.now().isoformat(timespec="seconds"))
        return "OK", {}

    def _trade_refund_query(self, refund: str) -> Answer:
        known = any(refund in one.refunds for one in self.trades.values())
        return ("OK", {}) if known else ("NOT_FOUND", {})

    def _trade_file(self, day: str) -> Answer:
        lines = []
        for one in self.trades.values():
            trade = f"BT{one.number}"
            if one.at and _day(one.at) == day:
                lines.append(
                    {
                        "kind": "PAID",
                        "number": one.number,
                        "amount": one.amount,
                        "trade": trade,
                        "at": one.at,
                    }
                )
            lines += [
                {
                    "kind": "RETURNED",
                    "number": one.number,
                    "amount": amount,
                    "trade": trade,
                    "at": at,
                    "refund": refund,
                }
                for refund, (amount, at) in one.refunds.items()
                if _day(at) == day
            ]
        return "OK", {"lines": lines}

    def _reserved(self, agreement: str) -> int:
        mine = [one for one in self.trades.values() if one.agreement == agreement]
        return sum(one.amount for one in mine if one.state == "RESERVED")

    def _is_late(self, trade: Trade) -> bool:
        return bool(trade.open) and date.fromisoformat(trade.due_on) < local_day(self.now())


def _day(instant: str) -> str:
    return local_day(datetime.fromisoformat(instant)).isoformat()


def serve(bank: Bank, path: str, body: str) -> tuple[int, str] | None:
    """Return status and text of the answer to a signed request, ``None`` for a line that is cut."""
    try:
        asked = jwt.decode(body, bank.merchant, [_ALGORITHM], options={"verify_iat": False})
        fits = asked["path"] == path
    except (jwt.InvalidTokenError, KeyError):
        return 401, ""
    if not fits:
        return 401, ""
    if bank.strikes("fail"):
        return 503, ""
    code, said = bank.answer(path, asked["data"])
    if bank.strikes("lose"):
        return None
    re = "something else" if bank.strikes("stale") else asked["jti"]
    answer = {"iat": int(_CLOCK.now().timestamp()), "re": re, "code": code, "data": said}
    text = jwt.encode(answer, bank.private, _ALGORITHM)
    if bank.strikes("forge"):
        head, payload, seal = text.split(".")
        text = f"{head}.{payload}.{seal[::-1]}"
    return 200, text


def _play(bank: Bank, path: str, data: dict[str, Any]) -> int:
    if path == "/sandbox/behave":
        with bank.lock:
            bank.faults |= {name: int(times) for name, times in data.items()}
        return 200
    if path == "/sandbox/review":
        return 200 if bank.review(str(data["agreement"]), int(data["limit"])) else 404
    if path == "/sandbox/days":
        bank.days += int(data["days"])
        return 200
    return 404


def make_server(bank: Bank, port: int) -> ThreadingHTTPServer:
    """Return the HTTP server of the bank on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/sandbox/books"
            self._send(200 if known else 404, json.dumps(bank.books()) if known else "")

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            body = self.rfile.read(min(length, BODY_BYTES_MAX)).decode()
            if self.path.startswith("/sandbox/"):
                self._send(_play(bank, self.path, json.loads(body or "{}")), "")
                return
            answer = serve(bank, self.path, body)
            if answer is None:
                self.close_connection = True
                return
            self._send(*answer)

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: what a sandbox sees is nobody's business."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="sandbox of a bank that grants credit for care")
    parser.add_argument("--port", type=int, default=8097)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--grant", type=int, help="fen granted at once, without a clerk")
    options = parser.parse_args()
    make_keys(options.keys)
    make_server(Bank(options.keys, options.grant), options.port).serve_forever()


if __name__ == "__main__":
    main()
