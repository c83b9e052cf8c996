"""What an institution does about bad ratings: it answers them, or says once that one is false."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import SignInRequired, TerminalActor
from backend.ratings import queries, service
from backend.ratings.contracts import AnswerMissing, RatingEvent, RatingNotFound, WorkRating
from mobile_bff.complaints.service_ratings import RatingType, rating_type
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union


@strawberry.input(description="Answers a rating, or appeals against it.")
class WorkRatingInput:
    """Which rating, and in which words."""

    rating_id: strawberry.ID = strawberry.field(description="The rating.")
    event: RatingEvent = strawberry.field(description="ANSWER, or APPEAL: that it is false.")
    words: str = strawberry.field(description="What the patient, or the agency, reads.")


@strawberry.type
class TillRatings:
    """What an institution has to answer."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(description="Bad ratings that wait for an answer, the longest waiting first.")
    async def ratings_to_answer(self, info: Info, first: int | None = None) -> list[RatingType]:
        """Return ratings."""
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: queries.to_answer(unit, self.actor.institution_id, limit)
        )
        return [rating_type(one, info.context.locale) for one in found]


@strawberry.type
class TillRatingMutations:
    """Answering."""

    @strawberry.mutation(
        description="Answer a bad rating of this institution, or appeal against it once.",
        graphql_type=result_union(
            "WorkRatingResult", RatingType, (SignInRequired, RatingNotFound, AnswerMissing)
        ),
    )
    async def work_rating(self, info: Info, input: WorkRatingInput) -> Any:
        """Answer or appeal."""
        outcome = await info.context.act(
            service.work,
            lambda actor: WorkRating(actor, input.rating_id, input.event, input.words),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: rating_type(view, locale))
