"""Books settlements and reversals. Called inside a use case that holds the person's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import col, select

from backend.infra.database import Unit, add_to, insert_new
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as balances
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.people.contracts import EnrolmentView
from backend.rulebook.library import Rulebook, rulebook
from backend.settlement import queries
from backend.settlement.calculate import calculate
from backend.settlement.case import Case, LineInput, Route
from backend.settlement.contracts import (
    DESK,
    LaterSettlementsInTheWay,
    Outcome,
    PayerKind,
    SettlementKind,
    SettlementView,
    TraceCodeSold,
)
from backend.settlement.facts import FamilySource, at_most
from backend.settlement.logic import Booked, add, rerun_without, take
from backend.settlement.model import (
    Counter,
    CounterEntry,
    RulebookText,
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


FamilyPart = tuple[str, Fen]
"""An account that may pay after the own one, and what it pays."""


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
    family: tuple[FamilyPart, ...] = ()
    owed: bool = False
    """The patient's cash is owed to the institution (先诊疗后付费) and not in its till."""
    order_id: str | None = None
    """The payment order whose channel collected the patient's cash, in place of the till."""


def book_settlement(unit: Unit, order: ToBook, book: Rulebook) -> SettlementView | TraceCodeSold:
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
        _postings(order),
    )
    _keep_rulebook(unit, book)
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
        hospital_fen=outcome.hospital_fen,
        account_fen=outcome.account_fen,
        family_fen=outcome.family_fen,
        cash_fen=outcome.cash_fen,
        account_balance_after_fen=outcome.account_balance_after_fen,
        case_facts=queries.CASE.dump_python(order.case, mode="json"),
        outcome=queries.OUTCOME.dump_python(outcome, mode="json"),
        traces=[[use.line_number, use.trace_code, use.split] for use in order.traces],
        family=[list(part) for part in order.family],
        owed=order.owed,
        order_id=order.order_id,
        ledger_entry_id=entry_id,
    )
    unit.db.add(settlement)
    unit.db.flush()
    _count(unit, settlement, outcome.counts, sign=1)
    return queries.view(settlement, None, settlement.person_id)


@dataclass(frozen=True)
class Sides:
    """Who stands on the other sides of a settlement's entry."""

    institution_id: str
    family: tuple[FamilyPart, ...]
    owed: bool
    route: Route
    order_id: str | None = None


@dataclass(frozen=True)
class Kept:
    """What stays of a settlement of which a part is taken back: lines and packs, as they were priced."""

    lines: tuple[LineInput, ...]
    traces: tuple[TraceUse, ...]


@dataclass(frozen=True)
class ToReverse:
    """A settlement that is to be taken back, by whom and why. ``kept``: what is booked in its place."""

    original: SettlementView
    enrolment: EnrolmentView
    terminal_id: str
    operator_id: str
    reason: str
    kept: Kept | None = None


def book_reversal(
    unit: Unit, order: ToReverse, book: Rulebook
) -> SettlementView | LaterSettlementsInTheWay:
    """Take a settlement back by new entries: postings, the year's use, packs and balances.

    Before: the person is locked and the settlement is not reversed yet. What is kept of it is booked anew
    in its place in the year, from the same accounts. Later settlements of the year that would come out
    differently are listed in a refusal, or taken back and booked again as they would have been, as
    ``stays.later_settlements`` of the day says. Raises ``RuleMissing``.
    """
    row = _row(unit, order.original.id)
    used, later_on = _around(unit, row, order.original.outcome)
    kept = None if order.kept is None else replace(case_kept(row, order.kept), used=used)
    if kept is not None:
        used = add(used, calculate(kept, book).counts)
    disturbed = rerun_without(used, later_on, book)
    if disturbed:
        area, day = order.enrolment.area_code, order.original.service_date
        if book.find(area, "stays.later_settlements", day).choice != "RERUN":
            ids = tuple(rerun.booked.id for rerun in reversed(disturbed))
            return LaterSettlementsInTheWay(len(ids), ids)
    later = [_row(unit, rerun.booked.id) for rerun in disturbed]
    for one, rerun in zip(reversed(later), reversed(disturbed), strict=True):
        _take_back(unit, one, rerun.booked.outcome, order)
    reversal = _take_back(unit, row, order.original.outcome, order)
    if kept is not None and order.kept is not None:
        own = kept.account_balance_fen
        paid = [(str(name), Fen(part)) for name, part in row.family]
        _book_again(unit, row, kept, order, book, own, paid, order.kept.traces)
    for one, rerun in zip(later, disturbed, strict=True):
        names = [(str(name), None) for name, _ in one.family]
        traces = tuple(TraceUse(*trace) for trace in one.traces)
        _book_again(unit, one, rerun.case, order, book, None, names, traces)
    return reversal


def case_kept(row: Settlement, kept: Kept) -> Case:
    """Return the case of what stays of a settlement: the same facts, no more in the accounts than then."""
    return replace(queries.case_of(row.case_facts), lines=kept.lines)


def without_part(unit: Unit, settlement_id: str, kept: Kept) -> Outcome:
    """Return what a settlement would come to if only this were kept of it. Raises as ``calculate`` does."""
    return calculate(case_kept(_row(unit, settlement_id), kept), rulebook())


def packs_of(unit: Unit, settlement_id: str) -> tuple[TraceUse, ...]:
    """Return the packs that a settlement sold."""
    return tuple(TraceUse(*trace) for trace in _row(unit, settlement_id).traces)


def family_parts(
    unit: Unit, sources: Sequence[FamilySource], amount: Fen
) -> tuple[FamilyPart, ...]:
    """Return what each of some accounts pays of an amount, in their order, none more than it can."""
    left, parts = amount, list[FamilyPart]()
    for name, most in sources:
        can = at_most(balances.free(unit, name) or Fen(0), most) if left else Fen(0)
        part = Fen(min(left, can))
        parts.append((name, part))
        left = Fen(left - part)
    invariant(left == 0, "relatives' accounts have what the bill draws from them")
    return tuple(parts)


def _take_back(unit: Unit, row: Settlement, outcome: Outcome, order: ToReverse) -> SettlementView:
    institution = institutions.institution(unit, row.institution_id)
    reversal_id = unit.new_id()
    entry_id = ledger.post(
        unit,
        EntryKind.REVERSAL,
        reversal_id,
        institution.name,
        _postings_of(order.enrolment, _sides(row), outcome, -1),
    )
    balance = balances.balance(unit, accounts.personal(order.enrolment.id)) or Fen(0)
    reversal = Settlement(
        id=reversal_id,
        kind=SettlementKind.REVERSAL,
        person_id=row.person_id,
        enrolment_id=row.enrolment_id,
        institution_id=row.institution_id,
        terminal_id=DESK if row.terminal_id == DESK else order.terminal_id,
        operator_id=order.operator_id,
        bill_id=row.bill_id,
        purpose=row.purpose,
        service_date=row.service_date,
        settled_at=unit.now,
        accumulator_year=row.accumulator_year,
        area_code=row.area_code,
        insurance_type=row.insurance_type,
        total_fen=-row.total_fen,
        fund_fen=-row.fund_fen,
        hospital_fen=-row.hospital_fen,
        account_fen=-row.account_fen,
        family_fen=-row.family_fen,
        cash_fen=-row.cash_fen,
        account_balance_after_fen=balance,
        family=row.family,
        owed=row.owed,
        order_id=row.order_id,
        case_facts=row.case_facts,
        outcome=row.outcome,
        traces=row.traces,
        ledger_entry_id=entry_id,
        reverses_id=row.id,
        reason=order.reason,
    )
    unit.db.add(reversal)
    unit.db.flush()
    _count(unit, reversal, outcome.counts, sign=-1)
    _return_packs(unit, row, reversal_id)
    return queries.view(reversal, None, order.enrolment.person_id)


def _book_again(
    unit: Unit,
    row: Settlement,
    case: Case,
    order: ToReverse,
    book: Rulebook,
    own_most: Fen | None,
    sources: Sequence[FamilySource],
    traces: tuple[TraceUse, ...],
) -> SettlementView:
    """Book a settlement as it comes out now, from the accounts as they stand now, each within its limit."""
    free = balances.free(unit, accounts.personal(row.enrolment_id)) or Fen(0)
    own = at_most(free, own_most)
    can = [at_most(balances.free(unit, name) or Fen(0), most) for name, most in sources]
    case = replace(case, account_balance_fen=own, family_balance_fen=Fen(sum(can)))
    outcome = calculate(case, book)
    again = ToBook(
        bill_id=row.bill_id,
        person_id=order.enrolment.person_id,
        purpose=row.purpose,
        terminal_id=DESK if row.terminal_id == DESK else order.terminal_id,
        operator_id=order.operator_id,
        institution=institutions.institution(unit, row.institution_id),
        enrolment=order.enrolment,
        case=case,
        outcome=outcome,
        traces=traces,
        family=family_parts(unit, sources, outcome.family_fen),
        owed=row.owed,
        order_id=row.order_id,
    )
    booked = book_settlement(unit, again, book)
    invariant(not isinstance(booked, TraceCodeSold), "packs just returned can be sold again")
    assert isinstance(booked, SettlementView)
    return booked


def _row(unit: Unit, settlement_id: str) -> Settlement:
    return unit.db.exec(select(Settlement).where(Settlement.id == settlement_id)).one()


def _sides(row: Settlement) -> Sides:
    route = queries.case_of(row.case_facts).route
    family = tuple((str(name), Fen(amount)) for name, amount in row.family)
    return Sides(row.institution_id, family, row.owed, route, row.order_id)


def _postings(order: ToBook) -> list[Posting]:
    sides = Sides(
        order.institution.id,
        order.family,
        order.owed,
        order.case.route,
        order.order_id,
    )
    return _postings_of(order.enrolment, sides, order.outcome, 1)


def _postings_of(
    enrolment: EnrolmentView, side: Sides, outcome: Outcome, sign: int
) -> list[Posting]:
    """Return the sides of an entry: each fund, the accounts, the till, and the institution's claim.

    Of a manual claim the institution has its money from the patient already: what the funds and
    accounts pay is the patient's, and the patient's own cash moves no more.
    """
    area, institution_id = enrolment.area_code, side.institution_id
    manual = side.route is Route.MANUAL
    unmoved = {PayerKind.HOSPITAL, PayerKind.FAMILY_ACCOUNT}
    unmoved |= {PayerKind.CASH} if manual else set()
    cash = accounts.owed(institution_id) if side.owed else accounts.till(institution_id)
    cash = cash if side.order_id is None else accounts.order_cash(side.order_id)
    paid: dict[str, int] = {}
    for share in outcome.shares:
        account = {
            PayerKind.BASIC: accounts.fund(area, enrolment.insurance_type.value),
            PayerKind.ACCOUNT: accounts.personal(enrolment.id),
            PayerKind.CASH: cash,
        }.get(share.payer, accounts.payer(area, share.topic))
        if share.payer not in unmoved:
            paid[account] = paid.get(account, 0) + share.amount_fen
    for name, part in side.family:
        paid[name] = paid.get(name, 0) + part
    whole = sum(part for _, part in side.family)
    invariant(whole == outcome.family_fen, "relatives' accounts pay what the bill says they do")
    sides = [Posting(account, Fen(-sign * amount)) for account, amount in paid.items()]
    earned = accounts.payout(enrolment.id) if manual else accounts.claim(institution_id)
    return [*sides, Posting(earned, Fen(sign * sum(paid.values())))]


def _count(unit: Unit, settlement: Settlement, counts: Mapping[str, int], sign: int) -> None:
    """Add a bill to the year's counters, or take it off them."""
    moving = {name: sign * amount for name, amount in sorted(counts.items()) if amount}
    if not moving:
        return
    enrolment_id, year = settlement.enrolment_id, settlement.accumulator_year
    rows = [
        {"enrolment_id": enrolment_id, "year": year, "name": name, "amount": amount}
        for name, amount in moving.items()
    ]
    left = add_to(unit, Counter, rows, "amount")
    invariant(min(left) >= 0, "a year's use is never negative")
    unit.db.add_all(
        CounterEntry(
            settlement_id=settlement.id,
            name=name,
            enrolment_id=enrolment_id,
            year=year,
            amount=amount,
        )
        for name, amount in moving.items()
    )
    unit.db.flush()


def _keep_rulebook(unit: Unit, book: Rulebook) -> None:
    """Keep the text of the law, once, so that the settlement recomputes in any year."""
    digest = book.digest
    if unit.db.exec(select(RulebookText.digest).where(RulebookText.digest == digest)).first():
        return
    row = {"digest": digest, "source": book.source, "first_used_at": unit.now}
    insert_new(unit, RulebookText, [row])


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


def _around(unit: Unit, row: Settlement, outcome: Outcome) -> tuple[dict[str, int], list[Booked]]:
    """Return what the year had used before a settlement, and what still stands of those after it."""
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
        Booked(s.id, queries.case_of(s.case_facts), queries.outcome_of(s.outcome)) for s in standing
    ]
    used = queries.used(unit, row.enrolment_id, row.accumulator_year, lock=True)
    for counted in [outcome, *(booked.outcome for booked in later)]:
        used = take(used, counted.counts)
    return dict(used), later
