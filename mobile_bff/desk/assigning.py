"""Who works on what: the queue, taking and handing over, figures, and words to begin with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired, StaffActor
from backend.desk import assigning, queries, templates
from backend.desk.contracts import (
    AddReplyTemplate,
    AskQueue,
    CannotHandTo,
    HandOver,
    HeldByAnother,
    Holding,
    MatterAtDesk,
    MatterDecision,
    RemoveReplyTemplate,
    ReplyTemplateView,
    TakeMatter,
    TemplateNotFound,
    WordsMissing,
)
from backend.infra.database import Unit
from backend.kernel.errors import Locale, Refusal
from backend.matters.contracts import MatterKind, MatterNotFound
from backend.matters.load_contracts import Workload
from mobile_bff.connections import PAGE_MAX, BadInput, page_size
from mobile_bff.context import Info, RefusedQuery
from mobile_bff.desk.caller import staff_of
from mobile_bff.desk.matters import DeskMatter, desk_matter
from mobile_bff.errors import answer, result_union
from mobile_bff.wording import status

_STAFF = (SignInRequired, DutyMissing)
_DAYS = 30
_DAYS_MAX = 366
_WORDS = {
    Locale.ZH: {
        "APPROVE": ["材料齐全，符合规定，已通过。"],
        "ASK": ["请补充：…（请一次列全）", "照片看不清，请在光线充足处重拍。"],
        "REJECT": ["不符合办理条件：…（写明条款）。如有异议可申诉。"],
    },
    Locale.EN: {
        "APPROVE": ["The papers are complete; approved."],
        "ASK": ["Please add: … (everything at once)", "The picture cannot be read; take it again."],
        "REJECT": ["The condition is not met: … (name the clause). You may appeal."],
    },
}


@strawberry.type(description="Words that a clerk may begin with.")
class ReplyTemplates:
    """For a decision."""

    decision: MatterDecision = strawberry.field(description="The decision.")
    words: list[str] = strawberry.field(
        description="Words to begin with; the clerk completes them."
    )
    own: list[RegionTemplate] = strawberry.field(
        description="Words that supervisors of these regions have added, the oldest first."
    )


@strawberry.type(name="ReplyTemplate", description="Words that a supervisor has added.")
class RegionTemplate:
    """For a region, and a kind or all kinds."""

    template_id: strawberry.ID = strawberry.field(description="Its id.")
    region: str = strawberry.field(description="Where it holds.")
    region_name: str = strawberry.field(description="Name of the region.")
    kind: MatterKind | None = strawberry.field(description="For which kind; null: for all.")
    decision: MatterDecision = strawberry.field(description="For which decision.")
    words: str = strawberry.field(description="The words.")


@strawberry.type(description="How much there is to do, and how fast it was done.")
class DeskWorkload:
    """Of a region, now and in the days asked about."""

    since: datetime = strawberry.field(description="Since when decisions are counted.")
    kinds: list[KindFigures] = strawberry.field(description="By kind of application.")
    staff: list[StaffFigures] = strawberry.field(description="By who holds and who decided.")
    complete: bool = strawberry.field(
        description="False: more than 5,000 wait or were decided; the oldest, the newest are counted."
    )


@strawberry.type(description="Figures of a kind of application.")
class KindFigures:
    """What waits, and what was decided."""

    kind: MatterKind = strawberry.field(description="The kind.")
    kind_text: str = strawberry.field(description="The kind, in words.")
    waiting: int = strawberry.field(description="How many wait to be decided.")
    overdue: int = strawberry.field(description="Of these: past the promised day.")
    due_soon: int = strawberry.field(description="Of these: due by the second working day.")
    free: int = strawberry.field(description="Of these: nobody works on them.")
    oldest_on: date | None = strawberry.field(description="When the oldest was submitted.")
    decided: int = strawberry.field(description="How many staff have decided in these days.")
    on_time: int = strawberry.field(description="Of these: by the promised day.")
    median_workdays: int | None = strawberry.field(
        description="Median of the working days they took, pauses not counted."
    )


@strawberry.type(description="Figures of a member of staff.")
class StaffFigures:
    """What they hold and have decided."""

    number: str = strawberry.field(description="Who.")
    held: int = strawberry.field(description="How many they hold.")
    overdue: int = strawberry.field(description="Of these: past the promised day.")
    decided: int = strawberry.field(description="How many they have decided in these days.")


@strawberry.type(description="Applications that have come into other hands.")
class HandedOver:
    """All that were named."""

    matters: list[DeskMatter] = strawberry.field(description="The applications.")


@strawberry.input(description="Takes an application to work on it, or lets it go.")
class TakeMatterInput:
    """Which."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    let_go: bool = strawberry.field(default=False, description="Let it go instead.")


@strawberry.input(description="Gives applications to another clerk, all of them or none.")
class HandOverInput:
    """Which, to whom, and why."""

    matter_ids: list[strawberry.ID] = strawberry.field(description="At most 100 of them.")
    to_number: str = strawberry.field(description="Who shall work on them, by number.")
    words: str = strawberry.field(description="Why; kept with the applications.")


@strawberry.input(description="Adds words to begin a decision with.")
class AddReplyTemplateInput:
    """Where, for what, and which words."""

    region: str = strawberry.field(description="County, city or province (GB/T 2260).")
    kind: MatterKind | None = strawberry.field(
        default=None, description="For which kind; null: for all."
    )
    decision: MatterDecision = strawberry.field(description="For which decision.")
    words: str = strawberry.field(description="The words, at most 500 characters.")


@strawberry.input(description="Takes words away.")
class RemoveReplyTemplateInput:
    """Which."""

    template_id: strawberry.ID = strawberry.field(description="Its id.")


def template_type(view: ReplyTemplateView) -> RegionTemplate:
    """Return added words for the schema."""
    return RegionTemplate(
        template_id=strawberry.ID(view.id),
        region=view.region,
        region_name=view.region_name,
        kind=view.kind,
        decision=view.decision,
        words=view.words,
    )


def workload_type(view: Workload, locale: Locale) -> DeskWorkload:
    """Return figures for the schema."""
    return DeskWorkload(
        since=view.since,
        kinds=[
            KindFigures(**vars(one), kind_text=status(one.kind, locale).text) for one in view.kinds
        ],
        staff=[StaffFigures(**vars(one)) for one in view.staff],
        complete=view.complete,
    )


@strawberry.type
class AssigningQueries:
    """What waits for whom."""

    @strawberry.field(
        description="Applications that wait to be decided where the caller is a clerk or a"
        " supervisor, the longest waiting first."
    )
    async def queue(
        self,
        info: Info,
        kind: MatterKind | None = None,
        holding: Holding | None = Holding.ANY,
        after: strawberry.ID | None = None,
        first: int | None = None,
    ) -> list[DeskMatter]:
        """Return a page of the queue."""
        actor = await staff_of(info)
        asked = AskQueue(kind, holding or Holding.ANY, after, page_size(first))
        found = await info.context.door.read(lambda unit: queries.queue(unit, actor, asked))
        return [desk_matter(one, info.context.locale) for one in found]

    @strawberry.field(
        description="How much there is to do in a region that the caller supervises, and what was"
        " decided there in some days up to now."
    )
    async def workload(self, info: Info, region: str, days: int | None = _DAYS) -> DeskWorkload:
        """Return figures."""
        actor = await staff_of(info)
        span = _DAYS if days is None else days
        if not 1 <= span <= _DAYS_MAX:
            raise BadInput(f"days is from 1 to {_DAYS_MAX}")

        def read(unit: Unit) -> Workload | Refusal:
            return queries.workload(unit, actor, region, span)

        found = await info.context.door.read(read)
        if isinstance(found, Refusal):
            raise RefusedQuery(found.message(info.context.locale), "FORBIDDEN")
        return workload_type(found, info.context.locale)

    @strawberry.field(description="Words to begin a decision about an application with.")
    async def reply_templates(self, info: Info) -> list[ReplyTemplates]:
        """Return templates: everybody's, and those of where the caller works."""
        actor, locale = await info.context.actor(), info.context.locale
        own: list[ReplyTemplateView] = []
        if isinstance(actor, StaffActor):
            own = await info.context.door.read(lambda unit: templates.of_regions(unit, actor))
        return [
            ReplyTemplates(
                decision=one,
                words=_WORDS[locale][one.value],
                own=[template_type(view) for view in own if view.decision is one],
            )
            for one in MatterDecision
        ]


@strawberry.type
class AssigningMutations:
    """Taking, handing over, and words."""

    @strawberry.mutation(
        description="Take an application to work on it, or let it go. It is the taker's alone for"
        " a day.",
        graphql_type=result_union(
            "TakeMatterResult", DeskMatter, (*_STAFF, MatterNotFound, HeldByAnother)
        ),
    )
    async def take_matter(self, info: Info, input: TakeMatterInput) -> Any:
        """Take an application."""
        outcome = await info.context.act(
            assigning.take, lambda actor: TakeMatter(actor, input.matter_id, input.let_go)
        )
        return answer(outcome, info.context.locale, lambda v: desk_matter(v, info.context.locale))

    @strawberry.mutation(
        description="Give applications to another clerk, all of them or none: who holds them does,"
        " or a supervisor.",
        graphql_type=result_union(
            "HandOverResult",
            HandedOver,
            (*_STAFF, MatterNotFound, HeldByAnother, CannotHandTo, WordsMissing),
        ),
    )
    async def hand_over(self, info: Info, input: HandOverInput) -> Any:
        """Hand applications over."""
        if not 1 <= len(input.matter_ids) <= PAGE_MAX:
            raise BadInput(f"name 1 to {PAGE_MAX} applications")
        outcome = await info.context.act(
            assigning.hand_over,
            lambda actor: HandOver(
                actor, tuple(input.matter_ids), input.to_number.strip(), input.words
            ),
        )

        def shown(found: list[MatterAtDesk]) -> HandedOver:
            return HandedOver(matters=[desk_matter(one, info.context.locale) for one in found])

        return answer(outcome, info.context.locale, shown)

    @strawberry.mutation(
        description="Add words to begin a decision with, for a region that one supervises.",
        graphql_type=result_union(
            "AddReplyTemplateResult", RegionTemplate, (*_STAFF, WordsMissing)
        ),
    )
    async def add_reply_template(self, info: Info, input: AddReplyTemplateInput) -> Any:
        """Add words."""
        outcome = await info.context.act(
            templates.add,
            lambda actor: AddReplyTemplate(
                actor, input.region, input.kind, input.decision, input.words
            ),
        )
        return answer(outcome, info.context.locale, template_type)

    @strawberry.mutation(
        description="Take words away that nobody shall begin with any more.",
        graphql_type=result_union(
            "RemoveReplyTemplateResult", RegionTemplate, (*_STAFF, TemplateNotFound)
        ),
    )
    async def remove_reply_template(self, info: Info, input: RemoveReplyTemplateInput) -> Any:
        """Take words away."""
        outcome = await info.context.act(
            templates.remove, lambda actor: RemoveReplyTemplate(actor, input.template_id)
        )
        return answer(outcome, info.context.locale, template_type)
