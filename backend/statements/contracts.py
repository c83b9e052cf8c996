"""Commands, states, views and refusals of an institution's statement of a day (对总账, 对明细账)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.people.contracts import InsuranceType


class StatementState(StrEnum):
    """How an institution's day stands against ours (stmt_rslt)."""

    OPEN = "OPEN"
    """Nobody has compared it."""
    BALANCED = "BALANCED"
    UNBALANCED = "UNBALANCED"


class MismatchKind(StrEnum):
    """In what a settlement differs."""

    ONLY_HERE = "ONLY_HERE"
    """It stands here, and the institution does not have it: it takes it over, or takes it back."""
    ONLY_THERE = "ONLY_THERE"
    """The institution has it, and nothing of it stands here: it strikes it and settles anew."""
    AMOUNT = "AMOUNT"
    """Both have it, with other amounts: ours count, the institution corrects its own."""


class MismatchState(StrEnum):
    """What became of a mismatch."""

    OPEN = "OPEN"
    GONE = "GONE"
    """A later statement of the same day no longer had it."""
    CLOSED = "CLOSED"
    """A person has seen to it, in words."""


class MismatchEvent(StrEnum):
    """What can happen to a mismatch."""

    VANISH = "VANISH"
    CLOSE = "CLOSE"
    APPEAR_AGAIN = "APPEAR_AGAIN"


_S, _E = MismatchState, MismatchEvent
MISMATCH_STATES: StateTable[MismatchState, MismatchEvent] = StateTable(
    name="mismatch",
    title="机构对账差异 a mismatch with an institution's statement",
    initial=(_S.OPEN,),
    moves={
        (_S.OPEN, _E.VANISH): _S.GONE,
        (_S.OPEN, _E.CLOSE): _S.CLOSED,
        (_S.GONE, _E.APPEAR_AGAIN): _S.OPEN,
    },
)


@dataclass(frozen=True)
class Totals:
    """Sums of a day; a settlement that was taken back counts twice, once as booked and once negative."""

    count: int
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen


@dataclass(frozen=True)
class StatedLine:
    """A settlement or a reversal as the institution has it."""

    settlement_id: str
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen


@dataclass(frozen=True)
class CompareTotals:
    """An institution compares its sums of a day that is over (3201)."""

    actor: Actor
    day: date
    insurance: InsuranceType
    totals: Totals
    request_id: str


@dataclass(frozen=True)
class CompareLines:
    """An institution compares each of its settlements of a day that is over (3202)."""

    actor: Actor
    day: date
    insurance: InsuranceType
    lines: tuple[StatedLine, ...]
    request_id: str


@dataclass(frozen=True)
class MismatchView:
    """A settlement that differs. Amounts are ``None`` on the side that does not have it."""

    id: str
    institution: InstitutionView
    day: date
    insurance: InsuranceType
    kind: MismatchKind
    state: MismatchState
    settlement_id: str
    ours: Totals | None
    theirs: Totals | None
    words: str


@dataclass(frozen=True)
class StatementView:
    """A day of an institution with both sides. ``theirs``: as last stated; ``None``: never."""

    day: date
    insurance: InsuranceType
    state: StatementState
    ours: Totals
    theirs: Totals | None
    compared_at: datetime | None
    mismatches: tuple[MismatchView, ...] = ()


class StatementProblem(StrEnum):
    """Why a day cannot be compared like this."""

    NOT_OVER = "NOT_OVER"
    TOO_OLD = "TOO_OLD"
    LINES = "LINES"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "NOT_OVER": ("当天尚未结束，次日起可对账", "the day is not over; compare it from tomorrow on"),
    "TOO_OLD": ("已超过可对账的期限", "the day is too long ago"),
    "LINES": (
        "明细为空、重复或超过5000条，请按险种分开上传",
        "lines are repeated or more than 5,000; send them by kind of insurance",
    ),
}


@dataclass(frozen=True)
class StatementNotPossible(Refusal):
    """A day cannot be compared like this."""

    zh = "不能这样对账：{problem}。"
    en = "It cannot be compared like this: {problem}."
    next_zh = "请按结算时间（北京时间）汇总后重试。"
    next_en = "Sum up by the time of settlement (Beijing time) and try again."
    problem: StatementProblem


@dataclass(frozen=True)
class MismatchNotFound(Refusal):
    """There is no such mismatch for the caller, it does not wait, or nothing was said."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这条对账差异，或它已处理，或未填写说明。"
    en = "There is no such mismatch, it does not wait any more, or nothing was said about it."
    next_zh = "请刷新后查看。"
    next_en = "Look again."
