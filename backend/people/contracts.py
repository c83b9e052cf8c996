"""Insured persons as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry
from backend.kernel.masking import MaskedName, MaskedNumber
from backend.kernel.money import Fen
from backend.people.document_contracts import DocumentInput


class InsuranceType(StrEnum):
    """险种 (``insutype``)."""

    EMPLOYEE = "EMPLOYEE"
    RESIDENT = "RESIDENT"

    @property
    def national_code(self) -> str:
        """Return the code of the national interface."""
        return {"EMPLOYEE": "310", "RESIDENT": "390"}[self.value]


class PersonKind(StrEnum):
    """What kind of insured person somebody is (``psn_type``, coarser)."""

    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"
    RESIDENT_ADULT = "RESIDENT_ADULT"
    STUDENT_OR_CHILD = "STUDENT_OR_CHILD"
    UNIVERSITY_STUDENT = "UNIVERSITY_STUDENT"


class AccountKind(StrEnum):
    """Whether an enrolment comes with a personal account."""

    COMBINED = "COMBINED"
    """统账结合: pool and personal account."""
    POOL_ONLY = "POOL_ONLY"
    """单建统筹: pool without account."""
    NONE = "NONE"
    """Residents have no account."""


class BenefitStatus(StrEnum):
    """待遇状态 on a day."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    WAITING = "WAITING"
    ENDED = "ENDED"


@dataclass(frozen=True)
class Particulars:
    """Who somebody is, in the clear. Never leaves the server; only masked forms do.

    ``id_number`` is the master index; it is empty for who has only other documents, as a newborn has.
    """

    name: str
    id_number: str
    birth_date: date
    sex: str
    phone: str


@dataclass(frozen=True)
class EnrolmentView:
    """One enrolment as it stood on a day."""

    id: str
    person_id: str
    person_number: str
    area_code: str
    insurance_type: InsuranceType
    person_kind: PersonKind
    account_kind: AccountKind
    status: BenefitStatus
    status_from: date
    status_until: date | None
    contribution_base_fen: Fen
    tier: str = ""
    civil_servant: bool = False
    division_code: str = ""


@dataclass(frozen=True)
class PeriodView:
    """A stretch of an enrolment with one status."""

    starts: date
    ends: date | None
    status: BenefitStatus
    tier: str


@dataclass(frozen=True)
class PersonView:
    """A person as a screen may show them."""

    id: str
    masked_name: MaskedName
    masked_id_number: MaskedNumber
    masked_phone: MaskedNumber
    age: int


class Identity(StrEnum):
    """救助身份: what medical aid and the tilt of critical-illness insurance look at."""

    EXTREME_POVERTY = "EXTREME_POVERTY"
    """特困人员."""
    ORPHAN = "ORPHAN"
    """孤儿, 事实无人抚养儿童."""
    MINIMUM_LIVING = "MINIMUM_LIVING"
    """低保对象."""
    RETURNED_TO_POVERTY = "RETURNED_TO_POVERTY"
    """返贫致贫人口."""
    MINIMUM_LIVING_EDGE = "MINIMUM_LIVING_EDGE"
    """低保边缘家庭成员."""
    POVERTY_MONITORED = "POVERTY_MONITORED"
    """防止返贫监测对象."""
    ILLNESS_POVERTY = "ILLNESS_POVERTY"
    """因病致贫重病患者."""
    REGISTERED_POOR = "REGISTERED_POOR"
    """建档立卡贫困人口."""


class NoticeBy(StrEnum):
    """How somebody wants to be told."""

    MESSAGE = "MESSAGE"
    CALL = "CALL"
    """The message is read to them on the phone."""


@dataclass(frozen=True)
class Preferences:
    """What somebody has chosen. It belongs to the person and goes to every device.

    ``elder_mode``: fewer and larger things, read aloud; ``elder_mode_offered``: old enough to be asked.
    """

    person_id: str
    elder_mode: bool
    elder_mode_offered: bool
    notice_by: NoticeBy


@dataclass(frozen=True)
class SetPreferences:
    """A person chooses."""

    actor: Actor
    elder_mode: bool
    notice_by: NoticeBy


@dataclass(frozen=True)
class Circumstances:
    """What rules beyond basic insurance ask about a person on a day."""

    age: int
    identities: tuple[str, ...]
    products: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class IdentityInput:
    """An identity that the civil affairs authority reports."""

    identity: Identity
    starts: date
    ends: date | None


@dataclass(frozen=True)
class SupplementInput:
    """A supplement that its insurer reports."""

    product: str
    starts: date
    ends: date
    continuous: bool


@dataclass(frozen=True)
class EnrolmentPeriodInput:
    """A stretch of time with one status."""

    starts: date
    ends: date | None
    status: BenefitStatus
    person_kind: PersonKind
    tier: str = ""


@dataclass(frozen=True)
class EnrolmentInput:
    """An enrolment to register."""

    area_code: str
    insurance_type: InsuranceType
    account_kind: AccountKind
    contribution_base_fen: Fen
    periods: tuple[EnrolmentPeriodInput, ...]
    civil_servant: bool = False
    division_code: str = ""


@dataclass(frozen=True)
class RegisterPerson:
    """A person with enrolments, as the insurance authority reports them.

    Who has no ID number has at least one other document.
    """

    particulars: Particulars
    enrolments: tuple[EnrolmentInput, ...]
    identities: tuple[IdentityInput, ...] = ()
    supplements: tuple[SupplementInput, ...] = ()
    documents: tuple[DocumentInput, ...] = ()


@dataclass(frozen=True)
class IdNumberInvalid(Refusal):
    """The ID number has a wrong length, date or check digit."""

    zh = "身份证号码不正确：长度、出生日期或校验位有误。"
    en = "The ID number is wrong: its length, its date or its check digit."
    next_zh = "请对照证件逐位核对后重新填写。"
    next_en = "Compare it with the document, digit by digit, and enter it again."


@dataclass(frozen=True)
class PersonKnown(Refusal):
    """Somebody of another name has this ID number already; records are never merged silently."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "该证件已登记，不重复建档。"
    en = "This document is registered already."
    next_zh = "如属重复档案，请由经办人员核对后合并。"
    next_en = "If there are two records, a clerk compares and merges them."
