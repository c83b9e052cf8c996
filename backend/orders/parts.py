"""Pure: which lines and packs of a settlement stay when some of its lines come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from backend.catalogue.contracts import ItemKind
from backend.kernel.money import Quantity, whole_units
from backend.orders.refund_contracts import PartLine, RefundProblem
from backend.settlement.case import Case, LineInput
from backend.settlement.service import Kept, TraceUse


def kept_of(
    case: Case,
    sold: Sequence[TraceUse],
    back: Sequence[PartLine],
    packs: Sequence[str] | None = None,
) -> Kept | RefundProblem:
    """Return what stays of a settlement when some of its lines come back.

    ``packs``: trace codes that came back; ``None`` where nobody has scanned them yet, so that all packs
    count as kept. No lines are left where everything comes back.
    """
    if case.package is not None or case.given or any(one.quantity < 0 for one in case.lines):
        return RefundProblem.NO_PART  # what a package or another payer paid belongs to no line
    wanted = {one.number: one.quantity for one in back}
    lines = {one.number: one for one in case.lines}
    if len(wanted) != len(back) or not all(
        number in lines and _fits(lines[number], quantity) for number, quantity in wanted.items()
    ):
        return RefundProblem.LINES
    gone = set(packs or ())
    if packs is not None and not _packs_fit(lines, wanted, sold, packs):
        return RefundProblem.PACKS
    stays = []
    for one in case.lines:
        left = Quantity(one.quantity - wanted.get(one.number, Quantity(0)))
        if left:
            stays.append(replace(one, quantity=left))
    return Kept(tuple(stays), tuple(use for use in sold if use.trace_code not in gone))


def _fits(line: LineInput, back: Quantity) -> bool:
    whole = line.kind is not ItemKind.DRUG or whole_units(line.quantity) is None
    return 0 < back <= line.quantity and (whole or whole_units(back) is not None)


def _packs_fit(
    lines: dict[int, LineInput],
    wanted: dict[int, Quantity],
    sold: Sequence[TraceUse],
    packs: Sequence[str],
) -> bool:
    """Tell whether the packs are those of what comes back: each whole one, a shared one with its last part."""
    of = {use.trace_code: use for use in sold}
    if len(set(packs)) != len(packs) or not all(code in of for code in packs):
        return False
    scanned = Counter(of[code].line_number for code in packs)
    for number in {*wanted, *scanned}:
        mine = [use for use in sold if use.line_number == number]
        back = wanted.get(number, Quantity(0))
        if not mine:
            continue
        if back == lines[number].quantity:
            due: int | None = len(mine)
        else:
            due = 0 if mine[0].split else whole_units(back)
        if scanned[number] != due:
            return False
    return True
