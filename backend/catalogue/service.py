"""Writes local items and the decisions on them, and other provinces' terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from sqlmodel import col, select

from backend.access.contracts import Action, NotPermitted, SignInRequired, TerminalActor
from backend.access.logic import label, may
from backend.catalogue import queries
from backend.catalogue.contracts import (
    ItemsInvalid,
    ItemsUploaded,
    ItemView,
    LocalItem,
    LocalItemView,
    MatchCandidate,
    MatchState,
    UploadItems,
)
from backend.catalogue.matching import Matcher, sure_match
from backend.catalogue.model import CatalogueItem, LocalCatalogueItem, MatchDecision
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import RequestKeyInvalid, RequestKeyReused, once
from backend.kernel.calendar import local_day

PROGRAM = "program"
UPLOAD_MAX = 200


def upload_items(
    unit: Unit, command: UploadItems
) -> (
    ItemsUploaded
    | SignInRequired
    | NotPermitted
    | ItemsInvalid
    | RequestKeyReused
    | RequestKeyInvalid
):
    """Take a terminal's list of its institution's own items and match it."""
    actor = command.actor
    own = actor.institution_id if isinstance(actor, TerminalActor) else ""
    refusal = may(actor, Action.UPLOAD_ITEMS, own)
    if refusal is not None or not isinstance(actor, TerminalActor):
        return refusal or SignInRequired()
    codes = {item.local_code for item in command.items}
    named = all(item.local_code and item.name for item in command.items)
    if not 1 <= len(command.items) <= UPLOAD_MAX or len(codes) != len(command.items) or not named:
        return ItemsInvalid(UPLOAD_MAX)
    return once(
        unit,
        f"upload_items:{actor.terminal_id}",
        command.request_id,
        command,
        (ItemsUploaded,),
        lambda: ItemsUploaded(
            tuple(match_items(unit, label(actor), actor.institution_id, command.items))
        ),
    )


def match_items(
    unit: Unit, actor: str, institution_id: str, items: Sequence[LocalItem]
) -> list[LocalItemView]:
    """Store an institution's list and match it: the sure ones at once, the rest for a person.

    An item that is uploaded again unchanged keeps its decision; a changed one is judged anew. A match
    that a person made is never overruled by the program.
    """
    today = local_day(unit.now)
    matcher = _matcher(tuple(queries.all_items(unit, today)))
    known = {
        row.local_code: row
        for row in unit.db.exec(
            select(LocalCatalogueItem)
            .where(LocalCatalogueItem.institution_id == institution_id)
            .where(col(LocalCatalogueItem.local_code).in_({item.local_code for item in items}))
            .with_for_update()
        ).all()
    }
    views = []
    for item in items:
        facts = queries.LOCAL_ITEM.dump_python(item, mode="json")
        row = known.get(item.local_code)
        if row is not None and row.facts == facts:
            views.append(queries.local_view(row))
            continue
        candidates = matcher.candidates(item)
        sure = sure_match(candidates)
        if row is None:
            row = LocalCatalogueItem(
                id=unit.new_id(),
                institution_id=institution_id,
                local_code=item.local_code,
                facts=facts,
                state=MatchState.QUEUED,
                score=0,
                decided_by="",
                candidates=[],
                uploaded_at=unit.now,
            )
            unit.db.add(row)
            known[item.local_code] = row
        row.facts = facts
        row.candidates = queries.CANDIDATES.dump_python(tuple(candidates), mode="json")
        row.score = candidates[0].score if candidates else 0
        if sure is not None:
            _decide(unit, row, MatchState.MATCHED, sure.code, PROGRAM, today, today)
        else:
            row.state, row.code, row.effective_from = MatchState.QUEUED, None, None
            row.decided_by, row.decided_on = "", None
        unit.db.flush()
        views.append(queries.local_view(row))
    facts = {"items": len(items), "sure": sum(v.state is MatchState.MATCHED for v in views)}
    audit.record(unit, actor, "catalogue.upload", f"institution:{institution_id}", facts)
    return views


def decide_match(
    unit: Unit, actor: str, local_item_id: str, code: str | None, effective_from: date
) -> LocalItemView | None:
    """Record a person's decision on a local item; ``None`` as code: no national item is meant.

    Returns ``None`` where there is no such item or no such code. Bills before ``effective_from`` are
    untouched: what is settled keeps the code that it was settled by.
    """
    row = unit.db.get(LocalCatalogueItem, local_item_id, with_for_update=True)
    if row is None or (code is not None and unit.db.get(CatalogueItem, code) is None):
        return None
    state = MatchState.REFUSED if code is None else MatchState.MATCHED
    _decide(unit, row, state, code, actor, local_day(unit.now), effective_from)
    unit.db.flush()
    facts = {"item": row.id, "code": code or ""}
    audit.record(unit, actor, "catalogue.match", f"institution:{row.institution_id}", facts)
    return queries.local_view(row)


def _decide(
    unit: Unit,
    row: LocalCatalogueItem,
    state: MatchState,
    code: str | None,
    by: str,
    today: date,
    effective_from: date,
) -> None:
    row.state, row.code, row.decided_by = state, code, by
    row.decided_on, row.effective_from = today, effective_from
    candidates: tuple[MatchCandidate, ...] = queries.CANDIDATES.validate_python(row.candidates)
    unit.db.add(
        MatchDecision(
            id=unit.new_id(),
            local_item_id=row.id,
            state=state,
            code=code,
            score=next((c.score for c in candidates if c.code == code), 0),
            decided_by=by,
            decided_on=today,
            effective_from=effective_from,
            facts=row.facts,
        )
    )


@lru_cache(maxsize=4)
def _matcher(items: tuple[ItemView, ...]) -> Matcher:
    """Return a matcher for a catalogue; making one takes a while, and catalogues change rarely."""
    return Matcher(items)
