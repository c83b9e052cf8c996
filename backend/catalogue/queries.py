"""Reads of the catalogue, for a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, select

from backend.catalogue.contracts import ItemClass, ItemKind, ItemView
from backend.catalogue.model import CatalogueItem, CatalogueTerm
from backend.infra.database import Unit
from backend.kernel.money import UnitPrice


def items_on(unit: Unit, codes: Sequence[str], day: date) -> dict[str, ItemView]:
    """Return the items among ``codes`` that the catalogue of the day holds, by code."""
    rows = unit.db.exec(
        select(CatalogueItem, CatalogueTerm)
        .where(CatalogueItem.code == CatalogueTerm.code)
        .where(col(CatalogueItem.code).in_(set(codes)))
        .where(CatalogueTerm.effective_from <= day)
        .order_by(col(CatalogueTerm.effective_from))
    ).all()
    return {item.code: _view(item, term) for item, term in rows}


def search(unit: Unit, text: str, day: date, limit: int) -> list[ItemView]:
    """Return items whose name contains the text or whose code begins with it, by name."""
    rows = unit.db.exec(
        select(CatalogueItem.code)
        .where(
            col(CatalogueItem.name).contains(text, autoescape=True)
            | col(CatalogueItem.code).startswith(text, autoescape=True)
        )
        .order_by(col(CatalogueItem.name), col(CatalogueItem.code))
        .limit(limit)
    ).all()
    found = items_on(unit, rows, day)
    return [found[code] for code in rows if code in found]


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
