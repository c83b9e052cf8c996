"""问题协同 at the desk: taking, passing, handing up, answering; and each day's report of what went wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.coordination.contracts import (
    ExceptionLine,
    TicketEvent,
    TicketNotFound,
    TicketReason,
    TicketView,
    WorkTicket,
)
from backend.desk import tickets
from backend.desk.contracts import WordsMissing
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.regions.library import area_name
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.desk.caller import staff_of
from mobile_bff.errors import result_union
from mobile_bff.public_services.network_and_coordination import (
    TicketType,
    ticket_shown,
    ticket_type,
)
from mobile_bff.wording import status


@strawberry.type(name="ExceptionLine", description="每日“异”报: a line of an area and a reason.")
class ExceptionLineType:
    """What happened that day, and what waits at its end."""

    area_code: str = strawberry.field(description="Code of the insured area.")
    area_name: str = strawberry.field(description="Its name.")
    reason: TicketReason = strawberry.field(description="What went wrong.")
    reason_text: str = strawberry.field(description="The same in words.")
    opened: int = strawberry.field(description="Opened that day.")
    answered: int = strawberry.field(description="Answered that day.")
    escalated: int = strawberry.field(description="Handed up that day.")
    open_now: int = strawberry.field(description="Waiting now.")
    overdue_now: int = strawberry.field(description="Waiting longer than promised, now.")


@strawberry.input(description="Works on a ticket.")
class WorkTicketInput:
    """Which, what, and in which words."""

    ticket_id: strawberry.ID = strawberry.field(description="The ticket.")
    event: TicketEvent = strawberry.field(description="TAKE, PASS, ESCALATE or ANSWER.")
    words: str = strawberry.field(default="", description="What the patient reads.")


@strawberry.type
class DeskTicketQueries:
    """Tickets of the caller's regions."""

    @strawberry.field(description="Tickets that wait for the caller's desk, the most urgent first.")
    async def tickets(self, info: Info, first: int | None = None) -> list[TicketType]:
        """Return tickets."""
        actor = await staff_of(info)
        size = page_size(first)

        def read(unit: Unit) -> tuple[list[TicketView], dict[str, InstitutionView]]:
            found = tickets.waiting(unit, actor, size)
            return found, institutions.institutions(unit, [one.institution_id for one in found])

        found, places = await info.context.door.read(read)
        return [ticket_type(one, places[one.institution_id], info.context.locale) for one in found]

    @strawberry.field(description="The report of a day for the caller's regions; today by default.")
    async def exceptions(self, info: Info, on: date | None = None) -> list[ExceptionLineType]:
        """Return the report."""
        actor = await staff_of(info)

        def read(unit: Unit) -> list[ExceptionLine]:
            return tickets.exceptions(unit, actor, on or local_day(unit.now))

        locale = info.context.locale
        return [
            ExceptionLineType(
                area_name=area_name(line.area_code),
                reason_text=status(line.reason, locale).text,
                **vars(line),
            )
            for line in await info.context.door.read(read)
        ]


@strawberry.type
class DeskTicketMutations:
    """Working on tickets."""

    @strawberry.mutation(
        description="Take a ticket, pass it to the other side, hand it up, or answer it.",
        graphql_type=result_union(
            "WorkTicketResult",
            TicketType,
            (SignInRequired, DutyMissing, TicketNotFound, WordsMissing),
        ),
    )
    async def work_ticket(self, info: Info, input: WorkTicketInput) -> Any:
        """Work on a ticket."""
        outcome = await info.context.act(
            tickets.work,
            lambda actor: WorkTicket(actor, input.ticket_id, input.event, input.words),
        )
        return await ticket_shown(info, outcome)
