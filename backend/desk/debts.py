"""Debts at the desk: objections to answer, and what may go on the default list."""

from __future__ import annotations

from backend.access.contracts import Role, StaffActor
from backend.access.logic import covers, label, regions_of, serves
from backend.credit import handling, queries
from backend.credit.contracts import DecideDebt, PayLaterNotFound, PayLaterState, PayLaterView
from backend.desk.service import serves_somewhere
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.rulebook.library import rulebook


def waiting(unit: Unit, actor: StaffActor, limit: int) -> list[PayLaterView]:
    """Return debts of a clerk's regions that are overdue or objected to, the oldest first."""
    regions = regions_of(actor.duties, Role.CLERK) + regions_of(actor.duties, Role.CHECKER)
    found = [
        one
        for state in (PayLaterState.OVERDUE, PayLaterState.OWING)
        for one in queries.in_state(unit, state)
        if state is PayLaterState.OVERDUE or one.objected_on is not None
    ]
    own = [
        one
        for one in found
        if any(covers(region, queries.area_of(unit, one.id)) for region in regions)
    ]
    return [view for one in own[:limit] if (view := queries.agreement(unit, one.id)) is not None]


def decide(unit: Unit, command: DecideDebt) -> PayLaterView | Refusal:
    """Answer an objection as a clerk, or put a debt on the default list as a checker."""
    role = Role.CHECKER if command.lists else Role.CLERK
    found = queries.agreement(unit, command.agreement_id)
    if found is None:
        return serves_somewhere(command.actor, role) or PayLaterNotFound()
    refusal = serves(command.actor, role, (queries.area_of(unit, found.id),))
    if refusal is not None:
        return refusal
    by = label(command.actor)
    if command.lists:
        done = handling.put_on_list(unit, by, found.id, command.words, rulebook())
    else:
        done = handling.answer(unit, by, found.id, command.instalments, command.words, rulebook())
    if isinstance(done, Refusal):
        unit.db.rollback()
    return done
