"""Tickets as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.states import StateTable
from backend.settlement.case import CareKind

LEVEL_MAX = 5


class TicketReason(StrEnum):
    """What went wrong."""

    CANNOT_SETTLE = "CANNOT_SETTLE"
    WRONG_AMOUNT = "WRONG_AMOUNT"
    FILING_NOT_SEEN = "FILING_NOT_SEEN"
    OTHER = "OTHER"


class Side(StrEnum):
    """Whose turn it is."""

    PLACE = "PLACE"
    """就医地."""
    HOME = "HOME"
    """参保地."""


class TicketState(StrEnum):
    """Where a ticket stands."""

    OPENED = "OPENED"
    ASSIGNED = "ASSIGNED"
    """A clerk of the side whose turn it is has taken it."""
    ANSWERED = "ANSWERED"
    """It waits for the patient to say whether it is solved."""
    CLOSED = "CLOSED"


class TicketEvent(StrEnum):
    """What can happen to a ticket."""

    OPEN = "OPEN"
    TAKE = "TAKE"
    PASS = "PASS"  # noqa: S105 - a name, not a secret
    """To the other side."""
    ESCALATE = "ESCALATE"
    """To the level above, by a clerk or because nobody has answered in time."""
    ANSWER = "ANSWER"
    CONFIRM = "CONFIRM"
    REOPEN = "REOPEN"
    """It is not solved; it goes on one level higher."""
    EXPIRE = "EXPIRE"
    """Nobody objected to the answer in time."""


_S, _E = TicketState, TicketEvent
TICKET_STATES: StateTable[TicketState, TicketEvent] = StateTable(
    name="ticket",
    title="问题协同工单 a ticket between the place of care and the insured area",
    initial=(_S.OPENED,),
    moves={
        (_S.OPENED, _E.TAKE): _S.ASSIGNED,
        (_S.OPENED, _E.PASS): _S.OPENED,
        (_S.ASSIGNED, _E.PASS): _S.OPENED,
        (_S.OPENED, _E.ESCALATE): _S.OPENED,
        (_S.ASSIGNED, _E.ESCALATE): _S.OPENED,
        (_S.ASSIGNED, _E.ANSWER): _S.ANSWERED,
        (_S.ANSWERED, _E.CONFIRM): _S.CLOSED,
        (_S.ANSWERED, _E.REOPEN): _S.OPENED,
        (_S.ANSWERED, _E.EXPIRE): _S.CLOSED,
    },
)


@dataclass(frozen=True)
class TicketStep:
    """Something that happened to a ticket."""

    at: datetime
    event: TicketEvent
    side: Side
    level: int
    words: str


@dataclass(frozen=True)
class TicketView:
    """A ticket. ``due_on``: by when the side whose turn it is answers; ``region``: whose desk that is."""

    id: str
    number: str
    person_id: str
    institution_id: str
    home_area: str
    reason: TicketReason
    care: CareKind
    words: str
    state: TicketState
    side: Side
    level: int
    region: str
    opened_at: datetime
    due_on: date
    settlement_id: str | None
    steps: tuple[TicketStep, ...]


@dataclass(frozen=True)
class OpenTicket:
    """Somebody says what went wrong at an institution, for themselves or a relative.

    ``settlement_id``: the settlement that it is about, whose institution counts then; ``None``: none.
    """

    actor: Actor
    person_id: str
    institution_code: str
    care: CareKind
    reason: TicketReason
    words: str
    request_id: str
    settlement_id: str | None = None


@dataclass(frozen=True)
class OpenTicketAtTill:
    """A terminal says what went wrong there with the patient whose code it scanned."""

    actor: Actor
    token: str
    care: CareKind
    reason: TicketReason
    words: str
    request_id: str


@dataclass(frozen=True)
class SayOfTicket:
    """The patient says whether an answer has solved it."""

    actor: Actor
    ticket_id: str
    solved: bool
    words: str


@dataclass(frozen=True)
class WorkTicket:
    """A clerk takes a ticket, passes it to the other side, hands it up, or answers."""

    actor: Actor
    ticket_id: str
    event: TicketEvent
    words: str


@dataclass(frozen=True)
class ExceptionLine:
    """每日"异"报: one line of a day's report, of an area."""

    area_code: str
    reason: TicketReason
    opened: int
    answered: int
    escalated: int
    open_now: int
    overdue_now: int


class TicketProblem(StrEnum):
    """Why a ticket cannot be opened like this."""

    NOT_INSURED = "NOT_INSURED"
    NO_INSTITUTION = "NO_INSTITUTION"
    NO_SETTLEMENT = "NO_SETTLEMENT"
    NO_WORDS = "NO_WORDS"
    OPEN_ALREADY = "OPEN_ALREADY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "NOT_INSURED": ("没有查到参保记录", "there is no insurance"),
    "NO_INSTITUTION": ("没有这家定点机构", "there is no such institution"),
    "NO_SETTLEMENT": ("没有这笔结算", "there is no such settlement of theirs"),
    "NO_WORDS": ("没有说明发生了什么", "it does not say what happened"),
    "OPEN_ALREADY": (
        "同一家机构的同类问题正在处理",
        "the same at the same place is being worked on",
    ),
}


@dataclass(frozen=True)
class TicketNotPossible(Refusal):
    """A ticket cannot be opened like this."""

    retry: ClassVar[Retry] = Retry.NEVER
    problem: TicketProblem
    zh = "不能这样提交：{problem}。"
    en = "It cannot be opened like this: {problem}."
    next_zh = "请修改后重试；票据和费用清单请务必保留。"
    next_en = "Change it and try again; keep invoices and lists of fees in any case."


@dataclass(frozen=True)
class TicketNotFound(Refusal):
    """There is no such ticket of the caller's, or it does not wait for this now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这个协同工单，或其当前状态不能这样处理。"
    en = "There is no such ticket of yours, or it does not wait for this now."
    next_zh = "请刷新工单列表。"
    next_en = "Look at the list again."
