"""Reads of ratings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import col, or_, select

from backend.access.logic import prefix_of
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.people import queries as people
from backend.ratings import logic
from backend.ratings.contracts import (
    RatingEvent,
    RatingReason,
    RatingState,
    RatingStep,
    RatingView,
    Score,
)
from backend.ratings.model import Rating, RatingStepRow

TO_ANSWER = (RatingState.WAITING, RatingState.REOPENED)


def rating(unit: Unit, rating_id: str) -> RatingView | None:
    """Return a rating, or ``None``."""
    row = unit.db.get(Rating, rating_id)
    return None if row is None else views(unit, [row])[0]


def of_person(unit: Unit, person_id: str, after: str | None, limit: int) -> list[RatingView]:
    """Return a person's ratings, the newest first, below an id."""
    query = select(Rating).where(Rating.person_id == person_id)
    if after is not None:
        query = query.where(col(Rating.id) < after)
    return views(unit, unit.db.exec(query.order_by(col(Rating.id).desc()).limit(limit)).all())


def to_answer(unit: Unit, institution_id: str, limit: int) -> list[RatingView]:
    """Return what an institution has to answer, the longest waiting first."""
    rows = unit.db.exec(
        select(Rating)
        .where(Rating.institution_id == institution_id, col(Rating.state).in_(TO_ANSWER))
        .order_by(col(Rating.due_on), col(Rating.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def for_desk(unit: Unit, regions: Sequence[str], limit: int) -> list[RatingView]:
    """Return appeals of some regions, and answers that are overdue there, the longest waiting first."""
    if not regions:
        return []
    within = or_(*(col(Rating.area_code).startswith(prefix_of(region)) for region in regions))
    late = col(Rating.state).in_(TO_ANSWER) & (col(Rating.due_on) < local_day(unit.now))
    rows = unit.db.exec(
        select(Rating)
        .where(within, or_(Rating.state == RatingState.APPEALED, late))
        .order_by(col(Rating.due_on), col(Rating.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def score(unit: Unit, institution_id: str) -> Score:
    """Return what an institution's ratings come to; those that were struck do not count."""
    query = select(func.count(), func.coalesce(func.sum(col(Rating.grade)), 0)).where(
        Rating.institution_id == institution_id, Rating.state != RatingState.STRUCK
    )
    count, total = unit.db.exec(query).one()
    return Score(int(count), logic.tenths(int(count), int(total)))


def views(unit: Unit, rows: Sequence[Rating]) -> list[RatingView]:
    """Return the views of rows, as many reads for one as for all."""
    places = institutions.institutions(unit, [row.institution_id for row in rows])
    steps: dict[str, list[RatingStep]] = {}
    for step in unit.db.exec(
        select(RatingStepRow)
        .where(col(RatingStepRow.rating_id).in_([row.id for row in rows]))
        .order_by(col(RatingStepRow.id))
    ).all():
        shown = RatingStep(
            step.at,
            RatingEvent(step.event),
            RatingState(step.state),
            unit.vault.open(step.words, f"rating:{step.rating_id}"),
        )
        steps.setdefault(step.rating_id, []).append(shown)
    held = people.prefetch(unit, [row.person_id for row in rows])
    today = local_day(unit.now)
    found = [
        RatingView(
            id=row.id,
            state=RatingState(row.state),
            settlement_id=row.settlement_id,
            institution=places[row.institution_id],
            person=people.person(unit, row.person_id),
            grade=row.grade,
            reasons=tuple(RatingReason(one) for one in row.reasons),
            words=unit.vault.open(row.words, f"rating:{row.id}"),
            given_at=row.given_at,
            due_on=row.due_on if row.state in TO_ANSWER else None,
            overdue=row.state in TO_ANSWER and row.due_on is not None and row.due_on < today,
            steps=tuple(steps.get(row.id, ())),
        )
        for row in rows
    ]
    del held
    return found
