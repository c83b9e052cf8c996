"""Each monitoring rule at its edge, and how they do on a year."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from backend.kernel.money import Fen, Quantity
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from backend.supervision import logic
from backend.supervision.contracts import EXPLAINED, Effect, Monitor, Suspect
from backend.supervision.logic import Bought, PackSale, Presence, Sale, Scene, Spot
from backend.supervision.rules import terms_in
from mobile_bff.policy_tools import alarms

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)  # noon in Chengdu, a Monday
HOURS = ("08:00-20:00",) * 6 + ("",)
CHENGDU = Spot("A", "成都示例药店", "510100", 30_660_000, 104_063_000, HOURS)
NEXT_DOOR = replace(CHENGDU, institution_id="B", name="隔壁示例药店")
XICHANG = Spot("C", "西昌示例药店", "513400", 27_890_000, 102_260_000, HOURS)  # 354 km
BEIJING = Spot("D", "北京示例药店", "110100", 39_904_000, 116_407_000, HOURS)  # 1,519 km
TERMS = terms_in(rulebook(), "510100", NOW.date())
SALE = Sale("S0", NOW, "N1", "510100", CHENGDU, "T1", True, Fen(10_000))


def ago(**amount: float) -> datetime:
    return NOW - timedelta(**amount)


def sold(name: str, at: datetime, **changes: object) -> Sale:
    return replace(SALE, id=name, at=at, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("there", "minutes", "possible"),
    [(XICHANG, 83, False), (XICHANG, 84, True), (BEIJING, 232, False), (BEIJING, 233, True)],
)
def test_nobody_gets_there_in_the_time(there: Spot, minutes: int, possible: bool) -> None:
    seen = (Presence(NOW, CHENGDU), Presence(ago(minutes=minutes), there))
    found = logic.travel(Scene(SALE, seen=seen), TERMS)
    assert (found is None) is possible
    if found is not None:
        assert found.facts["minutes"] == minutes
        assert (found.suspect, found.subject) == (Suspect.PERSON, "N1")


def test_travel_needs_the_code_in_hand_here_and_a_real_distance() -> None:
    far = Presence(ago(minutes=5), XICHANG)
    assert logic.travel(Scene(SALE, seen=(far,)), TERMS) is None  # paid from afar
    near = Spot("E", "德阳示例药店", "510600", 31_130_000, 104_390_000, HOURS)
    seen = (Presence(NOW, CHENGDU), Presence(ago(minutes=5), near))
    assert logic.travel(Scene(SALE, seen=seen), TERMS) is None
    nowhere = replace(XICHANG, latitude=None)
    seen = (Presence(NOW, CHENGDU), Presence(ago(minutes=5), nowhere))
    assert logic.travel(Scene(SALE, seen=seen), TERMS) is None


def test_small_bills_that_are_a_large_one() -> None:
    def bills(*totals: int, spot: Spot = CHENGDU, hours: float = 1) -> Scene:
        earlier = tuple(
            sold(f"S{place}", ago(hours=hours), total_fen=Fen(total), spot=spot)
            for place, total in enumerate(totals, 1)
        )
        return Scene(SALE, of_person=earlier)

    found = logic.split(bills(15_000, 15_001), TERMS)
    assert found is not None
    assert found.facts == {"hours": 12, "bills": 3, "total": "400.01", "each": "200.00"}
    assert found.others == ("S1", "S2")
    assert logic.split(bills(15_000, 15_000), TERMS) is None  # 400.00 is not above
    assert logic.split(bills(20_000), TERMS) is None  # two bills
    assert logic.split(bills(20_001, 20_001), TERMS) is None  # those waited for the phone
    assert logic.split(bills(15_000, 20_000, spot=NEXT_DOOR), TERMS) is None
    assert logic.split(bills(15_000, 20_000, hours=12), TERMS) is None


def test_more_packs_than_anybody_needs() -> None:
    def drug(packs: int, code: str = "X1") -> tuple[Bought, ...]:
        return (Bought(code, "示例药", Quantity(packs * 10_000)),)

    now = replace(SALE, drugs=drug(6))
    lately = (sold("S1", ago(days=29), drugs=drug(9), spot=XICHANG),)
    assert logic.quantity(Scene(now, of_person=lately), TERMS) is None
    more = (*lately, sold("S2", ago(days=2), drugs=drug(1)))
    found = logic.quantity(Scene(now, of_person=more), TERMS)
    assert found is not None
    assert found.facts == {"days": 30, "drug": "示例药", "packs": 16, "most": 15}
    assert found.others == ("S1", "S2")
    old = (sold("S1", ago(days=30), drugs=drug(9)), sold("S2", ago(days=2), drugs=drug(1)))
    assert logic.quantity(Scene(now, of_person=old), TERMS) is None
    other = (sold("S1", ago(days=1), drugs=drug(15, "X2")),)
    assert logic.quantity(Scene(now, of_person=other), TERMS) is None


def test_the_dead_buy_nothing_from_the_next_day_on() -> None:
    assert logic.dead(Scene(SALE, died_on=date(2026, 6, 15)), TERMS) is None
    found = logic.dead(Scene(SALE, died_on=date(2026, 6, 14)), TERMS)
    assert found is not None
    assert found.facts == {"died_on": "2026-06-14"}
    assert logic.dead(Scene(SALE), TERMS) is None
    stay = replace(SALE, stay=True)
    assert (
        logic.dead(Scene(stay, died_on=date(2026, 6, 10)), TERMS) is None
    )  # the family settles it


def test_a_shop_that_sells_while_it_is_shut() -> None:
    night = datetime(2026, 6, 14, 18, 0, tzinfo=UTC)  # two in the morning

    def sales(count: int, at: datetime = night) -> Scene:
        earlier = tuple(sold(f"S{n}", at - timedelta(minutes=n + 1)) for n in range(count))
        return Scene(replace(SALE, at=at), of_terminal=earlier)

    found = logic.odd_hours(sales(4), TERMS)
    assert found is not None
    assert (found.suspect, found.facts) == (Suspect.TERMINAL, {"hours": 8, "sales": 5})
    assert logic.odd_hours(sales(3), TERMS) is None
    evening = datetime(2026, 6, 15, 12, 55, tzinfo=UTC)  # 20:55, within the hour of grace
    assert logic.odd_hours(sales(9, evening), TERMS) is None
    unknown = replace(sales(9).sale, spot=replace(CHENGDU, hours=()))
    assert logic.odd_hours(replace(sales(9), sale=unknown), TERMS) is None


def test_codes_of_strangers_at_one_till() -> None:
    def stranger(number: int, **changes: object) -> Sale:
        facts = {"person_id": f"N{number}", "home_area": "513400", "total_fen": Fen(15_000)}
        return sold(f"S{number}", ago(minutes=number), **{**facts, **changes})

    last = replace(stranger(9), at=NOW)
    three = tuple(stranger(number) for number in (1, 2, 3))
    found = logic.relayed(Scene(last, of_terminal=three), TERMS)
    assert found is not None
    assert found.facts == {"minutes": 30, "people": 4}
    for others in (
        three[:2],
        (*three[:2], stranger(30)),  # half an hour ago
        (*three[:2], stranger(3, home_area="510100")),
        (*three[:2], stranger(3, total_fen=Fen(14_999))),
        (*three[:2], stranger(3, person_id="N2")),
    ):
        assert logic.relayed(Scene(last, of_terminal=others), TERMS) is None
    local = replace(last, home_area="510100")
    assert logic.relayed(Scene(local, of_terminal=three), TERMS) is None


def test_a_pack_of_another_shop() -> None:
    def pack(spot: Spot) -> tuple[PackSale, ...]:
        return (PackSale("8" * 20, "S7", spot, ago(days=3)),)

    found = logic.trace_twice(Scene(SALE, packs=pack(NEXT_DOOR)), TERMS)
    assert found is not None
    assert found.facts["where"] == "隔壁示例药店"
    assert (found.suspect, found.subject, found.others) == (Suspect.PACK, "8" * 20, ("S7",))
    assert (
        logic.trace_twice(Scene(SALE, packs=pack(CHENGDU)), TERMS) is None
    )  # taken back and resold


def test_rules_are_dated_and_can_be_switched_off() -> None:
    before = terms_in(rulebook(), "510100", date(2025, 6, 30))
    assert before.effects[Monitor.TRACE_TWICE] is Effect.OFF
    assert TERMS.effects[Monitor.TRACE_TWICE] is Effect.ALERT
    scene = Scene(SALE, packs=(PackSale("8" * 20, "S7", NEXT_DOOR, ago(days=3)),))
    assert logic.examine(scene, before) == []
    assert [one.monitor for one in logic.examine(scene, TERMS)] == [Monitor.TRACE_TWICE]
    with pytest.raises(RuleMissing):
        terms_in(rulebook(), "510100", date(2022, 12, 31))


def test_every_rule_says_what_it_saw() -> None:
    assert set(EXPLAINED) == set(Monitor) == set(logic.MONITORS)
    found = logic.split(Scene(SALE, of_person=(sold("S1", NOW), sold("S2", NOW))), TERMS)
    assert found is None
    held = (Presence(NOW, CHENGDU), Presence(ago(minutes=1), XICHANG))
    travelled = logic.travel(Scene(SALE, seen=held), TERMS)
    assert travelled is not None
    said = EXPLAINED[Monitor.TRAVEL].zh.format(**travelled.facts)
    assert said == "1 分钟前该参保人的码在西昌示例药店被扫描，两地直线距离 354 公里。"


def test_the_readme_shows_what_the_rules_do_on_a_year() -> None:
    """The table is what the command prints today; planted frauds are caught, all but one."""
    table = alarms(rulebook())
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert table in readme
