"""日对账: each day's orders are compared with the channel's file; what differs is repaired by rule or queued.

A rule only ever tells an order what the channel says of it; the order then settles, or gives the cash back,
as after a callback. All else waits for a person.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial

from sqlmodel import col, select

from backend.infra import audit
from backend.infra.database import Database, Unit, insert_new
from backend.infra.queue import Ending, never
from backend.kernel.calendar import SHANGHAI, local, local_day
from backend.kernel.money import Fen
from backend.orders import service
from backend.orders.contracts import (
    DIFFERENCE_STATES,
    CashChannel,
    CashLine,
    CashSeen,
    CashState,
    ChannelName,
    DayView,
    DifferenceEvent,
    DifferenceKind,
    DifferenceState,
    DifferenceView,
    LineKind,
    OrderState,
    ReturnSeen,
    ReturnState,
)
from backend.orders.driving import Channels
from backend.orders.model import CashDifference, CashReturn, PaymentOrder, ReconciledDay

FROM_HOUR = 10
"""Channels have their files of the day before ready by then."""
_DAYS_MAX = 31
_log = logging.getLogger("yibao.orders")
_DAY = timedelta(days=1)


def reconcile_due(database: Database, channels: Channels, ending: Ending = never) -> list[DayView]:
    """Compare every day that is over and has not been, and return those that were.

    A channel whose file cannot be had, or compared, keeps no other from its turn; its days wait in order.
    """
    days: list[DayView] = []
    for name in channels:
        try:
            days += _reconcile(database, channels[name], name, ending)
        except Exception:
            _log.exception("days of %s could not be reconciled; tried again the next time", name)
    return days


def _reconcile(
    database: Database, channel: CashChannel, name: ChannelName, ending: Ending
) -> list[DayView]:
    days: list[DayView] = []
    for day in database.read(partial(_days_due, channel=name)):
        lines = None if ending() else channel.file_of(day)
        if lines is None:
            return days  # no file yet: the days after it wait too
        compared = database.write(partial(compare, channel=name, day=day, lines=lines))
        days += [] if compared is None else [compared]
    return days


def compare(
    unit: Unit, channel: ChannelName, day: date, lines: Sequence[CashLine]
) -> DayView | None:
    """Compare a day's orders with a channel's file; ``None`` where another worker has compared it.

    Requires: the day is over.
    """
    claim = {"channel": channel, "day": day, "done_at": unit.now}
    nothing = dict.fromkeys(("taken_fen", "returned_fen", "lines", "differences"), 0)
    if not insert_new(unit, ReconciledDay, [{**claim, **nothing}]):
        return None
    paid = {line.number: line for line in lines if line.kind is LineKind.PAID}
    returned = _named(unit, [line for line in lines if line.kind is LineKind.RETURNED])
    found = [
        *_paid_differs(unit, channel, day, paid),
        *_returned_differs(unit, channel, day, returned),
    ]
    unit.db.add_all(found)
    row = unit.db.get_one(ReconciledDay, (channel, day))
    row.taken_fen = sum(line.amount_fen for line in paid.values())
    row.returned_fen = sum(line.amount_fen for line in returned)
    row.lines, row.differences = len(lines), len(found)
    unit.db.flush()
    facts = {"day": day.isoformat(), "lines": row.lines, "differences": row.differences}
    audit.record(unit, "system", "cash.reconcile", f"channel:{channel}", facts)
    return _day(row)


def close_difference(unit: Unit, by: str, difference_id: str, words: str) -> DifferenceView | None:
    """Close a difference that a person has seen to; ``None`` where it does not wait for one."""
    row = unit.db.get(CashDifference, difference_id, with_for_update=True)
    if row is None or not words.strip():
        return None
    after = DIFFERENCE_STATES.after(DifferenceState(row.state), DifferenceEvent.CLOSE)
    if after is None:
        return None
    row.state, row.closed_by, row.words = after, by, words.strip()[:200]
    unit.db.flush()
    facts = {"difference": row.id, "words": row.words}
    audit.record(unit, by, "cash.close_difference", f"channel:{row.channel}", facts)
    return _view(row)


def differences(unit: Unit, limit: int) -> list[DifferenceView]:
    """Return differences that wait for a person, the oldest first."""
    rows = unit.db.exec(
        select(CashDifference)
        .where(CashDifference.state == DifferenceState.OPEN)
        .order_by(col(CashDifference.id))
        .limit(limit)
    ).all()
    return [_view(row) for row in rows]


def days(unit: Unit, limit: int) -> list[DayView]:
    """Return days that were compared, the latest first."""
    rows = unit.db.exec(
        select(ReconciledDay).order_by(col(ReconciledDay.day).desc()).limit(limit)
    ).all()
    return [_day(row) for row in rows]


def _days_due(unit: Unit, channel: ChannelName) -> list[date]:
    now = local(unit.now)
    last = now.date() - timedelta(days=1 if now.hour >= FROM_HOUR else 2)
    first = _first_due(unit, channel)
    count = 0 if first is None else min((last - first).days + 1, _DAYS_MAX)
    return [] if first is None else [first + timedelta(days=n) for n in range(count)]


def _first_due(unit: Unit, channel: ChannelName) -> date | None:
    """Return the day after the last that was compared, else that of the first order."""
    done = unit.db.exec(
        select(ReconciledDay)
        .where(ReconciledDay.channel == channel)
        .order_by(col(ReconciledDay.day).desc())
    ).first()
    if done is not None:
        return done.day + timedelta(days=1)
    begun = unit.db.exec(
        select(PaymentOrder).where(PaymentOrder.channel == channel).order_by(col(PaymentOrder.id))
    ).first()
    return None if begun is None else local_day(begun.created_at)


def _named(unit: Unit, returned: Sequence[CashLine]) -> list[CashLine]:
    """Return lines with the number of their order, where a channel names the return alone."""
    rows = unit.db.exec(
        select(CashReturn.number, PaymentOrder.number)
        .join(PaymentOrder, col(PaymentOrder.id) == CashReturn.order_id)
        .where(col(CashReturn.number).in_([line.return_number for line in returned]))
    ).all()
    known = dict(rows)
    return [
        line
        if line.number
        else replace(line, number=known.get(line.return_number, line.return_number))
        for line in returned
    ]


def _paid_differs(
    unit: Unit, channel: ChannelName, day: date, paid: dict[str, CashLine]
) -> list[CashDifference]:
    ours = {row.number: row for row in _paid_on(unit, channel, day)}
    known = {row.number: row for row in _numbered(unit, [n for n in paid if n not in ours])}
    found = []
    for number, line in paid.items():
        row = ours.get(number) or known.get(number)
        if row is None:
            found.append(_new(unit, channel, day, DifferenceKind.NO_ORDER, line, None))
        elif not row.taken_fen:
            seen = CashSeen(CashState.PAID, line.trade_number, line.amount_fen, line.at)
            service.note_cash(unit, row.id, seen)
            found.append(_new(unit, channel, day, DifferenceKind.PAID_THERE, line, row, True))
        elif row.taken_fen != line.amount_fen:
            found.append(_new(unit, channel, day, DifferenceKind.AMOUNT, line, row))
    for number, row in ours.items():
        if number not in paid and row.taken_fen:
            found.append(_new(unit, channel, day, DifferenceKind.PAID_HERE, None, row))
    return found


def _returned_differs(
    unit: Unit, channel: ChannelName, day: date, returned: Sequence[CashLine]
) -> list[CashDifference]:
    known = {row.number: row for row in _numbered(unit, [line.number for line in returned])}
    there = {line.return_number for line in returned}
    found = []
    for line in returned:
        row, ours = known.get(line.number), unit.db.get(CashReturn, line.return_number)
        if row is None:
            found.append(_new(unit, channel, day, DifferenceKind.NO_ORDER, line, None))
        elif row.state == OrderState.RETURNING and line.return_number == row.return_number:
            service.note_return(unit, row.id, ReturnSeen(ReturnState.DONE))
            found.append(_new(unit, channel, day, DifferenceKind.RETURNED_THERE, line, row, True))
        elif ours is None or ours.done_at is None or ours.amount_fen != line.amount_fen:
            found.append(_new(unit, channel, day, DifferenceKind.RETURNED_THERE, line, row))
    for one, row in _returned_on(unit, channel, day):
        # a return is the channel's of the day on which it was asked for: the file before may have it
        if one.number not in there and local_day(one.asked_at) >= day:
            found.append(_new(unit, channel, day, DifferenceKind.RETURNED_HERE, None, row))
    return found


def _returned_on(
    unit: Unit, channel: ChannelName, day: date
) -> Sequence[tuple[CashReturn, PaymentOrder]]:
    begins = datetime.combine(day, time(), SHANGHAI)
    return unit.db.exec(
        select(CashReturn, PaymentOrder)
        .join(PaymentOrder, col(PaymentOrder.id) == CashReturn.order_id)
        .where(PaymentOrder.channel == channel)
        .where(col(CashReturn.done_at) >= begins, col(CashReturn.done_at) < begins + _DAY)
        .order_by(col(CashReturn.number))
    ).all()


def _paid_on(unit: Unit, channel: ChannelName, day: date) -> Sequence[PaymentOrder]:
    begins = datetime.combine(day, time(), SHANGHAI)
    instant = col(PaymentOrder.paid_at)
    return unit.db.exec(
        select(PaymentOrder)
        .where(PaymentOrder.channel == channel)
        .where(instant >= begins, instant < begins + _DAY)
        .order_by(col(PaymentOrder.id))
    ).all()


def _numbered(unit: Unit, numbers: Sequence[str]) -> Sequence[PaymentOrder]:
    return unit.db.exec(
        select(PaymentOrder)
        .where(col(PaymentOrder.number).in_(numbers))
        .order_by(col(PaymentOrder.id))
    ).all()


def _new(
    unit: Unit,
    channel: ChannelName,
    day: date,
    kind: DifferenceKind,
    line: CashLine | None,
    row: PaymentOrder | None,
    repaired: bool = False,
) -> CashDifference:
    gone = kind in (DifferenceKind.RETURNED_HERE, DifferenceKind.RETURNED_THERE)
    ours = None if row is None else row.returned_fen if gone else row.taken_fen
    return CashDifference(
        id=unit.new_id(),
        channel=channel,
        day=day,
        kind=kind,
        state=DifferenceState.REPAIRED if repaired else DifferenceState.OPEN,
        number=line.number if line else row.number if row else "",
        order_id=None if row is None else row.id,
        ours_fen=ours,
        theirs_fen=None if line is None else line.amount_fen,
    )


def _view(row: CashDifference) -> DifferenceView:
    return DifferenceView(
        id=row.id,
        channel=ChannelName(row.channel),
        day=row.day,
        kind=DifferenceKind(row.kind),
        state=DifferenceState(row.state),
        number=row.number,
        ours_fen=None if row.ours_fen is None else Fen(row.ours_fen),
        theirs_fen=None if row.theirs_fen is None else Fen(row.theirs_fen),
        words=row.words,
    )


def _day(row: ReconciledDay) -> DayView:
    return DayView(
        channel=ChannelName(row.channel),
        day=row.day,
        taken_fen=Fen(row.taken_fen),
        returned_fen=Fen(row.returned_fen),
        lines=row.lines,
        differences=row.differences,
        done_at=row.done_at,
    )
