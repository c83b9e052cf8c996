"""Who did what, in hash chains that show any later change, removal or insertion.

Sixteen lanes, chosen by the subject, so that writers for different people seldom wait for each other.
A lane's head is locked last of all locks and released by the commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from backend.infra.columns import canonical_json
from backend.infra.database import Unit
from backend.infra.model import AuditLane, AuditLine
from backend.kernel.invariants import invariant

LANES = 16
GENESIS = "0" * 64
FORM = 1
"""Version of what is hashed; a change of the canonical form takes a new number."""


@dataclass(frozen=True)
class ChainFault:
    """Where a chain stops being true."""

    lane: int
    number: int
    reason: str


def open_lanes(unit: Unit) -> None:
    """Make the empty lanes of a new database."""
    for lane in range(LANES):
        if unit.db.get(AuditLane, lane) is None:
            unit.db.add(AuditLane(lane=lane, length=0, head=GENESIS))


def record(unit: Unit, actor: str, action: str, subject: str, facts: Mapping[str, Any]) -> None:
    """Add a line. ``facts`` are JSON values without personal data: ids, amounts, codes.

    Call it last in a use case: it takes the lock that others wait for longest.
    """
    number_of_lane = int(hashlib.sha256(subject.encode()).hexdigest(), 16) % LANES
    lane = unit.db.exec(
        select(AuditLane).where(AuditLane.lane == number_of_lane).with_for_update()
    ).one()
    line = AuditLine(
        lane=lane.lane,
        number=lane.length + 1,
        at=unit.now,
        actor=actor,
        action=action,
        subject=subject,
        facts=dict(facts),
        request_id=unit.request_id,
        hash="",
    )
    line.hash = _hash(lane.head, line)
    lane.length, lane.head = line.number, line.hash
    unit.db.add(line)


def verify(unit: Unit) -> list[ChainFault]:
    """Return every place where a chain does not hold; an empty list means that all of them do."""
    faults: list[ChainFault] = []
    for lane in unit.db.exec(select(AuditLane).order_by(col(AuditLane.lane))).all():
        head, expected = GENESIS, 1
        lines = select(AuditLine).where(AuditLine.lane == lane.lane).order_by(col(AuditLine.number))
        for line in unit.db.exec(lines):
            if line.number != expected:
                faults.append(ChainFault(lane.lane, expected, "a line is missing"))
                break
            head, expected = _hash(head, line), expected + 1
            if line.hash != head:
                faults.append(ChainFault(lane.lane, line.number, "a line was changed"))
                break
        else:
            if (lane.length, lane.head) != (expected - 1, head):
                faults.append(ChainFault(lane.lane, expected, "lines were cut off the end"))
    return faults


def _hash(head: str, line: AuditLine) -> str:
    invariant(line.at.tzinfo is not None, "an audit line carries an aware instant")
    content = canonical_json(
        {
            "form": FORM,
            "lane": line.lane,
            "number": line.number,
            "at": line.at.isoformat(),
            "actor": line.actor,
            "action": line.action,
            "subject": line.subject,
            "facts": line.facts,
            "request_id": line.request_id,
        }
    )
    return hashlib.sha256(f"{head}\n{content}".encode()).hexdigest()
