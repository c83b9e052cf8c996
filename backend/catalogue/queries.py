"""Reads of the catalogue, for a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pydantic import TypeAdapter
from sqlmodel import col, select

from backend.catalogue.contracts import (
    ItemClass,
    ItemKind,
    ItemView,
    LocalItem,
    LocalItemView,
    MatchCandidate,
    MatchState,
)
from backend.catalogue.model import (
    CatalogueItem,
    CatalogueTerm,
    LocalCatalogueItem,
    RegionTerm,
)
from backend.infra import search as searching
from backend.infra.database import Unit
from backend.kernel.money import UnitPrice

HOME_REGION = "510000"
"""The province whose catalogue is shipped; other provinces are kept where they differ."""
LOCAL_ITEM = TypeAdapter(LocalItem)
CANDIDATES = TypeAdapter(tuple[MatchCandidate, ...])


def items_on(
    unit: Unit, codes: Sequence[str], day: date, region: str = HOME_REGION
) -> dict[str, ItemView]:
    """Return the items among ``codes`` that the catalogue of the day holds, by code.

    ``region`` is the province whose catalogue decides the terms; where it says nothing of an item of its
    own, the home province's terms stand in.
    """
    rows = unit.db.exec(
        select(CatalogueItem, CatalogueTerm)
        .where(CatalogueItem.code == CatalogueTerm.code)
        .where(col(CatalogueItem.code).in_(set(codes)))
        .where(CatalogueTerm.effective_from <= day)
        .order_by(col(CatalogueTerm.effective_from))
    ).all()
    found = {item.code: _view(item, term) for item, term in rows}
    if region != HOME_REGION and found:
        others = unit.db.exec(
            select(RegionTerm)
            .where(RegionTerm.region == region, RegionTerm.effective_from <= day)
            .where(col(RegionTerm.code).in_(sorted(found)))
            .order_by(col(RegionTerm.effective_from))
        ).all()
        for term in others:
            found[term.code] = _with_terms(found[term.code], term)
    return found


def local_items(
    unit: Unit, institution_id: str, state: MatchState | None, limit: int
) -> list[LocalItemView]:
    """Return an institution's local items, those with the lowest score first."""
    query = select(LocalCatalogueItem).where(LocalCatalogueItem.institution_id == institution_id)
    if state is not None:
        query = query.where(LocalCatalogueItem.state == state)
    ordered = query.order_by(col(LocalCatalogueItem.score), col(LocalCatalogueItem.local_code))
    return [local_view(row) for row in unit.db.exec(ordered.limit(limit)).all()]


def queued(unit: Unit, limit: int) -> list[tuple[str, LocalItemView]]:
    """Return local items that wait for a person, with their institutions, the oldest first."""
    rows = unit.db.exec(
        select(LocalCatalogueItem)
        .where(LocalCatalogueItem.state == MatchState.QUEUED)
        .order_by(col(LocalCatalogueItem.id))
        .limit(limit)
    ).all()
    return [(row.institution_id, local_view(row)) for row in rows]


def national_codes(
    unit: Unit, institution_id: str, local_codes: Sequence[str], day: date
) -> dict[str, str]:
    """Return the national codes of an institution's local codes whose match is in force on a day."""
    rows = unit.db.exec(
        select(LocalCatalogueItem)
        .where(LocalCatalogueItem.institution_id == institution_id)
        .where(LocalCatalogueItem.state == MatchState.MATCHED)
        .where(col(LocalCatalogueItem.local_code).in_(sorted(set(local_codes))))
    ).all()
    return {
        row.local_code: row.code
        for row in rows
        if row.code is not None and row.effective_from is not None and row.effective_from <= day
    }


def all_items(unit: Unit, day: date) -> list[ItemView]:
    """Return the whole catalogue of a day."""
    codes = unit.db.exec(select(CatalogueItem.code)).all()
    return list(items_on(unit, codes, day).values())


def local_view(row: LocalCatalogueItem) -> LocalItemView:
    """Return the view of a local item."""
    return LocalItemView(
        id=row.id,
        item=LOCAL_ITEM.validate_python(row.facts),
        state=MatchState(row.state),
        code=row.code,
        score=row.score,
        decided_by=row.decided_by,
        decided_on=row.decided_on,
        effective_from=row.effective_from,
        candidates=CANDIDATES.validate_python(row.candidates),
    )


SEARCH = "catalogue"
_CANDIDATES_MAX = 500


def search(
    unit: Unit, text: str, day: date, limit: int, kind: ItemKind | None = None
) -> list[ItemView]:
    """Return items found by name, pinyin initials or code, with the terms of a day, the best first.

    An item that the catalogue of that day did not hold yet is left out.
    """
    codes = searching.find(unit, SEARCH, text, _CANDIDATES_MAX)
    found = items_on(unit, codes, day)
    fits = [found[code] for code in codes if code in found]
    return [item for item in fits if kind in (None, item.kind)][:limit]


def _with_terms(item: ItemView, term: RegionTerm) -> ItemView:
    return replace(
        item,
        item_class=ItemClass(term.item_class),
        prepaid_share=term.prepaid_share,
        price_limit=None if term.price_limit is None else UnitPrice(term.price_limit),
        effective_from=term.effective_from,
    )


def _view(item: CatalogueItem, term: CatalogueTerm) -> ItemView:
    return ItemView(
        code=item.code,
        kind=ItemKind(item.kind),
        name=item.name,
        dosage_form=item.dosage_form,
        specification=item.specification,
        unit=item.unit,
        prescription_only=item.prescription_only,
        item_class=ItemClass(term.item_class),
        prepaid_share=term.prepaid_share,
        price_limit=None if term.price_limit is None else UnitPrice(term.price_limit),
        effective_from=term.effective_from,
        illustrative=item.illustrative,
    )
