"""A bank's credit for care (信用就医): applies, reserves and captures, gives back, is paid back.

No interface of this kind is published, so it is one of our own: each request and each answer is a signed
text (JWS, EdDSA, RFC 7515), an answer names the request that it answers, and what cannot be verified, is
stale, or does not come, is no answer. Every call names what it is about by a number of ours and may be
repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jwt

from backend.infra.clock import SystemIds
from backend.infra.settings import Settings
from backend.kernel.calendar import Clock
from backend.kernel.money import Fen
from backend.orders.agreement_contracts import (
    AgreedState,
    AgreementAsked,
    AgreementSeen,
    CreditBill,
    CreditStanding,
    RepaymentSeen,
    RepaymentState,
)
from backend.orders.contracts import (
    CashLine,
    CashOrder,
    CashSeen,
    CashState,
    LineKind,
    ReturnSeen,
    ReturnState,
)
from mobile_bff.outside import answered_in_time

_ALGORITHM = "EdDSA"
_SECONDS_MAX = 5
_FRESH_SECONDS = 300
_DONE, _MISSING = "OK", "NOT_FOUND"
_UNKNOWN = ("", "BUSY")
_SILENCE = CashSeen(CashState.UNKNOWN)
_AGREED = {
    "REVIEW": AgreedState.OPEN,
    "GRANTED": AgreedState.SIGNED,
    "DECLINED": AgreedState.DECLINED,
    "ENDED": AgreedState.ENDED,
}
_log = logging.getLogger("yibao.bank")


@dataclass(frozen=True)
class BankKeys:
    """Our signing key and the bank's public one."""

    ours: str
    theirs: str

    @classmethod
    def in_folder(cls, folder: Path) -> BankKeys | None:
        """Return the keys that lie in a folder, ``None`` where there are none."""
        if not (folder / "merchant.pem").exists():
            return None
        return cls((folder / "merchant.pem").read_text(), (folder / "bank_public.pem").read_text())


class BankCreditChannel:
    """A bank that pays for whoever it has granted credit. Its calls block and never raise."""

    def __init__(self, settings: Settings, keys: BankKeys, clock: Clock) -> None:
        import httpx  # only where this channel is offered

        self._clock, self._keys = clock, keys
        self._ids = SystemIds()
        self._http = httpx.Client(base_url=settings.bank_url, timeout=_SECONDS_MAX, trust_env=False)

    def ask(self, order: CashOrder) -> CashSeen:
        """Have the bank reserve the amount, and take it at once: nobody waits for the patient."""
        if not order.agreement:
            return CashSeen(CashState.REFUSED, words="没有信用就医授信")
        code, said = self._call(
            "/trade/reserve",
            number=order.number,
            agreement=order.agreement,
            amount=order.cash_fen,
            institution=order.institution_code,
        )
        if code in _UNKNOWN:
            return _SILENCE
        if code != _DONE:
            return CashSeen(CashState.REFUSED, words=str(said.get("words", "")))
        code, said = self._call("/trade/capture", number=order.number)
        return _seen(said) if code == _DONE else _SILENCE

    def look(self, number: str) -> CashSeen:
        """Return what became of an order's cash."""
        code, said = self._call("/trade/query", number=number)
        if code == _MISSING:
            return CashSeen(CashState.MISSING)
        return _seen(said) if code == _DONE else _SILENCE

    def close(self, number: str) -> CashSeen:
        """Let go of what is reserved; what was taken before counts."""
        code, said = self._call("/trade/release", number=number)
        if code == _MISSING:
            return CashSeen(CashState.MISSING)
        return _seen(said) if code == _DONE else _SILENCE

    def give_back(
        self, number: str, return_number: str, amount: Fen, cash: Fen, why: str
    ) -> ReturnSeen:
        """Give back to the credit. The same return number is the same return."""
        del cash
        code, said = self._call(
            "/trade/refund", number=number, refund=return_number, amount=amount, why=why
        )
        return _returned(code, said)

    def look_at_return(self, return_number: str) -> ReturnSeen:
        """Return what became of giving back."""
        code, said = self._call("/trade/refund-query", refund=return_number)
        return ReturnSeen(ReturnState.MISSING) if code == _MISSING else _returned(code, said)

    def file_of(self, day: date) -> Sequence[CashLine] | None:
        """Return everything that was taken and given back on a day, ``None`` while there is no file."""
        code, said = self._call("/trade/file", day=day.isoformat())
        if code != _DONE:
            return None
        return [
            CashLine(
                LineKind(one["kind"]),
                str(one["number"]),
                Fen(int(one["amount"])),
                str(one["trade"]),
                datetime.fromisoformat(one["at"]),
                str(one.get("refund", "")),
            )
            for one in said["lines"]
        ]

    def agree(self, asked: AgreementAsked) -> AgreementSeen:
        """Apply for credit; whose it is goes to the bank with the consent of whom it is about."""
        who = asked.applicant
        if who is None:
            return AgreementSeen(AgreedState.DECLINED, words="未同意提供个人信息")
        code, said = self._call(
            "/credit/apply",
            agreement=asked.number,
            name=who.name,
            id_number=who.id_number,
            phone=who.phone,
            consented_at=asked.asked_at.isoformat(),
        )
        return _agreed(code, said)

    def look_at_agreement(self, number: str) -> AgreementSeen:
        """Return whether credit was granted, and how it stands."""
        return _agreed(*self._call("/credit/standing", agreement=number))

    def end_agreement(self, number: str) -> AgreementSeen:
        """End it; what is open stays to be paid back."""
        return _agreed(*self._call("/credit/end", agreement=number))

    def repay(self, number: str, repayment: str, amount: Fen) -> RepaymentSeen:
        """Have the bank take an amount from the patient's card with it."""
        code, said = self._call(
            "/credit/repay", agreement=number, repayment=repayment, amount=amount
        )
        if code in _UNKNOWN:
            return RepaymentSeen(None)
        done = RepaymentState.DONE if code == _DONE else RepaymentState.FAILED
        return RepaymentSeen(done, str(said.get("words", "")))

    def _call(self, path: str, **data: Any) -> tuple[str, Mapping[str, Any]]:
        """Return code and data of an answer; an empty code where none came that can be believed."""
        import httpx

        now, name = int(self._clock.now().timestamp()), self._ids.secret(12).hex()
        sent = jwt.encode(
            {"iat": now, "jti": name, "path": path, "data": data}, self._keys.ours, _ALGORITHM
        )
        try:
            answer = answered_in_time(lambda: self._http.post(path, content=sent))
            text = answer.raise_for_status().text
            said = jwt.decode(text, self._keys.theirs, [_ALGORITHM], options={"verify_iat": False})
        except (httpx.HTTPError, jwt.InvalidTokenError) as error:
            _log.warning("no answer of the bank that can be believed: %s", type(error).__name__)
            return "", {}
        fresh = abs(int(said.get("iat", 0)) - now) <= _FRESH_SECONDS
        if said.get("re") != name or not fresh:
            _log.warning("an answer of the bank to something else")
            return "", {}
        return str(said.get("code", "")), said.get("data") or {}


def _seen(said: Mapping[str, Any]) -> CashSeen:
    state = said.get("state")
    if state == "CAPTURED":
        at = datetime.fromisoformat(said["at"])
        return CashSeen(CashState.PAID, str(said["trade"]), Fen(int(said["amount"])), at)
    known = {"RESERVED": CashState.OPEN, "RELEASED": CashState.CLOSED}
    return CashSeen(known.get(str(state), CashState.UNKNOWN))


def _returned(code: str, said: Mapping[str, Any]) -> ReturnSeen:
    if code in _UNKNOWN:
        return ReturnSeen(ReturnState.UNKNOWN)
    state = ReturnState.DONE if code == _DONE else ReturnState.FAILED
    return ReturnSeen(state, str(said.get("words", "")))


def _agreed(code: str, said: Mapping[str, Any]) -> AgreementSeen:
    if code == _MISSING:
        return AgreementSeen(AgreedState.MISSING)
    if code != _DONE:
        return AgreementSeen(AgreedState.UNKNOWN)
    state = _AGREED.get(str(said.get("state")), AgreedState.UNKNOWN)
    credit = None
    if "limit" in said:
        credit = CreditStanding(
            limit_fen=Fen(int(said["limit"])),
            open_fen=Fen(int(said["open"])),
            overdue_fen=Fen(int(said["overdue"])),
            bills=tuple(
                CreditBill(
                    str(one["number"]),
                    Fen(int(one["amount"])),
                    Fen(int(one["open"])),
                    date.fromisoformat(one["due_on"]),
                )
                for one in said["bills"]
            ),
        )
    return AgreementSeen(
        state, str(said.get("contract", "")), str(said.get("words", "")), credit=credit
    )
