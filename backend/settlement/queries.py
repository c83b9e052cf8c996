"""Reads of settlements, and the proof that they still add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.infra.database import Unit
from backend.kernel.money import Fen
from backend.people.contracts import InsuranceType
from backend.rulebook.library import Rulebook
from backend.settlement.calculate import calculate
from backend.settlement.contracts import (
    Case,
    Outcome,
    SettlementKind,
    SettlementView,
    Used,
)
from backend.settlement.model import (
    Accumulator,
    AccumulatorEntry,
    Settlement,
    TraceHolding,
)

CASE = TypeAdapter(Case)
OUTCOME = TypeAdapter(Outcome)


@dataclass(frozen=True)
class SettlementFault:
    """Where stored settlements contradict themselves."""

    place: str
    reason: str


def settlement(unit: Unit, settlement_id: str) -> SettlementView | None:
    """Return a settlement, or ``None``."""
    return settlements(unit, [settlement_id]).get(settlement_id)


def settlements(unit: Unit, ids: Sequence[str]) -> dict[str, SettlementView]:
    """Return settlements by id, for a batch of ids."""
    later = aliased(Settlement)
    rows = unit.db.exec(
        select(Settlement, later.id)
        .outerjoin(later, col(later.reverses_id) == col(Settlement.id))
        .where(col(Settlement.id).in_(set(ids)))
    ).all()
    return {row.id: view(row, reversed_by) for row, reversed_by in rows}


def of_person(unit: Unit, person_id: str, before: int | None, limit: int) -> list[SettlementView]:
    """Return a person's settlements and reversals, the newest first, below a number."""
    query = select(Settlement.id).where(Settlement.person_id == person_id)
    return _page(unit, query, before, limit)


def of_institution(
    unit: Unit, institution_id: str, before: int | None, limit: int
) -> list[SettlementView]:
    """Return an institution's settlements and reversals, the newest first, below a number."""
    query = select(Settlement.id).where(Settlement.institution_id == institution_id)
    return _page(unit, query, before, limit)


def used(unit: Unit, enrolment_id: str, year: int, lock: bool = False) -> Used:
    """Return what an enrolment's year has used so far."""
    query = select(Accumulator).where(
        Accumulator.enrolment_id == enrolment_id, Accumulator.year == year
    )
    row = unit.db.exec(query.with_for_update() if lock else query).first()
    if row is None:
        return Used(Fen(0), Fen(0))
    return Used(deductible_fen=Fen(row.deductible_fen), fund_fen=Fen(row.fund_fen))


def sold_among(unit: Unit, codes: Sequence[tuple[str, bool]]) -> list[str]:
    """Return the trace codes that cannot be sold: the pack is sold, unless both times in parts."""
    split = dict(codes)
    held = unit.db.exec(
        select(TraceHolding).where(col(TraceHolding.trace_code).in_(sorted(split)))
    ).all()
    return sorted(row.trace_code for row in held if not (row.split and split[row.trace_code]))


def verify(unit: Unit, book: Rulebook) -> list[SettlementFault]:
    """Reckon every settlement again and compare; then compare accumulators with their entries."""
    faults = []
    for row in unit.db.exec(select(Settlement).where(Settlement.kind == SettlementKind.SETTLEMENT)):
        outcome = OUTCOME.validate_python(row.outcome)
        if outcome.rulebook_digest != book.digest:
            continue  # made under an older book: replayed with that book, not with this one
        if calculate(CASE.validate_python(row.case_facts), book) != outcome:
            faults.append(SettlementFault(row.id, "comes out differently when reckoned again"))
    sums = select(
        AccumulatorEntry.enrolment_id,
        AccumulatorEntry.year,
        func.sum(col(AccumulatorEntry.deductible_fen)),
        func.sum(col(AccumulatorEntry.fund_fen)),
    ).group_by(col(AccumulatorEntry.enrolment_id), col(AccumulatorEntry.year))
    totals = {(e, year): (int(d), int(f)) for e, year, d, f in unit.db.exec(sums).all()}
    for held in unit.db.exec(select(Accumulator)).all():
        if totals.get((held.enrolment_id, held.year)) != (held.deductible_fen, held.fund_fen):
            place = f"{held.enrolment_id}/{held.year}"
            faults.append(SettlementFault(place, "the year's use is not the sum of its entries"))
    return faults


def _page(
    unit: Unit, query: SelectOfScalar[str], before: int | None, limit: int
) -> list[SettlementView]:
    if before is not None:
        query = query.where(col(Settlement.number) < before)
    ids = unit.db.exec(query.order_by(col(Settlement.number).desc()).limit(limit)).all()
    found = settlements(unit, ids)
    return [found[settlement_id] for settlement_id in ids]


def view(row: Settlement, reversed_by: str | None) -> SettlementView:
    """Return the view of a row."""
    return SettlementView(
        id=row.id,
        number=row.number or 0,
        kind=SettlementKind(row.kind),
        person_id=row.person_id,
        enrolment_id=row.enrolment_id,
        institution_id=row.institution_id,
        terminal_id=row.terminal_id,
        operator_id=row.operator_id,
        bill_id=row.bill_id,
        purpose=row.purpose,
        service_date=row.service_date,
        settled_at=row.settled_at,
        area_code=row.area_code,
        insurance_type=InsuranceType(row.insurance_type),
        total_fen=Fen(row.total_fen),
        fund_fen=Fen(row.fund_fen),
        account_fen=Fen(row.account_fen),
        cash_fen=Fen(row.cash_fen),
        account_balance_after_fen=Fen(row.account_balance_after_fen),
        outcome=OUTCOME.validate_python(row.outcome),
        reverses_id=row.reverses_id,
        reversed_by_id=reversed_by,
        reason=row.reason,
    )
