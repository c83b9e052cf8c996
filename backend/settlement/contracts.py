"""What goes into a settlement, what comes out of it, and how it is shown.

Amounts follow the identities of the national interface; the names in brackets are its fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.institutions.contracts import InstitutionKind
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen, Quantity, UnitPrice
from backend.people.contracts import (
    AccountKind,
    BenefitStatus,
    InsuranceType,
    PersonKind,
)
from backend.rulebook.contracts import RuleRef


@dataclass(frozen=True)
class LineInput:
    """A line of a bill with the terms of its item on the day of service."""

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


@dataclass(frozen=True)
class Insured:
    """The insured side on the day of service."""

    area_code: str
    insurance_type: InsuranceType
    person_kind: PersonKind
    account_kind: AccountKind
    status: BenefitStatus


@dataclass(frozen=True)
class Place:
    """The place of care. ``level`` is ``None`` for a pharmacy."""

    area_code: str
    kind: InstitutionKind
    level: int | None
    pooling: bool
    campus: bool


@dataclass(frozen=True)
class Used:
    """What the year has used so far, before this bill."""

    deductible_fen: Fen
    fund_fen: Fen


@dataclass(frozen=True)
class Case:
    """Everything that the outcome depends on, besides the law. Stored with each settlement."""

    service_date: date
    insured: Insured
    place: Place
    used: Used
    account_balance_fen: Fen
    use_account: bool
    lines: tuple[LineInput, ...]


class LineReason(StrEnum):
    """Why a line counts as it does."""

    IN_SCOPE = "IN_SCOPE"
    PREPAID_SHARE_FIRST = "PREPAID_SHARE_FIRST"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"


@dataclass(frozen=True)
class LineOutcome:
    """How a line splits. ``total = full_self_pay + over_limit + prepaid_share + in_scope``."""

    number: int
    code: str
    name: str
    item_class: ItemClass
    reason: LineReason
    quantity: Quantity
    unit_price: UnitPrice
    price_limit: UnitPrice | None
    prepaid_rate: str
    total_fen: Fen
    full_self_pay_fen: Fen
    over_limit_fen: Fen
    prepaid_share_fen: Fen
    in_scope_fen: Fen
    illustrative: bool
    ref: RuleRef


class PartKind(StrEnum):
    """What a part of the bill is. The fund pays one of them, the patient all others."""

    FULL_SELF_PAY = "FULL_SELF_PAY"
    OVER_LIMIT = "OVER_LIMIT"
    PREPAID_SHARE = "PREPAID_SHARE"
    NO_FUND_BENEFIT = "NO_FUND_BENEFIT"
    DEDUCTIBLE = "DEDUCTIBLE"
    FUND_SHARE = "FUND_SHARE"
    OWN_SHARE = "OWN_SHARE"
    ABOVE_FUND_LIMIT = "ABOVE_FUND_LIMIT"


class NoBenefitReason(StrEnum):
    """Why the fund pays nothing of the in-scope cost."""

    STATUS = "STATUS"
    NOT_POOLING_PLACE = "NOT_POOLING_PLACE"
    PLACE_NOT_COVERED = "PLACE_NOT_COVERED"


@dataclass(frozen=True)
class Part:
    """A part of the bill: how much, what it is, how it was reckoned, by which rule, who pays it.

    ``amount = by_fund + by_account + by_cash``. ``formula`` holds only figures and signs.
    """

    kind: PartKind
    amount_fen: Fen
    formula: str
    ref: RuleRef
    no_benefit_reason: NoBenefitReason | None = None
    by_fund_fen: Fen = Fen(0)
    by_account_fen: Fen = Fen(0)
    by_cash_fen: Fen = Fen(0)


@dataclass(frozen=True)
class Outcome:
    """The settled bill.

    ``total_fen`` ``medfee_sumamt``; ``full_self_pay_fen`` ``fulamt_ownpay_amt``; ``over_limit_fen``
    ``overlmt_selfpay``; ``prepaid_share_fen`` ``preselfpay_amt``; ``in_scope_fen`` ``inscp_scp_amt``;
    ``deductible_fen`` ``act_pay_dedc``; ``fund_fen`` ``hifp_pay``; ``account_fen`` ``acct_pay``;
    ``cash_fen`` ``psn_cash_pay``.
    """

    total_fen: Fen
    full_self_pay_fen: Fen
    over_limit_fen: Fen
    prepaid_share_fen: Fen
    in_scope_fen: Fen
    deductible_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen
    deductible_year_fen: Fen | None
    deductible_left_fen: Fen | None
    fund_limit_fen: Fen | None
    fund_left_fen: Fen | None
    account_balance_after_fen: Fen
    accumulator_year: int
    counted_fund_fen: Fen
    counted_deductible_fen: Fen
    lines: tuple[LineOutcome, ...]
    parts: tuple[Part, ...]
    account_ref: RuleRef | None
    rulebook_digest: str

    @property
    def provisional(self) -> bool:
        """Tell whether any rule that took part lacks an official text."""
        refs = [part.ref for part in self.parts] + [line.ref for line in self.lines]
        if self.account_ref is not None and self.account_fen:
            refs.append(self.account_ref)
        return any(ref.provisional for ref in refs)


class SettlementKind(StrEnum):
    """A settlement, or the new entry that takes one back."""

    SETTLEMENT = "SETTLEMENT"
    REVERSAL = "REVERSAL"


@dataclass(frozen=True)
class SettlementView:
    """A booked settlement, or a reversal with every amount negated."""

    id: str
    number: int
    kind: SettlementKind
    person_id: str
    enrolment_id: str
    institution_id: str
    terminal_id: str
    operator_id: str
    bill_id: str
    purpose: str
    service_date: date
    settled_at: datetime
    area_code: str
    insurance_type: InsuranceType
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen
    account_balance_after_fen: Fen
    outcome: Outcome
    reverses_id: str | None
    reversed_by_id: str | None
    reason: str


@dataclass(frozen=True)
class TraceCodeSold(Refusal):
    """A drug trace code on the bill belongs to a pack that was sold before."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "第{line_numbers}行的追溯码已有销售记录，同一盒药不能再次结算。"
    en = "Trace codes on lines {line_numbers} were sold before; a pack is settled once."
    next_zh = "请核对药盒并换一盒扫描；如怀疑回流药，请停止销售并报告医保局。"
    next_en = "Check the pack and scan another one; report suspected resold drugs."
    line_numbers: tuple[int, ...]
    trace_codes: tuple[str, ...]


@dataclass(frozen=True)
class LaterSettlementsInTheWay(Refusal):
    """Later settlements of the year would come out differently without this one."""

    zh = "之后还有{count}笔结算以本次的年度累计为基础，不能单独撤销。"
    en = "{count} later settlements were reckoned on top of this one; it cannot go alone."
    next_zh = "请从最近一笔开始依次撤销：{settlement_ids}。"
    next_en = "Reverse the latest one first: {settlement_ids}."
    count: int
    settlement_ids: tuple[str, ...]
