"""Contributions, registration and transfer as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.people.contracts import PersonKind


class ContributionState(StrEnum):
    """Where a contribution stands."""

    DUE = "DUE"
    """It can be paid until its last day."""
    PAID = "PAID"
    LAPSED = "LAPSED"
    """Nobody paid it in time; another bill can be asked for."""


class ContributionEvent(StrEnum):
    """What can happen to a contribution."""

    PAY = "PAY"
    LAPSE = "LAPSE"
    ASK_AGAIN = "ASK_AGAIN"


_S, _E = ContributionState, ContributionEvent
CONTRIBUTION_STATES: StateTable[ContributionState, ContributionEvent] = StateTable(
    name="contribution",
    title="缴费 a contribution",
    initial=(_S.DUE, _S.PAID),
    moves={
        (_S.DUE, _E.PAY): _S.PAID,
        (_S.DUE, _E.LAPSE): _S.LAPSED,
        (_S.LAPSED, _E.ASK_AGAIN): _S.DUE,
    },
)


@dataclass(frozen=True)
class ContributionView:
    """What was, or is to be, paid for a month or a year of an enrolment.

    ``own_fen``: by the insured; ``others_fen``: by the employer, or the government for residents.
    ``payer``: the employer's name, empty for who pays alone. ``pay_url``: where a bill that is due is paid.
    ``repairs``: a year without insurance is paid back; nothing is covered by it.
    """

    enrolment_id: str
    starts: date
    ends: date
    state: ContributionState
    base_fen: Fen
    own_fen: Fen
    others_fen: Fen
    payer: str
    paid_on: date | None
    bill_number: str
    due_until: date | None
    reported_at: datetime
    pay_url: str
    repairs: bool = False


@dataclass(frozen=True)
class GapYear:
    """A year without insurance that can be paid back. ``state``: of its bill, ``None`` without one."""

    year: int
    state: ContributionState | None


@dataclass(frozen=True)
class GapView:
    """The years without insurance that somebody can pay back, and what that changes.

    ``months`` of waiting as paid back so far, ``months_least`` if all are, for which ``years_needed`` of
    them are enough; ``years_asked`` have been paid or have a bill. ``waits_since`` and ``benefits_from``
    are ``None`` until the year after the gap is paid.
    """

    enrolment_id: str
    years: tuple[GapYear, ...]
    months: int
    months_least: int
    years_needed: int
    years_asked: int
    waits_since: date | None
    benefits_from: date | None


@dataclass(frozen=True)
class ContributionInput:
    """A contribution as the authority reports that it was paid."""

    starts: date
    ends: date
    base_fen: Fen
    own_fen: Fen
    others_fen: Fen
    payer: str
    paid_on: date


@dataclass(frozen=True)
class PaidBill:
    """A line of the tax authority's file: a bill that was paid."""

    bill_number: str
    amount_fen: Fen
    paid_on: date
    receipt: str


class PaidBillResult(StrEnum):
    """What became of a line of the tax authority's file."""

    BOOKED = "BOOKED"
    BOOKED_BEFORE = "BOOKED_BEFORE"
    UNKNOWN_BILL = "UNKNOWN_BILL"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    DAY_IS_WRONG = "DAY_IS_WRONG"
    """It would have been paid before the bill was made, or in days to come."""


@dataclass(frozen=True)
class EnrolForm:
    """Somebody who is not insured, or will not be next year, registers as a resident.

    ``division_code``: the county or district of the household or residence permit.
    """

    division_code: str
    person_kind: PersonKind
    tier: str
    year: int
    address: str
    local_household: bool


@dataclass(frozen=True)
class TransferForm:
    """Somebody takes their insurance along. ``from_area``: where it ended; for other provinces its city."""

    from_area: str
    from_number: str = ""


@dataclass(frozen=True)
class TransferView:
    """What somebody brought along from another area: months that were paid, and the account's balance."""

    id: str
    matter_id: str
    from_area: str
    from_enrolment_id: str | None
    to_enrolment_id: str
    months: int
    balance_fen: Fen
    done_at: datetime


@dataclass(frozen=True)
class LetterOfArea:
    """What the area says that somebody comes from: months paid, and the balance of the account."""

    months: int
    balance_fen: Fen


@dataclass(frozen=True)
class AskForBill:
    """Somebody wants to pay a year of a resident's insurance, their own or a relative's.

    ``tier``: empty for the one they are in. A year of the past is paid back.
    """

    actor: Actor
    person_id: str
    enrolment_id: str
    year: int
    tier: str = ""


class EnrolProblem(StrEnum):
    """Why somebody cannot register, pay or transfer like this."""

    PLACE = "PLACE"
    KIND = "KIND"
    TIER = "TIER"
    YEAR = "YEAR"
    ADDRESS = "ADDRESS"
    INSURED_ALREADY = "INSURED_ALREADY"
    BILL_OPEN = "BILL_OPEN"
    PAID_ALREADY = "PAID_ALREADY"
    NOT_RESIDENT = "NOT_RESIDENT"
    NO_GAP = "NO_GAP"
    NOTHING_SHORTER = "NOTHING_SHORTER"
    SAME_AREA = "SAME_AREA"
    NOT_INSURED_THERE = "NOT_INSURED_THERE"
    STILL_INSURED_THERE = "STILL_INSURED_THERE"
    MOVED_ALREADY = "MOVED_ALREADY"
    NUMBER = "NUMBER"
    LETTER = "LETTER"
    MONEY_HELD = "MONEY_HELD"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "PLACE": ("参保地请选到区县", "choose the county or district to be insured in"),
    "KIND": (
        "人员类别与年龄不符，或不属于城乡居民",
        "the kind of person does not fit the age, or is no resident's",
    ),
    "TIER": ("没有这个缴费档次", "there is no such tier of contribution"),
    "YEAR": (
        "只能登记本年度，集中参保期内还可登记下一年度",
        "this year can be registered for, and the next one within its window",
    ),
    "ADDRESS": ("没有填写居住地址", "the address is missing"),
    "INSURED_ALREADY": (
        "该年度已有基本医疗保险，不能重复参保",
        "there is basic insurance for that year already; nobody is insured twice",
    ),
    "MONEY_HELD": (
        "转出地个人账户有一笔正在支付的款项",
        "the account over there stands by for a payment that is under way",
    ),
    "BILL_OPEN": ("已有一张待缴的缴费单", "there is a bill that waits to be paid already"),
    "PAID_ALREADY": ("该年度已缴费", "that year is paid already"),
    "NOT_RESIDENT": ("这项参保不是城乡居民医保", "this is no residents' insurance"),
    "NO_GAP": (
        "该年度没有断保，或者没有等待期可以缩短，不需要补缴",
        "that year is no gap, or there is no waiting to shorten; it need not be paid back",
    ),
    "NOTHING_SHORTER": (
        "已补缴（或已开单）的年度已把等待期缩到最短，再补缴不会更短",
        "the years paid back, or with a bill, shorten the waiting as far as it goes",
    ),
    "SAME_AREA": ("转出地与转入地相同", "it would go to where it is already"),
    "NOT_INSURED_THERE": ("没有找到您在转出地的参保记录", "there is no record of yours there"),
    "STILL_INSURED_THERE": (
        "转出地的参保还没有终止，请先在转出地办理停保",
        "the insurance there has not ended; have it ended there first",
    ),
    "MOVED_ALREADY": ("这段参保关系已经转移过", "that insurance has moved already"),
    "LETTER": (
        "请填写转出地信息表上的缴费月数和账户余额",
        "give months and balance as the letter of the area it comes from says",
    ),
    "NUMBER": (
        "请填写转出地的个人编号（见参保凭证）",
        "give the person number of the area it comes from, as its certificate says",
    ),
}


@dataclass(frozen=True)
class EnrolmentNotPossible(Refusal):
    """Somebody cannot register, pay or transfer like this."""

    retry: ClassVar[Retry] = Retry.NEVER
    problem: EnrolProblem
    zh = "不能这样办理：{problem}。"
    en = "It cannot be done like this: {problem}."
    next_zh = "请按提示修改或先办理前一步；草稿不会丢失。"
    next_en = "Change it, or see to the step before; a draft is not lost."
