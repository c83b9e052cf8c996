"""Commands, states and views of reports, as whoever reports sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.matters.material_contracts import MaterialFault, MaterialFile


class ReportKind(StrEnum):
    """What is reported."""

    CASH_OUT = "CASH_OUT"
    """套现: money from accounts or funds for nothing."""
    NON_MEDICAL = "NON_MEDICAL"
    SWAPPED = "SWAPPED"
    """串换: something else was billed than was given."""
    BILLED_FOR_OTHERS = "BILLED_FOR_OTHERS"
    FALSE_INVOICE = "FALSE_INVOICE"
    FALSE_STAY = "FALSE_STAY"
    OVERCHARGED = "OVERCHARGED"
    CARD_LENT = "CARD_LENT"
    AGENCY = "AGENCY"
    """What somebody at an agency did."""
    OTHER = "OTHER"


class ReportState(StrEnum):
    """Where a report stands."""

    LODGED = "LODGED"
    """It is in, and nobody has seen it; taken in with others at the next hour."""
    RECEIVED = "RECEIVED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    OPENED = "OPENED"
    FOUND = "FOUND"
    """One inspector has a finding; another has yet to confirm it."""
    TRUE = "TRUE"
    NOT_TRUE = "NOT_TRUE"
    APPEALED = "APPEALED"
    UPHELD = "UPHELD"
    WITHDRAWN = "WITHDRAWN"


class ReportEvent(StrEnum):
    """What can happen to a report."""

    TAKE_IN = "TAKE_IN"
    TRANSFER = "TRANSFER"
    DECLINE = "DECLINE"
    OPEN = "OPEN"
    EXTEND = "EXTEND"
    FIND = "FIND"
    SEND_BACK = "SEND_BACK"
    CONFIRM_TRUE = "CONFIRM_TRUE"
    CONFIRM_NOT_TRUE = "CONFIRM_NOT_TRUE"
    APPEAL = "APPEAL"
    UPHOLD = "UPHOLD"
    OVERTURN = "OVERTURN"
    WITHDRAW = "WITHDRAW"


_S, _E = ReportState, ReportEvent
REPORT_STATES: StateTable[ReportState, ReportEvent] = StateTable(
    name="report",
    title="实名举报 a report",
    initial=(_S.LODGED,),
    moves={
        (_S.LODGED, _E.TAKE_IN): _S.RECEIVED,
        (_S.LODGED, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.RECEIVED, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.RECEIVED, _E.TRANSFER): _S.RECEIVED,
        (_S.RECEIVED, _E.DECLINE): _S.NOT_ACCEPTED,
        (_S.RECEIVED, _E.OPEN): _S.OPENED,
        (_S.OPENED, _E.EXTEND): _S.OPENED,
        (_S.OPENED, _E.FIND): _S.FOUND,
        (_S.FOUND, _E.SEND_BACK): _S.OPENED,
        (_S.FOUND, _E.CONFIRM_TRUE): _S.TRUE,
        (_S.FOUND, _E.CONFIRM_NOT_TRUE): _S.NOT_TRUE,
        (_S.NOT_ACCEPTED, _E.APPEAL): _S.APPEALED,
        (_S.NOT_TRUE, _E.APPEAL): _S.APPEALED,
        (_S.APPEALED, _E.UPHOLD): _S.UPHELD,
        (_S.APPEALED, _E.OVERTURN): _S.OPENED,
    },
)


class RewardState(StrEnum):
    """Where a reward stands."""

    NOT_WANTED = "NOT_WANTED"
    WANTED = "WANTED"
    """It depends on what is found."""
    NONE = "NONE"
    """Nothing was found that a reward is paid for."""
    OFFERED = "OFFERED"
    CLAIMED = "CLAIMED"
    WAIVED = "WAIVED"
    EXPIRED = "EXPIRED"
    PAID = "PAID"
    CLAWED_BACK = "CLAWED_BACK"


class RewardEvent(StrEnum):
    """What can happen to a reward."""

    OFFER = "OFFER"
    DENY = "DENY"
    CLAIM = "CLAIM"
    WAIVE = "WAIVE"
    EXPIRE = "EXPIRE"
    PAY = "PAY"
    CLAW_BACK = "CLAW_BACK"


_R, _V = RewardState, RewardEvent
REWARD_STATES: StateTable[RewardState, RewardEvent] = StateTable(
    name="reward",
    title="举报奖励 a reward",
    initial=(_R.NOT_WANTED, _R.WANTED),
    moves={
        (_R.WANTED, _V.OFFER): _R.OFFERED,
        (_R.WANTED, _V.DENY): _R.NONE,
        (_R.NONE, _V.OFFER): _R.OFFERED,
        (_R.OFFERED, _V.CLAIM): _R.CLAIMED,
        (_R.OFFERED, _V.WAIVE): _R.WAIVED,
        (_R.OFFERED, _V.EXPIRE): _R.EXPIRED,
        (_R.CLAIMED, _V.PAY): _R.PAID,
        (_R.PAID, _V.CLAW_BACK): _R.CLAWED_BACK,
    },
)


class MessageBy(StrEnum):
    """Who wrote a message of a report."""

    REPORTER = "REPORTER"
    HANDLER = "HANDLER"


@dataclass(frozen=True)
class LodgeReport:
    """Somebody reports. ``real_name``: their identity is kept apart; else nobody ever learns it.

    ``institution_code`` or ``target`` names whom; ``staff_number`` keeps that member of staff away from it.
    """

    actor: Actor
    real_name: bool
    kind: ReportKind
    institution_code: str
    target: str
    staff_number: str
    region: str
    happened: str
    facts: str
    wants_reward: bool
    request_id: str


@dataclass(frozen=True)
class Whose:
    """By what somebody shows that a report is theirs: its secret, or being signed in as who lodged it."""

    actor: Actor
    report_id: str
    secret: str


@dataclass(frozen=True)
class SayOfReport:
    """Whoever reported adds something; ``retaliation``: that they are threatened or harmed for it."""

    whose: Whose
    words: str
    retaliation: bool


@dataclass(frozen=True)
class AddEvidence:
    """Whoever reported adds a file."""

    whose: Whose
    file: MaterialFile


@dataclass(frozen=True)
class ChangeReport:
    """Whoever reported appeals, withdraws, or waives the reward."""

    whose: Whose
    words: str


@dataclass(frozen=True)
class ClaimReward:
    """Whoever reported says where the reward goes to."""

    whose: Whose
    holder: str
    bank: str
    number: str


@dataclass(frozen=True)
class ReportReceipt:
    """What whoever reported keeps. The secret is shown once and opens the report without signing in.

    ``digest``: SHA-256 over what was said, as it was taken in.
    """

    report_id: str
    number: str
    secret: str
    received_on: date
    accept_by: date
    digest: str


@dataclass(frozen=True)
class EvidenceView:
    """A file that is kept sealed. ``digest``: SHA-256 of what is kept."""

    id: str
    name: str
    content_type: str
    size: int
    digest: str
    added_on: date


@dataclass(frozen=True)
class ReportStep:
    """Something that happened to a report; the day, never the hour."""

    on: date
    event: ReportEvent
    state: ReportState
    words: str


@dataclass(frozen=True)
class ReportMessage:
    """What was said about a report."""

    on: date
    by: MessageBy
    words: str
    retaliation: bool


@dataclass(frozen=True)
class ReportView:
    """A report as whoever lodged it and whoever handles it see it. Nobody is named in it.

    ``due_on``: by when the next step is due; ``value_fen`` of the case and ``reward_fen`` once found.
    """

    id: str
    number: str
    pseudonym: str
    real_name: bool
    state: ReportState
    kind: ReportKind
    institution_code: str
    target: str
    region: str
    happened: str
    facts: str
    received_on: date
    due_on: date | None
    overdue: bool
    extended: int
    retaliation: bool
    value_fen: Fen
    reward: RewardState
    reward_fen: Fen
    reward_by: date | None
    steps: tuple[ReportStep, ...]
    messages: tuple[ReportMessage, ...]
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True)
class PublishedFinding:
    """A finding that is published: by month, without a word of who reported, when, or how."""

    region: str
    institution: str
    kind: ReportKind
    value_fen: Fen
    summary: str
    month: str


class ReportProblem(StrEnum):
    """Why something cannot be reported like this."""

    TARGET = "TARGET"
    INSTITUTION = "INSTITUTION"
    FACTS = "FACTS"
    REGION = "REGION"
    LENGTH = "LENGTH"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "TARGET": ("请写明被举报的机构或人员", "name the institution or the person"),
    "INSTITUTION": ("没有这家医药机构", "there is no such institution"),
    "FACTS": (
        "请写明具体线索（不少于20字）：谁、何时何地、怎么做的",
        "say who did what, when and where, in at least 20 characters",
    ),
    "REGION": ("只受理本省的举报", "only reports of this province are taken"),
    "LENGTH": ("内容不超过4000字，其他各项不超过100字", "say it in at most 4000 characters"),
}


@dataclass(frozen=True)
class ReportNotPossible(Refusal):
    """Something cannot be reported like this."""

    zh = "不能这样提交：{problem}。"
    en = "It cannot be reported like this: {problem}."
    next_zh = "请补充后重新提交；也可拨打12393或到医保局当面举报。"
    next_en = "Add it and send it again; 12393 and every bureau take reports too."
    problem: ReportProblem


@dataclass(frozen=True)
class ReportNotFound(Refusal):
    """There is no such report for the caller, or this cannot be done to it now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这件举报，或它现在不能这样处理。"
    en = "There is no such report, or this cannot be done to it now."
    next_zh = "请核对查询密钥，或登录举报时的账号查看。"
    next_en = "Check the secret, or sign in as when it was lodged."


@dataclass(frozen=True)
class ReportWordsMissing(Refusal):
    """What is said is empty or too long."""

    zh = "请写明内容，不超过1000字。"
    en = "Say something, in at most 1000 characters."
    next_zh = "填写后再提交。"
    next_en = "Write it and send it again."


class EvidenceProblem(StrEnum):
    """Why a file cannot be kept."""

    TYPE = "TYPE"
    SIZE = "SIZE"
    PIXELS = "PIXELS"
    TOO_MANY = "TOO_MANY"
    CLOSED = "CLOSED"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _EVIDENCE[self.value][0 if locale is Locale.ZH else 1]


_EVIDENCE = {
    "TYPE": ("只接受能打开的JPEG、PNG图片和不含脚本的PDF", "JPEG, PNG, or PDF without scripts"),
    "SIZE": ("单个文件不超过10MB", "a file has at most 10 MB"),
    "PIXELS": (
        MaterialFault.TOO_MANY_PIXELS.text(Locale.ZH),
        MaterialFault.TOO_MANY_PIXELS.text(Locale.EN),
    ),
    "TOO_MANY": ("一件举报最多20个文件", "a report takes 20 files"),
    "CLOSED": ("这件举报已办结", "the report is closed"),
}


@dataclass(frozen=True)
class EvidenceUnfit(Refusal):
    """A file cannot be kept as evidence."""

    zh = "不能保存这个文件：{problem}。"
    en = "The file cannot be kept: {problem}."
    next_zh = "请更换文件，或用文字说明。"
    next_en = "Send another file, or say it in words."
    problem: EvidenceProblem


@dataclass(frozen=True)
class TooManyReports(Refusal):
    """Too much was reported from one address today."""

    zh = "今天从这个网络提交的举报过多。"
    en = "Too many reports came from this address today."
    next_zh = "请明天再试，或拨打12393。"
    next_en = "Try tomorrow, or call 12393."


@dataclass(frozen=True)
class PayoutInvalid(Refusal):
    """The account to pay to is incomplete."""

    zh = "收款账户不完整：户名、开户行必填，账号为8至30位数字。"
    en = "The account is incomplete: holder, bank, and a number of 8 to 30 digits."
    next_zh = "请对照银行卡填写后重新提交。"
    next_en = "Compare it with the card and send it again."
