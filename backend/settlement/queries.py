"""Reads of settlements, and the proof that they still add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, String, cast, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.infra.database import Unit
from backend.kernel.calendar import SHANGHAI
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.people.contracts import InsuranceType
from backend.rulebook.library import Rulebook, book_of_source
from backend.settlement import upcast
from backend.settlement.calculate import calculate
from backend.settlement.case import CareKind, Case, Route
from backend.settlement.contracts import DESK, Outcome, SettlementKind, SettlementView
from backend.settlement.model import (
    Counter,
    CounterEntry,
    RulebookText,
    Settlement,
    TraceHolding,
)

CASE = TypeAdapter(Case)
OUTCOME = TypeAdapter(Outcome)


def case_of(stored: Any) -> Case:
    """Return a stored case, whatever version of the program stored it."""
    return CASE.validate_python(upcast.case(stored))


def outcome_of(stored: Any) -> Outcome:
    """Return a stored outcome, whatever version of the program stored it."""
    return OUTCOME.validate_python(upcast.outcome(stored))


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
        select(Settlement, later.id, people.goes_on_as(col(Settlement.person_id)))
        .outerjoin(later, col(later.reverses_id) == col(Settlement.id))
        .where(col(Settlement.id).in_(set(ids)))
    ).all()
    return {row.id: view(row, reversed_by, person) for row, reversed_by, person in rows}


def settled_at(unit: Unit, institution_id: str, ids: Sequence[str]) -> list[str]:
    """Return which of some settlements are of care in an institution."""
    rows = unit.db.exec(
        select(Settlement.id).where(
            Settlement.institution_id == institution_id,
            col(Settlement.id).in_(ids),
        )
    ).all()
    return list(rows)


def whose(unit: Unit, ids: Sequence[str]) -> dict[str, str]:
    """Return of whom some settlements are, by id; the record that goes on."""
    rows = unit.db.exec(
        select(Settlement.id, people.goes_on_as(col(Settlement.person_id))).where(
            col(Settlement.id).in_(ids)
        )
    ).all()
    return dict(rows) if ids else {}


def latest_of_bills(unit: Unit, bill_ids: Sequence[str]) -> dict[str, SettlementView]:
    """Return the last settlement of each bill: the one that stands, where one does."""
    rows = unit.db.exec(
        select(func.max(col(Settlement.number)))
        .where(col(Settlement.bill_id).in_(set(bill_ids)))
        .where(Settlement.kind == SettlementKind.SETTLEMENT)
        .group_by(col(Settlement.bill_id))
    ).all()
    later = aliased(Settlement)
    found = unit.db.exec(
        select(Settlement, later.id, people.goes_on_as(col(Settlement.person_id)))
        .outerjoin(later, col(later.reverses_id) == col(Settlement.id))
        .where(col(Settlement.number).in_(rows))
    ).all()
    return {row.bill_id: view(row, reversed_by, person) for row, reversed_by, person in found}


def bills_settled_again(unit: Unit, person_id: str) -> list[str]:
    """Return a person's bills that were settled more than once, as re-runs after a reversal do."""
    query = (
        select(Settlement.bill_id)
        .where(_whose(person_id), Settlement.kind == SettlementKind.SETTLEMENT)
        .group_by(col(Settlement.bill_id))
        .having(func.count() > 1)
    )
    return list(unit.db.exec(query).all())


def of_person(
    unit: Unit,
    person_id: str,
    before: int | None,
    limit: int,
    year: int | None = None,
    care: CareKind | None = None,
    area_code: str | None = None,
) -> list[SettlementView]:
    """Return a person's settlements and reversals, the newest first, below a number.

    ``year`` is that of the booking; ``care`` and ``area_code``, of the insured area, narrow it further.
    """
    query = select(Settlement.id).where(_whose(person_id))
    if year is not None:
        query = query.where(*_booked_in(year))
    if care is not None:
        query = query.where(cast(Settlement.case_facts, String).contains(f'"care":"{care.value}"'))
    if area_code is not None:
        query = query.where(Settlement.area_code == area_code)
    return _page(unit, query, before, limit)


def of_year(unit: Unit, person_id: str, year: int) -> list[tuple[CareKind, SettlementView]]:
    """Return what was booked for a person in a year, each with its kind of care, in order."""
    later = aliased(Settlement)
    rows = unit.db.exec(
        select(Settlement, later.id, people.goes_on_as(col(Settlement.person_id)))
        .outerjoin(later, col(later.reverses_id) == col(Settlement.id))
        .where(_whose(person_id), *_booked_in(year))
        .order_by(col(Settlement.number))
    ).all()
    return [
        (CareKind(case_of(row.case_facts).care), view(row, reversed_by, person))
        for row, reversed_by, person in rows
    ]


def _booked_in(year: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions that something was booked in a year of Shanghai's clock."""
    first = datetime(year, 1, 1, tzinfo=SHANGHAI)
    booked = col(Settlement.settled_at)
    return booked >= first, booked < first.replace(year=year + 1)


def of_institution(
    unit: Unit, institution_id: str, before: int | None, limit: int
) -> list[SettlementView]:
    """Return what an institution's tills booked and took back, the newest first, below a number."""
    query = select(Settlement.id).where(
        Settlement.institution_id == institution_id, Settlement.terminal_id != DESK
    )
    return _page(unit, query, before, limit)


def standing_of_month(
    unit: Unit, enrolment_id: str, first: date, last: date
) -> list[SettlementView]:
    """Return an enrolment's settlements of some days of service that no reversal took back."""
    later = aliased(Settlement)
    rows = unit.db.exec(
        select(Settlement, people.goes_on_as(col(Settlement.person_id)))
        .outerjoin(later, col(later.reverses_id) == col(Settlement.id))
        .where(Settlement.enrolment_id == enrolment_id)
        .where(Settlement.kind == SettlementKind.SETTLEMENT, col(later.id).is_(None))
        .where(Settlement.service_date >= first, Settlement.service_date <= last)
        .order_by(col(Settlement.number))
    ).all()
    return [view(row, None, person) for row, person in rows]


def total_of_bills(unit: Unit, bill_ids: Sequence[str]) -> Fen:
    """Return what some bills came to, less what was taken back of them."""
    total = select(func.coalesce(func.sum(col(Settlement.total_fen)), 0)).where(
        col(Settlement.bill_id).in_(set(bill_ids))
    )
    return Fen(int(unit.db.exec(total).one() or 0))


def account_paid_since(unit: Unit, person_id: str, since: datetime) -> Fen:
    """Return what a person's account has paid since an instant, less what was given back of it."""
    reversed_too = aliased(Settlement)
    paid = (
        select(func.coalesce(func.sum(col(Settlement.account_fen)), 0))
        .outerjoin(reversed_too, col(reversed_too.reverses_id) == col(Settlement.id))
        .where(_whose(person_id), Settlement.settled_at >= since)
        .where(Settlement.kind == SettlementKind.SETTLEMENT, col(reversed_too.id).is_(None))
    )
    return Fen(int(unit.db.exec(paid).one()))


def case_of_settlement(unit: Unit, settlement_id: str) -> Case:
    """Return the facts that a settlement was reckoned from."""
    row = unit.db.exec(select(Settlement).where(Settlement.id == settlement_id)).one()
    return case_of(row.case_facts)


@dataclass(frozen=True)
class Origin:
    """What a settlement was reckoned from, and the order whose channel collected its cash, if one did."""

    case: Case
    order_id: str | None


def origins(unit: Unit, ids: Sequence[str]) -> dict[str, Origin]:
    """Return what settlements were reckoned from, for a batch of ids."""
    query = select(Settlement.id, Settlement.case_facts, Settlement.order_id)
    rows = unit.db.exec(query.where(col(Settlement.id).in_(set(ids)))).all()
    return {one: Origin(case_of(facts), order_id) for one, facts, order_id in rows}


def used(unit: Unit, enrolment_id: str, year: int, lock: bool = False) -> dict[str, int]:
    """Return what an enrolment's year has used so far, by counter."""
    query = (
        select(Counter.name, Counter.amount)
        .where(Counter.enrolment_id == enrolment_id, Counter.year == year)
        .order_by(col(Counter.name))
    )
    rows = unit.db.exec(query.with_for_update() if lock else query).all()
    return {name: amount for name, amount in rows if amount}


def sold_among(unit: Unit, codes: Sequence[tuple[str, bool]]) -> list[str]:
    """Return the trace codes that cannot be sold: the pack is sold, unless both times in parts."""
    split = dict(codes)
    held = unit.db.exec(
        select(TraceHolding).where(col(TraceHolding.trace_code).in_(sorted(split)))
    ).all()
    return sorted(row.trace_code for row in held if not (row.split and split[row.trace_code]))


def verify(unit: Unit, book: Rulebook) -> list[SettlementFault]:
    """Reckon every settlement again and compare; then compare counters with their entries."""
    return [*replay(unit, book).faults, *_counter_faults(unit)]


@dataclass(frozen=True)
class Replayed:
    """What came of reckoning all stored settlements again, each under the law it was made under.

    ``without_text`` counts those of a time when the text of the law was not kept yet.
    """

    settlements: int
    rulebooks: int
    without_text: int
    faults: tuple[SettlementFault, ...]


def replay(unit: Unit, book: Rulebook) -> Replayed:
    """Reckon every stored settlement again under the rulebook whose digest it names, and compare.

    Under an older rulebook the amounts, payers and counters must be the same; under ``book``, the one
    that this program ships with, every word of the working too. Where the text was not kept yet, the
    dated values of ``book`` stand in for it.
    """
    books, faults, number, without_text = {book.digest: book}, [], 0, 0
    rows = unit.db.exec(
        select(Settlement)
        .where(Settlement.kind == SettlementKind.SETTLEMENT)
        .order_by(col(Settlement.number))
        .execution_options(yield_per=500)
    )
    for row in rows:
        number += 1
        stored = outcome_of(row.outcome)
        digest = stored.rulebook_digest
        if digest not in books:
            books[digest] = _kept_book(unit, digest) or book
        without_text += digest != books[digest].digest
        again = calculate(case_of(row.case_facts), books[digest])
        same = again == stored if digest == book.digest else amounts(again) == amounts(stored)
        if not same:
            faults.append(SettlementFault(row.id, "comes out differently when reckoned again"))
    return Replayed(number, len(books), without_text, tuple(faults))


def amounts(outcome: Outcome) -> tuple[object, ...]:
    """Return what of an outcome is money or counts toward it."""
    o = outcome
    return (
        (o.total_fen, o.full_self_pay_fen, o.over_limit_fen, o.prepaid_share_fen, o.in_scope_fen),
        (o.deductible_fen, o.account_balance_after_fen, o.accumulator_year),
        tuple(o.shares),
        tuple(sorted(o.counts.items())),
    )


def _kept_book(unit: Unit, digest: str) -> Rulebook | None:
    kept = unit.db.get(RulebookText, digest)
    return None if kept is None else book_of_source(kept.source)


def _counter_faults(unit: Unit) -> list[SettlementFault]:
    sums = select(
        CounterEntry.enrolment_id,
        CounterEntry.year,
        CounterEntry.name,
        func.sum(col(CounterEntry.amount)),
    ).group_by(col(CounterEntry.enrolment_id), col(CounterEntry.year), col(CounterEntry.name))
    totals = {(e, year, name): int(amount) for e, year, name, amount in unit.db.exec(sums).all()}
    held = {(c.enrolment_id, c.year, c.name): c.amount for c in unit.db.exec(select(Counter)).all()}
    return [
        SettlementFault(f"{key[0]}/{key[1]}/{key[2]}", "the counter is not the sum of its entries")
        for key in sorted({*totals, *held})
        if totals.get(key, 0) != held.get(key, 0)
    ]


def _page(
    unit: Unit, query: SelectOfScalar[str], before: int | None, limit: int
) -> list[SettlementView]:
    if before is not None:
        query = query.where(col(Settlement.number) < before)
    ids = unit.db.exec(query.order_by(col(Settlement.number).desc()).limit(limit)).all()
    found = settlements(unit, ids)
    return [found[settlement_id] for settlement_id in ids]


def _whose(person_id: str) -> ColumnElement[bool]:
    """Return the condition that a settlement is somebody's, by whichever of their records."""
    return col(Settlement.person_id).in_(people.records_of(person_id))


def view(row: Settlement, reversed_by: str | None, person_id: str) -> SettlementView:
    """Return the view of a row, of the record that goes on for its person."""
    return SettlementView(
        id=row.id,
        number=row.number or 0,
        kind=SettlementKind(row.kind),
        person_id=person_id,
        enrolment_id=row.enrolment_id,
        institution_id=row.institution_id,
        terminal_id=row.terminal_id,
        operator_id=row.operator_id,
        bill_id=row.bill_id,
        route=Route(row.case_facts.get("route", Route.DIRECT)),
        purpose=row.purpose,
        service_date=row.service_date,
        settled_at=row.settled_at,
        area_code=row.area_code,
        insurance_type=InsuranceType(row.insurance_type),
        total_fen=Fen(row.total_fen),
        fund_fen=Fen(row.fund_fen),
        hospital_fen=Fen(row.hospital_fen),
        account_fen=Fen(row.account_fen),
        family_fen=Fen(row.family_fen),
        cash_fen=Fen(row.cash_fen),
        account_balance_after_fen=Fen(row.account_balance_after_fen),
        outcome=outcome_of(row.outcome),
        reverses_id=row.reverses_id,
        reversed_by_id=reversed_by,
        reason=row.reason,
    )


def care_of(unit: Unit, settlement_id: str) -> CareKind:
    """Return the kind of care of a settlement that must exist."""
    stored = select(Settlement.case_facts).where(Settlement.id == settlement_id)
    return CareKind(case_of(unit.db.exec(stored).one()).care)


def order_of(unit: Unit, settlement_id: str) -> str | None:
    """Return the payment order whose channel collected the cash of a settlement; ``None``: the till did."""
    return unit.db.exec(select(Settlement.order_id).where(Settlement.id == settlement_id)).first()


def cash_standing(unit: Unit, bill_id: str, order_id: str) -> Fen:
    """Return the cash of an order's settlement that stands; reversals count against what they reverse."""
    query = select(func.coalesce(func.sum(col(Settlement.cash_fen)), 0))
    query = query.where(Settlement.bill_id == bill_id, Settlement.order_id == order_id)
    return Fen(int(unit.db.exec(query).one()))


@dataclass(frozen=True)
class BookedSums:
    """What a settlement or reversal comes to; negative where it takes one back."""

    id: str
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    cash_fen: Fen


def booked_between(
    unit: Unit, institution_id: str, insurance: InsuranceType, begins: datetime, ends: datetime
) -> list[BookedSums]:
    """Return what tills booked for an institution in a time; relatives' accounts count as accounts.

    The fund's is all that is neither accounts' nor the patient's nor the hospital's own.
    """
    rows = unit.db.exec(
        select(Settlement)
        .where(Settlement.institution_id == institution_id)
        .where(Settlement.insurance_type == insurance, Settlement.terminal_id != DESK)
        .where(col(Settlement.settled_at) >= begins, col(Settlement.settled_at) < ends)
        .order_by(col(Settlement.number))
    ).all()
    return [
        BookedSums(
            row.id,
            Fen(row.total_fen),
            Fen(row.fund_fen),
            Fen(row.account_fen + row.family_fen),
            Fen(row.cash_fen),
        )
        for row in rows
    ]
