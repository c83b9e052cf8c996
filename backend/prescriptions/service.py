"""What hospitals and patients do about prescriptions: signing, voiding, consenting, choosing a pharmacy."""

from __future__ import annotations

from datetime import timedelta

from backend.access.contracts import Action, SignInRequired, TerminalActor
from backend.access.logic import label
from backend.appointments import queries as appointments
from backend.appointments.contracts import AppointmentState
from backend.catalogue import queries as catalogue
from backend.catalogue.contracts import ItemKind
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.institutions import queries as institutions
from backend.institutions.contracts import Ability, Agreement, InstitutionKind, InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.notices.service import tell
from backend.payments import charges
from backend.payments.charge_contracts import ChargeNotOpen
from backend.payments.service import at_till
from backend.people import queries as people
from backend.prescriptions import logic, queries
from backend.prescriptions.contracts import (
    DecidePrescription,
    PrescriptionEvent,
    PrescriptionNotFound,
    PrescriptionNotPossible,
    PrescriptionProblem,
    PrescriptionState,
    PrescriptionUsed,
    PrescriptionView,
    SignPrescription,
    VoidPrescription,
)
from backend.prescriptions.model import Prescription
from backend.prescriptions.steps import can, let_go, locked_with_person, move
from backend.proxies.authority import Right, authorize, note

_HERE_NOW = (AppointmentState.BOOKED, AppointmentState.CHECKED_IN, AppointmentState.SEEN)
_ADDRESS_MAX = 100
_REASON_MAX = 200


def sign(unit: Unit, command: SignPrescription) -> PrescriptionView | Refusal:
    """Take a doctor's signed prescription in; it leaves the hospital when the patient says so."""
    return at_till(unit, "sign_prescription", command, PrescriptionView, _sign)


def void(unit: Unit, command: VoidPrescription) -> PrescriptionView | Refusal:
    """Take a prescription back, unless it is being paid or is paid.

    Selling and voiding meet at the prescription's row and at its charge, so one of them comes first and
    the other sees it: what is voided is never sold, and what is sold is never voided.
    """
    return at_till(unit, "void_prescription", command, PrescriptionView, _void)


def decide(unit: Unit, command: DecidePrescription) -> PrescriptionView | Refusal:
    """Let a prescription leave the hospital or not; later, choose a pharmacy for it."""
    found = unit.db.get(Prescription, command.prescription_id)
    right = authorize(unit, command.actor, Action.FILE, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return PrescriptionNotFound()
    return once(
        unit,
        f"decide_prescription:{label(command.actor)}",
        command.request_id,
        command,
        (PrescriptionView,),
        lambda: _decide(unit, command, right),
    )


def _sign(
    unit: Unit, command: SignPrescription, actor: TerminalActor
) -> PrescriptionView | Refusal:
    place = institutions.institution(unit, actor.institution_id)
    if place.kind is not InstitutionKind.HOSPITAL:
        return PrescriptionNotPossible(PrescriptionProblem.HOSPITAL)
    problem = logic.problem_of(command)
    today = local_day(unit.now)
    if problem is None:
        items = catalogue.items_on(unit, [line.code for line in command.lines], today)
        known = [items.get(line.code) for line in command.lines]
        if not all(item is not None and item.kind is ItemKind.DRUG for item in known):
            problem = PrescriptionProblem.DRUG
    if problem is not None:
        return PrescriptionNotPossible(problem)
    person_id = _patient(unit, command, actor)
    if isinstance(person_id, Refusal):
        return person_id
    prescription_id = unit.new_id()
    row = Prescription(
        id=prescription_id,
        number=f"RX{today:%Y%m%d}{unit.resources.ids.digits(10)}",
        state=PrescriptionState.SIGNED,
        person_id=person_id,
        hospital_id=place.id,
        body=unit.vault.seal(queries.body_of(command), f"prescription:{prescription_id}"),
        disease=command.disease,
        fills=command.fills,
        fill_days=command.fill_days,
        signed_at=unit.now,
        valid_from=today,
        valid_until=unit.now + timedelta(hours=unit.settings.prescription_hours),
    )
    unit.db.add(row)
    unit.db.flush()
    tell(unit, person_id, "prescription_signed", {"where": place.name, "number": row.number})
    facts = {"prescription": row.id}
    audit.record(unit, label(actor), "prescription.sign", f"person:{person_id}", facts)
    return queries.views(unit, [row])[0]


def _patient(
    unit: Unit, command: SignPrescription, actor: TerminalActor
) -> str | GrantNotValid | PrescriptionNotFound:
    """Return whom it is for: who was scanned, or who has an appointment here, as online follow-ups have."""
    if command.token:
        grant = codes.open_grant(unit, command.token, actor.terminal_id)
        return grant if isinstance(grant, GrantNotValid) else grant.person_id
    found = appointments.appointment(unit, command.appointment_id)
    here = found is not None and found.clinic.institution.id == actor.institution_id
    if found is None or not here or found.state not in _HERE_NOW:
        return PrescriptionNotFound()
    person_id = appointments.owner_of(unit, found.id) or ""
    people.lock_person(unit, person_id)
    return person_id


def _void(
    unit: Unit, command: VoidPrescription, actor: TerminalActor
) -> PrescriptionView | PrescriptionNotFound | PrescriptionUsed:
    found = unit.db.get(Prescription, command.prescription_id)
    if found is None or found.hospital_id != actor.institution_id:
        return PrescriptionNotFound()
    row = locked_with_person(unit, found.id)
    by, pharmacy_id = label(actor), row.pharmacy_id
    if row.charge_id is not None and row.state in (
        PrescriptionState.AUDITED,
        PrescriptionState.SETTLED,
    ):
        gone = charges.withdraw_for(unit, row.charge_id, by)
        if isinstance(gone, ChargeNotOpen) and pharmacy_id is not None:
            return PrescriptionUsed(institutions.institution(unit, pharmacy_id).name)
    if not can(row, PrescriptionEvent.VOID):
        return PrescriptionNotFound()
    move(unit, row, PrescriptionEvent.VOID, by, command.reason.strip()[:_REASON_MAX])
    tell(unit, row.person_id, "prescription_voided", {"number": row.number})
    return queries.views(unit, [row])[0]


def _decide(unit: Unit, command: DecidePrescription, right: Right) -> PrescriptionView | Refusal:
    row = locked_with_person(unit, command.prescription_id)
    by = label(command.actor)
    if row.valid_until <= unit.now:
        return PrescriptionNotFound()
    if not command.accept:
        if not can(row, PrescriptionEvent.DECLINE):
            return PrescriptionNotFound()
        move(unit, row, PrescriptionEvent.DECLINE, by)
        note(unit, right, command.actor, Action.FILE)
        return queries.views(unit, [row])[0]
    if row.state not in (PrescriptionState.SIGNED, PrescriptionState.VALID):
        return PrescriptionNotFound()
    chosen = None
    if command.pharmacy_code:
        chosen = institutions.by_code(unit, command.pharmacy_code)
        if chosen is None or not takes_prescriptions(chosen):
            return PrescriptionNotPossible(PrescriptionProblem.PHARMACY)
    if len(command.address) > _ADDRESS_MAX:
        return PrescriptionNotPossible(PrescriptionProblem.ADDRESS)
    row.chosen_id = None if chosen is None else chosen.id
    row.deliver = bool(command.address.strip())
    row.address = (
        unit.vault.seal(command.address.strip(), f"prescription:{row.id}") if row.deliver else ""
    )
    if row.state == PrescriptionState.SIGNED:
        move(unit, row, PrescriptionEvent.CONSENT, by)
    unit.db.flush()
    note(unit, right, command.actor, Action.FILE)
    return queries.views(unit, [row])[0]


def takes_prescriptions(place: InstitutionView) -> bool:
    """Tell whether a pharmacy may dispense what hospitals prescribe."""
    able = Ability.EXTERNAL_PRESCRIPTION in place.abilities
    return able and place.kind is InstitutionKind.PHARMACY and place.agreement is Agreement.OPEN


def expire(unit: Unit, prescription_id: str) -> bool:
    """Let a prescription run out, or a pharmacy's lock that nothing came of; return whether it did.

    What is being paid at this moment is left alone: it was in time.
    """
    row = locked_with_person(unit, prescription_id)
    if row.state in (PrescriptionState.LOCKED, PrescriptionState.AUDITED):
        if row.locked_until is None or row.locked_until > unit.now:
            return False
        if not let_go(unit, row, "system"):
            return False
    if row.valid_until <= unit.now and can(row, PrescriptionEvent.EXPIRE):
        move(unit, row, PrescriptionEvent.EXPIRE, "system")
        tell(unit, row.person_id, "prescription_expired", {"number": row.number})
    return True
