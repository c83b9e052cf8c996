"""Use cases of changing the phone that signs somebody in (个人权益手机号修改).

The new phone shows its code; that it is the person is shown by the old phone's code, a passkey, the face
or a clerk. Who has lost the old phone and has set up nothing else comes to a counter, where it takes two.
"""

from __future__ import annotations

from backend.access.assurance import Demand
from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.identity import challenges, safety
from backend.identity.challenges import NEW_PHONE, in_session, send_code, show_code
from backend.identity.contracts import (
    ChangePhone,
    CodeWrong,
    PhoneChanged,
    PhoneInvalid,
    RequestNewPhoneCode,
    SignInCodeSent,
    TooManyCodes,
)
from backend.identity.registration_contracts import PhoneTaken
from backend.identity.service import is_phone
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.kernel.masking import mask_phone
from backend.notices.service import tell, to_phone
from backend.people import queries as people
from backend.people.service import set_phone


def request_code(
    unit: Unit, command: RequestNewPhoneCode
) -> SignInCodeSent | SignInRequired | PhoneInvalid | TooManyCodes:
    """Send a code to the new phone. A phone with an account of its own reads so, and gets no code."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    if not is_phone(command.phone):
        return PhoneInvalid()
    asker = in_session(unit, actor, command.address)
    owner = people.person_by_phone(unit, command.phone)
    if owner not in (None, actor.person_id):
        sent = send_code(unit, command.phone, asker, None, NEW_PHONE)
        if isinstance(sent, SignInCodeSent):
            to_phone(unit, command.phone, "registered_already", {})
        return sent
    return send_code(unit, command.phone, asker, actor.person_id, NEW_PHONE)


def change(unit: Unit, command: ChangePhone) -> PhoneChanged | Refusal:
    """Change the phone: every other device is signed out, and both phones are told.

    A request that is repeated after it has worked is answered as it was.
    """
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    if not is_phone(command.phone):
        return PhoneInvalid()
    people.lock_person(unit, actor.person_id)
    if people.particulars(unit, actor.person_id).phone == command.phone:
        return PhoneChanged(mask_phone(command.phone), 0)
    missing = safety.demand(unit, actor, Demand.NEW_PHONE)
    if missing is not None:
        return missing
    shown = show_code(unit, command.phone, command.code, NEW_PHONE, in_session(unit, actor))
    if isinstance(shown, Refusal):
        return shown
    if shown != actor.person_id:
        return CodeWrong(0)
    if people.person_by_phone(unit, command.phone) is not None:
        return PhoneTaken()
    _move(unit, label(actor), actor.person_id, command.phone)
    return PhoneChanged(
        mask_phone(command.phone), safety.end_others(unit, actor, "the phone was changed")
    )


def change_at_desk(unit: Unit, by: str, person_id: str, phone: str) -> PhoneChanged | Refusal:
    """Change the phone of somebody who stands at a counter; every device is signed out."""
    if not is_phone(phone):
        return PhoneInvalid()
    people.lock_person(unit, person_id)
    if people.person_by_phone(unit, phone) is not None:
        return PhoneTaken()
    _move(unit, by, person_id, phone)
    ended = safety.end_all(unit, person_id, "the phone was changed at a counter")
    return PhoneChanged(mask_phone(phone), ended)


def _move(unit: Unit, by: str, person_id: str, phone: str) -> None:
    old = people.particulars(unit, person_id).phone
    set_phone(unit, by, person_id, phone)
    if old:
        challenges.void(unit, old)
    audit.record(unit, by, "phone.change", f"person:{person_id}", {})
    if old:  # whoever still holds it should know, above all if it was not the person
        to_phone(unit, old, "phone_moved_away", {"new_phone": mask_phone(phone)})
    tell(unit, person_id, "phone_changed")
