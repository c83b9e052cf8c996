"""A sandbox of UnionPay's gateway (全渠道 5.1.0): QR codes, queries, refunds, callbacks, files; badly behaved.

Run it with ``python -m backend.sandboxes.unionpay --port N --keys FOLDER``; keys and certificates of both sides
are made there if there are none. Requests must be signed by the merchant's certificate; answers and callbacks
are signed by one of UnionPay's, which the authority in the folder issued. ``POST /sandbox/pay`` with
``{"orderId"}`` plays a bank's app; ``POST /sandbox/behave`` sets what goes wrong next, by name and how often:
``fail`` (503), ``lose`` (done, and the answer is lost), ``forge`` (an answer with a wrong signature),
``stranger`` (signed well, by a certificate of another authority), ``hush`` (no callback), ``twice`` (the same
callback twice), ``fake`` (a forged callback ahead of the true one), ``late`` (seconds before a callback),
``busy`` (respCode 06), ``refund_fails`` (taken on, then refused), ``refund_waits`` (unknown for so many looks),
``tear`` (a torn file), ``poor`` (a token's card that is empty), ``slow`` (a charge that stays under way). ``POST
/sandbox/open`` and ``/sandbox/unopen`` with ``{"orderId"}`` play the patient who opens a token of a card on the
platform's page (``frontTransReq.do``), or takes it back there.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import threading
import time
import urllib.parse
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from backend.infra.clock import SystemClock, SystemIds
from backend.kernel.calendar import SHANGHAI, local

_CLOCK, _IDS = SystemClock(), SystemIds()
BODY_BYTES_MAX = 20_000
MERCHANT = "777290058110097"
_DAYS = 3650
_WIDTHS = (
    *(3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2),
    *(6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98),
)


def make_keys(folder: Path) -> None:
    """Write keys and certificates of an authority, UnionPay and a merchant into a folder without any."""
    if (folder / "merchant.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    authority, its_key = _certificate("示例认证机构", None)
    strangers, strange_key = _certificate("另一认证机构", None)
    theirs, signer = _certificate("041@中国银联股份有限公司@00049996", (authority, its_key))
    fakes, faker = _certificate("041@中国银联股份有限公司@00049996", (strangers, strange_key))
    merchant, key = _certificate("041@示例商户@00000001", (authority, its_key))
    for name, made in (
        ("authority", authority),
        ("unionpay_cert", theirs),
        ("stranger_cert", fakes),
        ("merchant_cert", merchant),
    ):
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    for name, private in (("merchant", key), ("unionpay", signer), ("stranger", faker)):
        (folder / f"{name}.pem").write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _certificate(
    name: str, by: tuple[x509.Certificate, rsa.RSAPrivateKey] | None
) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signer = (subject, key) if by is None else (by[0].subject, by[1])
    now = _CLOCK.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .sign(signer, hashes.SHA256())
    )
    return made, key


@dataclass
class Trade:
    """An order in the books of the platform: a code to be paid, or a return."""

    number: str
    amount: int
    kind: str
    until: datetime
    back_url: str
    state: str = "05"
    ends: str = "00"
    waits: int = 0
    query_id: str = ""
    paid_at: datetime | None = None
    of: str = ""
    """Of a return: the query number of what it gives back."""


@dataclass
class Unionpay:
    """The platform: its keys, its books, and what goes wrong next."""

    folder: Path
    trades: dict[tuple[str, str], Trade] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By the number that opened one: how it stands, and the token."""
    faults: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.signers = {name: self._signer(name) for name in ("unionpay", "stranger")}
        merchant = (self.folder / "merchant_cert.pem").read_bytes()
        self.merchant = x509.load_pem_x509_certificate(merchant)

    def strikes(self, fault: str) -> bool:
        """Tell whether a fault is due now, and count it."""
        with self.lock:
            left = self.faults.get(fault, 0)
            self.faults[fault] = max(0, left - 1)
            return left > 0

    def is_signed(self, form: dict[str, str]) -> bool:
        """Tell whether the merchant signed a request."""
        key = self.merchant.public_key()
        if form.get("certId") != str(self.merchant.serial_number) or not isinstance(
            key, rsa.RSAPublicKey
        ):
            return False
        try:
            signature = base64.b64decode(form.get("signature", ""), validate=True)
            key.verify(signature, digest(form), padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True

    def signed(self, said: dict[str, str], by: str = "unionpay", forged: bool = False) -> str:
        """Return an answer as text, signed."""
        certificate, key = self.signers[by]
        form = {
            **said,
            "version": "5.1.0",
            "encoding": "UTF-8",
            "signMethod": "01",
            "merId": MERCHANT,
            "signPubKeyCert": certificate,
        }
        signature = key.sign(digest(form), padding.PKCS1v15(), hashes.SHA256())
        if forged:
            form["respMsg"] = "forged"
        form["signature"] = base64.b64encode(signature).decode()
        return "&".join(f"{name}={value}" for name, value in form.items())

    def answer(self, path: str, form: dict[str, str]) -> dict[str, str]:
        """Return what the platform says to a request that is signed."""
        if self.strikes("busy"):
            return {"respCode": "06", "respMsg": "系统繁忙，请稍后再试"}
        with self.lock:
            if path == "queryTrans.do":
                return self._query(form)
            if path == "fileTransfer.do":
                return self._file(form)
            if path == "frontTransReq.do" and form.get("txnType") == "79":
                self.tokens.setdefault(form["orderId"], ("05", f"62{_IDS.digits(17)}"))
                return {"respCode": "00", "respMsg": "成功"}
            if path == "backTransReq.do" and form.get("txnType") in ("79", "74"):
                return self._token(form)
            if path == "backTransReq.do" and form.get("bizType") == "000902":
                return self._charge(form)
            if path == "backTransReq.do" and form.get("txnType") == "01":
                return self._take(form)
            if path == "backTransReq.do" and form.get("txnType") == "04":
                return self._refund(form)
        return {"respCode": "10", "respMsg": "报文格式错误"}

    def pays(self, number: str) -> bool:
        """Let a bank's app pay a code; tell the merchant, as badly as was asked for."""
        with self.lock:
            found = [one for (order, _), one in self.trades.items() if order == number]
            if not found or found[0].state != "05" or found[0].until <= _CLOCK.now():
                return False
            trade = found[0]
            trade.state, trade.paid_at = "00", _CLOCK.now()
            trade.query_id = f"{local(trade.paid_at):%Y%m%d%H%M%S}{_IDS.digits(7)}"
        if not self.strikes("hush"):
            threading.Thread(target=self._call_back, args=(trade,), daemon=True).start()
        return True

    def opens(self, number: str, state: str) -> bool:
        """Let the patient open a token on the platform's page, or take it back there."""
        with self.lock:
            held = self.tokens.get(number)
            if held is None or held[0] == "77":
                return False
            self.tokens[number] = (state, held[1])
            return True

    def _token(self, form: dict[str, str]) -> dict[str, str]:
        held = self.tokens.get(form["orderId"])
        if held is None:
            return {"respCode": "34", "respMsg": "查无此交易"}
        if form["txnType"] == "74":
            self.tokens[form["orderId"]] = ("77", held[1])
            return {"respCode": "00", "respMsg": "成功"}
        said = {"respCode": held[0], "respMsg": ""}
        if held[0] == "00":
            said["tokenPayData"] = f"{{token={held[1]}&tokenLevel=90&trId=62000000001}}"
        return said

    def _charge(self, form: dict[str, str]) -> dict[str, str]:
        given = form["tokenPayData"].strip("{}").partition("token=")[2]
        if ("00", given) not in self.tokens.values():
            return {"respCode": "77", "respMsg": "未开通或已解除"}
        key, amount = (form["orderId"], form["txnTime"]), int(form["txnAmt"])
        if key in self.trades:
            return {"respCode": "12", "respMsg": "重复交易"}
        until = _CLOCK.now() + timedelta(minutes=5)
        trade = self.trades[key] = Trade(form["orderId"], amount, "01", until, form["backUrl"])
        if self.strikes("poor"):
            trade.state = "51"
        elif not self.strikes("slow"):
            self.pays(form["orderId"])
        return {"respCode": "00", "respMsg": "成功"}

    def _take(self, form: dict[str, str]) -> dict[str, str]:
        amount = int(form["txnAmt"])
        if amount <= 0:
            return {"respCode": "10", "respMsg": "交易金额错误"}
        until = datetime.strptime(form["payTimeout"], "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
        made = Trade(form["orderId"], amount, "01", until, form["backUrl"])
        trade = self.trades.setdefault((form["orderId"], form["txnTime"]), made)
        if trade.amount != amount or trade.state == "00":
            return {"respCode": "12", "respMsg": "重复交易"}
        code = hashlib.sha256(trade.number.encode()).hexdigest()[:24]
        return {
            "respCode": "00",
            "respMsg": "成功",
            "orderId": trade.number,
            "qrCode": f"https://qr.95516.com/00010000/{code}",
        }

    def _query(self, form: dict[str, str]) -> dict[str, str]:
        trade = self.trades.get((form["orderId"], form["txnTime"]))
        if trade is None:
            return {"respCode": "34", "respMsg": "查无此交易"}
        if trade.kind == "04" and trade.state == "05":
            if trade.waits > 0:
                trade.waits -= 1
            else:
                trade.state = trade.ends
        if trade.kind == "01" and trade.state == "05" and trade.until <= _CLOCK.now():
            trade.state = "77"
        words = {"00": "成功", "05": "交易处理中", "77": "二维码已失效", "61": "退货失败"} | {
            "51": "余额不足"
        }
        return {"respCode": "00", "respMsg": "成功", **self._shown(trade, "orig", words)}

    def _shown(self, trade: Trade, prefix: str, words: dict[str, str]) -> dict[str, str]:
        code = f"{prefix}RespCode" if prefix else "respCode"
        message = f"{prefix}RespMsg" if prefix else "respMsg"
        at = f"{local(trade.paid_at):%Y%m%d%H%M%S}" if trade.paid_at else ""
        return {
            code: trade.state,
            message: words.get(trade.state, ""),
            "txnType": trade.kind,
            "orderId": trade.number,
            "txnAmt": str(trade.amount),
            "queryId": trade.query_id,
            "traceTime": at,
        }

    def _refund(self, form: dict[str, str]) -> dict[str, str]:
        paid = [one for one in self.trades.values() if one.query_id == form["origQryId"]]
        key, amount = (form["orderId"], form["txnTime"]), int(form["txnAmt"])
        if not paid or paid[0].kind != "01":
            return {"respCode": "34", "respMsg": "原交易不存在"}
        if key not in self.trades:
            gone = sum(
                one.amount
                for one in self.trades.values()
                if one.of == form["origQryId"] and one.ends == "00"
            )
            if amount + gone > paid[0].amount:
                return {"respCode": "61", "respMsg": "退货金额超过原交易金额"}
            now = _CLOCK.now()
            back = Trade(form["orderId"], amount, "04", now, form["backUrl"])
            back.of, back.paid_at = form["origQryId"], now
            back.query_id = f"{local(now):%Y%m%d%H%M%S}{_IDS.digits(7)}"
            back.ends = "61" if self.strikes("refund_fails") else "00"
            back.waits = self.faults.get("refund_waits", 0)
            self.trades[key] = back
        return {"respCode": "00", "respMsg": "成功", "orderId": form["orderId"]}

    def _file(self, form: dict[str, str]) -> dict[str, str]:
        rows = [
            _row(trade)
            for trade in self.trades.values()
            if trade.paid_at is not None
            and f"{local(trade.paid_at):%m%d}" == form["settleDate"]
            and (trade.state == "00" or (trade.kind == "04" and trade.ends == "00"))
        ]
        if not rows:
            return {"respCode": "98", "respMsg": "文件不存在"}
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                f"INN{form['settleDate']}88ZM_{MERCHANT}", "\r\n".join(rows).encode("gbk")
            )
        packed = zlib.compress(kept.getvalue())
        content = base64.b64encode(packed[:-7] if self.strikes("tear") else packed).decode()
        return {"respCode": "00", "respMsg": "成功", "fileContent": content}

    def _call_back(self, trade: Trade) -> None:
        time.sleep(self.faults.get("late", 0))
        said = self._shown(trade, "", {"00": "成功"})
        if self.strikes("fake"):
            self._send(trade, self.signed(said, forged=True))
        for _ in range(2 if self.strikes("twice") else 1):
            for wait in (0, 1, 2, 4):
                time.sleep(wait)
                if self._send(trade, self.signed(said)):
                    break

    def _send(self, trade: Trade, text: str) -> bool:
        said = dict(part.partition("=")[::2] for part in text.split("&"))
        body = urllib.parse.urlencode(said).encode()
        headers = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}
        request = urllib.request.Request(trade.back_url, body, headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _signer(self, name: str) -> tuple[str, rsa.RSAPrivateKey]:
        key = serialization.load_pem_private_key((self.folder / f"{name}.pem").read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{self.folder} holds no RSA keys")
        return (self.folder / f"{name}_cert.pem").read_text(), key


def digest(form: dict[str, str]) -> bytes:
    """Return what is signed: the hexadecimal SHA-256 of the sorted fields that say something."""
    said = "&".join(f"{n}={form[n]}" for n in sorted(form) if n != "signature" and form[n])
    return hashlib.sha256(said.encode()).hexdigest().encode()


def _row(trade: Trade) -> str:
    """Return a line of the file of all transactions: 42 columns of fixed width."""
    said = {4: f"{local(trade.paid_at or trade.until):%m%d%H%M%S}", 6: f"{trade.amount:012d}"}
    said |= {0: "S22" if trade.kind == "01" else "S30", 9: trade.query_id, 11: trade.number}
    said |= {19: trade.kind, 20: "07" if trade.kind == "01" else "00", 26: trade.of, 27: MERCHANT}
    return " ".join(said.get(place, "").ljust(width) for place, width in enumerate(_WIDTHS))


def serve(unionpay: Unionpay, path: str, body: str) -> tuple[int, str] | None:
    """Return status and text of the answer to a request; ``None`` for nothing at all."""
    if path.startswith("/sandbox/"):
        return _play(unionpay, path, json.loads(body or "{}"))
    form = dict(urllib.parse.parse_qsl(body))
    if unionpay.strikes("fail"):
        return 503, ""
    if form.get("merId") != MERCHANT or not unionpay.is_signed(form):
        return 200, unionpay.signed({"respCode": "11", "respMsg": "验证签名失败"})
    try:
        said = unionpay.answer(path.rpartition("/")[2], form)
    except (KeyError, ValueError) as error:
        said = {"respCode": "10", "respMsg": f"报文格式错误{error!r}"}
    if unionpay.strikes("lose"):
        return None
    signer = "stranger" if unionpay.strikes("stranger") else "unionpay"
    return 200, unionpay.signed(said, signer, unionpay.strikes("forge"))


def _play(unionpay: Unionpay, path: str, data: dict[str, Any]) -> tuple[int, str]:
    if path == "/sandbox/behave":
        with unionpay.lock:
            unionpay.faults |= {name: int(times) for name, times in data.items()}
        return 200, ""
    if path in ("/sandbox/open", "/sandbox/unopen"):
        state = "00" if path == "/sandbox/open" else "77"
        return (200 if unionpay.opens(str(data.get("orderId", "")), state) else 404), ""
    if path == "/sandbox/pay":
        return (200 if unionpay.pays(str(data.get("orderId", ""))) else 404), ""
    return 404, ""


def make_server(unionpay: Unionpay, port: int) -> ThreadingHTTPServer:
    """Return the HTTP server of the platform on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            body = self.rfile.read(min(length, BODY_BYTES_MAX)).decode()
            answer = serve(unionpay, self.path, body)
            if answer is None:
                self.close_connection = True
                return
            text = answer[1].encode()
            self.send_response(answer[0])
            self.send_header("content-type", "text/plain;charset=UTF-8")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: what a sandbox sees is nobody's business."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="sandbox of UnionPay's gateway")
    parser.add_argument("--port", type=int, default=8096)
    parser.add_argument("--keys", type=Path, required=True)
    options = parser.parse_args()
    make_keys(options.keys)
    make_server(Unionpay(options.keys), options.port).serve_forever()


if __name__ == "__main__":
    main()
