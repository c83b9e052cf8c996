"""What a paid year covers: gaps, the window, and newborns."""

from __future__ import annotations

from datetime import date

import pytest

from backend.enrolment.logic import (
    Cover,
    cover,
    gap_open,
    gap_years,
    kind_fits,
    waits_since,
    years_open,
)
from backend.people.contracts import BenefitStatus, PeriodView, PersonKind
from backend.rulebook.library import rulebook

_ON = BenefitStatus.ACTIVE
BORN = date(1990, 1, 1)


def waiting(first: date, last: date) -> PeriodView:
    return PeriodView(first, last, BenefitStatus.WAITING, "")


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
        ([waiting(date(2025, 11, 1), date(2025, 12, 31))], 0),
        ([PeriodView(date(2020, 1, 1), None, BenefitStatus.ENDED, "")], None),
        ([year(2026)], None),
    ],
)
def test_gaps(periods: list[PeriodView], gap: int | None) -> None:
    found = gap_years(periods, 2026)
    assert (None if found is None else len(found)) == gap


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
    assert cover("510100", 2026, paid_on, born, periods, (), rulebook()) == expected


@pytest.mark.parametrize(
    ("repaired", "benefits_from"),
    [
        ((), date(2026, 7, 1)),
        ((2024,), date(2026, 6, 1)),
        ((2023, 2024), date(2026, 5, 1)),
        ((2023, 2024, 2025), date(2026, 4, 1)),
        ((2021, 2022, 2026), date(2026, 7, 1)),  # none of them is of the gap
    ],
)
def test_years_paid_back_take_off_what_they_added(
    repaired: tuple[int, ...], benefits_from: date
) -> None:
    found = cover("510100", 2026, date(2025, 11, 1), BORN, [year(2022)], repaired, rulebook())
    assert found == Cover(date(2026, 1, 1), benefits_from, date(2026, 12, 31))


def test_waiting_goes_on_over_new_year_however_often() -> None:
    over = [year(2010), waiting(date(2024, 11, 1), date(2024, 12, 31))]
    over.append(waiting(date(2025, 1, 1), date(2025, 12, 31)))
    # thirteen years without, and three months: from November 2024 to March 2026
    found = cover("510100", 2026, date(2025, 10, 1), BORN, over, (), rulebook())
    assert found == Cover(date(2026, 1, 1), date(2026, 3, 1), date(2026, 12, 31))
    assert waits_since(over, date(2025, 12, 31)) == date(2024, 11, 1)
    late = cover("510100", 2026, date(2026, 2, 1), BORN, over, (), rulebook())
    assert late.waits_from == date(2026, 2, 1)  # paid too late to go on: it begins anew


@pytest.mark.parametrize(
    ("periods", "years", "since"),
    [
        ([], [], None),
        ([year(2025)], [], None),
        ([year(2023)], [2024, 2025], None),
        ([year(2023), PeriodView(date(2026, 1, 1), None, _ON, "")], [], None),
        (
            [year(2023), waiting(date(2026, 3, 1), date(2026, 7, 31))],
            [2024, 2025],
            date(2026, 3, 1),
        ),
        (
            [year(2023), waiting(date(2027, 1, 1), date(2027, 6, 30))],
            [2024, 2025],
            date(2027, 1, 1),
        ),
        ([year(2023), year(2027)], [], None),
    ],
)
def test_what_can_be_paid_back_today(
    periods: list[PeriodView], years: list[int], since: date | None
) -> None:
    found, begun = gap_open(periods, date(2026, 6, 15))
    assert (list(found), begun) == (years, since)


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
