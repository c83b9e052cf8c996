"""Words to begin a decision with, kept by the supervisors of each region."""

from __future__ import annotations

from sqlmodel import col, select

from backend.access.contracts import Role, StaffActor
from backend.access.logic import covers, label, serves
from backend.desk.contracts import (
    AddReplyTemplate,
    MatterDecision,
    RemoveReplyTemplate,
    ReplyTemplateView,
    TemplateNotFound,
    WordsMissing,
)
from backend.desk.model import ReplyTemplate
from backend.desk.service import serves_somewhere
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.matters.contracts import MatterKind
from backend.regions.library import area_name

_WORDS_MAX = 500


def of_regions(unit: Unit, actor: StaffActor) -> list[ReplyTemplateView]:
    """Return the words that hold where somebody works, of wider regions too, the oldest first."""
    rows = unit.db.exec(
        select(ReplyTemplate)
        .where(col(ReplyTemplate.removed_at).is_(None))
        .order_by(col(ReplyTemplate.id))
    ).all()
    own = {duty.region for duty in actor.duties}
    return [
        _view(row)
        for row in rows
        if any(covers(row.region, region) or covers(region, row.region) for region in own)
    ]


def add(unit: Unit, command: AddReplyTemplate) -> ReplyTemplateView | Refusal:
    """Add words for a region that one supervises."""
    refusal = serves(command.actor, Role.SUPERVISOR, (command.region,))
    if refusal is not None:
        return refusal
    words = command.words.strip()[:_WORDS_MAX]
    if not words:
        return WordsMissing()
    row = ReplyTemplate(
        id=unit.new_id(),
        region=command.region,
        kind="" if command.kind is None else command.kind,
        decision=command.decision,
        words=words,
        added_by=label(command.actor),
        added_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    audit.record(unit, row.added_by, "template.add", f"template:{row.id}", {"region": row.region})
    return _view(row)


def remove(unit: Unit, command: RemoveReplyTemplate) -> ReplyTemplateView | Refusal:
    """Take words away that nobody shall begin with any more; what was decided with them stays."""
    query = select(ReplyTemplate).where(
        ReplyTemplate.id == command.template_id, col(ReplyTemplate.removed_at).is_(None)
    )
    row = unit.db.exec(query.with_for_update()).first()
    if row is None:
        return serves_somewhere(command.actor, Role.SUPERVISOR) or TemplateNotFound()
    refusal = serves(command.actor, Role.SUPERVISOR, (row.region,))
    if refusal is not None:
        return refusal
    row.removed_by, row.removed_at = label(command.actor), unit.now
    unit.db.flush()
    audit.record(unit, row.removed_by, "template.remove", f"template:{row.id}", {})
    return _view(row)


def _view(row: ReplyTemplate) -> ReplyTemplateView:
    return ReplyTemplateView(
        id=row.id,
        region=row.region,
        region_name=area_name(row.region),
        kind=MatterKind(row.kind) if row.kind else None,
        decision=MatterDecision(row.decision),
        words=row.words,
        added_by=row.added_by,
    )
