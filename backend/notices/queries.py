"""Reads of notices."""

from __future__ import annotations

import json
from typing import Any

from sqlmodel import col, func, select

from backend.infra import live
from backend.infra.database import Unit
from backend.notices.contracts import NoticeChoices, NoticeTopic, NoticeView
from backend.notices.model import Notice, NoticeChoice, PushDevice
from backend.notices.templates import TEMPLATES, render
from backend.people import queries as people


def inbox(
    unit: Unit, person_id: str, before: int | None, limit: int, unread_only: bool = False
) -> list[NoticeView]:
    """Return somebody's notices below a number, the newest first."""
    query = select(Notice, live.snapshot_now(unit)).where(
        col(Notice.person_id).in_(people.records_of(person_id))
    )
    if before is not None:
        query = query.where(col(Notice.number) < before)
    if unread_only:
        query = query.where(col(Notice.read_at).is_(None))
    rows = unit.db.exec(query.order_by(col(Notice.number).desc()).limit(limit)).all()
    return [_view(unit, row, snapshot) for row, snapshot in rows]


def unread(unit: Unit, person_id: str) -> int:
    """Return how many notices somebody has not read."""
    query = (
        select(func.count())
        .where(col(Notice.person_id).in_(people.records_of(person_id)))
        .where(col(Notice.read_at).is_(None))
    )
    return int(unit.db.exec(query).one())


def choices(unit: Unit, person_id: str, devices: int | None = None) -> NoticeChoices:
    """Return what somebody has chosen. ``devices``: how many can be pushed to, where that is known."""
    row = unit.db.get(NoticeChoice, person_id)
    count = select(func.count()).where(PushDevice.person_id == person_id)
    settings = unit.settings
    return NoticeChoices(
        quiet_from=settings.quiet_from if row is None else row.quiet_from,
        quiet_until=settings.quiet_until if row is None else row.quiet_until,
        muted=() if row is None else tuple(NoticeTopic(topic) for topic in row.muted),
        devices=int(unit.db.exec(count).one()) if devices is None else devices,
    )


def devices(unit: Unit, person_id: str) -> list[PushDevice]:
    """Return the devices of somebody that can be pushed to."""
    query = select(PushDevice).where(PushDevice.person_id == person_id)
    return list(unit.db.exec(query.order_by(col(PushDevice.session_id))).all())


def facts_of(unit: Unit, row: Notice) -> dict[str, Any]:
    """Return the facts of a notice."""
    facts: dict[str, Any] = json.loads(unit.vault.open(row.facts, f"notice:{row.person_id}"))
    return facts


def _view(unit: Unit, row: Notice, snapshot: str) -> NoticeView:
    shown = render(row.kind, facts_of(unit, row))
    return NoticeView(
        id=row.id,
        number=row.number or 0,
        kind=row.kind,
        topic=TEMPLATES[row.kind].topic,
        title=shown.title,
        text=shown.text,
        at=row.at,
        read_at=row.read_at,
        snapshot=snapshot,
    )
