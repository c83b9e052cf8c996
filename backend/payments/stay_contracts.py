"""Commands, views and refusals of a stay in hospital."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.people.contracts import PersonView
from backend.settlement.case import FilingKind


class StayState(StrEnum):
    """States of a stay."""

    ADMITTED = "ADMITTED"
    DISCHARGED = "DISCHARGED"
    CANCELLED = "CANCELLED"


class StayEvent(StrEnum):
    """What can happen to a stay."""

    SETTLE_STRETCH = "SETTLE_STRETCH"
    DISCHARGE = "DISCHARGE"
    CANCEL = "CANCEL"
    REVERSE_STRETCH = "REVERSE_STRETCH"
    REVERSE_DISCHARGE = "REVERSE_DISCHARGE"


STAY_STATES: StateTable[StayState, StayEvent] = StateTable(
    name="stay",
    title="住院 the stay",
    initial=(StayState.ADMITTED,),
    moves={
        (StayState.ADMITTED, StayEvent.SETTLE_STRETCH): StayState.ADMITTED,
        (StayState.ADMITTED, StayEvent.REVERSE_STRETCH): StayState.ADMITTED,
        (StayState.ADMITTED, StayEvent.DISCHARGE): StayState.DISCHARGED,
        (StayState.ADMITTED, StayEvent.CANCEL): StayState.CANCELLED,
        (StayState.DISCHARGED, StayEvent.REVERSE_DISCHARGE): StayState.ADMITTED,
    },
)


@dataclass(frozen=True)
class AdmitPatient:
    """A hospital admits whoever's code it scanned.

    ``disease`` is the listed disease of the stay, empty for none; ``referred_from_id`` the stay that this
    one continues by referral; ``pay_later`` that the patient signs for 先诊疗后付费 where entitled.
    """

    actor: Actor
    token: str
    disease: str
    emergency: bool
    referred_from_id: str | None
    pay_later: bool
    request_id: str


@dataclass(frozen=True)
class TakeDeposit:
    """A hospital takes a deposit (预交金) for a stay."""

    actor: Actor
    stay_id: str
    amount_fen: Fen
    request_id: str


@dataclass(frozen=True)
class CancelAdmission:
    """A hospital takes back an admission of which nothing is settled; deposits are given back."""

    actor: Actor
    stay_id: str
    request_id: str


@dataclass(frozen=True)
class StayView:
    """A stay as it stands. ``deposit_waived``: the patient pays later, no deposit may be asked for.

    ``deposit_refund_fen`` is what goes back to the patient at discharge, negative where more is due than
    was left; ``None`` before, and where the patient pays later.
    """

    id: str
    state: StayState
    person: PersonView
    institution: InstitutionView
    enrolment_id: str
    admitted_on: date
    discharged_on: date | None
    disease: str
    filing: FilingKind
    deposit_fen: Fen
    deposit_refund_fen: Fen | None
    deposit_waived: bool
    pay_later_id: str | None
    stretches: int
    settled_to: date | None


@dataclass(frozen=True)
class NoInpatientCare(Refusal):
    """The institution is not designated for stays."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "{institution}没有住院定点资格，不能办理入院登记。"
    en = "{institution} is not designated for stays in hospital."
    next_zh = "请到有住院定点资格的医院办理。"
    next_en = "Go to a hospital that is."
    institution: str


@dataclass(frozen=True)
class AlreadyInHospital(Refusal):
    """The patient has an open stay; two at once cannot be."""

    zh = "患者自{admitted_on}起已有一次在院登记，尚未出院结算。"
    en = "The patient has an open stay since {admitted_on}."
    next_zh = "请先在原医院办理出院结算或撤销入院登记；转院请填写原住院。"
    next_en = "Discharge or cancel it at that hospital first; for a referral name the earlier stay."
    admitted_on: date


@dataclass(frozen=True)
class StayNotFound(Refusal):
    """There is no such stay of this hospital and patient."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "本院没有这次住院登记。"
    en = "This hospital has no such stay."
    next_zh = "请核对住院登记编号。"
    next_en = "Check the number of the stay."


@dataclass(frozen=True)
class StayNotOpen(Refusal):
    """The stay is past the state in which this can happen, or something of it is settled."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这次住院目前的状态是“{state}”，已结算{stretches}段，不能进行这一步。"
    en = "The stay is {state} with {stretches} stretches settled; this step is not possible."
    next_zh = "请查看住院登记；已结算的请从最后一段起撤销。"
    next_en = "Look at the stay; reverse the last stretch first where some are settled."
    state: str
    stretches: int


@dataclass(frozen=True)
class StretchInvalid(Refusal):
    """The last day of the stretch lies outside what can be settled now."""

    zh = "结算截止日应在{earliest}到{latest}之间。"
    en = "The last day of the stretch lies between {earliest} and {latest}."
    next_zh = "请更正截止日；跨年度分年结算的统筹区请先结算到12月31日。"
    next_en = "Correct the day; where years are settled apart, settle up to 31 December first."
    earliest: date
    latest: date


@dataclass(frozen=True)
class DepositInvalid(Refusal):
    """The deposit is not above zero, absurdly high, or may not be asked for."""

    zh = "预交金应大于0且不超过{maximum_fen}；先诊疗后付费患者不收预交金。"
    en = "A deposit is above zero and at most {maximum_fen}; pay-later patients pay none."
    next_zh = "请更正金额。"
    next_en = "Correct the amount."
    maximum_fen: Fen


@dataclass(frozen=True)
class NotEntitled(Refusal):
    """The patient has no entitlement for the disease that the bill names."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "患者今天没有“{disease}”的门诊慢特病认定。"
    en = "The patient has no entitlement for {disease} today."
    next_zh = "请按普通门诊结算，或先申请门诊慢特病认定。"
    next_en = "Settle it as ordinary outpatient care, or apply for the entitlement first."
    disease: str


@dataclass(frozen=True)
class RefundExceedsCharge(Refusal):
    """A bill takes back more of an item than it charges."""

    zh = "退费行超过了本单已收的数量：{codes}。"
    en = "The bill takes back more than it charges: {codes}."
    next_zh = "请核对退费的编码、单价和数量；已结算的费用请撤销原结算。"
    next_en = "Check code, price and quantity; what is settled already is reversed instead."
    codes: str
