"""Debts of 先诊疗后付费 paid from the phone: the channel collects, then the debt is less by as much."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from backend.access.assurance import Demand
from backend.access.contracts import Action, PersonActor, SignInRequired
from backend.access.logic import label
from backend.credit import logic as debts
from backend.credit import queries as credit
from backend.credit.contracts import PayLaterNotFound, PayLaterView
from backend.identity import safety
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.orders import queries
from backend.orders.agreed import agreed
from backend.orders.contracts import (
    WAITS_FOR_CASH,
    ChannelName,
    DebtPart,
    DebtUnderWay,
    OrderState,
    OrderView,
    PayDebt,
)
from backend.orders.model import PaymentOrder
from backend.orders.service import number_of
from backend.payments.model import Bill
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note

_UNDECIDED = (*WAITS_FOR_CASH, OrderState.PAID)


def pay_debt(unit: Unit, command: PayDebt) -> OrderView | Refusal:
    """Pay what is due of a debt, or all of it, one's own or a relative's."""
    found = credit.agreement(unit, command.debt_id)
    right = authorize(unit, command.actor, Action.DECIDE_BILL, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return PayLaterNotFound()
    return once(
        unit,
        f"pay_debt:{label(command.actor)}",
        command.request_id,
        command,
        (OrderView,),
        lambda: _pay(unit, command, found.person_id, right),
    )


def amount_of(debt: PayLaterView, part: DebtPart, unit: Unit) -> Fen:
    """Return how much a part of a debt comes to: what is overdue, else what the next instalment still asks."""
    if part is DebtPart.ALL:
        return debt.open_fen
    late = debts.overdue(debt, local_day(unit.now))
    if late:
        return late
    covered = debt.paid_fen
    for one in debt.instalments:
        covered = Fen(covered - one.amount_fen)
        if covered < 0:
            return Fen(-covered)
    return Fen(0)


def _pay(unit: Unit, command: PayDebt, person_id: str, right: Right) -> OrderView | Refusal:
    people.lock_person(unit, person_id)
    debt = credit.agreement(unit, command.debt_id)
    if debt is None or debt.state not in credit.OWED:
        return PayLaterNotFound()
    under_way = select(PaymentOrder.pay_until).where(
        PaymentOrder.debt_id == debt.id, col(PaymentOrder.state).in_(_UNDECIDED)
    )
    until = unit.db.exec(under_way).first()
    if until is not None:
        return DebtUnderWay(until)
    amount = amount_of(debt, command.part, unit)
    if isinstance(command.actor, PersonActor):
        missing = safety.frozen_refusal(unit, command.actor.person_id) or safety.demand(
            unit, command.actor, Demand.MONEY, amount
        )
        if missing is not None:
            return missing
    payer_id, agreement_id = right.delegate_id or person_id, None
    if command.channel is ChannelName.CREDIT:
        by = agreed(unit, payer_id, amount, (ChannelName.CREDIT,))
        if isinstance(by, Refusal):
            return by
        agreement_id = by.id
    query = select(Bill).where(Bill.stay_id == debt.stay_id, col(Bill.settlement_id).is_not(None))
    bill = unit.db.exec(query.order_by(col(Bill.id).desc())).first()
    if bill is None:
        return PayLaterNotFound()
    row = PaymentOrder(
        id=unit.new_id(),
        number=number_of(unit, "YB"),
        state=OrderState.INSURANCE_LOCKED,
        channel=command.channel,
        bill_id=bill.id,
        debt_id=debt.id,
        person_id=person_id,
        paid_by_id=payer_id,
        institution_id=debt.institution_id,
        terminal_id="",
        purpose=bill.purpose,
        total_fen=amount,
        fund_fen=0,
        account_fen=0,
        cash_fen=amount,
        created_at=unit.now,
        pay_until=unit.now + timedelta(seconds=unit.settings.pay_seconds),
        pay={},
        agreement_id=agreement_id,
        next_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    note(unit, right, command.actor, Action.DECIDE_BILL)
    facts = {"order": row.id, "cash_fen": row.cash_fen, "debt": debt.id}
    audit.record(unit, label(command.actor), "order.open", f"person:{person_id}", facts)
    return queries.views(unit, [row])[0]
