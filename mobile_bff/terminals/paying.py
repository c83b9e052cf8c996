"""What a till does about payments that a phone began: it hears of settled ones, and takes note."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import TerminalActor
from backend.orders import queries, service
from backend.orders.contracts import OrderNotFound, TakeNote
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.paying import PaymentInput, PaymentType, payment_type


@strawberry.type
class TillPayments:
    """What a terminal may ask about payments."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(
        description="Settled payments of this terminal of which it has not taken note, the oldest first."
    )
    async def unnoted_payments(self, info: Info, first: int | None = None) -> list[PaymentType]:
        """Return payments to take note of."""
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: queries.untold(unit, self.actor.terminal_id, limit)
        )
        return [payment_type(one, info.context.locale) for one in found]


@strawberry.type
class TillPaymentMutations:
    """Taking note."""

    @strawberry.mutation(
        description="Say that the institution's system knows of a settled payment.",
        graphql_type=result_union("TakeNoteOfPaymentResult", PaymentType, (*KEYED, OrderNotFound)),
    )
    async def take_note_of_payment(self, info: Info, input: PaymentInput) -> Any:
        """Take note of a payment."""
        outcome = await info.context.act(
            service.take_note,
            lambda actor: TakeNote(actor, input.payment_id, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: payment_type(view, locale))
