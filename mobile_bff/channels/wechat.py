"""WeChat Pay v3 (微信支付): app payments, mixed orders with the insurance's share (``med-ins``), refunds.

Requests are signed with the merchant's key and answers with the platform's; what cannot be verified, or
does not come, is no answer. Signing, verifying and opening of callbacks are the library's.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backend.codes.contracts import Purpose
from backend.infra.settings import Settings
from backend.kernel.calendar import SHANGHAI, Clock, local
from backend.kernel.money import Fen, parse_yuan
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
_FRESH_SECONDS = 300
_OK, _CREATED, _NO_CONTENT = 200, 201, 204
_MISSING, _BUSY, _FAULT = 404, 429, 500
_SILENCE = CashSeen(CashState.UNKNOWN)
_TRADES = {
    "SUCCESS": CashState.PAID,
    "REFUND": CashState.PAID,
    "NOTPAY": CashState.OPEN,
    "USERPAYING": CashState.OPEN,
    "ACCEPT": CashState.OPEN,
    "CLOSED": CashState.CLOSED,
    "REVOKED": CashState.CLOSED,
    "PAYERROR": CashState.CLOSED,
}
_RETURNS = {
    "SUCCESS": ReturnState.DONE,
    "PROCESSING": ReturnState.UNDER_WAY,
    "ABNORMAL": ReturnState.FAILED,
    "CLOSED": ReturnState.FAILED,
}
_CONTRACTS = {
    "NOT_SIGNED": AgreedState.OPEN,
    "SIGNED": AgreedState.SIGNED,
    "TERMINATED": AgreedState.ENDED,
}
_ORDER_TYPES = {
    Purpose.PHARMACY_PURCHASE.value: "PHARMACY_PAY",
    Purpose.OUTPATIENT_SETTLEMENT.value: "DIAG_PAY",
}
_log = logging.getLogger("yibao.wechat")


@dataclass(frozen=True)
class WechatKeys:
    """What a merchant and the platform have agreed on."""

    merchant_key: str
    serial: str
    platform_key: str
    platform_key_id: str
    secret: str

    @classmethod
    def in_folder(cls, folder: Path) -> WechatKeys | None:
        """Return the keys that lie in a folder, ``None`` where there are none."""
        if not (folder / "merchant.pem").exists():
            return None
        return cls(
            merchant_key=(folder / "merchant.pem").read_text(),
            serial=(folder / "serial.txt").read_text().strip(),
            platform_key=(folder / "platform_public.pem").read_text(),
            platform_key_id=(folder / "platform_key_id.txt").read_text().strip(),
            secret=(folder / "apiv3.txt").read_text().strip(),
        )


class WechatChannel:
    """A merchant of WeChat Pay. Its calls block; they may run in several threads at once."""

    def __init__(self, settings: Settings, keys: WechatKeys, clock: Clock) -> None:
        from wechatpayv3 import WeChatPay, WeChatPayType  # only where this channel is offered

        self._clock = clock
        self._notify_url = f"{settings.public_url}/channels/wechat/notify"
        self._appid = settings.wechat_appid
        self._mchid = settings.wechat_mchid
        self._plan_id = settings.wechat_plan_id
        self._pay = WeChatPay(
            wechatpay_type=WeChatPayType.APP,
            mchid=settings.wechat_mchid,
            private_key=keys.merchant_key,
            cert_serial_no=keys.serial,
            apiv3_key=keys.secret,
            appid=settings.wechat_appid,
            notify_url=self._notify_url,
            public_key=keys.platform_key,
            public_key_id=keys.platform_key_id,
            timeout=_SECONDS_MAX,
        )
        self._pay._core._gate_way = settings.wechat_url  # the library has no setting for it

    def ask(self, order: CashOrder) -> CashSeen:
        """Have the cash collected: an app payment, and beside it what the insurance pays."""
        if order.agreement:
            return self._collect(order)
        code, said = self._call(
            lambda: self._pay.pay(
                description=order.institution_name,
                out_trade_no=order.number,
                amount={"total": order.cash_fen, "currency": "CNY"},
                time_expire=local(order.pay_until).isoformat(timespec="seconds"),
            )
        )
        if code not in (_OK, _CREATED):
            return self._not_taken(order.number, code, said)
        prepay = str(said.get("prepay_id", ""))
        if not prepay:
            return _SILENCE
        if order.fund_fen or order.account_fen:
            code, mixed = self._post("/v3/med-ins/orders", self._mixed(order, prepay))
            if code not in (_OK, _CREATED):
                return self._not_taken(order.number, code, mixed)
        return CashSeen(CashState.OPEN, pay=self._for_phone(prepay))

    def look(self, number: str) -> CashSeen:
        """Return what became of an order's cash."""
        code, said = self._call(lambda: self._pay.query(out_trade_no=number))
        if code == _MISSING:
            return CashSeen(CashState.MISSING)
        return _seen(said) if code == _OK else _SILENCE

    def close(self, number: str) -> CashSeen:
        """Let an order not be paid any more; what was paid before counts."""
        code, said = self._call(lambda: self._pay.close(out_trade_no=number))
        if code in (_OK, _NO_CONTENT):
            return CashSeen(CashState.CLOSED)
        if code == _MISSING:
            return CashSeen(CashState.MISSING)
        if said.get("code") in ("ORDERPAID", "ORDER_CLOSED", "TRADE_STATE_ERROR"):
            return self.look(number)
        return _SILENCE

    def give_back(
        self, number: str, return_number: str, amount: Fen, cash: Fen, why: str
    ) -> ReturnSeen:
        """Give cash back. The same return number is the same return, however often it is asked for."""
        code, said = self._call(
            lambda: self._pay.refund(
                out_trade_no=number,
                out_refund_no=return_number,
                amount={"refund": amount, "total": cash, "currency": "CNY"},
                reason=why or None,
            )
        )
        return self._returned(number, return_number, code, said)

    def look_at_return(self, return_number: str) -> ReturnSeen:
        """Return what became of giving back."""
        code, said = self._call(lambda: self._pay.query_refund(return_number))
        if code == _MISSING:
            return ReturnSeen(ReturnState.MISSING)
        return self._returned(str(said.get("out_trade_no", "")), return_number, code, said)

    def file_of(self, day: date) -> list[CashLine] | None:
        """Return the lines of a day's trade bill (交易账单), ``None`` while it cannot be had whole."""
        code, said = self._call(lambda: self._pay.trade_bill(day.isoformat()))
        if said.get("code") == "NO_STATEMENT_EXIST":
            return []  # nothing was paid that day
        if code != _OK:
            return None
        try:
            code, packed = self._pay.download_bill(str(said.get("download_url", "")))
            text = gzip.decompress(packed) if code == _OK else b""
        except Exception as error:  # the library raises nothing narrower
            _log.warning("no trade bill: %s", type(error).__name__)
            return None
        digest = hashlib.sha1(text, usedforsecurity=False).hexdigest()
        if code != _OK or digest != said.get("hash_value"):
            return None  # the download is not signed; its digest came with an answer that is
        return [line for row in _rows(text.decode("utf-8-sig")) for line in _lines(row)]

    def agree(self, asked: AgreementAsked) -> AgreementSeen:
        """Prepare the page on which the patient agrees to be charged (委托代扣 APP预签约)."""
        code, said = self._post(
            "/v3/papay/contracts/app-pre-entrust-sign",
            {
                "appid": self._appid,
                "mchid": self._mchid,
                "plan_id": int(self._plan_id),
                "out_contract_code": asked.number,
                "contract_display_account": asked.number[-8:],
                "contract_notify_url": self._notify_url,
            },
        )
        if code >= _FAULT or code in (0, _BUSY):
            return AgreementSeen(AgreedState.UNKNOWN)
        if said.get("code") == "CONTRACT_EXISTED":
            return self.look_at_agreement(asked.number)
        session = str(said.get("pre_entrustweb_id", ""))
        if code not in (_OK, _CREATED) or not session:
            return AgreementSeen(AgreedState.DECLINED, words=str(said.get("message", "")))
        return AgreementSeen(AgreedState.OPEN, pay={"pre_entrustweb_id": session})

    def look_at_agreement(self, number: str) -> AgreementSeen:
        """Return whether the patient agreed, or took it back in the channel's app."""
        code, said = self._get(self._contract_path(number))
        if code == _MISSING:
            return AgreementSeen(AgreedState.MISSING)
        state = _CONTRACTS.get(str(said.get("contract_state", ""))) if code == _OK else None
        return AgreementSeen(state or AgreedState.UNKNOWN, str(said.get("contract_id", "")))

    def end_agreement(self, number: str) -> AgreementSeen:
        """End it: nothing can be charged any more."""
        told = {"mchid": self._mchid, "contract_termination_remark": "用户解约"}
        code, said = self._post(f"{self._contract_path(number)}/terminate", told)
        if code in (_OK, _NO_CONTENT) or said.get("code") == "CONTRACT_NOT_EXIST":
            return AgreementSeen(AgreedState.ENDED)
        return AgreementSeen(AgreedState.MISSING if code == _MISSING else AgreedState.UNKNOWN)

    def called_back(self, headers: Mapping[str, str], body: bytes) -> CalledBack | None:
        """Return what a callback says, ``None`` where it is forged, stale, or about nothing of ours."""
        try:
            age = self._clock.now().timestamp() - int(headers.get("wechatpay-timestamp", "0"))
            if abs(age) > _FRESH_SECONDS:
                return None
            opened = self._pay.callback(dict(headers), body)
        except Exception:  # the library raises nothing narrower for what it cannot read
            _log.warning("a callback could not be read", exc_info=True)
            return None
        if not opened:
            return None
        said = opened["resource"]
        number = str(said.get("out_trade_no", ""))
        if "out_contract_code" in said:  # signed or ended: the channel is asked which
            return CalledBack(str(said["out_contract_code"]), _SILENCE)
        if "mix_pay_status" in said:
            return CalledBack(number, _seen_mixed(said))
        return CalledBack(number, _seen(said)) if "trade_state" in said else None

    def _collect(self, order: CashOrder) -> CashSeen:
        """Charge by agreement (委托代扣): what the platform has taken on, it is asked about at once."""
        code, said = self._post(
            "/v3/papay/pay/transactions/apply",
            {
                "appid": self._appid,
                "mchid": self._mchid,
                "contract_id": order.contract,
                "description": order.institution_name,
                "out_trade_no": order.number,
                "amount": {"total": order.cash_fen, "currency": "CNY"},
                "notify_url": self._notify_url,
            },
        )
        if code not in (_OK, _CREATED, _NO_CONTENT):
            return self._not_taken(order.number, code, said)
        seen = self.look(order.number)
        return replace(seen, state=CashState.REFUSED) if seen.state is CashState.CLOSED else seen

    def _contract_path(self, number: str) -> str:
        return f"/v3/papay/contracts/plan-id/{self._plan_id}/out-contract-code/{number}"

    def _mixed(self, order: CashOrder, prepay: str) -> dict[str, Any]:
        """Return a mixed order (混合收款): total = insurance + account + cash, each in fen."""
        return {
            "mix_pay_type": "CASH_AND_INSURANCE" if order.cash_fen else "INSURANCE_ONLY",
            "order_type": _ORDER_TYPES[order.purpose],
            "appid": self._appid,
            "pay_for_relatives": order.for_relative,
            "out_trade_no": order.number,
            "serial_no": order.number,
            "med_inst_name": order.institution_name,
            "med_inst_no": order.institution_code,
            "med_ins_order_create_time": local(order.created_at).isoformat(timespec="seconds"),
            "total_fee": order.total_fen,
            "med_ins_gov_fee": order.fund_fen,
            "med_ins_self_fee": order.account_fen,
            "med_ins_other_fee": 0,
            "med_ins_cash_fee": order.cash_fen,
            "wechat_pay_cash_fee": order.cash_fen,
            "prepay_id": prepay,
            "callback_url": self._notify_url,
        }

    def _for_phone(self, prepay: str) -> dict[str, str]:
        """Return what the app hands to WeChat, signed."""
        stamp = str(int(self._clock.now().timestamp()))
        nonce = prepay[-24:]
        signature = self._pay.sign([self._appid, stamp, nonce, prepay])
        return {
            "appid": self._appid,
            "partnerid": self._mchid,
            "prepayid": prepay,
            "package": "Sign=WXPay",
            "noncestr": nonce,
            "timestamp": stamp,
            "sign": signature,
        }

    def _not_taken(self, number: str, code: int, said: Mapping[str, Any]) -> CashSeen:
        if code >= _FAULT or code in (0, _BUSY):
            return _SILENCE
        if said.get("code") in ("ORDERPAID", "ORDER_CLOSED", "OUT_TRADE_NO_USED"):
            return self.look(number)
        return CashSeen(CashState.REFUSED, words=str(said.get("message", "")))

    def _returned(
        self, number: str, return_number: str, code: int, said: Mapping[str, Any]
    ) -> ReturnSeen:
        if code >= _FAULT or code in (0, _BUSY):
            return ReturnSeen(ReturnState.UNKNOWN)
        if code not in (_OK, _CREATED):
            return ReturnSeen(ReturnState.FAILED, str(said.get("message", "")))
        state = _RETURNS.get(str(said.get("status", "")), ReturnState.UNKNOWN)
        if state is ReturnState.DONE and not self._told_of_return(number, return_number):
            return ReturnSeen(ReturnState.UNDER_WAY)
        return ReturnSeen(state, str(said.get("user_received_account", "")))

    def _told_of_return(self, number: str, return_number: str) -> bool:
        """Tell a mixed order that cash and insurance are back, by the number of the cash's return."""
        code, said = self._get(f"/v3/med-ins/orders/out-trade-no/{number}")
        if code == _MISSING:
            return True  # it was cash alone
        if code != _OK:
            return False
        told = {
            "mix_trade_no": said.get("mix_trade_no"),
            "out_refund_no": return_number,
            "part_refund_reason": "",
        }
        code, _ = self._post("/v3/med-ins/refunds/notify", told)
        return code in (_OK, _NO_CONTENT)

    def _get(self, path: str) -> tuple[int, dict[str, Any]]:
        return self._call(lambda: self._pay._core.request(f"{path}?mchid={self._mchid}"))

    def _post(self, path: str, data: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        from wechatpayv3.type import RequestType

        return self._call(
            lambda: self._pay._core.request(path, method=RequestType.POST, data=dict(data))
        )

    def _call(self, request: Callable[[], tuple[int, Any]]) -> tuple[int, dict[str, Any]]:
        """Return status and body of an answer; 0 where none came that can be believed."""
        try:
            code, text = answered_in_time(request)
            said = json.loads(text) if text else {}
        except Exception as error:  # the library raises nothing narrower for a wrong signature
            _log.warning("no answer that can be believed: %s", type(error).__name__)
            return 0, {}
        return code, said if isinstance(said, dict) else {}


def _seen(said: Mapping[str, Any]) -> CashSeen:
    state = _TRADES.get(str(said.get("trade_state", "")), CashState.UNKNOWN)
    if state is not CashState.PAID:
        return CashSeen(state, words=str(said.get("trade_state_desc", "")))
    total = said.get("amount", {}).get("total")
    if not isinstance(total, int):
        return _SILENCE
    return CashSeen(
        state, str(said.get("transaction_id", "")), Fen(total), _instant(said.get("success_time"))
    )


def _seen_mixed(said: Mapping[str, Any]) -> CashSeen:
    """Return what a mixed order's callback says; it is only sent when both halves are paid."""
    cash = said.get("wechat_pay_cash_fee")
    if said.get("mix_pay_status") != "MIX_PAY_SUCCESS" or not isinstance(cash, int):
        return _SILENCE
    number = str(said.get("mix_trade_no", ""))
    return CashSeen(CashState.PAID, number, Fen(cash), _instant(said.get("paid_time")))


def _rows(text: str) -> list[dict[str, str]]:
    """Return the rows of a trade bill; each value has a backtick before it, the last two lines sum up."""
    rows = list(csv.DictReader(text.splitlines()[:-2]))
    return [{name: (value or "").lstrip("`") for name, value in row.items()} for row in rows]


def _lines(row: Mapping[str, str]) -> list[CashLine]:
    at = datetime.strptime(row["交易时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    number, trade = row["商户订单号"], row["微信订单号"]
    if row["交易状态"] == "SUCCESS":
        return [CashLine(LineKind.PAID, number, parse_yuan(row["订单金额"]), trade, at)]
    if row["交易状态"] == "REFUND" and row["退款状态"] != "FAIL":
        gone = parse_yuan(row["退款金额"])
        return [CashLine(LineKind.RETURNED, number, gone, trade, at, row["商户退款单号"])]
    return []


def _instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
