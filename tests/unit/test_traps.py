"""The traps that take more than one bill or one pack; the others are golden cases named T01 to T22."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from backend.credit.contracts import PAY_LATER_STATES, PayLaterState, PayLaterView
from backend.credit.logic import (
    benefits_paused,
    deposit_refund,
    entitlement,
    may_be_listed,
    overdue,
    plan,
)
from backend.entitlements.contracts import CapitationAgreement, SignedMonth
from backend.entitlements.logic import (
    QualityOutOfBounds,
    clear_month,
    clear_year,
    effective_from,
    month_amount,
)
from backend.kernel.calendar import add_months
from backend.kernel.money import Fen, yuan_text
from backend.people.logic import waiting_months
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import make_book, rulebook, shipped_packs
from backend.settlement.calculate import calculate
from backend.settlement.casebook import case_of, read_cases, settle_case
from backend.settlement.stays import continued, stretches
from tests.cases.test_cases import BOOK, FOLDER

HERE = {
    7: "test_trap_7",
    8: "test_trap_8",
    10: "test_trap_10",
    17: "a use case",
    19: "test_trap_19",
}


def test_every_trap_has_its_test() -> None:
    ids = [case["id"] for case in read_cases(FOLDER)]
    covered = {n for n in range(1, 23) if any(i.split("-")[0] == f"T{n:02d}" for i in ids)}
    assert covered | set(HERE) == set(range(1, 23))


def _changed(topic: str, parameter: str, value: Any) -> Any:
    """Return the shipped book with one value of Chengdu changed on every date."""
    packs = copy.deepcopy(shipped_packs())
    pack = next(p for p in packs.values() if (p["region"], p["topic"]) == ("510100", topic))
    for dated in pack["parameters"][parameter]["values"]:
        dated.pop("table", None)
        dated["value"] = value
    pack["parameters"][parameter].pop("by", None)
    return make_book(packs)


BASES = {
    "own share alone": (["OWN_SHARE"], "33616.00"),
    "with the deductible": (["OWN_SHARE", "DEDUCTIBLE"], "34116.00"),
    "with what is above the cap": (["OWN_SHARE", "ABOVE_FUND_LIMIT"], "33616.00"),
    "with the prepaid share": (["OWN_SHARE", "PREPAID_SHARE"], "35616.00"),
    "with all": (["OWN_SHARE", "DEDUCTIBLE", "ABOVE_FUND_LIMIT", "PREPAID_SHARE"], "36116.00"),
}


@pytest.mark.parametrize("name", BASES)
def test_trap_10_what_enters_the_critical_illness_base_is_three_switches(name: str) -> None:
    kinds, base = BASES[name]
    book = _changed("critical_illness", "base", kinds)
    settled = settle_case(
        {
            "id": "T10",
            "region": "510100",
            "care": "INPATIENT",
            "person": {"insurance": "RESIDENT", "tier": "HIGH"},
            "scope": {"in_scope": "105550", "prepaid_share": "2000"},
        },
        book,
    )
    assert settled[0].shown["used.critical_illness.base"] == base


def test_trap_7_the_price_of_home_caps_the_price_away_where_the_region_says_so() -> None:
    packs = copy.deepcopy(shipped_packs())
    national = next(p for p in packs.values() if (p["region"], p["topic"]) == ("CN", "catalogue"))
    national["parameters"]["home_price"] = {
        "description": "x",
        "unit": "flag",
        "values": [{**national["parameters"]["over_limit"]["values"][0], "value": True}],
    }
    document = {
        "id": "T07",
        "region": "510100",
        "care": "INPATIENT",
        "place_area": "110000",
        "filing": "LONG_TERM_RESIDENT",
        "lines": [{"class": "A", "amount": "1000", "home_price": "700"}],
    }
    capped = settle_case(document, make_book(packs))[0].shown
    assert (capped["over_limit"], capped["in_scope"]) == ("300.00", "700.00")
    assert settle_case(document, rulebook())[0].shown["over_limit"] == "0.00"
    at_home = settle_case({**document, "place_area": "510100"}, make_book(packs))[0].shown
    assert at_home["over_limit"] == "0.00"


def _long_stay(region: str) -> Any:
    return case_of(
        {
            "region": region,
            "care": "INPATIENT",
            "stay": {"admitted": "2022-12-25", "discharged": "2023-01-02"},
            "lines": [
                {"class": "A", "amount": "500", "on": "2022-12-26"},
                {"class": "A", "amount": "4500", "on": "2023-01-01"},
            ],
        },
        BOOK,
    )


def test_trap_8_a_stay_across_the_year_by_discharge() -> None:
    case = _long_stay("330200")
    assert (case.year, stretches(case, BOOK)) == (2023, [case])


def test_trap_8_a_stay_across_the_year_by_the_day_of_each_line() -> None:
    """Taiyuan: two settlements, one deductible; each counts to its own year."""
    first, second = stretches(_long_stay("140100"), BOOK)
    assert (first.year, first.stay.discharged_on) == (2022, date(2022, 12, 31))
    before = calculate(first, BOOK)
    assert (before.deductible_fen, before.pool_fen, before.accumulator_year) == (50_000, 0, 2022)
    after = calculate(continued(second, before), BOOK)
    assert (after.deductible_fen, after.pool_fen, after.accumulator_year) == (30_000, 357_000, 2023)
    assert before.counts["inpatient_worker.stays"] == 1
    assert "inpatient_worker.stays" not in after.counts


def test_a_long_stay_settled_in_stages_pays_one_deductible_at_its_own_standard() -> None:
    """The second stay of the year, in two stages: 700 once, not 700 and then 600."""
    document = {"region": "510100", "care": "INPATIENT", "used": {"inpatient_worker.stays": 1}}
    lines = [{"class": "A", "amount": "500"}]
    first = calculate(case_of({**document, "lines": lines}, BOOK), BOOK)
    case = case_of({**document, "lines": [{"class": "A", "amount": "1200"}]}, BOOK)
    case = replace(case, used={"inpatient_worker.stays": 2})
    second = calculate(continued(case, first), BOOK)
    assert (first.deductible_fen, second.deductible_fen, second.pool_fen) == (
        50_000,
        20_000,
        85_000,
    )


@pytest.mark.parametrize(
    ("gap", "repaired", "exempt", "months"),
    [
        (0, 0, None, 3),
        (1, 0, None, 4),
        (3, 0, None, 6),
        (3, 2, None, 4),
        (3, 3, None, 3),
        (4, 0, None, 7),
        (4, 4, None, 6),
        (6, 6, None, 6),
        (0, 0, "NEWBORN", 0),
        (5, 0, "NEWBORN", 0),
    ],
)
def test_trap_19_waiting_period(gap: int, repaired: int, exempt: str | None, months: int) -> None:
    day = date(2025, 1, 1)
    assert waiting_months(gap, repaired, exempt, "510100", day, rulebook()) == months


def test_no_waiting_period_is_reckoned_before_there_was_a_rule() -> None:
    with pytest.raises(RuleMissing, match="CN-WAIT"):
        waiting_months(1, 0, None, "510100", date(2024, 12, 31), rulebook())


# -- capitation -----------------------------------------------------------------------------------

REGION = "120000"
MONTH = date(2026, 3, 1)


def _month(**changes: Any) -> SignedMonth:
    person = SignedMonth(
        "A", False, False, Fen(650_000), Fen(65_000), Fen(585_000), referred_fen=Fen(0)
    )
    return replace(person, **changes)


def test_a_month_of_capitation_is_a_twelfth_of_84600() -> None:
    assert yuan_text(month_amount(REGION, MONTH, BOOK)) == "7050.00"
    months = [month_amount(REGION, date(2026, m, 1), BOOK) for m in range(1, 13)]
    assert sum(months) == 8_460_000


def test_no_region_of_sichuan_has_capitation_unless_a_pack_says_so() -> None:
    with pytest.raises(RuleMissing, match=r"capitation\.year_amount"):
        month_amount("510100", MONTH, rulebook())


def test_the_fund_pays_the_capitation_less_the_patients_shares() -> None:
    """C18: 7050.00 - 650.00 = 6400.00; 5850.00 is booked, so 550.00 is the hospital's surplus."""
    cleared = clear_month(REGION, MONTH, [_month()], BOOK)
    assert (cleared.headcount, cleared.capitation_fen, cleared.due_fen) == (1, 705_000, 640_000)
    assert cleared.to_post_fen == 55_000


def test_months_in_hospital_and_suspended_ones_bring_no_capitation() -> None:
    persons = [_month(), _month(in_hospital=True), _month(suspended=True)]
    cleared = clear_month(REGION, MONTH, persons, BOOK)
    assert (cleared.headcount, cleared.left_out, cleared.capitation_fen) == (1, 2, 705_000)
    assert cleared.booked_fen == 585_000  # what was booked for the others stays as it is


def test_a_referral_out_is_charged_to_the_pilot_hospital() -> None:
    cleared = clear_month(REGION, MONTH, [_month(referred_fen=Fen(200_000))], BOOK)
    assert (cleared.due_fen, cleared.to_post_fen) == (440_000, -145_000)


def test_the_fund_never_pays_less_than_nothing() -> None:
    """PD-9: a share above the capitation leaves nothing for the fund, and takes nothing from others."""
    rich = _month(patient_fen=Fen(800_000), booked_fen=Fen(0))
    assert clear_month(REGION, MONTH, [rich], BOOK).due_fen == 0
    assert clear_month(REGION, MONTH, [rich, _month()], BOOK).due_fen == 640_000
    assert clear_month(REGION, MONTH, [_month(referred_fen=Fen(10**7))], BOOK).due_fen == 0


def test_a_year_keeps_the_surplus_and_does_not_make_overspend_good() -> None:
    month = clear_month(REGION, MONTH, [_month()], BOOK)
    thrifty = clear_year(REGION, 2026, [month] * 12, Fen(7_800_000), Fraction(0), BOOK)
    assert (thrifty.capitation_fen, thrifty.final_fen) == (8_460_000, 7_680_000)
    assert (thrifty.surplus_fen, thrifty.overspend_fen) == (660_000, 0)
    costly = clear_year(REGION, 2026, [month] * 12, Fen(9_000_000), Fraction(0), BOOK)
    assert (costly.final_fen, costly.surplus_fen, costly.overspend_fen) == (7_680_000, 0, 540_000)


def test_missed_quality_takes_a_bounded_share() -> None:
    month = clear_month(REGION, MONTH, [_month()], BOOK)
    year = clear_year(REGION, 2026, [month] * 12, Fen(7_800_000), Fraction("0.05"), BOOK)
    assert (year.deduction_fen, year.final_fen, year.surplus_fen) == (384_000, 7_296_000, 276_000)
    for wrong in (Fraction("0.11"), Fraction(-1, 100)):
        with pytest.raises(QualityOutOfBounds):
            clear_year(REGION, 2026, [month], Fen(0), wrong, BOOK)


def test_an_agreement_counts_from_the_month_after_it_was_entered() -> None:
    assert effective_from(date(2026, 3, 31)) == date(2026, 4, 1)
    assert effective_from(date(2026, 12, 1)) == date(2027, 1, 1)
    starts = effective_from(date(2026, 3, 2))
    agreement = CapitationAgreement("A", "E", "H", date(2026, 3, 2), starts, add_months(starts, 12))
    assert [agreement.signed_in(date(2026, m, 1)) for m in (3, 4, 12)] == [False, True, True]


# -- pay later ------------------------------------------------------------------------------------

DAY = date(2026, 5, 31)


def _agreement(state: PayLaterState = PayLaterState.OWING, **changes: Any) -> PayLaterView:
    parts = tuple(plan(Fen(100_000), 3, DAY, "510100", rulebook()))
    view = PayLaterView(
        "A", "P", "E", "H", "S", state, DAY, Fen(100_000), Fen(0), parts, told_on=None
    )
    return replace(view, **changes)


def test_who_is_admitted_without_a_deposit() -> None:
    def asked(identities: list[str], there: str, **how: bool) -> tuple[bool, str]:
        found = entitlement(
            "510100",
            DAY,
            identities,
            "510121",
            there,
            how.get("defaulted", False),
            how.get("emergency", False),
            rulebook(),
        )
        return found.entitled, found.reason

    assert asked(["MINIMUM_LIVING"], "510121") == (True, "ENTITLED")
    assert asked([], "510121") == (False, "NO_IDENTITY")
    assert asked(["MINIMUM_LIVING"], "510104") == (False, "OUTSIDE")
    assert asked(["MINIMUM_LIVING"], "510104", emergency=True) == (True, "ENTITLED")
    assert asked(["MINIMUM_LIVING"], "510121", defaulted=True) == (False, "DEFAULTED")
    assert asked(["MINIMUM_LIVING"], "510121", defaulted=True, emergency=True)[0]


def test_instalments_sum_to_the_debt_and_end_with_short_months() -> None:
    parts = plan(Fen(100_001), 3, DAY, "510100", rulebook())
    assert [p.amount_fen for p in parts] == [33_334, 33_334, 33_333]
    assert [p.due_on for p in parts] == [date(2026, 6, 30), date(2026, 7, 31), date(2026, 8, 31)]
    for count in (0, 13):
        with pytest.raises(ValueError, match="1 to 12"):
            plan(Fen(100_000), count, DAY, "510100", rulebook())
    with pytest.raises(ValueError, match="fen"):
        plan(Fen(2), 3, DAY, "510100", rulebook())


def test_a_default_is_listed_only_after_due_process() -> None:
    late = date(2026, 7, 1)
    assert overdue(_agreement(), late) == 33_334
    assert overdue(_agreement(paid_fen=Fen(33_334)), late) == 0
    missed = _agreement(PayLaterState.OVERDUE, told_on=late)
    assert not may_be_listed(missed, date(2026, 7, 31), "510100", rulebook())
    assert may_be_listed(missed, date(2026, 8, 1), "510100", rulebook())
    assert not may_be_listed(replace(missed, told_on=None), date(2027, 1, 1), "510100", rulebook())
    assert not may_be_listed(_agreement(told_on=late), date(2027, 1, 1), "510100", rulebook())
    paid = replace(missed, paid_fen=Fen(66_668))
    assert not may_be_listed(paid, date(2026, 8, 1), "510100", rulebook())


def test_benefits_pause_only_for_a_listed_default() -> None:
    listed = _agreement(PayLaterState.DEFAULTED)
    assert benefits_paused([_agreement(), listed], "510100", DAY, rulebook())
    others = [_agreement(state) for state in PayLaterState if state is not PayLaterState.DEFAULTED]
    assert not benefits_paused(others, "510100", DAY, rulebook())
    assert PAY_LATER_STATES.final_states() == {PayLaterState.CANCELLED}


def test_a_deposit_comes_back_less_the_burden() -> None:
    assert deposit_refund(Fen(500_000), Fen(123_456)) == 376_544
    assert deposit_refund(Fen(100_000), Fen(123_456)) == -23_456
