"""Confirming and refusing a bill on the phone, by the patient or a relative who may pay for them."""

from __future__ import annotations

from backend.access.assurance import Demand
from backend.access.contracts import Action, PersonActor, SignInRequired
from backend.access.logic import label
from backend.identity import safety
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.kernel.errors import Refusal
from backend.payments import queries
from backend.payments.bills import announce, locked_bill, move
from backend.payments.contracts import (
    BILL_STATES,
    BillEvent,
    BillExpired,
    BillNotFound,
    BillNotOpen,
    BillState,
    BillView,
    CoolingDown,
    DecideBill,
)
from backend.payments.guards import wait_seconds
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note, spending_refusal
from backend.settlement.queries import outcome_of


def decide_bill(unit: Unit, command: DecideBill) -> BillView | Refusal:
    """Confirm or refuse a bill on the phone, one's own or a relative's. Twice the same is no error."""
    owner = queries.owner_of_bill(unit, command.bill_id)
    right = authorize(unit, command.actor, Action.DECIDE_BILL, owner[0] if owner else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or owner is None:
        return BillNotFound()
    return once(
        unit,
        f"decide_bill:{label(command.actor)}",
        command.request_id,
        command,
        (BillView,),
        lambda: decide(unit, command, owner[0], right),
    )


def decide(unit: Unit, command: DecideBill, person_id: str, right: Right) -> BillView | Refusal:
    """Confirm or refuse a bill, within the transaction of a use case that has found the right to do so."""
    people.lock_person(unit, person_id)
    bill = locked_bill(unit, command.bill_id)
    event = BillEvent.CONFIRM if command.accept else BillEvent.REFUSE
    wanted = BillState.CONFIRMED if command.accept else BillState.REFUSED
    if bill.state == wanted:
        return queries.view(unit, bill)
    if BILL_STATES.after(BillState(bill.state), event) is None:
        return BillNotOpen(bill.state)
    if bill.expires_at <= unit.now:
        return BillExpired(bill.expires_at)
    if command.accept and isinstance(command.actor, PersonActor):
        outcome = outcome_of(bill.outcome)
        wait = wait_seconds(unit, bill)
        if wait is not None:
            return CoolingDown(wait)
        missing = (
            safety.frozen_refusal(unit, person_id)
            or safety.demand(unit, command.actor, Demand.MONEY, outcome.total_fen)
            or spending_refusal(unit, command.actor.person_id, person_id, outcome.account_fen)
        )
        if missing is not None:
            return missing
        if right.binding is not None:
            bill.shown_by_id = right.binding.delegate_id
    note(unit, right, command.actor, Action.DECIDE_BILL)
    move(bill, event)
    bill.confirmed_at = unit.now if command.accept else None
    unit.db.flush()
    announce(unit, bill, f"BILL_{wanted}")
    view = queries.view(unit, bill)
    audit.record(
        unit,
        label(command.actor),
        f"bill.{event.lower()}",
        f"person:{person_id}",
        {"bill": bill.id},
    )
    return view
