"""The data that ships: divisions, catalogue, samples."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

from backend.catalogue import library as catalogue
from backend.codes.logic import CODE_LENGTH, is_code, make_code
from backend.people.logic import birth_date_of, check_digit
from backend.regions.library import area_name, children, divisions, insured_area_of
from backend.sample_data import load
from tests.world import World


def test_divisions_of_sichuan_and_the_country() -> None:
    levels = Counter(division.level for division in divisions().values())
    assert levels == {"province": 31, "city": 342, "county": 2975}
    cities = children("510000")
    assert len(cities) == 21
    assert sum(len(children(city.code)) for city in cities) == 183
    assert area_name("510100") == "成都市"
    assert insured_area_of("510104") == "510100"
    assert area_name("519900") == "四川省本级"
    assert area_name("000000") == "000000"


def _catalogue() -> list[dict[str, str]]:
    path = Path(catalogue.__file__).parent / "data" / "catalogue.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_catalogue_holds_hundreds_of_generics_of_every_class() -> None:
    rows = _catalogue()
    drugs = [row for row in rows if row["kind"] == "DRUG"]
    assert len({row["name"] for row in drugs if row["item_class"] != "C"}) >= 300
    assert {row["item_class"] for row in drugs} == {"A", "B", "C"}
    assert {row["kind"] for row in rows} == {"DRUG", "TREATMENT", "FACILITY"}
    assert len({row["code"] for row in rows}) == len(rows)


def test_catalogue_codes_have_the_official_form() -> None:
    forms = {
        "DRUG": re.compile(r"X[A-Z0-9]{22}|Z[A-Z0-9]{19}"),
        "TREATMENT": re.compile(r"\d{15}-\d{9}"),
        "FACILITY": re.compile(r"\d{15}-\d{9}"),
    }
    for row in _catalogue():
        assert forms[row["kind"]].fullmatch(row["code"]), row
        assert (row["item_class"] == "A") == (row["prepaid_share"] == "0"), row
        assert (row["item_class"] == "C") == (row["prepaid_share"] == "1"), row


def test_id_numbers() -> None:
    assert check_digit("11010519491231002") == "X"
    assert birth_date_of("11010519491231002X") == date(1949, 12, 31)
    assert birth_date_of("11010519491231002x") == date(1949, 12, 31)
    for wrong in ("110105194912310021", "11010519491331002X", "1101051949123100", "", "x" * 18):
        assert birth_date_of(wrong) is None


def test_sample_people_cannot_be_real() -> None:
    number = load.sample_id_number(date(1988, 4, 12), 1, "2")
    assert birth_date_of(number) == date(1988, 4, 12)
    assert number[:2] == "99"
    with (Path(load.__file__).parent / "people.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 36
    assert all(row["phone"].startswith("120") for row in rows if row["phone"])
    assert all("样" in row["name"] for row in rows)


def test_every_county_has_a_hospital_and_a_pharmacy(world: World) -> None:
    from sqlalchemy import text

    query = text(
        "SELECT kind, count(DISTINCT division_code) FROM institution "
        "WHERE division_code LIKE '51%' GROUP BY kind"
    )
    counted = world.database.read(lambda u: dict(u.db.connection().execute(query).all()))
    assert counted == {"HOSPITAL": 183, "PHARMACY": 183}


def test_code_texts() -> None:
    text = make_code("751", "0123456789" * 2 + "012")
    assert len(text) == CODE_LENGTH == 28
    assert is_code(text, "751")
    assert not is_code(text, "424")
    for place in range(3, 28):  # every misread digit is caught
        for digit in "0123456789":
            if digit != text[place]:
                assert not is_code(text[:place] + digit + text[place + 1 :], "751")
    for place in range(3, 27):  # and every swap of two neighbours
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        assert swapped == text or not is_code(swapped, "751")
