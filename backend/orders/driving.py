"""Brings payment orders to their end: decides what is next, speaks to the channel, notes what it said.

Each answer is noted in a transaction of its own, so that a process that dies between two steps loses
nothing: the next look finds the order as it stood and asks the channel again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

from backend.infra.database import Database, Unit
from backend.infra.queue import Ending, never
from backend.kernel.errors import Refusal
from backend.orders import logic, queries, service
from backend.orders.contracts import (
    CashChannel,
    CashOrder,
    CashSeen,
    CashState,
    ChannelName,
    ReturnState,
)
from backend.orders.logic import Move
from backend.orders.model import PaymentOrder

Channels = Mapping[ChannelName, CashChannel]
_STEPS_MAX = 8
_ORDERS_MAX = 20
_ABOUT_CASH = (Move.ASK, Move.LOOK, Move.CLOSE)
_log = logging.getLogger("yibao.orders")


def drive_due(database: Database, channels: Channels, ending: Ending = never) -> int:
    """Drive orders that are due now and return how many there were.

    Each is leased just before it is driven, so that a channel that hangs lets no lease of another run out.
    One that fails is logged and postponed; it keeps no other from its end.
    """
    if not database.read(queries.is_due):  # looking takes no writer's turn
        return 0
    for count in range(_ORDERS_MAX):
        order_id = None if ending() else database.write(service.take_due)
        if order_id is None:
            return count
        try:
            drive(database, channels, order_id)
        except Exception:
            _log.exception("payment order %s could not be driven; tried again later", order_id)
            database.write(partial(service.postpone, order_id=order_id))
    return _ORDERS_MAX


def drive(database: Database, channels: Channels, order_id: str) -> None:
    """Take an order as far as it goes now; where nothing new is known, it is looked at later."""
    for _ in range(_STEPS_MAX):
        before = database.read(partial(_next, order_id=order_id))
        if before is None:
            return
        move, channel, order, returns = before
        if move is Move.BOOK:
            _book(database, order_id)
        elif channel in channels:
            _do(database, channels[channel], order_id, move, order, returns)
        else:
            _log.warning("payment order %s waits for %s, which is not offered", order_id, channel)
            if move in _ABOUT_CASH:  # nothing is known, and insurance does not stand by for ever
                database.write(partial(_note_silence, order_id=order_id))
        after = database.read(partial(_next, order_id=order_id))
        if after is not None and after[0] is move:
            database.write(partial(service.put_off, order_id=order_id))
            return


def _note_silence(unit: Unit, order_id: str) -> None:
    service.note_cash(unit, order_id, CashSeen(CashState.UNKNOWN), closing=True)


def _next(unit: Unit, order_id: str) -> tuple[Move, ChannelName, CashOrder, str] | None:
    row = unit.db.get_one(PaymentOrder, order_id)
    move = logic.next_move(queries.standing(row), unit.now)
    if move is None:
        return None
    return move, ChannelName(row.channel), queries.cash_order(unit, row), row.return_number


def _do(
    database: Database,
    channel: CashChannel,
    order_id: str,
    move: Move,
    order: CashOrder,
    return_number: str,
) -> None:
    noted = database.write
    match move:
        case Move.ASK:
            said = channel.ask(order)
            noted(lambda unit: service.note_cash(unit, order_id, said))
        case Move.LOOK:
            said = channel.look(order.number)
            noted(lambda unit: service.note_cash(unit, order_id, said))
        case Move.CLOSE:
            said = channel.close(order.number)
            noted(lambda unit: service.note_cash(unit, order_id, said, closing=True))
        case Move.GIVE_BACK:
            _give_back(database, channel, order_id)
        case Move.LOOK_AT_RETURN:
            seen = channel.look_at_return(return_number)
            if (
                seen.state is ReturnState.MISSING
            ):  # asking did not arrive: once more, by the same number
                _give_back(database, channel, order_id)
            else:
                noted(lambda unit: service.note_return(unit, order_id, seen))


def _give_back(database: Database, channel: CashChannel, order_id: str) -> None:
    asked = database.write(lambda unit: service.begin_return(unit, order_id))
    if asked is not None:
        given = channel.give_back(*asked)
        database.write(lambda unit: service.note_return(unit, order_id, given))


def _book(database: Database, order_id: str) -> None:
    def work(unit: Unit) -> Refusal | None:
        booked = service.book_paid(unit, order_id)
        if isinstance(booked, Refusal):
            unit.db.rollback()
            return booked
        return None

    refusal = database.write(work)
    if refusal is not None:
        database.write(lambda unit: service.refuse_paid(unit, order_id, refusal))
