"""How long the pure calculation takes through every tier, and how that grows with the lines of a bill.

Run by ``make bench``. One process, one core; the best and the median of several rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.kernel.errors import Locale
from backend.rulebook.library import rulebook
from backend.settlement.calculate import calculate
from backend.settlement.case import Case
from backend.settlement.casebook import case_of
from mobile_bff.explanation import explain

SIZES = (10, 20, 40, 80, 160, 320, 640)
ROUNDS, REPEATS = 9, 50


def big_bill(lines: int) -> Case:
    """Return a stay of many lines of somebody whom every payer of Chengdu's order concerns."""
    made: list[dict[str, Any]] = []
    for number in range(lines):
        item = "ABC"[number % 3] if number % 7 else "A"
        line = {"class": item, "amount": str(100 + number * 37.5), "quantity": str(1 + number % 3)}
        if item == "B":
            line["prepaid"] = "0.10"
        if number % 5 == 0:
            line["limit"] = "90"
        made.append(line)
    person = {
        "insurance": "RESIDENT",
        "tier": "HIGH",
        "identities": ["MINIMUM_LIVING", "RETURNED_TO_POVERTY"],
        "products": {"CD-BDHZ": "CONTINUOUS", "CD-HRB": "CONTINUOUS"},
    }
    bill = {"region": "510100", "care": "INPATIENT", "person": person, "lines": made}
    return case_of(bill, rulebook())


@dataclass(kw_only=True)
class Timed:
    """How long a bill of many lines took, in milliseconds."""

    lines: int
    steps: int
    best: float
    median: float
    explained: float


def main() -> None:
    """Print a table."""
    print("| lines | steps | calculation, best | median | with its explanation, best |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        t = measure(size)
        print(
            f"| {t.lines} | {t.steps} | {t.best:.2f} ms | {t.median:.2f} ms | {t.explained:.2f} ms |"
        )


def measure(size: int, rounds: int = ROUNDS, repeats: int = REPEATS) -> Timed:
    """Return how long a bill of so many lines takes."""
    case, book = big_bill(size), rulebook()
    plain = _rounds(lambda: calculate(case, book), rounds, repeats)
    told = _rounds(lambda: explain(calculate(case, book), Locale.ZH), rounds, repeats)
    return Timed(
        lines=size,
        steps=len(calculate(case, book).steps),
        best=min(plain),
        median=statistics.median(plain),
        explained=min(told),
    )


def _rounds(act: Callable[[], Any], rounds: int, repeats: int) -> list[float]:
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(repeats):
            act()
        found.append((time.perf_counter() - begun) / repeats * 1000)
    return found


if __name__ == "__main__":
    main()
