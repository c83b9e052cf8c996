"""Runs every golden case through the engine, to the fen, under the shipped packs and those of the tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from backend.kernel.money import parse_yuan, whole_fen
from backend.rulebook.library import Rulebook, make_book, packs_in, shipped_packs
from backend.rulebook.lint import overlaid
from backend.settlement.casebook import differences, read_cases, settle_case
from backend.settlement.tiers import bands

FOLDER = Path(__file__).parent
PACKS = FOLDER.parent / "packs"
CASES = read_cases(FOLDER)
PUBLISHED_TEXT = """
P01 P04 P05 P06 P07-P09 P11 P12 P13 P14-active P14-retired P15 P16 P17 P18 P21 P23 P24
P25 P26 P27 P28 P29 P30 P31 P32 P33 P34 P35 P36 P38 P39 P40 P41 P43 P47 P48 P49 P50 P51
P52 P53 P54 P55 P56 P57 P58 P59 P60 P61 P62 P65 P66 P67-new P67-continuous P68 P70 P72
P74 P76 P77
"""
PUBLISHED = PUBLISHED_TEXT.split()
CONSTRUCTED = [f"C{number:02d}" for number in range(1, 19)]


def book_with_examples() -> Rulebook:
    """Return the shipped book with the packs of the published examples' regions."""
    return make_book(overlaid(shipped_packs(), packs_in(PACKS)))


BOOK = book_with_examples()


def test_every_example_is_there_once() -> None:
    ids = [case["id"] for case in CASES]
    assert len(set(ids)) == len(ids)
    assert {*PUBLISHED, *CONSTRUCTED} <= set(ids)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: Any) -> None:
    settled = settle_case(case, BOOK)
    assert differences(settled) == []
    assert any(one.expected or one.refused for one in settled), "a case says what it expects"


def test_a_wrong_expectation_is_a_difference() -> None:
    p01 = next(case for case in CASES if case["id"] == "P01")
    case = {**p01, "expect": {"fund": "585.01"}, "never": {"cash": "0.00"}}
    assert differences(settle_case(case, BOOK)) == [
        "bill 1: fund: wanted 585.01, got 585.00 (-0.01)",
        "bill 1: cash: came out as 0.00, which it must never",
    ]


@pytest.mark.parametrize(
    ("tier", "paid", "cost"),
    [("P68", "1100", "2000.00"), ("P70", "805", "4350.00"), ("P72", "3050", "5214.29")],
)
def test_the_cost_behind_a_payment(tier: str, paid: str, cost: str) -> None:
    """The puzzles that give the payment and ask for the cost (反解)."""
    from datetime import date

    table = BOOK.find("990800", "inpatient_worker.rate_bands", date(2023, 1, 1), tier=tier).bands
    found = bands.inverse(table, Fraction(parse_yuan(paid)))
    assert whole_fen(found) == parse_yuan(cost)
