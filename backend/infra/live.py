"""Reads live events by the transactions that wrote them, so that each is shown once and none is passed over.

Row ids are given before commit, and transactions commit in another order. So a mark is no id: on
PostgreSQL it is a snapshot, and a later look shows exactly the rows whose transaction the mark's snapshot
could not see. A transaction that stays open holds up no event of another, and costs one probe of an index.
SQLite has one writer at a time and gives ids in the order of commits; there the mark is the next id.

Requires of PostgreSQL: the primary. The snapshot of a standby does not name the transactions that are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    column,
    literal,
    or_,
    text,
    true,
)
from sqlalchemy import select as columns
from sqlalchemy.orm import Mapped
from sqlalchemy.types import UserDefinedType
from sqlmodel import col, func, select

from backend.infra.database import Unit
from backend.infra.model import OutboxMessage
from backend.infra.outbox import Channel

_STANDING = text(
    """
    SELECT pg_current_snapshot()::text AS snapshot,
           pg_postmaster_start_time()::text
           || coalesce(' ' || (SELECT stats_reset FROM pg_stat_archiver)::text, '') AS server
    """
)
"""What is committed, and in which life of which server. Another server, a restart and a recovery after a
crash (which starts statistics anew) each change the second: numbers of lost transactions are given again."""

_LIVE_BY_ID = text("+channel = 'LIVE'")
"""The sign keeps SQLite from reading every live event by an index on the channel; it goes by the id."""
_DISOWN = text(
    """
    UPDATE outbox_message SET transaction_id = NULL
    WHERE channel = 'LIVE'
    AND transaction_id >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    AND NOT pg_visible_in_snapshot(transaction_id::text::xid8, pg_current_snapshot())
    """
)


@dataclass(frozen=True, kw_only=True)
class LiveMark:
    """What a look at the database showed: all transactions below ``following`` but those still open.

    ``server`` names the server and its life. SQLite has none, and a row's id stands for its transaction.
    """

    server: str
    following: int
    still_open: frozenset[int]

    def shows(self, transaction: int) -> bool:
        """Tell whether the look showed what a transaction wrote."""
        return transaction < self.following and transaction not in self.still_open

    def precedes(self, later: LiveMark) -> bool:
        """Tell whether a later look can be compared with this one."""
        return self.server == later.server and self.following <= later.following


@dataclass(frozen=True, kw_only=True)
class LiveEvent:
    """An event and the transaction that wrote it."""

    transaction: int
    topic: str
    kind: str
    payload: str


@dataclass(frozen=True)
class LiveSight:
    """What a look showed beyond an earlier mark. An event comes after all that its writer could see."""

    events: Sequence[LiveEvent]
    mark: LiveMark


class _TransactionNumber(UserDefinedType[int]):
    """PostgreSQL's type of a transaction's number."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


def live_mark(unit: Unit) -> LiveMark:
    """Return the mark of all that is committed now."""
    if _is_postgres(unit):
        snapshot, server = unit.db.connection().execute(_STANDING).one()
        return _mark_of(snapshot, server)
    newest = unit.db.exec(select(func.max(OutboxMessage.id))).one()
    return LiveMark(server="", following=(newest or 0) + 1, still_open=frozenset())


def _events(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return the statement for a look: a row for each event, or one row without where there is none."""
    now = _STANDING.columns(column("snapshot", Text), column("server", Text)).subquery("now")
    transaction = col(OutboxMessage.transaction_id)
    still_open = bindparam("still_open", type_=ARRAY(BigInteger))
    is_new = and_(
        col(OutboxMessage.channel) == text("'LIVE'"),  # as the index has it
        or_(transaction >= bindparam("following"), transaction == any_(still_open)),
        text("transaction_id < pg_snapshot_xmax(pg_current_snapshot())::text::bigint"),
        *conditions,
    )
    return (
        columns(now.c.snapshot, now.c.server, transaction)
        .add_columns(col(OutboxMessage.topic), col(OutboxMessage.kind), col(OutboxMessage.payload))
        .select_from(now.outerjoin(OutboxMessage, is_new))
        .order_by(col(OutboxMessage.id))
    )


_EVENTS_OF_ALL = _events()
_EVENTS_OF_TOPIC = _events(col(OutboxMessage.topic) == bindparam("topic"))


def live_sight(unit: Unit, mark: LiveMark, topic: str | None = None) -> LiveSight:
    """Return what was committed after a mark, of one topic or of all. It takes one statement."""
    if not _is_postgres(unit):
        return _of_file(unit, mark, topic)
    facts = {"following": mark.following, "still_open": sorted(mark.still_open)}
    statement = _EVENTS_OF_ALL if topic is None else _EVENTS_OF_TOPIC
    rows = (
        unit.db.connection().execute(statement, facts | {"topic": topic} if topic else facts).all()
    )
    events = [
        LiveEvent(
            transaction=row.transaction_id, topic=row.topic, kind=row.kind, payload=row.payload
        )
        for row in rows
        if row.transaction_id is not None
    ]
    return LiveSight(events, _mark_of(rows[0].snapshot, rows[0].server))


def snapshot_now(unit: Unit) -> ColumnElement[str]:
    """Return a column that holds the present snapshot, to be handed to ``is_shown``; empty on SQLite."""
    return cast(func.pg_current_snapshot(), Text) if _is_postgres(unit) else literal("")


def is_shown(unit: Unit, number: Mapped[int | None], snapshot: str) -> ColumnElement[bool]:
    """Return the condition that a snapshot showed a row, by the number of the transaction that wrote it.

    A row without a number counts as shown, and so does one of a restored backup: the present snapshot does
    not know its transaction. An empty snapshot showed all.
    """
    if not snapshot or not _is_postgres(unit):
        return true()
    mark = _mark_of(snapshot, "")
    as_given = cast(cast(number, Text), _TransactionNumber())
    return or_(
        number.is_(None),
        and_(number < mark.following, number.not_in(sorted(mark.still_open))),
        ~func.pg_visible_in_snapshot(as_given, func.pg_current_snapshot()),
    )


def disown_restored(unit: Unit) -> int:
    """Take the transaction's number off events that another server wrote; return how many there were.

    A backup brings such numbers along. This server has yet to give them, or gave them to others just now:
    the row can be seen, and its transaction cannot. Without this the event would be shown as a new one.
    """
    return unit.db.connection().execute(_DISOWN).rowcount if _is_postgres(unit) else 0


def _of_file(unit: Unit, mark: LiveMark, topic: str | None) -> LiveSight:
    newer = select(OutboxMessage).where(col(OutboxMessage.id) >= mark.following)
    if topic is None:
        newer = newer.where(_LIVE_BY_ID)
    else:
        newer = newer.where(OutboxMessage.channel == Channel.LIVE, OutboxMessage.topic == topic)
    events = [
        LiveEvent(transaction=m.id or 0, topic=m.topic, kind=m.kind, payload=m.payload)
        for m in unit.db.exec(newer.order_by(col(OutboxMessage.id))).all()
    ]
    following = events[-1].transaction + 1 if events else mark.following
    return LiveSight(events, LiveMark(server="", following=following, still_open=frozenset()))


def _is_postgres(unit: Unit) -> bool:
    return unit.db.connection().dialect.name == "postgresql"


def _mark_of(snapshot: str, server: str) -> LiveMark:
    """Return the mark of a snapshot, which reads ``oldest open:following:open,open``."""
    _, following, numbers = snapshot.split(":")
    still_open = frozenset(int(number) for number in numbers.split(",") if number)
    return LiveMark(server=server, following=int(following), still_open=still_open)
