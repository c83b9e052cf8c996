"""Use cases of insured persons."""

from __future__ import annotations

from backend.infra import audit
from backend.infra.database import Unit
from backend.people import queries
from backend.people.contracts import (
    IdNumberInvalid,
    PersonKnown,
    PersonView,
    RegisterPerson,
)
from backend.people.logic import birth_date_of
from backend.people.model import AidIdentity, Enrolment, EnrolmentPeriod, Person, Supplement


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
