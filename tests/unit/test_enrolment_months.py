"""Months in a row: from the first day in force without a break up to today."""

from __future__ import annotations

from datetime import date

import pytest

from backend.people.contracts import BenefitStatus, PeriodView
from backend.people.logic import months_in_row

TODAY = date(2026, 6, 15)
_ON, _OFF = BenefitStatus.ACTIVE, BenefitStatus.SUSPENDED


def period(starts: date, ends: date | None, status: BenefitStatus = _ON) -> PeriodView:
    return PeriodView(starts, ends, status, "")


@pytest.mark.parametrize(
    ("periods", "months"),
    [
        ([], 0),
        ([period(date(2026, 6, 15), None)], 0),
        ([period(date(2026, 5, 15), None)], 1),
        ([period(date(2026, 5, 16), None)], 0),
        ([period(date(2025, 6, 15), None)], 12),
        ([period(date(2023, 1, 1), date(2025, 12, 31)), period(date(2026, 1, 1), None)], 41),
        ([period(date(2023, 1, 1), date(2025, 12, 30)), period(date(2026, 1, 1), None)], 5),
        (
            [
                period(date(2023, 1, 1), date(2025, 12, 31)),
                period(date(2026, 1, 1), None, _OFF),
            ],
            0,
        ),
        ([period(date(2023, 1, 1), date(2026, 6, 14))], 0),
        ([period(date(2023, 1, 1), date(2026, 6, 15))], 41),
        ([period(date(2026, 5, 1), None), period(date(2026, 7, 1), None, _OFF)], 1),
    ],
)
def test_months_in_force_without_a_break(periods: list[PeriodView], months: int) -> None:
    assert months_in_row(periods, TODAY) == months
