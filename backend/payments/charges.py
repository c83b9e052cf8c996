"""待缴费单: what an institution wants to be paid for, taken and priced by the phone that scans or finds it.

A till shows it as a QR code to whoever stands there, or puts it to a patient whose code it has scanned. It
moves no money: taking it makes a bill, as if the till had scanned the patient.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlmodel import col, select

from backend.access.contracts import Action, TerminalActor
from backend.access.logic import label
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid, Purpose
from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.infra.journal import read_content
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen, line_amount
from backend.payments import booking, logic, service
from backend.payments.bills import locked_bill, move
from backend.payments.charge_contracts import (
    CHARGE_STATES,
    ChargeEvent,
    ChargeNotFound,
    ChargeNotOpen,
    ChargeState,
    ChargeView,
    PutCharge,
    TakeCharge,
    TakeChargeAtTill,
    WithdrawCharge,
)
from backend.payments.contracts import (
    BILL_STATES,
    BasketLine,
    BillEvent,
    BillState,
    BillView,
    Presettle,
)
from backend.payments.model import Bill, Charge
from backend.payments.visits import Presented, enrolment_on
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note

_LINES = TypeAdapter(tuple[BasketLine, ...])
_PREFIX = "YBJF1."
_SECRET_BYTES = 15
_BEING_PAID = (BillState.LOCKED, BillState.SETTLED, BillState.REVERSED)


def put_charge(unit: Unit, command: PutCharge) -> ChargeView | Refusal:
    """Make a charge that a phone can take; for a patient where a scan's token says who it is."""
    return service.at_till(unit, "put_charge", command, ChargeView, _put)


def withdraw_charge(unit: Unit, command: WithdrawCharge) -> ChargeView | Refusal:
    """Take a charge away; a bill that came of it and is not being paid goes with it."""
    return service.at_till(unit, "withdraw_charge", command, ChargeView, _withdraw)


def take_charge(unit: Unit, command: TakeCharge) -> BillView | Refusal:
    """Take a charge for oneself or a relative and return the bill that it comes to."""
    right = authorize(unit, command.actor, Action.DECIDE_BILL, command.person_id)
    if isinstance(right, Refusal):
        return right
    return once(
        unit,
        f"take_charge:{label(command.actor)}",
        command.request_id,
        command,
        (BillView,),
        lambda: _take(unit, command, right),
    )


def take_at_till(unit: Unit, command: TakeChargeAtTill) -> BillView | Refusal:
    """Take a charge for whoever's code the till that put it has scanned; it settles the bill itself."""
    return service.at_till(unit, "take_charge_at_till", command, BillView, _take_at_till)


def open_charges(unit: Unit, person_id: str, limit: int) -> list[ChargeView]:
    """Return what institutions have put to a person and nobody has paid, the newest first."""
    rows = unit.db.exec(
        select(Charge)
        .where(Charge.person_id == person_id, Charge.expires_at > unit.now)
        .where(col(Charge.state).in_((ChargeState.OPEN, ChargeState.TAKEN)))
        .order_by(col(Charge.id).desc())
        .limit(limit)
    ).all()
    return [one for one in (view(unit, row) for row in rows) if not one.paid]


def charge_of(unit: Unit, institution_id: str, charge_id: str) -> ChargeView | None:
    """Return a charge of an institution, ``None`` where it has no such one."""
    row = unit.db.get(Charge, charge_id)
    return view(unit, row) if row is not None and row.institution_id == institution_id else None


def view(unit: Unit, row: Charge, text: str = "") -> ChargeView:
    """Return the view of a row. ``text``: what its QR code says, known only when it is made."""
    bill = None if row.bill_id is None else unit.db.get_one(Bill, row.bill_id)
    lines = _lines(unit, row)
    return ChargeView(
        id=row.id,
        state=ChargeState(row.state),
        purpose=Purpose(row.purpose),
        institution=institutions.institution(unit, row.institution_id),
        total_fen=Fen(sum(line_amount(one.unit_price, one.quantity) for one in lines)),
        line_count=len(lines),
        created_at=row.created_at,
        expires_at=row.expires_at,
        bill_id=row.bill_id,
        paid=bill is not None and bill.state in (BillState.SETTLED, BillState.REVERSED),
        text=text,
    )


def _put(unit: Unit, command: PutCharge, actor: TerminalActor) -> ChargeView | Refusal:
    institution = institutions.institution(unit, actor.institution_id)
    settings = unit.settings
    refusal = logic.numbers_refusal(
        command.lines,
        settings.lines_per_bill_max,
        settings.quantity_per_line_max,
        settings.unit_price_max_yuan,
    ) or booking.place_refusal(unit, institution, command.purpose)
    if refusal is not None:
        return refusal
    person_id = None
    if command.token:
        grant = codes.open_grant(unit, command.token, actor.terminal_id)
        if isinstance(grant, GrantNotValid):
            return grant
        person_id = grant.person_id
    seconds = settings.charge_seconds if person_id is None else settings.charge_known_seconds
    return put_for(unit, command, actor, person_id, unit.now + timedelta(seconds=seconds))


def put_for(
    unit: Unit, command: PutCharge, actor: TerminalActor, person_id: str | None, until: datetime
) -> ChargeView:
    """Make a charge that can be taken until an instant, by one person or whoever scans it.

    Before: its numbers make sense and its place can be paid for.
    """
    secret = base64.b32encode(unit.resources.ids.secret(_SECRET_BYTES)).decode()
    text = f"{_PREFIX}{secret}"
    charge_id = unit.new_id()
    row = Charge(
        id=charge_id,
        digest=unit.vault.index(text, "charge"),
        state=ChargeState.OPEN,
        purpose=command.purpose,
        institution_id=actor.institution_id,
        terminal_id=actor.terminal_id,
        operator_id=actor.operator_id,
        person_id=person_id,
        lines=unit.vault.seal(_LINES.dump_json(command.lines).decode(), f"charge:{charge_id}"),
        disease=command.disease,
        emergency=command.emergency,
        created_at=unit.now,
        expires_at=until,
    )
    unit.db.add(row)
    unit.db.flush()
    if person_id is not None:
        outbox.enqueue(unit, outbox.Channel.LIVE, f"person:{person_id}", "CHARGE_PUT", row.id)
    subject = f"institution:{actor.institution_id}"
    audit.record(unit, label(actor), "charge.put", subject, {"charge": row.id})
    return view(unit, row, text)


def _withdraw(unit: Unit, command: WithdrawCharge, actor: TerminalActor) -> ChargeView | Refusal:
    found = unit.db.get(Charge, command.charge_id)
    if found is None or found.institution_id != actor.institution_id:
        return ChargeNotFound()
    if found.person_id is not None:
        people.lock_person(unit, found.person_id)
    if found.state == ChargeState.WITHDRAWN:
        return ChargeNotOpen(found.state)
    return withdraw_for(unit, found.id, label(actor))


def withdraw_for(unit: Unit, charge_id: str, by: str) -> ChargeView | ChargeNotOpen:
    """Take a charge away with its bill, unless that is being paid or paid; one that is gone stays so.

    Before: whoever it was put to, or took it, is locked.
    """
    row = _locked(unit, charge_id)
    if row.state == ChargeState.WITHDRAWN:
        return view(unit, row)
    bill = None if row.bill_id is None else locked_bill(unit, row.bill_id)
    if bill is not None and bill.state in _BEING_PAID:
        return ChargeNotOpen(row.state)
    if CHARGE_STATES.after(ChargeState(row.state), ChargeEvent.WITHDRAW) is None:
        return ChargeNotOpen(row.state)
    if bill is not None and BILL_STATES.after(BillState(bill.state), BillEvent.SUPERSEDE):
        move(bill, BillEvent.SUPERSEDE)
    _move(row, ChargeEvent.WITHDRAW)
    unit.db.flush()
    subject = f"institution:{row.institution_id}"
    audit.record(unit, by, "charge.withdraw", subject, {"charge": row.id})
    return view(unit, row)


def settlement_of(unit: Unit, charge_id: str) -> str | None:
    """Return the settlement that a charge was paid by and that nobody has taken back."""
    query = select(Bill.settlement_id).join(Charge, col(Charge.bill_id) == Bill.id)
    return unit.db.exec(
        query.where(Charge.id == charge_id, Bill.state == BillState.SETTLED)
    ).first()


def _take_at_till(
    unit: Unit, command: TakeChargeAtTill, actor: TerminalActor
) -> BillView | Refusal:
    grant = codes.open_grant(unit, command.token, actor.terminal_id)
    if isinstance(grant, GrantNotValid):
        return grant
    query = select(Charge).where(Charge.id == command.charge_id).with_for_update()
    row = unit.db.exec(query.execution_options(populate_existing=True)).first()
    if row is None or row.terminal_id != actor.terminal_id or grant.purpose != row.purpose:
        return ChargeNotFound()
    refusal = _not_to_take(unit, row, grant.person_id)
    if refusal is not None:
        return refusal
    presettle = Presettle(
        actor,
        command.token,
        _lines(unit, row),
        command.use_account,
        None,
        command.request_id,
        disease=row.disease,
        emergency=row.emergency,
    )
    made = service.present_scanned(unit, presettle, actor)
    if isinstance(made, Refusal):
        return made
    if row.bill_id is not None:
        older = locked_bill(unit, row.bill_id)
        if BILL_STATES.after(BillState(older.state), BillEvent.SUPERSEDE) is not None:
            move(older, BillEvent.SUPERSEDE)
    _move(row, ChargeEvent.TAKE)
    row.person_id, row.grant_id, row.bill_id = grant.person_id, grant.id, made.id
    unit.db.flush()
    facts = {"charge": row.id, "bill": made.id}
    audit.record(unit, label(actor), "charge.take", f"person:{row.person_id}", facts)
    return made


def _take(unit: Unit, command: TakeCharge, right: Right) -> BillView | Refusal:
    people.lock_person(unit, command.person_id)
    row = _meant(unit, command)
    refusal = _not_to_take(unit, row, command.person_id)
    if refusal is not None or row is None:
        return refusal or ChargeNotFound()
    purpose = Purpose(row.purpose)
    shown_by = right.delegate_id
    grant_id = row.grant_id or _granted(unit, command.person_id, row, shown_by)
    today = local_day(unit.now)
    whose = Presented(
        command.person_id,
        grant_id,
        purpose,
        enrolment_on(unit, command.person_id, command.enrolment_id, today),
        today,
        None,
        shown_by,
    )
    till = TerminalActor(row.terminal_id, row.institution_id, "", row.operator_id)
    presettle = Presettle(
        till,
        "",
        _lines(unit, row),
        command.use_account,
        command.enrolment_id,
        command.request_id,
        disease=row.disease,
        emergency=row.emergency,
    )
    made = service.present(unit, presettle, whose, till)
    if isinstance(made, Refusal):
        return made
    _move(row, ChargeEvent.TAKE)
    row.person_id, row.grant_id, row.bill_id = command.person_id, grant_id, made.id
    unit.db.flush()
    note(unit, right, command.actor, Action.DECIDE_BILL)
    facts = {"charge": row.id, "bill": made.id}
    audit.record(unit, label(command.actor), "charge.take", f"person:{row.person_id}", facts)
    return made


def _not_to_take(
    unit: Unit, row: Charge | None, person_id: str
) -> ChargeNotFound | ChargeNotOpen | None:
    if row is None or row.person_id not in (None, person_id) or row.expires_at <= unit.now:
        return ChargeNotFound()
    bill = None if row.bill_id is None else locked_bill(unit, row.bill_id)
    busy = bill is not None and bill.state in _BEING_PAID
    if busy or CHARGE_STATES.after(ChargeState(row.state), ChargeEvent.TAKE) is None:
        return ChargeNotOpen(row.state)
    return None


def _granted(unit: Unit, person_id: str, row: Charge, shown_by_id: str | None) -> str:
    return codes.grant_to(
        unit, person_id, Purpose(row.purpose), row.terminal_id, row.institution_id, shown_by_id
    ).id


def _meant(unit: Unit, command: TakeCharge) -> Charge | None:
    """Return the charge that a QR code or an id names, locked; by its id only whom it was put to."""
    if command.text:
        digest = unit.vault.index(command.text.strip(), "charge")
        query = select(Charge).where(Charge.digest == digest)
    else:
        query = select(Charge).where(
            Charge.id == command.charge_id, Charge.person_id == command.person_id
        )
    return unit.db.exec(query.with_for_update()).first()


def _locked(unit: Unit, charge_id: str) -> Charge:
    query = select(Charge).where(Charge.id == charge_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def _move(row: Charge, event: ChargeEvent) -> None:
    after = CHARGE_STATES.after(ChargeState(row.state), event)
    invariant(after is not None, f"a charge that is {row.state} cannot {event}")
    row.state = after or row.state


def _lines(unit: Unit, row: Charge) -> tuple[BasketLine, ...]:
    return read_content(_LINES, unit.vault.open(row.lines, f"charge:{row.id}"))
