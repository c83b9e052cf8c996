"""Searches: parts of words, pinyin initials, codes; distance, opening hours, abilities."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from backend.catalogue import queries as catalogue
from backend.catalogue.contracts import ItemKind
from backend.infra import search
from backend.institutions import logic
from backend.institutions import queries as institutions
from backend.institutions.contracts import (
    Ability,
    Agreement,
    InstitutionFound,
    InstitutionKind,
    Point,
    SearchInstitutions,
)
from backend.kernel.calendar import SHANGHAI
from tests.world import World

TIANFU = Point(30_657_000, 104_066_000)
DAY = date(2026, 6, 15)


def find(world: World, limit: int = 20, **wanted: Any) -> list[InstitutionFound]:
    asked = SearchInstitutions(**wanted)
    return world.database.read(lambda u: institutions.search_institutions(u, asked, limit))


def names(found: list[InstitutionFound]) -> list[str]:
    return [one.institution.name for one in found]


def items(world: World, text: str, day: date = DAY, kind: ItemKind | None = None) -> list[str]:
    return [
        one.name for one in world.database.read(lambda u: catalogue.search(u, text, day, 20, kind))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("武侯区社区卫生", "成都市武侯区示例社区卫生服务中心"),
        ("自贡 中医", "自贡市示例中医医院"),
        ("cdswhqsldyf", "成都市武侯区示例大药房"),
        ("H51010400001", "成都市示例第一人民医院"),
        ("武侯大药房", "成都市武侯区示例大药房"),
    ],
)
def test_institutions_are_found_by_what_people_type(world: World, text: str, expected: str) -> None:
    assert names(find(world, text=text))[0] == expected


def test_nothing_fits_and_nonsense_finds_nothing(world: World) -> None:
    assert find(world, text="qqqzzz") == []
    assert find(world, text="，。！") == []
    assert find(world, text="%_") == []
    assert items(world, "不存在的药品") == []


def test_the_nearest_first_and_none_beyond_the_distance(world: World) -> None:
    found = find(world, near=TIANFU, within_metres=20_000, kind=InstitutionKind.PHARMACY)
    metres = [one.metres for one in found]
    assert metres == sorted(metres, key=lambda m: m or 0)
    assert metres
    assert all(m is not None and m <= 20_000 for m in metres)
    everything = find(world, 2_000, near=TIANFU, kind=InstitutionKind.PHARMACY)
    near = [one for one in everything if one.metres is not None and one.metres <= 20_000]
    assert len(near) == len(
        find(world, 2_000, near=TIANFU, within_metres=20_000, kind=InstitutionKind.PHARMACY)
    )


def test_a_degree_of_latitude_is_what_it_is(world: World) -> None:
    [place] = find(world, 1, text="H51010400001")
    north = replace(place.institution, latitude=31_657_000, longitude=104_066_000)
    assert logic.metres_to(TIANFU, north) == pytest.approx(111_195, abs=5)
    assert logic.metres_to(TIANFU, replace(north, latitude=None)) is None


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        (datetime(2026, 6, 21, 10, 0, tzinfo=SHANGHAI), False),  # a Sunday
        (datetime(2026, 6, 20, 17, 59, tzinfo=SHANGHAI), True),
        (datetime(2026, 6, 20, 18, 0, tzinfo=SHANGHAI), False),
        (datetime(2026, 6, 20, 8, 59, tzinfo=SHANGHAI), False),
        (datetime(2026, 6, 20, 9, 0, tzinfo=SHANGHAI), True),
    ],
)
def test_what_is_shut_is_not_found_for_that_moment(
    world: World, moment: datetime, open_: bool
) -> None:
    found = find(world, text="武侯区示例便民药店", open_at=moment, kind=InstitutionKind.PHARMACY)
    assert ("成都市武侯区示例便民药店" in names(found)) is open_
    assert all(one.open for one in found)


def test_abilities_levels_regions_and_agreements_narrow_it(world: World) -> None:
    pooled = find(
        world,
        2_000,
        region="510100",
        abilities=(Ability.OUTPATIENT_POOLING,),
        kind=InstitutionKind.PHARMACY,
    )
    assert pooled
    assert all(Ability.OUTPATIENT_POOLING in one.institution.abilities for one in pooled)
    assert all(one.institution.division_code.startswith("5101") for one in pooled)
    assert {one.institution.level for one in find(world, 200, level=3)} == {3}
    shut = "成都市武侯区示例停业药店"
    assert shut not in names(find(world, text=shut))
    kept = find(world, text=shut, open_agreements_only=False)
    assert kept[0].institution.agreement is Agreement.SUSPENDED


@pytest.mark.parametrize(
    ("text", "expected"),
    [("布洛芬", "布洛芬片"), ("blf", "布洛芬片"), ("洛芬", "布洛芬片"), ("阿莫西", "阿莫西林胶囊")],
)
def test_items_are_found_by_part_of_a_name_and_initials(
    world: World, text: str, expected: str
) -> None:
    assert expected in items(world, text)


def test_items_have_the_terms_of_the_day_and_none_before_they_were_listed(world: World) -> None:
    assert items(world, "布洛芬", date(2022, 12, 31)) == []
    assert items(world, "布洛芬", kind=ItemKind.FACILITY) == []
    [first, *_] = world.database.read(lambda u: catalogue.search(u, "布洛芬片", DAY, 5))
    by_code = world.database.read(lambda u: catalogue.search(u, first.code, DAY, 5))
    assert by_code[0] == first


def test_pairs_initials_and_ways_to_say_a_thing(world: World) -> None:
    assert search.asked("医保 A1") == {"医保", "a1"}
    assert search.asked("医") == {"医"}
    assert search.initials("布洛芬片") == "blfp"
    assert search.grams("布洛芬 A1B") == {"布洛", "洛芬", "a1", "1b", "a1b"}

    def written(unit: Any) -> list[str]:
        search.put(unit, "test", {"a": [("门诊慢特病认定", 2)], "b": [("住院报销", 1)]})
        search.put(unit, "test", {"b": [("异地住院", 1)]})
        return [
            *search.find(unit, "test", "门特认定", 5, also=("门诊慢特病认定",)),
            *search.find(unit, "test", "报销", 5),
            *search.find(unit, "test", "异地住院", 5),
        ]

    assert world.database.write(written) == ["a", "b"]
