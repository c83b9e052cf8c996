"""Use cases of documents, and of finding two records that may be one person's.

The ID number is the master index: whoever has it is that person. Every other document is a supplement,
and only makes a clerk look: the same document with two people, or the same name, birth date and sex
where one of the two has no ID number. What is found is written down; nothing is ever merged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import col, select

from backend.infra import audit
from backend.infra.database import Unit
from backend.people import queries
from backend.people.contracts import IdNumberInvalid, Particulars, PersonKnown
from backend.people.document_contracts import (
    DUPLICATE_STATES,
    DocumentInput,
    DocumentInvalid,
    DocumentView,
    DuplicateEvent,
    DuplicateReason,
    DuplicateState,
)
from backend.people.logic import birth_date_of, fits, tidy_number
from backend.people.model import DuplicateCase, Person, PersonDocument

_NO_NUMBER = "none:"


def record_document(
    unit: Unit, actor: str, person_id: str, document: DocumentInput
) -> list[DocumentView] | DocumentInvalid:
    """Store a document beside the ID number, or how long it is now valid; return all of the person."""
    if not fits(document):
        return DocumentInvalid(document.kind)
    store_document(unit, person_id, document)
    audit.record(
        unit, actor, "person.document", f"person:{person_id}", {"kind": document.kind.value}
    )
    find_duplicates(unit, person_id)
    return queries.documents(unit, person_id)


def store_document(unit: Unit, person_id: str, document: DocumentInput) -> None:
    """Store a document that was checked to fit its kind."""
    number = tidy_number(document.number)
    index = unit.vault.index(f"{document.kind}:{number}", "document")
    query = select(PersonDocument).where(
        PersonDocument.person_id == person_id, PersonDocument.number_index == index
    )
    row = unit.db.exec(query.with_for_update()).first()
    if row is None:
        document_id = unit.new_id()
        row = PersonDocument(
            id=document_id,
            person_id=person_id,
            kind=document.kind,
            number=unit.vault.seal(number, f"document:{document_id}"),
            number_index=index,
            country=document.country,
            recorded_at=unit.now,
        )
        unit.db.add(row)
    row.valid_until = document.valid_until
    unit.db.flush()


def give_id_number(
    unit: Unit, actor: str, person_id: str, id_number: str
) -> list[DocumentView] | IdNumberInvalid | PersonKnown:
    """Give who had none an ID number, as a newborn gets one. It must tell the birth date known here.

    Where somebody else has the number already, the two records are put before a clerk.
    """
    unit.db.exec(select(Person.id).where(Person.id == person_id).with_for_update()).one()
    known, number = queries.particulars(unit, person_id), id_number.strip().upper()
    if birth_date_of(number) != known.birth_date:
        return IdNumberInvalid()
    holder = queries.person_by_id_number(unit, number)
    if holder is not None and holder != person_id:
        _open_case(unit, person_id, holder, DuplicateReason.SAME_DOCUMENT)
        return PersonKnown()
    if known.id_number and known.id_number != number:
        return PersonKnown()
    write_particulars(unit, person_id, replace(known, id_number=number))
    audit.record(unit, actor, "person.id_number", f"person:{person_id}", {})
    find_duplicates(unit, person_id)
    return queries.documents(unit, person_id)


def write_particulars(unit: Unit, person_id: str, known: Particulars) -> None:
    """Seal who a person is and keep the indexes in step."""
    row = unit.db.get_one(Person, person_id)
    text = queries.PARTICULARS.dump_json(known).decode()
    row.particulars = unit.vault.seal(text, f"person:{person_id}")
    row.id_number_index = (
        unit.vault.index(known.id_number.upper(), "id_number")
        if known.id_number
        else f"{_NO_NUMBER}{person_id}"
    )
    row.phone_index = unit.vault.index(known.phone, "phone") if known.phone else None
    row.match_index = match_index(unit, known)
    unit.db.flush()


def match_index(unit: Unit, known: Particulars) -> str:
    """Return the index that people of one name, birth date and sex share."""
    return unit.vault.index(f"{known.name}|{known.birth_date}|{known.sex}", "person_match")


def find_duplicates(unit: Unit, person_id: str) -> int:
    """Write down which other records may be this person's, and return how many are new."""
    mine = unit.db.get_one(Person, person_id)
    own = select(PersonDocument.number_index).where(PersonDocument.person_id == person_id)
    shared = unit.db.exec(
        select(PersonDocument.person_id)
        .join(Person, col(Person.id) == col(PersonDocument.person_id))
        .where(col(PersonDocument.number_index).in_(own), PersonDocument.person_id != person_id)
        .where(col(Person.merged_into).is_(None))
        .distinct()
        .order_by(col(PersonDocument.person_id))
    ).all()
    alike = select(Person.id).where(
        Person.match_index == mine.match_index,
        Person.id != person_id,
        col(Person.merged_into).is_(None),
    )
    if not mine.id_number_index.startswith(_NO_NUMBER):
        alike = alike.where(col(Person.id_number_index).startswith(_NO_NUMBER))
    names = unit.db.exec(alike.order_by(col(Person.id))).all()
    return _open_cases(unit, person_id, shared, DuplicateReason.SAME_DOCUMENT) + _open_cases(
        unit,
        person_id,
        [one for one in names if one not in shared],
        DuplicateReason.SAME_NAME_AND_BIRTH,
    )


def scan(unit: Unit, after: str, limit: int) -> tuple[str, int]:
    """Look again at some people in the order of their ids; return the last id ('' at the end) and finds.

    Records from before names were indexed get their index here.
    """
    ids = unit.db.exec(
        select(Person.id)
        .where(col(Person.id) > after, col(Person.merged_into).is_(None))
        .order_by(col(Person.id))
        .limit(limit)
    ).all()
    for person_id in ids:
        row = unit.db.get_one(Person, person_id)
        row.match_index = match_index(unit, queries.particulars(unit, person_id))
    unit.db.flush()
    found = sum(find_duplicates(unit, person_id) for person_id in ids)
    return (ids[-1] if len(ids) == limit else ""), found


def _open_cases(unit: Unit, person_id: str, others: Sequence[str], reason: DuplicateReason) -> int:
    return sum(_open_case(unit, person_id, other, reason) for other in others)


def _open_case(unit: Unit, one: str, other: str, reason: DuplicateReason) -> bool:
    """Open the case of two records; tell whether that is news."""
    first, second = sorted((one, other))
    query = select(DuplicateCase).where(
        DuplicateCase.first_id == first, DuplicateCase.second_id == second
    )
    row = unit.db.exec(query.with_for_update()).first()
    if row is None:
        row = DuplicateCase(
            id=unit.new_id(),
            first_id=first,
            second_id=second,
            reason=reason,
            state=DuplicateState.OPEN,
            found_at=unit.now,
        )
        unit.db.add(row)
    else:
        names_alone = row.reason == DuplicateReason.SAME_NAME_AND_BIRTH
        stronger = names_alone and reason is DuplicateReason.SAME_DOCUMENT
        after = DUPLICATE_STATES.after(DuplicateState(row.state), DuplicateEvent.FOUND_AGAIN)
        if not stronger:
            return False
        row.reason, row.state = reason, after or row.state
        if after is None:
            unit.db.flush()
            return False
    unit.db.flush()
    facts = {"case": row.id, "reason": reason.value}
    audit.record(unit, "system", "duplicate.found", f"person:{first}", facts)
    return True
