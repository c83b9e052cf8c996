"""Tickets at the desk: worked by clerks of the region that has them now, seen by who is on duty there."""

from __future__ import annotations

from datetime import date

from backend.access.contracts import Role, StaffActor
from backend.access.logic import label, regions_of, serves
from backend.coordination import queries, service
from backend.coordination.contracts import (
    ExceptionLine,
    TicketEvent,
    TicketNotFound,
    TicketView,
    WorkTicket,
)
from backend.desk.contracts import WordsMissing
from backend.desk.service import serves_somewhere
from backend.infra.database import Unit
from backend.kernel.errors import Refusal

_OF_DESK = (TicketEvent.TAKE, TicketEvent.PASS, TicketEvent.ESCALATE, TicketEvent.ANSWER)


def waiting(unit: Unit, actor: StaffActor, limit: int) -> list[TicketView]:
    """Return tickets that wait for a clerk's regions."""
    return queries.waiting(unit, regions_of(actor.duties, Role.CLERK), limit)


def exceptions(unit: Unit, actor: StaffActor, day: date) -> list[ExceptionLine]:
    """Return the report of a day for the regions where somebody has any duty but as an expert."""
    regions = sorted({d.region for d in actor.duties if d.role is not Role.EXPERT})
    return queries.exceptions(unit, day, regions)


def work(unit: Unit, command: WorkTicket) -> TicketView | Refusal:
    """Take a ticket, pass it on, hand it up or answer it; all but taking says why."""
    found = queries.ticket(unit, command.ticket_id)
    if found is None:
        return serves_somewhere(command.actor, Role.CLERK) or TicketNotFound()
    refusal = serves(command.actor, Role.CLERK, (found.region,))
    if refusal is not None:
        return refusal
    if command.event not in _OF_DESK:
        return TicketNotFound()
    if command.event is not TicketEvent.TAKE and not command.words.strip():
        return WordsMissing()
    return service.work(unit, label(command.actor), found.id, command.event, command.words)
