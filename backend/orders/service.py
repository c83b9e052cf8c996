"""Use cases of payment orders. The channel is spoken to between transactions, by ``orders.driving``."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlmodel import col, select

from backend.access.contracts import Action, SignInRequired, TerminalActor
from backend.access.logic import label, may
from backend.credit import service as credit
from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.infra.queue import wait_after
from backend.kernel.calendar import local, local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.matters.logic import due_on
from backend.matters.workdays import is_workday
from backend.notices.service import tell
from backend.orders import logic, queries
from backend.orders.agreed import agreed
from backend.orders.contracts import (
    ORDER_STATES,
    WAITS_FOR_CASH,
    CancelOrder,
    CashOnItsWay,
    CashSeen,
    ChannelName,
    OrderEvent,
    OrderNotFound,
    OrderNotOpen,
    OrderState,
    OrderView,
    PayAtCounter,
    PayBill,
    ReturnSeen,
    ReturnState,
    TakeNote,
    Why,
)
from backend.orders.logic import Follows
from backend.orders.model import CashAgreement, CashReturn, OrderStepRow, PaymentOrder
from backend.payments import booking, decisions
from backend.payments import queries as bills
from backend.payments import service as payments
from backend.payments.booking import Ready
from backend.payments.contracts import BillNotFound, BillState, DecideBill, ReverseSettlement
from backend.payments.model import Bill
from backend.payments.service import at_till
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note
from backend.settlement import queries as settlements
from backend.settlement.contracts import LaterSettlementsInTheWay, SettlementView
from backend.settlement.service import Kept

_ON_ITS_WAY = (OrderState.RETURNING, OrderState.RETURN_FAILED)
_MOVES_CREDIT = {OrderEvent.PAY, OrderEvent.RETURN, OrderEvent.RETURN_PART}
_LEASE = timedelta(seconds=30)
_WORDS_MAX = 200
CHANGED = "ORDER_CHANGED"


def pay_bill(unit: Unit, command: PayBill) -> OrderView | Refusal:
    """Let insurance and account stand by for a bill and begin to collect its cash, one's own or a relative's.

    It confirms the bill where that has not been done, with the same proofs.
    """
    owner = bills.owner_of_bill(unit, command.bill_id)
    right = authorize(unit, command.actor, Action.DECIDE_BILL, owner[0] if owner else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or owner is None:
        return BillNotFound()
    return once(
        unit,
        f"pay_bill:{label(command.actor)}",
        command.request_id,
        command,
        (OrderView,),
        lambda: _pay(unit, command, owner[0], right),
    )


def cancel_order(unit: Unit, command: CancelOrder) -> OrderView | Refusal:
    """Take an order back that is not paid; what is paid meanwhile goes back."""
    owner = queries.owner_of(unit, command.order_id)
    right = authorize(unit, command.actor, Action.DECIDE_BILL, owner[0] if owner else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or owner is None:
        return OrderNotFound()
    people.lock_person(unit, owner[0])
    row = locked(unit, command.order_id)
    if row.state not in WAITS_FOR_CASH:
        return OrderNotOpen()
    if row.cancelled_at is None:
        row.cancelled_at, row.next_at, row.tries = unit.now, unit.now, 0
        unit.db.flush()
        note(unit, right, command.actor, Action.DECIDE_BILL)
        audit.record(unit, label(command.actor), "order.cancel", f"person:{row.person_id}", {})
    return queries.views(unit, [row])[0]


def take_note(unit: Unit, command: TakeNote) -> OrderView | Refusal:
    """Note that an institution's system knows of a settled order. Twice is no error."""
    actor = command.actor
    if not isinstance(actor, TerminalActor):
        return SignInRequired()
    refusal = may(actor, Action.PRESENT_BILL, actor.institution_id)
    if refusal is not None:
        return refusal
    found = unit.db.get(PaymentOrder, command.order_id)
    if found is None or found.institution_id != actor.institution_id:
        return OrderNotFound()
    people.lock_person(unit, found.person_id)
    row = locked(unit, command.order_id)
    if row.state == OrderState.SETTLED:
        move(unit, row, OrderEvent.TELL)
    return queries.views(unit, [row])[0]


def reverse_settlement(unit: Unit, command: ReverseSettlement) -> SettlementView | Refusal:
    """Take back a settlement of the same day, by new entries; cash that a channel collected goes back."""
    back = partial(give_back, any_day=False)
    return at_till(unit, "reverse_settlement", command, SettlementView, back)


def take_due(unit: Unit) -> str | None:
    """Return the order that is due first, leased for a while; ``None`` where none is due."""
    row = unit.db.exec(
        select(PaymentOrder)
        .where(col(PaymentOrder.next_at) <= unit.now)
        .order_by(col(PaymentOrder.next_at), col(PaymentOrder.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    row.next_at = unit.now + _LEASE
    return row.id


def note_cash(unit: Unit, order_id: str, said: CashSeen, closing: bool = False) -> OrderState:
    """Note what the channel said of an order's cash, and let follow what follows from it."""
    row = _locked_with_person(unit, order_id)
    follows = logic.after_cash(queries.standing(row), said, closing)
    if said.pay and not row.pay:
        row.pay = dict(said.pay)
    if OrderEvent.PAY in follows.events or OrderEvent.PAY_LATE in follows.events:
        _take_in(unit, row, said)
    _follow(unit, row, follows, said.words)
    grace = timedelta(seconds=unit.settings.lock_grace_seconds)
    if row.state == OrderState.QUERYING and row.pay_until + grace <= unit.now:
        _release(unit, row)  # whoever is ill must not wait for a channel that does not answer
    return OrderState(row.state)


def book_paid(unit: Unit, order_id: str) -> SettlementView | Refusal | None:
    """Book the insurance of an order whose cash is there; a refusal leaves the rollback to the caller.

    ``None``: there is nothing to book now.
    """
    row = _locked_with_person(unit, order_id)
    if row.state == OrderState.INSURANCE_LOCKED and not row.cash_fen:
        move(unit, row, OrderEvent.PAY)
    if row.state != OrderState.PAID:
        return None
    if row.debt_id is not None:
        return _book_debt(unit, row, row.debt_id)
    one = booking.ready(unit, unit.db.get_one(Bill, row.bill_id), paid=True)
    if isinstance(one, Refusal):
        return one
    by = f"order:{row.id}"
    settled = booking.book(unit, one, row.terminal_id, one.bill.operator_id, by, row.id)
    if isinstance(settled, Refusal):
        return settled
    row.settlement_id = settled.id
    move(unit, row, OrderEvent.SETTLE)
    return settled


def _book_debt(unit: Unit, row: PaymentOrder, debt_id: str) -> Refusal | None:
    paid = credit.pay(unit, f"order:{row.id}", debt_id, Fen(row.cash_fen), row.id)
    if isinstance(paid, Refusal):
        return paid
    move(unit, row, OrderEvent.SETTLE)
    tell(unit, row.person_id, "debt_paid", {"amount_fen": row.cash_fen})
    return None


def refuse_paid(unit: Unit, order_id: str, refusal: Refusal) -> None:
    """Let the cash of an order go back whose insurance could not be booked."""
    row = _locked_with_person(unit, order_id)
    if row.state == OrderState.INSURANCE_LOCKED and not row.cash_fen:
        move(unit, row, OrderEvent.PAY)
    if row.state == OrderState.PAID:
        follows = Follows((OrderEvent.REFUSE,), Why.INSURANCE_REFUSED)
        _follow(unit, row, follows, refusal.code())


def begin_return(unit: Unit, order_id: str) -> tuple[str, str, Fen, Fen, str] | None:
    """Return what the channel is to give back: numbers, amount, all of the cash, and why; or ``None``."""
    row = _locked_with_person(unit, order_id)
    if row.state != OrderState.RETURNING:
        return None
    amount = queries.held_fen(unit, row.id)
    if not amount:
        nothing = ReturnSeen(ReturnState.DONE)
        _follow(unit, row, logic.after_return(queries.standing(row), nothing), "")
        return None
    if not row.return_number:
        row.return_number = number_of(unit, "YR")
        asked = CashReturn(
            number=row.return_number, order_id=row.id, amount_fen=amount, asked_at=unit.now
        )
        unit.db.add(asked)
        unit.db.flush()
    return row.number, row.return_number, amount, Fen(row.taken_fen), row.why or ""


def note_return(unit: Unit, order_id: str, said: ReturnSeen) -> OrderState:
    """Note what the channel said of giving an order's cash back."""
    row = _locked_with_person(unit, order_id)
    follows = logic.after_return(queries.standing(row), said)
    if said.state is ReturnState.DONE and follows.events:
        asked = unit.db.get(CashReturn, row.return_number)
        amount = queries.held_fen(unit, row.id) if asked is None else Fen(asked.amount_fen)
        _post(unit, row, EntryKind.CASH_RETURNED, Fen(-amount))
        row.returned_fen += amount
        row.returned_at = unit.now
        if asked is not None:
            asked.done_at = unit.now
    _follow(unit, row, follows, said.words)
    return OrderState(row.state)


def try_again(unit: Unit, by: str, order_id: str) -> OrderView | None:
    """Ask the channel anew to give an order's cash back; ``None`` where it did not fail."""
    row = _locked_with_person(unit, order_id)
    if row.state != OrderState.RETURN_FAILED:
        return None
    row.return_number = ""  # the channel said that the first one came to nothing
    _follow(unit, row, Follows((OrderEvent.TRY_AGAIN,)), "")
    audit.record(unit, by, "order.try_again", f"person:{row.person_id}", {"order": row.id})
    return queries.views(unit, [row])[0]


def locked(unit: Unit, order_id: str) -> PaymentOrder:
    """Return an order, locked and read anew. Before: its person is locked."""
    query = select(PaymentOrder).where(PaymentOrder.id == order_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def move(unit: Unit, row: PaymentOrder, event: OrderEvent, words: str = "") -> None:
    """Move an order to the state that an event leads to, write it down and announce it."""
    after = ORDER_STATES.after(OrderState(row.state), event)
    invariant(after is not None, f"an order that is {row.state} cannot {event}")
    row.state = after or row.state
    row.tries = 0
    unit.db.add(
        OrderStepRow(
            order_id=row.id,
            at=unit.now,
            event=event,
            state=row.state,
            words=words[:_WORDS_MAX],
        )
    )
    waiting = logic.next_move(queries.standing(row), unit.now) is not None
    row.next_at = unit.now if waiting else None
    unit.db.flush()
    topics = {f"person:{row.person_id}", f"person:{row.paid_by_id}"}
    for topic in topics | ({f"terminal:{row.terminal_id}"} if row.terminal_id else set()):
        outbox.enqueue(unit, outbox.Channel.LIVE, topic, CHANGED, row.id)
    facts = {"order": row.id, "state": row.state}
    audit.record(
        unit, f"order:{row.id}", f"order.{event.lower()}", f"person:{row.person_id}", facts
    )


def put_off(unit: Unit, order_id: str) -> None:
    """Look after an order again a while later: nothing is known that was not before."""
    row = unit.db.get_one(PaymentOrder, order_id, with_for_update=True)
    if row.next_at is not None:
        row.tries += 1
        row.next_at = logic.next_look(queries.standing(row), row.tries, unit.now)


def postpone(unit: Unit, order_id: str) -> None:
    """Let an order wait that could not be driven, longer each time."""
    row = unit.db.get_one(PaymentOrder, order_id, with_for_update=True)
    if row.next_at is not None:
        row.next_at = unit.now + wait_after(row.tries)
        row.tries += 1


def _pay(unit: Unit, command: PayBill, person_id: str, right: Right) -> OrderView | Refusal:
    people.lock_person(unit, person_id)
    bill = unit.db.get_one(Bill, command.bill_id)
    if bill.stay_id is not None:
        return PayAtCounter()
    if bill.state in (BillState.PRESETTLED, BillState.AWAITING_CONFIRMATION):
        decide = DecideBill(command.actor, bill.id, True, command.request_id)
        confirmed = decisions.decide(unit, decide, person_id, right)
        if isinstance(confirmed, Refusal):
            return confirmed
    one = booking.ready(unit, bill)
    if isinstance(one, Refusal):
        return one
    payer_id = right.delegate_id or person_id
    agreement_id = None
    if command.channel is ChannelName.CREDIT:
        found = agreed(unit, payer_id, one.outcome.cash_fen, (ChannelName.CREDIT,))
        if isinstance(found, Refusal):
            return found
        agreement_id = found.id
    row = open_order(unit, one, payer_id, command.channel, unit.settings.pay_seconds, agreement_id)
    facts = {"order": row.id, "cash_fen": row.cash_fen, "channel": row.channel}
    audit.record(unit, label(command.actor), "order.open", f"person:{person_id}", facts)
    return queries.views(unit, [row])[0]


def open_order(
    unit: Unit,
    one: Ready,
    payer_id: str,
    channel: ChannelName,
    seconds: int,
    agreement_id: str | None = None,
) -> PaymentOrder:
    """Let insurance and accounts stand by for a bill, and let its cash be asked for."""
    until = unit.now + timedelta(seconds=seconds)
    booking.lock(unit, one, until + timedelta(seconds=unit.settings.lock_grace_seconds))
    outcome = one.outcome
    row = PaymentOrder(
        id=unit.new_id(),
        number=number_of(unit, "YB"),
        state=OrderState.INSURANCE_LOCKED,
        channel=channel,
        bill_id=one.bill.id,
        person_id=one.bill.person_id,
        paid_by_id=payer_id,
        institution_id=one.bill.institution_id,
        terminal_id=one.bill.terminal_id,
        purpose=one.bill.purpose,
        total_fen=outcome.total_fen,
        fund_fen=outcome.fund_fen + outcome.hospital_fen,
        account_fen=outcome.account_fen + outcome.family_fen,
        cash_fen=outcome.cash_fen,
        created_at=unit.now,
        pay_until=until,
        pay={},
        agreement_id=agreement_id,
        next_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    return row


def give_back(
    unit: Unit,
    command: ReverseSettlement,
    actor: TerminalActor,
    any_day: bool = True,
    kept: Kept | None = None,
) -> SettlementView | Refusal:
    """Take back a settlement of any day, or all but what is kept; its cash goes back the way it came.

    A refusal may come when something is written already: the caller rolls it back.
    """
    order_id = settlements.order_of(unit, command.settlement_id)
    if order_id is not None and _locked_with_person(unit, order_id).state in _ON_ITS_WAY:
        return CashOnItsWay()
    done = payments.reverse(unit, command, actor, any_day, kept)
    if isinstance(done, Refusal):
        return done
    if order_id is not None:
        row = locked(unit, order_id)
        row.return_number = ""  # each return has a number of its own
        why = Why.TAKEN_BACK if kept is None else Why.PART_TAKEN_BACK
        _follow(unit, row, Follows((OrderEvent.TAKE_BACK,), why), command.reason)
    return after_reversal(unit, done.person_id) or done


def after_reversal(unit: Unit, person_id: str) -> LaterSettlementsInTheWay | None:
    """Let orders name what stands now; refuse where a later one would cost other cash than was collected.

    After: on a refusal something is written already, and the caller rolls it back.
    """
    again = settlements.bills_settled_again(unit, person_id)
    if not again:
        return None
    latest = settlements.latest_of_bills(unit, again)
    rows = unit.db.exec(
        select(PaymentOrder).where(
            col(PaymentOrder.bill_id).in_(again), col(PaymentOrder.settlement_id).is_not(None)
        )
    ).all()
    for row in rows:
        row.settlement_id = latest[row.bill_id].id
    unit.db.flush()
    astray = queries.settled_with_cash_left(unit, person_id)
    return LaterSettlementsInTheWay(len(astray), tuple(astray)) if astray else None


def _locked_with_person(unit: Unit, order_id: str) -> PaymentOrder:
    people.lock_person(unit, unit.db.get_one(PaymentOrder, order_id).person_id)
    return locked(unit, order_id)


def _take_in(unit: Unit, row: PaymentOrder, said: CashSeen) -> None:
    """Book that the channel took cash for an order."""
    row.taken_fen = said.paid_fen or Fen(0)
    row.trade_number, row.paid_at = said.trade_number, said.paid_at or unit.now
    _post(unit, row, EntryKind.CASH_PAID, Fen(row.taken_fen))


def _post(unit: Unit, row: PaymentOrder, kind: EntryKind, amount: Fen) -> None:
    if amount:
        mine = Posting(accounts.order_cash(row.id), amount)
        theirs = Posting(accounts.channel(row.channel), Fen(-amount))
        ledger.post(unit, kind, row.id, row.number, [mine, theirs])


def _follow(unit: Unit, row: PaymentOrder, follows: Follows, words: str) -> None:
    row.why, row.words = follows.why or row.why, words[:_WORDS_MAX] or row.words
    if follows.events == (OrderEvent.PAY,):
        row.why, row.words = None, ""  # whatever it said before, it was paid
    for event in follows.events:
        if event in (OrderEvent.GIVE_UP, OrderEvent.REFUSE):
            _release(unit, row)
        if event in (OrderEvent.REFUSE, OrderEvent.PAY_LATE, OrderEvent.TAKE_BACK):
            days = unit.settings.cash_return_workdays
            row.return_by = due_on(local_day(unit.now), days, (), is_workday)
        move(unit, row, event, words)
        _tell(unit, row, event)
    if row.agreement_id is not None and (follows.why or set(follows.events) & _MOVES_CREDIT):
        # the channel is asked how the agreement stands now
        by = unit.db.get_one(CashAgreement, row.agreement_id, with_for_update=True)
        by.next_at = None if by.next_at is None else unit.now


def _release(unit: Unit, row: PaymentOrder) -> None:
    """Let insurance stand by no more, once: another order may have the bill by then."""
    if row.released_at is None:
        row.released_at = unit.now
        if row.debt_id is None:
            booking.release(unit, row.bill_id)
        unit.db.flush()


def _tell(unit: Unit, row: PaymentOrder, event: OrderEvent) -> None:
    """Tell whoever pays when cash goes back and is back; where no cash goes back there is nothing to tell."""
    kind = {
        OrderEvent.REFUSE: "cash_returning",
        OrderEvent.PAY_LATE: "cash_returning",
        OrderEvent.TAKE_BACK: "cash_returning",
        OrderEvent.FAIL_RETURN: "cash_return_failed",
        OrderEvent.RETURN: "cash_returned",
        OrderEvent.RETURN_PART: "cash_returned",
    }.get(event)
    if kind is None:
        return
    back = event in (OrderEvent.RETURN, OrderEvent.RETURN_PART)
    asked = unit.db.get(CashReturn, row.return_number) if back else None
    amount = asked.amount_fen if asked is not None else queries.held_fen(unit, row.id)
    if not amount:
        return  # only funds and accounts paid what was taken back
    facts = {"order": row.number, "amount_fen": amount}
    by = "" if row.return_by is None else row.return_by.isoformat()
    tell(unit, row.paid_by_id, kind, {**facts, "until": by})


def number_of(unit: Unit, kind: str) -> str:
    """Return a number that a channel knows an order or a return by; some want its time with it."""
    return f"{kind}{local(unit.now):%Y%m%d%H%M%S}{unit.resources.ids.digits(8)}"
