"""先诊疗后付费 at the desk: objections to answer, and the default list after due process."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.credit.contracts import (
    DebtWordsMissing,
    DecideDebt,
    PayLaterNotFound,
    PayLaterNotPossible,
)
from backend.desk import debts
from mobile_bff.benefits.credit_care import PayLaterType, shown, shown_answer
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.desk.caller import staff_of
from mobile_bff.errors import result_union


@strawberry.input(description="Answers an objection to a debt, or puts it on the default list.")
class DecideDebtInput:
    """Which, how, and why."""

    agreement_id: strawberry.ID = strawberry.field(description="The agreement.")
    instalments: int = strawberry.field(
        description="Agree on so many new instalments; 0: it stands.", default=0
    )
    lists: bool = strawberry.field(
        description="Put it on the default list instead, by who did not answer.", default=False
    )
    words: str = strawberry.field(description="Why; the patient reads it.")


@strawberry.type
class DeskDebtQueries:
    """Debts of the caller's regions."""

    @strawberry.field(description="Debts that are overdue or objected to, the oldest first.")
    async def debts(self, info: Info, first: int | None = None) -> list[PayLaterType]:
        """Return debts."""
        actor = await staff_of(info)
        limit = page_size(first)
        found = await info.context.door.read(lambda unit: debts.waiting(unit, actor, limit))
        return await shown(info, found)


@strawberry.type
class DeskDebtMutations:
    """Deciding about debts."""

    @strawberry.mutation(
        description="Answer an objection as a clerk, or list a default as a checker.",
        graphql_type=result_union(
            "DecideDebtResult",
            PayLaterType,
            (
                *(SignInRequired, DutyMissing, PayLaterNotFound),
                *(PayLaterNotPossible, DebtWordsMissing),
            ),
        ),
    )
    async def decide_debt(self, info: Info, input: DecideDebtInput) -> Any:
        """Decide about a debt."""
        outcome = await info.context.act(
            debts.decide,
            lambda actor: DecideDebt(
                actor, input.agreement_id, input.instalments, input.lists, input.words
            ),
        )
        return await shown_answer(info, outcome)
