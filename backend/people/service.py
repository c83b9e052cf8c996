"""Use cases of insured persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.infra import audit
from backend.infra.database import Unit
from backend.people import queries
from backend.people.contracts import (
    IdNumberInvalid,
    NoticeBy,
    PersonKnown,
    PersonView,
    Preferences,
    RegisterPerson,
    SetPreferences,
)
from backend.people.logic import birth_date_of
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
) -> PersonView | IdNumberInvalid | PersonKnown:
    """Store a person and their enrolments as the insurance authority reports them."""
    known = command.particulars
    if birth_date_of(known.id_number) != known.birth_date:
        return IdNumberInvalid()
    if queries.person_by_id_number(unit, known.id_number) is not None:
        return PersonKnown()
    person_id = unit.new_id()
    text = queries.PARTICULARS.dump_json(known).decode()
    unit.db.add(
        Person(
            id=person_id,
            particulars=unit.vault.seal(text, f"person:{person_id}"),
            id_number_index=unit.vault.index(known.id_number.upper(), "id_number"),
            phone_index=unit.vault.index(known.phone, "phone") if known.phone else None,
            registered_at=unit.now,
        )
    )
    unit.db.flush()
    for enrolment in command.enrolments:
        enrolment_id = unit.new_id()
        unit.db.add(
            Enrolment(
                id=enrolment_id,
                person_id=person_id,
                person_number=f"{enrolment.area_code[:2]}{unit.resources.ids.digits(18)}",
                area_code=enrolment.area_code,
                insurance_type=enrolment.insurance_type,
                account_kind=enrolment.account_kind,
                contribution_base_fen=enrolment.contribution_base_fen,
                civil_servant=enrolment.civil_servant,
                division_code=enrolment.division_code,
            )
        )
        unit.db.flush()
        for period in enrolment.periods:
            unit.db.add(
                EnrolmentPeriod(
                    enrolment_id=enrolment_id,
                    starts=period.starts,
                    ends=period.ends,
                    status=period.status,
                    person_kind=period.person_kind,
                    tier=period.tier,
                )
            )
    for held in command.identities:
        unit.db.add(
            AidIdentity(
                person_id=person_id,
                identity=held.identity,
                starts=held.starts,
                ends=held.ends,
            )
        )
    for bought in command.supplements:
        unit.db.add(
            Supplement(
                person_id=person_id,
                product=bought.product,
                starts=bought.starts,
                ends=bought.ends,
                continuous=bought.continuous,
            )
        )
    unit.db.flush()
    audit.record(unit, "system", "person.register", f"person:{person_id}", {})
    return queries.person(unit, person_id)


def set_phone(unit: Unit, actor: str, person_id: str, phone: str) -> None:
    """Give a person the phone that signs them in. Before: nobody else has it, the person is locked."""
    row = unit.db.get_one(Person, person_id)
    known = replace(queries.particulars(unit, person_id), phone=phone)
    row.particulars = unit.vault.seal(
        queries.PARTICULARS.dump_json(known).decode(), f"person:{person_id}"
    )
    row.phone_index = unit.vault.index(phone, "phone")
    unit.db.flush()
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
