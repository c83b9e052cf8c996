"""The facts of a bill: everything that the outcome depends on, besides the law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.institutions.contracts import InstitutionKind
from backend.kernel.money import ZERO, Fen, Quantity, UnitPrice
from backend.people.contracts import AccountKind, BenefitStatus, InsuranceType, PersonKind


class CareKind(StrEnum):
    """What kind of care a bill is for; each has its own rules (``med_type``, coarser)."""

    OUTPATIENT = "OUTPATIENT"
    """普通门诊, and buying at a pharmacy."""
    CHRONIC = "CHRONIC"
    """门诊慢特病."""
    TWO_DISEASES = "TWO_DISEASES"
    """两病: high blood pressure and diabetes below the grade of 门诊慢特病."""
    INJURY = "INJURY"
    """外伤门诊 of students."""
    INPATIENT = "INPATIENT"
    """住院."""


class Route(StrEnum):
    """How a bill reaches the fund."""

    DIRECT = "DIRECT"
    """直接结算 at the place of care."""
    MANUAL = "MANUAL"
    """手工（零星）报销 where the person is insured."""


class FilingKind(StrEnum):
    """What is on file about care away from home on the day (``rloc_type``, coarser)."""

    NONE = "NONE"
    LONG_TERM_RESIDENT = "LONG_TERM_RESIDENT"
    REFERRAL = "REFERRAL"
    EMERGENCY = "EMERGENCY"
    TEMPORARY = "TEMPORARY"


class Chosen(StrEnum):
    """How a place stands to what the person has chosen (定点选定, 家庭医生签约), where the law asks."""

    CHOSEN = "CHOSEN"
    """A chosen institution, or that of the doctor team signed with."""
    REFERRED = "REFERRED"
    """Elsewhere, sent by one of those."""
    OTHER = "OTHER"
    NOTHING = "NOTHING"
    """The person has chosen nothing."""


class CapitatedCare(StrEnum):
    """How a bill stands to the person's capitation agreement, where there is one (PD-3 to PD-5)."""

    PILOT = "PILOT"
    """At the pilot hospital that the agreement is with."""
    REFERRED_OUT = "REFERRED_OUT"
    """Elsewhere, sent by the pilot hospital: paid as usual, charged to its capitation."""
    SELF_REFERRED = "SELF_REFERRED"
    """Elsewhere of the patient's own accord: the fund pays nothing."""


@dataclass(frozen=True, slots=True)
class LineInput:
    """A line of a bill with the terms of its item on the day of service.

    A negative ``quantity`` takes back what another line of the bill charged. ``terms_region`` is whose
    catalogue the terms are of. ``home_price`` is the highest price of the item in the insured area,
    where one is known. ``restriction_met`` is ``False`` where the item's restricted indication
    (限定支付范围) does not fit, ``None`` where it has none.
    """

    number: int
    code: str
    name: str
    kind: ItemKind
    item_class: ItemClass
    prepaid_share: str
    price_limit: UnitPrice | None
    terms_from: date
    illustrative: bool
    quantity: Quantity
    unit_price: UnitPrice
    terms_region: str = ""
    home_price: UnitPrice | None = None
    restriction_met: bool | None = None
    served_on: date | None = None


@dataclass(frozen=True, slots=True)
class HeldProduct:
    """A supplement that the person has bought, and whether without a gap before (连续参保)."""

    code: str
    continuous: bool


@dataclass(frozen=True, slots=True)
class Insured:
    """The insured side, on the days that the law names.

    ``age`` in full years, on the day that ``stays.age_on`` names for a stay and on the day of service
    otherwise. ``tier`` is the tier of contribution of residents, empty where there is none.
    ``identities`` are those that aid looks at (低保, 特困 …). ``benefits_paused``: 先诊疗后付费 debts
    unpaid after due process.
    """

    area_code: str
    insurance_type: InsuranceType
    person_kind: PersonKind
    account_kind: AccountKind
    status: BenefitStatus
    tier: str = ""
    age: int = 0
    civil_servant: bool = False
    identities: tuple[str, ...] = ()
    products: tuple[HeldProduct, ...] = ()
    benefits_paused: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The place of care. ``level`` is ``None`` for a pharmacy."""

    area_code: str
    kind: InstitutionKind
    level: int | None
    pooling: bool
    campus: bool

    @property
    def key(self) -> str:
        """Return the name by which the rulebook's tables know the place."""
        if self.kind is InstitutionKind.PHARMACY:
            return "PHARMACY"
        return "CAMPUS" if self.campus else f"LEVEL_{self.level}"


@dataclass(frozen=True, slots=True)
class ReferredFrom:
    """The stay that a stay continues by referral: where, after how many others, what was due there."""

    place: str
    stays_before: int
    deductible_fen: Fen


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in hospital, or a stretch of one that is settled by itself (分段结算).

    ``deductible_due_fen``, ``deductible_paid_fen`` and ``counted`` speak of earlier stretches of the
    same stay: what the whole stay demands (``None`` in its first stretch), what they consumed of it,
    and whether a year counts the stay already.
    """

    admitted_on: date
    discharged_on: date
    deductible_due_fen: Fen | None = None
    deductible_paid_fen: Fen = ZERO
    counted: bool = False
    referred_from: ReferredFrom | None = None


@dataclass(frozen=True, slots=True)
class PackageUse:
    """A disease package (按病种) or per-diem (按床日) that a bill is paid by."""

    code: str
    days: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the outcome depends on, besides the law. Stored with each settlement.

    ``used`` holds what the year has used before this bill, by counter; ``given`` the amounts that other
    payers have stated themselves. ``year`` is the year that the bill counts to. ``disease`` is the
    listed disease that the care is for. ``chosen`` is ``None`` where the law does not ask.
    """

    care: CareKind
    service_date: date
    year: int
    insured: Insured
    place: Place
    lines: tuple[LineInput, ...]
    used: Mapping[str, int] = field(default_factory=dict)
    route: Route = Route.DIRECT
    filing: FilingKind = FilingKind.NONE
    disease: str = ""
    stay: Stay | None = None
    package: PackageUse | None = None
    capitated: CapitatedCare | None = None
    chosen: Chosen | None = None
    given: Mapping[str, Fen] = field(default_factory=dict)
    account_balance_fen: Fen = ZERO
    family_balance_fen: Fen = ZERO
    use_account: bool = True


class CaseContradicts(Exception):
    """The facts of a case cannot all be true: more taken back than charged, more given than owed."""
