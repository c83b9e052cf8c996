"""Commands, states, views and refusals of payment orders, and what a cash channel is to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.people.contracts import PersonView


class ChannelName(StrEnum):
    """Through whom the patient's cash is collected."""

    WECHAT = "WECHAT"
    UNIONPAY = "UNIONPAY"
    CREDIT = "CREDIT"
    """A bank's credit for care (信用就医): the bank pays now, the patient pays the bank later."""


class OrderState(StrEnum):
    """Where a payment order stands."""

    INSURANCE_LOCKED = "INSURANCE_LOCKED"
    """Funds and account stand by; the channel has not been asked for the cash yet."""
    CASH_PENDING = "CASH_PENDING"
    """The channel waits for the patient to pay."""
    QUERYING = "QUERYING"
    """Whether cash was taken is unknown; the channel is asked until it says so."""
    PAID = "PAID"
    """The cash is there, or none was due; the insurance is booked next."""
    SETTLED = "SETTLED"
    TOLD = "TOLD"
    """Settled, and the institution's system has taken note."""
    RELEASED = "RELEASED"
    """No cash was taken, and the insurance has let go."""
    RETURNING = "RETURNING"
    """Cash was taken that is not due; it is on its way back."""
    RETURN_FAILED = "RETURN_FAILED"
    """The channel could not give it back; a person sees to it."""
    RETURNED = "RETURNED"
    PART_RETURNED = "PART_RETURNED"
    """A part of the settlement was taken back and its cash given back; the rest stands."""


class OrderEvent(StrEnum):
    """What can happen to a payment order."""

    ASK = "ASK"
    LOSE_SIGHT = "LOSE_SIGHT"
    FIND_OPEN = "FIND_OPEN"
    PAY = "PAY"
    GIVE_UP = "GIVE_UP"
    SETTLE = "SETTLE"
    REFUSE = "REFUSE"
    TELL = "TELL"
    PAY_LATE = "PAY_LATE"
    TAKE_BACK = "TAKE_BACK"
    RETURN = "RETURN"
    RETURN_PART = "RETURN_PART"
    FAIL_RETURN = "FAIL_RETURN"
    TRY_AGAIN = "TRY_AGAIN"


_S, _E = OrderState, OrderEvent
ORDER_STATES: StateTable[OrderState, OrderEvent] = StateTable(
    name="order",
    title="支付单 the payment order",
    initial=(_S.INSURANCE_LOCKED,),
    moves={
        (_S.INSURANCE_LOCKED, _E.ASK): _S.CASH_PENDING,
        (_S.INSURANCE_LOCKED, _E.LOSE_SIGHT): _S.QUERYING,
        (_S.INSURANCE_LOCKED, _E.PAY): _S.PAID,
        (_S.INSURANCE_LOCKED, _E.GIVE_UP): _S.RELEASED,
        (_S.CASH_PENDING, _E.LOSE_SIGHT): _S.QUERYING,
        (_S.CASH_PENDING, _E.PAY): _S.PAID,
        (_S.CASH_PENDING, _E.GIVE_UP): _S.RELEASED,
        (_S.QUERYING, _E.FIND_OPEN): _S.CASH_PENDING,
        (_S.QUERYING, _E.PAY): _S.PAID,
        (_S.QUERYING, _E.GIVE_UP): _S.RELEASED,
        (_S.PAID, _E.SETTLE): _S.SETTLED,
        (_S.PAID, _E.REFUSE): _S.RETURNING,
        (_S.SETTLED, _E.TELL): _S.TOLD,
        (_S.SETTLED, _E.TAKE_BACK): _S.RETURNING,
        (_S.TOLD, _E.TAKE_BACK): _S.RETURNING,
        (_S.RELEASED, _E.PAY_LATE): _S.RETURNING,
        (_S.RETURNING, _E.RETURN): _S.RETURNED,
        (_S.RETURNING, _E.FAIL_RETURN): _S.RETURN_FAILED,
        (_S.RETURN_FAILED, _E.TRY_AGAIN): _S.RETURNING,
        (_S.RETURN_FAILED, _E.RETURN): _S.RETURNED,
        (_S.RETURNING, _E.RETURN_PART): _S.PART_RETURNED,
        (_S.RETURN_FAILED, _E.RETURN_PART): _S.PART_RETURNED,
        (_S.PART_RETURNED, _E.TAKE_BACK): _S.RETURNING,
    },
)
WAITS_FOR_CASH = (_S.INSURANCE_LOCKED, _S.CASH_PENDING, _S.QUERYING)
"""States in which insurance stands by and it is not decided whether cash comes."""

STANDS = (_S.SETTLED, _S.TOLD, _S.PART_RETURNED)
"""States in which the settlement has all of the cash that the channel kept."""

FINAL = (*STANDS, _S.RELEASED, _S.RETURNED)
"""States in which both ledgers are done, unless an institution takes a settlement back."""


class Why(StrEnum):
    """Why an order did not come to a settlement, or did not stay one."""

    CANCELLED = "CANCELLED"
    """The patient took it back."""
    OUT_OF_TIME = "OUT_OF_TIME"
    """Nobody paid in time."""
    CHANNEL_REFUSED = "CHANNEL_REFUSED"
    """The channel did not take the order."""
    PAID_TOO_LATE = "PAID_TOO_LATE"
    """The cash came after the insurance had let go."""
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    """The channel took another amount than was asked for."""
    INSURANCE_REFUSED = "INSURANCE_REFUSED"
    """The cash was there, and the insurance could not be booked as it was promised."""
    TAKEN_BACK = "TAKEN_BACK"
    """The institution took the settlement back."""
    PART_TAKEN_BACK = "PART_TAKEN_BACK"
    """The institution took a part of the settlement back; the rest was settled anew."""


@dataclass(frozen=True)
class PayBill:
    """Somebody pays a bill from the phone: insurance, account and cash in one. Sends no amounts."""

    actor: Actor
    bill_id: str
    channel: ChannelName
    request_id: str


class DebtPart(StrEnum):
    """How much of a debt is paid."""

    DUE = "DUE"
    """What is overdue, else the next instalment."""
    ALL = "ALL"


@dataclass(frozen=True)
class PayDebt:
    """Somebody pays a debt of 先诊疗后付费 from the phone. Sends no amounts."""

    actor: Actor
    debt_id: str
    part: DebtPart
    channel: ChannelName
    request_id: str


@dataclass(frozen=True)
class CancelOrder:
    """Somebody does not want to pay after all."""

    actor: Actor
    order_id: str
    request_id: str


@dataclass(frozen=True)
class TakeNote:
    """An institution's system has taken note that an order is settled, or has come to nothing."""

    actor: Actor
    order_id: str
    request_id: str


@dataclass(frozen=True)
class OrderStep:
    """Something that happened to an order."""

    at: datetime
    event: OrderEvent
    state: OrderState
    words: str


@dataclass(frozen=True)
class OrderView:
    """A payment order with both halves.

    ``pay``: what the phone hands to the channel's own app, empty unless it waits for the patient. ``debt_id``:
    the debt that it pays, in place of the bill. ``by_agreement``: nobody is asked to pay in the channel's app.
    ``return_by``: the promised day by which cash is back. Amounts are those of the bill.
    """

    id: str
    number: str
    state: OrderState
    why: Why | None
    words: str
    channel: ChannelName
    bill_id: str
    person: PersonView
    institution: InstitutionView
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen
    returned_fen: Fen
    created_at: datetime
    pay_until: datetime
    paid_at: datetime | None
    trade_number: str
    settlement_id: str | None
    return_by: date | None
    pay: Mapping[str, str]
    steps: tuple[OrderStep, ...]
    debt_id: str | None = None
    by_agreement: bool = False


@dataclass(frozen=True)
class CashOrder:
    """What a channel is asked to collect, beside what funds and accounts pay.

    ``agreement``: the number of the agreement by which it is collected at once; empty where the patient pays
    in the channel's own app. ``contract``: the channel's own name of that agreement.
    """

    number: str
    institution_code: str
    institution_name: str
    purpose: str
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen
    created_at: datetime
    pay_until: datetime
    for_relative: bool
    agreement: str = ""
    contract: str = ""


class CashState(StrEnum):
    """What a channel says of an order's cash."""

    OPEN = "OPEN"
    """It waits for the patient."""
    PAID = "PAID"
    CLOSED = "CLOSED"
    """It cannot be paid any more, and was not."""
    MISSING = "MISSING"
    """The channel has no such order."""
    REFUSED = "REFUSED"
    """The channel will not take the order, and says why."""
    UNKNOWN = "UNKNOWN"
    """No answer, or none that can be believed."""


@dataclass(frozen=True)
class CashSeen:
    """What a channel said of an order. ``pay``: what the phone needs to pay it."""

    state: CashState
    trade_number: str = ""
    paid_fen: Fen | None = None
    paid_at: datetime | None = None
    words: str = ""
    pay: Mapping[str, str] = field(default_factory=dict)


class ReturnState(StrEnum):
    """What a channel says of giving cash back."""

    DONE = "DONE"
    UNDER_WAY = "UNDER_WAY"
    MISSING = "MISSING"
    """The channel was never asked for it."""
    FAILED = "FAILED"
    """It was not given back, and will not be by waiting."""
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class ReturnSeen:
    """What a channel said of giving cash back."""

    state: ReturnState
    words: str = ""


class LineKind(StrEnum):
    """What a line of a channel's file is about."""

    PAID = "PAID"
    RETURNED = "RETURNED"


@dataclass(frozen=True)
class CashLine:
    """A line of a channel's file of a day: cash that was taken for an order, or given back.

    ``number`` is empty where the channel names a return by its own number alone.
    """

    kind: LineKind
    number: str
    amount_fen: Fen
    trade_number: str
    at: datetime
    return_number: str = ""


class DifferenceKind(StrEnum):
    """Where a channel's file and the orders do not agree."""

    PAID_THERE = "PAID_THERE"
    """The channel took cash, and the order does not know: it is told, and settles or gives it back."""
    PAID_HERE = "PAID_HERE"
    """The order counts as paid, and the channel's file has no line of it."""
    AMOUNT = "AMOUNT"
    """Both know of the cash, and name other amounts."""
    NO_ORDER = "NO_ORDER"
    """The channel's file names an order that there is not."""
    RETURNED_THERE = "RETURNED_THERE"
    """The channel gave cash back, and the order does not know."""
    RETURNED_HERE = "RETURNED_HERE"
    """The order counts as given back, and the channel's file has no line of it."""


class DifferenceState(StrEnum):
    """What became of a difference."""

    OPEN = "OPEN"
    """A person sees to it."""
    REPAIRED = "REPAIRED"
    """A rule saw to it: what the channel says was noted with the order."""
    CLOSED = "CLOSED"
    """A person has seen to it, in words."""


class DifferenceEvent(StrEnum):
    """What can happen to a difference."""

    CLOSE = "CLOSE"


DIFFERENCE_STATES: StateTable[DifferenceState, DifferenceEvent] = StateTable(
    name="difference",
    title="对账差异 a difference between a channel's file and the orders",
    initial=(DifferenceState.OPEN, DifferenceState.REPAIRED),
    moves={(DifferenceState.OPEN, DifferenceEvent.CLOSE): DifferenceState.CLOSED},
)


@dataclass(frozen=True)
class DifferenceView:
    """A difference. Amounts are ``None`` on the side that does not know of the cash."""

    id: str
    channel: ChannelName
    day: date
    kind: DifferenceKind
    state: DifferenceState
    number: str
    ours_fen: Fen | None
    theirs_fen: Fen | None
    words: str


@dataclass(frozen=True)
class DayView:
    """A day that was compared: what the channel took and gave back by its file, and what differed."""

    channel: ChannelName
    day: date
    taken_fen: Fen
    returned_fen: Fen
    lines: int
    differences: int
    done_at: datetime


class CashChannel(Protocol):
    """A cash channel. None of its calls raises; each may be repeated and has the same effect once."""

    def ask(self, order: CashOrder) -> CashSeen:
        """Have an order's cash collected."""
        ...

    def look(self, number: str) -> CashSeen:
        """Return what became of an order's cash."""
        ...

    def close(self, number: str) -> CashSeen:
        """Let an order not be paid any more; it may have been paid already."""
        ...

    def give_back(
        self, number: str, return_number: str, amount: Fen, cash: Fen, why: str
    ) -> ReturnSeen:
        """Give back an amount of an order's cash, all of which was ``cash``."""
        ...

    def look_at_return(self, return_number: str) -> ReturnSeen:
        """Return what became of giving back."""
        ...

    def file_of(self, day: date) -> Sequence[CashLine] | None:
        """Return everything that was taken and given back on a day, ``None`` while there is no file."""
        ...


@dataclass(frozen=True)
class OrderNotFound(Refusal):
    """There is no such order for the caller."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这笔支付，或它不属于您。"
    en = "There is no such payment, or it is not yours."
    next_zh = "请在“账单与退费”中查看。"
    next_en = "Look at your bills."


@dataclass(frozen=True)
class OrderNotOpen(Refusal):
    """The order is past the state in which this can happen."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这笔支付已经有结果，不能再取消。"
    en = "This payment is decided; it cannot be cancelled any more."
    next_zh = "已结算的请联系医院或药店退费。"
    next_en = "Ask the institution to take a settled one back."


@dataclass(frozen=True)
class PayAtCounter(Refusal):
    """A bill of a stay is paid at the hospital."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "住院费用请在医院窗口结清。"
    en = "A stay is paid at the hospital's counter."
    next_zh = "请到住院收费处办理。"
    next_en = "Go to the hospital's cash desk."


@dataclass(frozen=True)
class ChannelNotOffered(Refusal):
    """No cash can be collected through this channel here."""

    zh = "暂不支持这种支付方式。"
    en = "This way of paying is not offered here."
    next_zh = "请换一种支付方式，或在收银台支付。"
    next_en = "Choose another, or pay at the till."


@dataclass(frozen=True)
class CashOnItsWay(Refusal):
    """Cash of an earlier refund of the same payment is on its way back."""

    zh = "这笔支付上一次的退款还在路上，暂不能再退。"
    en = "Cash of an earlier refund of this payment is still on its way back."
    next_zh = "请待其到账后再办理；长时间未到账请联系经办机构。"
    next_en = "Wait until it is back; if it takes long, ask the agency."


@dataclass(frozen=True)
class DebtUnderWay(Refusal):
    """The debt is being paid already."""

    zh = "这笔欠款正在支付，请勿重复付款。"
    en = "The debt is being paid already."
    next_zh = "请完成或取消正在进行的支付；最迟{until}后可再试。"
    next_en = "Finish or cancel that payment, or try again after {until}."
    until: datetime
