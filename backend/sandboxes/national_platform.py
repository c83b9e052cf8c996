"""A sandbox of the national platform: issues 医保码 as the national app does, and decodes them (``ec.query``).

Run it with ``python -m backend.sandboxes.national_platform --port N``. ``POST /sandbox/codes`` with
``{"idNumber", "insuOrg"}`` plays the patient's national app and returns a 28-digit code; ``POST
/localcfc/api/hsecfc/localQrCodeQuery`` decodes one, once and within a minute, and answers 500159 to
anything else. ``POST /nationwide/api/filings`` takes a filing, or its end, whose body is signed; ``POST
/sandbox/filings`` with ``{"certno"}`` plays a hospital elsewhere that looks it up. Answers are signed with
HMAC-SHA256. On demand: ``--fail-first N`` (503), ``--garbage-first N``, ``--forge-first N`` (a wrong
signature), ``--mask-first N`` (the ID number comes back masked), ``--refuse-first N`` (a filing is refused in
words), ``--lose-first N`` (it is taken, and the answer is lost).
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
from typing import Any

from backend.infra.clock import SystemIds
from backend.sample_data.people import CivilRecord, civil_records

_IDS = SystemIds()
BODY_BYTES_MAX = 8_000
LIVES_SECONDS = 60
DECODE = "/localcfc/api/hsecfc/localQrCodeQuery"
FILE = "/nationwide/api/filings"
"""Where filings are uploaded. No text of this trade was found: path and envelope are ours, the fields are
named as the national dictionary names them."""
NO_CODE = {"code": 500159, "success": False, "message": "请使用医保电子凭证二维码"}


@dataclass
class Platform:
    """Codes that were issued and not decoded yet, and faults still to come."""

    secret: bytes
    faults: dict[str, int] = field(default_factory=dict)
    issued: dict[str, tuple[CivilRecord, str, float]] = field(default_factory=dict)
    filings: dict[str, dict[str, str]] = field(default_factory=dict)
    records: Mapping[str, CivilRecord] = field(default_factory=civil_records)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return a new code for a person."""
        record = self.records[str(asked["idNumber"])]
        area = str(asked.get("insuOrg", "510100"))
        code = f"424{_IDS.digits(19)}{area[:2]}0000"
        with self.lock:
            self.issued[code] = (record, area, time.monotonic())
        return {"ecQrCode": code}

    def decode(self, asked: dict[str, Any], mask: bool) -> dict[str, Any]:
        """Return whose code it is, once."""
        data = asked["data"]
        if asked["transType"] != "ec.query" or not asked["orgId"] or not data["businessType"]:
            return {"code": 500001, "success": False, "message": "参数错误"}
        with self.lock:
            found = self.issued.pop(str(data["ecQrCode"]), None)
        if found is None or time.monotonic() - found[2] > LIVES_SECONDS:
            return NO_CODE
        record, area, _ = found
        number = record.id_number
        if mask:
            number = f"{number[:4]}**********{number[-4:]}"
        holder = {"userName": record.name, "idNo": number, "idType": "01", "insuOrg": area}
        token = f"{area}ec{_IDS.secret(15).hex()}"
        index = {"ecIndexNo": _IDS.secret(16).hex(), "ecToken": token}
        return {"code": 0, "type": "success", "message": "", "data": {**holder, **index}}

    def take_filing(self, told: dict[str, str]) -> dict[str, Any]:
        """Take a filing or its end, by the insurer's id; the same one again is no error."""
        wanted = ("out_fil_id", "oprt", "certno", "insuplc_admdvs", "mdtrtarea_admdvs", "begndate")
        if any(not told.get(name) for name in wanted):
            return {"infcode": -1, "err_msg": "必填项为空"}
        with self.lock:
            known = self.filings.get(told["out_fil_id"])
            if told["oprt"] == "CANCEL":
                if known is not None:
                    known["vali_flag"] = "0"
            else:
                self.filings[told["out_fil_id"]] = {**told, "vali_flag": "1"}
        return {"infcode": 0, "output": {"out_fil_upld_stas": "1"}}

    def find_filings(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Play a hospital elsewhere that looks up who has filed."""
        with self.lock:
            held = [f for f in self.filings.values() if f["certno"] == asked["certno"]]
        return {"filings": held}

    def next_fault(self) -> str | None:
        """Return the fault that is due now, one for each request, and count it."""
        with self.lock:
            for fault, left in self.faults.items():
                if left > 0:
                    self.faults[fault] = left - 1
                    return fault
        return None

    def is_signed(self, body: bytes, signature: str) -> bool:
        """Tell whether who asks has signed the body."""
        return hmac.compare_digest(self.sign(body), signature)

    def sign(self, body: bytes) -> str:
        """Return the signature of a body."""
        return hmac.new(self.secret, body, hashlib.sha256).hexdigest()


def make_server(platform: Platform, port: int) -> ThreadingHTTPServer:
    """Return the HTTP server of a platform on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            played = {
                "/sandbox/codes": platform.issue,
                "/sandbox/filings": platform.find_filings,
                FILE: platform.take_filing,
            }
            if (self.path not in played and self.path != DECODE) or length > BODY_BYTES_MAX:
                self.send_error(404)
                return
            fault = None if self.path.startswith("/sandbox/") else platform.next_fault()
            if fault == "fail":
                self.send_error(503)
                return
            body = self.rfile.read(length)
            if self.path == FILE and not platform.is_signed(
                body, self.headers.get("x-signature", "")
            ):
                self.send_error(401)
                return
            try:
                asked = json.loads(body)
                play = played.get(self.path)
                answer = play(asked) if play else platform.decode(asked, fault == "mask")
                if fault == "refuse":
                    answer = {"infcode": -1, "err_msg": "就医地统筹区维护中"}
                if fault == "lose":  # taken, and the answer is lost on the way
                    self.send_error(502)
                    return
            except (ValueError, KeyError, TypeError):
                self.send_error(400)
                return
            said = json.dumps(answer, ensure_ascii=False).encode()
            if fault == "garbage":
                said = b"<html>busy</html>"
            forged = fault == "forge"
            self.send_response(200)
            self.send_header("content-length", str(len(said)))
            self.send_header("x-signature", "0" * 64 if forged else platform.sign(said))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: codes and numbers are personal."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="sandbox national platform")
    parser.add_argument("--port", type=int, default=8093)
    parser.add_argument("--secret", default="sandbox-secret")
    names = ("fail", "garbage", "forge", "mask", "refuse", "lose")
    for fault in names:
        parser.add_argument(f"--{fault}-first", type=int, default=0)
    options = parser.parse_args()
    faults = {name: getattr(options, f"{name}_first") for name in names}
    make_server(Platform(options.secret.encode(), faults), options.port).serve_forever()


if __name__ == "__main__":
    main()
