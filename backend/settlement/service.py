"""Books settlements and reversals. Called inside a use case that holds the person's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from backend.infra.database import Unit, insert_new
from backend.institutions.contracts import InstitutionView
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as balances
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.people.contracts import EnrolmentView
from backend.rulebook.library import Rulebook
from backend.settlement import queries
from backend.settlement.contracts import (
    Case,
    LaterSettlementsInTheWay,
    Outcome,
    SettlementKind,
    SettlementView,
    TraceCodeSold,
    Used,
)
from backend.settlement.logic import Booked, disturbed_by_reversal
from backend.settlement.model import (
    Accumulator,
    AccumulatorEntry,
    Settlement,
    TraceEvent,
    TraceHolding,
)


@dataclass(frozen=True)
class TraceUse:
    """A trace code on a line of a bill."""

    line_number: int
    trace_code: str
    split: bool


@dataclass(frozen=True)
class ToBook:
    """A priced bill that is to be booked."""

    bill_id: str
    person_id: str
    purpose: str
    terminal_id: str
    operator_id: str
    institution: InstitutionView
    enrolment: EnrolmentView
    case: Case
    outcome: Outcome
    traces: tuple[TraceUse, ...]


def book_settlement(unit: Unit, order: ToBook) -> SettlementView | TraceCodeSold:
    """Write a settlement with everything that hangs on it.

    Before: the person is locked and ``order.outcome`` was reckoned from facts read since. After:
    postings, the year's use, the packs and the settlement stand together. Refuses without a trace
    where a pack was sold meanwhile.
    """
    refusal = _sell_packs(unit, order.traces, settlement_id := unit.new_id())
    if refusal is not None:
        return refusal
    outcome = order.outcome
    entry_id = ledger.post(
        unit,
        EntryKind.SETTLEMENT,
        settlement_id,
        order.institution.name,
        _postings(order.enrolment, order.institution.id, outcome, sign=1),
    )
    settlement = Settlement(
        id=settlement_id,
        kind=SettlementKind.SETTLEMENT,
        person_id=order.person_id,
        enrolment_id=order.enrolment.id,
        institution_id=order.institution.id,
        terminal_id=order.terminal_id,
        operator_id=order.operator_id,
        bill_id=order.bill_id,
        purpose=order.purpose,
        service_date=order.case.service_date,
        settled_at=unit.now,
        accumulator_year=outcome.accumulator_year,
        area_code=order.enrolment.area_code,
        insurance_type=order.enrolment.insurance_type,
        total_fen=outcome.total_fen,
        fund_fen=outcome.fund_fen,
        account_fen=outcome.account_fen,
        cash_fen=outcome.cash_fen,
        account_balance_after_fen=outcome.account_balance_after_fen,
        case_facts=queries.CASE.dump_python(order.case, mode="json"),
        outcome=queries.OUTCOME.dump_python(outcome, mode="json"),
        traces=[[use.line_number, use.trace_code, use.split] for use in order.traces],
        ledger_entry_id=entry_id,
    )
    unit.db.add(settlement)
    unit.db.flush()
    _count(unit, settlement, outcome.counted_deductible_fen, outcome.counted_fund_fen)
    return queries.view(settlement, None)


def book_reversal(
    unit: Unit,
    original: SettlementView,
    enrolment: EnrolmentView,
    institution: InstitutionView,
    terminal_id: str,
    operator_id: str,
    reason: str,
    book: Rulebook,
) -> SettlementView | LaterSettlementsInTheWay:
    """Take a settlement back by new entries: postings, the year's use, packs and balance.

    Before: the person is locked and the settlement is not reversed yet.
    """
    row = unit.db.exec(select(Settlement).where(Settlement.id == original.id)).one()
    in_the_way = _in_the_way(unit, row, original.outcome, book)
    if in_the_way:
        return LaterSettlementsInTheWay(len(in_the_way), tuple(in_the_way))
    outcome, reversal_id = original.outcome, unit.new_id()
    entry_id = ledger.post(
        unit,
        EntryKind.REVERSAL,
        reversal_id,
        institution.name,
        _postings(enrolment, institution.id, outcome, sign=-1),
    )
    balance = balances.balance(unit, accounts.personal(enrolment.id)) or Fen(0)
    reversal = Settlement(
        id=reversal_id,
        kind=SettlementKind.REVERSAL,
        person_id=row.person_id,
        enrolment_id=row.enrolment_id,
        institution_id=row.institution_id,
        terminal_id=terminal_id,
        operator_id=operator_id,
        bill_id=row.bill_id,
        purpose=row.purpose,
        service_date=row.service_date,
        settled_at=unit.now,
        accumulator_year=row.accumulator_year,
        area_code=row.area_code,
        insurance_type=row.insurance_type,
        total_fen=-row.total_fen,
        fund_fen=-row.fund_fen,
        account_fen=-row.account_fen,
        cash_fen=-row.cash_fen,
        account_balance_after_fen=balance,
        case_facts=row.case_facts,
        outcome=row.outcome,
        traces=row.traces,
        ledger_entry_id=entry_id,
        reverses_id=row.id,
        reason=reason,
    )
    unit.db.add(reversal)
    unit.db.flush()
    _count(unit, reversal, -outcome.counted_deductible_fen, -outcome.counted_fund_fen)
    _return_packs(unit, row, reversal_id)
    return queries.view(reversal, None)


def _postings(
    enrolment: EnrolmentView, institution_id: str, outcome: Outcome, sign: int
) -> list[Posting]:
    fund = accounts.fund(enrolment.area_code, enrolment.insurance_type.value)
    return [
        Posting(fund, Fen(-sign * outcome.fund_fen)),
        Posting(accounts.personal(enrolment.id), Fen(-sign * outcome.account_fen)),
        Posting(accounts.till(institution_id), Fen(-sign * outcome.cash_fen)),
        Posting(accounts.claim(institution_id), Fen(sign * outcome.total_fen)),
    ]


def _count(unit: Unit, settlement: Settlement, deductible: int, fund: int) -> None:
    enrolment_id, year = settlement.enrolment_id, settlement.accumulator_year
    row = unit.db.exec(
        select(Accumulator)
        .where(Accumulator.enrolment_id == enrolment_id, Accumulator.year == year)
        .with_for_update()
    ).first()
    if row is None:
        row = Accumulator(enrolment_id=enrolment_id, year=year, deductible_fen=0, fund_fen=0)
        unit.db.add(row)
    row.deductible_fen += deductible
    row.fund_fen += fund
    invariant(min(row.deductible_fen, row.fund_fen) >= 0, "a year's use is never negative")
    unit.db.add(
        AccumulatorEntry(
            settlement_id=settlement.id,
            enrolment_id=enrolment_id,
            year=year,
            deductible_fen=deductible,
            fund_fen=fund,
        )
    )
    unit.db.flush()


def _sell_packs(unit: Unit, traces: Sequence[TraceUse], settlement_id: str) -> TraceCodeSold | None:
    held = {
        row.trace_code: row
        for row in unit.db.exec(
            select(TraceHolding)
            .where(col(TraceHolding.trace_code).in_(sorted(use.trace_code for use in traces)))
            .order_by(col(TraceHolding.trace_code))
            .with_for_update()
        ).all()
    }
    sold = [
        use
        for use in traces
        if use.trace_code in held and not (use.split and held[use.trace_code].split)
    ]
    if sold:
        return refusal_for(sold)
    fresh = [use for use in traces if use.trace_code not in held]
    rows = [
        {
            "trace_code": use.trace_code,
            "split": use.split,
            "uses": 1,
            "settlement_id": settlement_id,
        }
        for use in sorted(fresh, key=lambda use: use.trace_code)
    ]
    if rows and insert_new(unit, TraceHolding, rows) != len(rows):
        return refusal_for(fresh)  # another till sold one of them in this very moment
    for row in held.values():
        row.uses += 1
    unit.db.add_all(
        TraceEvent(settlement_id=settlement_id, trace_code=use.trace_code, sold=True, at=unit.now)
        for use in traces
    )
    unit.db.flush()
    return None


def refusal_for(sold: Sequence[TraceUse]) -> TraceCodeSold:
    """Return the refusal that names the lines and codes that were sold before."""
    return TraceCodeSold(
        line_numbers=tuple(sorted({use.line_number for use in sold})),
        trace_codes=tuple(sorted(use.trace_code for use in sold)),
    )


def _return_packs(unit: Unit, original: Settlement, reversal_id: str) -> None:
    codes = sorted(str(trace_code) for _, trace_code, _ in original.traces)
    held = unit.db.exec(
        select(TraceHolding)
        .where(col(TraceHolding.trace_code).in_(codes))
        .order_by(col(TraceHolding.trace_code))
        .with_for_update()
    ).all()
    invariant([row.trace_code for row in held] == codes, "what was sold is held as sold")
    for row in held:
        row.uses -= 1
        if row.uses == 0:
            unit.db.delete(row)
    unit.db.add_all(
        TraceEvent(settlement_id=reversal_id, trace_code=code, sold=False, at=unit.now)
        for code in codes
    )
    unit.db.flush()


def _in_the_way(unit: Unit, row: Settlement, outcome: Outcome, book: Rulebook) -> list[str]:
    reversed_ids = select(Settlement.reverses_id).where(
        Settlement.enrolment_id == row.enrolment_id, col(Settlement.reverses_id).is_not(None)
    )
    standing = unit.db.exec(
        select(Settlement)
        .where(Settlement.enrolment_id == row.enrolment_id)
        .where(Settlement.accumulator_year == row.accumulator_year)
        .where(Settlement.kind == SettlementKind.SETTLEMENT)
        .where(col(Settlement.number) > (row.number or 0))
        .where(col(Settlement.id).not_in(reversed_ids))
        .order_by(col(Settlement.number))
    ).all()
    later = [
        Booked(
            s.id,
            queries.CASE.validate_python(s.case_facts),
            queries.OUTCOME.validate_python(s.outcome),
        )
        for s in standing
    ]
    now = queries.used(unit, row.enrolment_id, row.accumulator_year, lock=True)
    counted = [booked.outcome for booked in later] + [outcome]
    before = Used(
        deductible_fen=Fen(now.deductible_fen - sum(o.counted_deductible_fen for o in counted)),
        fund_fen=Fen(now.fund_fen - sum(o.counted_fund_fen for o in counted)),
    )
    return disturbed_by_reversal(before, later, book)
