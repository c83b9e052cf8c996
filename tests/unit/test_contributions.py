"""What a paid year covers: gaps, the window, and newborns."""

from __future__ import annotations

from datetime import date

import pytest

from backend.enrolment.logic import Cover, cover, gap_years, kind_fits, years_open
from backend.people.contracts import BenefitStatus, PeriodView, PersonKind
from backend.rulebook.library import rulebook

_ON = BenefitStatus.ACTIVE
BORN = date(1990, 1, 1)


def year(number: int) -> PeriodView:
    return PeriodView(date(number, 1, 1), date(number, 12, 31), _ON, "")


@pytest.mark.parametrize(
    ("periods", "gap"),
    [
        ([], None),
        ([year(2025)], 0),
        ([year(2022)], 3),
        ([year(2022), year(2024)], 1),
        ([PeriodView(date(2020, 1, 1), None, _ON, "")], 0),
        ([PeriodView(date(2020, 1, 1), None, BenefitStatus.ENDED, "")], None),
        ([year(2026)], None),
    ],
)
def test_gaps(periods: list[PeriodView], gap: int | None) -> None:
    assert gap_years(periods, 2026) == gap


@pytest.mark.parametrize(
    ("paid_on", "born", "periods", "expected"),
    [
        # within the window of the year before: from New Year, for who has no gap or is new
        (date(2025, 11, 1), BORN, [year(2025)], Cover(None, date(2026, 1, 1), date(2026, 12, 31))),
        (date(2025, 11, 1), BORN, [], Cover(None, date(2026, 1, 1), date(2026, 12, 31))),
        # a gap of two years: three months and two more, from New Year
        (
            date(2025, 11, 1),
            BORN,
            [year(2023)],
            Cover(date(2026, 1, 1), date(2026, 6, 1), date(2026, 12, 31)),
        ),
        # late in the year itself: the fixed months
        (
            date(2026, 3, 10),
            BORN,
            [year(2025)],
            Cover(date(2026, 3, 10), date(2026, 6, 10), date(2026, 12, 31)),
        ),
        # so late that the waiting outlasts the year
        (
            date(2026, 11, 10),
            BORN,
            [],
            Cover(date(2026, 11, 10), date(2027, 2, 10), date(2026, 12, 31)),
        ),
        # newborns within ninety days from the day of birth, later like everybody
        (
            date(2026, 5, 1),
            date(2026, 2, 1),
            [],
            Cover(None, date(2026, 2, 1), date(2026, 12, 31)),
        ),
        (
            date(2026, 5, 3),
            date(2026, 2, 1),
            [],
            Cover(date(2026, 5, 3), date(2026, 8, 3), date(2026, 12, 31)),
        ),
    ],
)
def test_what_a_paid_year_covers(
    paid_on: date, born: date, periods: list[PeriodView], expected: Cover
) -> None:
    assert cover("510100", 2026, paid_on, born, periods, rulebook()) == expected


def test_the_window_opens_the_next_year() -> None:
    assert years_open("510100", date(2026, 8, 31), rulebook()) == (2026,)
    assert years_open("510100", date(2026, 9, 1), rulebook()) == (2026, 2027)


@pytest.mark.parametrize(
    ("kind", "age", "fits"),
    [
        (PersonKind.RESIDENT_ADULT, 18, True),
        (PersonKind.RESIDENT_ADULT, 17, False),
        (PersonKind.STUDENT_OR_CHILD, 20, True),
        (PersonKind.STUDENT_OR_CHILD, 21, False),
        (PersonKind.UNIVERSITY_STUDENT, 24, True),
        (PersonKind.RETIRED, 70, False),
    ],
)
def test_kinds_fit_ages(kind: PersonKind, age: int, fits: bool) -> None:
    assert kind_fits(kind, date(2026 - age, 1, 1), date(2026, 6, 15)) is fits
