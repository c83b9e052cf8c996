"""Use cases of insured persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import or_
from sqlmodel import col, select

from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.infra import audit
from backend.infra.database import Unit
from backend.people import queries
from backend.people.contracts import (
    BenefitStatus,
    EnrolmentInput,
    EnrolmentPeriodInput,
    IdNumberInvalid,
    NoticeBy,
    PersonKind,
    PersonKnown,
    PersonView,
    Preferences,
    RegisterPerson,
    SetPreferences,
)
from backend.people.document_contracts import DocumentInvalid
from backend.people.documents import find_duplicates, store_document, write_particulars
from backend.people.logic import birth_date_of, fits
from backend.people.model import (
    AidIdentity,
    Enrolment,
    EnrolmentPeriod,
    Person,
    PersonPreference,
    Supplement,
)


def register_person(
    unit: Unit, command: RegisterPerson
) -> PersonView | IdNumberInvalid | DocumentInvalid | PersonKnown:
    """Store a person and their enrolments as the insurance authority reports them.

    Of somebody who has registered themselves, or whom the authority reports again, what is new is
    added: the ID number is the master index, so it is the same person. Another name with it is not
    believed but refused, for a clerk to look at.
    """
    refusal = _unbelievable(command)
    if refusal is not None:
        return refusal
    known = command.particulars
    person_id = queries.person_by_id_number(unit, known.id_number) if known.id_number else None
    if person_id is None:
        person_id = unit.new_id()
        nameless = Person(id=person_id, particulars="", id_number_index="", registered_at=unit.now)
        unit.db.add(nameless)
        write_particulars(unit, person_id, known)
        done = "person.register"
    else:
        queries.lock_person(unit, person_id)
        if queries.particulars(unit, person_id).name != known.name:
            return PersonKnown()
        done = "person.report"
    for document in command.documents:
        store_document(unit, person_id, document)
    for enrolment in command.enrolments:
        add_enrolment(unit, person_id, enrolment)
    for held in command.identities:
        unit.db.merge(
            AidIdentity(
                person_id=person_id,
                identity=held.identity,
                starts=held.starts,
                ends=held.ends,
            )
        )
    for bought in command.supplements:
        unit.db.merge(
            Supplement(
                person_id=person_id,
                product=bought.product,
                starts=bought.starts,
                ends=bought.ends,
                continuous=bought.continuous,
            )
        )
    unit.db.flush()
    audit.record(unit, "system", done, f"person:{person_id}", {})
    find_duplicates(unit, person_id)
    return queries.person(unit, person_id)


def _unbelievable(command: RegisterPerson) -> IdNumberInvalid | DocumentInvalid | None:
    known = command.particulars
    wrong = next((one for one in command.documents if not fits(one)), None)
    if wrong is not None:
        return DocumentInvalid(wrong.kind)
    if known.id_number or not command.documents:
        fitting = birth_date_of(known.id_number) == known.birth_date
        return None if fitting else IdNumberInvalid()
    return None


def add_enrolment(unit: Unit, person_id: str, reported: EnrolmentInput) -> str:
    """Store an enrolment, or what is new of it, and return its id."""
    row = unit.db.exec(
        select(Enrolment).where(
            Enrolment.person_id == person_id,
            Enrolment.area_code == reported.area_code,
            Enrolment.insurance_type == reported.insurance_type,
        )
    ).first()
    if row is None:
        row = Enrolment(
            id=unit.new_id(),
            person_id=person_id,
            person_number=f"{reported.area_code[:2]}{unit.resources.ids.digits(18)}",
            area_code=reported.area_code,
            insurance_type=reported.insurance_type,
            account_kind=reported.account_kind,
            contribution_base_fen=reported.contribution_base_fen,
            civil_servant=reported.civil_servant,
            division_code=reported.division_code,
        )
        unit.db.add(row)
        unit.db.flush()
    add_periods(unit, row.id, reported.periods)
    return row.id


def add_periods(unit: Unit, enrolment_id: str, periods: Sequence[EnrolmentPeriodInput]) -> None:
    """Store what is new of an enrolment: a period that begins ends the one it falls into."""
    for period in periods:
        before = select(EnrolmentPeriod).where(
            EnrolmentPeriod.enrolment_id == enrolment_id,
            EnrolmentPeriod.starts < period.starts,
            or_(col(EnrolmentPeriod.ends).is_(None), col(EnrolmentPeriod.ends) >= period.starts),
        )
        for running in unit.db.exec(before).all():
            running.ends = period.starts - timedelta(days=1)
        unit.db.merge(
            EnrolmentPeriod(
                enrolment_id=enrolment_id,
                starts=period.starts,
                ends=period.ends,
                status=period.status,
                person_kind=period.person_kind,
                tier=period.tier,
            )
        )


def end_waiting(unit: Unit, enrolment_id: str, benefits_from: date) -> None:
    """Let benefits begin on a day although somebody would have waited on."""
    waiting = select(EnrolmentPeriod).where(
        EnrolmentPeriod.enrolment_id == enrolment_id,
        EnrolmentPeriod.status == BenefitStatus.WAITING,
        col(EnrolmentPeriod.ends) >= benefits_from,
    )
    for row in unit.db.exec(waiting.with_for_update()).all():
        if row.starts >= benefits_from:
            row.status = BenefitStatus.ACTIVE
            continue
        ends, row.ends = row.ends, benefits_from - timedelta(days=1)
        kind, tier, active = PersonKind(row.person_kind), row.tier, BenefitStatus.ACTIVE
        add_periods(
            unit, enrolment_id, [EnrolmentPeriodInput(benefits_from, ends, active, kind, tier)]
        )


def set_phone(unit: Unit, actor: str, person_id: str, phone: str) -> None:
    """Give a person the phone that signs them in. Before: nobody else has it, the person is locked."""
    known = replace(queries.particulars(unit, person_id), phone=phone)
    write_particulars(unit, person_id, known)
    audit.record(unit, actor, "person.phone", f"person:{person_id}", {})


def set_preferences(unit: Unit, command: SetPreferences) -> Preferences | SignInRequired:
    """Store what the caller has chosen."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    person_id = command.actor.person_id
    row = unit.db.get(PersonPreference, person_id) or PersonPreference(
        person_id=person_id, elder_mode=False, notice_by=NoticeBy.MESSAGE
    )
    row.elder_mode = command.elder_mode
    row.notice_by = command.notice_by
    unit.db.add(row)
    unit.db.flush()
    facts = {"elder_mode": row.elder_mode, "notice_by": row.notice_by}
    audit.record(unit, label(command.actor), "preferences.set", f"person:{person_id}", facts)
    return queries.preferences(unit, person_id)


def record_death(unit: Unit, actor: str, person_id: str, day: date) -> None:
    """Store that somebody died, as the civil register reports; relatives can act no more."""
    unit.db.get_one(Person, person_id, with_for_update=True).died_on = day
    unit.db.flush()
    audit.record(unit, actor, "person.died", f"person:{person_id}", {"day": day.isoformat()})
