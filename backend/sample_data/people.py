"""Who lives in the sample province; apart from what loads them, because registers need no database."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from backend.people.logic import check_digit

PEOPLE = Path(__file__).parent / "people.csv"
_CIVIL = Path(__file__).parent / "civil_register.csv"


@dataclass(frozen=True)
class CivilRecord:
    """What a civil register knows of a fictitious person."""

    name: str
    id_number: str
    died_on: date | None


def civil_records() -> dict[str, CivilRecord]:
    """Return the fictitious people of the province, and three who are not insured, by number."""
    found = {}
    for file, first in ((PEOPLE, 1), (_CIVIL, 400)):
        with file.open(encoding="utf-8", newline="") as rows:
            for serial, row in enumerate(csv.DictReader(rows), first):
                birth = date.fromisoformat(row["birth_date"])
                number = sample_id_number(birth, serial, row["sex"])
                died = row.get("died_on")
                found[number] = CivilRecord(
                    row["name"], number, date.fromisoformat(died) if died else None
                )
    return found


def sample_people() -> dict[str, tuple[str, str]]:
    """Return name and ID number of the sample people who have a phone, by their phone."""
    found = {}
    with PEOPLE.open(encoding="utf-8", newline="") as rows:
        for serial, row in enumerate(csv.DictReader(rows), 1):
            birth = date.fromisoformat(row["birth_date"])
            found[row["phone"]] = (row["name"], sample_id_number(birth, serial, row["sex"]))
    return {phone: person for phone, person in found.items() if phone}


def sample_id_number(birth: date, serial: int, sex: str) -> str:
    """Return an ID number with a valid check digit and a place that does not exist."""
    odd = serial * 2 + (1 if sex == "1" else 0)
    body = f"990100{birth:%Y%m%d}{odd:03d}"
    return body + check_digit(body)
