"""Writes pay-later agreements. Before each: the person is locked."""

from __future__ import annotations

from sqlmodel import select

from backend.credit import logic, queries
from backend.credit.contracts import (
    PAY_LATER_STATES,
    PayLaterEvent,
    PayLaterNotPossible,
    PayLaterState,
    PayLaterView,
)
from backend.credit.model import PayLater
from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.people.contracts import EnrolmentView
from backend.rulebook.library import Rulebook


def sign(
    unit: Unit, actor: str, enrolment: EnrolmentView, institution_id: str, stay_id: str
) -> PayLaterView:
    """Sign an agreement at admission: no deposit is asked for."""
    row = PayLater(
        id=unit.new_id(),
        person_id=enrolment.person_id,
        enrolment_id=enrolment.id,
        institution_id=institution_id,
        stay_id=stay_id,
        state=PayLaterState.SIGNED,
        signed_on=local_day(unit.now),
        instalments=[],
    )
    unit.db.add(row)
    unit.db.flush()
    audit.record(unit, actor, "pay_later.sign", f"person:{row.person_id}", {"stay": stay_id})
    return queries.view(row)


def discharge(
    unit: Unit,
    actor: str,
    stay_id: str,
    debt: Fen,
    count: int,
    region: str,
    book: Rulebook,
) -> PayLaterView | PayLaterNotPossible:
    """Turn what is owed at discharge into instalments. Nothing owed closes the agreement."""
    row = _of_stay(unit, stay_id)
    event = PayLaterEvent.DISCHARGE if debt > 0 else PayLaterEvent.DISCHARGE_WITHOUT_DEBT
    day = local_day(unit.now)
    try:
        parts = logic.plan(debt, count, day, region, book) if debt > 0 else []
    except ValueError as wrong:
        return PayLaterNotPossible(f"instalments: {wrong}")
    refusal = _move(row, event)
    if refusal is not None:
        return refusal
    row.debt_fen = debt
    row.instalments = queries.INSTALMENTS.dump_python(tuple(parts), mode="json")
    unit.db.flush()
    facts = {"agreement": row.id, "debt_fen": debt, "instalments": len(parts)}
    audit.record(unit, actor, "pay_later.discharge", f"person:{row.person_id}", facts)
    return queries.view(row)


def pay(
    unit: Unit, actor: str, agreement_id: str, amount: Fen, order_id: str | None = None
) -> PayLaterView | PayLaterNotPossible:
    """Take a payment of at most what is open, and end what paying ends.

    ``order_id``: the payment order whose channel collected it, in place of the hospital's window.
    """
    row = _locked(unit, agreement_id)
    open_fen = row.debt_fen - row.paid_fen
    if not 0 < amount <= open_fen:
        return PayLaterNotPossible(f"0 < {amount} <= {open_fen}")
    refusal = _move(row, PayLaterEvent.PAY_ALL if amount == open_fen else PayLaterEvent.PAY)
    if refusal is not None:
        return refusal
    row.paid_fen += amount
    ledger.post(
        unit,
        EntryKind.INSTALMENT,
        row.id,
        "先诊疗后付费还款",
        [
            Posting(_source(row, order_id), Fen(-amount)),
            Posting(accounts.owed(row.institution_id), amount),
        ],
    )
    unit.db.flush()
    facts = {"agreement": row.id, "amount_fen": amount}
    audit.record(unit, actor, "pay_later.pay", f"person:{row.person_id}", facts)
    return queries.view(row)


def tell_overdue(unit: Unit, actor: str, agreement_id: str) -> PayLaterView | PayLaterNotPossible:
    """Tell a patient that an instalment was missed; the days of grace begin today."""
    row = _locked(unit, agreement_id)
    today = local_day(unit.now)
    if logic.overdue(queries.view(row), today) == 0:
        return PayLaterNotPossible("nothing is overdue")
    refusal = _move(row, PayLaterEvent.MISS)
    if refusal is not None:
        return refusal
    row.told_on = today
    unit.db.flush()
    outbox.enqueue(
        unit, outbox.Channel.LIVE, f"person:{row.person_id}", "PAY_LATER_OVERDUE", row.id
    )
    audit.record(unit, actor, "pay_later.tell", f"person:{row.person_id}", {"agreement": row.id})
    return queries.view(row)


def list_default(
    unit: Unit, actor: str, agreement_id: str, region: str, book: Rulebook
) -> PayLaterView | PayLaterNotPossible:
    """Put a debt on the default list, after notice and the days of grace; benefits pause."""
    row = _locked(unit, agreement_id)
    if not logic.may_be_listed(queries.view(row), local_day(unit.now), region, book):
        return PayLaterNotPossible("not told, or the days of grace are not over")
    refusal = _move(row, PayLaterEvent.LIST)
    if refusal is not None:
        return refusal
    unit.db.flush()
    outbox.enqueue(unit, outbox.Channel.LIVE, f"person:{row.person_id}", "PAY_LATER_LISTED", row.id)
    audit.record(unit, actor, "pay_later.list", f"person:{row.person_id}", {"agreement": row.id})
    return queries.view(row)


def extend(
    unit: Unit, actor: str, agreement_id: str, count: int, region: str, book: Rulebook
) -> PayLaterView | PayLaterNotPossible:
    """Agree on new instalments for what is open, instead of the missed ones."""
    row = _locked(unit, agreement_id)
    day = local_day(unit.now)
    try:
        parts = logic.plan(Fen(row.debt_fen - row.paid_fen), count, day, region, book)
    except ValueError as wrong:
        return PayLaterNotPossible(f"instalments: {wrong}")
    refusal = _move(row, PayLaterEvent.EXTEND)
    if refusal is not None:
        return refusal
    row.debt_fen, row.paid_fen = row.debt_fen - row.paid_fen, 0
    row.told_on = None
    row.instalments = queries.INSTALMENTS.dump_python(tuple(parts), mode="json")
    unit.db.flush()
    audit.record(unit, actor, "pay_later.extend", f"person:{row.person_id}", {"agreement": row.id})
    return queries.view(row)


def cancel(unit: Unit, actor: str, agreement_id: str) -> None:
    """Take back an agreement whose stay never came about."""
    row = _locked(unit, agreement_id)
    refusal = _move(row, PayLaterEvent.CANCEL)
    invariant(refusal is None, "an agreement of an open stay is signed and nothing more")
    audit.record(unit, actor, "pay_later.cancel", f"person:{row.person_id}", {"agreement": row.id})


def reopen(unit: Unit, actor: str, agreement_id: str) -> None:
    """Forget what was owed: the discharge was taken back. Before: nothing was paid."""
    row = _locked(unit, agreement_id)
    refusal = _move(row, PayLaterEvent.REVERSE_DISCHARGE)
    invariant(refusal is None and not row.paid_fen, "nothing of the debt was paid")
    row.debt_fen, row.instalments = 0, []
    audit.record(unit, actor, "pay_later.reopen", f"person:{row.person_id}", {"agreement": row.id})


def _source(row: PayLater, order_id: str | None) -> str:
    return accounts.till(row.institution_id) if order_id is None else accounts.order_cash(order_id)


def _of_stay(unit: Unit, stay_id: str) -> PayLater:
    return unit.db.exec(select(PayLater).where(PayLater.stay_id == stay_id).with_for_update()).one()


def _locked(unit: Unit, agreement_id: str) -> PayLater:
    return unit.db.get_one(PayLater, agreement_id, with_for_update=True)


def _move(row: PayLater, event: PayLaterEvent) -> PayLaterNotPossible | None:
    after = PAY_LATER_STATES.after(PayLaterState(row.state), event)
    if after is None:
        return PayLaterNotPossible(f"{row.state} / {event.value}")
    row.state = after
    return None
