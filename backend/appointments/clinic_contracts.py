"""What a hospital says of its clinics: its rules of booking, clinics with their seats, and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import Fen


class ClinicKind(StrEnum):
    """普通门诊 or 专家门诊."""

    ORDINARY = "ORDINARY"
    EXPERT = "EXPERT"


class OnePer(StrEnum):
    """What somebody may have one appointment for on a day."""

    DEPARTMENT = "DEPARTMENT"
    DOCTOR = "DOCTOR"


@dataclass(frozen=True)
class CancelRule:
    """Until when an appointment may be cancelled by whoever has it.

    ``at`` a time of day, some days before the appointment's day (working days where ``workdays``); or,
    where ``at`` is ``None``, some minutes before its seat begins.
    """

    at: time | None
    days_before: int = 0
    workdays: bool = False
    minutes_before: int = 0


@dataclass(frozen=True)
class BarRule:
    """So many within so many days bar somebody from booking for some days.

    ``within_days`` 0: within one calendar month; ``barred_days`` 0: until the end of that month.
    """

    count: int
    within_days: int
    barred_days: int


@dataclass(frozen=True)
class BookingRules:
    """A hospital's rules of booking. They differ from hospital to hospital; there is no default.

    ``horizon_days`` before its day a clinic opens, at ``release_at``. ``pay_first``: a seat is held for
    ``hold_minutes`` and is the patient's once the fee is paid. ``arrive_morning`` and
    ``arrive_afternoon``: by when to be there, ``None`` for the end of the clinic. ``offer_minutes``: how
    long a seat is held for whoever is next on the waiting list, which takes ``waiting_max``.
    """

    horizon_days: int
    release_at: time
    one_per: OnePer
    minimum_age: int
    pay_first: bool
    hold_minutes: int
    cancel_ordinary: CancelRule
    cancel_expert: CancelRule
    arrive_morning: time | None = None
    arrive_afternoon: time | None = None
    missed: tuple[BarRule, ...] = ()
    cancelled: tuple[BarRule, ...] = ()
    waiting_max: int = 0
    offer_minutes: int = 30


@dataclass(frozen=True)
class SetRules:
    """A hospital sets its rules; they count for what is booked from now on."""

    actor: Actor
    rules: BookingRules
    request_id: str


@dataclass(frozen=True)
class RulesView:
    """A hospital's rules and since when they count."""

    institution: InstitutionView
    rules: BookingRules
    since: datetime


@dataclass(frozen=True)
class SeatBlock:
    """Seats of one stretch of a clinic. ``at_window`` of them are given out at the hospital alone."""

    begins: time
    ends: time
    seats: int
    at_window: int = 0


@dataclass(frozen=True)
class ClinicPlan:
    """A doctor's or a department's half-day as the hospital plans it; ``number`` is the hospital's own."""

    number: str
    day: date
    kind: ClinicKind
    department_code: str
    department: str
    doctor_code: str
    doctor: str
    title: str
    place: str
    fee_code: str
    fee_fen: Fen
    blocks: tuple[SeatBlock, ...]


@dataclass(frozen=True)
class PublishClinics:
    """A hospital publishes clinics, or changes them; all of them or none."""

    actor: Actor
    clinics: tuple[ClinicPlan, ...]
    request_id: str


@dataclass(frozen=True)
class StopClinic:
    """A clinic does not take place (停诊). Whoever has a seat is told and gets the fee back."""

    actor: Actor
    number: str
    reason: str
    request_id: str


@dataclass(frozen=True)
class ClinicView:
    """A clinic. ``opens_at``: from when it can be booked; ``free``: seats left for the phone."""

    id: str
    number: str
    institution: InstitutionView
    day: date
    starts_at: datetime
    ends_at: datetime
    kind: ClinicKind
    department_code: str
    department: str
    doctor_code: str
    doctor: str
    title: str
    place: str
    fee_code: str
    fee_fen: Fen
    opens_at: datetime
    stopped: bool
    stop_reason: str
    seats: int
    free: int
    free_at_window: int
    waiting: int


@dataclass(frozen=True)
class ClinicsPublished:
    """What was published."""

    clinics: tuple[ClinicView, ...] = field(default=())


@dataclass(frozen=True)
class SeatTime:
    """A stretch of a clinic with what is left of it for the phone."""

    starts_at: datetime
    ends_at: datetime
    free: int


class RulesProblem(StrEnum):
    """What is wrong with rules of booking."""

    HORIZON = "HORIZON"
    HOLD = "HOLD"
    AGE = "AGE"
    CANCEL = "CANCEL"
    BAR = "BAR"
    WAITING = "WAITING"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _RULES[self.value][0 if locale is Locale.ZH else 1]


_RULES = {
    "HORIZON": ("预约周期应为1至90天", "a clinic opens 1 to 90 days before"),
    "HOLD": ("占号时间应为5至60分钟", "a seat is held for 5 to 60 minutes"),
    "AGE": ("最低年龄应为0至18岁", "the lowest age is 0 to 18"),
    "CANCEL": (
        "取消时限应在就诊前30天以内；按时刻或按分钟，二选一",
        "cancelling ends at a time of day or some minutes before, within 30 days",
    ),
    "BAR": (
        "限约规则的次数应为1至20、期间不超过366天",
        "a bar takes 1 to 20 within up to 366 days",
    ),
    "WAITING": (
        "候补人数应为0至500、应答时间5至720分钟",
        "a list takes 0 to 500, an offer stands for 5 to 720 minutes",
    ),
}


@dataclass(frozen=True)
class BookingRulesInvalid(Refusal):
    """Rules of booking do not make sense."""

    zh = "预约规则有误：{problem}。"
    en = "These rules make no sense: {problem}."
    next_zh = "请更正后重新提交，原规则继续有效。"
    next_en = "Mend them and send them again; the former ones stay in force."
    problem: RulesProblem


class ClinicProblem(StrEnum):
    """What is wrong with a clinic as it was published."""

    NO_RULES = "NO_RULES"
    NONE = "NONE"
    NAMES = "NAMES"
    DAY = "DAY"
    SEATS = "SEATS"
    TIMES = "TIMES"
    FEE = "FEE"
    TAKEN = "TAKEN"
    STOPPED = "STOPPED"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _CLINICS[self.value][0 if locale is Locale.ZH else 1]


_CLINICS = {
    "NO_RULES": ("请先设置本院预约规则", "the hospital has set no rules yet"),
    "NONE": ("每次应提交1至50个不同的号源", "send 1 to 50 different clinics"),
    "NAMES": ("编号、科室必填，各项不超过60字", "number and department are missing or too long"),
    "DAY": ("出诊日期应在今天至90天内", "its day lies within 90 days from today"),
    "SEATS": ("号源数应为1至500，窗口号不超过总数", "there are 1 to 500 seats"),
    "TIMES": ("时段应依次排列、不重叠", "its stretches follow each other"),
    "FEE": ("收费项目不在医保目录，或金额有误", "its fee is no item of the catalogue"),
    "TAKEN": ("已约出的号序或时间不能改动", "seats that are taken keep number and time"),
    "STOPPED": ("已停诊，请用新编号发布", "it was stopped; publish another number"),
}


@dataclass(frozen=True)
class ClinicInvalid(Refusal):
    """A clinic cannot be published like this; none of the same request was."""

    zh = "号源“{clinic_number}”有误：{problem}。"
    en = "Clinic {clinic_number} cannot be published: {problem}."
    next_zh = "请更正后整批重新提交，本次没有任何号源生效。"
    next_en = "Mend it and send all of them again; none of this request counts."
    clinic_number: str
    problem: ClinicProblem
