"""Tables of the catalogue."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount


class CatalogueItem(SQLModel, table=True):
    """What a code stands for; this never changes."""

    __tablename__ = "catalogue_item"

    code: str = Field(primary_key=True)
    kind: str
    name: str = Field(index=True)
    dosage_form: str
    specification: str
    unit: str
    prescription_only: bool
    illustrative: bool


class CatalogueTerm(SQLModel, table=True):
    """How insurance treats an item from a day on; the latest that has begun is in force."""

    __tablename__ = "catalogue_term"

    code: str = Field(primary_key=True, foreign_key="catalogue_item.code")
    effective_from: date = Field(primary_key=True)
    item_class: str
    prepaid_share: str
    price_limit: int | None = Field(default=None, sa_type=Amount)
