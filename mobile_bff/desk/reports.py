"""实名举报 at the desk: inspectors who see a pseudonym, findings that two confirm, rewards, and unmasking."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.reports import handling
from backend.reports.contracts import ReportEvent, ReportNotFound, ReportWordsMissing
from backend.reports.handling_contracts import (
    AskReporter,
    AskUnmasking,
    ClawBack,
    DecideUnmasking,
    NotePayout,
    PayoutNotFound,
    PayoutView,
    PublishFinding,
    ReadReporter,
    ReporterView,
    UnmaskingNotPossible,
    UnmaskingView,
    UnmaskState,
    WorkReport,
)
from mobile_bff.complaints.real_name_reports import ReportType, report_type
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.desk.caller import staff_of
from mobile_bff.errors import answer, result_union
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status

_STAFF = (SignInRequired, DutyMissing)


@strawberry.type(description="A request to learn who reported.")
class ReportUnmasking:
    """Who asked, why, and what was decided."""

    unmasking_id: strawberry.ID = strawberry.field(description="Its id.")
    report_id: strawberry.ID = strawberry.field(description="Of which report.")
    number: str = strawberry.field(description="The report's number.")
    state: UnmaskState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words.")
    asked_by: str = strawberry.field(description="Who asked.")
    reason: str = strawberry.field(description="Why.")
    decided_by: str = strawberry.field(description="Who decided; empty: nobody yet.")
    asked_at: datetime = strawberry.field(description="When.")
    until: datetime | None = strawberry.field(description="How long a grant may be used.")


@strawberry.type(name="Reporter", description="Who reported, in the clear.")
class ReporterType:
    """As they were when they did."""

    name: str = strawberry.field(description="Name.")
    id_number: str = strawberry.field(description="ID number.")
    phone: str = strawberry.field(description="Phone.")


@strawberry.type(name="RewardPayout", description="A reward to be paid, without its report.")
class PayoutType:
    """An account and an amount."""

    payout_id: strawberry.ID = strawberry.field(description="Its id.")
    region: str = strawberry.field(description="Whose bureau pays.")
    amount: Money = strawberry.field(description="How much.")
    holder: str = strawberry.field(description="Who holds the account.")
    bank: str = strawberry.field(description="At which bank.")
    number: str = strawberry.field(description="Its number.")
    claimed_on: date = strawberry.field(description="Since when it waits.")
    voucher: str = strawberry.field(description="By which voucher it was paid; empty: not yet.")


def _unmasking(view: UnmaskingView, locale: Locale) -> ReportUnmasking:
    return ReportUnmasking(
        unmasking_id=strawberry.ID(view.id),
        report_id=strawberry.ID(view.report_id),
        number=view.number,
        state=view.state,
        status=status(view.state, locale),
        asked_by=view.asked_by,
        reason=view.reason,
        decided_by=view.decided_by,
        asked_at=view.asked_at,
        until=view.until,
    )


def _payout(view: PayoutView, locale: Locale) -> PayoutType:
    return PayoutType(
        payout_id=strawberry.ID(view.id),
        region=view.region,
        amount=money(view.amount_fen, locale),
        holder=view.holder,
        bank=view.bank,
        number=view.number,
        claimed_on=view.claimed_on,
        voucher=view.voucher,
    )


def _reporter(view: ReporterView) -> ReporterType:
    return ReporterType(name=view.name, id_number=view.id_number, phone=view.phone)


@strawberry.input(description="Moves a report.")
class WorkReportInput:
    """Which, how, and why."""

    report_id: strawberry.ID = strawberry.field(description="The report.")
    event: ReportEvent = strawberry.field(
        description="TRANSFER, DECLINE, OPEN, EXTEND, FIND, SEND_BACK, CONFIRM_*, UPHOLD, OVERTURN."
    )
    words: str = strawberry.field(description="Why; whoever reported reads it.")
    region: str = strawberry.field(description="Of a transfer: to which region.", default="")
    true: bool = strawberry.field(description="Of a finding: whether it is true.", default=False)
    value_yuan: int = strawberry.field(
        description="Of a finding: what the case comes to, in whole yuan.", default=0
    )


@strawberry.input(description="Says something of a report.")
class ReportWordsInput:
    """Which, and what."""

    report_id: strawberry.ID = strawberry.field(description="The report.")
    words: str = strawberry.field(description="What.")


@strawberry.input(description="Decides about a request to learn who reported.")
class DecideUnmaskingInput:
    """Which, how, and why."""

    unmasking_id: strawberry.ID = strawberry.field(description="The request.")
    grant: bool = strawberry.field(description="Whether it is granted.")
    words: str = strawberry.field(description="Why.")


@strawberry.input(description="Names a granted request.")
class ReadReporterInput:
    """Which."""

    unmasking_id: strawberry.ID = strawberry.field(description="The request.")


@strawberry.input(description="Notes that a reward was paid.")
class NotePayoutInput:
    """Which, by which voucher."""

    payout_id: strawberry.ID = strawberry.field(description="The reward.")
    voucher: str = strawberry.field(description="The voucher's number.")


@strawberry.type
class DeskReportQueries:
    """Reports of the caller's regions."""

    @strawberry.field(description="Reports that wait for an inspector: who is threatened first.")
    async def reports(self, info: Info, first: int | None = None) -> list[ReportType]:
        """Return reports."""
        actor, limit = await staff_of(info), page_size(first)
        found = await info.context.door.read(lambda unit: handling.waiting(unit, actor, limit))
        return [report_type(one, info.context.locale) for one in found]

    @strawberry.field(description="A report of the caller's regions; looking is noted.")
    async def report(self, info: Info, report_id: strawberry.ID) -> ReportType | None:
        """Return a report or nothing."""
        actor = await staff_of(info)
        found = await info.context.act(
            lambda unit, _: handling.report(unit, actor, report_id), lambda _: None
        )
        return None if found is None else report_type(found, info.context.locale)

    @strawberry.field(
        description="Requests to learn who reported: one's own, and what one decides."
    )
    async def unmaskings(self, info: Info, first: int | None = None) -> list[ReportUnmasking]:
        """Return requests."""
        actor, limit = await staff_of(info), page_size(first)
        found = await info.context.door.read(lambda unit: handling.unmaskings(unit, actor, limit))
        return [_unmasking(one, info.context.locale) for one in found]

    @strawberry.field(description="Rewards to be paid by the caller's regions; looking is noted.")
    async def reward_payouts(self, info: Info, first: int | None = None) -> list[PayoutType]:
        """Return rewards."""
        actor, limit = await staff_of(info), page_size(first)
        found = await info.context.act(
            lambda unit, _: handling.payouts(unit, actor, limit), lambda _: None
        )
        return [_payout(one, info.context.locale) for one in found]


@strawberry.type
class DeskReportMutations:
    """Handling reports."""

    @strawberry.mutation(
        description="Move a report; a finding counts once another inspector has confirmed it.",
        graphql_type=result_union(
            "WorkReportResult", ReportType, (*_STAFF, ReportNotFound, ReportWordsMissing)
        ),
    )
    async def work_report(self, info: Info, input: WorkReportInput) -> Any:
        """Move a report."""
        outcome = await info.context.act(
            handling.work,
            lambda actor: WorkReport(
                actor,
                input.report_id,
                input.event,
                input.words,
                input.region,
                input.true,
                Fen(input.value_yuan * 100),
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: report_type(view, locale))

    @strawberry.mutation(
        description="Ask whoever reported, known by a pseudonym; they are told to look.",
        graphql_type=result_union(
            "AskReporterResult", ReportType, (*_STAFF, ReportNotFound, ReportWordsMissing)
        ),
    )
    async def ask_reporter(self, info: Info, input: ReportWordsInput) -> Any:
        """Ask the reporter."""
        outcome = await info.context.act(
            handling.ask, lambda actor: AskReporter(actor, input.report_id, input.words)
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: report_type(view, locale))

    @strawberry.mutation(
        description="Publish a proven case by month, in words of one's own.",
        graphql_type=result_union(
            "PublishFindingResult", ReportType, (*_STAFF, ReportNotFound, ReportWordsMissing)
        ),
    )
    async def publish_finding(self, info: Info, input: ReportWordsInput) -> Any:
        """Publish a finding."""
        outcome = await info.context.act(
            handling.publish, lambda actor: PublishFinding(actor, input.report_id, input.words)
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: report_type(view, locale))

    @strawberry.mutation(
        description="Ask to learn who reported; another person decides, and the reporter is told.",
        graphql_type=result_union(
            "AskUnmaskingResult",
            ReportUnmasking,
            (*_STAFF, ReportNotFound, ReportWordsMissing, UnmaskingNotPossible),
        ),
    )
    async def ask_unmasking(self, info: Info, input: ReportWordsInput) -> Any:
        """Ask for a name."""
        outcome = await info.context.act(
            handling.ask_unmasking,
            lambda actor: AskUnmasking(actor, input.report_id, input.words),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _unmasking(view, locale))

    @strawberry.mutation(
        description="Grant or refuse it, as a supervisor of the province who did not ask.",
        graphql_type=result_union(
            "DecideUnmaskingResult",
            ReportUnmasking,
            (*_STAFF, ReportWordsMissing, UnmaskingNotPossible),
        ),
    )
    async def decide_unmasking(self, info: Info, input: DecideUnmaskingInput) -> Any:
        """Decide about a request."""
        outcome = await info.context.act(
            handling.decide_unmasking,
            lambda actor: DecideUnmasking(actor, input.unmasking_id, input.grant, input.words),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _unmasking(view, locale))

    @strawberry.mutation(
        description="Look at what was granted to oneself, within a day; each look is noted.",
        graphql_type=result_union(
            "ReadReporterResult", ReporterType, (*_STAFF, UnmaskingNotPossible)
        ),
    )
    async def read_reporter(self, info: Info, input: ReadReporterInput) -> Any:
        """Return who reported."""
        outcome = await info.context.act(
            handling.read_reporter, lambda actor: ReadReporter(actor, input.unmasking_id)
        )
        return answer(outcome, info.context.locale, _reporter)

    @strawberry.mutation(
        description="Note that a reward was paid.",
        graphql_type=result_union(
            "NotePayoutResult", PayoutType, (*_STAFF, PayoutNotFound, ReportWordsMissing)
        ),
    )
    async def note_payout(self, info: Info, input: NotePayoutInput) -> Any:
        """Note a payout."""
        outcome = await info.context.act(
            handling.note_payout,
            lambda actor: NotePayout(actor, input.payout_id, input.voucher),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _payout(view, locale))

    @strawberry.mutation(
        description="Take a reward back that was got by forged material.",
        graphql_type=result_union(
            "ClawBackResult", ReportType, (*_STAFF, ReportNotFound, ReportWordsMissing)
        ),
    )
    async def claw_back_reward(self, info: Info, input: ReportWordsInput) -> Any:
        """Take a reward back."""
        outcome = await info.context.act(
            handling.claw_back, lambda actor: ClawBack(actor, input.report_id, input.words)
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: report_type(view, locale))
