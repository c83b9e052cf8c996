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
