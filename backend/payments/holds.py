"""What becomes of bills that waited for an inspector."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.notices.service import tell
from backend.payments.bills import announce, locked_bill, move
from backend.payments.contracts import BILL_STATES, BillEvent, BillState
from backend.payments.model import Bill
from backend.people import queries as people


def let_go(unit: Unit, alert_id: str) -> int:
    """Let the bills of an alert be paid after all, each with a new time to do so; return how many."""
    life = timedelta(seconds=unit.settings.elder_bill_seconds)
    waiting = _waiting(unit, alert_id)
    for bill in waiting:
        bill.expires_at = max(bill.expires_at, unit.now + life)
        _tell(unit, bill, "payment_released", "BILL_RELEASED")
    return len(waiting)


def refuse(unit: Unit, alert_id: str) -> int:
    """Refuse the bills of an alert that was a violation; return how many. No money has moved."""
    waiting = _waiting(unit, alert_id)
    for bill in waiting:
        move(bill, BillEvent.REFUSE)
        _tell(unit, bill, "payment_refused", "BILL_REFUSED")
    return len(waiting)


def _waiting(unit: Unit, alert_id: str) -> list[Bill]:
    """Return the bills that wait for an alert, their people and themselves locked, in order."""
    query = select(Bill.id, Bill.person_id).where(Bill.alert_id == alert_id)
    query = query.where(Bill.expires_at > unit.now)
    found = unit.db.exec(query.order_by(col(Bill.person_id), col(Bill.id))).all()
    for person_id in sorted({person_id for _, person_id in found}):
        people.lock_person(unit, person_id)
    rows = [locked_bill(unit, bill_id) for bill_id, _ in found]
    return [
        row for row in rows if BILL_STATES.after(BillState(row.state), BillEvent.REFUSE) is not None
    ]


def _tell(unit: Unit, bill: Bill, template: str, kind: str) -> None:
    unit.db.flush()
    where = institutions.institution(unit, bill.institution_id).name
    tell(unit, bill.person_id, template, {"where": where})
    announce(unit, bill, kind)
