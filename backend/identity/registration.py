"""Use cases of real-name registration.

The civil register is asked between ``prepare`` and ``complete``, outside of any transaction. A code from the
phone counts as tried in ``prepare`` and is used up in ``complete``: where the register does not answer, the
same request can be sent again with it.

Whoever registers shows a name, a number and a phone, and names and numbers are known to others. So only
somebody whom nobody here knows is let in at once. An insured person without a phone waits for a clerk who
compares the identity card, and nobody takes over an account that has another phone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlmodel import col, select

from backend.access.assurance import Proof
from backend.identity.challenges import REGISTER, at_place, send_code, show_code
from backend.identity.contracts import PhoneInvalid, SignInCodeSent, TooManyCodes
from backend.identity.model import Registration
from backend.identity.registration_contracts import (
    AlreadyRegistered,
    CivilAnswer,
    IdentityNotConfirmed,
    MayAskRegister,
    NameInvalid,
    PhoneTaken,
    Register,
    RegisterAnswered,
    Registered,
    RegisterUnavailable,
    RegistrationNotFound,
    RegistrationView,
    RegistrationWaiting,
    RequestRegistrationCode,
    TooManyRegistrations,
)
from backend.identity.service import Device, is_phone, open_session
from backend.infra import audit, rates
from backend.infra.database import Unit
from backend.infra.rates import Allowance
from backend.kernel.errors import Refusal
from backend.kernel.masking import mask_phone
from backend.notices.service import to_phone
from backend.people import queries as people
from backend.people.contracts import IdNumberInvalid, Particulars, PersonView, RegisterPerson
from backend.people.logic import birth_date_of, sex_of
from backend.people.service import register_person, set_phone

_NAME = re.compile(r"[^\W\d_][^\W\d_·．•]*(?:[·．•][^\W\d_·．•]+)*\Z")
_NAME_MAX = 50
_DAY = 86_400


def request_code(
    unit: Unit, command: RequestRegistrationCode
) -> SignInCodeSent | PhoneInvalid | TooManyCodes:
    """Send a code to any phone. Whoever has an account with it reads so in the message."""
    if not is_phone(command.phone):
        return PhoneInvalid()
    owner = people.person_by_phone(unit, command.phone)
    return send_code(unit, command.phone, at_place(unit, command.address), owner, REGISTER)


def prepare(unit: Unit, command: Register) -> MayAskRegister | Refusal:
    """Check everything that can be checked here; what was tried counts."""
    if not is_phone(command.phone):
        return PhoneInvalid()
    name, number = command.name.strip(), command.id_number.strip().upper()
    if len(name) > _NAME_MAX or not _NAME.match(name):
        return NameInvalid()
    if birth_date_of(number) is None:
        return IdNumberInvalid()
    asker = at_place(unit, command.address)
    shown = show_code(unit, command.phone, command.code, REGISTER, asker, keep=True)
    if isinstance(shown, Refusal):
        return shown
    wait = rates.hit_all(unit, _allowances(unit, command.phone, number))
    return TooManyRegistrations(wait) if wait is not None else MayAskRegister(name, number)


def complete(unit: Unit, command: RegisterAnswered) -> Registered | Refusal:
    """Go by what the register said: open a session, let it wait for a clerk, or refuse."""
    asked, answer = command.asked, command.answer
    name, number = asked.name.strip(), asked.id_number.strip().upper()
    if answer is None:  # nothing was learnt, so nothing was tried
        allowances = _allowances(unit, asked.phone, number)
        rates.give_back(unit, [allowance.bucket for allowance in allowances])
        return RegisterUnavailable()
    if answer is not CivilAnswer.MATCH:
        _note_failure(unit, number, answer)
        return IdentityNotConfirmed()
    asker = at_place(unit, asked.address)
    shown = show_code(unit, asked.phone, asked.code, REGISTER, asker, counts=False)
    if isinstance(shown, Refusal):
        return shown
    person_id = people.person_by_id_number(unit, number)
    if person_id is not None:
        return _known(unit, person_id, name, asked.phone)
    if people.person_by_phone(unit, asked.phone) is not None:
        return PhoneTaken()
    birth = birth_date_of(number)
    if birth is None:
        return IdNumberInvalid()
    known = Particulars(name, number, birth, sex_of(number), asked.phone)
    made = register_person(unit, RegisterPerson(known, ()))
    if not isinstance(made, PersonView):
        return made
    audit.record(unit, f"person:{made.id}", "registration.new", f"person:{made.id}", {})
    device = Device(asked.device_name, asked.address)
    return open_session(unit, made.id, device, Proof.SMS_CODE)


def waiting(unit: Unit, limit: int, regions: Sequence[str] | None = None) -> list[RegistrationView]:
    """Return registrations that wait for a clerk, the oldest first, of some regions or of all."""
    query = select(Registration).where(col(Registration.decided_at).is_(None))
    if regions is not None:
        query = query.where(col(Registration.person_id).in_(people.insured_within(regions)))
    rows = unit.db.exec(query.order_by(col(Registration.id)).limit(limit)).all()
    held = people.prefetch(unit, [row.person_id for row in rows])
    views = [
        RegistrationView(
            row.id,
            people.person(unit, row.person_id).masked_name,
            mask_phone(_phone(unit, row)),
            row.asked_at,
        )
        for row in rows
    ]
    del held
    return views


def whose(unit: Unit, registration_id: str) -> str | None:
    """Return whom a registration is about, to decide which agency works on it."""
    row = unit.db.get(Registration, registration_id)
    return None if row is None else row.person_id


def approve(
    unit: Unit, clerk: str, registration_id: str
) -> PersonView | RegistrationNotFound | AlreadyRegistered | PhoneTaken:
    """Let a clerk who has compared the identity card give the person their phone."""
    row = _locked(unit, registration_id)
    if row is None:
        return RegistrationNotFound()
    people.lock_person(unit, row.person_id)
    phone = _phone(unit, row)
    held = people.particulars(unit, row.person_id).phone
    if held:
        return AlreadyRegistered(mask_phone(held))
    if people.person_by_phone(unit, phone) is not None:
        return PhoneTaken()
    set_phone(unit, clerk, row.person_id, phone)
    _decide(unit, row, clerk, "approved")
    to_phone(unit, phone, "registration_approved", {})
    return people.person(unit, row.person_id)


def reject(unit: Unit, clerk: str, registration_id: str) -> RegistrationNotFound | None:
    """Let a clerk refuse a registration; its phone is told and gets no account."""
    row = _locked(unit, registration_id)
    if row is None:
        return RegistrationNotFound()
    phone = _phone(unit, row)
    _decide(unit, row, clerk, "rejected")
    to_phone(unit, phone, "registration_rejected", {})
    return None


def _known(unit: Unit, person_id: str, name: str, phone: str) -> Registered | Refusal:
    """Answer about somebody whom the insurance knows already."""
    people.lock_person(unit, person_id)
    known = people.particulars(unit, person_id)
    if people.died_on(unit, person_id) is not None or known.name != name:
        return IdentityNotConfirmed()
    if known.phone:
        return AlreadyRegistered(mask_phone(known.phone))
    if people.person_by_phone(unit, phone) is not None:
        return PhoneTaken()
    index = unit.vault.index(phone, "phone")
    held = unit.db.exec(
        select(Registration).where(
            Registration.person_id == person_id,
            Registration.phone_index == index,
            col(Registration.decided_at).is_(None),
        )
    ).first()
    if held is None:
        registration_id = unit.new_id()
        held = Registration(
            id=registration_id,
            person_id=person_id,
            phone=unit.vault.seal(phone, f"registration:{registration_id}"),
            phone_index=index,
            asked_at=unit.now,
        )
        unit.db.add(held)
        unit.db.flush()
        subject = f"person:{person_id}"
        facts = {"registration": held.id}
        audit.record(unit, "registering", "registration.ask", subject, facts)
    return RegistrationWaiting(held.id, held.asked_at)


def _allowances(unit: Unit, phone: str, number: str) -> list[Allowance]:
    """Return what a try counts against; a number's last tries are kept from any one phone."""
    settings = unit.settings
    by_phone, by_number = unit.vault.index(phone, "phone"), unit.vault.index(number, "id_number")
    per_phone, per_number = (
        settings.registrations_per_phone_per_day,
        settings.registrations_per_number_per_day,
    )
    both = settings.registrations_per_phone_and_number_per_day
    return [
        Allowance(f"register-phone:{by_phone}", per_phone, _DAY),
        Allowance(f"register-pair:{by_phone}:{by_number}", both, _DAY),
        Allowance(f"register-number:{by_number}", per_number, _DAY),
    ]


def _note_failure(unit: Unit, number: str, answer: CivilAnswer) -> None:
    """Write down what the register said of a number that somebody here has; a dead one above all."""
    person_id = people.person_by_id_number(unit, number)
    if person_id is not None:
        facts = {"answer": answer.value}
        subject = f"person:{person_id}"
        audit.record(unit, "registering", "registration.not_confirmed", subject, facts)


def _locked(unit: Unit, registration_id: str) -> Registration | None:
    query = select(Registration).where(
        Registration.id == registration_id, col(Registration.decided_at).is_(None)
    )
    return unit.db.exec(query.with_for_update()).first()


def _phone(unit: Unit, row: Registration) -> str:
    return unit.vault.open(row.phone, f"registration:{row.id}")


def _decide(unit: Unit, row: Registration, clerk: str, decision: str) -> None:
    row.decided_at = unit.now
    row.decision = decision
    unit.db.flush()
    subject, facts = f"person:{row.person_id}", {"registration": row.id}
    audit.record(unit, clerk, f"registration.{decision}", subject, facts)
