"""Filings for care elsewhere (异地就医备案) as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.states import StateTable
from backend.matters.contracts import MatterView, Requirement
from backend.settlement.case import FilingKind


class AwayKind(StrEnum):
    """备案类型 of 医保发〔2022〕22号, article 7: three for long, three for a while."""

    RETIRED = "RETIRED"
    """异地安置退休人员."""
    LONG_TERM = "LONG_TERM"
    """异地长期居住人员."""
    STATIONED = "STATIONED"
    """常驻异地工作人员."""
    REFERRAL = "REFERRAL"
    """异地转诊人员."""
    EMERGENCY = "EMERGENCY"
    """异地急诊抢救人员, who count as filed."""
    OTHER = "OTHER"
    """其他跨省临时外出就医人员."""

    @property
    def is_long_term(self) -> bool:
        """Tell whether it holds until it is changed."""
        return self in (AwayKind.RETIRED, AwayKind.LONG_TERM, AwayKind.STATIONED)

    @property
    def filing_kind(self) -> FilingKind:
        """Return what a settlement asks about."""
        if self.is_long_term:
            return FilingKind.LONG_TERM_RESIDENT
        return {
            AwayKind.REFERRAL: FilingKind.REFERRAL,
            AwayKind.EMERGENCY: FilingKind.EMERGENCY,
        }.get(self, FilingKind.TEMPORARY)


class FilingRoute(StrEnum):
    """How a filing is shown to be true."""

    PROMISE = "PROMISE"
    """承诺制: at once, and locked for some months."""
    MATERIALS = "MATERIALS"
    """Papers, which the desk reviews; changed and cancelled at any time."""
    NOTHING = "NOTHING"
    """Nothing has to be shown."""


class FilingState(StrEnum):
    """Where a filing stands. Running out is a matter of the clock and no state of its own."""

    APPROVED = "APPROVED"
    """Approved at home; no hospital elsewhere sees it yet."""
    UPLOAD_FAILED = "UPLOAD_FAILED"
    """The national platform did not take it; it is tried again by itself."""
    EFFECTIVE = "EFFECTIVE"
    REPLACED = "REPLACED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    """Shown for one whose last day is over; never stored, because the clock says it."""


class FilingEvent(StrEnum):
    """What can happen to a filing."""

    UPLOAD = "UPLOAD"
    FAIL = "FAIL"
    REPLACE = "REPLACE"
    CANCEL = "CANCEL"


_S, _E = FilingState, FilingEvent
FILING_STATES: StateTable[FilingState, FilingEvent] = StateTable(
    name="filing",
    title="异地就医备案 a filing: approved at home, and uploaded to the national platform",
    initial=(_S.APPROVED,),
    moves={
        (_S.APPROVED, _E.UPLOAD): _S.EFFECTIVE,
        (_S.APPROVED, _E.FAIL): _S.UPLOAD_FAILED,
        (_S.UPLOAD_FAILED, _E.FAIL): _S.UPLOAD_FAILED,
        (_S.UPLOAD_FAILED, _E.UPLOAD): _S.EFFECTIVE,
        (_S.EFFECTIVE, _E.REPLACE): _S.REPLACED,
        (_S.APPROVED, _E.CANCEL): _S.CANCELLED,
        (_S.UPLOAD_FAILED, _E.CANCEL): _S.CANCELLED,
        (_S.EFFECTIVE, _E.CANCEL): _S.CANCELLED,
    },
)


@dataclass(frozen=True)
class FilingView:
    """A filing. ``area_code`` is the city or the province where it counts.

    ``locked_until``: before this day a promise lets it neither be changed nor cancelled without proof.
    ``next_try_at``: when a failed upload is tried again.
    """

    id: str
    enrolment_id: str
    kind: FilingKind
    area_code: str
    starts: date
    ends: date | None
    state: FilingState = FilingState.EFFECTIVE
    away_kind: AwayKind | None = None
    route: FilingRoute | None = None
    locked_until: date | None = None
    effective_at: datetime | None = None
    next_try_at: datetime | None = None
    matter_id: str | None = None


@dataclass(frozen=True)
class FilingForm:
    """What is filed. Without ``ends`` a temporary filing runs as long as the rule lets it."""

    kind: AwayKind
    area_code: str
    starts: date
    ends: date | None
    route: FilingRoute


@dataclass(frozen=True)
class FilingPreview:
    """What submitting a form would mean, said before it is submitted.

    ``missing``: every paper that is still needed. ``locked_until``: with a promise, the day from which it
    can be changed or cancelled without proof. ``replaces``: the filing that it would end.
    """

    missing: tuple[Requirement, ...]
    starts: date
    ends: date | None
    at_once: bool
    workdays: int
    locked_until: date | None
    replaces: FilingView | None
    provisional: bool


@dataclass(frozen=True)
class FilingApplication:
    """An application for a filing: the matter, what it would mean, and the filing once there is one."""

    matter: MatterView
    form: FilingForm
    preview: FilingPreview | None
    filing: FilingView | None


@dataclass(frozen=True)
class CancelFiling:
    """Somebody cancels a filing; before the lock's day an application with proof is opened."""

    actor: Actor
    filing_id: str


@dataclass(frozen=True)
class FilingCancelled:
    """The filing that ended, or the application with proof that would end it."""

    filing: FilingView
    application: MatterView | None


@dataclass(frozen=True)
class UploadDue:
    """A filing, or its end, that the national platform is to be told, with the person in the clear."""

    filing_id: str
    operation: str
    body: dict[str, str]


@dataclass(frozen=True)
class UploadAnswered:
    """What came back: taken, refused in words, or (``None``) nothing that can be believed."""

    filing_id: str
    operation: str
    taken: bool | None
    words: str = ""


class FilingProblem(StrEnum):
    """Why a filing cannot be made like this."""

    UNKNOWN_AREA = "UNKNOWN_AREA"
    OWN_AREA = "OWN_AREA"
    NOT_NEEDED = "NOT_NEEDED"
    STARTS_TOO_EARLY = "STARTS_TOO_EARLY"
    STARTS_TOO_LATE = "STARTS_TOO_LATE"
    ENDS_BEFORE_IT_STARTS = "ENDS_BEFORE_IT_STARTS"
    LONG_TERM_HAS_NO_END = "LONG_TERM_HAS_NO_END"
    TOO_LONG = "TOO_LONG"
    ROUTE_NOT_FOR_KIND = "ROUTE_NOT_FOR_KIND"
    FILED_ALREADY = "FILED_ALREADY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "UNKNOWN_AREA": (
        "就医地须选到省或地市",
        "the place of care is a province or a city",
    ),
    "OWN_AREA": ("在参保地就医不需要备案", "care in the insured area needs no filing"),
    "NOT_NEEDED": (
        "参保地规定去该省就医免备案，可直接结算",
        "the insured area asks for no filing for that province: settle directly",
    ),
    "STARTS_TOO_EARLY": ("开始日期超出可补办的天数", "it starts further back than can be filed"),
    "STARTS_TOO_LATE": ("开始日期太远", "it starts too far ahead"),
    "ENDS_BEFORE_IT_STARTS": ("结束日期早于开始日期", "it ends before it starts"),
    "LONG_TERM_HAS_NO_END": (
        "长期备案不填结束日期，需要结束时再取消",
        "a long-term filing has no last day; cancel it when it is over",
    ),
    "TOO_LONG": (
        "临时备案超过规定的有效期",
        "a temporary filing runs longer than the rule lets it",
    ),
    "ROUTE_NOT_FOR_KIND": (
        "这种备案不能用所选的办理方式",
        "this kind of filing cannot be shown in this way",
    ),
    "FILED_ALREADY": ("同样的备案已经有效", "the same filing is in force already"),
}


@dataclass(frozen=True)
class FilingNotPossible(Refusal):
    """A filing cannot be made like this."""

    problem: FilingProblem
    zh = "不能这样备案：{problem}。"
    en = "It cannot be filed like this: {problem}."
    next_zh = "请按提示修改后重试；草稿不会丢失。"
    next_en = "Change it and try again; a draft is not lost."


@dataclass(frozen=True)
class PromiseLocked(Refusal):
    """A promise lets the filing be neither changed nor cancelled yet, unless it is proven."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "以承诺办理的备案，{unlocks_on}前不能直接变更或取消。"
    en = "A filing by promise is neither changed nor cancelled before {unlocks_on}."
    next_zh = "现在要改：选择“提交材料”并上传证明，审核通过即可；或等到该日期。"
    next_en = "To change it now choose papers and upload proof; or wait until that day."
    unlocks_on: date
    filing_id: str


@dataclass(frozen=True)
class FilingNotFound(Refusal):
    """There is no such filing of the caller's, or it has ended."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这条备案，或已经结束。"
    en = "There is no such filing of yours, or it has ended."
    next_zh = "请刷新备案列表。"
    next_en = "Look at the list again."
