"""``yibao contributions``: read the tax authority's file of bills that were paid."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from backend.enrolment import service
from backend.enrolment.contracts import PaidBill, PaidBillResult
from backend.kernel.money import Fen
from backend.rulebook.contracts import RuleMissing
from mobile_bff.console import Run, operator, write

_HEAD = ["bill_number", "amount_fen", "paid_on", "receipt"]
_GOOD = (PaidBillResult.BOOKED, PaidBillResult.BOOKED_BEFORE)


def contributions_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao contributions``."""
    parser.add_argument("file", help=f"CSV with the columns {','.join(_HEAD)}")
    parser.set_defaults(run=lambda options: _book(options, write, f"operator:{operator()}"))


def _book(options: argparse.Namespace, write: Run, operator: str) -> int:
    """Book each line in a transaction of its own, and say of each that was not booked why."""
    try:
        lines = _read(Path(options.file))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    done: Counter[str] = Counter()
    for number, line in lines:
        try:
            result = write(lambda u: service.book_payment(u, operator, line)).value  # noqa: B023
        except RuleMissing as missing:
            result = f"NO_RULE {missing}"
        done[result] += 1
        if result not in _GOOD:
            print(f"line {number}: {line.bill_number}: {result}", file=sys.stderr)
    print(", ".join(f"{count} {result}" for result, count in sorted(done.items())) or "no line")
    return 0 if set(done) <= {one.value for one in _GOOD} else 1


def _read(path: Path) -> list[tuple[int, PaidBill]]:
    """Return the lines of a file. Raises ``ValueError`` naming the first that cannot be read."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != _HEAD:
            raise ValueError(f"the columns are not {','.join(_HEAD)}")
        found = []
        for number, row in enumerate(rows, 2):
            try:
                amount, day = int(row["amount_fen"]), date.fromisoformat(row["paid_on"])
                found.append(
                    (number, PaidBill(row["bill_number"], Fen(amount), day, row["receipt"]))
                )
            except (ValueError, TypeError) as error:
                raise ValueError(f"line {number} cannot be read: {error}") from error
    return found
