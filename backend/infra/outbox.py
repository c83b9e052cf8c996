"""What must leave the system, written in the transaction that causes it and sent after commit.

Two channels so far. ``LIVE`` is read by the subscriptions of every worker and never sent anywhere.
``SMS`` goes to the gateway: at least once, with the message's own id so that the gateway can drop a
repetition; its payload is sealed and emptied once delivered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlmodel import col, select

from backend.infra.database import Database, Unit
from backend.infra.model import OutboxMessage
from backend.kernel.invariants import invariant

ATTEMPTS_MAX = 8
_LEASE = timedelta(seconds=30)
_BATCH = 20


class Channel(StrEnum):
    """Where a message goes."""

    LIVE = "LIVE"
    SMS = "SMS"


@dataclass(frozen=True)
class Delivery:
    """A message in the hands of a sender."""

    id: int
    kind: str
    payload: str


class DeliveryFailed(Exception):
    """The other side did not take the message; it is tried again later."""


def enqueue(unit: Unit, channel: Channel, topic: str, kind: str, payload: str) -> None:
    """Write a message to be delivered after commit. Outside payloads are sealed."""
    outside = channel is not Channel.LIVE
    message = OutboxMessage(
        channel=channel,
        topic=topic,
        kind=kind,
        payload=unit.vault.seal(payload, f"outbox:{topic}") if outside else payload,
        created_at=unit.now,
        next_attempt_at=unit.now if outside else None,
    )
    unit.db.add(message)


def enqueue_sms(unit: Unit, phone: str, template: str, facts: Mapping[str, object]) -> None:
    """Write a text message to a phone, to be delivered after commit."""
    invariant("to" not in facts, "what a message says cannot change where it goes")
    payload = json.dumps({"to": phone, **facts}, ensure_ascii=False)
    enqueue(unit, Channel.SMS, unit.vault.index(phone, "phone"), template, payload)


def deliver_due(database: Database, channel: Channel, send: Callable[[Delivery], None]) -> int:
    """Send what is due on a channel and return how many messages were taken up.

    A message is leased before it is sent, so two workers do not send it at once and a worker that
    dies lets it be taken up again.
    """
    due = database.write(lambda unit: _lease(unit, channel))
    for delivery in due:
        failure = None
        try:
            send(delivery)
        except DeliveryFailed as error:
            failure = str(error)[:200]
        database.write(partial(_settle, message_id=delivery.id, failure=failure))
    return len(due)


def _lease(unit: Unit, channel: Channel) -> list[Delivery]:
    due = (
        select(OutboxMessage)
        .where(OutboxMessage.channel == channel, col(OutboxMessage.delivered_at).is_(None))
        .where(col(OutboxMessage.next_attempt_at) <= unit.now)
        .order_by(col(OutboxMessage.id))
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    deliveries = []
    for message in unit.db.exec(due).all():
        message.attempts += 1
        message.next_attempt_at = unit.now + _LEASE
        payload = unit.vault.open(message.payload, f"outbox:{message.topic}")
        deliveries.append(Delivery(message.id or 0, message.kind, payload))
    return deliveries


def _settle(unit: Unit, message_id: int, failure: str | None) -> None:
    message = unit.db.get_one(OutboxMessage, message_id)
    message.failure = failure
    if failure is None:
        message.delivered_at = unit.now
        message.payload = ""
        message.next_attempt_at = None
    elif message.attempts >= ATTEMPTS_MAX:
        message.next_attempt_at = None  # an operator sees it as undelivered: `yibao outbox`
    else:
        message.next_attempt_at = unit.now + timedelta(seconds=2**message.attempts)


@dataclass(frozen=True)
class GivenUp:
    """A message that no gateway took."""

    id: int
    channel: str
    kind: str
    created_at: datetime
    attempts: int
    failure: str


def undelivered(unit: Unit) -> list[GivenUp]:
    """Return outside messages that were given up, the oldest first."""
    given_up = (
        select(OutboxMessage)
        .where(OutboxMessage.channel != Channel.LIVE)
        .where(col(OutboxMessage.delivered_at).is_(None))
        .where(col(OutboxMessage.next_attempt_at).is_(None))
        .order_by(col(OutboxMessage.id))
    )
    return [
        GivenUp(m.id or 0, m.channel, m.kind, m.created_at, m.attempts, m.failure or "")
        for m in unit.db.exec(given_up).all()
    ]


def live_after(unit: Unit, low_water: int) -> list[tuple[int, str, str, str]]:
    """Return live messages above an id as (id, topic, kind, payload), the oldest first."""
    newer = (
        select(OutboxMessage)
        .where(OutboxMessage.channel == Channel.LIVE, col(OutboxMessage.id) > low_water)
        .order_by(col(OutboxMessage.id))
    )
    return [(m.id or 0, m.topic, m.kind, m.payload) for m in unit.db.exec(newer).all()]


def live_of_topic(unit: Unit, topic: str, since: datetime) -> list[tuple[int, str, str]]:
    """Return a topic's live messages since an instant as (id, kind, payload), the oldest first."""
    rows = unit.db.exec(
        select(OutboxMessage)
        .where(OutboxMessage.channel == Channel.LIVE, OutboxMessage.topic == topic)
        .where(OutboxMessage.created_at >= since)
        .order_by(col(OutboxMessage.id))
    ).all()
    return [(m.id or 0, m.kind, m.payload) for m in rows]


def live_low_water(unit: Unit, since: datetime) -> int:
    """Return the highest id of all live messages older than an instant, or 0."""
    newest = (
        select(col(OutboxMessage.id))
        .where(OutboxMessage.channel == Channel.LIVE, OutboxMessage.created_at < since)
        .order_by(col(OutboxMessage.id).desc())
        .limit(1)
    )
    return unit.db.exec(newest).first() or 0
