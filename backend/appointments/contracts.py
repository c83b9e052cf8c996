"""Commands, states, views and refusals of appointments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.appointments.clinic_contracts import ClinicView
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.states import StateTable
from backend.people.contracts import PersonView


class AppointmentState(StrEnum):
    """Where an appointment stands."""

    HELD = "HELD"
    """The seat is kept for a while, to be paid or confirmed."""
    BOOKED = "BOOKED"
    CHECKED_IN = "CHECKED_IN"
    SEEN = "SEEN"
    CANCELLED = "CANCELLED"
    LAPSED = "LAPSED"
    """It was neither paid nor confirmed in time."""
    STOPPED = "STOPPED"
    """The clinic does not take place."""
    MISSED = "MISSED"
    """Nobody came (爽约)."""


class AppointmentEvent(StrEnum):
    """What can happen to an appointment."""

    CONFIRM = "CONFIRM"
    LAPSE = "LAPSE"
    CANCEL = "CANCEL"
    STOP = "STOP"
    ARRIVE = "ARRIVE"
    SEE = "SEE"
    MISS = "MISS"
    EXCUSE = "EXCUSE"
    """The hospital says that there was a reason; it does not count and the fee goes back."""
    CORRECT = "CORRECT"
    """The hospital says that the patient was there after all."""


_S, _E = AppointmentState, AppointmentEvent
APPOINTMENT_STATES: StateTable[AppointmentState, AppointmentEvent] = StateTable(
    name="appointment",
    title="预约挂号 an appointment",
    initial=(_S.HELD, _S.BOOKED),
    moves={
        (_S.HELD, _E.CONFIRM): _S.BOOKED,
        (_S.HELD, _E.LAPSE): _S.LAPSED,
        (_S.HELD, _E.CANCEL): _S.CANCELLED,
        (_S.HELD, _E.STOP): _S.STOPPED,
        (_S.BOOKED, _E.CANCEL): _S.CANCELLED,
        (_S.BOOKED, _E.STOP): _S.STOPPED,
        (_S.BOOKED, _E.ARRIVE): _S.CHECKED_IN,
        (_S.BOOKED, _E.MISS): _S.MISSED,
        (_S.CHECKED_IN, _E.SEE): _S.SEEN,
        (_S.CHECKED_IN, _E.STOP): _S.STOPPED,
        (_S.MISSED, _E.EXCUSE): _S.CANCELLED,
        (_S.MISSED, _E.CORRECT): _S.SEEN,
    },
)


class WaitingState(StrEnum):
    """Where somebody on a waiting list stands."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    """A seat is held for them."""
    TAKEN = "TAKEN"
    PASSED = "PASSED"
    """They let the offer pass."""
    LEFT = "LEFT"
    CLOSED = "CLOSED"
    """The clinic began, or was stopped, with no seat for them."""


class WaitingEvent(StrEnum):
    """What can happen to a place on a waiting list."""

    OFFER = "OFFER"
    TAKE = "TAKE"
    MISS = "MISS"
    LEAVE = "LEAVE"
    CLOSE = "CLOSE"


_W, _V = WaitingState, WaitingEvent
WAITING_STATES: StateTable[WaitingState, WaitingEvent] = StateTable(
    name="waiting",
    title="候补 a place on a waiting list",
    initial=(_W.WAITING,),
    moves={
        (_W.WAITING, _V.OFFER): _W.OFFERED,
        (_W.WAITING, _V.LEAVE): _W.LEFT,
        (_W.WAITING, _V.CLOSE): _W.CLOSED,
        (_W.OFFERED, _V.TAKE): _W.TAKEN,
        (_W.OFFERED, _V.MISS): _W.PASSED,
        (_W.OFFERED, _V.CLOSE): _W.CLOSED,
    },
)


class RefundState(StrEnum):
    """What becomes of a fee that was paid for an appointment that does not take place."""

    NONE = "NONE"
    DUE = "DUE"
    """It goes back by itself; where that is refused, the hospital's counter gives it back."""
    DONE = "DONE"
    AT_COUNTER = "AT_COUNTER"
    """Insurance and account are made good; the hospital's window has the cash."""


@dataclass(frozen=True)
class Book:
    """Somebody books a seat for themselves or a relative. ``starts_at``: of which stretch; any if ``None``."""

    actor: Actor
    person_id: str
    clinic_id: str
    starts_at: datetime | None
    request_id: str


@dataclass(frozen=True)
class BookAtWindow:
    """A hospital's window books for whoever's code it has scanned; its own seats come first."""

    actor: Actor
    token: str
    number: str
    starts_at: datetime | None
    request_id: str


@dataclass(frozen=True)
class ChangeAppointment:
    """Whoever has an appointment, or acts for them, confirms a seat that is held, or cancels."""

    actor: Actor
    appointment_id: str
    request_id: str


@dataclass(frozen=True)
class ReceivePatient:
    """A hospital says what became of an appointment: arrived, seen, cancelled for the patient, excused."""

    actor: Actor
    appointment_id: str
    event: AppointmentEvent
    words: str
    request_id: str


@dataclass(frozen=True)
class JoinWaiting:
    """Somebody asks for the next seat that becomes free."""

    actor: Actor
    person_id: str
    clinic_id: str
    request_id: str


@dataclass(frozen=True)
class LeaveWaiting:
    """Somebody waits no longer."""

    actor: Actor
    waiting_id: str
    request_id: str


@dataclass(frozen=True)
class AppointmentStep:
    """Something that happened to an appointment."""

    at: datetime
    event: AppointmentEvent
    state: AppointmentState
    words: str


@dataclass(frozen=True)
class AppointmentView:
    """An appointment.

    ``queue_number`` of the clinic. ``hold_until``: until when the seat is kept while it is held;
    ``charge_id``: the charge to be paid for it. ``cancel_by`` and ``arrive_by`` as the rules were when it
    was booked.
    """

    id: str
    state: AppointmentState
    clinic: ClinicView
    person: PersonView
    queue_number: int
    starts_at: datetime
    ends_at: datetime
    hold_until: datetime | None
    charge_id: str | None
    cancel_by: datetime
    arrive_by: datetime
    refund: RefundState
    refund_problem: str
    created_at: datetime
    steps: tuple[AppointmentStep, ...]


@dataclass(frozen=True)
class WaitingView:
    """A place on a waiting list. ``ahead``: how many are before; ``appointment_id``: what was offered."""

    id: str
    state: WaitingState
    clinic: ClinicView
    person: PersonView
    ahead: int
    appointment_id: str | None
    created_at: datetime


class BarReason(StrEnum):
    """Why somebody cannot book for a while."""

    MISSED = "MISSED"
    CANCELLED = "CANCELLED"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _BARS[self.value][0 if locale is Locale.ZH else 1]


_BARS = {
    "MISSED": ("多次预约后未就诊", "appointments that were missed"),
    "CANCELLED": ("多次取消预约", "appointments that were cancelled"),
}


@dataclass(frozen=True)
class BarView:
    """Until which day, included, and why somebody cannot book at a hospital."""

    until: date
    reason: BarReason


@dataclass(frozen=True)
class ClinicNotFound(Refusal):
    """There is no such clinic, or it does not take place any more."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这个号源，或它已停诊、已开诊。"
    en = "There is no such clinic, or it was stopped, or has begun."
    next_zh = "请刷新后另选时间或医生。"
    next_en = "Choose another time or doctor."


@dataclass(frozen=True)
class ClinicNotOpenYet(Refusal):
    """The clinic is not released yet."""

    zh = "这个号源将于{opens_at}放号。"
    en = "This clinic opens at {opens_at}."
    next_zh = "请在放号后预约。"
    next_en = "Book it then."
    opens_at: datetime


@dataclass(frozen=True)
class ClinicFull(Refusal):
    """No seat is left, or those that become free belong to whoever waits."""

    zh = "号已约满；目前有{waiting}人候补。"
    en = "No seat is left; {waiting} are waiting."
    next_zh = "可以加入候补，有人退号时按先后顺序分配并通知您；或另选时间、医生。"
    next_en = "Join the waiting list, which gives out seats in its order, or choose another clinic."
    waiting: int


@dataclass(frozen=True)
class BookedAlready(Refusal):
    """Somebody has an appointment, or waits, for the same thing on that day."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "当天在{department}已有预约或候补，不能重复。"
    en = "There is an appointment or a place on the list of {department} on that day already."
    next_zh = "如需更改，请先取消原来的预约或候补。"
    next_en = "Cancel that one first."
    department: str


@dataclass(frozen=True)
class BookingBarred(Refusal):
    """By the hospital's rules somebody cannot book for a while."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "因{reason}，按该院规则到{last_day}为止不能线上预约。"
    en = "For {reason}, the hospital's rules allow no booking up to {last_day}."
    next_zh = "急症请直接前往急诊；可以到医院窗口挂号，记录有误请向该院申诉。"
    next_en = "Emergencies need none; the hospital's window books, and mends what is wrong."
    reason: BarReason
    last_day: date


@dataclass(frozen=True)
class TooYoung(Refusal):
    """The hospital books for older patients only."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "该院线上预约须年满{minimum_age}岁。"
    en = "This hospital books from the age of {minimum_age}."
    next_zh = "请选择儿童医院或儿科门诊，或到医院窗口挂号。"
    next_en = "Choose a children's hospital, or ask at the window."
    minimum_age: int


@dataclass(frozen=True)
class AppointmentNotFound(Refusal):
    """There is no such appointment for the caller, or this cannot happen to it now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这个预约，或它现在不能这样处理。"
    en = "There is no such appointment, or this cannot be done to it now."
    next_zh = "请刷新后查看它的状态。"
    next_en = "Look at it as it stands now."


@dataclass(frozen=True)
class CancelTooLate(Refusal):
    """The time in which an appointment can be cancelled is over."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "已过取消时限（{cancel_by}）。"
    en = "It could be cancelled until {cancel_by}."
    next_zh = "请致电医院，由医院窗口为您取消。"
    next_en = "Call the hospital; its window can cancel it for you."
    cancel_by: datetime


@dataclass(frozen=True)
class AppointmentBeingPaid(Refusal):
    """The fee is being paid at this moment."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "挂号费正在支付中，暂不能取消或确认。"
    en = "The fee is being paid at this moment."
    next_zh = "请先取消支付，或稍后再试；已支付的取消后自动退回。"
    next_en = "Cancel the payment, or try again soon; what was paid goes back when it is cancelled."


@dataclass(frozen=True)
class FeeUnpaid(Refusal):
    """A seat that is to be paid first is confirmed by paying."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这个号须先支付挂号费才能确认。"
    en = "This seat is confirmed by paying its fee."
    next_zh = "请在限时内支付，支付后自动确认。"
    next_en = "Pay it in time; that confirms it."


@dataclass(frozen=True)
class WaitingNotPossible(Refusal):
    """Nobody can join this waiting list now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "现在不能候补：仍有余号、该院未开放候补，或候补人数已满。"
    en = "Nobody can join this list: there are seats, or no list, or it is full."
    next_zh = "有余号时请直接预约；否则请另选时间或医生。"
    next_en = "Book where there are seats, or choose another clinic."


@dataclass(frozen=True)
class WaitingNotFound(Refusal):
    """There is no such place on a list for the caller, or it is over."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这条候补，或它已结束。"
    en = "There is no such place on a list, or it is over."
    next_zh = "请刷新后查看。"
    next_en = "Look again."
