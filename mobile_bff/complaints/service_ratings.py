"""F1 服务评价: five grades for a settlement's service, reasons for the bad ones, and what becomes of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import Action, SignInRequired
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.errors import Locale
from backend.ratings import queries, service
from backend.ratings.contracts import (
    AnswerMissing,
    Rate,
    RatingEvent,
    RatingNotFound,
    RatingNotPossible,
    RatingReason,
    RatingState,
    RatingView,
    SayOfRating,
    Score,
)
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.wording import Status, status, words

MODULE = AppModule(
    "F1",
    "服务评价",
    "服务评价",
    "Ratings",
    ModuleState.AVAILABLE,
    "结算后可评价一次（五级，差评选原因）；差评限期答复、可再提一次，机构可申诉，经办裁定；机构得分公开。",
)


@strawberry.type(name="RatingStep", description="Something that happened to a rating.")
class RatingStepType:
    """An event in the words of who caused it."""

    at: datetime = strawberry.field(description="When.")
    event: RatingEvent = strawberry.field(description="What.")
    text: str = strawberry.field(description="The same in words.")
    words: str = strawberry.field(description="What was said; may be empty.")


@strawberry.type(name="Rating", description="What a patient thinks of a settlement's service.")
class RatingType:
    """A rating and what became of it."""

    rating_id: strawberry.ID = strawberry.field(description="Its id.")
    state: RatingState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words.")
    settlement_id: strawberry.ID = strawberry.field(description="The settlement.")
    institution: InstitutionType = strawberry.field(description="Whose service it was.")
    person: PersonType = strawberry.field(description="The patient, masked.")
    grade: int = strawberry.field(description="5 very satisfied … 1 not at all.")
    reasons: list[RatingReason] = strawberry.field(description="What a bad one is about.")
    reason_texts: list[str] = strawberry.field(description="The same in words.")
    words: str = strawberry.field(description="In the patient's own words; may be empty.")
    given_at: datetime = strawberry.field(description="When it was given.")
    due_on: date | None = strawberry.field(
        description="By when the institution answers; null: nothing is due."
    )
    overdue: bool = strawberry.field(description="Whether that day is over.")
    steps: list[RatingStepType] = strawberry.field(description="What happened, in its order.")


@strawberry.type(description="What an institution's ratings come to.")
class RatingScore:
    """How many, and the average."""

    count: int = strawberry.field(description="How many count; those found false do not.")
    average: str | None = strawberry.field(
        description="Of the five grades, with one decimal; null: too few to tell."
    )


def rating_type(view: RatingView, locale: Locale) -> RatingType:
    """Return a rating for the schema."""
    return RatingType(
        rating_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        settlement_id=strawberry.ID(view.settlement_id),
        institution=institution_type(view.institution),
        person=person_type(view.person),
        grade=view.grade,
        reasons=list(view.reasons),
        reason_texts=[words(one).text(locale) for one in view.reasons],
        words=view.words,
        given_at=view.given_at,
        due_on=view.due_on,
        overdue=view.overdue,
        steps=[
            RatingStepType(
                at=one.at, event=one.event, text=words(one.event).text(locale), words=one.words
            )
            for one in view.steps
        ],
    )


@strawberry.input(description="Rates the service of a settlement.")
class RateSettlementInput:
    """Which settlement, and what of it."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    settlement_id: strawberry.ID = strawberry.field(description="The settlement.")
    grade: int = strawberry.field(description="5 very satisfied … 1 not at all.")
    reasons: list[RatingReason] = strawberry.field(
        description="At least one for 1 and 2; none for the others.", default_factory=list
    )
    words: str = strawberry.field(description="In one's own words; at most 500.", default="")


@strawberry.input(description="Says of an institution's answer whether it will do.")
class SayOfRatingInput:
    """Which rating, and what of its answer."""

    rating_id: strawberry.ID = strawberry.field(description="The rating.")
    accept: bool = strawberry.field(description="Whether it will do; else it is opened once more.")
    words: str = strawberry.field(description="Why it will not do.", default="")


@strawberry.type
class RatingQueries:
    """Ratings of a person, and of an institution."""

    @strawberry.field(description="Ratings given for a person, the newest first.")
    async def ratings(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        first: int | None = None,
        after: strawberry.ID | None = None,
    ) -> list[RatingType]:
        """Return ratings of the caller, or of somebody they may look for."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: queries.of_person(unit, subject, after, limit)
        )
        return [rating_type(one, info.context.locale) for one in found]

    @strawberry.field(description="What the ratings of an institution come to; null: no such one.")
    async def institution_score(self, info: Info, code: str) -> RatingScore | None:
        """Return the score of an institution."""

        def read(unit: Unit) -> Score | None:
            found = institutions.by_code(unit, code)
            return None if found is None else queries.score(unit, found.id)

        found = await info.context.door.read(read)
        if found is None:
            return None
        whole, tenth = divmod(found.tenths, 10)
        return RatingScore(count=found.count, average=f"{whole}.{tenth}" if found.tenths else None)


@strawberry.type
class RatingMutations:
    """Rating, and what one thinks of the answer."""

    @strawberry.mutation(
        description="Rate the service of a settlement, once.",
        graphql_type=result_union(
            "RateSettlementResult", RatingType, (*KEYED, RatingNotFound, RatingNotPossible)
        ),
    )
    async def rate_settlement(self, info: Info, input: RateSettlementInput) -> Any:
        """Rate a settlement of the caller's, or a relative's."""
        outcome = await info.context.act(
            service.rate,
            lambda actor: Rate(
                actor,
                input.settlement_id,
                input.grade,
                tuple(input.reasons),
                input.words,
                input.request_id,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: rating_type(view, locale))

    @strawberry.mutation(
        description="Accept an institution's answer, or open the rating once more.",
        graphql_type=result_union(
            "SayOfRatingResult", RatingType, (SignInRequired, RatingNotFound, AnswerMissing)
        ),
    )
    async def say_of_rating(self, info: Info, input: SayOfRatingInput) -> Any:
        """Say something of an answer."""
        outcome = await info.context.act(
            service.say,
            lambda actor: SayOfRating(actor, input.rating_id, input.accept, input.words),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: rating_type(view, locale))
