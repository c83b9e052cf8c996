"""What the first version of the program stored is still read, and still recomputes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from backend.rulebook.library import rulebook
from backend.settlement.calculate import calculate
from backend.settlement.contracts import PartKind, PayerKind
from backend.settlement.queries import amounts, case_of, outcome_of

STORED = json.loads((Path(__file__).parent / "stored_by_version_1.json").read_text("utf-8"))


def test_a_settlement_of_the_first_version_recomputes_to_the_fen() -> None:
    case, outcome = case_of(STORED["case"]), outcome_of(STORED["outcome"])
    assert case.used == {"outpatient_worker.deductible": 5000, "outpatient_worker.fund": 0}
    assert (outcome.pool_fen, outcome.account_fen, outcome.cash_fen) == (25529, 12000, 21526)
    assert outcome.counts == {
        "outpatient_worker.deductible": 10000,
        "outpatient_worker.fund": 25529,
    }
    share = next(part for part in outcome.parts if part.kind is PartKind.FUND_SHARE)
    assert share.by(PayerKind.BASIC) == 25529
    again = calculate(case, rulebook())
    assert amounts(again) == amounts(replace(outcome, shares=again.shares))
    assert [(s.payer, s.amount_fen) for s in again.shares] == [
        (s.payer, s.amount_fen) for s in outcome.shares
    ]


def test_what_is_stored_now_is_left_as_it_is() -> None:
    case = case_of(STORED["case"])
    assert (
        case_of(
            json.loads(
                json.dumps({**STORED["case"], "care": "OUTPATIENT", "year": 2023, "used": {}})
            )
        ).care
        == case.care
    )
