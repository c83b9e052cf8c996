"""Use cases of tickets: opening, working, handing up when nobody answers, and what the patient says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select
from sqlmodel import col, select

from backend.access.contracts import Action, PersonActor, SignInRequired, TerminalActor
from backend.access.logic import label
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid
from backend.coordination import logic, queries
from backend.coordination.contracts import (
    LEVEL_MAX,
    TICKET_STATES,
    OpenTicket,
    OpenTicketAtTill,
    SayOfTicket,
    Side,
    TicketEvent,
    TicketNotFound,
    TicketNotPossible,
    TicketProblem,
    TicketReason,
    TicketState,
    TicketView,
)
from backend.coordination.model import Ticket, TicketStepRow
from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.idempotency import once
from backend.infra.queue import Due, Ending, advance, never
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.matters import logic as matter_logic
from backend.matters.workdays import is_workday
from backend.notices.service import tell
from backend.people import queries as people
from backend.people.logic import paying_enrolment
from backend.proxies.authority import authorize, note
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.settlement import queries as settlements

_WORDS_MAX = 1_000
_TOLD = (TicketEvent.OPEN, TicketEvent.ANSWER, TicketEvent.ESCALATE, TicketEvent.PASS)


def open_ticket(unit: Unit, command: OpenTicket) -> TicketView | Refusal:
    """Open a ticket; it begins with the side that can see why, at the lowest level."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    right = authorize(unit, command.actor, Action.FILE, command.person_id)
    if isinstance(right, Refusal):
        return right

    def run() -> TicketView | Refusal:
        try:
            made = _open(unit, command)
        except RuleMissing as missing:
            return RuleNotLoaded(missing.region, missing.rule, missing.day)
        if isinstance(made, TicketView):
            note(unit, right, command.actor, Action.FILE)
        return made

    scope = f"open_ticket:{label(command.actor)}"
    return once(unit, scope, command.request_id, command, (TicketView,), run)


def open_at_till(unit: Unit, command: OpenTicketAtTill) -> TicketView | Refusal:
    """Open a ticket for the patient at a till, who is told and follows it in the app.

    The scan stays good: the bill may be tried again meanwhile.
    """
    actor = command.actor
    if not isinstance(actor, TerminalActor):
        return SignInRequired()

    def run() -> TicketView | Refusal:
        grant = codes.open_grant(unit, command.token, actor.terminal_id)
        if isinstance(grant, GrantNotValid):
            return grant
        asked = OpenTicket(
            actor,
            grant.person_id,
            institutions.institution(unit, actor.institution_id).code,
            command.care,
            command.reason,
            command.words,
            command.request_id,
        )
        try:
            return _open(unit, asked)
        except RuleMissing as missing:
            return RuleNotLoaded(missing.region, missing.rule, missing.day)

    scope = f"open_ticket:{actor.terminal_id}"
    return once(unit, scope, command.request_id, command, (TicketView,), run)


def say(unit: Unit, command: SayOfTicket) -> TicketView | Refusal:
    """Say as the patient whether it is solved; if not it goes on, one level higher."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.ticket_id)
    if row is None:
        return TicketNotFound()
    right = authorize(unit, command.actor, Action.FILE, row.person_id)
    if isinstance(right, Refusal):
        return right
    event = TicketEvent.CONFIRM if command.solved else TicketEvent.REOPEN
    note(unit, right, command.actor, Action.FILE)
    return work(unit, label(command.actor), row.id, event, command.words)


def work(
    unit: Unit, by: str, ticket_id: str, event: TicketEvent, words: str
) -> TicketView | TicketNotFound:
    """Let something happen to a ticket. Before: the caller has seen to who may do it."""
    row = _locked(unit, ticket_id)
    after = None if row is None else TICKET_STATES.after(TicketState(row.state), event)
    if row is None or after is None:
        return TicketNotFound()
    row.state = after
    if event is TicketEvent.PASS:
        row.side = Side.HOME if row.side == Side.PLACE else Side.PLACE
    if event in (TicketEvent.ESCALATE, TicketEvent.REOPEN):
        row.level = min(LEVEL_MAX, row.level + 1)
    if event in (TicketEvent.PASS, TicketEvent.ESCALATE, TicketEvent.REOPEN):
        _give_to(unit, row)
    if event is TicketEvent.ANSWER:
        row.due_on = local_day(
            unit.now
        )  # from now the patient has time to say whether it is solved
    _step(unit, row, by, event, words)
    return queries.views(unit, [row])[0]


def advance_tickets(database: Database, ending: Ending = never) -> int:
    """Hand up late tickets, and close answered ones without an objection; return how many."""
    return advance(database, _LATE, _SILENT, ending=ending)


def _late(unit: Unit) -> Select[Any]:
    return select(Ticket.id).where(
        col(Ticket.state).in_(queries.WORKED),
        Ticket.due_on < local_day(unit.now),
        Ticket.level < LEVEL_MAX,
    )


def _escalate(unit: Unit, ticket_id: str) -> bool:
    row = _locked(unit, ticket_id)
    # another worker may have handed it up while this one waited for the row
    if row is None or row.level >= LEVEL_MAX or row.due_on >= local_day(unit.now):
        return False
    done = work(unit, "system", ticket_id, TicketEvent.ESCALATE, "")
    return isinstance(done, TicketView)


def _answered_before(unit: Unit) -> date | None:
    """Return the day before which an answer that got no objection stands; ``None``: no rule says."""
    today = local_day(unit.now)
    days = rulebook().find_if_any("CN", "coordination.confirm_days", today)
    return None if days is None else today - timedelta(days=days.count)


def _silent(unit: Unit) -> Select[Any] | Sequence[str]:
    before = _answered_before(unit)
    if before is None:
        return ()
    return select(Ticket.id).where(Ticket.state == TicketState.ANSWERED, Ticket.due_on < before)


def _close_silent(unit: Unit, ticket_id: str) -> bool:
    row, before = _locked(unit, ticket_id), _answered_before(unit)
    if row is None or before is None or row.due_on >= before:
        return False
    return isinstance(work(unit, "system", ticket_id, TicketEvent.EXPIRE, ""), TicketView)


_LATE = Due(name="ticket.escalate", items=_late, act=_escalate)
_SILENT = Due(name="ticket.expire", items=_silent, act=_close_silent)


def _open(unit: Unit, command: OpenTicket) -> TicketView | Refusal:
    today = local_day(unit.now)
    enrolment = paying_enrolment(people.enrolments_on(unit, command.person_id, today))
    place = institutions.by_code(unit, command.institution_code)
    if command.settlement_id is not None:
        settled = settlements.settlement(unit, command.settlement_id)
        if settled is None or settled.person_id not in people.ids_of(unit, command.person_id):
            return TicketNotPossible(TicketProblem.NO_SETTLEMENT)
        place = institutions.institution(unit, settled.institution_id)
    if enrolment is None:
        return TicketNotPossible(TicketProblem.NOT_INSURED)
    if place is None:
        return TicketNotPossible(TicketProblem.NO_INSTITUTION)
    if not command.words.strip():
        return TicketNotPossible(TicketProblem.NO_WORDS)
    people.lock_person(unit, command.person_id)
    same = select(Ticket.id).where(
        Ticket.person_id == command.person_id,
        Ticket.institution_id == place.id,
        Ticket.reason == command.reason,
        Ticket.state != TicketState.CLOSED,
    )
    if unit.db.exec(same).first() is not None:
        return TicketNotPossible(TicketProblem.OPEN_ALREADY)
    ticket_id = unit.new_id()
    # a filing is the insured area's own; what failed at a till is first seen where the till stands
    first = Side.HOME if command.reason is TicketReason.FILING_NOT_SEEN else Side.PLACE
    row = Ticket(
        id=ticket_id,
        number=f"XT{today:%Y%m%d}{unit.resources.ids.digits(8)}",
        person_id=command.person_id,
        institution_id=place.id,
        home_area=enrolment.area_code,
        place_area=place.area_code,
        reason=command.reason,
        care=command.care,
        words=unit.vault.seal(command.words.strip()[:_WORDS_MAX], f"ticket:{ticket_id}"),
        state=TicketState.OPENED,
        side=first,
        level=1,
        region="",
        opened_at=unit.now,
        due_on=today,
        settlement_id=command.settlement_id,
    )
    _give_to(unit, row)
    unit.db.add(row)
    unit.db.flush()
    _step(unit, row, label(command.actor), TicketEvent.OPEN, "")
    return queries.views(unit, [row])[0]


def _give_to(unit: Unit, row: Ticket) -> None:
    """Give a ticket to the desk of its side and level, whose clock starts."""
    today = local_day(unit.now)
    place = institutions.institution(unit, row.institution_id)
    row.region = logic.region_of(
        Side(row.side), row.level, place.division_code, row.place_area, row.home_area
    )
    days = rulebook().find(row.home_area, "coordination.level_workdays", today).count
    row.due_on = matter_logic.due_on(today, days, (), is_workday)


def _step(unit: Unit, row: Ticket, by: str, event: TicketEvent, words: str) -> None:
    invariant(1 <= row.level <= LEVEL_MAX, "a ticket has one of five levels")
    step = TicketStepRow(
        ticket_id=row.id,
        at=unit.now,
        day=local_day(unit.now),
        event=event,
        actor=by,
        side=row.side,
        level=row.level,
        words=words.strip()[:_WORDS_MAX],
    )
    unit.db.add(step)
    unit.db.flush()
    facts = {"ticket": row.id, "level": row.level, "side": row.side}
    audit.record(unit, by, f"ticket.{event.lower()}", f"person:{row.person_id}", facts)
    if event in _TOLD:
        told = {"number": row.number, "level": row.level, "words": step.words}
        tell(unit, row.person_id, f"ticket_{event.lower()}", told)


def _locked(unit: Unit, ticket_id: str) -> Ticket | None:
    query = select(Ticket).where(Ticket.id == ticket_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).first()
