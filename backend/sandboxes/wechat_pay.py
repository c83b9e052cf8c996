"""A sandbox of WeChat Pay v3: app payments, mixed orders (med-ins), refunds and callbacks, badly behaved.

Run it with ``python -m backend.sandboxes.wechat_pay --port N --keys FOLDER``; keys of both sides are made
there if there are none. Requests must be signed with the merchant's key (WECHATPAY2-SHA256-RSA2048), answers
and callbacks are signed with the platform's, and what a callback says is sealed with AES-256-GCM. ``POST
/sandbox/pay`` with ``{"out_trade_no"}`` plays the patient's wallet; ``POST /sandbox/behave`` sets what goes
wrong next, by name and how often: ``fail`` (503), ``lose`` (done, and the answer is lost), ``forge``
(answer with a wrong signature), ``hush`` (no callback), ``twice`` (the same callback twice), ``fake``
(a forged callback goes ahead of the true one), ``late`` (seconds before a callback), ``refund_fails`` (taken
on, then ABNORMAL), ``refund_waits`` (stays PROCESSING for so many looks), ``tear`` (a torn trade bill),
``poor`` (a charge by agreement that the wallet cannot bear), ``slow`` (one that is taken on and stays ACCEPT).
``POST /sandbox/sign`` and ``/sandbox/unsign`` with ``{"out_contract_code"}`` play the patient who agrees to be
charged (委托代扣), or takes it back in the wallet.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import re
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.infra.clock import SystemClock, SystemIds
from backend.kernel.calendar import local
from backend.kernel.money import Fen, yuan_text

_CLOCK, _IDS = SystemClock(), SystemIds()
_SCHEME = "WECHATPAY2-SHA256-RSA2048"
_BITS = 2048
BODY_BYTES_MAX = 20_000
MERCHANT = "1900000109"


def make_keys(folder: Path) -> None:
    """Write keys of a merchant and of the platform into a folder that has none."""
    if (folder / "merchant.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("merchant", "platform"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / f"{name}_public.pem").write_bytes(public)
        (folder / ("merchant.pem" if name == "merchant" else "platform.pem")).write_bytes(private)
    (folder / "serial.txt").write_text(_IDS.secret(20).hex().upper())
    (folder / "platform_key_id.txt").write_text(f"PUB_KEY_ID_{_IDS.digits(28)}")
    (folder / "apiv3.txt").write_text(_IDS.secret(16).hex())


@dataclass
class Trade:
    """An order in the books of the platform."""

    number: str
    total: int
    state: str = "NOTPAY"
    trade_no: str = ""
    paid_at: str = ""
    notify_url: str = ""
    mixed: dict[str, Any] | None = None
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


@dataclass
class Wechat:
    """The platform: its keys, its books, and what goes wrong next."""

    folder: Path
    trades: dict[str, Trade] = field(default_factory=dict)
    contracts: dict[str, str] = field(default_factory=dict)
    contract_url: str = ""
    heard: bool = False
    """Whether the merchant took the last callback about a contract."""
    faults: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def __post_init__(self) -> None:
        def pem(name: str) -> bytes:
            return (self.folder / name).read_bytes()

        self.secret = pem("apiv3.txt").strip()
        self.key_id = pem("platform_key_id.txt").decode().strip()
        private = serialization.load_pem_private_key(pem("platform.pem"), None)
        public = serialization.load_pem_public_key(pem("merchant_public.pem"))
        if not isinstance(private, rsa.RSAPrivateKey) or not isinstance(public, rsa.RSAPublicKey):
            raise ValueError(f"{self.folder} holds no RSA keys")
        self.private, self.merchant = private, public

    def strikes(self, fault: str) -> bool:
        """Tell whether a fault is due now, and count it."""
        with self.lock:
            left = self.faults.get(fault, 0)
            self.faults[fault] = max(0, left - 1)
            return left > 0

    def is_signed(self, method: str, path: str, body: str, header: str) -> bool:
        """Tell whether the merchant signed a request."""
        scheme, _, rest = header.partition(" ")
        parts = dict(re.findall(r'\b(\w+)="([^"]*)"', rest))
        if scheme != _SCHEME or parts.get("mchid") != MERCHANT:
            return False
        said = f"{method}\n{path}\n{parts.get('timestamp')}\n{parts.get('nonce_str')}\n{body}\n"
        signature = base64.b64decode(parts.get("signature", ""))
        try:
            self.merchant.verify(signature, said.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return abs(_CLOCK.now().timestamp() - int(parts.get("timestamp", "0"))) <= 300

    def signed(self, body: str, forged: bool = False) -> dict[str, str]:
        """Return the headers that vouch for a body."""
        stamp, nonce = str(int(_CLOCK.now().timestamp())), _IDS.secret(12).hex()
        text = f"{stamp}\n{nonce}\n{'forged' if forged else body}\n"
        signature = self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Serial": self.key_id,
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": _SCHEME,
        }

    def answer(self, method: str, path: str, data: dict[str, Any]) -> tuple[int, Any]:
        """Return status and body of the answer to a request that is signed."""
        with self.lock:
            if (method, path) == ("POST", "/v3/pay/transactions/app"):
                return self._take(data)
            if (method, path) == ("POST", "/v3/med-ins/orders"):
                return self._mix(data)
            if (method, path) == ("POST", "/v3/med-ins/refunds/notify"):
                return self._note_refund(data)
            if (method, path) == ("POST", "/v3/refund/domestic/refunds"):
                return self._refund(data)
            if (method, path) == ("POST", "/v3/papay/contracts/app-pre-entrust-sign"):
                return self._prepare_contract(data)
            if (method, path) == ("POST", "/v3/papay/pay/transactions/apply"):
                return self._charge(data)
            if found := re.fullmatch(
                r"/v3/papay/contracts/plan-id/\d+/out-contract-code/(\w+)(/terminate)?", path
            ):
                return self._of_contract(found[1], bool(found[2]))
            if found := re.fullmatch(r"/v3/pay/transactions/out-trade-no/(\w+)(/close)?", path):
                return self._of_trade(found[1], bool(found[2]))
            if found := re.fullmatch(r"/v3/med-ins/orders/out-trade-no/(\w+)", path):
                trade = self.trades.get(found[1])
                known = trade is not None and trade.mixed is not None
                return (200, self._mixed(trade)) if trade and known else _error(404, "NOT_FOUND")
            if found := re.fullmatch(r"/v3/refund/domestic/refunds/(\w+)", path):
                return self._look_at_refund(found[1])
            return _error(404, "RESOURCE_NOT_EXISTS")

    def bill(self, day: str) -> bytes:
        """Return the trade bill of a day, as text; empty where nothing was paid."""
        rows = []
        for trade in self.trades.values():
            paid = trade.state == "SUCCESS" and _day(trade.paid_at) == day
            rows += [_bill_row(trade, trade.paid_at, None)] if paid else []
            rows += [
                _bill_row(trade, one["at"], number)
                for number, one in trade.refunds.items()
                if one["state"] != "ABNORMAL" and _day(one["at"]) == day
            ]
        if not rows:
            return b""
        sums = f"总交易单数,应结订单总金额\n`{len(rows)},`0.00"
        return "\n".join([",".join(_BILL), *rows, sums]).encode()

    def pays(self, number: str) -> bool:
        """Let the patient pay an order; tell the merchant, as badly as was asked for."""
        with self.lock:
            trade = self.trades.get(number)
            if trade is None or trade.state not in ("NOTPAY", "ACCEPT"):
                return False
            trade.state, trade.trade_no = "SUCCESS", f"42{_IDS.digits(26)}"
            trade.paid_at = _CLOCK.now().isoformat(timespec="seconds")
        if not self.strikes("hush"):
            threading.Thread(target=self._call_back, args=(trade,), daemon=True).start()
        return True

    def _take(self, data: dict[str, Any]) -> tuple[int, Any]:
        number, total = str(data["out_trade_no"]), int(data["amount"]["total"])
        trade = self.trades.setdefault(number, Trade(number, total))
        if trade.total != total:
            return _error(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        if trade.state == "SUCCESS":
            return _error(400, "ORDERPAID", "订单已支付")
        if trade.state == "CLOSED":
            return _error(400, "ORDER_CLOSED", "订单已关闭")
        if total <= 0:
            return _error(400, "PARAM_ERROR", "订单金额错误")
        trade.notify_url = str(data["notify_url"])
        return 200, {"prepay_id": f"wx{number}"}

    def signs(self, code: str, state: str) -> bool:
        """Let the patient agree to be charged, or take it back."""
        with self.lock:
            known = code in self.contracts and self.contracts[code] != "TERMINATED"
            if known:
                self.contracts[code] = state
        if known:
            said = {"out_contract_code": code, "contract_id": f"CT{code}", "contract_state": state}
            self.heard = self._post(self.contract_url, "contract", said, False)
        return known

    def _prepare_contract(self, data: dict[str, Any]) -> tuple[int, Any]:
        code = str(data["out_contract_code"])
        if self.contracts.get(code, "NOT_SIGNED") != "NOT_SIGNED":
            return _error(400, "CONTRACT_EXISTED", "协议已存在")
        self.contracts[code] = "NOT_SIGNED"
        self.contract_url = str(data["contract_notify_url"])
        return 200, {"pre_entrustweb_id": f"PE{code}"}

    def _of_contract(self, code: str, terminate: bool) -> tuple[int, Any]:
        state = self.contracts.get(code)
        if state is None:
            return _error(404, "CONTRACT_NOT_EXIST", "协议不存在")
        if not terminate:
            return 200, {"contract_id": f"CT{code}", "contract_state": state}
        self.contracts[code] = "TERMINATED"
        return 204, None

    def _charge(self, data: dict[str, Any]) -> tuple[int, Any]:
        number, total = str(data["out_trade_no"]), int(data["amount"]["total"])
        if self.contracts.get(str(data["contract_id"]).removeprefix("CT")) != "SIGNED":
            return _error(403, "CONTRACT_NOT_EXIST", "用户未签约或已解约")
        trade = self.trades.get(number)
        if trade is None:
            trade = self.trades[number] = Trade(number, total)
            trade.notify_url = str(data["notify_url"])
            if self.strikes("poor"):
                trade.state = "PAYERROR"
            elif self.strikes("slow"):
                trade.state = "ACCEPT"
            else:
                self.pays(number)
        return 204, None

    def _mix(self, data: dict[str, Any]) -> tuple[int, Any]:
        trade = self.trades.get(str(data["out_trade_no"]))
        parts = sum(
            int(data[name])
            for name in (
                "med_ins_gov_fee",
                "med_ins_self_fee",
                "med_ins_other_fee",
                "med_ins_cash_fee",
            )
        )
        if trade is None or data["prepay_id"] != f"wx{trade.number}":
            return _error(400, "PARAM_ERROR", "prepay_id无效")
        if parts != int(data["total_fee"]) or int(data["wechat_pay_cash_fee"]) != trade.total:
            return _error(400, "PARAM_ERROR", "金额不一致")
        trade.mixed = data
        return 200, self._mixed(trade)

    def _mixed(self, trade: Trade) -> dict[str, Any]:
        mixed = trade.mixed or {}
        paid = trade.state == "SUCCESS"
        return {
            "mix_trade_no": f"MX{trade.number}",
            "out_trade_no": trade.number,
            "mix_pay_status": "MIX_PAY_SUCCESS" if paid else "MIX_PAY_CREATED",
            "self_pay_status": "SELF_PAY_SUCCESS" if paid else "SELF_PAY_CREATED",
            "med_ins_pay_status": "MED_INS_PAY_SUCCESS" if paid else "MED_INS_PAY_CREATED",
            "paid_time": trade.paid_at,
            **{name: mixed[name] for name in mixed if name.endswith("_fee")},
        }

    def _of_trade(self, number: str, close: bool) -> tuple[int, Any]:
        trade = self.trades.get(number)
        if trade is None:
            return _error(404, "ORDER_NOT_EXIST", "订单不存在")
        if not close:
            return 200, self._transaction(trade)
        if trade.state == "SUCCESS":
            return _error(400, "ORDERPAID", "订单已支付")
        trade.state = "CLOSED"
        return 204, None

    def _transaction(self, trade: Trade) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "mchid": MERCHANT,
            "out_trade_no": trade.number,
            "trade_state": "REFUND" if trade.refunds else trade.state,
            "trade_state_desc": trade.state,
        }
        if trade.state == "SUCCESS":
            shown |= {
                "transaction_id": trade.trade_no,
                "success_time": trade.paid_at,
                "amount": {"total": trade.total, "payer_total": trade.total, "currency": "CNY"},
            }
        return shown

    def _refund(self, data: dict[str, Any]) -> tuple[int, Any]:
        trade = self.trades.get(str(data["out_trade_no"]))
        if trade is None or trade.state != "SUCCESS":
            return _error(404, "RESOURCE_NOT_EXISTS", "订单不存在或未支付")
        number, amount = str(data["out_refund_no"]), int(data["amount"]["refund"])
        known = trade.refunds.get(number)
        if known is None:
            gone = sum(
                one["amount"] for one in trade.refunds.values() if one["state"] != "ABNORMAL"
            )
            if amount + gone > trade.total or int(data["amount"]["total"]) != trade.total:
                return _error(400, "INVALID_REQUEST", "退款金额大于订单金额")
            waits = self.faults.get("refund_waits", 0)
            known = {"amount": amount, "state": "PROCESSING", "waits": waits}
            known["at"] = _CLOCK.now().isoformat(timespec="seconds")
            known["ends"] = "ABNORMAL" if self.strikes("refund_fails") else "SUCCESS"
            if not waits and known["ends"] == "SUCCESS":
                known["state"] = "SUCCESS"
            trade.refunds[number] = known
        return 200, self._shown_refund(trade, number)

    def _look_at_refund(self, number: str) -> tuple[int, Any]:
        for trade in self.trades.values():
            known = trade.refunds.get(number)
            if known is not None:
                if known["waits"] > 0:
                    known["waits"] -= 1
                else:
                    known["state"] = known["ends"]
                return 200, self._shown_refund(trade, number)
        return _error(404, "RESOURCE_NOT_EXISTS", "退款单不存在")

    def _shown_refund(self, trade: Trade, number: str) -> dict[str, Any]:
        known = trade.refunds[number]
        return {
            "refund_id": f"50{number[-20:]}",
            "out_refund_no": number,
            "out_trade_no": trade.number,
            "status": known["state"],
            "user_received_account": "支付用户零钱",
            "amount": {"total": trade.total, "refund": known["amount"], "currency": "CNY"},
        }

    def _note_refund(self, data: dict[str, Any]) -> tuple[int, Any]:
        for trade in self.trades.values():
            if f"MX{trade.number}" == data["mix_trade_no"]:
                if data["out_refund_no"] not in trade.refunds:
                    return _error(400, "PARAM_ERROR", "out_refund_no与退款单不一致")
                trade.told.append(str(data["out_refund_no"]))
                return 204, None
        return _error(404, "NOT_FOUND")

    def _call_back(self, trade: Trade) -> None:
        time.sleep(self.faults.get("late", 0))
        if self.strikes("fake"):
            self._send(trade, forged=True)
        times = 2 if self.strikes("twice") else 1
        for _ in range(times):
            for wait in (0, 1, 2, 4):  # answered in five seconds or sent again, for half a minute
                time.sleep(wait)
                if self._send(trade):
                    break

    def _send(self, trade: Trade, forged: bool = False) -> bool:
        said = self._mixed(trade) if trade.mixed else self._transaction(trade)
        if forged:
            said = {**said, "out_trade_no": trade.number, "wechat_pay_cash_fee": 1}
        kind = "mix_order" if trade.mixed else "transaction"
        return self._post(trade.notify_url, kind, said, forged)

    def _post(self, url: str, kind: str, said: dict[str, Any], forged: bool) -> bool:
        nonce = _IDS.secret(6).hex()
        sealed = AESGCM(self.secret).encrypt(
            nonce.encode(), json.dumps(said).encode(), kind.encode()
        )
        body = json.dumps(
            {
                "id": _IDS.secret(16).hex(),
                "create_time": _CLOCK.now().isoformat(timespec="seconds"),
                "event_type": "PAPAY.SIGN" if kind == "contract" else "TRANSACTION.SUCCESS",
                "resource_type": "encrypt-resource",
                "resource": {
                    "algorithm": "AEAD_AES_256_GCM",
                    "ciphertext": base64.b64encode(sealed).decode(),
                    "nonce": nonce,
                    "associated_data": kind,
                    "original_type": kind,
                },
            }
        )
        headers = {"content-type": "application/json", **self.signed(body, forged)}
        request = urllib.request.Request(url, body.encode(), headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=5) as answer:
                return answer.status in (200, 204)
        except OSError:
            return False


_BILL = (
    *("交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "微信退款单号", "商户退款单号"),
    *("退款金额", "退款状态", "订单金额"),
)


def _day(instant: str) -> str:
    return local(datetime.fromisoformat(instant)).date().isoformat() if instant else ""


def _bill_row(trade: Trade, at: str, refund: str | None) -> str:
    when = local(datetime.fromisoformat(at)).strftime("%Y-%m-%d %H:%M:%S")
    total, gone = Fen(trade.total), Fen(trade.refunds[refund]["amount"] if refund else 0)
    state = "REFUND" if refund else "SUCCESS"
    parts = (when, MERCHANT, trade.trade_no, trade.number, state, refund or "0", refund or "0")
    sums = (yuan_text(gone), trade.refunds[refund]["state"] if refund else "", yuan_text(total))
    return ",".join(f"`{part}" for part in (*parts, *sums))


def _error(status: int, code: str, message: str = "") -> tuple[int, Any]:
    return status, {"code": code, "message": message or code}


@dataclass(frozen=True)
class Answer:
    """What goes back: ``None`` for nothing at all, as when a line is cut."""

    status: int
    said: Any
    forged: bool = False


def serve(wechat: Wechat, method: str, target: str, body: str, authorization: str) -> Answer | None:
    """Return the answer to a request, as badly behaved as was asked for."""
    path = target.partition("?")[0]
    if path.startswith("/sandbox/"):
        return _play(wechat, path, json.loads(body or "{}"))
    if not wechat.is_signed(method, target, body, authorization):
        return Answer(*_error(401, "SIGN_ERROR", "签名错误"))
    if wechat.strikes("fail"):
        return Answer(*_error(503, "SYSTEM_ERROR", "系统繁忙"))
    if path in ("/v3/bill/tradebill", "/v3/billdownload/file"):
        return _bill(wechat, path, dict(urllib.parse.parse_qsl(target.partition("?")[2])))
    try:
        answer = wechat.answer(method, path, json.loads(body) if body else {})
    except (KeyError, ValueError, TypeError) as error:
        answer = _error(400, "PARAM_ERROR", repr(error))
    return None if wechat.strikes("lose") else Answer(*answer, wechat.strikes("forge"))


def _bill(wechat: Wechat, path: str, asked: dict[str, str]) -> Answer:
    text = wechat.bill(asked.get("bill_date", asked.get("token", "")))
    if not text:
        return Answer(*_error(400, "NO_STATEMENT_EXIST", "请求的账单文件不存在"))
    if path == "/v3/billdownload/file":
        torn = wechat.strikes("tear")  # a download that is not the file that was announced
        return Answer(200, gzip.compress(text[:-3] if torn else text))
    url = f"{wechat.url}/v3/billdownload/file?token={asked['bill_date']}"
    digest = hashlib.sha1(text, usedforsecurity=False).hexdigest()
    return Answer(200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url})


def _play(wechat: Wechat, path: str, data: dict[str, Any]) -> Answer:
    if path == "/sandbox/behave":
        with wechat.lock:
            wechat.faults |= {name: int(times) for name, times in data.items()}
        return Answer(200, {})
    if path in ("/sandbox/sign", "/sandbox/unsign"):
        state = "SIGNED" if path == "/sandbox/sign" else "TERMINATED"
        done = wechat.signs(str(data.get("out_contract_code", "")), state)
        return Answer(200 if done else 404, {"heard": wechat.heard})
    if path == "/sandbox/pay":
        return Answer(200 if wechat.pays(str(data.get("out_trade_no", ""))) else 404, {})
    return Answer(404, {})


def make_server(wechat: Wechat, port: int) -> ThreadingHTTPServer:
    """Return the HTTP server of the platform on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            length = int(self.headers.get("content-length", "0"))
            body = self.rfile.read(min(length, BODY_BYTES_MAX)).decode()
            signed = self.headers.get("authorization", "")
            answer = serve(wechat, method, self.path, body, signed)
            if answer is None:
                self.close_connection = True
                return
            if isinstance(answer.said, bytes):
                self._send_file(answer.said)
                return
            text = "" if answer.said is None else json.dumps(answer.said, ensure_ascii=False)
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            for name, value in wechat.signed(text, answer.forged).items():
                self.send_header(name, value)
            if text:
                self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def _send_file(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/gzip")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: what a sandbox sees is nobody's business."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    wechat.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="sandbox of WeChat Pay v3")
    parser.add_argument("--port", type=int, default=8094)
    parser.add_argument("--keys", type=Path, required=True)
    options = parser.parse_args()
    make_keys(options.keys)
    make_server(Wechat(options.keys), options.port).serve_forever()


if __name__ == "__main__":
    main()
