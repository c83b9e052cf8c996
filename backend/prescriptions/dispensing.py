"""What pharmacies do about prescriptions: offers, locking, the pharmacist's look, charging, handing over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select
from sqlmodel import col, or_, select

from backend.access.contracts import TerminalActor
from backend.access.logic import label
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid, Purpose
from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.queue import Due, Ending, advance, never
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.notices.service import tell
from backend.payments import booking, charges, logic
from backend.payments.charge_contracts import PutCharge
from backend.payments.contracts import BasketLine, BillState
from backend.payments.model import Bill, Charge
from backend.payments.service import at_till
from backend.prescriptions import queries
from backend.prescriptions.contracts import (
    AuditPrescription,
    FillPrescription,
    HandOverDrugs,
    OffersPublished,
    PrescriptionEvent,
    PrescriptionNotFound,
    PrescriptionNotPossible,
    PrescriptionProblem,
    PrescriptionState,
    PrescriptionView,
    PublishOffers,
    TakePrescription,
)
from backend.prescriptions.logic import fits, next_fill
from backend.prescriptions.model import PharmacyOfferRow, Prescription
from backend.prescriptions.service import expire, takes_prescriptions
from backend.prescriptions.steps import can, let_go, locked_with_person, move

_OFFERS_MAX = 2000
_HELD = (PrescriptionState.LOCKED, PrescriptionState.AUDITED)


def publish_offers(unit: Unit, command: PublishOffers) -> OffersPublished | Refusal:
    """Say what a pharmacy has and for how much; each drug's former offer is replaced."""
    return at_till(unit, "publish_offers", command, OffersPublished, _publish)


def take(unit: Unit, command: TakePrescription) -> PrescriptionView | Refusal:
    """Lock a prescription for this pharmacy alone, or let it go again."""
    return at_till(unit, "take_prescription", command, PrescriptionView, _take)


def audit_one(unit: Unit, command: AuditPrescription) -> PrescriptionView | Refusal:
    """Let the pharmacy's licensed pharmacist pass or refuse a prescription."""
    return at_till(unit, "audit_prescription", command, PrescriptionView, _audit)


def fill(unit: Unit, command: FillPrescription) -> PrescriptionView | Refusal:
    """Charge the patient for what is dispensed: what was prescribed, no more and nothing else."""
    return at_till(unit, "fill_prescription", command, PrescriptionView, _fill)


def hand_over(unit: Unit, command: HandOverDrugs) -> PrescriptionView | Refusal:
    """Note that the patient has the drugs; of a long prescription the next fill is to come."""
    return at_till(unit, "hand_over_drugs", command, PrescriptionView, _hand_over)


def advance_prescriptions(database: Database, ending: Ending = never) -> int:
    """Follow bills that were paid or taken back, and expire what is over; return how many changed."""
    return advance(database, *_KINDS, ending=ending)


def follow(unit: Unit, prescription_id: str) -> bool:
    """Bring a prescription to where its charge's bill is: settled, or taken back."""
    row = locked_with_person(unit, prescription_id)
    paid = row.charge_id is not None and charges.settlement_of(unit, row.charge_id) is not None
    if paid and row.state == PrescriptionState.AUDITED:
        move(unit, row, PrescriptionEvent.SETTLE, "system")
        return True
    if not paid and row.state == PrescriptionState.SETTLED:
        move(unit, row, PrescriptionEvent.TAKE_BACK, "system")
        return True
    return False


def _publish(unit: Unit, command: PublishOffers, actor: TerminalActor) -> OffersPublished | Refusal:
    place = institutions.institution(unit, actor.institution_id)
    if not takes_prescriptions(place):
        return PrescriptionNotPossible(PrescriptionProblem.PHARMACY)
    fine = all(one.unit_price > 0 and one.code for one in command.offers)
    if not 1 <= len(command.offers) <= _OFFERS_MAX or not fine:
        return PrescriptionNotPossible(PrescriptionProblem.LINES)
    for one in command.offers:
        unit.db.merge(
            PharmacyOfferRow(
                institution_id=place.id,
                code=one.code,
                unit_price=one.unit_price,
                in_stock=one.in_stock,
                updated_at=unit.now,
            )
        )
    unit.db.flush()
    facts = {"offers": len(command.offers)}
    audit.record(unit, label(actor), "offers.publish", f"institution:{place.id}", facts)
    return OffersPublished(queries.offer_count(unit, place.id))


def _take(
    unit: Unit, command: TakePrescription, actor: TerminalActor
) -> PrescriptionView | Refusal:
    place = institutions.institution(unit, actor.institution_id)
    if not takes_prescriptions(place):
        return PrescriptionNotPossible(PrescriptionProblem.PHARMACY)
    scanned = ""
    if command.token:
        grant = codes.open_grant(unit, command.token, actor.terminal_id)
        if isinstance(grant, GrantNotValid):
            return grant
        scanned = grant.person_id
    found = unit.db.get(Prescription, command.prescription_id)
    if found is None or not (
        found.person_id == scanned or place.id in (found.chosen_id, found.pharmacy_id)
    ):
        return PrescriptionNotFound()
    row = locked_with_person(unit, found.id)
    by = label(actor)
    if command.release:
        mine = row.pharmacy_id == place.id and row.state in _HELD
        if not mine or not let_go(unit, row, by):
            return PrescriptionNotFound()
        return queries.views(unit, [row])[0]
    if row.valid_until <= unit.now or not can(row, PrescriptionEvent.LOCK):
        return PrescriptionNotFound()
    if row.valid_from > local_day(unit.now):
        return PrescriptionNotPossible(PrescriptionProblem.TOO_EARLY)
    row.pharmacy_id = place.id
    row.locked_until = unit.now + timedelta(seconds=unit.settings.prescription_lock_seconds)
    move(unit, row, PrescriptionEvent.LOCK, by)
    return queries.views(unit, [row])[0]


def _audit(
    unit: Unit, command: AuditPrescription, actor: TerminalActor
) -> PrescriptionView | Refusal:
    row = _held(unit, command.prescription_id, actor)
    event = PrescriptionEvent.CLEAR if command.passes else PrescriptionEvent.OBJECT
    if row is None or not can(row, event):
        return PrescriptionNotFound()
    named = (command.pharmacist_code, command.pharmacist)
    said = (*named, *(() if command.passes else (command.opinion,)))
    if not all(one.strip() and len(one) <= 200 for one in said):
        return PrescriptionNotPossible(PrescriptionProblem.PHARMACIST)
    words = f"{command.pharmacist.strip()} {command.opinion.strip()}".strip()
    move(unit, row, event, f"{label(actor)}/{command.pharmacist_code.strip()}", words)
    if not command.passes:
        tell(unit, row.person_id, "prescription_refused", {"number": row.number})
    return queries.views(unit, [row])[0]


def _fill(
    unit: Unit, command: FillPrescription, actor: TerminalActor
) -> PrescriptionView | Refusal:
    row = _held(unit, command.prescription_id, actor)
    if row is None or row.state != PrescriptionState.AUDITED:
        return PrescriptionNotFound()
    if not fits(queries.prescribed(unit, row), command.lines):
        return PrescriptionNotPossible(PrescriptionProblem.DIFFERS)
    lines = tuple(
        BasketLine(one.code, one.quantity, one.unit_price, one.trace_codes) for one in command.lines
    )
    settings, place = unit.settings, institutions.institution(unit, actor.institution_id)
    refusal = logic.numbers_refusal(
        lines,
        settings.lines_per_bill_max,
        settings.quantity_per_line_max,
        settings.unit_price_max_yuan,
    ) or booking.place_refusal(unit, place, Purpose.PHARMACY_PURCHASE)
    if refusal is not None:
        return refusal
    if row.charge_id is not None:
        gone = charges.withdraw_for(unit, row.charge_id, label(actor))
        if isinstance(gone, Refusal):
            return PrescriptionNotFound()
    put = PutCharge(actor, Purpose.PHARMACY_PURCHASE, lines, "", disease=row.disease)
    until = row.locked_until or unit.now
    row.charge_id = charges.put_for(unit, put, actor, row.person_id, until).id
    unit.db.flush()
    tell(unit, row.person_id, "prescription_ready", {"where": place.name, "number": row.number})
    return queries.views(unit, [row])[0]


def _hand_over(
    unit: Unit, command: HandOverDrugs, actor: TerminalActor
) -> PrescriptionView | Refusal:
    if _held(unit, command.prescription_id, actor) is None:
        return PrescriptionNotFound()
    follow(unit, command.prescription_id)
    row = locked_with_person(unit, command.prescription_id)
    event = PrescriptionEvent.DELIVER if command.delivered else PrescriptionEvent.PICK_UP
    if not can(row, event) or (command.delivered and not row.deliver):
        return PrescriptionNotFound()
    row.courier = command.courier.strip()[:40]
    row.fills_done += 1
    if row.fills_done < row.fills:
        hours = unit.settings.prescription_hours
        row.valid_from, row.valid_until = next_fill(unit.now, row.fill_days, hours)
        event = PrescriptionEvent.NEXT_FILL
    move(unit, row, event, label(actor), row.courier)
    return queries.views(unit, [row])[0]


def _held(unit: Unit, prescription_id: str, actor: TerminalActor) -> Prescription | None:
    """Return a prescription, locked, that this pharmacy has."""
    found = unit.db.get(Prescription, prescription_id)
    if found is None or found.pharmacy_id != actor.institution_id:
        return None
    row = locked_with_person(unit, found.id)
    return row if row.pharmacy_id == actor.institution_id else None


def _to_follow(_unit: Unit) -> Select[Any]:
    """Return prescriptions whose bill went another way than they: settled, or taken back."""
    return (
        select(Prescription.id)
        .join(Charge, col(Charge.id) == Prescription.charge_id)
        .join(Bill, col(Bill.id) == Charge.bill_id)
        .where(
            or_(
                (col(Prescription.state) == PrescriptionState.AUDITED)
                & (col(Bill.state) == BillState.SETTLED),
                (col(Prescription.state) == PrescriptionState.SETTLED)
                & (col(Bill.state) == BillState.REVERSED),
            )
        )
    )


def _over(unit: Unit) -> Select[Any]:
    free = (PrescriptionState.SIGNED, PrescriptionState.VALID)
    return select(Prescription.id).where(
        or_(
            col(Prescription.state).in_(free) & (col(Prescription.valid_until) <= unit.now),
            col(Prescription.state).in_(_HELD) & (col(Prescription.locked_until) <= unit.now),
        )
    )


_KINDS = (
    Due(name="prescription.follow", items=_to_follow, act=follow),
    Due(name="prescription.expire", items=_over, act=expire),
)
