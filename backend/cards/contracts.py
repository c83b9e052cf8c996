"""Lost cards as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.states import StateTable


class CardState(StrEnum):
    """Where the report of a lost card stands."""

    TEMPORARY = "TEMPORARY"
    """It lifts itself after some days, and is lifted by who has found the card."""
    FORMAL = "FORMAL"
    """The card is dead for good; another one is made."""
    LIFTED = "LIFTED"
    REISSUED = "REISSUED"


class CardEvent(StrEnum):
    """What can happen to a report."""

    LIFT = "LIFT"
    EXPIRE = "EXPIRE"
    REPORT_FORMALLY = "REPORT_FORMALLY"
    REISSUE = "REISSUE"


_S, _E = CardState, CardEvent
CARD_STATES: StateTable[CardState, CardEvent] = StateTable(
    name="card_loss",
    title="卡挂失 a card that was reported lost",
    initial=(_S.TEMPORARY, _S.FORMAL),
    moves={
        (_S.TEMPORARY, _E.LIFT): _S.LIFTED,
        (_S.TEMPORARY, _E.EXPIRE): _S.LIFTED,
        (_S.TEMPORARY, _E.REPORT_FORMALLY): _S.FORMAL,
        (_S.FORMAL, _E.REISSUE): _S.REISSUED,
    },
)


@dataclass(frozen=True)
class CardLossView:
    """A report. ``lifts_at``: when a temporary one lifts itself; ``card_by``: until when a new card is made.

    ``code_frozen``: whether the electronic code is frozen too; without that it works on.
    """

    id: str
    person_id: str
    state: CardState
    reported_at: datetime
    lifts_at: datetime | None
    card_by: date | None
    code_frozen: bool


@dataclass(frozen=True)
class ReportCardLoss:
    """Somebody reports their card lost, or a relative's. ``freeze_code``: freeze the own code as well."""

    actor: Actor
    person_id: str
    formally: bool
    freeze_code: bool


@dataclass(frozen=True)
class LiftCardLoss:
    """Somebody has found the card."""

    actor: Actor
    person_id: str


class CardProblem(StrEnum):
    """Why a card cannot be reported or lifted like this."""

    REPORTED_ALREADY = "REPORTED_ALREADY"
    FORMAL_STANDS = "FORMAL_STANDS"
    NOTHING_TO_LIFT = "NOTHING_TO_LIFT"
    NOT_INSURED = "NOT_INSURED"
    ONLY_OWN_CODE = "ONLY_OWN_CODE"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "REPORTED_ALREADY": ("已经临时挂失", "it is reported for a while already"),
    "FORMAL_STANDS": (
        "已经正式挂失，不能撤销，请等待补卡",
        "it is reported for good, which nothing undoes; wait for the new card",
    ),
    "NOTHING_TO_LIFT": ("没有生效中的临时挂失", "there is no report for a while to lift"),
    "NOT_INSURED": ("当前没有参保记录", "there is no insurance"),
    "ONLY_OWN_CODE": (
        "只能同时冻结本人的医保码；亲属的请由本人或到窗口办理",
        "only one's own code can be frozen with it",
    ),
}


@dataclass(frozen=True)
class CardNotPossible(Refusal):
    """A card cannot be reported or lifted like this."""

    retry: ClassVar[Retry] = Retry.NEVER
    problem: CardProblem
    zh = "不能这样办理：{problem}。"
    en = "It cannot be done like this: {problem}."
    next_zh = "请查看卡的当前状态；需要帮助请拨打12393或到窗口办理。"
    next_en = "Look up where the card stands; call 12393 or come to a counter for help."
