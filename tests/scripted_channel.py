"""A cash channel in memory that keeps books of its own and fails as a test tells it to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from backend.kernel.calendar import Clock, local_day
from backend.kernel.money import Fen
from backend.orders.agreement_contracts import (
    AgreedState,
    AgreementAsked,
    AgreementSeen,
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

SILENCE = CashSeen(CashState.UNKNOWN, words="no answer")


@dataclass
class Taken:
    """An order in the channel's own books."""

    cash_fen: Fen
    state: CashState = CashState.OPEN
    paid_fen: Fen | None = None
    returns: dict[str, Fen] = field(default_factory=dict)
    paid_at: datetime | None = None
    returned_at: dict[str, datetime] = field(default_factory=dict)


@dataclass
class ScriptedChannel:
    """``faults``: what goes wrong next, by call: ``lost`` before it arrives, ``late`` after it has.

    ``returns``: what giving back answers next, in their order; afterwards it is done at once.
    """

    clock: Clock
    books: dict[str, Taken] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    returns: list[ReturnState] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    agreed: dict[str, AgreedState] = field(default_factory=dict)
    credit: CreditStanding | None = None
    repaid: dict[str, Fen] = field(default_factory=dict)

    def ask(self, order: CashOrder) -> CashSeen:
        fault = self._fault("ask")
        if fault == "lost":
            return SILENCE
        if fault == "refused":
            return CashSeen(CashState.REFUSED, words="商户号被限制")
        if order.agreement and self.agreed.get(order.agreement) is not AgreedState.SIGNED:
            return CashSeen(CashState.REFUSED, words="用户未签约或已解约")
        self.books.setdefault(order.number, Taken(order.cash_fen))
        if order.agreement and fault != "slow" and not self.books[order.number].paid_at:
            self.pays(order.number)
        if fault == "late":
            return SILENCE
        return self._said(order.number)

    def look(self, number: str) -> CashSeen:
        return SILENCE if self._fault("look") else self._said(number)

    def close(self, number: str) -> CashSeen:
        fault = self._fault("close")
        if fault == "lost":
            return SILENCE
        held = self.books.get(number)
        if held is not None and held.state is CashState.OPEN:
            held.state = CashState.CLOSED
        return SILENCE if fault == "late" else self._said(number)

    def give_back(
        self, number: str, return_number: str, amount: Fen, cash: Fen, why: str
    ) -> ReturnSeen:
        fault = self._fault("give_back")
        if fault == "lost":
            return ReturnSeen(ReturnState.UNKNOWN)
        held = self.books[number]
        assert held.paid_fen == cash
        if return_number not in held.returns:
            answer = self.returns.pop(0) if self.returns else ReturnState.DONE
            if answer is ReturnState.FAILED:
                return ReturnSeen(answer, "账户异常")
            held.returns[return_number] = amount
            held.returned_at[return_number] = self.clock.now()
            assert sum(held.returns.values()) <= cash, "given back twice"
        return ReturnSeen(ReturnState.UNKNOWN if fault == "late" else ReturnState.DONE)

    def look_at_return(self, return_number: str) -> ReturnSeen:
        if self._fault("look_at_return"):
            return ReturnSeen(ReturnState.UNKNOWN)
        known = any(return_number in held.returns for held in self.books.values())
        return ReturnSeen(ReturnState.DONE if known else ReturnState.MISSING)

    def file_of(self, day: date) -> list[CashLine] | None:
        if self._fault("file_of"):
            return None
        lines = []
        for number, held in self.books.items():
            if held.paid_at is not None and local_day(held.paid_at) == day:
                paid = held.paid_fen or Fen(0)
                lines.append(CashLine(LineKind.PAID, number, paid, f"T{number}", held.paid_at))
            lines += [
                CashLine(
                    LineKind.RETURNED, number, amount, f"T{number}", held.returned_at[one], one
                )
                for one, amount in held.returns.items()
                if local_day(held.returned_at[one]) == day
            ]
        return lines

    def agree(self, asked: AgreementAsked) -> AgreementSeen:
        fault = self._fault("agree")
        if fault == "lost":
            return AgreementSeen(AgreedState.UNKNOWN)
        if fault == "refused":
            return AgreementSeen(AgreedState.DECLINED, words="不符合条件")
        self.agreed.setdefault(asked.number, AgreedState.OPEN)
        return self.look_at_agreement(asked.number)

    def look_at_agreement(self, number: str) -> AgreementSeen:
        if self._fault("look_at_agreement"):
            return AgreementSeen(AgreedState.UNKNOWN)
        state = self.agreed.get(number, AgreedState.MISSING)
        pay = {"pre_entrustweb_id": f"PE{number}"} if state is AgreedState.OPEN else {}
        standing = self.credit if state in (AgreedState.SIGNED, AgreedState.ENDED) else None
        return AgreementSeen(state, f"CT{number}", pay=pay, credit=standing)

    def end_agreement(self, number: str) -> AgreementSeen:
        if self._fault("end_agreement"):
            return AgreementSeen(AgreedState.UNKNOWN)
        if number in self.agreed:
            self.agreed[number] = AgreedState.ENDED
        return self.look_at_agreement(number)

    def repay(self, number: str, repayment: str, amount: Fen) -> RepaymentSeen:
        fault = self._fault("repay")
        if fault == "lost":
            return RepaymentSeen(None)
        if fault == "refused":
            return RepaymentSeen(RepaymentState.FAILED, "还款卡余额不足")
        if repayment not in self.repaid and self.credit is not None:
            self.repaid[repayment] = amount
            left = Fen(self.credit.open_fen - amount)
            self.credit = CreditStanding(self.credit.limit_fen, left, Fen(0))
        return RepaymentSeen(None if fault == "late" else RepaymentState.DONE)

    def pays(self, number: str, amount: Fen | None = None) -> CashSeen:
        """Let the patient pay; return what a callback would say."""
        held = self.books[number]
        held.state = CashState.PAID
        held.paid_fen = held.cash_fen if amount is None else amount
        held.paid_at = self.clock.now()
        return self._said(number)

    def kept(self) -> int:
        """Return what the channel holds of patients' money after all returns."""
        taken = sum(held.paid_fen or 0 for held in self.books.values())
        return taken - sum(sum(held.returns.values()) for held in self.books.values())

    def _said(self, number: str) -> CashSeen:
        held = self.books.get(number)
        if held is None:
            return CashSeen(CashState.MISSING)
        if held.state is CashState.PAID:
            paid = held.paid_fen
            return CashSeen(CashState.PAID, f"T{number}", paid, held.paid_at)
        pay = {"prepay_id": f"wx{number}"} if held.state is CashState.OPEN else {}
        return CashSeen(held.state, pay=pay)

    def _fault(self, call: str) -> str:
        self.calls.append(call)
        waiting = self.faults.get(call, [])
        return waiting.pop(0) if waiting else ""
