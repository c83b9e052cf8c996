"""B5 异地联网机构查询与问题协同: where one settles directly elsewhere, and tickets when it failed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import Action, NotPermitted, SignInRequired
from backend.access.logic import own_id
from backend.codes.contracts import GrantNotValid
from backend.coordination import queries, service
from backend.coordination.contracts import (
    OpenTicket,
    OpenTicketAtTill,
    SayOfTicket,
    Side,
    TicketNotFound,
    TicketNotPossible,
    TicketReason,
    TicketState,
    TicketView,
)
from backend.coordination.logic import LEVELS
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale
from backend.regions.library import area_name
from backend.rulebook.contracts import RuleNotLoaded
from backend.settlement.case import CareKind
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "B5",
    "异地联网机构查询与问题协同",
    "联网与协同",
    "Networked institutions and problem tickets",
    ModuleState.AVAILABLE,
    "结算失败可由本人、家人或收费窗口提交协同工单，五级处理、逾期自动升级、每步可见；外省机构按国家名录文件载入，外省工单由省级经办转办。",
)
_KEEP = {
    Locale.ZH: "请保留发票、费用清单和病历；急需出院的可以先垫付，再申请手工报销。",
    Locale.EN: "Keep invoices, lists of fees and records; who must leave pays, and claims by hand.",
}


@strawberry.type(name="TicketStep", description="Something that happened to a ticket.")
class TicketStepType:
    """One step, in words."""

    at: datetime = strawberry.field(description="When.")
    text: str = strawberry.field(description="What happened.")
    side: Side = strawberry.field(description="Whose turn it was then.")
    level: int = strawberry.field(description="1 to 5.")
    words: str = strawberry.field(description="What was said with it; may be empty.")


@strawberry.type(name="Ticket", description="A ticket between place of care and insured area.")
class TicketType:
    """Where it stands, who has it, and until when."""

    ticket_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Its number, to quote on the phone.")
    reason: TicketReason = strawberry.field(description="What went wrong.")
    care: CareKind = strawberry.field(description="In which kind of care.")
    words: str = strawberry.field(description="What the patient said.")
    institution: InstitutionType = strawberry.field(description="Where.")
    home_area_name: str = strawberry.field(description="The insured area.")
    state: TicketState = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(description="Where it stands, in words.")
    side: Side = strawberry.field(description="Whose turn it is.")
    level: int = strawberry.field(description="1 to 5.")
    level_text: str = strawberry.field(description="The level in words.")
    region_name: str = strawberry.field(description="Whose desk has it.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    settlement_id: strawberry.ID | None = strawberry.field(
        description="The settlement that it is about."
    )
    due_on: date = strawberry.field(
        description="By when that desk answers; later it goes one level up by itself."
    )
    keep: str = strawberry.field(description="What to keep, and what to do meanwhile.")
    steps: list[TicketStepType] = strawberry.field(description="What happened, in order.")


@strawberry.input(description="Opens a ticket.")
class OpenTicketInput:
    """Where, in which care, and what went wrong."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    institution_code: str = strawberry.field(description="Code of the institution.")
    care: CareKind = strawberry.field(description="In which kind of care.")
    reason: TicketReason = strawberry.field(description="What went wrong.")
    words: str = strawberry.field(description="What happened, up to 1,000 characters.")
    settlement_id: strawberry.ID | None = strawberry.field(
        default=None, description="The settlement that it is about, whose institution counts then."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.input(description="Opens a ticket for the patient at the till.")
class OpenTicketAtTillInput:
    """Whom, and what went wrong."""

    token: str = strawberry.field(description="Token of the scanned code.")
    care: CareKind = strawberry.field(description="In which kind of care.")
    reason: TicketReason = strawberry.field(description="What went wrong.")
    words: str = strawberry.field(description="What happened, up to 1,000 characters.")
    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")


@strawberry.input(description="Says whether an answer has solved it.")
class SayOfTicketInput:
    """Which, whether, and why not."""

    ticket_id: strawberry.ID = strawberry.field(description="The ticket.")
    solved: bool = strawberry.field(description="Whether it is solved.")
    words: str = strawberry.field(default="", description="What is still wrong.")


@strawberry.type(description="A ticket that a till has opened.")
class TicketOpened:
    """What to hand to the patient."""

    number: str = strawberry.field(description="Its number.")
    due_on: date = strawberry.field(description="By when the first desk answers.")
    keep: str = strawberry.field(description="What to keep, and what to do meanwhile.")


def ticket_type(view: TicketView, place: InstitutionView, locale: Locale) -> TicketType:
    """Return a ticket for the schema."""
    return TicketType(
        ticket_id=strawberry.ID(view.id),
        number=view.number,
        reason=view.reason,
        care=view.care,
        words=view.words,
        institution=institution_type(place),
        home_area_name=area_name(view.home_area),
        state=view.state,
        status=status(view.state, locale),
        side=view.side,
        level=view.level,
        level_text=LEVELS[view.level][0 if locale is Locale.ZH else 1],
        region_name=area_name(view.region),
        opened_at=view.opened_at,
        due_on=view.due_on,
        settlement_id=None if view.settlement_id is None else strawberry.ID(view.settlement_id),
        keep=_KEEP[locale],
        steps=[
            TicketStepType(
                at=step.at,
                text=status(step.event, locale).text,
                side=step.side,
                level=step.level,
                words=step.words,
            )
            for step in view.steps
        ],
    )


async def ticket_shown(info: Info, outcome: Any) -> Any:
    """Return what became of an act on a ticket, for the schema."""
    locale = info.context.locale
    if not isinstance(outcome, TicketView):
        return answer(outcome, locale, lambda view: view)
    place = await info.context.institutions.load(outcome.institution_id)
    return ticket_type(outcome, place, locale)


@strawberry.type
class TicketQueries:
    """Tickets of a person whom the caller may see."""

    @strawberry.field(description="Tickets of a person, the newest first.")
    async def tickets(
        self, info: Info, subject_id: strawberry.ID | None = None, first: int | None = None
    ) -> list[TicketType]:
        """Return tickets."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)
        size = page_size(first)

        def read(unit: Unit) -> tuple[list[TicketView], dict[str, InstitutionView]]:
            found = queries.of_person(unit, subject, size)
            return found, institutions.institutions(unit, [one.institution_id for one in found])

        found, places = await info.context.door.read(read)
        return [ticket_type(one, places[one.institution_id], info.context.locale) for one in found]


@strawberry.type
class TicketMutations:
    """Opening tickets, and saying whether they are solved."""

    @strawberry.mutation(
        description="Say that something went wrong at an institution; both areas see it.",
        graphql_type=result_union(
            "OpenTicketResult",
            TicketType,
            (*KEYED, NotPermitted, TicketNotPossible, RuleNotLoaded),
        ),
    )
    async def open_ticket(self, info: Info, input: OpenTicketInput) -> Any:
        """Open a ticket."""
        subject: str = input.subject_id or own_id(await info.context.actor())
        outcome = await info.context.act(
            service.open_ticket,
            lambda actor: OpenTicket(
                actor,
                subject,
                input.institution_code,
                input.care,
                input.reason,
                input.words,
                input.request_id,
                input.settlement_id,
            ),
        )
        return await ticket_shown(info, outcome)

    @strawberry.mutation(
        description="Say at a till that something went wrong with the patient whose code was"
        " scanned; they are told and follow the ticket in the app.",
        graphql_type=result_union(
            "OpenTicketAtTillResult",
            TicketOpened,
            (*KEYED, GrantNotValid, TicketNotPossible, RuleNotLoaded),
        ),
    )
    async def open_ticket_at_till(self, info: Info, input: OpenTicketAtTillInput) -> Any:
        """Open a ticket at a till."""
        outcome = await info.context.act(
            service.open_at_till,
            lambda actor: OpenTicketAtTill(
                actor, input.token, input.care, input.reason, input.words, input.request_id
            ),
        )
        return answer(
            outcome,
            info.context.locale,
            lambda view: TicketOpened(
                number=view.number, due_on=view.due_on, keep=_KEEP[info.context.locale]
            ),
        )

    @strawberry.mutation(
        description="Say whether an answer has solved it; if not it goes one level up.",
        graphql_type=result_union(
            "SayOfTicketResult", TicketType, (SignInRequired, NotPermitted, TicketNotFound)
        ),
    )
    async def say_of_ticket(self, info: Info, input: SayOfTicketInput) -> Any:
        """Confirm or reopen."""
        outcome = await info.context.act(
            service.say,
            lambda actor: SayOfTicket(actor, input.ticket_id, input.solved, input.words),
        )
        return await ticket_shown(info, outcome)
