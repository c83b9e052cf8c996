"""Transfers at the desk: the area that somebody comes from says what was paid, the other confirms."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.desk import service
from backend.desk.contracts import (
    ActKind,
    HeldByAnother,
    Payload,
    Propose,
    ProposedAlready,
    WordsMissing,
)
from backend.enrolment.contracts import EnrolmentNotPossible
from backend.kernel.money import Fen
from backend.matters.contracts import MatterNotFound
from mobile_bff.context import Info
from mobile_bff.desk.shown import Proposal, proposal_type
from mobile_bff.errors import answer, result_union


@strawberry.input(description="Hands a transfer on to the area that takes it over.")
class HandOnTransferInput:
    """Which, and of another province what its letter says."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    months: int | None = strawberry.field(
        default=None, description="Of another province: months paid, as its letter says."
    )
    balance_fen: int | None = strawberry.field(
        default=None, description="Of another province: the balance of the account, in fen."
    )
    words: str = strawberry.field(description="What was compared.")


@strawberry.type
class DeskTransferMutations:
    """Working on transfers."""

    @strawberry.mutation(
        description="Hand a transfer on; a member of staff of the other area confirms it.",
        graphql_type=result_union(
            "HandOnTransferResult",
            Proposal,
            (
                *(SignInRequired, DutyMissing, WordsMissing, ProposedAlready),
                *(MatterNotFound, EnrolmentNotPossible, HeldByAnother),
            ),
        ),
    )
    async def hand_on_transfer(self, info: Info, input: HandOnTransferInput) -> Any:
        """Hand a transfer on."""
        balance = None if input.balance_fen is None else Fen(input.balance_fen)
        payload = Payload(input.matter_id, months=input.months, balance_fen=balance)
        outcome = await info.context.act(
            service.propose,
            lambda actor: Propose(actor, ActKind.TRANSFER, payload, input.words),
        )
        return answer(outcome, info.context.locale, lambda v: proposal_type(v, info.context.locale))
