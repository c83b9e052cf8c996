"""Certificates as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.enrolment.contracts import ContributionState
from backend.kernel.errors import Locale, Refusal, Retry, Seconds
from backend.kernel.masking import MaskedName, MaskedNumber
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.people.contracts import BenefitStatus, InsuranceType, PersonKind
from backend.settlement.case import CareKind
from backend.settlement.contracts import SettlementKind


class CertificateKind(StrEnum):
    """What a certificate says."""

    ENROLMENT = "ENROLMENT"
    """参保凭证: every insurance with its months and balance, as a transfer asks for."""
    CONTRIBUTIONS = "CONTRIBUTIONS"
    """参保缴费证明 of a year."""
    SETTLEMENTS = "SETTLEMENTS"
    """医疗费用结算清单 of a year."""
    RECEIPT = "RECEIPT"
    """医保结算单 of one settlement: what was bought, who paid, and how the cash was paid. No invoice."""


class CertificateState(StrEnum):
    """Where a certificate stands."""

    VALID = "VALID"
    REVOKED = "REVOKED"
    """Whose it is took it back."""
    EXPIRED = "EXPIRED"


class CertificateEvent(StrEnum):
    """What can happen to a certificate."""

    REVOKE = "REVOKE"
    EXPIRE = "EXPIRE"


_S, _E = CertificateState, CertificateEvent
CERTIFICATE_STATES: StateTable[CertificateState, CertificateEvent] = StateTable(
    name="certificate",
    title="凭证 a certificate",
    initial=(_S.VALID,),
    moves={(_S.VALID, _E.REVOKE): _S.REVOKED, (_S.VALID, _E.EXPIRE): _S.EXPIRED},
)


@dataclass(frozen=True)
class InsuranceFacts:
    """An insurance as a certificate states it. ``balance_fen`` is ``None`` where there is no account.

    ``moved_to``: the area that its months and balance were taken along to, empty if they were not.
    """

    area_code: str
    insurance_type: InsuranceType
    person_kind: PersonKind
    person_number: str
    status: BenefitStatus
    status_from: date
    months_paid: int
    balance_fen: Fen | None
    moved_to: str = ""


@dataclass(frozen=True)
class ContributionFacts:
    """A contribution as a certificate states it."""

    area_code: str
    starts: date
    ends: date
    state: ContributionState
    base_fen: Fen
    own_fen: Fen
    others_fen: Fen
    payer: str
    paid_on: date | None
    repairs: bool = False


@dataclass(frozen=True)
class SettlementFacts:
    """A settlement, or what took one back, as a certificate states it; its parts add up to the total."""

    settled_on: date
    kind: SettlementKind
    care: CareKind
    institution: str
    total_fen: Fen
    fund_fen: Fen
    hospital_fen: Fen
    account_fen: Fen
    family_fen: Fen
    cash_fen: Fen


@dataclass(frozen=True)
class ReceiptLine:
    """A line of a settled bill. ``own_fen``: what of it no insurance counts."""

    name: str
    quantity: str
    unit_price: str
    total_fen: Fen
    own_fen: Fen


@dataclass(frozen=True)
class CashFacts:
    """How the patient's cash was paid through a channel, and what of it went back."""

    channel: str
    number: str
    trade_number: str
    paid_fen: Fen
    returned_fen: Fen


@dataclass(frozen=True)
class ReceiptFacts:
    """One settlement in full. ``cash`` is ``None`` where it was paid at the till."""

    settlement_id: str
    taken_back: bool
    lines: tuple[ReceiptLine, ...]
    cash: CashFacts | None


@dataclass(frozen=True)
class CertificateFacts:
    """All that a certificate states, as it was when it was issued."""

    name: str
    id_number: str
    check_code: str
    insurances: tuple[InsuranceFacts, ...] = ()
    contributions: tuple[ContributionFacts, ...] = ()
    settlements: tuple[SettlementFacts, ...] = ()
    receipt: ReceiptFacts | None = None


@dataclass(frozen=True)
class CertificateView:
    """A certificate as its owner sees it. ``valid_until``: the last day; ``link``: verifies it."""

    id: str
    number: str
    kind: CertificateKind
    state: CertificateState
    person_id: str
    year: int | None
    check_code: str
    link: str
    issued_at: datetime
    valid_until: date


@dataclass(frozen=True)
class CertificatePaper:
    """A certificate with all it states, and its signed file once that was made."""

    view: CertificateView
    facts: CertificateFacts
    file: bytes | None


@dataclass(frozen=True)
class Verified:
    """What whoever has the check code sees: enough to compare with the paper, masked.

    ``own_fen``: what the person paid of the contributions; ``total_fen``: of the settlements.
    ``digest`` is the SHA-256 of the signed file, empty while nobody has fetched it.
    """

    number: str
    kind: CertificateKind
    state: CertificateState
    year: int | None
    masked_name: MaskedName
    masked_id_number: MaskedNumber
    issued_at: datetime
    valid_until: date
    insurances: tuple[InsuranceFacts, ...]
    contributions: int
    own_fen: Fen
    settlements: int
    total_fen: Fen
    digest: str


@dataclass(frozen=True)
class IssueCertificate:
    """Somebody wants a certificate of their own or of a relative.

    ``year``: of the kinds that have one; ``settlement_id``: of a receipt.
    """

    actor: Actor
    person_id: str
    kind: CertificateKind
    year: int | None
    request_id: str
    settlement_id: str | None = None


@dataclass(frozen=True)
class RevokeCertificate:
    """Somebody takes a certificate back; from now on its check code says so."""

    actor: Actor
    certificate_id: str


@dataclass(frozen=True)
class VerifyCertificate:
    """Anybody asks about a check code, from an address."""

    address: str
    check_code: str


class CertificateProblem(StrEnum):
    """Why a certificate cannot be issued."""

    NOTHING = "NOTHING"
    YEAR = "YEAR"
    TOO_MANY = "TOO_MANY"
    SETTLEMENT = "SETTLEMENT"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "SETTLEMENT": ("没有找到这笔结算", "there is no such settlement of this person"),
    "NOTHING": ("没有可以证明的记录", "there is nothing that it could state"),
    "YEAR": ("请给出年度，且不晚于今年", "give a year that has begun"),
    "TOO_MANY": (
        "今天开具的凭证太多，请明天再办或使用已开具的",
        "too many were issued today; use one of those, or come back tomorrow",
    ),
}


@dataclass(frozen=True)
class CertificateNotPossible(Refusal):
    """A certificate cannot be issued."""

    problem: CertificateProblem
    zh = "不能开具：{problem}。"
    en = "It cannot be issued: {problem}."
    next_zh = "请核对年度和参保记录后重试。"
    next_en = "Look at the year and at the records, and try again."


@dataclass(frozen=True)
class CertificateNotFound(Refusal):
    """There is no such certificate of the caller's."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这份凭证，或它已作废。"
    en = "There is no such certificate of yours, or it was taken back."
    next_zh = "请在凭证列表中查看，或重新开具。"
    next_en = "Look at the list, or have another one issued."


@dataclass(frozen=True)
class CheckCodeUnknown(Refusal):
    """No certificate has this check code."""

    zh = "没有这个核验码对应的凭证。"
    en = "No certificate has this check code."
    next_zh = "请对照凭证逐位核对；若仍查不到，这份凭证不是本系统开具的。"
    next_en = "Compare it with the paper; if it is right, the paper was not issued here."


@dataclass(frozen=True)
class TooManyChecks(Refusal):
    """Too many wrong check codes came from one address."""

    zh = "核验次数过多，请在{retry_after_seconds}后再试。"
    en = "Too many wrong codes came from here. Try again in {retry_after_seconds}."
    next_zh = "请稍后再试。"
    next_en = "Try again later."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class SealMissing(Refusal):
    """The installation has no key to sign certificates with."""

    zh = "凭证签章暂不可用。"
    en = "Certificates cannot be signed at the moment."
    next_zh = "凭证已开具，请稍后下载；需要帮助请拨打12393。"
    next_en = "It is issued; fetch it later, or call 12393 for help."
