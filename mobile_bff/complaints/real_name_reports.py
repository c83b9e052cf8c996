"""F3 实名举报与奖励: reporting misuse by name or without, following it by a secret, and the reward."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.contracts import Anonymous, PersonActor, SignInRequired
from backend.infra.database import Unit
from backend.infra.idempotency import RequestKeyInvalid
from backend.kernel.errors import Locale, Refusal
from backend.reports import queries, service
from backend.reports.contracts import (
    ChangeReport,
    ClaimReward,
    LodgeReport,
    MessageBy,
    PayoutInvalid,
    PublishedFinding,
    ReportEvent,
    ReportKind,
    ReportNotFound,
    ReportNotPossible,
    ReportReceipt,
    ReportState,
    ReportView,
    ReportWordsMissing,
    RewardState,
    SayOfReport,
    TooManyReports,
    Whose,
)
from mobile_bff.connections import page_size
from mobile_bff.context import Info, RefusedQuery
from mobile_bff.errors import answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status, words

MODULE = AppModule(
    "F3",
    "实名举报与奖励",
    "实名举报",
    "Real-name reports and rewards",
    ModuleState.AVAILABLE,
    "实名或匿名举报，身份单独加密保存，办案人只见代号；凭密钥查进度、补证据、申诉、领奖；调阅身份须两人。",
)


@strawberry.type(name="ReportReceipt", description="What whoever reported keeps.")
class ReportReceiptType:
    """The secret is shown once."""

    report_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Its number.")
    secret: str = strawberry.field(
        description="Opens the report without signing in, and claims the reward; keep it."
    )
    received_on: date = strawberry.field(description="The day on which it came in.")
    accept_by: date = strawberry.field(description="By when it is decided whether it is taken up.")
    digest: str = strawberry.field(description="SHA-256 of what was said, as it is kept.")


@strawberry.type(name="ReportStep", description="Something that happened to a report.")
class ReportStepType:
    """The day, never the hour."""

    on: date = strawberry.field(description="When.")
    event: ReportEvent = strawberry.field(description="What.")
    text: str = strawberry.field(description="The same in words.")
    words: str = strawberry.field(description="What was said; may be empty.")


@strawberry.type(name="ReportMessage", description="Something said about a report.")
class ReportMessageType:
    """Between whoever reported and whoever handles it."""

    on: date = strawberry.field(description="When.")
    by: MessageBy = strawberry.field(description="By whom.")
    words: str = strawberry.field(description="What.")
    retaliation: bool = strawberry.field(description="Whether somebody is threatened for it.")


@strawberry.type(name="ReportEvidence", description="A file of a report, kept sealed.")
class EvidenceType:
    """A picture loses what its camera wrote into it."""

    evidence_id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="A name that says nothing of its owner.")
    content_type: str = strawberry.field(description="What it is.")
    size: int = strawberry.field(description="Bytes.")
    digest: str = strawberry.field(description="SHA-256 of what is kept.")
    added_on: date = strawberry.field(description="When it was added.")


@strawberry.type(name="Report", description="A report. Nobody is named in it.")
class ReportType:
    """As whoever lodged it and whoever handles it see it."""

    report_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Its number.")
    pseudonym: str = strawberry.field(description="What handlers call whoever reported.")
    real_name: bool = strawberry.field(description="Whether somebody gave their name.")
    state: ReportState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words, with what to do.")
    kind: ReportKind = strawberry.field(description="What is reported.")
    kind_text: str = strawberry.field(description="The same in words.")
    institution_code: str = strawberry.field(description="Of which institution; may be empty.")
    target: str = strawberry.field(description="Whom else; may be empty.")
    region: str = strawberry.field(description="Whose bureau handles it.")
    happened: str = strawberry.field(description="When it happened, as it was said.")
    facts: str = strawberry.field(description="What was said.")
    received_on: date = strawberry.field(description="The day on which it came in.")
    due_on: date | None = strawberry.field(description="By when the next step is due.")
    overdue: bool = strawberry.field(description="Whether that day is over.")
    extended: int = strawberry.field(description="How often handling was extended.")
    retaliation: bool = strawberry.field(description="Whether somebody is threatened for it.")
    case_value: Money = strawberry.field(description="Of the case, once found.")
    reward: RewardState = strawberry.field(description="Where the reward stands.")
    reward_status: Status = strawberry.field(description="The same in words, with what to do.")
    reward_amount: Money = strawberry.field(description="The reward.")
    reward_by: date | None = strawberry.field(description="The last day to claim it.")
    steps: list[ReportStepType] = strawberry.field(description="What happened, in its order.")
    messages: list[ReportMessageType] = strawberry.field(description="What was said, in order.")
    evidence: list[EvidenceType] = strawberry.field(description="Its files.")


@strawberry.type(name="PublishedFinding", description="A finding that anybody may read.")
class PublishedFindingType:
    """By month, without a word of who reported."""

    region: str = strawberry.field(description="Whose bureau.")
    institution: str = strawberry.field(description="Of which institution; may be empty.")
    kind: ReportKind = strawberry.field(description="What it was.")
    kind_text: str = strawberry.field(description="The same in words.")
    case_value: Money = strawberry.field(description="What it came to.")
    summary: str = strawberry.field(description="What was found and done.")
    month: str = strawberry.field(description="Such as 2026-06.")


def report_type(view: ReportView, locale: Locale) -> ReportType:
    """Return a report for the schema."""
    return ReportType(
        report_id=strawberry.ID(view.id),
        number=view.number,
        pseudonym=view.pseudonym,
        real_name=view.real_name,
        state=view.state,
        status=status(view.state, locale),
        kind=view.kind,
        kind_text=words(view.kind).text(locale),
        institution_code=view.institution_code,
        target=view.target,
        region=view.region,
        happened=view.happened,
        facts=view.facts,
        received_on=view.received_on,
        due_on=view.due_on,
        overdue=view.overdue,
        extended=view.extended,
        retaliation=view.retaliation,
        case_value=money(view.value_fen, locale),
        reward=view.reward,
        reward_status=status(view.reward, locale),
        reward_amount=money(view.reward_fen, locale),
        reward_by=view.reward_by,
        steps=[
            ReportStepType(
                on=one.on, event=one.event, text=words(one.event).text(locale), words=one.words
            )
            for one in view.steps
        ],
        messages=[
            ReportMessageType(on=one.on, by=one.by, words=one.words, retaliation=one.retaliation)
            for one in view.messages
        ],
        evidence=[
            EvidenceType(
                evidence_id=strawberry.ID(one.id),
                name=one.name,
                content_type=one.content_type,
                size=one.size,
                digest=one.digest,
                added_on=one.added_on,
            )
            for one in view.evidence
        ],
    )


def _receipt_type(one: ReportReceipt) -> ReportReceiptType:
    return ReportReceiptType(
        report_id=strawberry.ID(one.report_id),
        number=one.number,
        secret=one.secret,
        received_on=one.received_on,
        accept_by=one.accept_by,
        digest=one.digest,
    )


@strawberry.input(description="Reports misuse of the funds.")
class LodgeReportInput:
    """Whom, what, when; by name or without."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    real_name: bool = strawberry.field(
        description="Whether one's name is kept, apart and sealed; else nobody ever learns it."
    )
    kind: ReportKind = strawberry.field(description="What is reported.")
    institution_code: str = strawberry.field(
        description="Of which institution, by its code; empty: another target.", default=""
    )
    target: str = strawberry.field(description="Whom else, in words.", default="")
    staff_number: str = strawberry.field(
        description="A member of an agency's staff who is kept away from it.", default=""
    )
    region: str = strawberry.field(
        description="County where it happened, where no institution is named.", default=""
    )
    happened: str = strawberry.field(description="When it happened, in words.", default="")
    facts: str = strawberry.field(description="Who did what, where and how; 20 to 4000.")
    wants_reward: bool = strawberry.field(description="Whether a reward is wanted.", default=True)


@strawberry.input(description="Names a report of one's own.")
class OwnReportInput:
    """By its secret, or, for who is signed in and gave their name, by its id."""

    report_id: strawberry.ID = strawberry.field(description="Its id.", default=strawberry.ID(""))
    secret: str = strawberry.field(description="The secret of its receipt.", default="")
    words: str = strawberry.field(
        description="Why; may be empty where nothing is asked.", default=""
    )


@strawberry.input(description="Adds words to a report.")
class SayOfReportInput(OwnReportInput):
    """What one wants to add."""

    retaliation: bool = strawberry.field(
        description="Whether one is threatened or harmed for it.", default=False
    )


@strawberry.input(description="Says where a reward goes to.")
class ClaimRewardInput(OwnReportInput):
    """An account; who pays it out learns nothing else."""

    holder: str = strawberry.field(description="Who holds the account.")
    bank: str = strawberry.field(description="At which bank.")
    number: str = strawberry.field(description="Its number.")


@strawberry.type
class ReportQueries:
    """One's own reports, and what was published."""

    @strawberry.field(description="A report, for who has its secret; null: there is none.")
    async def report(self, info: Info, secret: str) -> ReportType | None:
        """Return a report by its secret."""
        found = await info.context.door.read(
            lambda unit: service.view_own(unit, Whose(Anonymous(), "", secret))
        )
        return None if isinstance(found, Refusal) else report_type(found, info.context.locale)

    @strawberry.field(description="What the signed-in person reported by name.")
    async def my_reports(self, info: Info) -> list[ReportType]:
        """Return the caller's own reports."""
        actor = await info.context.actor()
        if not isinstance(actor, PersonActor):
            raise RefusedQuery("sign in first", "UNAUTHENTICATED")

        def read(unit: Unit) -> list[ReportView]:
            return service.own_reports(unit, actor)

        found = await info.context.door.read(read)
        return [report_type(one, info.context.locale) for one in found]

    @strawberry.field(description="Proven cases of a region, the newest month first.")
    async def published_findings(
        self, info: Info, region: str | None = "510000", first: int | None = None
    ) -> list[PublishedFindingType]:
        """Return published findings."""
        limit, locale = page_size(first), info.context.locale
        found: list[PublishedFinding] = await info.context.door.read(
            lambda unit: queries.published(unit, region or "510000", limit)
        )
        return [
            PublishedFindingType(
                region=one.region,
                institution=one.institution,
                kind=one.kind,
                kind_text=words(one.kind).text(locale),
                case_value=money(one.value_fen, locale),
                summary=one.summary,
                month=one.month,
            )
            for one in found
        ]


@strawberry.type
class ReportMutations:
    """Reporting, and following what was reported."""

    @strawberry.mutation(
        description="Report misuse, by name or without; the receipt's secret is shown once.",
        graphql_type=result_union(
            "LodgeReportResult",
            ReportReceiptType,
            (SignInRequired, RequestKeyInvalid, ReportNotPossible, TooManyReports),
        ),
    )
    async def lodge_report(self, info: Info, input: LodgeReportInput) -> Any:
        """Lodge a report."""
        outcome = await info.context.act(
            service.lodge,
            lambda actor: LodgeReport(
                actor if input.real_name else Anonymous(info.context.address),
                input.real_name,
                input.kind,
                input.institution_code,
                input.target,
                input.staff_number,
                input.region,
                input.happened,
                input.facts,
                input.wants_reward,
                input.request_id,
            ),
        )
        return answer(outcome, info.context.locale, _receipt_type)

    @strawberry.mutation(
        description="Add words to a report, or say that one is threatened for it.",
        graphql_type=result_union(
            "SayOfReportResult", ReportType, (ReportNotFound, ReportWordsMissing)
        ),
    )
    async def say_of_report(self, info: Info, input: SayOfReportInput) -> Any:
        """Add words."""
        outcome = await info.context.act(
            service.say_of_report,
            lambda actor: SayOfReport(
                Whose(actor, input.report_id, input.secret), input.words, input.retaliation
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: report_type(view, locale))

    @strawberry.mutation(
        description="Ask once for another look, by others, at what was declined or not proven.",
        graphql_type=result_union(
            "AppealReportResult", ReportType, (ReportNotFound, ReportWordsMissing)
        ),
    )
    async def appeal_report(self, info: Info, input: OwnReportInput) -> Any:
        """Appeal."""
        return await _changed(info, service.appeal, input)

    @strawberry.mutation(
        description="Take a report back that nobody has taken up.",
        graphql_type=result_union("WithdrawReportResult", ReportType, (ReportNotFound,)),
    )
    async def withdraw_report(self, info: Info, input: OwnReportInput) -> Any:
        """Withdraw a report."""
        return await _changed(info, service.withdraw, input)

    @strawberry.mutation(
        description="Say where the reward goes to; who pays it out does not learn the report.",
        graphql_type=result_union("ClaimRewardResult", ReportType, (ReportNotFound, PayoutInvalid)),
    )
    async def claim_reward(self, info: Info, input: ClaimRewardInput) -> Any:
        """Claim the reward."""
        outcome = await info.context.act(
            service.claim_reward,
            lambda actor: ClaimReward(
                Whose(actor, input.report_id, input.secret),
                input.holder,
                input.bank,
                input.number,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: report_type(view, locale))

    @strawberry.mutation(
        description="Do without the reward.",
        graphql_type=result_union("WaiveRewardResult", ReportType, (ReportNotFound,)),
    )
    async def waive_reward(self, info: Info, input: OwnReportInput) -> Any:
        """Waive the reward."""
        return await _changed(info, service.waive_reward, input)


async def _changed(info: Info, use_case: Any, input: OwnReportInput) -> Any:
    outcome = await info.context.act(
        use_case,
        lambda actor: ChangeReport(Whose(actor, input.report_id, input.secret), input.words),
    )
    locale = info.context.locale
    return answer(outcome, locale, lambda view: report_type(view, locale))
