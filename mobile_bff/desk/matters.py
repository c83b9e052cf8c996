"""Applications at the desk: looking, judging papers, deciding, and trying an upload again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.choices.contracts import ChoiceNotPossible
from backend.desk import service
from backend.desk.contracts import (
    DecideMatter,
    ExpertsFirst,
    GiveOpinion,
    HeldByAnother,
    JudgeMaterial,
    MatterAtDesk,
    MatterDecision,
    RetryUpload,
    SecondPersonNeeded,
    WordsMissing,
)
from backend.filings.contracts import FilingNotFound
from backend.kernel.errors import Locale
from backend.matters.contracts import MaterialVerdict, MatterNotFound, OpinionGiven
from backend.rulebook.contracts import RuleNotLoaded
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.forms import FormLine, form_lines
from mobile_bff.matters import MaterialType, MatterType, material_type, matter_type
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.public_services.cross_region_filing import (
    FilingApplicationType,
    FilingType,
    application_type,
    filing_type,
)

DECIDED = (ExpertsFirst, RuleNotLoaded, ChoiceNotPossible)
"""Why what was approved cannot be brought about any more, beside who may decide."""
_STAFF = (SignInRequired, DutyMissing)


@strawberry.type(description="An application at the desk.")
class DeskMatter:
    """Whose, who filed, and what it files."""

    person: PersonType = strawberry.field(description="For whom, masked.")
    applicant: PersonType = strawberry.field(description="Who filed, masked.")
    matter: MatterType = strawberry.field(description="Number, state, promised day, papers.")
    form: list[FormLine] = strawberry.field(description="What is applied for, line by line.")
    filing: FilingApplicationType | None = strawberry.field(
        description="Of a filing: what it would mean, and the filing once there is one."
    )
    opinions: list[OpinionType] = strawberry.field(
        description="What experts said, once they have found; else empty."
    )
    holder: str = strawberry.field(description="Who works on it, by number; empty: nobody.")
    held_at: datetime | None = strawberry.field(description="Since when.")
    days_waiting: int | None = strawberry.field(
        description="Days since it was submitted; null: it does not wait to be decided."
    )
    overdue: bool = strawberry.field(description="Whether the promised day has passed.")


@strawberry.type(name="Opinion", description="What an expert said of an application.")
class OpinionType:
    """Shown once experts have found."""

    round: int = strawberry.field(description="1, and one more with each appeal.")
    expert: str = strawberry.field(description="Who.")
    meets: bool = strawberry.field(description="Whether it meets its condition.")
    words: str = strawberry.field(description="Why.")
    at: datetime = strawberry.field(description="When.")


@strawberry.input(description="Looks at an application.")
class LookAtMatterInput:
    """Which."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")


@strawberry.input(description="Says of a paper whether it will do.")
class JudgeMaterialInput:
    """Which paper, and why not."""

    material_id: strawberry.ID = strawberry.field(description="The paper.")
    verdict: MaterialVerdict = strawberry.field(description="Whether it will do.")
    reason: str = strawberry.field(
        default="", description="Why it will not; the applicant reads it."
    )


@strawberry.input(description="Decides about an application.")
class DecideMatterInput:
    """Which, what, and in which words."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    decision: MatterDecision = strawberry.field(description="The decision.")
    words: str = strawberry.field(default="", description="What the applicant reads.")


@strawberry.input(description="Says as an expert whether an application meets its condition.")
class GiveOpinionInput:
    """Which, whether, and why."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    meets: bool = strawberry.field(description="Whether it meets its condition.")
    words: str = strawberry.field(
        description="Why; where experts refuse it the applicant reads it."
    )


@strawberry.input(description="Has a failed upload tried at once.")
class RetryUploadInput:
    """Which filing."""

    filing_id: strawberry.ID = strawberry.field(description="The filing.")


def desk_matter(view: MatterAtDesk, locale: Locale) -> DeskMatter:
    """Return an application for the desk's schema."""
    return DeskMatter(
        person=person_type(view.person),
        applicant=person_type(view.applicant),
        matter=matter_type(view.matter, locale),
        form=form_lines(view.matter, locale, view.names),
        filing=None if view.filing is None else application_type(view.filing, locale),
        opinions=[OpinionType(**vars(one)) for one in view.opinions],
        holder=(view.matter.holder or "").removeprefix("staff:"),
        held_at=view.matter.held_at,
        days_waiting=view.days_waiting,
        overdue=view.overdue,
    )


@strawberry.type
class MatterMutations:
    """Working on applications."""

    @strawberry.mutation(
        description="Look at an application; the look is written down.",
        graphql_type=result_union("LookAtMatterResult", DeskMatter, (*_STAFF, MatterNotFound)),
    )
    async def look_at_matter(self, info: Info, input: LookAtMatterInput) -> Any:
        """Look at an application."""
        outcome = await info.context.act(
            lambda unit, actor: service.look_at_matter(unit, actor, input.matter_id),
            lambda actor: actor,
        )
        return answer(outcome, info.context.locale, lambda v: desk_matter(v, info.context.locale))

    @strawberry.mutation(
        description="Say of a paper whether it will do.",
        graphql_type=result_union(
            "JudgeMaterialResult",
            MaterialType,
            (*_STAFF, MatterNotFound, WordsMissing, HeldByAnother),
        ),
    )
    async def judge_material(self, info: Info, input: JudgeMaterialInput) -> Any:
        """Judge a paper."""
        outcome = await info.context.act(
            service.judge_material,
            lambda actor: JudgeMaterial(actor, input.material_id, input.verdict, input.reason),
        )
        return answer(outcome, info.context.locale, lambda v: material_type(v, info.context.locale))

    @strawberry.mutation(
        description="Approve, refuse, or ask for everything that is missing.",
        graphql_type=result_union(
            "DecideMatterResult",
            DeskMatter,
            (*_STAFF, MatterNotFound, WordsMissing, SecondPersonNeeded, HeldByAnother, *DECIDED),
        ),
    )
    async def decide_matter(self, info: Info, input: DecideMatterInput) -> Any:
        """Decide about an application."""
        outcome = await info.context.act(
            service.decide_matter,
            lambda actor: DecideMatter(actor, input.matter_id, input.decision, input.words),
        )
        return answer(outcome, info.context.locale, lambda v: desk_matter(v, info.context.locale))

    @strawberry.mutation(
        description="Say as an expert whether an application meets its condition; once.",
        graphql_type=result_union(
            "GiveOpinionResult",
            DeskMatter,
            (*_STAFF, MatterNotFound, WordsMissing, OpinionGiven, RuleNotLoaded),
        ),
    )
    async def give_opinion(self, info: Info, input: GiveOpinionInput) -> Any:
        """Give an opinion."""
        outcome = await info.context.act(
            service.give_opinion,
            lambda actor: GiveOpinion(actor, input.matter_id, input.meets, input.words),
        )
        return answer(outcome, info.context.locale, lambda v: desk_matter(v, info.context.locale))

    @strawberry.mutation(
        description="Have a failed upload to the national platform tried at once.",
        graphql_type=result_union("RetryUploadResult", FilingType, (*_STAFF, FilingNotFound)),
    )
    async def retry_upload(self, info: Info, input: RetryUploadInput) -> Any:
        """Try an upload again."""
        outcome = await info.context.act(
            service.retry_upload, lambda actor: RetryUpload(actor, input.filing_id)
        )
        return answer(outcome, info.context.locale, lambda v: filing_type(v, info.context.locale))
