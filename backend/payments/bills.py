"""What every use case of a bill does to its row: lock it, move it, announce it."""

from __future__ import annotations

from sqlmodel import select

from backend.infra import outbox
from backend.infra.database import Unit
from backend.kernel.invariants import invariant
from backend.payments.contracts import BILL_STATES, BillEvent, BillState
from backend.payments.model import Bill


def locked_bill(unit: Unit, bill_id: str) -> Bill:
    """Return a bill, locked and read anew. Before: its person is locked."""
    query = select(Bill).where(Bill.id == bill_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def move(bill: Bill, event: BillEvent) -> None:
    """Move a bill to the state that an event leads to."""
    after = BILL_STATES.after(BillState(bill.state), event)
    invariant(after is not None, f"a bill that is {bill.state} cannot {event}")
    bill.state = after or bill.state


def announce(unit: Unit, bill: Bill, kind: str) -> None:
    """Tell the patient's phone, the relative's who shows the code, and the till, after commit."""
    shown = [f"person:{bill.shown_by_id}"] if bill.shown_by_id is not None else []
    for topic in (f"person:{bill.person_id}", f"terminal:{bill.terminal_id}", *shown):
        outbox.enqueue(unit, outbox.Channel.LIVE, topic, kind, bill.id)
