"""Use cases of merging: one clerk proposes, another confirms, and then it happens in one transaction.

Merging writes into every table that names a person, by the plan beside it; what has rules of its own
(sessions, codes, bindings, shares and wallets) is ended by its package.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Table, delete, func, select, update
from sqlmodel import SQLModel, col
from sqlmodel import select as select_rows

from backend.codes import identities
from backend.codes import service as codes
from backend.identity import closing, safety
from backend.infra import audit
from backend.infra.database import Unit
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.merging import logic
from backend.merging.contracts import (
    DuplicateNotFound,
    Merged,
    MergeNotPossible,
    MergeProblem,
)
from backend.merging.plan import ENROLMENTS, KEYS, PERSONS, Does, OfUnused
from backend.notices.service import to_phone
from backend.payments import booking
from backend.payments import queries as payments
from backend.people import documents
from backend.people import queries as people
from backend.people.document_contracts import (
    DUPLICATE_STATES,
    DuplicateEvent,
    DuplicateState,
    DuplicateView,
)
from backend.people.model import DuplicateCase, Enrolment, EnrolmentPeriod, Person
from backend.proxies import service as proxies
from backend.sharing import queries as sharing_queries
from backend.sharing import service as sharing

_WORDS_MAX = 500


def propose(
    unit: Unit, clerk: str, case_id: str, kept_id: str, words: str
) -> DuplicateView | DuplicateNotFound | MergeNotPossible:
    """Say that two records are one person's, which of them goes on, and what papers show it."""
    row = _locked(unit, case_id, DuplicateEvent.PROPOSE)
    if row is None:
        return DuplicateNotFound()
    if kept_id not in (row.first_id, row.second_id):
        return MergeNotPossible(MergeProblem.NOT_OF_THE_PAIR)
    if not words.strip():
        return MergeNotPossible(MergeProblem.NO_WORDS)
    _lock_both(unit, row)
    refusal = _refusal(unit, kept_id, _other(row, kept_id))
    if refusal is not None:
        return refusal
    row.kept_id, row.proposed_by, row.words = kept_id, clerk, words.strip()[:_WORDS_MAX]
    return _moved(unit, row, DuplicateEvent.PROPOSE, clerk)


def withdraw(unit: Unit, clerk: str, case_id: str) -> DuplicateView | DuplicateNotFound:
    """Take a proposal back, or do not agree with it: the question is open again."""
    row = _locked(unit, case_id, DuplicateEvent.WITHDRAW)
    if row is None:
        return DuplicateNotFound()
    row.kept_id = row.proposed_by = None
    return _moved(unit, row, DuplicateEvent.WITHDRAW, clerk)


def differ(
    unit: Unit, clerk: str, case_id: str, words: str
) -> DuplicateView | DuplicateNotFound | MergeNotPossible:
    """Say that two records are two people's."""
    row = _locked(unit, case_id, DuplicateEvent.DIFFER)
    if row is None:
        return DuplicateNotFound()
    if not words.strip():
        return MergeNotPossible(MergeProblem.NO_WORDS)
    row.words, row.decided_by, row.decided_at = words.strip()[:_WORDS_MAX], clerk, unit.now
    return _moved(unit, row, DuplicateEvent.DIFFER, clerk)


def confirm(unit: Unit, clerk: str, case_id: str) -> Merged | DuplicateNotFound | MergeNotPossible:
    """Merge two records as another clerk has proposed, whole or not at all.

    After: everything that can still move is the kept record's, whose number and phone go on; nobody
    signs in with the other one; what was booked stays as it was booked, and is read by both.
    """
    row = _locked(unit, case_id, DuplicateEvent.CONFIRM)
    if row is None or row.kept_id is None:
        return DuplicateNotFound()
    if row.proposed_by == clerk:
        return MergeNotPossible(MergeProblem.SAME_CLERK)
    _lock_both(unit, row)
    kept_id, dropped_id = row.kept_id, _other(row, row.kept_id)
    refusal = _refusal(unit, kept_id, dropped_id)
    if refusal is not None:
        return refusal
    joined = _joinings(unit, kept_id, dropped_id)
    assert not isinstance(joined, MergeProblem)  # or it was refused
    phones = {people.particulars(unit, one).phone for one in (kept_id, dropped_id)} - {""}
    moved = _end(unit, clerk, kept_id, dropped_id)
    for joining in joined:
        _join(unit, joining, moved)
    _move(unit, kept_id, dropped_id, moved)
    _hand_over(unit, kept_id, dropped_id)
    row.decided_by, row.decided_at, row.moved = clerk, unit.now, moved
    _moved(unit, row, DuplicateEvent.CONFIRM, clerk)
    for phone in sorted(phones):
        to_phone(unit, phone, "records_merged", {})
    facts = {"case": row.id, "into": kept_id, "moved": moved}
    audit.record(unit, clerk, "person.merged", f"person:{dropped_id}", facts)
    return Merged(row.id, dropped_id, kept_id, moved)


def _refusal(unit: Unit, kept_id: str, dropped_id: str) -> MergeNotPossible | None:
    found = logic.problem(_record(unit, kept_id), _record(unit, dropped_id))
    if found is None:
        joined = _joinings(unit, kept_id, dropped_id)
        found = joined if isinstance(joined, MergeProblem) else None
    return None if found is None else MergeNotPossible(found)


def _record(unit: Unit, person_id: str) -> logic.Record:
    known = people.particulars(unit, person_id)
    row = unit.db.get_one(Person, person_id)
    return logic.Record(
        id_number=known.id_number,
        birth_date=known.birth_date,
        sex=known.sex,
        died_on=row.died_on,
        merged=row.merged_into is not None,
        frozen=safety.frozen_refusal(unit, person_id) is not None,
        open_bill=bool(payments.open_bills(unit, person_id, 1)),
        in_hospital=payments.in_hospital_since(unit, person_id) is not None,
        money_on_its_way=sharing_queries.has_open_transfer(unit, person_id)
        or booking.under_way(unit, person_id) is not None,
    )


def _joinings(unit: Unit, kept_id: str, dropped_id: str) -> list[logic.Joining] | MergeProblem:
    return logic.joinings(_schemes(unit, kept_id), _schemes(unit, dropped_id))


def _schemes(unit: Unit, person_id: str) -> list[logic.Scheme]:
    query = select_rows(Enrolment).where(Enrolment.person_id == person_id)
    return [
        logic.Scheme(one.id, one.area_code, one.insurance_type, _is_used(unit, one.id))
        for one in unit.db.exec(query.order_by(col(Enrolment.id))).all()
    ]


def _is_used(unit: Unit, enrolment_id: str) -> bool:
    """Tell whether benefits or money of an enrolment were ever used."""
    for place, does in ENROLMENTS.items():
        table, column = _place(place)
        count = select(func.count()).select_from(table).where(table.c[column] == enrolment_id)
        if does is OfUnused.IS_USE and unit.db.execute(count).scalar_one():
            return True
    return bool(ledger.balance(unit, accounts.personal(enrolment_id)))


def _end(unit: Unit, clerk: str, kept_id: str, dropped_id: str) -> dict[str, int]:
    """Let every package end what the dropped record could still do."""
    codes.void_all(unit, dropped_id)
    identities.revoke_all(unit, dropped_id)
    bound = proxies.take_over(unit, clerk, dropped_id, kept_id)
    wallet = sharing.take_over(unit, clerk, dropped_id, kept_id)
    ended = closing.close_record(unit, dropped_id, "records were merged")
    return {"binding": bound, "wallet_fen": wallet, "device_session": ended}


def _join(unit: Unit, joining: logic.Joining, moved: dict[str, int]) -> None:
    """Let one enrolment go on for two of the same insurance."""
    for place, does in ENROLMENTS.items():
        table, column = _place(place)
        if does is OfUnused.MOVES:
            _count(moved, table, _rename(unit, table, column, joining.unused, joining.goes_on))
    held = _periods(unit, joining.goes_on)
    for period in _periods(unit, joining.unused):
        taken = [(one.starts, one.ends) for one in held]
        for starts, ends in logic.days_left(period.starts, period.ends, taken):
            unit.db.add(
                EnrolmentPeriod(
                    enrolment_id=joining.goes_on,
                    starts=starts,
                    ends=ends,
                    status=period.status,
                    person_kind=period.person_kind,
                    tier=period.tier,
                )
            )
            moved["enrolment_period"] = moved.get("enrolment_period", 0) + 1
    unused = col(EnrolmentPeriod.enrolment_id) == joining.unused
    unit.db.execute(delete(EnrolmentPeriod).where(unused))
    unit.db.flush()


def _periods(unit: Unit, enrolment_id: str) -> list[EnrolmentPeriod]:
    query = select_rows(EnrolmentPeriod).where(EnrolmentPeriod.enrolment_id == enrolment_id)
    return list(unit.db.exec(query.order_by(col(EnrolmentPeriod.starts))).all())


def _move(unit: Unit, kept_id: str, dropped_id: str, moved: dict[str, int]) -> None:
    """Let every row that may move name the kept record."""
    unit.db.flush()
    unit.db.expire_all()
    for place, does in PERSONS.items():
        if does is Does.MOVES:
            table, column = _place(place)
            _count(moved, table, _rename(unit, table, column, dropped_id, kept_id))


def _rename(unit: Unit, table: Table, column: str, old: str, new: str) -> int:
    """Write another id into a column, but where the new one has a row of that key already."""
    statement = update(table).where(table.c[column] == old).values({column: new})
    if table.name in KEYS:
        own = table.alias()
        same = [own.c[key] == table.c[key] for key in KEYS[table.name]]
        taken = select(own.c[column]).where(own.c[column] == new, *same).exists()
        statement = statement.where(~taken)
    result: Any = unit.db.execute(statement)
    return int(result.rowcount)


def _hand_over(unit: Unit, kept_id: str, dropped_id: str) -> None:
    """Give the kept record the phone if it has none, and point the dropped one to it."""
    unit.db.expire_all()
    kept, dropped = (people.particulars(unit, one) for one in (kept_id, dropped_id))
    documents.write_particulars(unit, dropped_id, replace(dropped, phone=""))
    if not kept.phone and dropped.phone:
        documents.write_particulars(unit, kept_id, replace(kept, phone=dropped.phone))
    row = unit.db.get_one(Person, dropped_id)
    row.merged_into, row.match_index = kept_id, None
    unit.db.flush()


def _locked(unit: Unit, case_id: str, event: DuplicateEvent) -> DuplicateCase | None:
    """Return a case, locked, where the event may happen to it."""
    query = select_rows(DuplicateCase).where(DuplicateCase.id == case_id).with_for_update()
    row = unit.db.exec(query).first()
    after = row and DUPLICATE_STATES.after(DuplicateState(row.state), event)
    return row if after else None


def _moved(unit: Unit, row: DuplicateCase, event: DuplicateEvent, clerk: str) -> DuplicateView:
    row.state = DUPLICATE_STATES.after(DuplicateState(row.state), event) or row.state
    unit.db.flush()
    facts = {"case": row.id, "words": row.words}
    action = f"duplicate.{event.lower()}"
    audit.record(unit, clerk, action, f"person:{row.first_id}", facts)
    return people.duplicate_view(unit, row)


def _lock_both(unit: Unit, row: DuplicateCase) -> None:
    for person_id in (row.first_id, row.second_id):  # which are in order
        people.lock_person(unit, person_id)


def _other(row: DuplicateCase, person_id: str) -> str:
    return row.second_id if person_id == row.first_id else row.first_id


def _place(place: str) -> tuple[Table, str]:
    name, column = place.split(".")
    return SQLModel.metadata.tables[name], column


def _count(moved: dict[str, int], table: Table, rows: int) -> None:
    if rows:
        moved[table.name] = moved.get(table.name, 0) + rows
