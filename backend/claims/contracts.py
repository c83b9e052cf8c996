"""Commands, views and refusals of manual claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.catalogue.contracts import ItemKind
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen, Quantity, UnitPrice
from backend.settlement.case import CareKind
from backend.settlement.contracts import SettlementView

INVOICES_MAX = 100
LINES_MAX = 500


@dataclass(frozen=True)
class ClaimLine:
    """A line of the list of fees, with its national code; no code: it is outside of the catalogue."""

    code: str
    name: str
    kind: ItemKind
    quantity: Quantity
    unit_price: UnitPrice
    restriction_met: bool | None = None
    served_on: date | None = None


@dataclass(frozen=True)
class BookClaim:
    """A bill that a patient paid in full, with its papers checked by a clerk.

    ``first`` and ``last`` are the days of admission and discharge of a stay, and the same day of any
    other care. ``invoices`` are the numbers of the fiscal invoices (票据号码). ``continues_id`` names
    the claim of an earlier stretch of the same stay.
    """

    person_id: str
    enrolment_id: str | None
    institution_code: str
    care: CareKind
    first: date
    last: date
    disease: str
    emergency: bool
    invoices: tuple[str, ...]
    lines: tuple[ClaimLine, ...]
    continues_id: str | None = None


class ClaimReason(StrEnum):
    """Why a bill was not settled directly."""

    NOT_NETWORKED = "NOT_NETWORKED"
    OUTAGE = "OUTAGE"
    NOT_FILED = "NOT_FILED"
    NO_CARD = "NO_CARD"
    PRESCRIPTION = "PRESCRIPTION"
    """An electronic prescription could not be fetched."""
    OTHER = "OTHER"


@dataclass(frozen=True)
class PayoutAccount:
    """Where a claim is paid out to."""

    holder: str
    bank: str
    number: str


@dataclass(frozen=True)
class ClaimForm:
    """What a patient hands in; the lines of the fees are entered by a clerk from the list.

    ``total_fen`` is what the invoices sum to. ``injury``: somebody else may have to pay for it.
    """

    reason: ClaimReason
    institution_code: str
    care: CareKind
    first: date
    last: date
    disease: str
    emergency: bool
    injury: bool
    invoices: tuple[str, ...]
    total_fen: Fen
    account: PayoutAccount
    continues_id: str | None = None


@dataclass(frozen=True)
class ChangePayoutAccount:
    """Somebody names another account for a claim whose money came back."""

    actor: Actor
    matter_id: str
    account: PayoutAccount


@dataclass(frozen=True)
class ClaimView:
    """A booked claim. ``payable_fen`` is what is paid out to the patient; nothing once reversed."""

    id: str
    settlement: SettlementView
    invoices: tuple[str, ...]
    continues_id: str | None
    booked_by: str
    booked_at: datetime

    @property
    def payable_fen(self) -> Fen:
        """Return what the patient is paid out."""
        gone = self.settlement.reversed_by_id is not None
        return Fen(0 if gone else self.settlement.fund_fen)


class ClaimProblem(StrEnum):
    """What is wrong with a claim."""

    DATES = "DATES"
    ONE_DAY = "ONE_DAY"
    ONLY_STAYS_CONTINUE = "ONLY_STAYS_CONTINUE"
    INVOICES = "INVOICES"
    INVOICE_NUMBER = "INVOICE_NUMBER"
    NUMBER_OF_LINES = "NUMBER_OF_LINES"
    DISEASE = "DISEASE"
    LINE_QUANTITY = "LINE_QUANTITY"
    LINE_PRICE = "LINE_PRICE"
    LINE_NAME = "LINE_NAME"
    LINE_DAY = "LINE_DAY"
    LINE_CODE = "LINE_CODE"
    INSTITUTION = "INSTITUTION"
    EARLIER_CLAIM = "EARLIER_CLAIM"
    DAYS_OF_STAY = "DAYS_OF_STAY"
    YEARS_APART = "YEARS_APART"
    CONTINUED = "CONTINUED"
    CONTRADICTS = "CONTRADICTS"
    TOTAL = "TOTAL"
    ACCOUNT = "ACCOUNT"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "DATES": ("就医起止日期不对", "the days of the care"),
    "ONE_DAY": ("住院以外的就医只能是同一天", "one day for care outside of a stay"),
    "ONLY_STAYS_CONTINUE": ("只有住院可以分段申报", "only a stay continues an earlier claim"),
    "INVOICES": (
        f"票据须为1至{INVOICES_MAX}张且不重复",
        f"1 to {INVOICES_MAX} invoices, each once",
    ),
    "INVOICE_NUMBER": ("票据号码格式不对", "an invoice number"),
    "NUMBER_OF_LINES": (f"费用明细须为1至{LINES_MAX}条", f"1 to {LINES_MAX} lines"),
    "DISEASE": ("没有填写慢特病病种", "the listed disease"),
    "LINE_QUANTITY": ("明细数量不对", "the quantity of a line"),
    "LINE_PRICE": ("明细单价不对", "the price of a line"),
    "LINE_NAME": ("明细缺少编码或名称", "code or name of a line"),
    "LINE_DAY": ("明细日期不在就医期间", "the day of a line"),
    "LINE_CODE": ("明细编码不在目录中", "the code of a line is not in the catalogue"),
    "INSTITUTION": ("没有这家医疗机构", "there is no such institution"),
    "EARLIER_CLAIM": ("没有可以接续的上一段报销", "there is no such claim to continue"),
    "DAYS_OF_STAY": (
        "须从同一次住院的入院日起、接在已报销部分之后",
        "the days of the stay, after those claimed before",
    ),
    "YEARS_APART": ("跨年度的费用须按年度分段申报", "the fees of each year by themselves"),
    "CONTINUED": ("后面的分段报销须先撤销", "a later claim continues it"),
    "CONTRADICTS": ("金额相互矛盾，退费多于收费", "the amounts contradict each other"),
    "TOTAL": ("发票总金额须大于零", "the total of the invoices is more than nothing"),
    "ACCOUNT": (
        "收款账户须为本人的户名、开户银行和9至30位账号",
        "the account to pay to: holder, bank, and a number of 9 to 30 digits",
    ),
}


@dataclass(frozen=True)
class ClaimInvalid(Refusal):
    """The claim contradicts itself or lacks what it needs; ``problems`` names everything at once.

    ``line_numbers``: the lines concerned, counted from 1.
    """

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "报销材料需要更正：{problems}。"
    en = "The claim needs correcting: {problems}."
    next_zh = "请按列出的各项一次更正后重新提交。"
    next_en = "Correct all of it and enter the claim again."
    problems: tuple[ClaimProblem, ...]
    line_numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class InvoiceClaimed(Refusal):
    """An invoice was reimbursed before; an invoice is reimbursed once."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "票据{invoices}已经报销过，一张票据只能报销一次。"
    en = "Invoices {invoices} were reimbursed before; an invoice is reimbursed once."
    next_zh = "请核对票据号码；如属重复申报，请退回材料。"
    next_en = "Check the numbers; return the papers where they were handed in twice."
    invoices: tuple[str, ...]


@dataclass(frozen=True)
class SettledDirectly(Refusal):
    """The stay was settled at the hospital's till; a manual claim would pay it twice."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这次住院已在{institution}直接结算，不能再手工报销。"
    en = "This stay was settled directly at {institution}; it cannot be claimed again."
    next_zh = "如当时结算有误，请先由医院撤销原结算。"
    next_en = "Let the hospital reverse that settlement first, if it was wrong."
    institution: str
    settlement_ids: tuple[str, ...]


@dataclass(frozen=True)
class CapitatedAtPilot(Refusal):
    """The care is paid by head at this pilot hospital, which bills the patient's share alone."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "该病种在{institution}按人头付费，费用由医院直接结算，不能手工报销。"
    en = "This care is paid by head at {institution}, which settles it; it cannot be claimed."
    next_zh = "请回到签约医院办理结算。"
    next_en = "Go back to the hospital of the agreement."
    institution: str


@dataclass(frozen=True)
class ClaimNotFound(Refusal):
    """There is no such claim, or it was taken back before."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有这笔手工报销，或已撤销。"
    en = "There is no such claim, or it was taken back."
    next_zh = "请核对报销编号。"
    next_en = "Check the number of the claim."
