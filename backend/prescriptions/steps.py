"""What every use case of a prescription does: lock it, move it, write it down, let a pharmacy's lock go."""

from __future__ import annotations

from sqlmodel import select

from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.kernel.invariants import invariant
from backend.payments import charges
from backend.payments.charge_contracts import ChargeNotOpen
from backend.people import queries as people
from backend.prescriptions.contracts import (
    PRESCRIPTION_STATES,
    PrescriptionEvent,
    PrescriptionState,
)
from backend.prescriptions.model import Prescription, PrescriptionStepRow

_FREE = (PrescriptionState.VALID, PrescriptionState.VOIDED, PrescriptionState.EXPIRED)


def can(row: Prescription, event: PrescriptionEvent) -> bool:
    """Tell whether something can happen to a prescription now."""
    return PRESCRIPTION_STATES.after(PrescriptionState(row.state), event) is not None


def locked_with_person(unit: Unit, prescription_id: str) -> Prescription:
    """Return a prescription, its person and itself locked and read anew."""
    people.lock_person(unit, unit.db.get_one(Prescription, prescription_id).person_id)
    query = select(Prescription).where(Prescription.id == prescription_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def move(unit: Unit, row: Prescription, event: PrescriptionEvent, by: str, words: str = "") -> None:
    """Move a prescription. Where it is free again, no pharmacy has it and no charge is its own."""
    after = PRESCRIPTION_STATES.after(PrescriptionState(row.state), event)
    invariant(after is not None, f"a prescription that is {row.state} cannot {event}")
    row.state = after or row.state
    if row.state in _FREE:
        row.pharmacy_id = row.charge_id = row.locked_until = None
    unit.db.add(
        PrescriptionStepRow(
            prescription_id=row.id,
            at=unit.now,
            actor=by,
            event=event,
            state=row.state,
            words=unit.vault.seal(words, f"prescription:{row.id}"),
        )
    )
    unit.db.flush()
    topic = f"person:{row.person_id}"
    outbox.enqueue(unit, outbox.Channel.LIVE, topic, "PRESCRIPTION_CHANGED", row.id)
    facts = {"prescription": row.id, "state": row.state}
    audit.record(unit, by, f"prescription.{event.lower()}", f"person:{row.person_id}", facts)


def let_go(unit: Unit, row: Prescription, by: str) -> bool:
    """Take a pharmacy's lock off with its charge; ``False`` where that is being paid or paid."""
    if row.charge_id is not None:
        gone = charges.withdraw_for(unit, row.charge_id, by)
        if isinstance(gone, ChargeNotOpen):
            return False
    move(unit, row, PrescriptionEvent.RELEASE, by)
    return True
