"""Mismatches with institutions' statements, at the desk of their area: seen to, and closed in words."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.desk import statements
from backend.statements.contracts import MismatchNotFound
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.desk.caller import staff_of
from mobile_bff.errors import answer, result_union
from mobile_bff.terminals.statements import MismatchType, mismatch_type


@strawberry.input(description="Closes a mismatch that a person has seen to.")
class CloseMismatchInput:
    """Which, and what became of it."""

    mismatch_id: strawberry.ID = strawberry.field(description="Its id.")
    words: str = strawberry.field(description="What became of it.")


@strawberry.type
class DeskStatementQueries:
    """What waits for a person."""

    @strawberry.field(description="Mismatches with institutions' statements, the oldest first.")
    async def mismatches(self, info: Info, first: int | None = None) -> list[MismatchType]:
        """Return mismatches."""
        actor, limit = await staff_of(info), page_size(first)
        found = await info.context.door.read(lambda unit: statements.mismatches(unit, actor, limit))
        return [mismatch_type(one, info.context.locale) for one in found]


@strawberry.type
class DeskStatementMutations:
    """Seeing to it."""

    @strawberry.mutation(
        description="Close a mismatch that a person has seen to, in words.",
        graphql_type=result_union(
            "CloseMismatchResult", MismatchType, (SignInRequired, DutyMissing, MismatchNotFound)
        ),
    )
    async def close_mismatch(self, info: Info, input: CloseMismatchInput) -> Any:
        """Close a mismatch."""
        outcome = await info.context.act(
            lambda unit, actor: statements.close(unit, actor, input.mismatch_id, input.words),
            lambda actor: actor,
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: mismatch_type(view, locale))
