"""Commands, states, views and refusals of prescriptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen, Quantity, UnitPrice
from backend.kernel.states import StateTable
from backend.people.contracts import PersonView


class PrescriptionState(StrEnum):
    """Where a prescription stands."""

    SIGNED = "SIGNED"
    """By the doctor; the patient has not said yet whether it may leave the hospital."""
    VALID = "VALID"
    LOCKED = "LOCKED"
    """One pharmacy has it, and no other can."""
    AUDITED = "AUDITED"
    """Its pharmacist has passed it; it can be charged and paid."""
    SETTLED = "SETTLED"
    PICKED_UP = "PICKED_UP"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    """A pharmacist has refused it; the patient goes back to the doctor."""
    DECLINED = "DECLINED"
    VOIDED = "VOIDED"
    EXPIRED = "EXPIRED"


class PrescriptionEvent(StrEnum):
    """What can happen to a prescription."""

    CONSENT = "CONSENT"
    DECLINE = "DECLINE"
    LOCK = "LOCK"
    RELEASE = "RELEASE"
    CLEAR = "CLEAR"
    OBJECT = "OBJECT"
    SETTLE = "SETTLE"
    TAKE_BACK = "TAKE_BACK"
    """Its settlement was taken back before anything was handed over."""
    PICK_UP = "PICK_UP"
    DELIVER = "DELIVER"
    NEXT_FILL = "NEXT_FILL"
    """A part of a long prescription was handed over; the next is to come."""
    VOID = "VOID"
    EXPIRE = "EXPIRE"


_S, _E = PrescriptionState, PrescriptionEvent
PRESCRIPTION_STATES: StateTable[PrescriptionState, PrescriptionEvent] = StateTable(
    name="prescription",
    title="处方流转 a prescription",
    initial=(_S.SIGNED,),
    moves={
        (_S.SIGNED, _E.CONSENT): _S.VALID,
        (_S.SIGNED, _E.DECLINE): _S.DECLINED,
        (_S.SIGNED, _E.VOID): _S.VOIDED,
        (_S.SIGNED, _E.EXPIRE): _S.EXPIRED,
        (_S.VALID, _E.LOCK): _S.LOCKED,
        (_S.VALID, _E.VOID): _S.VOIDED,
        (_S.VALID, _E.EXPIRE): _S.EXPIRED,
        (_S.LOCKED, _E.RELEASE): _S.VALID,
        (_S.LOCKED, _E.CLEAR): _S.AUDITED,
        (_S.LOCKED, _E.OBJECT): _S.REFUSED,
        (_S.LOCKED, _E.VOID): _S.VOIDED,
        (_S.AUDITED, _E.RELEASE): _S.VALID,
        (_S.AUDITED, _E.SETTLE): _S.SETTLED,
        (_S.AUDITED, _E.VOID): _S.VOIDED,
        (_S.SETTLED, _E.TAKE_BACK): _S.VALID,
        (_S.SETTLED, _E.PICK_UP): _S.PICKED_UP,
        (_S.SETTLED, _E.DELIVER): _S.DELIVERED,
        (_S.SETTLED, _E.NEXT_FILL): _S.VALID,
    },
)


@dataclass(frozen=True)
class PrescribedLine:
    """A drug as it is prescribed. ``quantity`` for each fill; ``usage``: how it is taken."""

    code: str
    quantity: Quantity
    usage: str


@dataclass(frozen=True)
class SignPrescription:
    """A hospital hands a doctor's signed prescription in, for whoever was scanned or has an appointment.

    ``signature``: number of the verification of the doctor's electronic signature. ``fills`` of
    ``fill_days`` each: more than one is a long prescription, of a listed ``disease``.
    """

    actor: Actor
    token: str
    appointment_id: str
    doctor_code: str
    doctor: str
    signature: str
    diagnosis: str
    disease: str
    lines: tuple[PrescribedLine, ...]
    fills: int
    fill_days: int
    request_id: str


@dataclass(frozen=True)
class VoidPrescription:
    """The hospital takes a prescription back."""

    actor: Actor
    prescription_id: str
    reason: str
    request_id: str


@dataclass(frozen=True)
class DecidePrescription:
    """The patient lets it leave the hospital, or not; or chooses where, and whether to have it brought."""

    actor: Actor
    prescription_id: str
    accept: bool
    pharmacy_code: str
    address: str
    request_id: str


@dataclass(frozen=True)
class TakePrescription:
    """A pharmacy locks a prescription that it was chosen for, or whose patient it has scanned, or lets go."""

    actor: Actor
    prescription_id: str
    token: str
    release: bool
    request_id: str


@dataclass(frozen=True)
class AuditPrescription:
    """The pharmacy's licensed pharmacist passes or refuses it."""

    actor: Actor
    prescription_id: str
    pharmacist_code: str
    pharmacist: str
    passes: bool
    opinion: str
    request_id: str


@dataclass(frozen=True)
class FilledLine:
    """A drug as it is dispensed: its price and the codes of its packs."""

    code: str
    quantity: Quantity
    unit_price: UnitPrice
    trace_codes: tuple[str, ...]


@dataclass(frozen=True)
class FillPrescription:
    """The pharmacy charges the patient for what it dispenses."""

    actor: Actor
    prescription_id: str
    lines: tuple[FilledLine, ...]
    request_id: str


@dataclass(frozen=True)
class HandOverDrugs:
    """The pharmacy hands the drugs over, or had them brought. ``courier``: the number of the parcel."""

    actor: Actor
    prescription_id: str
    delivered: bool
    courier: str
    request_id: str


@dataclass(frozen=True)
class Offer:
    """What a pharmacy sells a drug for, and whether it has it."""

    code: str
    unit_price: UnitPrice
    in_stock: bool


@dataclass(frozen=True)
class PublishOffers:
    """A pharmacy says what it has and for how much."""

    actor: Actor
    offers: tuple[Offer, ...]
    request_id: str


@dataclass(frozen=True)
class OffersPublished:
    """How many offers of the pharmacy count now."""

    count: int


@dataclass(frozen=True)
class LineView:
    """A drug of a prescription with its name."""

    code: str
    name: str
    quantity: Quantity
    usage: str


@dataclass(frozen=True)
class PrescriptionStep:
    """Something that happened to a prescription."""

    at: datetime
    event: PrescriptionEvent
    state: PrescriptionState
    words: str


@dataclass(frozen=True)
class PrescriptionView:
    """A prescription. ``valid_from`` lies ahead for the next fill of a long one."""

    id: str
    number: str
    state: PrescriptionState
    person: PersonView
    hospital: InstitutionView
    doctor: str
    diagnosis: str
    disease: str
    lines: tuple[LineView, ...]
    fills: int
    fills_done: int
    fill_days: int
    signed_at: datetime
    valid_from: date
    valid_until: datetime
    pharmacy: InstitutionView | None
    chosen: InstitutionView | None
    locked_until: datetime | None
    deliver: bool
    address: str
    courier: str
    charge_id: str | None
    steps: tuple[PrescriptionStep, ...]


@dataclass(frozen=True)
class PharmacyOffer:
    """A pharmacy that has all of a prescription, and what it comes to there before anybody pays a share."""

    pharmacy: InstitutionView
    total_fen: Fen
    updated_at: datetime


class PrescriptionProblem(StrEnum):
    """Why a prescription, or what is done with it, cannot be taken like this."""

    HOSPITAL = "HOSPITAL"
    PHARMACY = "PHARMACY"
    DOCTOR = "DOCTOR"
    LINES = "LINES"
    DRUG = "DRUG"
    LONG = "LONG"
    DIFFERS = "DIFFERS"
    PHARMACIST = "PHARMACIST"
    TOO_EARLY = "TOO_EARLY"
    ADDRESS = "ADDRESS"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "HOSPITAL": ("只有定点医疗机构可以开具处方", "only hospitals prescribe"),
    "PHARMACY": ("这家机构不能承接外配处方", "this place takes no prescriptions"),
    "DOCTOR": (
        "缺少医师或签名验证信息，或内容过长",
        "the doctor or the signature is missing, or something is too long",
    ),
    "LINES": ("处方须有1至5种不重复的药品，数量大于0", "a prescription has 1 to 5 drugs"),
    "DRUG": ("有药品不在医保目录中", "one of the drugs is not in the catalogue"),
    "LONG": (
        "长期处方须为门诊慢特病，总量不超过12周",
        "a long prescription is for a listed disease, and at most 12 weeks",
    ),
    "DIFFERS": ("配药与处方不一致", "what is dispensed differs from the prescription"),
    "PHARMACIST": (
        "请填写执业药师；审核不通过须写明意见",
        "name the pharmacist, and say why it is refused",
    ),
    "TOO_EARLY": ("还没到下一次取药的时间", "the next fill is not due yet"),
    "ADDRESS": ("配送地址不超过100字", "an address has at most 100 characters"),
}


@dataclass(frozen=True)
class PrescriptionNotPossible(Refusal):
    """A prescription, or what is done with it, cannot be taken like this."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "不能这样办理：{problem}。"
    en = "It cannot be done like this: {problem}."
    next_zh = "请更正后重新提交。"
    next_en = "Mend it and send it again."
    problem: PrescriptionProblem


@dataclass(frozen=True)
class PrescriptionNotFound(Refusal):
    """There is no such prescription for the caller, or this cannot be done to it now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这张处方，或它已被其他药店承接、使用、作废、过期。"
    en = "There is no such prescription, or another pharmacy has it, or it was used, voided, or ran out."
    next_zh = "请刷新查看它的状态；需要用药请咨询医生。"
    next_en = "Look at it as it stands now; ask the doctor where the drug is needed."


@dataclass(frozen=True)
class PrescriptionUsed(Refusal):
    """It cannot be voided: it is being paid, or is paid."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "处方正在支付或已结算，不能作废。"
    en = "It is being paid or is paid, and cannot be voided."
    next_zh = "请先联系{pharmacy}撤销结算，再作废处方。"
    next_en = "Ask {pharmacy} to take the settlement back first."
    pharmacy: str
