"""免密支付协议: that a channel may collect a person's cash when their code is scanned, up to a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.orders.contracts import CashChannel, ChannelName


class AgreementState(StrEnum):
    """Where an agreement with a channel stands."""

    ASKED = "ASKED"
    """The patient has to agree in the channel's own app, or the bank looks at the application."""
    SIGNED = "SIGNED"
    DECLINED = "DECLINED"
    """The channel or the bank does not want it."""
    ENDING = "ENDING"
    """Nothing is collected by it any more; the channel is still to be told."""
    ENDED = "ENDED"


class AgreementEvent(StrEnum):
    """What can happen to it."""

    SIGN = "SIGN"
    DECLINE = "DECLINE"
    LAPSE = "LAPSE"
    END = "END"
    END_THERE = "END_THERE"
    NOTE_END = "NOTE_END"


_S, _E = AgreementState, AgreementEvent
AGREEMENT_STATES: StateTable[AgreementState, AgreementEvent] = StateTable(
    name="agreement",
    title="免密支付协议 an agreement to collect",
    initial=(_S.ASKED,),
    moves={
        (_S.ASKED, _E.SIGN): _S.SIGNED,
        (_S.ASKED, _E.DECLINE): _S.DECLINED,
        (_S.ASKED, _E.LAPSE): _S.ENDING,
        (_S.ASKED, _E.END): _S.ENDING,
        (_S.SIGNED, _E.END): _S.ENDING,
        (_S.SIGNED, _E.END_THERE): _S.ENDED,
        (_S.ENDING, _E.NOTE_END): _S.ENDED,
    },
)
LIVE = (_S.ASKED, _S.SIGNED)
"""States of which a person has at most one with a channel."""


class RepaymentState(StrEnum):
    """Where a repayment of credit stands."""

    ASKED = "ASKED"
    """The bank takes it from the patient's card with it."""
    DONE = "DONE"
    FAILED = "FAILED"


class RepaymentEvent(StrEnum):
    """What can happen to a repayment."""

    FINISH = "FINISH"
    FAIL = "FAIL"


REPAYMENT_STATES: StateTable[RepaymentState, RepaymentEvent] = StateTable(
    name="repayment",
    title="信用还款 a repayment of credit",
    initial=(RepaymentState.ASKED,),
    moves={
        (RepaymentState.ASKED, RepaymentEvent.FINISH): RepaymentState.DONE,
        (RepaymentState.ASKED, RepaymentEvent.FAIL): RepaymentState.FAILED,
    },
)


@dataclass(frozen=True)
class AskAgreement:
    """Somebody wants a channel to collect when their code is scanned, or applies for a bank's credit.

    ``consents``: they have read that the bank is given name, ID number and phone.
    """

    actor: Actor
    channel: ChannelName
    per_payment_fen: Fen
    per_day_fen: Fen
    consents: bool
    request_id: str


@dataclass(frozen=True)
class LimitAgreement:
    """Somebody sets how much is collected at most."""

    actor: Actor
    agreement_id: str
    per_payment_fen: Fen
    per_day_fen: Fen


@dataclass(frozen=True)
class EndAgreement:
    """Somebody wants nothing to be collected by it any more."""

    actor: Actor
    agreement_id: str


@dataclass(frozen=True)
class RepayCredit:
    """Somebody pays back to the bank all that is open of their credit. Sends no amounts."""

    actor: Actor
    agreement_id: str
    request_id: str


@dataclass(frozen=True)
class PayAtTill:
    """A till lets a bill be paid by the agreement of whoever showed the code: one scan for all of it.

    ``channels``: those that are offered now, in the order in which they are tried.
    """

    actor: Actor
    bill_id: str
    request_id: str
    channels: tuple[ChannelName, ...] = tuple(ChannelName)


@dataclass(frozen=True)
class CreditBill:
    """What the bank paid for somebody, and by when it wants it back."""

    number: str
    amount_fen: Fen
    open_fen: Fen
    due_on: date


@dataclass(frozen=True)
class CreditStanding:
    """What the bank says of somebody's credit. Amounts and days are the bank's own."""

    limit_fen: Fen
    open_fen: Fen
    overdue_fen: Fen
    bills: tuple[CreditBill, ...] = ()

    @property
    def left_fen(self) -> Fen:
        """Return what the credit can still pay."""
        return Fen(max(0, self.limit_fen - self.open_fen)) if not self.overdue_fen else Fen(0)


class AgreedState(StrEnum):
    """What a channel says of an agreement."""

    OPEN = "OPEN"
    SIGNED = "SIGNED"
    DECLINED = "DECLINED"
    ENDED = "ENDED"
    MISSING = "MISSING"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class AgreementSeen:
    """What a channel said of an agreement. ``contract``: its own name of it; ``pay``: what the phone needs."""

    state: AgreedState
    contract: str = ""
    words: str = ""
    pay: Mapping[str, str] = field(default_factory=dict)
    credit: CreditStanding | None = None


@dataclass(frozen=True)
class Applicant:
    """Who asks for an agreement, as far as the channel may know it."""

    name: str
    id_number: str
    phone: str


@dataclass(frozen=True)
class AgreementAsked:
    """What a channel is asked to agree to."""

    number: str
    per_payment_fen: Fen
    per_day_fen: Fen
    asked_at: datetime
    applicant: Applicant | None
    """Only for whom the person has consented to tell."""


class AgreeingChannel(CashChannel, Protocol):
    """A channel that can collect without the patient's presence. Its calls never raise."""

    def agree(self, asked: AgreementAsked) -> AgreementSeen:
        """Ask for an agreement; the same number is the same agreement."""
        ...

    def look_at_agreement(self, number: str) -> AgreementSeen:
        """Return what became of it."""
        ...

    def end_agreement(self, number: str) -> AgreementSeen:
        """End it; one that is not there counts as ended."""
        ...


class CreditChannel(AgreeingChannel, Protocol):
    """A bank that pays by credit and is paid back."""

    def repay(self, number: str, repayment: str, amount: Fen) -> RepaymentSeen:
        """Have the bank take an amount from the patient's card; the same repayment is taken once."""
        ...


@dataclass(frozen=True)
class RepaymentSeen:
    """What a bank said of a repayment; ``None``: it is not known."""

    state: RepaymentState | None
    words: str = ""


@dataclass(frozen=True)
class RepaymentView:
    """A repayment."""

    number: str
    state: RepaymentState
    amount_fen: Fen
    asked_at: datetime
    words: str


@dataclass(frozen=True)
class AgreementView:
    """An agreement. ``credit``: what the bank last said of it, and ``seen_at`` when."""

    id: str
    number: str
    channel: ChannelName
    state: AgreementState
    per_payment_fen: Fen
    per_day_fen: Fen
    asked_at: datetime
    signed_at: datetime | None
    sign_until: datetime
    words: str
    pay: Mapping[str, str]
    credit: CreditStanding | None
    seen_at: datetime | None
    repayments: tuple[RepaymentView, ...]


class AgreementProblem(StrEnum):
    """Why an agreement cannot be had or changed like this."""

    ALREADY = "ALREADY"
    LIMITS = "LIMITS"
    CONSENT = "CONSENT"
    CHILD = "CHILD"
    NOTHING_OPEN = "NOTHING_OPEN"
    UNDER_WAY = "UNDER_WAY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "ALREADY": ("您与该机构已有协议", "there is an agreement with it already"),
    "LIMITS": (
        "限额须大于零、每日不低于每笔，且不超过系统上限",
        "limits are above zero, the day's not below the payment's, and within the highest that is allowed",
    ),
    "CONSENT": (
        "须先阅读并同意向银行提供姓名、证件号码和手机号",
        "read and agree first that the bank is told name, ID number and phone",
    ),
    "CHILD": ("未满18周岁不能签约", "who is not yet 18 cannot sign"),
    "NOTHING_OPEN": ("没有待还的金额", "nothing is to be paid back"),
    "UNDER_WAY": ("上一笔还款正在处理", "an earlier repayment is being dealt with"),
}


@dataclass(frozen=True)
class CollectingNotPossible(Refusal):
    """An agreement cannot be had or changed like this."""

    zh = "不能办理：{problem}。"
    en = "This is not possible: {problem}."
    next_zh = "请修改后再提交，或在“我的协议”查看已有的。"
    next_en = "Change it and try again, or look at what there is."
    problem: AgreementProblem


@dataclass(frozen=True)
class AgreementNotFound(Refusal):
    """There is no such agreement of the caller's, or it has ended."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这份协议，或它已终止。"
    en = "There is no such agreement, or it has ended."
    next_zh = "请刷新后查看。"
    next_en = "Look again."


@dataclass(frozen=True)
class NoAgreement(Refusal):
    """Nobody may collect the cash without the patient."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "患者没有可用的免密支付协议，个人部分不能随码支付。"
    en = "The patient has no agreement by which the cash could be collected."
    next_zh = "请收取现金或刷卡后结算，或请患者在手机上支付。"
    next_en = "Take the cash and settle, or let the patient pay on the phone."


@dataclass(frozen=True)
class AboveAgreement(Refusal):
    """The cash is more than the patient lets be collected."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "个人部分{cash_fen}元超过患者设定的免密限额（目前可用{left_fen}元）。"
    en = "The cash of {cash_fen} yuan is more than may be collected now ({left_fen} yuan)."
    next_zh = "请收取现金或刷卡后结算，或请患者在手机上支付。"
    next_en = "Take the cash and settle, or let the patient pay on the phone."
    cash_fen: Fen
    left_fen: Fen


@dataclass(frozen=True)
class NothingToCollect(Refusal):
    """Funds and accounts pay all of the bill."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这张账单没有个人现金部分。"
    en = "There is no cash to collect for this bill."
    next_zh = "请直接结算。"
    next_en = "Settle it."
