"""Use cases of ratings: giving one, answering, opening it once more, and appeals against false ones."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.access.contracts import Action, SignInRequired, TerminalActor
from backend.access.logic import label, may
from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.idempotency import once
from backend.infra.queue import Due, Ending, advance, never
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.matters.logic import due_on
from backend.matters.workdays import is_workday
from backend.notices.service import tell
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note
from backend.ratings import logic, queries
from backend.ratings.contracts import (
    BAD,
    RATING_STATES,
    AnswerMissing,
    Rate,
    RatingEvent,
    RatingNotFound,
    RatingNotPossible,
    RatingProblem,
    RatingState,
    RatingView,
    SayOfRating,
    WorkRating,
)
from backend.ratings.model import Rating, RatingStepRow
from backend.settlement import queries as settlements
from backend.settlement.contracts import SettlementKind, SettlementView

_OF_INSTITUTION = (RatingEvent.ANSWER, RatingEvent.APPEAL)


def rate(unit: Unit, command: Rate) -> RatingView | Refusal:
    """Rate the service of a settlement, once, and within a time after it."""
    found = settlements.settlement(unit, command.settlement_id)
    right = authorize(unit, command.actor, Action.FILE, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return RatingNotFound()
    return once(
        unit,
        f"rate:{label(command.actor)}",
        command.request_id,
        command,
        (RatingView,),
        lambda: _rate(unit, command, found, right),
    )


def say(unit: Unit, command: SayOfRating) -> RatingView | Refusal:
    """Accept an answer, or open the rating once more."""
    found = unit.db.get(Rating, command.rating_id)
    right = authorize(unit, command.actor, Action.FILE, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return RatingNotFound()
    if not command.accept and not _says(command.words):
        return AnswerMissing()
    event = RatingEvent.ACCEPT if command.accept else RatingEvent.REOPEN
    done = _moved(unit, label(command.actor), found.id, event, command.words)
    if isinstance(done, RatingView):
        note(unit, right, command.actor, Action.FILE)
    return done


def work(unit: Unit, command: WorkRating) -> RatingView | Refusal:
    """Answer a rating as the institution, or say that it is false: once, and before answering."""
    actor = command.actor
    if not isinstance(actor, TerminalActor):
        return SignInRequired()
    refusal = may(actor, Action.PRESENT_BILL, actor.institution_id)
    if refusal is not None:
        return refusal
    found = unit.db.get(Rating, command.rating_id)
    mine = found is not None and found.institution_id == actor.institution_id
    if found is None or not mine or command.event not in _OF_INSTITUTION:
        return RatingNotFound()
    if not _says(command.words):
        return AnswerMissing()
    return _moved(unit, label(actor), found.id, command.event, command.words)


def decide(
    unit: Unit, by: str, rating_id: str, uphold: bool, words: str
) -> RatingView | AnswerMissing | RatingNotFound:
    """Decide about an appeal. Before: the caller has seen to who may do it."""
    if not _says(words):
        return AnswerMissing()
    event = RatingEvent.UPHOLD if uphold else RatingEvent.STRIKE
    return _moved(unit, by, rating_id, event, words)


def close_ratings(database: Database, ending: Ending = never) -> int:
    """Close answered ratings without a word for some days; return how many."""
    return advance(database, _SILENT, ending=ending)


def _silent(unit: Unit) -> SelectOfScalar[str]:
    silent = unit.now - timedelta(days=unit.settings.rating_silence_days)
    answered = (RatingState.ANSWERED, RatingState.ANSWERED_AGAIN)
    last = select(RatingStepRow.rating_id).where(
        RatingStepRow.event == RatingEvent.ANSWER, col(RatingStepRow.at) > silent
    )
    return select(Rating.id).where(col(Rating.state).in_(answered), col(Rating.id).not_in(last))


def _close(unit: Unit, rating_id: str) -> bool:
    unit.db.exec(select(Rating.id).where(Rating.id == rating_id).with_for_update()).one()
    if unit.db.exec(_silent(unit).where(col(Rating.id) == rating_id)).first() is None:
        return False  # somebody answered, or appealed, meanwhile
    return isinstance(_moved(unit, "system", rating_id, RatingEvent.EXPIRE, ""), RatingView)


_SILENT = Due(name="rating.expire", items=_silent, act=_close)


def _rate(
    unit: Unit, command: Rate, settled: SettlementView, right: Right
) -> RatingView | RatingNotPossible:
    people.lock_person(unit, settled.person_id)
    problem = logic.problem_of(command.grade, command.reasons, command.words) or _problem(
        unit, settled
    )
    if problem is not None:
        return RatingNotPossible(problem)
    bad, today = command.grade in BAD, local_day(unit.now)
    days = unit.settings.rating_reply_workdays
    rating_id = unit.new_id()
    place = institutions.institution(unit, settled.institution_id)
    row = Rating(
        id=rating_id,
        state=RatingState.WAITING if bad else RatingState.GIVEN,
        settlement_id=settled.id,
        institution_id=settled.institution_id,
        area_code=place.division_code,
        person_id=settled.person_id,
        grade=command.grade,
        reasons=[one.value for one in command.reasons],
        words=unit.vault.seal(command.words.strip(), f"rating:{rating_id}"),
        given_at=unit.now,
        due_on=due_on(today, days, (), is_workday) if bad else None,
    )
    unit.db.add(row)
    unit.db.flush()
    note(unit, right, command.actor, Action.FILE)
    facts = {"rating": row.id, "grade": row.grade}
    audit.record(unit, label(command.actor), "rating.give", f"person:{row.person_id}", facts)
    return queries.views(unit, [row])[0]


def _problem(unit: Unit, settled: SettlementView) -> RatingProblem | None:
    if settled.kind is SettlementKind.REVERSAL or settled.reversed_by_id is not None:
        return RatingProblem.TAKEN_BACK
    known = unit.db.exec(select(Rating.id).where(Rating.settlement_id == settled.id)).first()
    if known is not None:
        return RatingProblem.RATED
    days = unit.settings.rating_days
    late = logic.is_late(local_day(settled.settled_at), local_day(unit.now), days)
    return RatingProblem.TOO_LATE if late else None


def _moved(
    unit: Unit, by: str, rating_id: str, event: RatingEvent, words: str
) -> RatingView | RatingNotFound:
    query = select(Rating).where(Rating.id == rating_id).with_for_update()
    row = unit.db.exec(query.execution_options(populate_existing=True)).first()
    after = None if row is None else RATING_STATES.after(RatingState(row.state), event)
    if row is None or after is None or (event is RatingEvent.APPEAL and row.appealed):
        return RatingNotFound()
    row.state = after
    row.appealed = row.appealed or event is RatingEvent.APPEAL
    if event in (RatingEvent.UPHOLD, RatingEvent.REOPEN):
        days = unit.settings.rating_reply_workdays
        row.due_on = due_on(local_day(unit.now), days, (), is_workday)
    unit.db.add(
        RatingStepRow(
            rating_id=row.id,
            at=unit.now,
            actor=by,
            event=event,
            state=after,
            words=unit.vault.seal(words.strip(), f"rating:{row.id}"),
        )
    )
    unit.db.flush()
    facts = {"rating": row.id, "state": after.value}
    audit.record(unit, by, f"rating.{event.lower()}", f"person:{row.person_id}", facts)
    if event in (RatingEvent.ANSWER, RatingEvent.STRIKE):
        tell(unit, row.person_id, f"rating_{after.lower()}", {"rating": row.id})
    return queries.views(unit, [row])[0]


def _says(words: str) -> bool:
    return 0 < len(words.strip()) <= logic.WORDS_MAX
