"""How a bill was reckoned, as the schema shows it: lines, parts, payers, sentences, rules."""

from __future__ import annotations

from datetime import date

import strawberry

from backend.catalogue.contracts import ItemClass
from backend.kernel.errors import Locale
from backend.kernel.money import Quantity, UnitPrice
from backend.regions.library import area_name
from backend.rulebook.contracts import RuleRef
from backend.settlement.contracts import (
    LineOutcome,
    LineReason,
    Outcome,
    Part,
    PartKind,
    PayerKind,
    Share,
    StepKind,
)
from mobile_bff.explanation import explain, payer_name, summary
from mobile_bff.scalars import Money, money, money_or_none
from mobile_bff.wording import words

FUNDS = tuple(payer for payer in PayerKind if payer.is_fund)


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


@strawberry.type(description="What one payer pays.")
class PayerShare:
    """A payer with its amount."""

    payer: PayerKind = strawberry.field(description="Who pays.")
    text: str = strawberry.field(description="What it is called.")
    amount: Money = strawberry.field(description="How much.")


def share_type(share: Share, locale: Locale) -> PayerShare:
    """Return a payer's share for the schema."""
    return PayerShare(
        payer=share.payer,
        text=payer_name(share.payer, locale),
        amount=money(share.amount_fen, locale),
    )


@strawberry.type(description="A part of a bill: how much, why, and who pays it.")
class BillPart:
    """A part. amount = the sum of paid = byFund + byHospital + byAccount + byCash."""

    kind: PartKind = strawberry.field(description="What it is.")
    text: str = strawberry.field(description="What it is, in words.")
    amount: Money = strawberry.field(description="How much.")
    formula: str = strawberry.field(description="How it was reckoned, in yuan.")
    paid: list[PayerShare] = strawberry.field(description="Who pays how much of it.")
    by_fund: Money = strawberry.field(description="Paid by basic insurance and other funds.")
    by_hospital: Money = strawberry.field(description="Borne by the hospital.")
    by_account: Money = strawberry.field(description="Paid by personal accounts.")
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
        paid=[share_type(share, locale) for share in part.paid],
        by_fund=money(part.by(*FUNDS), locale),
        by_hospital=money(part.by(PayerKind.HOSPITAL), locale),
        by_account=money(part.by(PayerKind.ACCOUNT, PayerKind.FAMILY_ACCOUNT), locale),
        by_cash=money(part.by(PayerKind.CASH), locale),
        rule=rule_type(part.ref),
    )


@strawberry.type(description="A sentence of an explanation.")
class ExplainedStep:
    """A sentence with its rule."""

    step: StepKind | None = strawberry.field(description="The step; null for a closing remark.")
    payer: PayerKind | None = strawberry.field(description="Whose step; null for nobody's.")
    text: str = strawberry.field(description="The sentence, with its figures.")
    speech_text: str = strawberry.field(description="The sentence for reading aloud.")
    rule: RuleType | None = strawberry.field(description="The rule; null for a closing remark.")


@strawberry.type(description="Why a bill came out as it did, in plain sentences.")
class Explanation:
    """The working in words."""

    summary: str = strawberry.field(description="The result in one sentence.")
    steps: list[ExplainedStep] = strawberry.field(description="The sentences, in order.")
    speech_text: str = strawberry.field(description="All of it for reading aloud.")
    provisional_rules: list[RuleType] = strawberry.field(
        description="Rules that took part and lack an official text."
    )


def explanation_type(outcome: Outcome, locale: Locale) -> Explanation:
    """Return an outcome in words for the schema."""
    sentences = explain(outcome, locale)
    said = summary(outcome, locale)
    gap = "" if locale is Locale.ZH else " "
    return Explanation(
        summary=said,
        steps=[
            ExplainedStep(
                step=sentence.step,
                payer=sentence.payer,
                text=sentence.text,
                speech_text=sentence.speech,
                rule=None if sentence.ref is None else rule_type(sentence.ref),
            )
            for sentence in sentences
        ],
        speech_text=gap.join([said, *(sentence.speech for sentence in sentences)]),
        provisional_rules=[rule_type(ref) for ref in outcome.provisional_rules],
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
    pool: Money = strawberry.field(description="Paid by basic insurance (hifp_pay).")
    fund: Money = strawberry.field(description="Paid by all funds (fund_pay_sumamt).")
    hospital: Money = strawberry.field(description="Borne by the hospital (hosp_part_amt).")
    account: Money = strawberry.field(description="Paid by the account (acct_pay).")
    family: Money = strawberry.field(description="By a relative's account (acct_mulaid_pay).")
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
    payers: list[PayerShare] = strawberry.field(description="What each payer pays of the bill.")
    explanation: Explanation = strawberry.field(description="The same in plain sentences.")
    account_rule: RuleType | None = strawberry.field(
        description="The rule by which the account takes part; null where it does not."
    )
    speech_text: str = strawberry.field(description="The result in a sentence to read aloud.")


def working_type(outcome: Outcome, locale: Locale) -> Working:
    """Return an outcome for the schema."""
    return Working(
        total=money(outcome.total_fen, locale),
        full_self_pay=money(outcome.full_self_pay_fen, locale),
        over_limit=money(outcome.over_limit_fen, locale),
        prepaid_share=money(outcome.prepaid_share_fen, locale),
        in_scope=money(outcome.in_scope_fen, locale),
        deductible=money(outcome.deductible_fen, locale),
        pool=money(outcome.pool_fen, locale),
        fund=money(outcome.fund_fen, locale),
        hospital=money(outcome.hospital_fen, locale),
        account=money(outcome.account_fen, locale),
        family=money(outcome.family_fen, locale),
        cash=money(outcome.cash_fen, locale),
        deductible_left=money_or_none(outcome.deductible_left_fen, locale),
        fund_limit=money_or_none(outcome.fund_limit_fen, locale),
        fund_left=money_or_none(outcome.fund_left_fen, locale),
        account_balance_after=money(outcome.account_balance_after_fen, locale),
        provisional=outcome.provisional,
        rulebook_digest=outcome.rulebook_digest,
        lines=[line_type(line, locale) for line in outcome.lines],
        parts=[part_type(part, locale) for part in outcome.parts],
        payers=[share_type(share, locale) for share in outcome.shares],
        explanation=explanation_type(outcome, locale),
        account_rule=None if outcome.account_ref is None else rule_type(outcome.account_ref),
        speech_text=summary(outcome, locale),
    )
