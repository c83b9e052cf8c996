"""服务评价 at the desk: appeals against ratings, and answers that are overdue."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.desk import ratings
from backend.ratings.contracts import AnswerMissing, DecideRating, RatingNotFound
from mobile_bff.complaints.service_ratings import RatingType, rating_type
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.desk.caller import staff_of
from mobile_bff.errors import answer, result_union


@strawberry.input(description="Decides about an institution's appeal against a rating.")
class DecideRatingInput:
    """Which, how, and why."""

    rating_id: strawberry.ID = strawberry.field(description="The rating.")
    uphold: bool = strawberry.field(description="Whether it stands; else it does not count.")
    words: str = strawberry.field(description="Why; both sides read it.")


@strawberry.type
class DeskRatingQueries:
    """Ratings that wait for the caller's desk."""

    @strawberry.field(description="Appeals and overdue answers of the caller's regions.")
    async def ratings(self, info: Info, first: int | None = None) -> list[RatingType]:
        """Return ratings."""
        actor = await staff_of(info)
        limit = page_size(first)
        found = await info.context.door.read(lambda unit: ratings.waiting(unit, actor, limit))
        return [rating_type(one, info.context.locale) for one in found]


@strawberry.type
class DeskRatingMutations:
    """Deciding about appeals."""

    @strawberry.mutation(
        description="Decide whether a rating stands that an institution calls false.",
        graphql_type=result_union(
            "DecideRatingResult",
            RatingType,
            (SignInRequired, DutyMissing, RatingNotFound, AnswerMissing),
        ),
    )
    async def decide_rating(self, info: Info, input: DecideRatingInput) -> Any:
        """Decide about an appeal."""
        outcome = await info.context.act(
            ratings.decide,
            lambda actor: DecideRating(actor, input.rating_id, input.uphold, input.words),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: rating_type(view, locale))
