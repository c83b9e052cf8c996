"""Pure decisions about payment orders: what to do next, and what an answer of the channel means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backend.kernel.money import Fen
from backend.orders.contracts import (
    WAITS_FOR_CASH,
    CashSeen,
    CashState,
    OrderEvent,
    OrderState,
    ReturnSeen,
    ReturnState,
    Why,
)

_SECONDS_MAX = 300
_POLL_SECONDS = 5


class Move(StrEnum):
    """What is to be done for an order next."""

    ASK = "ASK"
    LOOK = "LOOK"
    CLOSE = "CLOSE"
    BOOK = "BOOK"
    GIVE_BACK = "GIVE_BACK"
    LOOK_AT_RETURN = "LOOK_AT_RETURN"


@dataclass(frozen=True)
class Standing:
    """How an order stands, as far as it decides what is done next.

    ``seen``: the channel has said that it has the order; ``refused``: that it will not take it, though an
    earlier request may have arrived; ``released``: insurance does not stand by any more; ``return_asked``:
    it was asked to give back; ``part``: only a part of the settlement was taken back.
    """

    state: OrderState
    cash_fen: Fen
    seen: bool
    cancelled: bool
    refused: bool
    released: bool
    pay_until: datetime
    return_asked: bool
    part: bool = False


def next_move(one: Standing, now: datetime) -> Move | None:
    """Return what is to be done for an order next, ``None`` where it waits for nobody of ours."""
    if one.state in WAITS_FOR_CASH:
        if one.state is OrderState.INSURANCE_LOCKED and not one.cash_fen and not one.cancelled:
            return Move.BOOK
        if one.cancelled or one.refused or one.pay_until <= now:
            return Move.CLOSE
        return Move.LOOK if one.seen else Move.ASK
    if one.state is OrderState.PAID:
        return Move.BOOK
    if one.state is OrderState.RETURNING:
        return Move.LOOK_AT_RETURN if one.return_asked else Move.GIVE_BACK
    return None


@dataclass(frozen=True)
class Follows:
    """What follows from an answer: events in their order, and why."""

    events: tuple[OrderEvent, ...] = ()
    why: Why | None = None


def after_cash(one: Standing, said: CashSeen, closing: bool) -> Follows:
    """Return what follows from what the channel says of an order's cash.

    Cash is never given up while it is unknown whether it was taken, and an order that does not stand as
    before, since a callback came first, is left alone.
    """
    if said.state is CashState.PAID:
        return _paid(one, said)
    if one.state not in WAITS_FOR_CASH:
        return Follows()
    match said.state:
        case CashState.OPEN:
            found = {
                OrderState.INSURANCE_LOCKED: (OrderEvent.ASK,),
                OrderState.QUERYING: (OrderEvent.FIND_OPEN,),
            }.get(one.state, ())
            return Follows(() if closing else found)
        case CashState.CLOSED:
            return Follows((OrderEvent.GIVE_UP,), _why_given_up(one))
        case CashState.MISSING:
            return Follows((OrderEvent.GIVE_UP,), _why_given_up(one)) if closing else Follows()
        case CashState.REFUSED:  # closed before it is given up: an earlier request may have arrived
            return Follows(_out_of_sight(one), Why.CHANNEL_REFUSED)
        case _:
            return Follows(_out_of_sight(one) if closing or not one.seen else ())


def after_return(one: Standing, said: ReturnSeen) -> Follows:
    """Return what follows from what the channel says of giving cash back."""
    if one.state is not OrderState.RETURNING:
        return Follows()
    if said.state is ReturnState.DONE:
        return Follows((OrderEvent.RETURN_PART if one.part else OrderEvent.RETURN,))
    return Follows((OrderEvent.FAIL_RETURN,) if said.state is ReturnState.FAILED else ())


def next_look(one: Standing, tries: int, now: datetime) -> datetime:
    """Return when to look again: later each time, but soon while a patient stands there and waits."""
    waits = one.state in WAITS_FOR_CASH and now < one.pay_until
    longest = _POLL_SECONDS if waits else _SECONDS_MAX
    later = now + timedelta(seconds=min(2 ** min(tries, 16), longest))
    return min(later, one.pay_until) if waits else later


def _paid(one: Standing, said: CashSeen) -> Follows:
    if one.state is OrderState.RELEASED:
        return Follows((OrderEvent.PAY_LATE,), Why.PAID_TOO_LATE)
    if one.state not in WAITS_FOR_CASH:
        return Follows()  # said before
    if said.paid_fen != one.cash_fen:
        return Follows((OrderEvent.PAY, OrderEvent.REFUSE), Why.AMOUNT_DIFFERS)
    if one.cancelled:
        return Follows((OrderEvent.PAY, OrderEvent.REFUSE), Why.CANCELLED)
    if one.released:
        return Follows((OrderEvent.PAY, OrderEvent.REFUSE), Why.PAID_TOO_LATE)
    return Follows((OrderEvent.PAY,))


def _out_of_sight(one: Standing) -> tuple[OrderEvent, ...]:
    return () if one.state is OrderState.QUERYING else (OrderEvent.LOSE_SIGHT,)


def _why_given_up(one: Standing) -> Why:
    if one.refused:
        return Why.CHANNEL_REFUSED
    return Why.CANCELLED if one.cancelled else Why.OUT_OF_TIME
