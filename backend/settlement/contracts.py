"""What comes out of a settlement, and how it is shown.

Amounts follow the identities of the national interface; the names in brackets are its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.catalogue.contracts import ItemClass
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen, Quantity, UnitPrice
from backend.people.contracts import InsuranceType
from backend.rulebook.contracts import RuleRef
from backend.settlement.case import Route

DESK = "desk"
"""In place of a terminal's id, on what is booked at the agency's desk and at no till."""


class LineReason(StrEnum):
    """Why a line counts as it does."""

    IN_SCOPE = "IN_SCOPE"
    PREPAID_SHARE_FIRST = "PREPAID_SHARE_FIRST"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    RESTRICTION_NOT_MET = "RESTRICTION_NOT_MET"
    IN_PACKAGE = "IN_PACKAGE"
    TAKEN_BACK = "TAKEN_BACK"


@dataclass(frozen=True, slots=True)
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
    """What a part of the bill is."""

    FULL_SELF_PAY = "FULL_SELF_PAY"
    OVER_LIMIT = "OVER_LIMIT"
    PREPAID_SHARE = "PREPAID_SHARE"
    AWAY_PREPAID = "AWAY_PREPAID"
    NO_FUND_BENEFIT = "NO_FUND_BENEFIT"
    DEDUCTIBLE = "DEDUCTIBLE"
    FUND_SHARE = "FUND_SHARE"
    OWN_SHARE = "OWN_SHARE"
    ABOVE_FUND_LIMIT = "ABOVE_FUND_LIMIT"
    ABOVE_PACKAGE = "ABOVE_PACKAGE"


class NoBenefitReason(StrEnum):
    """Why the fund pays nothing of the in-scope cost."""

    STATUS = "STATUS"
    BENEFITS_PAUSED = "BENEFITS_PAUSED"
    NOT_POOLING_PLACE = "NOT_POOLING_PLACE"
    PLACE_NOT_COVERED = "PLACE_NOT_COVERED"
    NOT_PAID_AWAY = "NOT_PAID_AWAY"
    DISEASE_NOT_LISTED = "DISEASE_NOT_LISTED"
    SELF_REFERRED = "SELF_REFERRED"


class PayerKind(StrEnum):
    """Who pays; each is a field of the national interface."""

    BASIC = "BASIC"
    """``hifp_pay``: the pooling fund of basic insurance."""
    CRITICAL_ILLNESS = "CRITICAL_ILLNESS"
    """``hifmi_pay``: 居民大病保险."""
    LARGE_AMOUNT = "LARGE_AMOUNT"
    """``hifob_pay``: 职工大额医疗费用补助, 大病医疗互助."""
    CIVIL_SERVANT = "CIVIL_SERVANT"
    """``cvlserv_pay``: 公务员医疗补助."""
    ENTERPRISE = "ENTERPRISE"
    """``hifes_pay``: 企业补充医疗保险."""
    MEDICAL_AID = "MEDICAL_AID"
    """``maf_pay``: 医疗救助."""
    COMMERCIAL = "COMMERCIAL"
    """``oth_pay``: commercial supplements such as 惠民保."""
    OTHER_FUND = "OTHER_FUND"
    """``oth_pay``: any other fund."""
    HOSPITAL = "HOSPITAL"
    """``hosp_part_amt``: what the hospital bears or waives."""
    ACCOUNT = "ACCOUNT"
    """``acct_pay``: the patient's own account."""
    FAMILY_ACCOUNT = "FAMILY_ACCOUNT"
    """``acct_mulaid_pay``: a relative's account (家庭共济)."""
    CASH = "CASH"
    """``psn_cash_pay``."""

    @property
    def is_fund(self) -> bool:
        """Tell whether it counts to ``fund_pay_sumamt``."""
        return self not in _NO_FUNDS


_NO_FUNDS = frozenset(
    {PayerKind.HOSPITAL, PayerKind.ACCOUNT, PayerKind.FAMILY_ACCOUNT, PayerKind.CASH}
)


@dataclass(frozen=True, slots=True)
class Share:
    """What one payer pays. ``topic`` names the rules of a payer beyond basic insurance."""

    payer: PayerKind
    topic: str
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bill: how much, what it is, how it was reckoned, by which rule, who pays it.

    ``amount`` is the sum of ``paid``. ``formula`` holds only figures and signs.
    """

    kind: PartKind
    amount_fen: Fen
    formula: str
    ref: RuleRef
    no_benefit_reason: NoBenefitReason | None = None
    paid: tuple[Share, ...] = ()

    def by(self, *payers: PayerKind) -> Fen:
        """Return what some payers pay of it."""
        return Fen(sum(share.amount_fen for share in self.paid if share.payer in payers))


class StepKind(StrEnum):
    """A step of the working."""

    IN_SCOPE = "IN_SCOPE"
    PACKAGE_STANDARD = "PACKAGE_STANDARD"
    PACKAGE_OWN = "PACKAGE_OWN"
    AWAY_PREPAID = "AWAY_PREPAID"
    DEDUCTIBLE_STANDARD = "DEDUCTIBLE_STANDARD"
    DEDUCTIBLE_STEP_DOWN = "DEDUCTIBLE_STEP_DOWN"
    DEDUCTIBLE_WAIVED = "DEDUCTIBLE_WAIVED"
    DEDUCTIBLE_REFERRAL = "DEDUCTIBLE_REFERRAL"
    DEDUCTIBLE = "DEDUCTIBLE"
    RATE = "RATE"
    RATE_AGE = "RATE_AGE"
    RATE_AGE_YEARS = "RATE_AGE_YEARS"
    RATE_FULL = "RATE_FULL"
    RATE_AWAY = "RATE_AWAY"
    COST_LIMIT = "COST_LIMIT"
    ENTITLED = "ENTITLED"
    FUND_LIMIT = "FUND_LIMIT"
    YEAR_CAP = "YEAR_CAP"
    NO_BENEFIT = "NO_BENEFIT"
    BASE = "BASE"
    THRESHOLD = "THRESHOLD"
    TILT = "TILT"
    BANDS = "BANDS"
    PAYER_LIMIT = "PAYER_LIMIT"
    GIVEN = "GIVEN"
    PAYS = "PAYS"


@dataclass(frozen=True, slots=True)
class WorkingStep:
    """A line of the working: what was decided, for which payer, how, by which rule.

    ``formula`` holds only figures and signs; amounts in yuan, rates in per cent. ``fact`` is the fact
    that decided, such as an identity or the number of a stay; empty where the rule itself says it.
    ``amount_fen`` is what came out, where that is an amount.
    """

    kind: StepKind
    payer: PayerKind
    topic: str
    formula: str
    ref: RuleRef
    fact: str = ""
    amount_fen: Fen | None = None


@dataclass(frozen=True)
class Outcome:
    """The settled bill.

    ``total_fen`` ``medfee_sumamt``; ``full_self_pay_fen`` ``fulamt_ownpay_amt``; ``over_limit_fen``
    ``overlmt_selfpay``; ``prepaid_share_fen`` ``preselfpay_amt``; ``in_scope_fen`` ``inscp_scp_amt``;
    ``deductible_fen`` ``act_pay_dedc``; ``pool_fen`` ``hifp_pay``; ``fund_fen`` ``fund_pay_sumamt``;
    ``hospital_fen`` ``hosp_part_amt``; ``account_fen`` ``acct_pay``; ``family_fen``
    ``acct_mulaid_pay``; ``cash_fen`` ``psn_cash_pay``. ``counts`` is what the bill adds to the counters
    of ``accumulator_year``. ``hospital_due_fen`` is what basic insurance owes the hospital for it where
    a package pays, whose surplus is not the patient's money; otherwise ``None``.
    """

    total_fen: Fen
    full_self_pay_fen: Fen
    over_limit_fen: Fen
    prepaid_share_fen: Fen
    in_scope_fen: Fen
    deductible_fen: Fen
    pool_fen: Fen
    fund_fen: Fen
    hospital_fen: Fen
    account_fen: Fen
    family_fen: Fen
    cash_fen: Fen
    deductible_year_fen: Fen | None
    deductible_left_fen: Fen | None
    fund_limit_fen: Fen | None
    fund_left_fen: Fen | None
    account_balance_after_fen: Fen
    family_balance_after_fen: Fen
    accumulator_year: int
    counts: Mapping[str, int]
    lines: tuple[LineOutcome, ...]
    parts: tuple[Part, ...]
    shares: tuple[Share, ...]
    steps: tuple[WorkingStep, ...]
    account_ref: RuleRef | None
    hospital_due_fen: Fen | None
    rulebook_digest: str

    @property
    def provisional(self) -> bool:
        """Tell whether any rule that took part lacks an official text."""
        return bool(self.provisional_rules)

    @property
    def provisional_rules(self) -> tuple[RuleRef, ...]:
        """Return the rules that took part and lack an official text, each once."""
        refs = [step.ref for step in self.steps] + [part.ref for part in self.parts]
        refs += [line.ref for line in self.lines]
        if self.account_ref is not None and self.account_fen:
            refs.append(self.account_ref)
        return tuple(dict.fromkeys(ref for ref in refs if ref.provisional))


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
    route: Route
    purpose: str
    service_date: date
    settled_at: datetime
    area_code: str
    insurance_type: InsuranceType
    total_fen: Fen
    fund_fen: Fen
    hospital_fen: Fen
    account_fen: Fen
    family_fen: Fen
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
    next_zh = "请在结算记录中从最近一笔开始依次撤销。"
    next_en = "Reverse them from the settlement records, the latest one first."
    count: int
    settlement_ids: tuple[str, ...]
