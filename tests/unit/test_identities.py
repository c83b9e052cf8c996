"""The identities that every settlement is checked against stop whatever contradicts them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.catalogue.contracts import ItemClass
from backend.kernel.invariants import InvariantBroken
from backend.kernel.money import Fen
from backend.settlement.calculate import check_identities
from backend.settlement.casebook import read_cases, settle_case
from backend.settlement.contracts import LineReason, Outcome, PayerKind, Share
from tests.cases.test_cases import BOOK, FOLDER


def outcome_of(case_id: str) -> Outcome:
    case = next(c for c in read_cases(FOLDER) if c["id"] == case_id)
    found = settle_case(case, BOOK)[0].outcome
    assert found is not None
    return found


GOOD = outcome_of("README")


def test_a_true_outcome_passes() -> None:
    check_identities(GOOD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"full_self_pay_fen": Fen(1)}, "the bill is the sum of its scope parts"),
        ({"prepaid_share_fen": Fen(0)}, "the bill is the sum of its scope parts"),
        ({"fund_fen": Fen(GOOD.fund_fen + 1)}, "fund payments are the sum of the funds"),
        ({"cash_fen": Fen(GOOD.cash_fen - 1)}, "the patient's part is account, family account"),
        ({"family_fen": Fen(1)}, "the patient's part is account, family account and cash"),
        ({"hospital_fen": Fen(1)}, "the patient's part is account, family account and cash"),
        ({"deductible_fen": Fen(5_000_000)}, "basic insurance stays in scope"),
        ({"parts": GOOD.parts[1:]}, "the parts are the bill"),
        ({"parts": (replace(GOOD.parts[0], paid=()), *GOOD.parts[1:])}, "each part is paid once"),
        ({"account_balance_after_fen": Fen(-1)}, "no amount is negative"),
        ({"family_balance_after_fen": Fen(-1)}, "no amount is negative"),
    ],
)
def test_a_contradiction_is_stopped(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvariantBroken, match=message):
        check_identities(replace(GOOD, **change))


def test_negative_amounts_are_stopped_even_where_they_add_up() -> None:
    wrong = replace(GOOD, account_fen=Fen(-1), cash_fen=Fen(GOOD.cash_fen + 1))
    with pytest.raises(InvariantBroken, match="no amount is negative"):
        check_identities(wrong)


def test_funds_are_those_of_the_national_sum() -> None:
    funds = {payer for payer in PayerKind if payer.is_fund}
    assert funds == {
        PayerKind.BASIC,
        PayerKind.CRITICAL_ILLNESS,
        PayerKind.LARGE_AMOUNT,
        PayerKind.CIVIL_SERVANT,
        PayerKind.ENTERPRISE,
        PayerKind.MEDICAL_AID,
        PayerKind.COMMERCIAL,
        PayerKind.OTHER_FUND,
    }


def test_a_line_keeps_what_it_was_and_says_how_it_splits() -> None:
    lines = outcome_of("README").lines
    assert [(x.number, x.code, x.name, x.item_class, x.reason) for x in lines] == [
        (1, "CASE-1", "class A", ItemClass.A, LineReason.IN_SCOPE),
        (2, "CASE-2", "class B", ItemClass.B, LineReason.PREPAID_SHARE_FIRST),
        (3, "CASE-3", "class C", ItemClass.C, LineReason.OUT_OF_SCOPE),
        (4, "CASE-4", "class A", ItemClass.A, LineReason.IN_SCOPE),
    ]
    second, fourth = lines[1], lines[3]
    assert (second.quantity, second.unit_price, second.price_limit, second.prepaid_rate) == (
        10_000,
        6_000_000_000,
        None,
        "0.10",
    )
    assert (fourth.price_limit, fourth.over_limit_fen, fourth.in_scope_fen) == (
        380_000_000,
        12_000,
        38_000,
    )
    assert {x.ref.rule for x in lines} == {"CN-CAT/class_treatment"}
    assert not any(x.illustrative for x in lines)


def test_lines_taken_back_stay_on_the_bill_with_nothing_left() -> None:
    lines = outcome_of("M12").lines
    assert [(x.quantity, x.total_fen, x.reason) for x in lines] == [
        (0, 0, LineReason.TAKEN_BACK),
        (0, 0, LineReason.TAKEN_BACK),
        (-30_000, 0, LineReason.TAKEN_BACK),
        (40_000, 36_000, LineReason.IN_SCOPE),
    ]
    restricted = outcome_of("X-restricted").lines[0]
    assert (restricted.reason, restricted.ref.rule) == (
        LineReason.RESTRICTION_NOT_MET,
        "CN-CAT/restricted_payment",
    )
    packaged = outcome_of("T20-per-day").lines[0]
    assert (packaged.reason, packaged.ref.rule) == (LineReason.IN_PACKAGE, "PK-PKG/standard")


def test_shares_name_payer_and_topic() -> None:
    assert outcome_of("P50").shares == (
        Share(PayerKind.BASIC, "", Fen(131_304)),
        Share(PayerKind.MEDICAL_AID, "medical_aid", Fen(29_254)),
        Share(PayerKind.COMMERCIAL, "commercial_poverty", Fen(15_507)),
        Share(PayerKind.HOSPITAL, "hospital_waiver", Fen(1_814)),
        Share(PayerKind.CASH, "", Fen(816)),
    )
    assert outcome_of("M08").shares[1:] == (
        Share(PayerKind.FAMILY_ACCOUNT, "", Fen(5_000)),
        Share(PayerKind.CASH, "", Fen(20_000)),
    )
