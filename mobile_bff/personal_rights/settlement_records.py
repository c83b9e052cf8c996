"""C3 就诊与结算记录: settlements and reversals with the working of every fen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import strawberry
from strawberry import relay

from backend.access.contracts import PersonActor, TerminalActor
from backend.catalogue.contracts import ItemClass
from backend.codes.contracts import Purpose
from backend.kernel.errors import Locale
from backend.kernel.money import Quantity, UnitPrice
from backend.people.contracts import InsuranceType
from backend.regions.library import area_name
from backend.rulebook.contracts import RuleRef
from backend.settlement import queries
from backend.settlement.contracts import (
    LineOutcome,
    LineReason,
    Outcome,
    Part,
    PartKind,
    SettlementKind,
    SettlementView,
)
from mobile_bff.connections import connection, page_size, position
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money, money_or_none
from mobile_bff.wording import words

MODULE = AppModule(
    "C3",
    "就诊与结算记录",
    "结算记录",
    "Visits and settlements",
    ModuleState.PARTIAL,
    "可查询门诊和药店结算及每一分钱的依据；按年度和类别筛选尚未开放。",
)


@strawberry.type(name="Rule", description="Where a figure comes from.")
class RuleType:
    """A reference to the law."""

    id: str = strawberry.field(description="Pack and parameter, such as CD-OP-W/rate.")
    region_name: str = strawberry.field(description="The region whose rule it is.")
    effective_from: date = strawberry.field(description="First day of the value that applied.")
    document: str = strawberry.field(description="The document.")
    number: str = strawberry.field(description="Its number; empty where none is known.")
    clause: str = strawberry.field(description="The clause.")
    source: str = strawberry.field(description="Where the document was read.")
    provisional: bool = strawberry.field(description="Whether no official text backs it yet.")
    note: str = strawberry.field(description="What is open about it; empty if nothing.")


def rule_type(ref: RuleRef) -> RuleType:
    """Return a reference for the schema."""
    return RuleType(
        id=ref.rule,
        region_name="全国" if ref.region == "CN" else area_name(ref.region),
        effective_from=ref.effective_from,
        document=ref.document,
        number=ref.number,
        clause=ref.clause,
        source=ref.source,
        provisional=ref.provisional,
        note=ref.note,
    )


@strawberry.type(description="A line of a bill and how it splits.")
class BillLine:
    """A line. total = fullSelfPay + overLimit + prepaidShare + inScope."""

    number: int = strawberry.field(description="Its number, from 1.")
    code: str = strawberry.field(description="National code (med_list_codg).")
    name: str = strawberry.field(description="Name of the item.")
    item_class: ItemClass = strawberry.field(description="Class (chrgitm_lv).")
    reason: LineReason = strawberry.field(description="Why it counts as it does.")
    reason_text: str = strawberry.field(description="The reason in words.")
    quantity: Quantity = strawberry.field(description="Number of units (cnt).")
    unit_price: UnitPrice = strawberry.field(description="Yuan for a unit (pric).")
    price_limit: UnitPrice | None = strawberry.field(
        description="Highest price that counts (pric_uplmt_amt); null: none."
    )
    prepaid_rate: str = strawberry.field(description="Prepaid share (selfpay_prop).")
    total: Money = strawberry.field(description="The line (det_item_fee_sumamt).")
    full_self_pay: Money = strawberry.field(description="Outside scope (fulamt_ownpay_amt).")
    over_limit: Money = strawberry.field(description="Above the limit (overlmt_amt).")
    prepaid_share: Money = strawberry.field(description="Prepaid share (preselfpay_amt).")
    in_scope: Money = strawberry.field(description="In scope (inscp_scp_amt).")
    illustrative: bool = strawberry.field(description="Whether the item's terms are illustrative.")
    rule: RuleType = strawberry.field(description="The rule that decides.")


def line_type(line: LineOutcome, locale: Locale) -> BillLine:
    """Return a line for the schema."""
    return BillLine(
        number=line.number,
        code=line.code,
        name=line.name,
        item_class=line.item_class,
        reason=line.reason,
        reason_text=words(line.reason).text(locale),
        quantity=line.quantity,
        unit_price=line.unit_price,
        price_limit=line.price_limit,
        prepaid_rate=line.prepaid_rate,
        total=money(line.total_fen, locale),
        full_self_pay=money(line.full_self_pay_fen, locale),
        over_limit=money(line.over_limit_fen, locale),
        prepaid_share=money(line.prepaid_share_fen, locale),
        in_scope=money(line.in_scope_fen, locale),
        illustrative=line.illustrative,
        rule=rule_type(line.ref),
    )


@strawberry.type(description="A part of a bill: how much, why, and who pays it.")
class BillPart:
    """A part. amount = byFund + byAccount + byCash."""

    kind: PartKind = strawberry.field(description="What it is.")
    text: str = strawberry.field(description="What it is, in words.")
    amount: Money = strawberry.field(description="How much.")
    formula: str = strawberry.field(description="How it was reckoned, in yuan.")
    by_fund: Money = strawberry.field(description="Paid by the pooling fund.")
    by_account: Money = strawberry.field(description="Paid by the personal account.")
    by_cash: Money = strawberry.field(description="Paid in cash.")
    rule: RuleType = strawberry.field(description="The rule that decides.")


def part_type(part: Part, locale: Locale) -> BillPart:
    """Return a part for the schema."""
    text = words(part.kind).text(locale)
    if part.no_benefit_reason is not None:
        text = f"{text}: {words(part.no_benefit_reason).text(locale)}"
    return BillPart(
        kind=part.kind,
        text=text,
        amount=money(part.amount_fen, locale),
        formula=part.formula,
        by_fund=money(part.by_fund_fen, locale),
        by_account=money(part.by_account_fen, locale),
        by_cash=money(part.by_cash_fen, locale),
        rule=rule_type(part.ref),
    )


@strawberry.type(description="How a bill was reckoned.")
class Working:
    """The pricing of a bill; the names in brackets are those of the national interface."""

    total: Money = strawberry.field(description="The bill (medfee_sumamt).")
    full_self_pay: Money = strawberry.field(description="Outside scope (fulamt_ownpay_amt).")
    over_limit: Money = strawberry.field(description="Above price limits (overlmt_selfpay).")
    prepaid_share: Money = strawberry.field(description="Prepaid share (preselfpay_amt).")
    in_scope: Money = strawberry.field(description="In scope (inscp_scp_amt).")
    deductible: Money = strawberry.field(description="Deductible of this bill (act_pay_dedc).")
    fund: Money = strawberry.field(description="Paid by the fund (hifp_pay).")
    account: Money = strawberry.field(description="Paid by the account (acct_pay).")
    cash: Money = strawberry.field(description="Paid in cash (psn_cash_pay).")
    deductible_left: Money | None = strawberry.field(
        description="Deductible of the year left after it; null where there is no benefit."
    )
    fund_limit: Money | None = strawberry.field(description="The year's limit of the fund.")
    fund_left: Money | None = strawberry.field(description="What is left of it after the bill.")
    account_balance_after: Money = strawberry.field(description="Balance after it (balc).")
    provisional: bool = strawberry.field(
        description="Whether a rule without official text took part; such rules say so."
    )
    rulebook_digest: str = strawberry.field(description="Names the exact text of the law.")
    lines: list[BillLine] = strawberry.field(description="The lines.")
    parts: list[BillPart] = strawberry.field(description="Every fen, by payer and rule.")
    account_rule: RuleType | None = strawberry.field(
        description="The rule by which the account takes part; null where it does not."
    )
    speech_text: str = strawberry.field(description="The result in a sentence to read aloud.")


def working_type(outcome: Outcome, locale: Locale) -> Working:
    """Return an outcome for the schema."""
    fund, account, cash = (
        money(amount, locale).text
        for amount in (outcome.fund_fen, outcome.account_fen, outcome.cash_fen)
    )
    total = money(outcome.total_fen, locale).text
    speech = (
        f"总费用{total}，统筹基金支付{fund}，个人账户支付{account}，现金支付{cash}。"
        if locale is Locale.ZH
        else f"Of {total} the fund pays {fund}, the account {account}, and {cash} is cash."
    )
    return Working(
        total=money(outcome.total_fen, locale),
        full_self_pay=money(outcome.full_self_pay_fen, locale),
        over_limit=money(outcome.over_limit_fen, locale),
        prepaid_share=money(outcome.prepaid_share_fen, locale),
        in_scope=money(outcome.in_scope_fen, locale),
        deductible=money(outcome.deductible_fen, locale),
        fund=money(outcome.fund_fen, locale),
        account=money(outcome.account_fen, locale),
        cash=money(outcome.cash_fen, locale),
        deductible_left=money_or_none(outcome.deductible_left_fen, locale),
        fund_limit=money_or_none(outcome.fund_limit_fen, locale),
        fund_left=money_or_none(outcome.fund_left_fen, locale),
        account_balance_after=money(outcome.account_balance_after_fen, locale),
        provisional=outcome.provisional,
        rulebook_digest=outcome.rulebook_digest,
        lines=[line_type(line, locale) for line in outcome.lines],
        parts=[part_type(part, locale) for part in outcome.parts],
        account_rule=None if outcome.account_ref is None else rule_type(outcome.account_ref),
        speech_text=speech,
    )


@strawberry.type(name="Settlement", description="A booked settlement or reversal, its receipt.")
class SettlementType(relay.Node):
    """A settlement as both sides see it. A reversal carries the working of what it takes back."""

    id: relay.NodeID[str]
    settlement_id: strawberry.ID = strawberry.field(description="The same id in plain form.")
    kind: SettlementKind = strawberry.field(description="Settlement or reversal.")
    purpose: Purpose = strawberry.field(description="Pharmacy or outpatient.")
    service_date: date = strawberry.field(description="Day of service.")
    settled_at: datetime = strawberry.field(description="When it was booked (setl_time).")
    insurance_type: InsuranceType = strawberry.field(description="Which insurance paid.")
    area_name: str = strawberry.field(description="The insured area.")
    total: Money = strawberry.field(description="The bill; negative for a reversal.")
    fund: Money = strawberry.field(description="By the fund; negative for a reversal.")
    account: Money = strawberry.field(description="By the account; negative for a reversal.")
    cash: Money = strawberry.field(description="In cash; negative for a reversal.")
    account_balance_after: Money = strawberry.field(description="Balance of the account after it.")
    operator_id: str = strawberry.field(description="Who stood at the till.")
    reverses_id: strawberry.ID | None = strawberry.field(description="What it takes back.")
    reversed_by_id: strawberry.ID | None = strawberry.field(description="What took it back.")
    reason: str = strawberry.field(description="Why it was reversed; empty for a settlement.")
    working: Working = strawberry.field(description="How every fen was reckoned.")
    institution_key: strawberry.Private[str]

    @strawberry.field(description="Where.")
    async def institution(self, info: Info) -> InstitutionType:
        """Return the institution."""
        return institution_type(await info.context.institutions.load(self.institution_key))

    @classmethod
    async def resolve_nodes(
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Any]:
        """Return settlements by id, each for its own patient and institution only."""
        ids = list(node_ids)
        found = await info.context.door.read(lambda unit: queries.settlements(unit, ids))
        actor = await info.context.actor()
        shown: list[Any] = []
        for node_id in ids:
            view = found.get(node_id)
            own = view is not None and (
                (isinstance(actor, PersonActor) and actor.person_id == view.person_id)
                or (
                    isinstance(actor, TerminalActor) and actor.institution_id == view.institution_id
                )
            )
            shown.append(settlement_type(view, info.context.locale) if view and own else None)
        return shown


def settlement_type(view: SettlementView, locale: Locale) -> SettlementType:
    """Return a settlement for the schema."""
    return SettlementType(
        id=view.id,
        settlement_id=strawberry.ID(view.id),
        kind=view.kind,
        purpose=Purpose(view.purpose),
        service_date=view.service_date,
        settled_at=view.settled_at,
        insurance_type=view.insurance_type,
        area_name=area_name(view.area_code),
        total=money(view.total_fen, locale),
        fund=money(view.fund_fen, locale),
        account=money(view.account_fen, locale),
        cash=money(view.cash_fen, locale),
        account_balance_after=money(view.account_balance_after_fen, locale),
        operator_id=view.operator_id,
        reverses_id=strawberry.ID(view.reverses_id) if view.reverses_id else None,
        reversed_by_id=strawberry.ID(view.reversed_by_id) if view.reversed_by_id else None,
        reason=view.reason,
        working=working_type(view.outcome, locale),
        institution_key=view.institution_id,
    )


@strawberry.type
class SettlementQueries:
    """What a person may ask about their own settlements."""

    subject: strawberry.Private[str]

    @strawberry.field(
        description="Settlements and reversals, the newest first.",
        graphql_type=relay.Connection[SettlementType],
    )
    async def settlements(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> object:
        """Return a page of settlements."""
        size, before = page_size(first), position(after)
        views = await info.context.door.read(
            lambda unit: queries.of_person(unit, self.subject, before, size + 1)
        )
        locale = info.context.locale
        return connection(
            [(view.number, settlement_type(view, locale)) for view in views], size, after
        )
