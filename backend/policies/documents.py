"""Policy documents: drafted, published, superseded, withdrawn; found by what people type.

A document that supersedes another is published in the same act that ends it; nothing is deleted, so that
what held on a past day can still be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from backend.access.contracts import Action, Actor, NotPermitted, SignInRequired
from backend.access.logic import label, may
from backend.infra import audit, search
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.policies import logic
from backend.policies.document_contracts import (
    DOCUMENT_STATES,
    DocumentEvent,
    DocumentKind,
    DocumentState,
    DocumentView,
    FindDocuments,
    NewDocument,
    PolicyNotFound,
)
from backend.policies.model import PolicyDocument

SEARCH = "policy"
_CANDIDATES_MAX = 400
_CHAIN_MAX = 10


def draft(unit: Unit, actor: Actor, new: Sequence[NewDocument]) -> list[DocumentView] | Refusal:
    """Store drafts, which nobody outside finds. A code names a document for good."""
    refusal = _refusal(actor)
    if refusal is not None:
        return refusal
    rows = [
        PolicyDocument(
            id=unit.new_id(),
            state=DocumentState.DRAFT,
            insurance=None if one.insurance is None else one.insurance.value,
            **{name: value for name, value in vars(one).items() if name != "insurance"},
        )
        for one in new
    ]
    unit.db.add_all(rows)
    unit.db.flush()
    facts = {"documents": [row.code for row in rows][:50]}
    audit.record(unit, label(actor), "policy.draft", "policies", facts)
    return [view(row) for row in rows]


def publish(unit: Unit, actor: Actor, codes: Sequence[str]) -> list[DocumentView] | Refusal:
    """Publish drafts; what one of them supersedes ends the day before it takes effect."""
    refusal = _refusal(actor)
    if refusal is not None:
        return refusal
    rows = {row.code: row for row in _locked(unit, codes)}
    if set(rows) != set(codes):
        return PolicyNotFound()
    entries = {}
    for row in rows.values():
        after = DOCUMENT_STATES.after(DocumentState(row.state), DocumentEvent.PUBLISH)
        if after is None:
            return PolicyNotFound()
        row.state = after
        if row.supersedes is not None:
            for older in _locked(unit, [row.supersedes]):
                ended = DOCUMENT_STATES.after(DocumentState(older.state), DocumentEvent.SUPERSEDE)
                if ended is not None:
                    older.state = ended
                    older.effective_until = row.effective_from - timedelta(days=1)
        entries[row.id] = (
            (row.title, 6),
            (search.initials(row.title), 2),
            (row.number, 5),
            (row.summary, 3),
            (row.body, 1),
        )
    unit.db.flush()
    search.put(unit, SEARCH, entries)
    audit.record(unit, label(actor), "policy.publish", "policies", {"documents": list(codes)[:50]})
    return [view(row) for row in rows.values()]


def withdraw(unit: Unit, actor: Actor, code: str) -> DocumentView | Refusal:
    """Take a published document back; it is found no more, and still read by whoever has its code."""
    refusal = _refusal(actor)
    if refusal is not None:
        return refusal
    for row in _locked(unit, [code]):
        after = DOCUMENT_STATES.after(DocumentState(row.state), DocumentEvent.WITHDRAW)
        if after is not None:
            row.state = after
            unit.db.flush()
            search.put(unit, SEARCH, {row.id: ()})
            audit.record(unit, label(actor), "policy.withdraw", "policies", {"document": code})
            return view(row)
    return PolicyNotFound()


def find(unit: Unit, wanted: FindDocuments, limit: int) -> list[DocumentView]:
    """Return published documents that fit: what a text finds best, else the newest first."""
    query = select(PolicyDocument).where(*_fits(wanted))
    if not wanted.text.strip():
        newest = query.order_by(col(PolicyDocument.effective_from).desc(), col(PolicyDocument.code))
        return [view(row) for row in unit.db.exec(newest.limit(limit)).all()]
    text = wanted.text.strip()
    found = search.find(unit, SEARCH, text, _CANDIDATES_MAX, also=logic.other_words(text))
    rows = unit.db.exec(query.where(col(PolicyDocument.id).in_(found))).all()
    place = {document_id: number for number, document_id in enumerate(found)}
    rows = sorted(rows, key=lambda row: place[row.id])
    return [view(row) for row in rows[:limit]]


def is_known(unit: Unit, code: str) -> bool:
    """Tell whether a code is taken, by a draft too."""
    known = select(PolicyDocument.id).where(PolicyDocument.code == code)
    return unit.db.exec(known).first() is not None


def document(unit: Unit, code: str) -> DocumentView | None:
    """Return a document that was ever published, or ``None``."""
    row = unit.db.exec(select(PolicyDocument).where(PolicyDocument.code == code)).first()
    return None if row is None or row.state == DocumentState.DRAFT else view(row)


def chain(unit: Unit, found: DocumentView) -> list[DocumentView]:
    """Return what a document has superseded and what superseded it, the oldest first."""
    before: list[DocumentView] = []
    code = found.supersedes
    while code is not None and len(before) < _CHAIN_MAX:
        older = document(unit, code)
        if older is None:
            break
        before.insert(0, older)
        code = older.supersedes
    after: list[DocumentView] = []
    last = found
    while len(after) < _CHAIN_MAX:
        rows = unit.db.exec(
            select(PolicyDocument)
            .where(PolicyDocument.supersedes == last.code)
            .where(PolicyDocument.state != DocumentState.DRAFT)
            .order_by(col(PolicyDocument.effective_from))
        ).all()
        if not rows:
            break
        last = view(rows[0])
        after.append(last)
    return [*before, found, *after]


def view(row: PolicyDocument) -> DocumentView:
    """Return the view of a row."""
    return DocumentView(
        code=row.code,
        kind=DocumentKind(row.kind),
        state=DocumentState(row.state),
        region=row.region,
        title=row.title,
        issuer=row.issuer,
        number=row.number,
        published_on=row.published_on,
        effective_from=row.effective_from,
        effective_until=row.effective_until,
        summary=row.summary,
        body=row.body,
        topic=row.topic,
        insurance=row.insurance,
        source=row.source,
        provisional=row.provisional,
        supersedes=row.supersedes,
    )


def is_in_force(found: DocumentView, day: date) -> bool:
    """Tell whether a document holds on a day."""
    over = found.effective_until is not None and found.effective_until < day
    return found.effective_from <= day and not over


def _fits(wanted: FindDocuments) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = [
        col(PolicyDocument.state).in_((DocumentState.PUBLISHED, DocumentState.SUPERSEDED))
    ]
    if not wanted.past_too:
        clauses[0] = col(PolicyDocument.state) == DocumentState.PUBLISHED
    if wanted.regions is not None:
        clauses.append(col(PolicyDocument.region).in_(wanted.regions))
    if wanted.not_regions:
        clauses.append(col(PolicyDocument.region).not_in(wanted.not_regions))
    if wanted.kinds:
        clauses.append(or_(*(col(PolicyDocument.kind) == kind for kind in wanted.kinds)))
    return clauses


def _locked(unit: Unit, codes: Sequence[str]) -> Sequence[PolicyDocument]:
    return unit.db.exec(
        select(PolicyDocument)
        .where(col(PolicyDocument.code).in_(codes))
        .order_by(col(PolicyDocument.code))
        .with_for_update()
    ).all()


def _refusal(actor: Actor) -> SignInRequired | NotPermitted | None:
    return may(actor, Action.PUBLISH_POLICY, "")
