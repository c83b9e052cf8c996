"""Commands, views and refusals of paying a bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.codes.contracts import Authority, CodeKind, IdCardReading, Purpose
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale, Refusal, Retry, Seconds
from backend.kernel.money import Fen, Quantity, UnitPrice
from backend.kernel.states import StateTable
from backend.people.contracts import EnrolmentView, PersonView
from backend.settlement.contracts import Outcome


class BillState(StrEnum):
    """States of a bill. Expiry is a matter of the clock and no state of its own."""

    PRESETTLED = "PRESETTLED"
    AWAITING_CONFIRMATION = "AWAITING_CONFIRMATION"
    CONFIRMED = "CONFIRMED"
    LOCKED = "LOCKED"
    """A payment order collects the patient's cash; funds and account stand by until it has."""
    REFUSED = "REFUSED"
    SUPERSEDED = "SUPERSEDED"
    SETTLED = "SETTLED"
    REVERSED = "REVERSED"


class BillEvent(StrEnum):
    """What can happen to a bill."""

    CONFIRM = "CONFIRM"
    REFUSE = "REFUSE"
    SUPERSEDE = "SUPERSEDE"
    LOCK = "LOCK"
    RELEASE = "RELEASE"
    SETTLE = "SETTLE"
    REVERSE = "REVERSE"


BILL_STATES: StateTable[BillState, BillEvent] = StateTable(
    name="bill",
    title="结算单 the bill",
    initial=(BillState.PRESETTLED, BillState.AWAITING_CONFIRMATION),
    moves={
        (BillState.PRESETTLED, BillEvent.SETTLE): BillState.SETTLED,
        (BillState.PRESETTLED, BillEvent.CONFIRM): BillState.CONFIRMED,
        (BillState.PRESETTLED, BillEvent.REFUSE): BillState.REFUSED,
        (BillState.PRESETTLED, BillEvent.SUPERSEDE): BillState.SUPERSEDED,
        (BillState.AWAITING_CONFIRMATION, BillEvent.CONFIRM): BillState.CONFIRMED,
        (BillState.AWAITING_CONFIRMATION, BillEvent.REFUSE): BillState.REFUSED,
        (BillState.AWAITING_CONFIRMATION, BillEvent.SUPERSEDE): BillState.SUPERSEDED,
        (BillState.CONFIRMED, BillEvent.SETTLE): BillState.SETTLED,
        (BillState.CONFIRMED, BillEvent.REFUSE): BillState.REFUSED,
        (BillState.CONFIRMED, BillEvent.SUPERSEDE): BillState.SUPERSEDED,
        (BillState.PRESETTLED, BillEvent.LOCK): BillState.LOCKED,
        (BillState.CONFIRMED, BillEvent.LOCK): BillState.LOCKED,
        (BillState.LOCKED, BillEvent.RELEASE): BillState.CONFIRMED,
        (BillState.LOCKED, BillEvent.SETTLE): BillState.SETTLED,
        (BillState.SETTLED, BillEvent.REVERSE): BillState.REVERSED,
    },
)


class Payer(StrEnum):
    """Who can pay at a till."""

    FUND = "FUND"
    ACCOUNT = "ACCOUNT"
    CASH = "CASH"


class PayerReason(StrEnum):
    """Why a payer can or cannot pay here."""

    USABLE = "USABLE"
    STATUS = "STATUS"
    BENEFITS_PAUSED = "BENEFITS_PAUSED"
    NOT_PAID_AWAY = "NOT_PAID_AWAY"
    NOT_POOLING_PLACE = "NOT_POOLING_PLACE"
    PLACE_NOT_COVERED = "PLACE_NOT_COVERED"
    LIMIT_USED_UP = "LIMIT_USED_UP"
    NOT_INSURED = "NOT_INSURED"
    RULE_NOT_LOADED = "RULE_NOT_LOADED"
    NO_ACCOUNT = "NO_ACCOUNT"
    ACCOUNT_EMPTY = "ACCOUNT_EMPTY"


@dataclass(frozen=True)
class PayerView:
    """Whether a payer can pay here, why, and how much is left of it."""

    payer: Payer
    usable: bool
    reason: PayerReason
    left_fen: Fen | None


@dataclass(frozen=True)
class ScanCode:
    """A terminal scans a code."""

    actor: Actor
    text: str
    purpose: Purpose
    request_id: str


@dataclass(frozen=True)
class ScannedCode:
    """Whom the code is about, what can pay here, and the token for this terminal and purpose."""

    token: str
    expires_at: datetime
    purpose: Purpose
    person: PersonView
    enrolments: tuple[EnrolmentView, ...]
    paying_enrolment_id: str | None
    payers: tuple[PayerView, ...]


@dataclass(frozen=True)
class ResolveCode:
    """A till has scanned a code of any kind, or read an identity card, or both."""

    actor: Actor
    text: str
    card: IdCardReading | None
    purpose: Purpose
    request_id: str
    face_check_id: str = ""
    """A check of the holder's face that was begun for this code at this terminal, in place of the card."""


@dataclass(frozen=True)
class BeginTillFace:
    """The holder of an identity code would show the face at the till instead of an identity card."""

    actor: Actor
    text: str
    request_id: str


@dataclass(frozen=True)
class ResolvedCode:
    """Whose code it is and who says so.

    ``confirmed``: an identity card was read and is the same person's. ``scanned`` is there where the till
    may go on: for a unified code, and for any other whose holder was confirmed; then no account pays.
    """

    kind: CodeKind
    authority: Authority
    person: PersonView
    confirmed: bool
    scanned: ScannedCode | None


@dataclass(frozen=True)
class BasketLine:
    """A line as the till sends it. ``split`` marks a pack sold in parts (拆零).

    ``local_code`` is the institution's own code where ``code`` is empty; the matched national item counts.
    A negative quantity takes back what another line of the bill charged. ``restriction_met`` tells
    whether the item's restricted indication fits, ``None`` where it has none.
    """

    code: str
    quantity: Quantity
    unit_price: UnitPrice
    trace_codes: tuple[str, ...] = ()
    split: bool = False
    local_code: str = ""
    restriction_met: bool | None = None
    served_on: date | None = None


@dataclass(frozen=True)
class Presettle:
    """A terminal asks what a basket costs whom. Nothing is booked.

    ``disease`` names a listed disease (门诊慢特病). For a stay, ``stay_id`` stands in place of ``token``;
    ``until`` is the last day of the stretch that is settled, ``discharge`` that it is the last one, and
    ``instalments`` in how many a pay-later debt is paid.
    """

    actor: Actor
    token: str
    lines: tuple[BasketLine, ...]
    use_account: bool
    enrolment_id: str | None
    request_id: str
    disease: str = ""
    emergency: bool = False
    package: str = ""
    package_days: int = 0
    stay_id: str | None = None
    until: date | None = None
    discharge: bool = False
    instalments: int = 0


@dataclass(frozen=True)
class DecideBill:
    """A patient confirms or refuses a bill on the phone."""

    actor: Actor
    bill_id: str
    accept: bool
    request_id: str


@dataclass(frozen=True)
class Settle:
    """A terminal books a bill. It sends no amounts: they are those of the bill."""

    actor: Actor
    bill_id: str
    request_id: str


@dataclass(frozen=True)
class ReportNotMe:
    """A person says that a settlement was not theirs."""

    actor: Actor
    settlement_id: str
    words: str
    request_id: str


@dataclass(frozen=True)
class MisuseView:
    """A report of misuse: the account is frozen, other devices are signed out, it goes to supervision."""

    id: str
    settlement_id: str
    person_id: str
    reported_at: datetime
    words: str


@dataclass(frozen=True)
class ReverseSettlement:
    """An institution takes back a settlement of the same day."""

    actor: Actor
    settlement_id: str
    reason: str
    request_id: str


class ConfirmReason(StrEnum):
    """Why a bill waits for the phone."""

    ABOVE_LIMIT = "ABOVE_LIMIT"
    OTHER_PLACE = "OTHER_PLACE"
    SERIES = "SERIES"
    VALUABLES = "VALUABLES"
    """A second costly item within a day: the phone may say yes only after a while."""
    SUPERVISED = "SUPERVISED"
    """A monitoring rule holds it: an inspector looks at it, beside the phone's yes."""

    def text(self, locale: Locale) -> str:
        """Return it in words."""
        return _CONFIRM_REASONS[self.value][0 if locale is Locale.ZH else 1]


_CONFIRM_REASONS = {
    "SUPERVISED": ("本单触发了监管规则，需要核查", "a monitoring rule holds it for a look"),
    "ABOVE_LIMIT": ("超过患者设置的确认限额", "it is above the patient's limit"),
    "OTHER_PLACE": (
        "患者的码刚刚在另一地区被扫描过",
        "the code was scanned in another area just now",
    ),
    "SERIES": (
        "短时间内多次小额购药",
        "there were many small purchases within a short time",
    ),
    "VALUABLES": (
        "一天内再次购买贵重药品",
        "it is another costly item within a day",
    ),
}


@dataclass(frozen=True)
class CoolingDown(Refusal):
    """A second costly item within a day waits a while, so that whoever was talked into it can think."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "一天内再次购买贵重药品需要冷静等待，请在{retry_after_seconds}后再确认。"
    en = "Another costly item within a day waits; confirm it in {retry_after_seconds}."
    next_zh = (
        "如有人让您代刷、刷药返现，请立即拒绝并冻结账户，拨打12393；本人需要的，到时再确认即可。"
    )
    next_en = "If somebody asked you to buy it for them, refuse, freeze the account and call 12393."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class BillView:
    """A bill with its pricing."""

    id: str
    state: BillState
    purpose: Purpose
    institution: InstitutionView
    person: PersonView
    enrolment_id: str
    created_at: datetime
    expires_at: datetime
    confirm_above_fen: Fen
    confirm_reason: ConfirmReason | None
    outcome: Outcome
    settlement_id: str | None


@dataclass(frozen=True)
class BasketEmpty(Refusal):
    """The basket holds no line."""

    zh = "结算清单是空的。"
    en = "The basket is empty."
    next_zh = "请录入至少一个项目后再结算。"
    next_en = "Enter at least one item."


@dataclass(frozen=True)
class TooManyLines(Refusal):
    """The basket holds more lines than one bill may."""

    zh = "一张结算单最多{maximum}行，本单有{lines}行。"
    en = "A bill holds at most {maximum} lines; this one has {lines}."
    next_zh = "请分成几张结算单。"
    next_en = "Split it into several bills."
    lines: int
    maximum: int


@dataclass(frozen=True)
class QuantityInvalid(Refusal):
    """A quantity is zero, negative, absurdly large, or a fraction of a pack not sold in parts."""

    zh = "第{line_numbers}行的数量不正确：须大于0且不超过{maximum}，整盒销售须为整数。"
    en = "The quantity on lines {line_numbers} must be above 0, at most {maximum}, whole packs."
    next_zh = "请更正数量；拆零销售请标记“拆零”。"
    next_en = "Correct the quantity; mark a pack that is sold in parts."
    line_numbers: tuple[int, ...]
    maximum: int


@dataclass(frozen=True)
class PriceInvalid(Refusal):
    """A unit price is zero, negative or absurdly high."""

    zh = "第{line_numbers}行的单价不正确：须大于0且不超过{maximum_yuan}元。"
    en = "The unit price on lines {line_numbers} must be above 0 and at most CNY {maximum_yuan}."
    next_zh = "请更正单价后重新结算。"
    next_en = "Correct the price and price the bill again."
    line_numbers: tuple[int, ...]
    maximum_yuan: int


@dataclass(frozen=True)
class ItemNotInCatalogue(Refusal):
    """A code is in no catalogue of the day."""

    zh = "第{line_numbers}行的编码不在医保目录编码库中：{codes}。"
    en = "Lines {line_numbers} carry codes that no catalogue of today holds: {codes}."
    next_zh = "请核对国家医保编码；未编码的商品请移出本单，由患者自费。"
    next_en = "Check the national code, or take the item off the bill and sell it for cash."
    line_numbers: tuple[int, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True)
class ItemNotSoldHere(Refusal):
    """A pharmacy's bill holds something that is no drug."""

    zh = "第{line_numbers}行不是药品，药店不能结算。"
    en = "Lines {line_numbers} are no drugs; a pharmacy cannot settle them."
    next_zh = "请把诊疗项目和服务设施移出本单。"
    next_en = "Take treatments and facilities off the bill."
    line_numbers: tuple[int, ...]


@dataclass(frozen=True)
class TraceCodesWrong(Refusal):
    """Trace codes are missing, malformed, given twice, or not one for each pack."""

    zh = "第{line_numbers}行的追溯码不齐：每盒一码，不得重复、缺少或有误。"
    en = "Trace codes on lines {line_numbers}: one for each pack, none twice, none malformed."
    next_zh = "请逐盒扫描追溯码后重新结算。"
    next_en = "Scan the code of every pack and price the bill again."
    line_numbers: tuple[int, ...]


@dataclass(frozen=True)
class NotInsured(Refusal):
    """The person has no enrolment on this day, or not the one that was asked for."""

    zh = "未查到患者今天可用的参保记录。"
    en = "The patient has no enrolment that could be used today."
    next_zh = "请患者自费，并在APP“参保信息”中核对或到参保地经办机构咨询。"
    next_en = "The patient pays in cash and checks the enrolment in the app or at a counter."


@dataclass(frozen=True)
class BillNotFound(Refusal):
    """There is no such bill for the caller."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这张结算单，或它不属于您。"
    en = "There is no such bill, or it is not yours."
    next_zh = "请核对单号。"
    next_en = "Check the number."


@dataclass(frozen=True)
class BillExpired(Refusal):
    """The bill's time ran out before it was decided or booked."""

    zh = "结算单已于{expired_at}过期，没有扣款。"
    en = "The bill expired at {expired_at}; nothing was charged."
    next_zh = "请收银员重新预结算。"
    next_en = "Price the basket again."
    expired_at: datetime


@dataclass(frozen=True)
class BillNotOpen(Refusal):
    """The bill is past the state in which this can happen."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "结算单的状态是“{state}”，不能进行这一步。"
    en = "The bill is {state}; this step is not possible any more."
    next_zh = "请查看结算单的最新状态。"
    next_en = "Look at the bill as it stands now."
    state: str


@dataclass(frozen=True)
class BillRefused(Refusal):
    """The patient refused the bill on the phone."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "患者已在手机上拒绝这笔结算。"
    en = "The patient refused this bill on the phone."
    next_zh = "请与患者核对清单；需要时重新预结算。"
    next_en = "Go through the list with the patient and price it again if need be."


@dataclass(frozen=True)
class PatientMustConfirm(Refusal):
    """The bill waits for the phone: above the patient's limit, or unusual."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "本单总额{total_fen}，{why}，正在等待患者在手机上确认。"
    en = "The total is {total_fen}; the phone has to confirm, because {why}."
    next_zh = "请患者打开手机确认，然后再次结算。"
    next_en = "Ask the patient to confirm on the phone, then settle again."
    total_fen: Fen
    confirm_above_fen: Fen
    why: ConfirmReason


@dataclass(frozen=True)
class PaymentUnderWay(Refusal):
    """A payment order of the same person has funds and account stand by; nothing else is booked."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "患者有一笔支付正在进行，最迟{until}有结果。"
    en = "A payment of the same patient is under way; it is decided by {until}."
    next_zh = "请稍候再试；患者也可在手机上取消那笔支付。"
    next_en = "Try again in a moment; the patient can also cancel it on the phone."
    until: datetime


@dataclass(frozen=True)
class BillOutdated(Refusal):
    """Balance, limits or terms changed since the bill was priced."""

    zh = (
        "预结算之后账户或年度累计有变化：统筹基金{fund_before_fen}变为{fund_now_fen}，"
        "个人账户{account_before_fen}变为{account_now_fen}，"
        "现金{cash_before_fen}变为{cash_now_fen}。没有扣款。"
    )
    en = (
        "Balance or limits changed since: fund {fund_before_fen}, now {fund_now_fen}; account "
        "{account_before_fen}, now {account_now_fen}; cash {cash_before_fen}, now {cash_now_fen}."
    )
    next_zh = "请重新预结算，并告知患者新的金额。"
    next_en = "Price the basket again and tell the patient the new amount."
    fund_before_fen: Fen
    fund_now_fen: Fen
    account_before_fen: Fen
    account_now_fen: Fen
    cash_before_fen: Fen
    cash_now_fen: Fen


@dataclass(frozen=True)
class SettlementNotFound(Refusal):
    """There is no such settlement of this institution."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "本机构没有这笔结算。"
    en = "This institution has no such settlement."
    next_zh = "请核对结算编号；其他机构的结算请联系原机构。"
    next_en = "Check the number; another institution's settlement is reversed there."


@dataclass(frozen=True)
class AlreadyReversed(Refusal):
    """The settlement was reversed before, or is a reversal itself."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这笔结算已经撤销过，不能再次撤销。"
    en = "This settlement has been reversed already."
    next_zh = "请查看撤销记录。"
    next_en = "Look at the reversal."
    reversal_id: str


@dataclass(frozen=True)
class ReversalTooLate(Refusal):
    """A till reverses on the day of the settlement only."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "只能在结算当天（{settled_on}）由收银台撤销。"
    en = "A till reverses only on the day of the settlement, {settled_on}."
    next_zh = "请走退费申请流程，由医保经办机构办理。"
    next_en = "Ask the agency for a refund instead."
    settled_on: date
