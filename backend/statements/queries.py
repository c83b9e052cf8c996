"""Reads of institutions' statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import col, or_, select

from backend.access.logic import prefix_of
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import SHANGHAI, local_day
from backend.people.contracts import InsuranceType
from backend.settlement import queries as settlements
from backend.statements import logic
from backend.statements.contracts import (
    MismatchKind,
    MismatchState,
    MismatchView,
    StatementState,
    StatementView,
    Totals,
)
from backend.statements.model import Mismatch, Statement

TOTALS = TypeAdapter(Totals)
_DAY = timedelta(days=1)


def booked(
    unit: Unit, institution_id: str, day: date, insurance: InsuranceType
) -> dict[str, Totals]:
    """Return what was booked for an institution on a day, by settlement; reversals are negative.

    What the agency pays by hand (manual claims) is between it and the patient, and no institution's.
    """
    begins = datetime.combine(day, time(), SHANGHAI)
    rows = settlements.booked_between(unit, institution_id, insurance, begins, begins + _DAY)
    return {
        one.id: Totals(1, one.total_fen, one.fund_fen, one.account_fen, one.cash_fen)
        for one in rows
    }


def statement(
    unit: Unit, institution_id: str, day: date, insurance: InsuranceType
) -> StatementView:
    """Return a day of an institution with both sides, compared or not."""
    row = unit.db.get(Statement, (institution_id, day, insurance.value))
    found = unit.db.exec(
        select(Mismatch)
        .where(Mismatch.institution_id == institution_id, Mismatch.day == day)
        .where(Mismatch.insurance == insurance, Mismatch.state == MismatchState.OPEN)
        .order_by(col(Mismatch.id))
    ).all()
    return StatementView(
        day=day,
        insurance=insurance,
        state=StatementState.OPEN if row is None else StatementState(row.state),
        ours=logic.sums(booked(unit, institution_id, day, insurance).values()),
        theirs=None if row is None else TOTALS.validate_python(row.theirs),
        compared_at=None if row is None else row.compared_at,
        mismatches=tuple(views(unit, found)),
    )


def last_days(unit: Unit, institution_id: str, count: int) -> list[StatementView]:
    """Return an institution's last days that are over, each kind of insurance, the latest first."""
    today = local_day(unit.now)
    return [
        statement(unit, institution_id, today - timedelta(days=back), insurance)
        for back in range(1, count + 1)
        for insurance in InsuranceType
    ]


def open_in(unit: Unit, regions: Sequence[str], limit: int) -> list[MismatchView]:
    """Return mismatches that wait for a person, of institutions in some regions, the oldest first."""
    if not regions:
        return []
    within = or_(*(col(Mismatch.area_code).startswith(prefix_of(region)) for region in regions))
    query = select(Mismatch).where(Mismatch.state == MismatchState.OPEN, within)
    return views(unit, unit.db.exec(query.order_by(col(Mismatch.id)).limit(limit)).all())


def area_of(unit: Unit, mismatch_id: str) -> str | None:
    """Return the area of a mismatch's institution, or ``None``."""
    row = unit.db.get(Mismatch, mismatch_id)
    return None if row is None else row.area_code


def views(unit: Unit, rows: Sequence[Mismatch]) -> list[MismatchView]:
    """Return the views of rows."""
    places = institutions.institutions(unit, [row.institution_id for row in rows])
    return [
        MismatchView(
            id=row.id,
            institution=places[row.institution_id],
            day=row.day,
            insurance=InsuranceType(row.insurance),
            kind=MismatchKind(row.kind),
            state=MismatchState(row.state),
            settlement_id=row.settlement_id,
            ours=_read(row.ours),
            theirs=_read(row.theirs),
            words=row.words,
        )
        for row in rows
    ]


def dumped(totals: Totals | None) -> Any:
    """Return sums as they are stored."""
    return None if totals is None else TOTALS.dump_python(totals, mode="json")


def _read(stored: Any) -> Totals | None:
    return None if stored is None else TOTALS.validate_python(stored)
