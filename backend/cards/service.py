"""Use cases of lost cards: report, lift, report for good, and the new card."""

from __future__ import annotations

from datetime import timedelta

from backend.access.assurance import Demand
from backend.access.contracts import Action, Actor, PersonActor, SignInRequired
from backend.access.logic import label
from backend.cards import queries
from backend.cards.contracts import (
    CARD_STATES,
    CardEvent,
    CardLossView,
    CardNotPossible,
    CardProblem,
    CardState,
    LiftCardLoss,
    ReportCardLoss,
)
from backend.cards.model import CardLoss
from backend.identity.safety import demand, freeze
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.matters import logic as matter_logic
from backend.matters.workdays import is_workday
from backend.notices.service import tell
from backend.people import queries as people
from backend.people.logic import paying_enrolment
from backend.proxies.authority import Right, authorize, note
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook


def report(unit: Unit, command: ReportCardLoss) -> CardLossView | Refusal:
    """Report a card lost: for a while, or for good, which asks for a strong proof and is never undone.

    The electronic code works on unless it is frozen too; only the own one can be.
    """
    right = _right(unit, command.actor, command.person_id)
    if isinstance(right, Refusal):
        return right
    if command.freeze_code and right.binding is not None:
        return CardNotPossible(CardProblem.ONLY_OWN_CODE)
    if command.formally and isinstance(command.actor, PersonActor):
        missing = demand(unit, command.actor, Demand.STRONG)
        if missing is not None:
            return missing
    people.lock_person(unit, command.person_id)
    row = queries.newest(unit, command.person_id)
    stands = None if row is None else queries.state_at(row, unit.now)
    if stands is CardState.FORMAL:
        return CardNotPossible(CardProblem.FORMAL_STANDS)
    if stands is CardState.TEMPORARY and not command.formally:
        return CardNotPossible(CardProblem.REPORTED_ALREADY)
    try:
        row = _reported(unit, command, row if stands is CardState.TEMPORARY else None)
    except RuleMissing as missing_rule:
        return RuleNotLoaded(missing_rule.region, missing_rule.rule, missing_rule.day)
    if row is None:
        return CardNotPossible(CardProblem.NOT_INSURED)
    if command.freeze_code:
        freeze(unit, command.person_id, "卡挂失", label(command.actor))
    note(unit, right, command.actor, Action.FILE)
    return _told(unit, row, label(command.actor), "card.report", "card_lost")


def lift(unit: Unit, command: LiftCardLoss) -> CardLossView | Refusal:
    """Lift a report for a while: the card is found. One for good is never lifted."""
    right = _right(unit, command.actor, command.person_id)
    if isinstance(right, Refusal):
        return right
    people.lock_person(unit, command.person_id)
    row = queries.newest(unit, command.person_id)
    if row is None or queries.state_at(row, unit.now) in (CardState.LIFTED, CardState.REISSUED):
        return CardNotPossible(CardProblem.NOTHING_TO_LIFT)
    after = CARD_STATES.after(CardState(row.state), CardEvent.LIFT)
    if after is None:
        return CardNotPossible(CardProblem.FORMAL_STANDS)
    row.state, row.lifts_at = after, unit.now
    note(unit, right, command.actor, Action.FILE)
    return _told(unit, row, label(command.actor), "card.lift", "card_found")


def reissue(unit: Unit, by: str, person_id: str) -> CardLossView | CardNotPossible:
    """Hand out the new card. Before: the caller has seen to whose it is."""
    people.lock_person(unit, person_id)
    row = queries.newest(unit, person_id)
    after = None
    if row is not None:
        after = CARD_STATES.after(CardState(row.state), CardEvent.REISSUE)
    if row is None or after is None:
        return CardNotPossible(CardProblem.NOTHING_TO_LIFT)
    row.state = after
    return _told(unit, row, by, "card.reissue", "card_reissued")


def _reported(unit: Unit, command: ReportCardLoss, standing: CardLoss | None) -> CardLoss | None:
    """Return the report, a new one or the one for a while made formal; ``None`` for nobody's card."""
    today = local_day(unit.now)
    enrolment = paying_enrolment(people.enrolments_on(unit, command.person_id, today))
    if enrolment is None:
        return None
    area, book = enrolment.area_code, rulebook()
    days = book.find(area, "card_loss.temporary_days", today).count
    workdays = book.find(area, "card_loss.reissue_workdays", today).count
    row = standing or CardLoss(
        id=unit.new_id(),
        person_id=command.person_id,
        state=CardState.TEMPORARY,
        reported_at=unit.now,
        reported_by=label(command.actor),
        lifts_at=unit.now + timedelta(days=days),
    )
    if command.formally:
        formal = CARD_STATES.after(CardState(row.state), CardEvent.REPORT_FORMALLY)
        invariant(formal is not None, "a card reported for a while can be reported for good")
        row.state = formal or row.state
        row.lifts_at = None
        row.card_by = matter_logic.due_on(today, workdays, (), is_workday)
    unit.db.add(row)
    return row


def _told(unit: Unit, row: CardLoss, by: str, action: str, notice: str) -> CardLossView:
    unit.db.flush()
    seen = queries.view(unit, row)
    audit.record(unit, by, action, f"person:{row.person_id}", {"state": row.state})
    until = seen.card_by or (None if seen.lifts_at is None else local_day(seen.lifts_at))
    tell(unit, row.person_id, notice, {"state": row.state, "until": str(until or "")})
    return seen


def _right(unit: Unit, actor: Actor, person_id: str) -> Right | Refusal:
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    return authorize(unit, actor, Action.FILE, person_id)
