"""Pure: what differs between an institution's settlements of a day and ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backend.kernel.money import Fen
from backend.statements.contracts import MismatchKind, StatedLine, Totals


@dataclass(frozen=True)
class Differs:
    """A settlement that differs, with what each side says."""

    kind: MismatchKind
    settlement_id: str
    ours: Totals | None
    theirs: Totals | None


def as_totals(line: StatedLine) -> Totals:
    """Return a line as sums of one."""
    return Totals(1, line.total_fen, line.fund_fen, line.account_fen, line.cash_fen)


def sums(parts: Iterable[Totals]) -> Totals:
    """Return the sums of some."""
    whole = list(parts)
    return Totals(
        sum(one.count for one in whole),
        Fen(sum(one.total_fen for one in whole)),
        Fen(sum(one.fund_fen for one in whole)),
        Fen(sum(one.account_fen for one in whole)),
        Fen(sum(one.cash_fen for one in whole)),
    )


def compare(ours: Mapping[str, Totals], theirs: Sequence[StatedLine]) -> list[Differs]:
    """Return what differs, by settlement. Before: no settlement is stated twice."""
    stated = {line.settlement_id: as_totals(line) for line in theirs}
    found = []
    for one in sorted({*ours, *stated}):
        here, there = ours.get(one), stated.get(one)
        if here == there:
            continue
        kind = MismatchKind.AMOUNT
        if there is None:
            kind = MismatchKind.ONLY_HERE
        elif here is None:
            kind = MismatchKind.ONLY_THERE
        found.append(Differs(kind, one, here, there))
    return found
