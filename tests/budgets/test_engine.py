"""The engine's work, counted in Python calls, which no busy machine changes."""

from __future__ import annotations

import sys
from typing import Any

from backend.rulebook.library import rulebook
from backend.settlement.calculate import calculate
from tests.bench_engine import big_bill


def calls(lines: int) -> int:
    case, book = big_bill(lines), rulebook()
    calculate(case, book)  # what is gathered once is gathered
    counted = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        calculate(case, book)
    finally:
        sys.setprofile(None)
    return counted


def test_forty_lines_through_every_payer_stay_within_their_budget() -> None:
    assert calls(40) < 2_400


def test_the_work_grows_linearly_with_the_lines() -> None:
    small, middle, large = calls(80), calls(160), calls(320)
    each = (middle - small) / 80
    assert each < 20
    assert (large - middle) / 160 < each + 1
