"""Reads of reports. None of them opens who reported."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlmodel import col, func, or_, select

from backend.access.logic import is_province, prefix_of
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.reports.contracts import (
    EvidenceView,
    MessageBy,
    PublishedFinding,
    ReportEvent,
    ReportKind,
    ReportMessage,
    ReportState,
    ReportStep,
    ReportView,
    RewardState,
)
from backend.reports.model import (
    PublishedReport,
    Report,
    ReportEvidence,
    ReportMessageRow,
    ReportStepRow,
)

_WAITS = (ReportState.RECEIVED, ReportState.OPENED, ReportState.FOUND)


def by_ids(unit: Unit, ids: Sequence[str]) -> list[ReportView]:
    """Return reports, the latest day first."""
    rows = unit.db.exec(
        select(Report)
        .where(col(Report.id).in_(ids))
        .order_by(col(Report.received_on).desc(), col(Report.number))
    ).all()
    return views(unit, rows)


def waiting(unit: Unit, number: str, regions: Sequence[str], limit: int) -> list[ReportView]:
    """Return what waits for inspectors of some regions: who is threatened first, then by what is due.

    Appeals are the province's. What is kept from the member of staff with this number is not among it.
    """
    if not regions:
        return []
    within = or_(*(col(Report.region).startswith(prefix_of(region)) for region in regions))
    appeals = (ReportState.APPEALED,) if any(map(is_province, regions)) else ()
    mine = within & col(Report.state).in_((*_WAITS, *appeals))
    rows = unit.db.exec(
        select(Report)
        .where(mine, Report.kept_from != number)
        .order_by(col(Report.retaliation).desc(), col(Report.due_on), col(Report.number))
        .limit(limit)
    ).all()
    return views(unit, rows)


def published(unit: Unit, region: str, limit: int) -> list[PublishedFinding]:
    """Return what was published of a region, the newest month first."""
    rows = unit.db.exec(
        select(PublishedReport)
        .where(col(PublishedReport.region).startswith(prefix_of(region)))
        .order_by(col(PublishedReport.month).desc(), col(PublishedReport.id))
        .limit(limit)
    ).all()
    return [
        PublishedFinding(
            row.region,
            row.institution,
            ReportKind(row.kind),
            Fen(row.value_fen),
            row.summary,
            row.month,
        )
        for row in rows
    ]


def evidence_count(unit: Unit, report_id: str) -> int:
    """Return how many files a report has."""
    query = select(func.count()).where(ReportEvidence.report_id == report_id)
    return int(unit.db.exec(query).one())


def evidence_view(row: ReportEvidence) -> EvidenceView:
    """Return the view of a file."""
    return EvidenceView(row.id, row.name, row.content_type, row.size, row.digest, row.added_on)


def views(unit: Unit, rows: Sequence[Report]) -> list[ReportView]:
    """Return the views of reports, as many reads for one as for all."""
    ids, today = [row.id for row in rows], local_day(unit.now)
    steps, messages, files = _steps(unit, ids), _messages(unit, ids), _files(unit, ids)
    return [
        ReportView(
            id=row.id,
            number=row.number,
            pseudonym=row.pseudonym,
            real_name=row.real_name,
            state=ReportState(row.state),
            kind=ReportKind(row.kind),
            region=row.region,
            received_on=row.received_on,
            due_on=row.due_on,
            overdue=row.due_on is not None and row.due_on < today,
            extended=row.extended,
            retaliation=row.retaliation,
            value_fen=Fen(row.value_fen),
            reward=RewardState(row.reward),
            reward_fen=Fen(row.reward_fen),
            reward_by=row.reward_by,
            steps=tuple(steps.get(row.id, ())),
            messages=tuple(messages.get(row.id, ())),
            evidence=tuple(files.get(row.id, ())),
            **json.loads(unit.vault.open(row.body, f"report:{row.id}")),
        )
        for row in rows
    ]


def _steps(unit: Unit, ids: Sequence[str]) -> dict[str, list[ReportStep]]:
    found: dict[str, list[ReportStep]] = {}
    for row in unit.db.exec(
        select(ReportStepRow)
        .where(col(ReportStepRow.report_id).in_(ids))
        .order_by(col(ReportStepRow.report_id), col(ReportStepRow.place))
    ).all():
        words = unit.vault.open(row.words, f"report:{row.report_id}")
        step = ReportStep(row.day, ReportEvent(row.event), ReportState(row.state), words)
        found.setdefault(row.report_id, []).append(step)
    return found


def _messages(unit: Unit, ids: Sequence[str]) -> dict[str, list[ReportMessage]]:
    found: dict[str, list[ReportMessage]] = {}
    for row in unit.db.exec(
        select(ReportMessageRow)
        .where(col(ReportMessageRow.report_id).in_(ids))
        .order_by(col(ReportMessageRow.report_id), col(ReportMessageRow.place))
    ).all():
        words = unit.vault.open(row.words, f"report:{row.report_id}")
        message = ReportMessage(row.day, MessageBy(row.by), words, row.retaliation)
        found.setdefault(row.report_id, []).append(message)
    return found


def _files(unit: Unit, ids: Sequence[str]) -> dict[str, list[EvidenceView]]:
    found: dict[str, list[EvidenceView]] = {}
    for row in unit.db.exec(
        select(ReportEvidence)
        .where(col(ReportEvidence.report_id).in_(ids))
        .order_by(col(ReportEvidence.report_id), col(ReportEvidence.name))
    ).all():
        found.setdefault(row.report_id, []).append(evidence_view(row))
    return found
