"""Pure decisions around a settlement: what a reversal would disturb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.kernel.money import Fen
from backend.rulebook.library import Rulebook
from backend.settlement.calculate import calculate
from backend.settlement.contracts import Case, Outcome, Used


@dataclass(frozen=True)
class Booked:
    """A settlement as it was booked."""

    id: str
    case: Case
    outcome: Outcome


def disturbed_by_reversal(used_before: Used, later: Sequence[Booked], book: Rulebook) -> list[str]:
    """Return the later settlements, newest first, that would come out differently without one.

    ``used_before`` is what the year had used before the settlement that is to be reversed, and
    ``later`` what still stands of the bills booked after it, in their order. Each is reckoned again
    as if the reversed one had never been. Where fund and deductible stay the same, it is untouched.
    The account's balance is not compared: who paid a share in cash for lack of balance keeps that.
    """
    disturbed, used = [], used_before
    for booked in later:
        again = calculate(replace(booked.case, used=used), book)
        before = booked.outcome
        if (again.fund_fen, again.deductible_fen) != (before.fund_fen, before.deductible_fen):
            disturbed.append(booked.id)
        used = Used(
            deductible_fen=Fen(used.deductible_fen + before.counted_deductible_fen),
            fund_fen=Fen(used.fund_fen + before.counted_fund_fen),
        )
    return disturbed[::-1]
