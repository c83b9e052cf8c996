"""Tables of the catalogue."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant


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


class RegionTerm(SQLModel, table=True):
    """How another province treats an item from a day on, where its catalogue differs from ours."""

    __tablename__ = "catalogue_region_term"

    region: str = Field(primary_key=True)
    code: str = Field(primary_key=True, foreign_key="catalogue_item.code")
    effective_from: date = Field(primary_key=True)
    item_class: str
    prepaid_share: str
    price_limit: int | None = Field(default=None, sa_type=Amount)


class LocalCatalogueItem(SQLModel, table=True):
    """An item as an institution lists it, and the national item that it is matched with."""

    __tablename__ = "local_item"
    __table_args__ = (UniqueConstraint("institution_id", "local_code"),)

    id: str = Field(primary_key=True)
    institution_id: str = Field(foreign_key="institution.id")
    local_code: str
    facts: Any = Field(sa_type=CanonicalJson)
    state: str = Field(index=True)
    code: str | None = None
    score: int
    decided_by: str
    decided_on: date | None = None
    effective_from: date | None = None
    candidates: Any = Field(sa_type=CanonicalJson)
    uploaded_at: datetime = Field(sa_type=Instant)


class MatchDecision(SQLModel, table=True):
    """A decision on a local item, by the program or a person; append-only."""

    __tablename__ = "match_decision"

    id: str = Field(primary_key=True)
    local_item_id: str = Field(index=True)
    state: str
    code: str | None = None
    score: int
    decided_by: str
    decided_on: date
    effective_from: date
    facts: Any = Field(sa_type=CanonicalJson)
