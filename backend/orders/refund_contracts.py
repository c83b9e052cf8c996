"""Asking for a refund from the phone: commands, states, views and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen, Quantity
from backend.kernel.states import StateTable
from backend.people.contracts import PersonView


class RefundRequestState(StrEnum):
    """Where a request for a refund stands."""

    ASKED = "ASKED"
    GRANTED = "GRANTED"
    """The settlement is taken back; where a channel had the cash, its payment shows how it goes back."""
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"


class RefundRequestEvent(StrEnum):
    """What can happen to it."""

    GRANT = "GRANT"
    DECLINE = "DECLINE"
    WITHDRAW = "WITHDRAW"


_S, _E = RefundRequestState, RefundRequestEvent
REFUND_STATES: StateTable[RefundRequestState, RefundRequestEvent] = StateTable(
    name="refund",
    title="退费申请 a request for a refund",
    initial=(_S.ASKED,),
    moves={
        (_S.ASKED, _E.GRANT): _S.GRANTED,
        (_S.ASKED, _E.DECLINE): _S.DECLINED,
        (_S.ASKED, _E.WITHDRAW): _S.WITHDRAWN,
    },
)


@dataclass(frozen=True)
class PartLine:
    """How much of a line comes back."""

    number: int
    quantity: Quantity


@dataclass(frozen=True)
class AskRefund:
    """The patient, or who pays for them, asks for a settlement back: these lines of it, or all of it."""

    actor: Actor
    settlement_id: str
    words: str
    request_id: str
    lines: tuple[PartLine, ...] = ()


@dataclass(frozen=True)
class WithdrawRefund:
    """Whoever asked thinks better of it."""

    actor: Actor
    refund_id: str
    request_id: str


@dataclass(frozen=True)
class DecideRefund:
    """The institution grants a refund, which takes the settlement back, or says why not.

    ``packs``: trace codes of the packs that came back, where a part of the settlement is given back.
    """

    actor: Actor
    refund_id: str
    grant: bool
    words: str
    request_id: str
    packs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefundLines:
    """The institution takes lines of a settlement back of its own accord, whatever the settlement's day."""

    actor: Actor
    settlement_id: str
    lines: tuple[PartLine, ...]
    packs: tuple[str, ...]
    words: str
    request_id: str


@dataclass(frozen=True)
class NamedLine:
    """How much of which line comes back."""

    number: int
    name: str
    quantity: Quantity


@dataclass(frozen=True)
class RefundView:
    """A request. ``payment_id``: where the cash's way back is seen; ``None``: the window has it.

    ``lines``: what comes back, empty for all of it; ``rest_id``: the settlement of the rest. The amounts are
    what comes back: as reckoned when it was asked for, and as booked once it is granted.
    """

    id: str
    state: RefundRequestState
    settlement_id: str
    reversal_id: str | None
    rest_id: str | None
    lines: tuple[NamedLine, ...]
    payment_id: str | None
    institution: InstitutionView
    person: PersonView
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen
    words: str
    answer: str
    asked_at: datetime
    due_on: date
    overdue: bool


class RefundProblem(StrEnum):
    """Why a refund cannot be asked for."""

    TAKEN_BACK = "TAKEN_BACK"
    ASKED = "ASKED"
    TOO_LATE = "TOO_LATE"
    STAY = "STAY"
    MANUAL = "MANUAL"
    WORDS = "WORDS"
    LINES = "LINES"
    NO_PART = "NO_PART"
    PACKS = "PACKS"
    COSTS_MORE = "COSTS_MORE"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "TAKEN_BACK": ("这笔结算已撤销", "this settlement was taken back"),
    "ASKED": ("已经申请过，机构尚未答复", "it was asked for and is not answered yet"),
    "TOO_LATE": ("已超过可在手机上申请的期限", "the time in which the phone can ask is over"),
    "STAY": ("住院结算请到医院办理", "a stay is dealt with at the hospital"),
    "MANUAL": ("手工报销请向经办机构申请", "a manual claim is the agency's"),
    "WORDS": ("请写明原因，不超过200字", "say why, in at most 200 characters"),
    "LINES": (
        "所选项目或数量与结算明细不符，整盒药品须整盒退",
        "the lines or quantities are not the settlement's; whole packs come back whole",
    ),
    "NO_PART": (
        "这笔结算不能只退一部分，请整单退费",
        "of this settlement no part can be taken back, only the whole",
    ),
    "PACKS": (
        "请扫描退回的每一盒药品的追溯码，且须为本次结算售出",
        "scan the trace code of each pack that comes back; it must be of this settlement",
    ),
    "COSTS_MORE": (
        "退掉这部分后个人反而要多付，请整单退费后重新结算",
        "the rest would cost the patient more; take all of it back and settle again",
    ),
}


@dataclass(frozen=True)
class RefundNotPossible(Refusal):
    """A refund cannot be asked for, or decided about, like this."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "不能这样申请退费：{problem}。"
    en = "A refund cannot be asked for like this: {problem}."
    next_zh = "请到机构收费窗口办理，或在“账单与退费”查看已有申请。"
    next_en = "Ask at the institution's window, or look at what was asked for already."
    problem: RefundProblem


@dataclass(frozen=True)
class RefundNotFound(Refusal):
    """There is no such request for the caller, or it is decided."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这个退费申请，或它已有结果。"
    en = "There is no such request, or it is decided."
    next_zh = "请刷新后查看。"
    next_en = "Look again."
