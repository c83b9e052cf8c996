"""A year of settlements: sums by month and care, reversals counted off, and the tax deduction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from backend.kernel.money import Fen
from backend.ledger import queries as ledger
from backend.rulebook.library import rulebook
from backend.settlement import queries
from backend.settlement.case import CareKind
from backend.settlement.yearly import YearSummary, own_in_scope, summarise
from tests.usecases.test_claims import booked, claim
from tests.world import IBUPROFEN, World, line


def year(world: World, key: str = "retiree", asked: int = 2026) -> YearSummary:
    def read(unit: Any) -> YearSummary:
        return summarise(asked, queries.of_year(unit, world.person(key), asked), rulebook())

    return world.database.read(read)


def test_sums_are_those_of_what_stands(world: World) -> None:
    world.buy("retiree", line(IBUPROFEN, "2", "12.00"))
    gone = world.buy("retiree", line(IBUPROFEN, "1", "30.00"))
    world.reverse(gone.id)
    stay = booked(world, claim(world))
    found = year(world)
    assert (found.whole.count, found.whole.total_fen) == (2, 2_400 + 180_000)
    assert found.whole.total_fen == (
        found.whole.fund_fen
        + found.whole.hospital_fen
        + found.whole.account_fen
        + found.whole.family_fen
        + found.whole.cash_fen
    )
    assert [m.count for m in found.months] == [0, 0, 0, 0, 0, 2, *[0] * 6]
    cares = dict(found.by_care)
    assert cares[CareKind.INPATIENT].fund_fen == stay.settlement.fund_fen
    assert set(cares) == {CareKind.OUTPATIENT, CareKind.INPATIENT}
    assert year(world, asked=2025).whole.count == 0
    assert year(world, "worker").whole.count == 0


def test_what_is_deductible_is_what_was_borne_in_scope_above_the_threshold(world: World) -> None:
    view = booked(world, claim(world)).settlement
    tax = year(world).tax
    assert tax is not None
    assert tax.own_in_scope_fen == own_in_scope(view) == 101_000
    assert (tax.threshold_fen, tax.maximum_fen) == (1_500_000, 8_000_000)
    assert (tax.deductible_fen, tax.ref.provisional) == (0, False)

    def of(own: int) -> Fen:
        outcome = replace(view.outcome, total_fen=Fen(own), fund_fen=Fen(0), hospital_fen=Fen(0))
        one = replace(view, outcome=outcome)
        found = summarise(2026, [(CareKind.INPATIENT, one)], rulebook()).tax
        assert found is not None
        return found.deductible_fen

    assert of(1_500_000) == 0
    assert of(1_500_001) == 1
    assert of(9_500_000) == 8_000_000
    assert of(9_500_001) == 8_000_000
    assert summarise(2018, [], rulebook()).tax is None


def test_settlements_are_narrowed_by_year_care_and_area(world: World) -> None:
    bought = world.buy("retiree", line(IBUPROFEN, "2", "12.00"))
    stay = booked(world, claim(world)).settlement

    def listed(**more: Any) -> list[str]:
        person = world.person("retiree")
        found = world.database.read(lambda u: queries.of_person(u, person, None, 10, **more))
        return [view.id for view in found]

    assert listed() == [stay.id, bought.id]
    assert listed(year=2026, care=CareKind.INPATIENT) == [stay.id]
    assert listed(care=CareKind.CHRONIC) == []
    assert listed(year=2025) == []
    assert listed(area_code="510100") == [stay.id, bought.id]
    assert listed(area_code="510300") == []
    assert date(2026, 6, 15) == bought.service_date


def test_movements_of_an_account_are_narrowed_by_days(world: World) -> None:
    bought = world.buy("retiree", line(IBUPROFEN, "2", "12.00"))
    account = f"personal:{world.enrolment('retiree')}"

    def moved(since: date | None, until: date | None) -> list[str]:
        found = world.database.read(lambda u: ledger.lines(u, account, None, 10, since, until))
        return [one.reference for one in found]

    day = date(2026, 6, 15)
    assert bought.id in moved(day, day)
    assert moved(date(2026, 6, 16), None) == []
    assert moved(None, date(2026, 6, 14)) == []
    whose = world.database.read(lambda u: queries.whose(u, [bought.id, "no such"]))
    assert whose == {bought.id: world.person("retiree")}
    assert world.database.read(lambda u: queries.whose(u, [])) == {}
