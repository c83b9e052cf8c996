"""Entitlements and capitation as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen
from backend.people.contracts import InsuranceType


@dataclass(frozen=True)
class ChronicForm:
    """What is applied for: a listed disease, looked at first by experts of a hospital that may do so."""

    disease: str
    hospital_code: str


class EntitlementState(StrEnum):
    """Where an entitlement stands. All of it is a matter of the clock."""

    ACTIVE = "ACTIVE"
    REVIEW_DUE = "REVIEW_DUE"
    """It runs out soon and may be renewed."""
    TO_COME = "TO_COME"
    ENDED = "ENDED"


@dataclass(frozen=True)
class ChronicView:
    """Somebody may have a disease treated as 门诊慢特病. ``cross_province``: settled directly elsewhere too.

    ``renew_from``: from which day its renewal may be applied for; ``None`` where it has no end.
    """

    id: str
    enrolment_id: str
    disease: str
    starts: date
    ends: date | None
    hospital_id: str | None
    state: EntitlementState
    renew_from: date | None
    cross_province: bool


class ChronicProblem(StrEnum):
    """Why a chronic disease cannot be applied for like this."""

    UNKNOWN_DISEASE = "UNKNOWN_DISEASE"
    HOSPITAL_NOT_FIT = "HOSPITAL_NOT_FIT"
    ENTITLED_ALREADY = "ENTITLED_ALREADY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _CHRONIC[self.value][0 if locale is Locale.ZH else 1]


_CHRONIC = {
    "UNKNOWN_DISEASE": (
        "参保地的门诊慢特病病种中没有这个病",
        "the insured area does not list this disease",
    ),
    "HOSPITAL_NOT_FIT": (
        "所选医院不能受理门诊慢特病认定",
        "the hospital cannot take this application",
    ),
    "ENTITLED_ALREADY": (
        "这个病种已经认定，还没有到复审的时候",
        "the disease is on file, and its renewal is not due yet",
    ),
}


@dataclass(frozen=True)
class ChronicNotPossible(Refusal):
    """A chronic disease cannot be applied for like this."""

    problem: ChronicProblem
    zh = "不能这样申请门诊慢特病：{problem}。"
    en = "It cannot be applied for like this: {problem}."
    next_zh = "请从列出的病种和认定医院中选择；草稿不会丢失。"
    next_en = "Choose one of the listed diseases and hospitals; a draft is not lost."


@dataclass(frozen=True)
class CapitationAgreement:
    """A patient on peritoneal dialysis signed with a pilot hospital.

    It takes effect with the month after it was entered (PD-1). ``suspended_months`` are months in which
    it rested, as first days.
    """

    id: str
    enrolment_id: str
    institution_id: str
    entered_on: date
    effective_from: date
    ends: date
    suspended_months: tuple[date, ...] = ()

    def signed_in(self, month: date) -> bool:
        """Tell whether the agreement stands in a month, given by its first day."""
        return self.effective_from <= month <= self.ends


class CapitationAct(StrEnum):
    """What a patient asks of a capitation agreement."""

    SIGN = "SIGN"
    CHANGE = "CHANGE"
    """To another pilot hospital."""
    REST = "REST"
    """Some months do not count."""
    RESUME = "RESUME"
    """Months that were to rest count after all."""


@dataclass(frozen=True)
class CapitationForm:
    """What is asked. ``hospital_code``: of signing and changing; ``months``, as first days, of the others.

    ``words``: why, of changing and resting.
    """

    act: CapitationAct
    hospital_code: str = ""
    months: tuple[date, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class PilotSeats:
    """A pilot hospital of an insured area. ``free`` seats in the month asked about."""

    institution_id: str
    seats: int
    free: int


class CapitationProblem(StrEnum):
    """Why something cannot be asked of a capitation agreement."""

    NO_DISEASE = "NO_DISEASE"
    NO_PILOT = "NO_PILOT"
    NO_SEAT = "NO_SEAT"
    SIGNED_ALREADY = "SIGNED_ALREADY"
    NOT_SIGNED = "NOT_SIGNED"
    SAME_HOSPITAL = "SAME_HOSPITAL"
    MONTHS = "MONTHS"
    WORDS = "WORDS"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _CAPITATION[self.value][0 if locale is Locale.ZH else 1]


_CAPITATION = {
    "NO_DISEASE": ("没有肾透析的门诊慢特病认定", "dialysis is not on file as a chronic disease"),
    "NO_PILOT": ("所选医院不是参保地的试点医院", "the hospital is no pilot of the insured area"),
    "NO_SEAT": ("试点医院的签约名额已满", "the pilot hospital has no seat left"),
    "SIGNED_ALREADY": ("已有生效或即将生效的协议", "an agreement stands already"),
    "NOT_SIGNED": ("这些月份没有协议", "there is no agreement in these months"),
    "SAME_HOSPITAL": ("已与这家医院签约", "it is signed with this hospital already"),
    "MONTHS": (
        "请选择本月起、尚未清算且状态相符的整月",
        "choose whole months from this one on that are not cleared and not so already",
    ),
    "WORDS": ("请写明原因", "say why"),
}


@dataclass(frozen=True)
class CapitationNotPossible(Refusal):
    """A capitation agreement does not allow what is asked."""

    problem: CapitationProblem
    zh = "按人头付费协议不能这样申请：{problem}。"
    en = "The capitation agreement does not allow this: {problem}."
    next_zh = "请从列出的试点医院和月份中选择；草稿不会丢失。"
    next_en = "Choose one of the listed hospitals and months; a draft is not lost."


@dataclass(frozen=True)
class Pilot:
    """A pilot hospital as the fund of one area and insurance type pays it: what is cleared together."""

    institution_id: str
    area_code: str
    insurance_type: InsuranceType


@dataclass(frozen=True)
class SignedMonth:
    """What a month of one signed person came to.

    ``patient_fen`` is the patient's share at the pilot hospital by the policy of the day, of the actual
    cost; ``booked_fen`` what the settlements there have booked to the fund already; ``referred_fen``
    what the fund paid elsewhere after a referral by the pilot hospital.
    """

    agreement_id: str
    in_hospital: bool
    suspended: bool
    cost_fen: Fen
    patient_fen: Fen
    booked_fen: Fen
    referred_fen: Fen


@dataclass(frozen=True)
class MonthClearing:
    """What the fund owes a pilot hospital for a month.

    ``due = max(0, capitation - patients' shares - referred out)``; ``to_post = due - booked`` is what is
    still to be posted, negative where the settlements booked more than the capitation allows.
    """

    headcount: int
    left_out: int
    capitation_fen: Fen
    patient_fen: Fen
    referred_fen: Fen
    due_fen: Fen
    booked_fen: Fen
    to_post_fen: Fen


@dataclass(frozen=True)
class YearClearing:
    """What a year of capitation came to at a pilot hospital.

    ``surplus_fen`` is the hospital's to keep, ``overspend_fen`` its own to bear; ``deduction_fen`` is
    taken off for missed quality targets.
    """

    capitation_fen: Fen
    cost_fen: Fen
    due_fen: Fen
    deduction_fen: Fen
    final_fen: Fen
    surplus_fen: Fen
    overspend_fen: Fen


@dataclass(frozen=True)
class ClearingNotPossible(Refusal):
    """A month or a year of capitation cannot be cleared now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "{period}不能清算：{reason}。"
    en = "{period} cannot be cleared: {reason}."
    next_zh = "请核对清算期间：每月、每年只清算一次，期满后办理，年度清算须各月均已清算。"
    next_en = (
        "Each month and each year is cleared once, after its end, and a year after all its months."
    )
    period: str
    reason: str


@dataclass(frozen=True)
class AgreementNotPossible(Refusal):
    """A capitation agreement cannot be signed or rest as asked."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "按人头付费协议不能这样办理：{reason}。"
    en = "The capitation agreement does not allow this: {reason}."
    next_zh = "请核对协议、参保人和月份。"
    next_en = "Check the agreement, the insured person and the month."
    reason: str
