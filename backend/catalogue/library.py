"""The catalogue that ships with the program, for a new database.

``data/catalogue.csv`` names real generic medicines, treatments and facilities. Names, dosage forms and
the split into classes 甲 and 乙 are public knowledge; codes have the official form (23 characters for
western medicines, 20 for Chinese patent medicines, 15-9 digits for services) but are illustrative, as
are the price limits and the prepaid share of 10 % for class 乙 drugs. Every item says so.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlmodel import select

from backend.catalogue.contracts import ItemClass, ItemKind, ItemView
from backend.catalogue.model import CatalogueItem, CatalogueTerm
from backend.catalogue.queries import SEARCH
from backend.infra import search
from backend.infra.database import Unit
from backend.kernel.money import parse_unit_price

_FILE = Path(__file__).parent / "data" / "catalogue.csv"
EFFECTIVE_FROM = date(2023, 1, 1)


def load_catalogue(unit: Unit) -> int:
    """Store the shipped catalogue in an empty one and return the number of its items."""
    items, terms = [], []
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            items.append(
                CatalogueItem(
                    code=row["code"],
                    kind=row["kind"],
                    name=row["name"],
                    dosage_form=row["dosage_form"],
                    specification=row["specification"],
                    unit=row["unit"],
                    prescription_only=row["prescription_only"] == "1",
                    illustrative=True,
                )
            )
            limit = row["price_limit_yuan"]
            terms.append(
                CatalogueTerm(
                    code=row["code"],
                    effective_from=EFFECTIVE_FROM,
                    item_class=row["item_class"],
                    prepaid_share=row["prepaid_share"],
                    price_limit=parse_unit_price(limit) if limit else None,
                )
            )
    unit.db.add_all(items)
    unit.db.flush()
    unit.db.add_all(terms)
    unit.db.flush()
    make_findable(unit, items)
    return len(items)


def make_findable(unit: Unit, items: Sequence[CatalogueItem]) -> None:
    """Let items be found by name, pinyin initials, code, dosage form and specification."""
    entries = {
        item.code: (
            (item.name, 4),
            (search.initials(item.name), 3),
            (item.code, 3),
            (item.dosage_form + item.specification, 1),
        )
        for item in items
    }
    search.put(unit, SEARCH, entries)


def find_all_anew(unit: Unit) -> int:
    """Let every item be found by what it is called now, and return how many they are."""
    everything = unit.db.exec(select(CatalogueItem)).all()
    make_findable(unit, everything)
    return len(everything)


def shipped_items() -> list[ItemView]:
    """Return the items that ship with the program, with their first terms, without a database."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return [
            ItemView(
                code=row["code"],
                kind=ItemKind(row["kind"]),
                name=row["name"],
                dosage_form=row["dosage_form"],
                specification=row["specification"],
                unit=row["unit"],
                prescription_only=row["prescription_only"] == "1",
                item_class=ItemClass(row["item_class"]),
                prepaid_share=row["prepaid_share"],
                price_limit=parse_unit_price(row["price_limit_yuan"])
                if row["price_limit_yuan"]
                else None,
                effective_from=EFFECTIVE_FROM,
                illustrative=True,
            )
            for row in csv.DictReader(file)
        ]
