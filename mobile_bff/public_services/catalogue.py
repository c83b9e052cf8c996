"""B3 "三目"目录查询: drugs, treatments and facilities with the terms of any day."""

from __future__ import annotations

from datetime import date

import strawberry

from backend.catalogue import queries
from backend.catalogue.contracts import ItemClass, ItemKind, ItemView
from backend.kernel.calendar import local_day
from backend.kernel.money import UnitPrice
from mobile_bff.connections import BadInput, page_size
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B3",
    "“三目”目录查询",
    "查目录",
    "Catalogue of drugs, treatments and facilities",
    ModuleState.AVAILABLE,
    "可按名称（含部分字）、拼音首字母和编码查询，看任意一天的目录版本；编码和限价为示例。",
)


@strawberry.type(name="CatalogueItem", description="An item with its terms on a day.")
class CatalogueItemType:
    """An item as the app shows it."""

    code: str = strawberry.field(description="National code (med_list_codg).")
    kind: ItemKind = strawberry.field(description="Drug, treatment or facility.")
    name: str = strawberry.field(description="Its name.")
    dosage_form: str = strawberry.field(description="Dosage form; empty if it is no drug.")
    specification: str = strawberry.field(description="Specification; empty if it is no drug.")
    unit: str = strawberry.field(description="What one unit is.")
    prescription_only: bool = strawberry.field(description="Whether it needs a prescription.")
    item_class: ItemClass = strawberry.field(description="甲, 乙 or outside (chrgitm_lv).")
    prepaid_share: str = strawberry.field(description="Prepaid share as a rate (selfpay_prop).")
    price_limit: UnitPrice | None = strawberry.field(
        description="Highest price of a unit that insurance counts; null: none."
    )
    effective_from: date = strawberry.field(description="First day of these terms.")
    illustrative: bool = strawberry.field(
        description="Whether code and terms are illustrative and no official entry."
    )


def item_type(view: ItemView) -> CatalogueItemType:
    """Return an item for the schema."""
    return CatalogueItemType(**vars(view))


@strawberry.type
class CatalogueQueries:
    """What anybody may ask about the catalogue."""

    @strawberry.field(description="Items by part of a name, pinyin initials or code, best first.")
    async def catalogue_items(
        self,
        info: Info,
        text: str,
        on: date | None = None,
        kind: ItemKind | None = None,
        first: int | None = None,
    ) -> list[CatalogueItemType]:
        """Return items with the terms of a day, today's by default."""
        limit = page_size(first)
        if not 1 <= len(text.strip()) <= 60:
            raise BadInput("text has 1 to 60 characters")
        views = await info.context.door.read(
            lambda unit: queries.search(unit, text.strip(), on or local_day(unit.now), limit, kind)
        )
        return [item_type(view) for view in views]
