"""Catalogue items as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from backend.kernel.money import UnitPrice


class ItemKind(StrEnum):
    """Which of the catalogues an item stands in; materials are listed with the treatments."""

    DRUG = "DRUG"
    TREATMENT = "TREATMENT"
    FACILITY = "FACILITY"
    MATERIAL = "MATERIAL"


class ItemClass(StrEnum):
    """甲, 乙 or outside the catalogue (丙, 目录外)."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True)
class ItemView:
    """An item with the terms of one day.

    ``prepaid_share`` is a decimal rate as text (先行自付比例), ``price_limit`` the highest price of one
    unit that insurance counts, or ``None`` where there is none.
    """

    code: str
    kind: ItemKind
    name: str
    dosage_form: str
    specification: str
    unit: str
    prescription_only: bool
    item_class: ItemClass
    prepaid_share: str
    price_limit: UnitPrice | None
    effective_from: date
    illustrative: bool
