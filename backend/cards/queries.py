"""Reads of lost cards."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from backend.cards.contracts import CardLossView, CardState
from backend.cards.model import CardLoss
from backend.identity import queries as identity
from backend.infra.database import Unit
from backend.people import queries as people


def newest(unit: Unit, person_id: str) -> CardLoss | None:
    """Return a person's newest report, ``None`` without one."""
    return unit.db.exec(
        select(CardLoss)
        .where(col(CardLoss.person_id).in_(people.records_of(person_id)))
        .order_by(col(CardLoss.id).desc())
        .execution_options(populate_existing=True)
    ).first()


def card_loss(unit: Unit, person_id: str) -> CardLossView | None:
    """Return where a person's card stands, ``None`` where none was ever reported lost."""
    row = newest(unit, person_id)
    return None if row is None else view(unit, row)


def state_at(row: CardLoss, now: datetime) -> CardState:
    """Return where a report stands at a moment: a temporary one lifts itself by the clock."""
    over = row.lifts_at is not None and row.lifts_at <= now
    held = CardState(row.state)
    return CardState.LIFTED if held is CardState.TEMPORARY and over else held


def view(unit: Unit, row: CardLoss) -> CardLossView:
    """Return the view of a report as it stands now."""
    return CardLossView(
        id=row.id,
        person_id=row.person_id,
        state=state_at(row, unit.now),
        reported_at=row.reported_at,
        lifts_at=row.lifts_at,
        card_by=row.card_by,
        code_frozen=identity.safety(unit, row.person_id).frozen_at is not None,
    )
