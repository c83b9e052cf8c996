"""Commands, views and refusals of family funds and the wallet.

Whose money pays is one grant, who acts is another: a share lets a relative's own part be paid from the
giver's account when the relative shows their own code; it opens nothing of the giver's to the relative.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry, Seconds
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.proxies.contracts import Relation


class ShareEnd(StrEnum):
    """Who ended a share."""

    GIVER = "GIVER"
    USER = "USER"
    AGENCY = "AGENCY"


class ShareStanding(StrEnum):
    """Whether a share pays today."""

    IN_FORCE = "IN_FORCE"
    RESTS = "RESTS"
    """The giver's or the user's insurance is not in force; it comes back with it."""
    ENDED = "ENDED"
    """Ended by either, or one of them has died."""


class TransferState(StrEnum):
    """States of a transfer between wallets."""

    SENT = "SENT"
    RECEIVED = "RECEIVED"
    RETURNED = "RETURNED"


class TransferEvent(StrEnum):
    """What can happen to a transfer."""

    RECEIVE = "RECEIVE"
    TAKE_BACK = "TAKE_BACK"
    DECLINE = "DECLINE"
    LAPSE = "LAPSE"


TRANSFER_STATES: StateTable[TransferState, TransferEvent] = StateTable(
    name="transfer",
    title="医保钱包转账 a transfer between wallets",
    initial=(TransferState.SENT,),
    moves={
        (TransferState.SENT, TransferEvent.RECEIVE): TransferState.RECEIVED,
        (TransferState.SENT, TransferEvent.TAKE_BACK): TransferState.RETURNED,
        (TransferState.SENT, TransferEvent.DECLINE): TransferState.RETURNED,
        (TransferState.SENT, TransferEvent.LAPSE): TransferState.RETURNED,
    },
)


class SharingProblem(StrEnum):
    """Which condition of sharing or transferring is not met."""

    ONESELF = "ONESELF"
    NO_PROMISE = "NO_PROMISE"
    RELATION = "RELATION"
    NO_ACCOUNT = "NO_ACCOUNT"
    NOT_INSURED = "NOT_INSURED"
    RELATIVE_NOT_INSURED = "RELATIVE_NOT_INSURED"
    OTHER_AREA = "OTHER_AREA"
    ALREADY = "ALREADY"
    AMOUNT = "AMOUNT"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "ONESELF": ("对方就是您本人", "it is yourself"),
    "NO_PROMISE": ("没有承诺亲属关系属实", "the kinship was not promised to be true"),
    "RELATION": (
        "这种亲属关系不在规定范围内",
        "this kinship is not among those that the rule names",
    ),
    "NO_ACCOUNT": (
        "您没有职工医保个人账户",
        "you have no personal account of employees' insurance",
    ),
    "NOT_INSURED": ("您的参保状态不正常", "your insurance is not in force"),
    "RELATIVE_NOT_INSURED": (
        "对方没有正常参加基本医保",
        "the relative's basic insurance is not in force",
    ),
    "OTHER_AREA": ("双方参保地不在规定范围内", "the two are insured too far apart for the rule"),
    "ALREADY": ("已经与这位亲属共济", "there is such a share already"),
    "AMOUNT": ("金额必须大于零", "the amount must be above zero"),
}


@dataclass(frozen=True)
class GiveShare:
    """A person lets a near relative's own part be paid from the person's account."""

    actor: Actor
    relative_name: str
    relative_id_number: str
    relation: Relation
    promise: bool
    request_id: str
    limit_fen: Fen | None = None
    """The most for one payment; ``None``: what the account has."""


@dataclass(frozen=True)
class LimitShare:
    """A giver says what a share pays of one payment at most; ``None``: what the account has."""

    actor: Actor
    share_id: str
    limit_fen: Fen | None


@dataclass(frozen=True)
class EndShare:
    """Giver or user ends a share, at once."""

    actor: Actor
    share_id: str


@dataclass(frozen=True)
class OpenWallet:
    """A person opens the wallet, by which relatives' money can reach them."""

    actor: Actor


@dataclass(frozen=True)
class SendMoney:
    """A person sends account money to the wallet of a near relative."""

    actor: Actor
    relative_name: str
    relative_id_number: str
    relation: Relation
    amount_fen: Fen
    promise: bool
    request_id: str


@dataclass(frozen=True)
class DecideTransfer:
    """The relative takes a transfer or declines it, or its sender takes it back."""

    actor: Actor
    transfer_id: str
    event: TransferEvent


@dataclass(frozen=True)
class ShareView:
    """A share, the names masked."""

    id: str
    giver_id: str
    user_id: str
    giver_name: str
    user_name: str
    relation: Relation
    """What the user is to the giver."""
    given_at: datetime
    standing: ShareStanding
    limit_fen: Fen | None


@dataclass(frozen=True)
class TransferView:
    """A transfer, the names masked."""

    id: str
    sender_name: str
    receiver_name: str
    sent_by_me: bool
    amount_fen: Fen
    state: TransferState
    sent_at: datetime
    due_at: datetime
    """It can be received before this; at it the money goes back."""
    done_at: datetime | None


@dataclass(frozen=True)
class WalletView:
    """A wallet: its money, and what can still be sent today."""

    person_id: str
    open: bool
    balance_fen: Fen
    sends_left_today: int
    most_each_fen: Fen
    closed_now: bool
    provisional: bool


@dataclass(frozen=True)
class TransitFault:
    """Where the ledger and the transfers contradict each other."""

    person_id: str
    ledger_fen: Fen
    transfers_fen: Fen


@dataclass(frozen=True)
class Purse:
    """An account that may pay for somebody: whose, and how much of it may go now."""

    giver_id: str
    enrolment_id: str
    left_fen: Fen


@dataclass(frozen=True)
class SharingNotPossible(Refusal):
    """A condition of the rule is not met; the refusal names it."""

    zh = "暂时不能办理：{problem}。"
    en = "This is not possible: {problem}."
    next_zh = "请核对后重试；有疑问请拨打12393或到经办窗口办理。"
    next_en = "Check it and try again; ask 12393 or come to a counter."
    problem: SharingProblem


@dataclass(frozen=True)
class TooManyShares(Refusal):
    """The account is shared with as many as the rule allows."""

    zh = "您的账户已与{maximum}位亲属共济，达到上限。"
    en = "Your account is shared with {maximum} relatives already, which is the most."
    next_zh = "可先结束一项共济，再添加新的亲属。"
    next_en = "End one share, then add another relative."
    maximum: int


@dataclass(frozen=True)
class ShareNotFound(Refusal):
    """There is no such share of the caller's that could be ended."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这项共济，或它已经结束。"
    en = "There is no such share, or it is over."
    next_zh = "请刷新列表。"
    next_en = "Look at the list again."


@dataclass(frozen=True)
class WalletNotOpen(Refusal):
    """The sender's or the receiver's wallet is not open."""

    zh = "{name}还没有开通医保钱包。"
    en = "{name} has opened no wallet yet."
    next_zh = "请先由其本人在应用中开通医保钱包。"
    next_en = "They open it in the app first."
    name: str


@dataclass(frozen=True)
class WalletClosed(Refusal):
    """No transfers are taken at night."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "每日{closes}时至次日{opens}时不办理转账。"
    en = "No transfers are taken from {closes}:00 to {opens}:00."
    next_zh = "请在{retry_after_seconds}后再试；金额和收款人不用重新填写。"
    next_en = "Try again in {retry_after_seconds}; nothing needs to be entered anew."
    closes: int
    opens: int
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class TooManyTransfers(Refusal):
    """As many transfers as a day allows were sent today."""

    zh = "今天已转账{maximum}笔，达到每日上限。"
    en = "{maximum} transfers were sent today, which is the most."
    next_zh = "请明天再转。"
    next_en = "Send it tomorrow."
    maximum: int


@dataclass(frozen=True)
class TransferTooLarge(Refusal):
    """One transfer is above the rule's limit."""

    zh = "每笔最多转{maximum_fen}。"
    en = "One transfer is at most {maximum_fen}."
    next_zh = "请分笔或减少金额。"
    next_en = "Send less, or in parts."
    maximum_fen: Fen


@dataclass(frozen=True)
class NotEnoughMoney(Refusal):
    """The account holds less than what was to be sent."""

    zh = "个人账户余额不足，现有{left_fen}。"
    en = "The account holds {left_fen}, which is not enough."
    next_zh = "请减少金额后重试。"
    next_en = "Send less."
    left_fen: Fen


@dataclass(frozen=True)
class TransferNotFound(Refusal):
    """There is no such open transfer of the caller's; it was received, went back, or is past its time."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这笔待处理的转账，可能已收取或已退回。"
    en = "There is no such open transfer; it was received or went back."
    next_zh = "请刷新转账记录查看结果。"
    next_en = "Look at the list of transfers."
