"""Use cases of an institution's statement of a day: sums first, then line by line where they differ.

What the fund owes an institution is what stands here; a statement never changes a settlement. A mismatch is
gone when a later statement of the same day no longer has it, and else waits for a person of the area.
"""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from backend.access.contracts import TerminalActor
from backend.access.logic import label
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.payments.service import at_till
from backend.people.contracts import InsuranceType
from backend.statements import logic, queries
from backend.statements.contracts import (
    MISMATCH_STATES,
    CompareLines,
    CompareTotals,
    MismatchEvent,
    MismatchState,
    MismatchView,
    StatementNotPossible,
    StatementProblem,
    StatementState,
    StatementView,
    Totals,
)
from backend.statements.logic import Differs
from backend.statements.model import Mismatch, Statement

LINES_MAX = 5000
DAYS_MAX = 366
_WORDS_MAX = 200


def compare_totals(unit: Unit, command: CompareTotals) -> StatementView | Refusal:
    """Compare an institution's sums of a day with ours; equal sums end what was open about it."""
    return at_till(unit, "compare_totals", command, StatementView, _totals)


def compare_lines(unit: Unit, command: CompareLines) -> StatementView | Refusal:
    """Compare an institution's settlements of a day with ours, one by one."""
    return at_till(unit, "compare_lines", command, StatementView, _lines)


def close(unit: Unit, by: str, mismatch_id: str, words: str) -> MismatchView | None:
    """Close a mismatch that a person has seen to; ``None`` where it does not wait for one."""
    row = unit.db.get(Mismatch, mismatch_id, with_for_update=True)
    if row is None or not words.strip() or row.state != MismatchState.OPEN:
        return None
    _move(row, MismatchEvent.CLOSE)
    row.words, row.closed_by = words.strip()[:_WORDS_MAX], by
    unit.db.flush()
    facts = {"mismatch": row.id, "words": row.words}
    audit.record(unit, by, "statement.close", f"institution:{row.institution_id}", facts)
    return queries.views(unit, [row])[0]


def _totals(
    unit: Unit, command: CompareTotals, actor: TerminalActor
) -> StatementView | StatementNotPossible:
    problem = _problem(unit, command)
    if problem is not None:
        return StatementNotPossible(problem)
    place = actor.institution_id
    ours = queries.booked(unit, place, command.day, command.insurance)
    balanced = logic.sums(ours.values()) == command.totals
    if balanced:
        _settle_with(unit, place, command, [])
    return _stated(unit, actor, command, command.totals, balanced)


def _lines(
    unit: Unit, command: CompareLines, actor: TerminalActor
) -> StatementView | StatementNotPossible:
    named = {line.settlement_id for line in command.lines}
    problem = _problem(unit, command)
    if len(named) != len(command.lines) or len(named) > LINES_MAX:
        problem = StatementProblem.LINES
    if problem is not None:
        return StatementNotPossible(problem)
    place = actor.institution_id
    ours = queries.booked(unit, place, command.day, command.insurance)
    differs = logic.compare(ours, command.lines)
    _settle_with(unit, place, command, differs)
    theirs = logic.sums(map(logic.as_totals, command.lines))
    return _stated(unit, actor, command, theirs, not differs)


def _problem(unit: Unit, command: CompareTotals | CompareLines) -> StatementProblem | None:
    today = local_day(unit.now)
    if command.day >= today:
        return StatementProblem.NOT_OVER
    return StatementProblem.TOO_OLD if command.day < today - timedelta(days=DAYS_MAX) else None


def _stated(
    unit: Unit,
    actor: TerminalActor,
    command: CompareTotals | CompareLines,
    theirs: Totals,
    balanced: bool,
) -> StatementView:
    key = (actor.institution_id, command.day, command.insurance.value)
    row = unit.db.get(Statement, key, with_for_update=True)
    if row is None:
        row = Statement(
            institution_id=key[0],
            day=key[1],
            insurance=key[2],
            state=StatementState.OPEN,
            theirs={},
            compared_at=unit.now,
        )
        unit.db.add(row)
    row.state = StatementState.BALANCED if balanced else StatementState.UNBALANCED
    row.theirs, row.compared_at = queries.TOTALS.dump_python(theirs, mode="json"), unit.now
    unit.db.flush()
    facts = {"day": command.day.isoformat(), "insurance": key[2], "state": row.state}
    subject = f"institution:{actor.institution_id}"
    audit.record(unit, label(actor), "statement.compare", subject, facts)
    return queries.statement(unit, actor.institution_id, command.day, command.insurance)


def _settle_with(
    unit: Unit, place: str, command: CompareTotals | CompareLines, differs: list[Differs]
) -> None:
    """Write what differs down; what was open and no longer differs is gone."""
    known = {row.settlement_id: row for row in _known(unit, place, command.day, command.insurance)}
    area = institutions.institution(unit, place).area_code
    for one in differs:
        row = known.pop(one.settlement_id, None)
        if row is None:
            row = Mismatch(
                id=unit.new_id(),
                institution_id=place,
                area_code=area,
                day=command.day,
                insurance=command.insurance,
                kind=one.kind,
                state=MismatchState.OPEN,
                settlement_id=one.settlement_id,
            )
            unit.db.add(row)
        elif row.state == MismatchState.GONE:
            _move(row, MismatchEvent.APPEAR_AGAIN)
        row.kind = one.kind
        row.ours = queries.dumped(one.ours)
        row.theirs = queries.dumped(one.theirs)
    for row in known.values():
        if row.state == MismatchState.OPEN:
            _move(row, MismatchEvent.VANISH)
    unit.db.flush()


def _known(unit: Unit, place: str, day: object, insurance: InsuranceType) -> list[Mismatch]:
    query = select(Mismatch).where(
        Mismatch.institution_id == place, Mismatch.day == day, Mismatch.insurance == insurance
    )
    return list(unit.db.exec(query.order_by(col(Mismatch.id)).with_for_update()).all())


def _move(row: Mismatch, event: MismatchEvent) -> None:
    after = MISMATCH_STATES.after(MismatchState(row.state), event)
    invariant(after is not None, f"a mismatch that is {row.state} cannot {event}")
    row.state = after or row.state
