"""What a reversal disturbs, which facts a settlement asks for, and the small sums of counters."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.kernel.money import Fen
from backend.people.contracts import InsuranceType
from backend.rulebook.library import rulebook
from backend.settlement.calculate import calculate
from backend.settlement.case import CareKind
from backend.settlement.casebook import case_of
from backend.settlement.logic import Booked, add, asks_about_person, rerun_without, take
from backend.settlement.stays import continued, stretches, year_of
from tests.cases.test_cases import BOOK

DAY = date(2026, 6, 15)


def history(*amounts: str, **more: Any) -> list[Booked]:
    """Return bills of one year, each reckoned on top of those before."""
    used: dict[str, int] = {}
    found = []
    for number, amount in enumerate(amounts, 1):
        bill = {"region": "510100", "lines": [{"class": "A", "amount": amount}], **more}
        case = replace(case_of(bill, BOOK), used=dict(used))
        outcome = calculate(case, BOOK)
        found.append(Booked(f"S{number}", case, outcome))
        used = add(used, outcome.counts)
    return found


def test_only_what_comes_out_differently_is_disturbed() -> None:
    first, second, third = history("200", "300", "100")
    found = rerun_without({}, [second, third], BOOK)
    assert [rerun.booked.id for rerun in found] == ["S2"]
    assert found[0].outcome.deductible_fen == 20_000
    assert found[0].case.used == {}
    assert first.outcome.counts == {"outpatient_worker.deductible": 20_000}


def test_a_bill_after_the_deductible_disturbs_nobody() -> None:
    first, second, third = history("200", "300", "100")
    assert rerun_without(first.outcome.counts, [third], BOOK) == []
    assert second.outcome.pool_fen == 15_000


def test_a_limit_that_was_reached_is_noticed() -> None:
    first, _, third = history("3000", "1500", "500")
    again = rerun_without(first.outcome.counts, [third], BOOK)
    assert [rerun.outcome.pool_fen - rerun.booked.outcome.pool_fen for rerun in again] == [
        25_000 - third.outcome.pool_fen
    ]


def test_stays_are_disturbed_by_their_number() -> None:
    _, second = history("5000", "5000", care="INPATIENT")
    (rerun,) = rerun_without({}, [second], BOOK)
    assert (second.outcome.deductible_fen, rerun.outcome.deductible_fen) == (70_000, 80_000)


def test_who_paid_in_cash_for_want_of_balance_is_not_disturbed() -> None:
    (only,) = history("500")
    poorer = Booked("S1", replace(only.case, account_balance_fen=Fen(10_000)), only.outcome)
    assert rerun_without({}, [poorer], BOOK) == []


def test_counters_are_added_and_taken() -> None:
    assert add({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"a": 1, "b": 5, "c": 4}
    assert take({"a": 1, "b": 5}, {"b": 5, "c": 2}) == {"a": 1, "c": -2}


@pytest.mark.parametrize(
    ("region", "insurance", "care", "asked"),
    [
        ("510100", InsuranceType.EMPLOYEE, CareKind.OUTPATIENT, False),
        ("510100", InsuranceType.EMPLOYEE, CareKind.INPATIENT, True),
        ("510100", InsuranceType.RESIDENT, CareKind.OUTPATIENT, False),
        ("510100", InsuranceType.RESIDENT, CareKind.INPATIENT, True),
        ("519900", InsuranceType.EMPLOYEE, CareKind.INPATIENT, True),
        ("511500", InsuranceType.RESIDENT, CareKind.INPATIENT, False),
        ("510300", InsuranceType.RESIDENT, CareKind.INPATIENT, False),
    ],
)
def test_facts_are_asked_for_only_where_the_law_asks(
    region: str, insurance: InsuranceType, care: CareKind, asked: bool
) -> None:
    assert asks_about_person(region, insurance, care, DAY, rulebook()) is asked


def test_the_year_of_a_stay_is_the_regions_choice() -> None:
    bill = {
        "care": "INPATIENT",
        "stay": {"admitted": "2022-12-25", "discharged": "2023-01-02"},
        "lines": [{"class": "A", "amount": "100"}],
    }
    years = {
        region: year_of(region, case_of({**bill, "region": region}, BOOK).stay, BOOK)  # type: ignore[arg-type]
        for region in ("991700", "330200", "140100")
    }
    assert years == {"991700": 2022, "330200": 2023, "140100": 2023}


def test_stretches_hold_their_own_lines_days_and_balances() -> None:
    case = case_of(
        {
            "region": "140100",
            "care": "INPATIENT",
            "stay": {"admitted": "2021-12-30", "discharged": "2023-01-02"},
            "lines": [
                {"class": "A", "amount": "100", "on": "2021-12-31"},
                {"class": "A", "amount": "5000", "on": "2022-07-01"},
                {"class": "A", "amount": "300"},
            ],
        },
        BOOK,
        balance=Fen(30_000),
        family=Fen(5_000),
    )
    found = stretches(case, BOOK)
    assert [(c.year, c.service_date) for c in found] == [
        (2021, date(2021, 12, 31)),
        (2022, date(2022, 12, 31)),
        (2023, date(2023, 1, 2)),
    ]
    assert [(c.stay.admitted_on, c.stay.discharged_on) for c in found if c.stay] == [
        (date(2021, 12, 30), date(2021, 12, 31)),
        (date(2022, 1, 1), date(2022, 12, 31)),
        (date(2023, 1, 1), date(2023, 1, 2)),
    ]
    assert [[line.number for line in c.lines] for c in found] == [[1], [2], [3]]
    first = calculate(found[0], BOOK)
    second_case = continued(found[1], first)
    assert (second_case.account_balance_fen, second_case.family_balance_fen) == (20_000, 5_000)
    second = calculate(second_case, BOOK)
    assert found[2].stay is not None
    so_far = replace(found[2].stay, deductible_due_fen=Fen(80_000), deductible_paid_fen=Fen(10_000))
    third_case = continued(replace(found[2], stay=so_far), second)
    assert third_case.stay is not None
    assert (third_case.stay.deductible_due_fen, third_case.stay.deductible_paid_fen) == (
        80_000,
        80_000,
    )
    assert third_case.stay.counted
    assert [first.deductible_fen, second.deductible_fen] == [10_000, 70_000]
    assert calculate(third_case, BOOK).deductible_fen == 0
