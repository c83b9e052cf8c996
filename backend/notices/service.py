"""Use cases of notices. Nothing else writes to a phone, a device or an inbox.

A notice is written in the transaction of what it tells about, so that nobody is told of what was undone, and
nothing that happened goes untold. Each stands in the inbox and in the live feed; by which ways it leaves
besides, and when, is decided in ``logic.sendings``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from sqlmodel import col, delete, select, update

from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.infra import audit, live, outbox
from backend.infra.database import Unit
from backend.infra.outbox import Channel, Delivery
from backend.kernel.errors import Refusal
from backend.notices import logic, queries
from backend.notices.contracts import (
    NEVER_MUTED,
    NoticeChoices,
    NoticeChoicesInvalid,
    NoticesRead,
    ReadNotices,
    RegisterPush,
    SetNoticeChoices,
    Way,
)
from backend.notices.logic import Reach, Sending
from backend.notices.model import Notice, NoticeChoice, PushDevice
from backend.notices.templates import TEMPLATES, Rendered, render
from backend.people import queries as people
from backend.people.contracts import NoticeBy

_CODES = "code:"


def tell(unit: Unit, person_id: str, kind: str, facts: Mapping[str, object] | None = None) -> None:
    """Tell somebody something. ``facts`` are JSON values that the template shows.

    Raises ``KeyError`` where there is no such template, or a fact of it is missing.
    """
    said, shown = dict(facts or {}), render(kind, facts or {})
    template, devices = TEMPLATES[kind], queries.devices(unit, person_id)
    reach = _reach(unit, person_id, bool(devices))
    sendings = logic.sendings(template.topic, template.urgent, reach, unit.now)
    notice = Notice(
        id=unit.new_id(),
        person_id=person_id,
        kind=kind,
        facts=unit.vault.seal(json.dumps(said, ensure_ascii=False), f"notice:{person_id}"),
        at=unit.now,
        written=any(one.way is Way.SMS for one in sendings),
    )
    unit.db.add(notice)
    outbox.enqueue(unit, Channel.LIVE, f"person:{person_id}", "NOTICE", notice.id)
    for sending in sendings:
        if sending.way is Way.PUSH:
            for device in devices:
                _push(unit, device, notice, shown, sending)
        else:
            _to_own_phone(unit, notice, said, shown, sending)


def to_phone(unit: Unit, phone: str, kind: str, facts: Mapping[str, object]) -> None:
    """Send a code, or word about an account, to a phone that need not be a person's. It never waits.

    Who wants to be called is called: the gateway speaks the template's words; ``by`` of the facts says so.
    """
    called = facts.get("by") == NoticeBy.CALL
    channel = Channel.VOICE if called else Channel.SMS
    outbox.enqueue_to_phone(unit, channel, phone, kind, facts, lane=_CODES)


def reached_now(unit: Unit, person_id: str) -> NoticeBy:
    """Return how somebody is reached at once: nobody is called in their quiet hours."""
    hours = queries.choices(unit, person_id)
    quiet = logic.quiet_until(unit.now, hours.quiet_from, hours.quiet_until) is not None
    preferred = people.preferences(unit, person_id).notice_by
    return NoticeBy.MESSAGE if quiet else preferred


def take_another_way(unit: Unit, delivery: Delivery, gone: bool) -> None:
    """Send a message for a push or a call that was given up: once a notice, whatever gave up first.

    ``gone``: nobody is there any more. Such a device is forgotten; if the person has another, that one was
    pushed to as well.
    """
    said = json.loads(delivery.payload)
    if "notice" not in said:  # a code that nobody took a call for
        facts = {**said, "by": NoticeBy.MESSAGE.value}
        to_phone(unit, str(facts.pop("to")), delivery.kind, facts)
        return
    notice = unit.db.exec(
        select(Notice).where(Notice.id == said["notice"]).with_for_update()
    ).first()
    if gone and "token" in said:
        index = unit.vault.index(said["token"], "push")
        unit.db.exec(delete(PushDevice).where(col(PushDevice.token_index) == index))
        if notice is not None and queries.devices(unit, notice.person_id):
            return
    if notice is None or notice.written:
        return
    preferred = people.preferences(unit, notice.person_id).notice_by
    if "token" in said and preferred is NoticeBy.CALL:
        return  # a call was made beside the push
    facts = queries.facts_of(unit, notice)
    shown = render(notice.kind, facts)
    now = Sending(Way.SMS, unit.now)
    _to_own_phone(unit, notice, facts, shown, now)
    notice.written = True
    unit.db.flush()


def set_choices(unit: Unit, command: SetNoticeChoices) -> NoticeChoices | Refusal:
    """Store quiet hours and muted topics."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    hours = (command.quiet_from, command.quiet_until)
    if not all(map(logic.is_hour, hours)) or set(command.muted) & set(NEVER_MUTED):
        return NoticeChoicesInvalid()
    row = unit.db.get(NoticeChoice, actor.person_id) or NoticeChoice(
        person_id=actor.person_id, quiet_from="", quiet_until="", muted=[]
    )
    row.quiet_from, row.quiet_until = hours
    row.muted = sorted({topic.value for topic in command.muted})
    unit.db.add(row)
    unit.db.flush()
    facts = {"quiet": "-".join(hours), "muted": row.muted}
    audit.record(unit, label(actor), "notices.choose", f"person:{actor.person_id}", facts)
    return queries.choices(unit, actor.person_id)


def register_push(unit: Unit, command: RegisterPush) -> NoticeChoices | Refusal:
    """Let the calling device be pushed to while its session lasts; a token is one device's."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    forget_device(unit, actor.session_id)
    if command.token:
        if not logic.is_token(command.token):
            return NoticeChoicesInvalid()
        index = unit.vault.index(command.token, "push")
        unit.db.exec(delete(PushDevice).where(col(PushDevice.token_index) == index))
        unit.db.add(
            PushDevice(
                session_id=actor.session_id,
                person_id=actor.person_id,
                token=unit.vault.seal(command.token, f"push:{actor.session_id}"),
                token_index=index,
                registered_at=unit.now,
            )
        )
        unit.db.flush()
    facts = {"session": actor.session_id, "on": bool(command.token)}
    audit.record(unit, label(actor), "notices.push", f"person:{actor.person_id}", facts)
    return queries.choices(unit, actor.person_id)


def forget_device(unit: Unit, session_id: str) -> None:
    """Push no more to the device of a session, which has ended or wants none."""
    unit.db.exec(delete(PushDevice).where(col(PushDevice.session_id) == session_id))


def read_notices(unit: Unit, command: ReadNotices) -> NoticesRead | Refusal:
    """Mark the caller's notices as read, up to a number, and those only that were shown. Twice is no error."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    unit.db.exec(
        update(Notice)
        .where(col(Notice.person_id).in_(people.records_of(actor.person_id)))
        .where(col(Notice.read_at).is_(None), col(Notice.number) <= command.up_to)
        .where(live.is_shown(unit, col(Notice.transaction_id), command.snapshot))
        .values(read_at=unit.now)
    )
    return NoticesRead(queries.unread(unit, actor.person_id))


def tidy_up(unit: Unit) -> int:
    """Remove notices that have stood in the inbox for long enough and return how many went."""
    before = unit.now - timedelta(days=unit.settings.notice_days)
    return unit.db.exec(delete(Notice).where(col(Notice.at) < before)).rowcount


def _reach(unit: Unit, person_id: str, has_devices: bool) -> Reach:
    chosen = queries.choices(unit, person_id, devices=int(has_devices))
    return Reach(
        has_phone=bool(people.particulars(unit, person_id).phone),
        has_devices=has_devices,
        wants_calls=people.preferences(unit, person_id).notice_by is NoticeBy.CALL,
        quiet_from=chosen.quiet_from,
        quiet_until=chosen.quiet_until,
        muted=chosen.muted,
    )


def _push(
    unit: Unit, device: PushDevice, notice: Notice, shown: Rendered, sending: Sending
) -> None:
    token = unit.vault.open(device.token, f"push:{device.session_id}")
    body = {"token": token, "notice": notice.id, "title": shown.title[0], "text": shown.text[0]}
    lane = ":now" if TEMPLATES[notice.kind].urgent else ""
    topic = f"push:{device.token_index}{lane}"
    payload = json.dumps(body, ensure_ascii=False)
    outbox.enqueue(unit, Channel.PUSH, topic, notice.kind, payload, sending.due)


def _to_own_phone(
    unit: Unit, notice: Notice, facts: Mapping[str, object], shown: Rendered, sending: Sending
) -> None:
    phone, kind = people.particulars(unit, notice.person_id).phone, notice.kind
    if not phone:
        return
    lane = "now:" if TEMPLATES[kind].urgent and sending.due <= unit.now else ""
    if sending.way is Way.VOICE:
        spoken = {
            "by": NoticeBy.CALL.value,
            "text": f"{shown.title[0]}。{shown.text[0]}",
            "notice": notice.id,
            **facts,
        }
        outbox.enqueue_to_phone(unit, Channel.VOICE, phone, kind, spoken, sending.due, lane)
    else:
        written = {"by": NoticeBy.MESSAGE.value, **facts}
        outbox.enqueue_to_phone(unit, Channel.SMS, phone, kind, written, sending.due, lane)
