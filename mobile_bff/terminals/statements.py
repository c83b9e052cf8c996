"""对账 at the institution's end: its sums of a day against ours (3201), then line by line (3202)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import TerminalActor
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.people.contracts import InsuranceType
from backend.statements import queries, service
from backend.statements.contracts import (
    CompareLines,
    CompareTotals,
    MismatchKind,
    MismatchState,
    MismatchView,
    StatedLine,
    StatementNotPossible,
    StatementState,
    StatementView,
    Totals,
)
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status, words

_DAYS_MAX = 31


@strawberry.type(name="StatementSums", description="Sums; what was taken back counts twice, ±.")
class SumsType:
    """One side of a statement."""

    count: int = strawberry.field(description="How many settlements and reversals (stmt_cnt).")
    total: Money = strawberry.field(description="All of the bills (medfee_sumamt).")
    fund: Money = strawberry.field(description="By the funds (fund_pay_sumamt).")
    account: Money = strawberry.field(description="By personal accounts (acct_pay).")
    cash: Money = strawberry.field(description="By patients in cash.")


@strawberry.type(name="Mismatch", description="A settlement of which both sides differ.")
class MismatchType:
    """What each side says of it."""

    mismatch_id: strawberry.ID = strawberry.field(description="Its id.")
    institution: InstitutionType = strawberry.field(description="Whose statement.")
    day: date = strawberry.field(description="Of which day.")
    insurance: InsuranceType = strawberry.field(description="Of which insurance.")
    kind: MismatchKind = strawberry.field(description="In what they differ.")
    kind_text: str = strawberry.field(description="The same in words.")
    state: MismatchState = strawberry.field(description="What became of it.")
    settlement_id: str = strawberry.field(description="The settlement (setl_id).")
    ours: SumsType | None = strawberry.field(description="What stands here; null: nothing.")
    theirs: SumsType | None = strawberry.field(description="What they have; null: nothing.")
    words: str = strawberry.field(description="What was said when it was closed; may be empty.")


@strawberry.type(name="Statement", description="A day of an institution with both sides.")
class StatementType:
    """What stands here, what they stated, and what differs."""

    day: date = strawberry.field(description="The day, by time of settlement in Beijing.")
    insurance: InsuranceType = strawberry.field(description="Of which insurance (insutype).")
    state: StatementState = strawberry.field(description="How both stand (stmt_rslt).")
    status: Status = strawberry.field(description="The same in words, with what to do.")
    ours: SumsType = strawberry.field(description="What stands here.")
    theirs: SumsType | None = strawberry.field(description="What they last stated; null: never.")
    compared_at: datetime | None = strawberry.field(description="When; null: never.")
    mismatches: list[MismatchType] = strawberry.field(description="What waits to be put right.")


def sums_type(totals: Totals, locale: Locale) -> SumsType:
    """Return sums for the schema."""
    return SumsType(
        count=totals.count,
        total=money(totals.total_fen, locale),
        fund=money(totals.fund_fen, locale),
        account=money(totals.account_fen, locale),
        cash=money(totals.cash_fen, locale),
    )


def mismatch_type(view: MismatchView, locale: Locale) -> MismatchType:
    """Return a mismatch for the schema."""
    return MismatchType(
        mismatch_id=strawberry.ID(view.id),
        institution=institution_type(view.institution),
        day=view.day,
        insurance=view.insurance,
        kind=view.kind,
        kind_text=words(view.kind).text(locale),
        state=view.state,
        settlement_id=view.settlement_id,
        ours=None if view.ours is None else sums_type(view.ours, locale),
        theirs=None if view.theirs is None else sums_type(view.theirs, locale),
        words=view.words,
    )


def _statement(view: StatementView, locale: Locale) -> StatementType:
    return StatementType(
        day=view.day,
        insurance=view.insurance,
        state=view.state,
        status=status(view.state, locale),
        ours=sums_type(view.ours, locale),
        theirs=None if view.theirs is None else sums_type(view.theirs, locale),
        compared_at=view.compared_at,
        mismatches=[mismatch_type(one, locale) for one in view.mismatches],
    )


@strawberry.input(description="States an institution's sums of a day that is over.")
class CompareTotalsInput:
    """The day, and its sums in fen."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    day: date = strawberry.field(description="The day, by time of settlement in Beijing.")
    insurance: InsuranceType = strawberry.field(description="Of which insurance (insutype).")
    count: int = strawberry.field(description="How many settlements and reversals.")
    total_fen: int = strawberry.field(description="All of the bills.")
    fund_fen: int = strawberry.field(description="By the funds.")
    account_fen: int = strawberry.field(description="By personal accounts, relatives' included.")
    cash_fen: int = strawberry.field(description="By patients in cash.")


@strawberry.input(description="A settlement or a reversal as the institution has it.")
class StatedLineInput:
    """Its id and its amounts in fen, negative where it takes one back."""

    settlement_id: str = strawberry.field(description="The settlement (setl_id).")
    total_fen: int = strawberry.field(description="All of the bill.")
    fund_fen: int = strawberry.field(description="By the funds.")
    account_fen: int = strawberry.field(description="By personal accounts, relatives' included.")
    cash_fen: int = strawberry.field(description="By the patient in cash.")


@strawberry.input(description="States each settlement of a day that is over.")
class CompareLinesInput:
    """The day, and its lines."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    day: date = strawberry.field(description="The day, by time of settlement in Beijing.")
    insurance: InsuranceType = strawberry.field(description="Of which insurance (insutype).")
    lines: list[StatedLineInput] = strawberry.field(description="At most 5,000.")


@strawberry.type
class TillStatements:
    """An institution's days."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(
        description="The last days that are over, each kind of insurance, compared or not."
    )
    async def statements(self, info: Info, days: int | None = None) -> list[StatementType]:
        """Return days, the latest first."""
        count, place = page_size(days), self.actor.institution_id
        found = await info.context.door.read(
            lambda unit: queries.last_days(unit, place, min(count, _DAYS_MAX))
        )
        return [_statement(one, info.context.locale) for one in found]


@strawberry.type
class TillStatementMutations:
    """Comparing a day."""

    @strawberry.mutation(
        description="Compare the sums of a day that is over; equal sums end what was open (3201).",
        graphql_type=result_union(
            "CompareTotalsResult", StatementType, (*KEYED, StatementNotPossible)
        ),
    )
    async def compare_totals(self, info: Info, input: CompareTotalsInput) -> Any:
        """Compare sums."""
        totals = Totals(
            input.count,
            Fen(input.total_fen),
            Fen(input.fund_fen),
            Fen(input.account_fen),
            Fen(input.cash_fen),
        )
        outcome = await info.context.act(
            service.compare_totals,
            lambda actor: CompareTotals(
                actor, input.day, input.insurance, totals, input.request_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _statement(view, locale))

    @strawberry.mutation(
        description="Compare each settlement of a day that is over (3202).",
        graphql_type=result_union(
            "CompareLinesResult", StatementType, (*KEYED, StatementNotPossible)
        ),
    )
    async def compare_lines(self, info: Info, input: CompareLinesInput) -> Any:
        """Compare lines."""
        lines = tuple(
            StatedLine(
                one.settlement_id,
                Fen(one.total_fen),
                Fen(one.fund_fen),
                Fen(one.account_fen),
                Fen(one.cash_fen),
            )
            for one in input.lines
        )
        outcome = await info.context.act(
            service.compare_lines,
            lambda actor: CompareLines(actor, input.day, input.insurance, lines, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _statement(view, locale))
