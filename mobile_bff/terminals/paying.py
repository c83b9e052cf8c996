"""What a till does about payments: it collects by the patient's agreement, and takes note of a phone's."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import TerminalActor
from backend.orders import agreements, queries, service
from backend.orders.agreement_contracts import (
    AboveAgreement,
    NoAgreement,
    NothingToCollect,
    PayAtTill,
)
from backend.orders.contracts import ChannelName, OrderNotFound, TakeNote
from backend.payments.contracts import PatientMustConfirm
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.paying import PAY, PaymentInput, PaymentType, driven, payment_type


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


_PAY_AT_TILL = (*PAY, PatientMustConfirm, NoAgreement, AboveAgreement, NothingToCollect)


@strawberry.input(description="Pays a bill by the agreement of whoever showed the code.")
class PayAtTillInput:
    """Which bill."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    bill_id: strawberry.ID = strawberry.field(description="The bill (billId).")


@strawberry.type
class TillPaymentMutations:
    """Collecting by agreement, and taking note."""

    @strawberry.mutation(
        description="Pay a priced bill in one scan: funds, accounts, and the cash by the payer's agreement.",
        graphql_type=result_union("PayAtTillResult", PaymentType, _PAY_AT_TILL),
    )
    async def pay_at_till(self, info: Info, input: PayAtTillInput) -> Any:
        """Pay a bill by agreement; it is settled in the answer unless the channel needs longer."""
        offered = tuple(name for name in ChannelName if name in info.context.door.channels)
        outcome = await info.context.act(
            agreements.pay_at_till,
            lambda actor: PayAtTill(actor, input.bill_id, input.request_id, offered),
        )
        return await driven(info, outcome)

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
