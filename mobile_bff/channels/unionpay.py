"""UnionPay (银联全渠道 5.1.0): a QR code that any bank's app pays, queries, refunds, and the day's file.

Requests and answers are forms; what they say is signed with RSA over its SHA-256, by certificates. An answer
counts where its certificate is UnionPay's, issued by the authority that the merchant was given. There is no
call that closes a code: nobody can pay it after its time, so that an order stands by until then.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from backend.infra.settings import Settings
from backend.kernel.calendar import SHANGHAI, Clock, local
from backend.kernel.money import Fen
from backend.orders.agreement_contracts import AgreedState, AgreementAsked, AgreementSeen
from backend.orders.contracts import (
    CashLine,
    CashOrder,
    CashSeen,
    CashState,
    LineKind,
    ReturnSeen,
    ReturnState,
)
from mobile_bff.channels.called_back import CalledBack
from mobile_bff.outside import answered_in_time

_SECONDS_MAX = 5
_DONE, _NO_SUCH_ORDER, _NO_FILE, _DOUBLED = "00", "34", "98", "12"
_TOKENS, _TOKEN_GONE = "000902", "77"
_UNDER_WAY = ("03", "04", "05")
"""Taken on, or nobody knows yet: the query tells."""
_BUSY = ("01", "02", "06")
"""The platform's own trouble: nothing is known."""
_SIGNER = "中国银联股份有限公司"
_SILENCE = CashSeen(CashState.UNKNOWN)
_WIDTHS = (
    *(3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2),
    *(6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98),
)
"""Of the 42 columns of the file of all transactions (ZM), each followed by a blank."""
_AT, _AMOUNT, _QUERY, _ORDER, _KIND = 4, 6, 9, 11, 19
_log = logging.getLogger("yibao.unionpay")


@dataclass(frozen=True)
class UnionpayKeys:
    """The merchant's key and certificate, and the authority that issues UnionPay's."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    authority: x509.Certificate

    @classmethod
    def in_folder(cls, folder: Path) -> UnionpayKeys | None:
        """Return the keys that lie in a folder, ``None`` where there are none."""
        if not (folder / "merchant.pem").exists():
            return None
        key = serialization.load_pem_private_key((folder / "merchant.pem").read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{folder} holds no RSA key")
        certificates = [
            x509.load_pem_x509_certificate((folder / name).read_bytes())
            for name in ("merchant_cert.pem", "authority.pem")
        ]
        return cls(key, *certificates)


class UnionpayChannel:
    """A merchant of UnionPay. Its calls block; they may run in several threads at once."""

    def __init__(self, settings: Settings, keys: UnionpayKeys, clock: Clock) -> None:
        import httpx  # only where this channel is offered

        self._keys = keys
        self._clock = clock
        self._url = settings.unionpay_url
        self._merchant = settings.unionpay_merid
        self._requestor = settings.unionpay_trid
        self._back_url = f"{settings.public_url}/channels/unionpay/notify"
        self._http = httpx.Client(timeout=_SECONDS_MAX, trust_env=False)

    def ask(self, order: CashOrder) -> CashSeen:
        """Have the cash collected: a code that the phone hands to a bank's app, or shows."""
        if order.agreement:
            return self._collect(order)
        said = self._call(
            "backTransReq.do",
            txnType="01",
            txnSubType="07",
            orderId=order.number,
            txnTime=time_of(order.number),
            txnAmt=str(order.cash_fen),
            currencyCode="156",
            payTimeout=f"{local(order.pay_until):%Y%m%d%H%M%S}",
            orderDesc=order.institution_name[:16],
            backUrl=self._back_url,
        )
        match said.get("respCode"):
            case "00" if said.get("qrCode"):
                return CashSeen(CashState.OPEN, pay={"qrCode": said["qrCode"]})
            case None:
                return _SILENCE
            case code if code in (*_UNDER_WAY, *_BUSY, _DONE, _DOUBLED):
                return self.look(order.number)
        return CashSeen(CashState.REFUSED, words=said.get("respMsg", ""))

    def look(self, number: str) -> CashSeen:
        """Return what became of an order's cash."""
        said = self._query(number)
        code = said.get("respCode")
        if code == _NO_SUCH_ORDER:
            return CashSeen(CashState.MISSING)
        if code != _DONE:
            return _SILENCE
        return _seen(said, said.get("origRespCode", ""))

    def close(self, number: str) -> CashSeen:
        """Return what became of an order: a code cannot be closed, and runs out by itself."""
        return self.look(number)

    def give_back(
        self, number: str, return_number: str, amount: Fen, cash: Fen, why: str
    ) -> ReturnSeen:
        """Give cash back. The same return number is the same return, however often it is asked for."""
        del cash, why
        paid = self._query(number)
        if paid.get("respCode") != _DONE or not paid.get("queryId"):
            return ReturnSeen(ReturnState.UNKNOWN)
        said = self._call(
            "backTransReq.do",
            txnType="04",
            txnSubType="00",
            orderId=return_number,
            txnTime=time_of(return_number),
            txnAmt=str(amount),
            origQryId=paid["queryId"],
            backUrl=self._back_url,
        )
        code = said.get("respCode")
        if code is None or code in _BUSY:
            return ReturnSeen(ReturnState.UNKNOWN)
        if code in (_DONE, *_UNDER_WAY, _DOUBLED):  # taken on; the query tells how it ends
            return self.look_at_return(return_number)
        return ReturnSeen(ReturnState.FAILED, said.get("respMsg", ""))

    def look_at_return(self, return_number: str) -> ReturnSeen:
        """Return what became of giving back."""
        said = self._query(return_number)
        code, then = said.get("respCode"), said.get("origRespCode", "")
        if code == _NO_SUCH_ORDER:
            return ReturnSeen(ReturnState.MISSING)
        if code != _DONE or then in _BUSY:
            return ReturnSeen(ReturnState.UNKNOWN)
        if then in _UNDER_WAY:
            return ReturnSeen(ReturnState.UNDER_WAY)
        done = ReturnState.DONE if then == _DONE else ReturnState.FAILED
        return ReturnSeen(done, said.get("origRespMsg", ""))

    def file_of(self, day: date) -> list[CashLine] | None:
        """Return the lines of a day's file, ``None`` while it cannot be had whole."""
        said = self._call(
            "fileTransfer.do",
            txnType="76",
            txnSubType="01",
            txnTime=f"{local(self._clock.now()):%Y%m%d%H%M%S}",
            settleDate=f"{day:%m%d}",
            fileType="00",
        )
        if said.get("respCode") == _NO_FILE:
            return []  # nothing was paid that day
        if said.get("respCode") != _DONE:
            return None
        try:
            packed = zlib.decompress(base64.b64decode(said.get("fileContent", ""), validate=True))
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                name = next(one for one in archive.namelist() if "ZM_" in one)
                rows = archive.read(name).decode("gbk").splitlines()
            return [_line(row, day) for row in rows if row.strip()]
        except (ValueError, zlib.error, zipfile.BadZipFile, StopIteration) as error:
            _log.warning("a file that cannot be read: %s", type(error).__name__)
            return None

    def agree(self, asked: AgreementAsked) -> AgreementSeen:
        """Make the form that takes the patient to UnionPay's page, where a token of their card is opened."""
        form = self._form(
            bizType=_TOKENS,
            txnType="79",
            txnSubType="00",
            orderId=asked.number,
            txnTime=time_of(asked.number),
            tokenPayData=f"{{trId={self._requestor}&tokenType=01}}",
            backUrl=self._back_url,
        )
        return AgreementSeen(
            AgreedState.OPEN, pay={"url": f"{self._url}/gateway/api/frontTransReq.do", **form}
        )

    def look_at_agreement(self, number: str) -> AgreementSeen:
        """Ask for the token (79/05): there is one once the patient has opened it."""
        said = self._call(
            "backTransReq.do",
            bizType=_TOKENS,
            txnType="79",
            txnSubType="05",
            orderId=number,
            txnTime=time_of(number),
            tokenPayData=f"{{trId={self._requestor}&tokenType=01}}",
        )
        code = said.get("respCode")
        if code == _NO_SUCH_ORDER:
            return AgreementSeen(AgreedState.MISSING)
        if code in _UNDER_WAY:
            return AgreementSeen(AgreedState.OPEN)
        if code == _TOKEN_GONE:
            return AgreementSeen(AgreedState.ENDED)
        token = _inside(said.get("tokenPayData", "")).get("token", "")
        known = code == _DONE and bool(token)
        return AgreementSeen(AgreedState.SIGNED if known else AgreedState.UNKNOWN, token)

    def end_agreement(self, number: str) -> AgreementSeen:
        """Delete the token (74/01): nothing can be charged by it any more."""
        held = self.look_at_agreement(number)
        if held.state is not AgreedState.SIGNED:
            opening = held.state is AgreedState.OPEN
            return AgreementSeen(AgreedState.MISSING) if opening else held
        said = self._call(
            "backTransReq.do",
            bizType=_TOKENS,
            txnType="74",
            txnSubType="01",
            orderId=number,
            txnTime=time_of(number),
            tokenPayData=f"{{trId={self._requestor}&token={held.contract}}}",
        )
        gone = said.get("respCode") in (_DONE, _TOKEN_GONE)
        return AgreementSeen(AgreedState.ENDED if gone else AgreedState.UNKNOWN)

    def called_back(self, said: Mapping[str, str]) -> CalledBack | None:
        """Return what a callback says, ``None`` where it is forged, or about nothing of ours."""
        if not self._is_theirs(said) or said.get("merId") != self._merchant:
            return None
        if said.get("txnType") != "01":
            return CalledBack("", _SILENCE)  # a return: the query tells
        return CalledBack(said.get("orderId", ""), _seen(said, said.get("respCode", "")))

    def _collect(self, order: CashOrder) -> CashSeen:
        """Charge a token; what was taken on, or is in doubt, is asked about at once."""
        said = self._call(
            "backTransReq.do",
            bizType=_TOKENS,
            txnType="01",
            txnSubType="01",
            orderId=order.number,
            txnTime=time_of(order.number),
            txnAmt=str(order.cash_fen),
            currencyCode="156",
            tokenPayData=f"{{trId={self._requestor}&token={order.contract}}}",
            backUrl=self._back_url,
        )
        code = said.get("respCode")
        if code is None or code in _BUSY:
            return _SILENCE
        if code in (_DONE, *_UNDER_WAY, _DOUBLED):
            seen = self.look(order.number)
            gone = seen.state is CashState.CLOSED
            return replace(seen, state=CashState.REFUSED) if gone else seen
        return CashSeen(CashState.REFUSED, words=said.get("respMsg", ""))

    def _query(self, number: str) -> dict[str, str]:
        return self._call(
            "queryTrans.do",
            txnType="00",
            txnSubType="00",
            orderId=number,
            txnTime=time_of(number),
        )

    def _call(self, path: str, **fields: str) -> dict[str, str]:
        """Return what an answer says; nothing where none came that can be believed."""
        import httpx

        form = self._form(**fields)
        try:
            answer = answered_in_time(
                lambda: self._http.post(f"{self._url}/gateway/api/{path}", data=form)
            )
        except httpx.HTTPError as error:
            _log.warning("no answer: %s", type(error).__name__)
            return {}
        said = _fields(answer.text)
        if answer.status_code != httpx.codes.OK or not self._is_theirs(said):
            _log.warning("no answer that can be believed: %s", answer.status_code)
            return {}
        return said

    def _form(self, **fields: str) -> dict[str, str]:
        """Return a form with what every one says, signed."""
        form = {
            "version": "5.1.0",
            "encoding": "UTF-8",
            "signMethod": "01",
            "bizType": "000000",
            "channelType": "08",
            "accessType": "0",
            "merId": self._merchant,
            "certId": str(self._keys.certificate.serial_number),
            **fields,
        }
        signed = self._keys.key.sign(_digest(form), padding.PKCS1v15(), hashes.SHA256())
        form["signature"] = base64.b64encode(signed).decode()
        return form

    def _is_theirs(self, said: Mapping[str, str]) -> bool:
        """Tell whether UnionPay signed something: by its own certificate, of the known authority."""
        try:
            certificate = x509.load_pem_x509_certificate(said.get("signPubKeyCert", "").encode())
            certificate.verify_directly_issued_by(self._keys.authority)
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            signature = base64.b64decode(said.get("signature", ""), validate=True)
            key = certificate.public_key()
            now = self._clock.now()
            fits = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
            if not isinstance(key, rsa.RSAPublicKey) or not fits:
                return False
            if not any(_SIGNER in str(name.value) for name in names):
                return False
            key.verify(signature, _digest(said), padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def _fields(text: str) -> dict[str, str]:
    """Return the fields of an answer: a form whose values are not escaped, and may be forms in braces."""
    found, depth, part = list[str](), 0, ""
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if letter == "&" and depth == 0:
            found.append(part)
            part = ""
        else:
            part += letter
    return dict(one.partition("=")[::2] for one in (*found, part))


def _inside(text: str) -> dict[str, str]:
    """Return the fields of a form in braces."""
    return dict(one.partition("=")[::2] for one in text.strip("{}").split("&"))


def time_of(number: str) -> str:
    """Return the time that a number of ours carries: UnionPay knows an order by number and time."""
    return number[2:16]


def _digest(form: Mapping[str, str]) -> bytes:
    """Return what is signed: the hexadecimal SHA-256 of the sorted fields that say something."""
    said = "&".join(
        f"{name}={form[name]}" for name in sorted(form) if name != "signature" and form[name]
    )
    return hashlib.sha256(said.encode()).hexdigest().encode()


def _seen(said: Mapping[str, str], code: str) -> CashSeen:
    if code in _UNDER_WAY:
        return CashSeen(CashState.OPEN)
    if code in _BUSY or not code:
        return _SILENCE
    if code != _DONE:
        return CashSeen(CashState.CLOSED, words=said.get("origRespMsg", said.get("respMsg", "")))
    amount = said.get("txnAmt", "")
    if not amount.isascii() or not amount.isdigit():
        return _SILENCE
    return CashSeen(
        CashState.PAID, said.get("queryId", ""), Fen(int(amount)), _instant(said.get("traceTime"))
    )


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None


def _line(row: str, day: date) -> CashLine:
    """Return a row of the file. Its times have no year: it is that of the day, or the one before."""
    parts, place = [], 0
    for width in _WIDTHS:
        parts.append(row[place : place + width].strip())
        place += width + 1
    at = datetime.strptime(f"{day.year}{parts[_AT]}", "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    if at.date() > day + timedelta(days=1):
        at = at.replace(year=day.year - 1)
    amount, number, trade = Fen(int(parts[_AMOUNT])), parts[_ORDER], parts[_QUERY]
    if parts[_KIND] == "04":
        return CashLine(LineKind.RETURNED, "", amount, trade, at, number)
    return CashLine(LineKind.PAID, number, amount, trade, at)
