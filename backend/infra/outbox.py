"""What must leave the system, written in the transaction that causes it and sent after commit.

``LIVE`` is read by the subscriptions of every worker and never sent anywhere. The others go to their
gateways: at least once, with the message's own id so that the gateway can drop a repetition, and within a
topic in their order: one that is tried again holds up those after it. Payloads are sealed, and emptied once
delivered. Whoever sends on a channel may say what becomes of a message that is given up.

A message's own id is drawn by chance and never again: a number of the database would come back after a
restore, or stand for another message of a second installation.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from backend.infra.database import Database, Unit
from backend.infra.model import OutboxMessage
from backend.infra.queue import Ending, never
from backend.infra.sealing import SealBroken
from backend.kernel.invariants import invariant

ATTEMPTS_MAX = 8
ATTEMPTS_BEFORE_ANOTHER_WAY = 3
"""Of a push or a call: a message is sent after that."""
_LEASE = timedelta(seconds=30)
_LEASE_USED_MAX = timedelta(seconds=10)
"""After that no other message of the batch is begun: a gateway may hang longer than what is left then."""
_BATCH = 20
_log = logging.getLogger("yibao.outbox")


class Channel(StrEnum):
    """Where a message goes."""

    LIVE = "LIVE"
    SMS = "SMS"
    PUSH = "PUSH"
    VOICE = "VOICE"


@dataclass(frozen=True)
class Delivery:
    """A message in the hands of a sender. A gateway drops one whose id it has taken already."""

    id: str
    kind: str
    payload: str
    attempt: int = field(default=1, kw_only=True)


GivenUp = Callable[[Unit, Delivery, bool], None]
"""What becomes of a message that is given up, within the transaction that gives it up; and whether the
other side said that nobody is there any more."""


class DeliveryFailed(Exception):
    """The other side did not take the message; it is tried again later."""


class DeliveryRefused(Exception):
    """The other side will never take the message: nobody is there any more."""


def enqueue(
    unit: Unit,
    channel: Channel,
    topic: str,
    kind: str,
    payload: str,
    due: datetime | None = None,
) -> None:
    """Write a message to be delivered after commit, not before ``due``. Outside payloads are sealed."""
    outside = channel is not Channel.LIVE
    message = OutboxMessage(
        channel=channel,
        topic=topic,
        kind=kind,
        payload=unit.vault.seal(payload, f"outbox:{topic}") if outside else payload,
        created_at=unit.now,
        next_attempt_at=(due or unit.now) if outside else None,
        outgoing_id=f"yibao-{unit.new_id()}" if outside else None,
    )
    unit.db.add(message)


def enqueue_to_phone(
    unit: Unit,
    channel: Channel,
    phone: str,
    template: str,
    facts: Mapping[str, object],
    due: datetime | None = None,
    lane: str = "",
) -> None:
    """Write a message or a call to a phone. Messages of one lane to one phone keep their order."""
    invariant("to" not in facts, "what a message says cannot change where it goes")
    payload = json.dumps({"to": phone, **facts}, ensure_ascii=False)
    topic = f"{lane}{unit.vault.index(phone, 'phone')}"
    enqueue(unit, channel, topic, template, payload, due)


def deliver_due(
    database: Database,
    channel: Channel,
    send: Callable[[Delivery], None],
    give_up: GivenUp | None = None,
    ending: Ending = never,
) -> int:
    """Send what is due on a channel and return how many messages were taken up.

    A message is leased before it is sent, so two workers do not send it at once and a worker that
    dies lets it be taken up again. Where a gateway hangs, or the server ends, the rest is given back
    unsent before its lease runs out.
    """
    if not database.read(lambda unit: _is_due(unit, channel)):
        return 0  # looking takes no writer's turn
    due = database.write(lambda unit: _lease(unit, channel))
    begun = database.resources.clock.now()
    for place, delivery in enumerate(due):
        if ending() or database.resources.clock.now() - begun > _LEASE_USED_MAX:
            database.write(partial(_give_back, deliveries=due[place:]))
            return place
        failure, refused = _send(send, delivery)
        settle = partial(_settle, delivery=delivery, failure=failure, refused=refused)
        try:
            database.write(partial(settle, give_up=give_up))
        except Exception:
            _log.exception("message %s could not be given up by another way", delivery.id)
            database.write(partial(settle, give_up=None))
    return len(due)


def _send(send: Callable[[Delivery], None], delivery: Delivery) -> tuple[str | None, bool]:
    """Return why a message failed, ``None`` where it was taken, and whether it was refused for good."""
    try:
        send(delivery)
    except DeliveryFailed as error:
        return str(error)[:200], False
    except DeliveryRefused as error:
        return str(error)[:200], True
    except Exception as error:
        _log.exception("message %s could not be sent", delivery.id)
        return type(error).__name__, False  # its words may name a person
    return None, False


def _is_due(unit: Unit, channel: Channel) -> bool:
    due = (
        select(OutboxMessage.id)
        .where(OutboxMessage.channel == channel, col(OutboxMessage.delivered_at).is_(None))
        .where(col(OutboxMessage.next_attempt_at) <= unit.now)
    )
    return unit.db.exec(due.limit(1)).first() is not None


def _lease(unit: Unit, channel: Channel) -> list[Delivery]:
    due = (
        select(OutboxMessage)
        .where(OutboxMessage.channel == channel, col(OutboxMessage.delivered_at).is_(None))
        .where(col(OutboxMessage.next_attempt_at) <= unit.now, ~_behind_another())
        .order_by(col(OutboxMessage.id))
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    deliveries = []
    for message in unit.db.exec(due).all():
        message.attempts += 1
        message.next_attempt_at = unit.now + _LEASE
        try:
            payload = unit.vault.open(message.payload, f"outbox:{message.topic}")
        except SealBroken:
            _log.exception("message %s cannot be opened and is given up", message.id)
            message.next_attempt_at, message.failure = None, SealBroken.__name__
            continue
        deliveries.append(
            Delivery(message.outgoing_id or "", message.kind, payload, attempt=message.attempts)
        )
    return deliveries


def _give_back(unit: Unit, deliveries: Sequence[Delivery]) -> None:
    """Let messages be taken up at once that were leased and not sent."""
    for delivery in deliveries:
        message = unit.db.exec(
            select(OutboxMessage).where(OutboxMessage.outgoing_id == delivery.id).with_for_update()
        ).one()
        if message.attempts == delivery.attempt and message.delivered_at is None:
            message.attempts -= 1
            message.next_attempt_at = unit.now


def _behind_another() -> ColumnElement[bool]:
    """Return the condition that an earlier message of the same topic is still on its way."""
    earlier = aliased(OutboxMessage)
    return (
        select(earlier.id)
        .where(earlier.channel == OutboxMessage.channel, earlier.topic == OutboxMessage.topic)
        .where(col(earlier.id) < col(OutboxMessage.id), col(earlier.delivered_at).is_(None))
        .where(col(earlier.next_attempt_at).is_not(None))
        .exists()
    )


def _settle(
    unit: Unit, delivery: Delivery, failure: str | None, refused: bool, give_up: GivenUp | None
) -> None:
    message = unit.db.exec(
        select(OutboxMessage).where(OutboxMessage.outgoing_id == delivery.id).with_for_update()
    ).one()
    if message.delivered_at is not None:
        return  # another worker delivered it, or it went another way
    if failure is not None and message.attempts != delivery.attempt:
        return  # the lease ran out: another worker has it, and notes what becomes of it
    message.failure = failure
    most = ATTEMPTS_MAX if give_up is None else ATTEMPTS_BEFORE_ANOTHER_WAY
    if failure is None:
        message.delivered_at = unit.now
        message.payload = ""
        message.next_attempt_at = None
    elif refused or message.attempts >= most:
        message.next_attempt_at = None  # an operator sees it as undelivered: `yibao outbox`
        if give_up is not None:
            message.delivered_at, message.payload = unit.now, ""  # by another way
            give_up(unit, delivery, refused)
    else:
        message.next_attempt_at = unit.now + timedelta(seconds=2**message.attempts)


@dataclass(frozen=True)
class Undelivered:
    """A message that no gateway took."""

    id: int
    channel: str
    kind: str
    created_at: datetime
    attempts: int
    failure: str


def undelivered(unit: Unit) -> list[Undelivered]:
    """Return outside messages that were given up, the oldest first."""
    given_up = (
        select(OutboxMessage)
        .where(OutboxMessage.channel != Channel.LIVE)
        .where(col(OutboxMessage.delivered_at).is_(None))
        .where(col(OutboxMessage.next_attempt_at).is_(None))
        .order_by(col(OutboxMessage.id))
    )
    return [
        Undelivered(m.id or 0, m.channel, m.kind, m.created_at, m.attempts, m.failure or "")
        for m in unit.db.exec(given_up).all()
    ]
