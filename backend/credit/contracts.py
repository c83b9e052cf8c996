"""Pay-later agreements as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.rulebook.contracts import RuleRef


class PayLaterState(StrEnum):
    """State of a pay-later agreement."""

    SIGNED = "SIGNED"
    """In hospital without a deposit; nothing is owed yet."""
    OWING = "OWING"
    """Discharged; instalments are due."""
    OVERDUE = "OVERDUE"
    """An instalment was missed; the patient has been told and has time to pay or object."""
    DEFAULTED = "DEFAULTED"
    """On the default list after due process; benefits pause, emergencies excepted."""
    PAID = "PAID"
    CANCELLED = "CANCELLED"


class PayLaterEvent(StrEnum):
    """What can happen to it."""

    DISCHARGE = "DISCHARGE"
    DISCHARGE_WITHOUT_DEBT = "DISCHARGE_WITHOUT_DEBT"
    MISS = "MISS"
    PAY = "PAY"
    PAY_ALL = "PAY_ALL"
    EXTEND = "EXTEND"
    LIST = "LIST"
    CANCEL = "CANCEL"
    REVERSE_DISCHARGE = "REVERSE_DISCHARGE"


_S, _E = PayLaterState, PayLaterEvent
PAY_LATER_STATES: StateTable[PayLaterState, PayLaterEvent] = StateTable(
    name="pay_later",
    title="先诊疗后付费 (pay later)",
    initial=(_S.SIGNED,),
    moves={
        (_S.SIGNED, _E.DISCHARGE): _S.OWING,
        (_S.SIGNED, _E.DISCHARGE_WITHOUT_DEBT): _S.PAID,
        (_S.SIGNED, _E.CANCEL): _S.CANCELLED,
        (_S.OWING, _E.REVERSE_DISCHARGE): _S.SIGNED,
        (_S.PAID, _E.REVERSE_DISCHARGE): _S.SIGNED,
        (_S.OWING, _E.PAY): _S.OWING,
        (_S.OWING, _E.PAY_ALL): _S.PAID,
        (_S.OWING, _E.MISS): _S.OVERDUE,
        (_S.OVERDUE, _E.PAY): _S.OWING,
        (_S.OVERDUE, _E.PAY_ALL): _S.PAID,
        (_S.OVERDUE, _E.EXTEND): _S.OWING,
        (_S.OVERDUE, _E.LIST): _S.DEFAULTED,
        (_S.DEFAULTED, _E.PAY): _S.DEFAULTED,
        (_S.DEFAULTED, _E.PAY_ALL): _S.PAID,
    },
)


@dataclass(frozen=True)
class Entitlement:
    """Whether somebody is admitted without a deposit, and by which rule."""

    entitled: bool
    reason: str
    ref: RuleRef


@dataclass(frozen=True)
class Instalment:
    """A part of the debt and the day by which it is due."""

    number: int
    due_on: date
    amount_fen: Fen


@dataclass(frozen=True)
class PayLaterView:
    """An agreement as it stands."""

    id: str
    person_id: str
    enrolment_id: str
    institution_id: str
    stay_id: str
    state: PayLaterState
    signed_on: date
    debt_fen: Fen
    paid_fen: Fen
    instalments: tuple[Instalment, ...]
    told_on: date | None
    objected_on: date | None = None
    objection: str = ""
    """What the patient has to say against it; while nobody has answered, nothing is listed."""
    answer: str = ""

    @property
    def open_fen(self) -> Fen:
        """Return what is still owed."""
        return Fen(self.debt_fen - self.paid_fen)


@dataclass(frozen=True)
class ObjectToDebt:
    """The patient, or who files for them, says why a debt is wrong or cannot be paid in time."""

    actor: Actor
    agreement_id: str
    words: str
    request_id: str


@dataclass(frozen=True)
class PayInstalment:
    """The hospital's window takes a payment of a debt."""

    actor: Actor
    agreement_id: str
    amount_fen: Fen
    request_id: str


@dataclass(frozen=True)
class DecideDebt:
    """The agency answers an objection; ``instalments`` agrees on so many new ones, 0: it stands.

    ``lists``: put it on the default list instead, which the person who answers cannot.
    """

    actor: Actor
    agreement_id: str
    instalments: int
    lists: bool
    words: str


@dataclass(frozen=True)
class PayLaterNotFound(Refusal):
    """There is no such agreement for the caller, or this cannot be done to it now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这份先诊疗后付费协议，或它现在不能这样处理。"
    en = "There is no such pay-later agreement, or this cannot be done to it now."
    next_zh = "请刷新查看协议的状态和还款计划。"
    next_en = "Look at the agreement and its instalments as they stand now."


@dataclass(frozen=True)
class DebtWordsMissing(Refusal):
    """An objection or an answer says something."""

    zh = "请写明内容，不超过500字。"
    en = "Say something, in at most 500 characters."
    next_zh = "填写后再提交。"
    next_en = "Write it and send it again."


@dataclass(frozen=True)
class PayLaterNotPossible(Refusal):
    """The agreement is past the state in which this can happen, or the figures do not fit it."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这份先诊疗后付费协议目前不能办理这一步：{reason}。"
    en = "This pay-later agreement does not allow this step now: {reason}."
    next_zh = "请查看协议的当前状态和还款计划。"
    next_en = "Look at the agreement and its instalments as they stand now."
    reason: str
