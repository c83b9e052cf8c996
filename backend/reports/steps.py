"""What every use case of a report does: move it, write down the day, let its reporter be told."""

from __future__ import annotations

from sqlmodel import func, select

from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.invariants import invariant
from backend.reports.contracts import (
    REPORT_STATES,
    REWARD_STATES,
    MessageBy,
    ReportEvent,
    ReportState,
    RewardEvent,
    RewardState,
)
from backend.reports.logic import TELLS
from backend.reports.model import Report, ReportMessageRow, ReportStepRow

REPORTER = "reporter"


def can(row: Report, event: ReportEvent) -> bool:
    """Tell whether something can happen to a report now."""
    return REPORT_STATES.after(ReportState(row.state), event) is not None


def move(unit: Unit, row: Report, event: ReportEvent, by: str, words: str = "") -> None:
    """Move a report. What its reporter does is audited by the day alone, in the report's own steps."""
    after = REPORT_STATES.after(ReportState(row.state), event)
    invariant(after is not None, f"a report that is {row.state} cannot {event}")
    row.state = after or row.state
    place = select(func.count()).where(ReportStepRow.report_id == row.id)
    unit.db.add(
        ReportStepRow(
            report_id=row.id,
            place=int(unit.db.exec(place).one()) + 1,
            day=local_day(unit.now),
            actor=by,
            event=event,
            state=row.state,
            words=unit.vault.seal(words.strip(), f"report:{row.id}"),
        )
    )
    if event in TELLS:
        mark_notice(row)
    unit.db.flush()
    if by != REPORTER:
        facts = {"state": row.state}
        audit.record(unit, by, f"report.{event.lower()}", f"report:{row.id}", facts)


def mark_notice(row: Report) -> None:
    """Let its reporter be notified that something waits; a notice on its way for an earlier mark is another."""
    row.notice_due, row.notice_number = True, None


def move_reward(row: Report, event: RewardEvent) -> None:
    """Move the reward of a report, where it can be."""
    after = REWARD_STATES.after(RewardState(row.reward), event)
    invariant(after is not None, f"a reward that is {row.reward} cannot {event}")
    row.reward = after or row.reward


def say(
    unit: Unit, row: Report, by: MessageBy, actor: str, words: str, retaliation: bool = False
) -> None:
    """Add a message to a report."""
    place = select(func.count()).where(ReportMessageRow.report_id == row.id)
    unit.db.add(
        ReportMessageRow(
            report_id=row.id,
            place=int(unit.db.exec(place).one()) + 1,
            day=local_day(unit.now),
            by=by,
            actor=actor,
            retaliation=retaliation,
            words=unit.vault.seal(words.strip(), f"report:{row.id}"),
        )
    )
    row.retaliation = row.retaliation or retaliation
    unit.db.flush()


def locked(unit: Unit, report_id: str) -> Report | None:
    """Return a report, locked and read anew."""
    query = select(Report).where(Report.id == report_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).first()
