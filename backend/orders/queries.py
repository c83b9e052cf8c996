"""Reads of payment orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import func
from sqlmodel import col, select

from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import SHANGHAI, local_day
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.ledger.model import LedgerPosting
from backend.orders.contracts import (
    FINAL,
    STANDS,
    WAITS_FOR_CASH,
    CashOrder,
    ChannelName,
    OrderEvent,
    OrderState,
    OrderStep,
    OrderView,
    Why,
)
from backend.orders.logic import Standing
from backend.orders.model import CashAgreement, CashReturn, OrderStepRow, PaymentOrder
from backend.payments.contracts import BillState
from backend.payments.model import Bill
from backend.people import queries as people
from backend.settlement import queries as settlements


def of_settlement(unit: Unit, settlement_id: str) -> OrderView | None:
    """Return the order whose channel collected the cash of a settlement; ``None``: the till did."""
    order_id = settlements.order_of(unit, settlement_id)
    return None if order_id is None else order(unit, order_id)


def order(unit: Unit, order_id: str) -> OrderView | None:
    """Return an order, or ``None``."""
    row = unit.db.get(PaymentOrder, order_id)
    return None if row is None else views(unit, [row])[0]


def owner_of(unit: Unit, order_id: str) -> tuple[str, str] | None:
    """Return the person and the institution of an order, to decide who may see it."""
    row = unit.db.get(PaymentOrder, order_id)
    return None if row is None else (row.person_id, row.institution_id)


def by_number(unit: Unit, number: str) -> str | None:
    """Return the id of the order that a channel knows by a number."""
    return unit.db.exec(select(PaymentOrder.id).where(PaymentOrder.number == number)).first()


def of_person(unit: Unit, person_id: str, before: str | None, limit: int) -> list[OrderView]:
    """Return a person's orders, the newest first, below an id."""
    query = select(PaymentOrder).where(PaymentOrder.person_id == person_id)
    if before is not None:
        query = query.where(col(PaymentOrder.id) < before)
    return views(unit, unit.db.exec(query.order_by(col(PaymentOrder.id).desc()).limit(limit)).all())


def untold(unit: Unit, terminal_id: str, limit: int) -> list[OrderView]:
    """Return orders of a terminal that are settled and of which it has not taken note yet."""
    rows = unit.db.exec(
        select(PaymentOrder)
        .where(PaymentOrder.terminal_id == terminal_id, PaymentOrder.state == OrderState.SETTLED)
        .order_by(col(PaymentOrder.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def failed_returns(unit: Unit, limit: int) -> list[OrderView]:
    """Return orders whose cash the channel could not give back, the oldest first."""
    rows = unit.db.exec(
        select(PaymentOrder)
        .where(PaymentOrder.state == OrderState.RETURN_FAILED)
        .order_by(col(PaymentOrder.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def is_due(unit: Unit) -> bool:
    """Tell whether some order is to be looked after now."""
    due = select(PaymentOrder.id).where(col(PaymentOrder.next_at) <= unit.now).limit(1)
    return unit.db.exec(due).first() is not None


def standing(row: PaymentOrder) -> Standing:
    """Return how an order stands."""
    return Standing(
        state=OrderState(row.state),
        cash_fen=Fen(row.cash_fen),
        seen=bool(row.pay),
        cancelled=row.cancelled_at is not None,
        released=row.released_at is not None,
        refused=row.why == Why.CHANNEL_REFUSED,
        pay_until=row.pay_until,
        return_asked=bool(row.return_number),
        part=row.why == Why.PART_TAKEN_BACK,
    )


def cash_order(unit: Unit, row: PaymentOrder) -> CashOrder:
    """Return what a channel is asked to collect."""
    institution = institutions.institution(unit, row.institution_id)
    by = None if row.agreement_id is None else unit.db.get_one(CashAgreement, row.agreement_id)
    return CashOrder(
        number=row.number,
        institution_code=institution.code,
        institution_name=institution.name,
        purpose=row.purpose,
        total_fen=Fen(row.total_fen),
        fund_fen=Fen(row.fund_fen),
        account_fen=Fen(row.account_fen),
        cash_fen=Fen(row.cash_fen),
        created_at=row.created_at,
        pay_until=row.pay_until,
        for_relative=row.paid_by_id != row.person_id,
        agreement="" if by is None else by.number,
        contract="" if by is None else by.contract,
    )


def held_fen(unit: Unit, order_id: str) -> Fen:
    """Return how much of an order's cash is neither the institution's nor back with the patient."""
    return ledger.sum_of(unit, accounts.order_cash(order_id))


def views(unit: Unit, rows: Sequence[PaymentOrder]) -> list[OrderView]:
    """Return the views of rows, as many reads for one as for all."""
    places = institutions.institutions(unit, [row.institution_id for row in rows])
    steps: dict[str, list[OrderStep]] = {}
    for step in unit.db.exec(
        select(OrderStepRow)
        .where(col(OrderStepRow.order_id).in_([row.id for row in rows]))
        .order_by(col(OrderStepRow.id))
    ).all():
        shown = OrderStep(step.at, OrderEvent(step.event), OrderState(step.state), step.words)
        steps.setdefault(step.order_id, []).append(shown)
    held = people.prefetch(unit, [row.person_id for row in rows])
    found = []
    for row in rows:
        open_to_pay = row.state == OrderState.CASH_PENDING and row.agreement_id is None
        found.append(
            OrderView(
                id=row.id,
                number=row.number,
                state=OrderState(row.state),
                why=None if row.why is None else Why(row.why),
                words=row.words,
                channel=ChannelName(row.channel),
                bill_id=row.bill_id,
                person=people.person(unit, row.person_id),
                institution=places[row.institution_id],
                total_fen=Fen(row.total_fen),
                fund_fen=Fen(row.fund_fen),
                account_fen=Fen(row.account_fen),
                cash_fen=Fen(row.cash_fen),
                returned_fen=Fen(row.returned_fen),
                created_at=row.created_at,
                pay_until=row.pay_until,
                paid_at=row.paid_at,
                trade_number=row.trade_number,
                settlement_id=row.settlement_id,
                return_by=row.return_by,
                pay=dict(row.pay) if open_to_pay else {},
                steps=tuple(steps.get(row.id, ())),
                debt_id=row.debt_id,
                by_agreement=row.agreement_id is not None,
            )
        )
    del held
    return found


def collected_today(unit: Unit, agreement_id: str) -> Fen:
    """Return what was collected by an agreement today, or is being collected."""
    midnight = datetime.combine(local_day(unit.now), time(), SHANGHAI)
    rows = unit.db.exec(
        select(PaymentOrder.cash_fen, PaymentOrder.returned_fen).where(
            PaymentOrder.agreement_id == agreement_id,
            PaymentOrder.created_at >= midnight,
            PaymentOrder.state != OrderState.RELEASED,
        )
    ).all()
    return Fen(sum(cash - back for cash, back in rows))


def settled_with_cash_left(unit: Unit, person_id: str) -> list[str]:
    """Return settlements of a person's orders whose cash is not where it was promised, to the last fen.

    It is the institution's where an order stands, and what a channel was asked for where some goes back.
    """
    going = (OrderState.RETURNING, OrderState.RETURN_FAILED)
    rows = unit.db.exec(
        select(PaymentOrder).where(
            PaymentOrder.person_id == person_id, col(PaymentOrder.state).in_((*STANDS, *going))
        )
    ).all()
    found = []
    for row in rows:
        left, asked = held_fen(unit, row.id), unit.db.get(CashReturn, row.return_number)
        goes = row.state in going
        right = left == (asked.amount_fen if asked and goes else 0) or (
            goes and asked is None and left > 0
        )
        if not right:
            found.append(row.settlement_id or row.id)
    return found


@dataclass(frozen=True)
class CashFault:
    """Where an order's two ledgers contradict each other."""

    number: str
    reason: str


def verify(unit: Unit) -> list[CashFault]:
    """Return every order whose cash is not where its state says that it is."""
    sums = (
        select(LedgerPosting.account, func.sum(col(LedgerPosting.amount_fen)))
        .where(col(LedgerPosting.account).startswith(accounts.order_cash("")))
        .group_by(col(LedgerPosting.account))
    )
    held = {account: int(total) for account, total in unit.db.exec(sums).all()}
    waiting = (OrderState.PAID, OrderState.RETURNING, OrderState.RETURN_FAILED)
    faults = []
    for row in unit.db.exec(select(PaymentOrder).order_by(col(PaymentOrder.id))).all():
        left = held.get(accounts.order_cash(row.id), 0)
        due = 0
        if row.state in waiting:
            due = row.taken_fen - row.returned_fen
            due -= settlements.cash_standing(unit, row.bill_id, row.id)
        if left != due:
            faults.append(CashFault(row.number, f"{row.state}, and {left} fen instead of {due}"))
        locked = unit.db.get_one(Bill, row.bill_id).state == BillState.LOCKED
        if row.state in FINAL and locked and not _another_under_way(unit, row):
            faults.append(CashFault(row.number, f"{row.state}, and its bill is locked"))
    return faults


def _another_under_way(unit: Unit, row: PaymentOrder) -> bool:
    others = select(PaymentOrder.id).where(
        PaymentOrder.bill_id == row.bill_id,
        PaymentOrder.id != row.id,
        col(PaymentOrder.state).in_((*WAITS_FOR_CASH, OrderState.PAID)),
    )
    return unit.db.exec(others).first() is not None


def astray(unit: Unit, before: datetime, limit: int) -> list[OrderView]:
    """Return orders that were begun before an instant and whose end is not decided, the oldest first."""
    undecided = (*WAITS_FOR_CASH, OrderState.PAID, OrderState.RETURNING)
    rows = unit.db.exec(
        select(PaymentOrder)
        .where(col(PaymentOrder.state).in_(undecided), PaymentOrder.created_at < before)
        .order_by(col(PaymentOrder.id))
        .limit(limit)
    ).all()
    return views(unit, rows)
