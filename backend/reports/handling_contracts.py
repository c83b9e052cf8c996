"""What inspectors do about reports: commands and refusals of the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.reports.contracts import ReportEvent


@dataclass(frozen=True)
class WorkReport:
    """An inspector moves a report. ``region`` of a transfer; ``true`` and ``value_fen`` of a finding."""

    actor: Actor
    report_id: str
    event: ReportEvent
    words: str
    region: str = ""
    true: bool = False
    value_fen: Fen = Fen(0)


@dataclass(frozen=True)
class AskReporter:
    """An inspector asks whoever reported, whom they know by a pseudonym."""

    actor: Actor
    report_id: str
    words: str


@dataclass(frozen=True)
class PublishFinding:
    """A supervisor publishes a proven case in words of their own."""

    actor: Actor
    report_id: str
    summary: str


class UnmaskState(StrEnum):
    """Where a request to learn who reported stands."""

    ASKED = "ASKED"
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"


class UnmaskEvent(StrEnum):
    """What can happen to it."""

    GRANT = "GRANT"
    REFUSE = "REFUSE"


UNMASK_STATES: StateTable[UnmaskState, UnmaskEvent] = StateTable(
    name="unmasking",
    title="举报人身份调阅 learning who reported",
    initial=(UnmaskState.ASKED,),
    moves={
        (UnmaskState.ASKED, UnmaskEvent.GRANT): UnmaskState.GRANTED,
        (UnmaskState.ASKED, UnmaskEvent.REFUSE): UnmaskState.REFUSED,
    },
)


@dataclass(frozen=True)
class AskUnmasking:
    """An inspector asks to learn who reported, and says why."""

    actor: Actor
    report_id: str
    reason: str


@dataclass(frozen=True)
class DecideUnmasking:
    """A supervisor of the province, another person, decides about it."""

    actor: Actor
    unmasking_id: str
    grant: bool
    words: str


@dataclass(frozen=True)
class ReadReporter:
    """Whoever asked looks at what was granted."""

    actor: Actor
    unmasking_id: str


@dataclass(frozen=True)
class UnmaskingView:
    """A request to learn who reported. ``until``: how long a grant may be used."""

    id: str
    report_id: str
    number: str
    state: UnmaskState
    asked_by: str
    reason: str
    decided_by: str
    asked_at: datetime
    until: datetime | None


@dataclass(frozen=True)
class ReporterView:
    """Who reported, in the clear, as they were when they did."""

    name: str
    id_number: str
    phone: str


@dataclass(frozen=True)
class PayoutView:
    """A reward to be paid, without the report that it is for."""

    id: str
    region: str
    amount_fen: Fen
    holder: str
    bank: str
    number: str
    claimed_on: date
    voucher: str


@dataclass(frozen=True)
class NotePayout:
    """A checker notes that a reward was paid, by which voucher."""

    actor: Actor
    payout_id: str
    voucher: str


@dataclass(frozen=True)
class ClawBack:
    """An inspector takes a reward back that was got by forged material."""

    actor: Actor
    report_id: str
    words: str


@dataclass(frozen=True)
class UnmaskingNotPossible(Refusal):
    """Nobody learns like this who reported."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "不能调阅举报人身份：匿名举报没有身份；申请与批准须为不同的人，批准后限时本人查看。"
    en = "It cannot be learnt: anonymous reports hold nobody; another person grants, for a time."
    next_zh = "请核对举报和申请状态；确有必要的重新申请。"
    next_en = "Look at the report and the request; ask again where there is need."


@dataclass(frozen=True)
class PayoutNotFound(Refusal):
    """There is no such reward to be paid, or it is paid."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这笔待发奖励，或它已发放。"
    en = "There is no such reward to be paid, or it is paid."
    next_zh = "请刷新待发列表。"
    next_en = "Look at the list again."
