"""Reads of tickets, and the daily report of what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import false, or_
from sqlmodel import col, select

from backend.access.logic import prefix_of
from backend.coordination.contracts import (
    ExceptionLine,
    Side,
    TicketEvent,
    TicketReason,
    TicketState,
    TicketStep,
    TicketView,
)
from backend.coordination.model import Ticket, TicketStepRow
from backend.infra.database import Unit
from backend.people import queries as people
from backend.settlement.case import CareKind

WORKED = (TicketState.OPENED, TicketState.ASSIGNED)


def ticket(unit: Unit, ticket_id: str) -> TicketView | None:
    """Return a ticket, or ``None``."""
    row = unit.db.get(Ticket, ticket_id)
    return None if row is None else views(unit, [row])[0]


def of_person(unit: Unit, person_id: str, limit: int) -> list[TicketView]:
    """Return a person's tickets, the newest first."""
    rows = unit.db.exec(
        select(Ticket)
        .where(col(Ticket.person_id).in_(people.records_of(person_id)))
        .order_by(col(Ticket.id).desc())
        .limit(limit)
    ).all()
    return views(unit, rows)


def waiting(unit: Unit, regions: Sequence[str], limit: int) -> list[TicketView]:
    """Return what waits for clerks of some regions, the most urgent first.

    What a county would work is worked by its city too: insured areas are cities.
    """
    within = [col(Ticket.region).startswith(prefix_of(region)) for region in regions]
    rows = unit.db.exec(
        select(Ticket)
        .where(col(Ticket.state).in_(WORKED))
        .where(or_(*within) if within else false())
        .order_by(col(Ticket.due_on), col(Ticket.level).desc(), col(Ticket.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def exceptions(unit: Unit, day: date, regions: Sequence[str]) -> list[ExceptionLine]:
    """Return a day's report for some regions: what was opened, answered, handed up, and still waits.

    By the insured area and the reason; three statements.
    """
    if not regions:
        return []
    mine = or_(*(col(Ticket.home_area).startswith(prefix_of(region)) for region in regions))
    happenings = unit.db.exec(
        select(TicketStepRow.event, TicketStepRow.ticket_id).where(TicketStepRow.day == day)
    ).all()
    named = col(Ticket.id).in_([ticket_id for _, ticket_id in happenings])
    whose = {
        ticket_id: (area, reason)
        for ticket_id, area, reason in unit.db.exec(
            select(Ticket.id, Ticket.home_area, Ticket.reason).where(named, mine)
        ).all()
    }
    events = [(*whose[one], event) for event, one in happenings if one in whose]
    open_now = unit.db.exec(
        select(col(Ticket.home_area), col(Ticket.reason), col(Ticket.due_on))
        .where(col(Ticket.state).in_(WORKED))
        .where(mine)
    ).all()
    keys = sorted({(area, reason) for area, reason, _ in (*events, *open_now)})

    def happened(key: tuple[str, str], event: TicketEvent) -> int:
        return sum((area, reason) == key and what == event for area, reason, what in events)

    return [
        ExceptionLine(
            area_code=key[0],
            reason=TicketReason(key[1]),
            opened=happened(key, TicketEvent.OPEN),
            answered=happened(key, TicketEvent.ANSWER),
            escalated=happened(key, TicketEvent.ESCALATE),
            open_now=sum((area, reason) == key for area, reason, _ in open_now),
            overdue_now=sum((area, reason) == key and due < day for area, reason, due in open_now),
        )
        for key in keys
    ]


def views(unit: Unit, rows: Sequence[Ticket]) -> list[TicketView]:
    """Return the views of rows, their steps read at once."""
    steps: dict[str, list[TicketStep]] = {}
    for step in unit.db.exec(
        select(TicketStepRow)
        .where(col(TicketStepRow.ticket_id).in_([row.id for row in rows]))
        .order_by(col(TicketStepRow.id))
    ).all():
        steps.setdefault(step.ticket_id, []).append(
            TicketStep(step.at, TicketEvent(step.event), Side(step.side), step.level, step.words)
        )
    return [
        TicketView(
            id=row.id,
            settlement_id=row.settlement_id,
            number=row.number,
            person_id=row.person_id,
            institution_id=row.institution_id,
            home_area=row.home_area,
            reason=TicketReason(row.reason),
            care=CareKind(row.care),
            words=unit.vault.open(row.words, f"ticket:{row.id}"),
            state=TicketState(row.state),
            side=Side(row.side),
            level=row.level,
            region=row.region,
            opened_at=row.opened_at,
            due_on=row.due_on,
            steps=tuple(steps.get(row.id, ())),
        )
        for row in rows
    ]
