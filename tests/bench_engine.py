"""How long the pure calculation takes through every tier, and how that grows with the lines of a bill.

Run by ``make bench``. One process, one core; the best and the median of several rounds.
"""

from __future__ import annotations

import statistics
import time
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


def main() -> None:
    """Print a table."""
    book = rulebook()
    print("| lines | steps | calculation, best | median | with its explanation, best |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        case = big_bill(size)
        outcome = calculate(case, book)
        plain = _rounds(lambda case=case: calculate(case, book))
        told = _rounds(lambda case=case: explain(calculate(case, book), Locale.ZH))
        print(
            f"| {size} | {len(outcome.steps)} | {min(plain):.2f} ms | "
            f"{statistics.median(plain):.2f} ms | {min(told):.2f} ms |"
        )


def _rounds(act: Any) -> list[float]:
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(REPEATS):
            act()
        found.append((time.perf_counter() - begun) / REPEATS * 1000)
    return found


if __name__ == "__main__":
    main()
