"""先诊疗后付费 at the hospital's window: what is owed here, and taking a payment of it."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import TerminalActor
from backend.credit import queries
from backend.credit.contracts import PayInstalment, PayLaterNotFound, PayLaterNotPossible
from backend.kernel.money import Fen
from backend.payments.instalments import pay_instalment
from mobile_bff.benefits.credit_care import PayLaterType, shown, shown_answer
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, result_union


@strawberry.input(description="Takes a payment of a debt.")
class PayInstalmentInput:
    """Which, and how much."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    agreement_id: strawberry.ID = strawberry.field(description="The agreement.")
    amount_fen: int = strawberry.field(description="How much, in fen; at most what is open.")


@strawberry.type
class TillDebts:
    """What is owed to this hospital."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(description="Debts of stays here that are open, the oldest first.")
    async def debts(self, info: Info, first: int | None = None) -> list[PayLaterType]:
        """Return debts."""
        limit, place = page_size(first), self.actor.institution_id
        found = await info.context.door.read(lambda unit: queries.owed_to(unit, place, limit))
        return await shown(info, found)


@strawberry.type
class TillDebtMutations:
    """Taking payments."""

    @strawberry.mutation(
        description="Take a payment of a debt at this hospital's window.",
        graphql_type=result_union(
            "PayInstalmentResult",
            PayLaterType,
            (*KEYED, PayLaterNotFound, PayLaterNotPossible),
        ),
    )
    async def pay_instalment(self, info: Info, input: PayInstalmentInput) -> Any:
        """Take a payment."""
        outcome = await info.context.act(
            pay_instalment,
            lambda actor: PayInstalment(
                actor, input.agreement_id, Fen(input.amount_fen), input.request_id
            ),
        )
        return await shown_answer(info, outcome)
