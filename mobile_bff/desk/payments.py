"""Cash that went another way than it should, at the province's desk: asked for anew, or closed in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.desk import payments
from backend.desk.contracts import CashNotFound
from backend.kernel.errors import Locale
from backend.orders.contracts import (
    ChannelName,
    DifferenceKind,
    DifferenceState,
    DifferenceView,
)
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.desk.caller import staff_of
from mobile_bff.errors import answer, result_union
from mobile_bff.paying import PaymentType, payment_type
from mobile_bff.scalars import Money, money_or_none
from mobile_bff.wording import words


@strawberry.type(name="CashDifference", description="Where a channel's file and ours differ.")
class DifferenceType:
    """What each side says."""

    difference_id: strawberry.ID = strawberry.field(description="Its id.")
    channel: ChannelName = strawberry.field(description="Whose file.")
    day: date = strawberry.field(description="Of which day.")
    kind: DifferenceKind = strawberry.field(description="In what they differ.")
    kind_text: str = strawberry.field(description="The same in words.")
    state: DifferenceState = strawberry.field(description="What became of it.")
    number: str = strawberry.field(description="The payment's number at the channel.")
    ours: Money | None = strawberry.field(description="What we say; null: nothing.")
    theirs: Money | None = strawberry.field(description="What the channel says; null: nothing.")
    words: str = strawberry.field(description="What was said when it was closed; may be empty.")


def _difference(view: DifferenceView, locale: Locale) -> DifferenceType:
    return DifferenceType(
        difference_id=strawberry.ID(view.id),
        channel=view.channel,
        day=view.day,
        kind=view.kind,
        kind_text=words(view.kind).text(locale),
        state=view.state,
        number=view.number,
        ours=money_or_none(view.ours_fen, locale),
        theirs=money_or_none(view.theirs_fen, locale),
        words=view.words,
    )


@strawberry.input(description="Names a payment whose cash could not be given back.")
class RetryReturnInput:
    """Which payment."""

    payment_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="Closes a difference that a person has seen to.")
class CloseDifferenceInput:
    """Which, and what became of it."""

    difference_id: strawberry.ID = strawberry.field(description="Its id.")
    words: str = strawberry.field(description="What became of it.")


@strawberry.type
class DeskPaymentQueries:
    """Cash that waits for a person."""

    @strawberry.field(description="Payments whose cash could not be given back.")
    async def failed_returns(self, info: Info, first: int | None = None) -> list[PaymentType]:
        """Return payments."""
        actor, limit = await staff_of(info), page_size(first)
        found = await info.context.door.read(
            lambda unit: payments.failed_returns(unit, actor, limit)
        )
        return [payment_type(one, info.context.locale) for one in found]

    @strawberry.field(description="Differences with a channel's file that wait for a person.")
    async def cash_differences(self, info: Info, first: int | None = None) -> list[DifferenceType]:
        """Return differences."""
        actor, limit = await staff_of(info), page_size(first)
        found = await info.context.door.read(lambda unit: payments.differences(unit, actor, limit))
        return [_difference(one, info.context.locale) for one in found]


@strawberry.type
class DeskPaymentMutations:
    """Seeing to it."""

    @strawberry.mutation(
        description="Ask the channel anew to give cash back.",
        graphql_type=result_union(
            "RetryReturnResult", PaymentType, (SignInRequired, DutyMissing, CashNotFound)
        ),
    )
    async def retry_return(self, info: Info, input: RetryReturnInput) -> Any:
        """Retry a return."""
        outcome = await info.context.act(
            lambda unit, actor: payments.retry_return(unit, actor, input.payment_id),
            lambda actor: actor,
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: payment_type(view, locale))

    @strawberry.mutation(
        description="Close a difference that a person has seen to, in words.",
        graphql_type=result_union(
            "CloseDifferenceResult", DifferenceType, (SignInRequired, DutyMissing, CashNotFound)
        ),
    )
    async def close_difference(self, info: Info, input: CloseDifferenceInput) -> Any:
        """Close a difference."""
        outcome = await info.context.act(
            lambda unit, actor: payments.close_difference(
                unit, actor, input.difference_id, input.words
            ),
            lambda actor: actor,
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _difference(view, locale))
