"""Commands, states, views and refusals of ratings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.states import StateTable
from backend.people.contracts import PersonView

GRADES = range(1, 6)
"""五级: 5 非常满意, 4 满意, 3 基本满意, 2 不满意, 1 非常不满意."""
BAD = range(1, 3)
"""差评: the two worst, which need a reason and are answered."""


class RatingReason(StrEnum):
    """What a bad rating is about."""

    WAITING = "WAITING"
    ATTITUDE = "ATTITUDE"
    NOT_EXPLAINED = "NOT_EXPLAINED"
    CHARGED_WRONG = "CHARGED_WRONG"
    NOT_IN_STOCK = "NOT_IN_STOCK"
    CODE_REFUSED = "CODE_REFUSED"
    PRIVACY = "PRIVACY"
    OTHER = "OTHER"


class RatingState(StrEnum):
    """Where a rating stands."""

    GIVEN = "GIVEN"
    """A good one; nothing is due."""
    WAITING = "WAITING"
    """A bad one; the institution is to answer."""
    APPEALED = "APPEALED"
    """The institution says that it is false; the area's agency decides."""
    STRUCK = "STRUCK"
    """It was found false and does not count."""
    ANSWERED = "ANSWERED"
    REOPENED = "REOPENED"
    ANSWERED_AGAIN = "ANSWERED_AGAIN"
    CLOSED = "CLOSED"


class RatingEvent(StrEnum):
    """What can happen to a rating."""

    ANSWER = "ANSWER"
    APPEAL = "APPEAL"
    UPHOLD = "UPHOLD"
    """The agency finds that it stands; the institution answers all the same."""
    STRIKE = "STRIKE"
    REOPEN = "REOPEN"
    ACCEPT = "ACCEPT"
    EXPIRE = "EXPIRE"


_S, _E = RatingState, RatingEvent
RATING_STATES: StateTable[RatingState, RatingEvent] = StateTable(
    name="rating",
    title="服务评价 a rating",
    initial=(_S.GIVEN, _S.WAITING),
    moves={
        (_S.WAITING, _E.ANSWER): _S.ANSWERED,
        (_S.WAITING, _E.APPEAL): _S.APPEALED,
        (_S.APPEALED, _E.UPHOLD): _S.WAITING,
        (_S.APPEALED, _E.STRIKE): _S.STRUCK,
        (_S.ANSWERED, _E.ACCEPT): _S.CLOSED,
        (_S.ANSWERED, _E.REOPEN): _S.REOPENED,
        (_S.ANSWERED, _E.EXPIRE): _S.CLOSED,
        (_S.REOPENED, _E.ANSWER): _S.ANSWERED_AGAIN,
        (_S.ANSWERED_AGAIN, _E.ACCEPT): _S.CLOSED,
        (_S.ANSWERED_AGAIN, _E.EXPIRE): _S.CLOSED,
    },
)


@dataclass(frozen=True)
class Rate:
    """Somebody rates the service of a settlement, their own or a relative's."""

    actor: Actor
    settlement_id: str
    grade: int
    reasons: tuple[RatingReason, ...]
    words: str
    request_id: str


@dataclass(frozen=True)
class SayOfRating:
    """Whoever rated accepts an answer, or opens it once more and says why."""

    actor: Actor
    rating_id: str
    accept: bool
    words: str


@dataclass(frozen=True)
class WorkRating:
    """The institution answers a rating, or appeals against it."""

    actor: Actor
    rating_id: str
    event: RatingEvent
    words: str


@dataclass(frozen=True)
class DecideRating:
    """The agency decides about an institution's appeal against a rating."""

    actor: Actor
    rating_id: str
    uphold: bool
    words: str


@dataclass(frozen=True)
class RatingStep:
    """Something that happened to a rating, in the words of who did it."""

    at: datetime
    event: RatingEvent
    state: RatingState
    words: str


@dataclass(frozen=True)
class RatingView:
    """A rating. ``due_on``: by when the institution answers; ``None`` where nothing is due."""

    id: str
    state: RatingState
    settlement_id: str
    institution: InstitutionView
    person: PersonView
    grade: int
    reasons: tuple[RatingReason, ...]
    words: str
    given_at: datetime
    due_on: date | None
    overdue: bool
    steps: tuple[RatingStep, ...]


@dataclass(frozen=True)
class Score:
    """What an institution's ratings come to. ``tenths``: of the average grade, 0 where too few are."""

    count: int
    tenths: int


class RatingProblem(StrEnum):
    """Why a settlement cannot be rated like this."""

    GRADE = "GRADE"
    REASON = "REASON"
    WORDS = "WORDS"
    RATED = "RATED"
    TAKEN_BACK = "TAKEN_BACK"
    TOO_LATE = "TOO_LATE"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "GRADE": ("评价分为一至五级", "there are five grades"),
    "REASON": (
        "不满意请至少选择一个原因，满意的评价不用选",
        "a bad rating names a reason, a good one none",
    ),
    "WORDS": (
        "选择“其他”时请说明，文字不超过500字",
        "explain what OTHER is, in at most 500 characters",
    ),
    "RATED": ("一次结算只能评价一次", "a settlement is rated once"),
    "TAKEN_BACK": ("这次结算已撤销", "this settlement was taken back"),
    "TOO_LATE": ("已超过可以评价的期限", "the time for rating it is over"),
}


@dataclass(frozen=True)
class RatingNotPossible(Refusal):
    """A settlement cannot be rated like this."""

    zh = "不能这样评价：{problem}。"
    en = "It cannot be rated like this: {problem}."
    next_zh = "请按提示修改；要反映其他问题，请用“投诉与建议”。"
    next_en = "Change it as it says; for anything else there are complaints."
    problem: RatingProblem


@dataclass(frozen=True)
class RatingNotFound(Refusal):
    """There is no such rating for the caller, or this cannot happen to it now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这条评价，或它现在不能这样处理。"
    en = "There is no such rating, or this cannot be done to it now."
    next_zh = "请刷新后查看它的状态。"
    next_en = "Look at it as it stands now."


@dataclass(frozen=True)
class AnswerMissing(Refusal):
    """An answer, an appeal, a decision or a reopening says something."""

    zh = "请写明内容，不超过500字。"
    en = "Say something, in at most 500 characters."
    next_zh = "填写后再提交。"
    next_en = "Write it and send it again."
