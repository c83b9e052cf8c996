"""The working itself: every step, figure and fact of one bill of each kind, as a person would read it."""

from __future__ import annotations

from typing import Any

import pytest

from backend.settlement.casebook import read_cases, settle_case
from tests.cases.test_cases import BOOK, FOLDER

CASES = {case["id"]: case for case in read_cases(FOLDER)}


def steps_of(case_id: str, bill: int = 1) -> list[tuple[str, str, str, str, int | None]]:
    settled = settle_case(CASES[case_id], BOOK)[bill - 1]
    assert settled.outcome is not None
    return [
        (s.kind.value, s.topic or s.payer.value, s.formula, s.fact, s.amount_fen)
        for s in settled.outcome.steps
    ]


def parts_of(case_id: str, bill: int = 1) -> list[tuple[str, int, str]]:
    settled = settle_case(CASES[case_id], BOOK)[bill - 1]
    assert settled.outcome is not None
    return [(p.kind.value, p.amount_fen, p.formula) for p in settled.outcome.parts]


WORKINGS: dict[tuple[str, int], list[Any]] = {
    ("README", 1): [
        ("IN_SCOPE", "BASIC", "60000.00 - 1500.00 - 120.00 - 600.00", "", 5_778_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "500.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(500.00, 57780.00)", "", 50_000),
        ("RATE", "BASIC", "68%", "", None),
        ("YEAR_CAP", "BASIC", "329382.00 - 0.00", "", 32_938_200),
        ("ENTITLED", "BASIC", "(57780.00 - 500.00) × 68%", "", 3_895_040),
        ("BASE", "critical_illness", "18329.60 + 500.00", "", 1_882_960),
        ("THRESHOLD", "critical_illness", "23974.00", "", None),
        ("TILT", "critical_illness", "23974.00 × 50% = 11987.00", "MINIMUM_LIVING", None),
        ("TILT", "critical_illness", "+5%", "MINIMUM_LIVING", None),
        ("BANDS", "critical_illness", "6842.60 × 65%", "", None),
        ("TILT", "critical_illness", "", "MINIMUM_LIVING", None),
        ("PAYS", "critical_illness", "4447.69", "", 444_769),
        ("BASE", "medical_aid", "13881.91 + 500.00", "", 1_438_191),
        ("THRESHOLD", "medical_aid", "0.00", "", None),
        ("BANDS", "medical_aid", "14381.91 × 70%", "", None),
        ("PAYER_LIMIT", "medical_aid", "50000.00 - 0.00", "", None),
        ("PAYS", "medical_aid", "10067.34", "", 1_006_734),
    ],
    ("C03", 2): [
        ("IN_SCOPE", "BASIC", "10000.00", "", 1_000_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "800.00", "", None),
        ("DEDUCTIBLE_STEP_DOWN", "BASIC", "max(160.00, 800.00 - 1 × 100.00)", "2", None),
        ("DEDUCTIBLE", "BASIC", "min(700.00, 10000.00)", "", 70_000),
        ("RATE", "BASIC", "85%", "", None),
        ("YEAR_CAP", "BASIC", "", "", None),
        ("ENTITLED", "BASIC", "(10000.00 - 700.00) × 85%", "", 790_500),
    ],
    ("C08", 2): [
        ("IN_SCOPE", "BASIC", "5000.00", "", 500_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "800.00", "", None),
        ("DEDUCTIBLE_REFERRAL", "BASIC", "800.00 - 400.00", "LEVEL_2", None),
        ("DEDUCTIBLE", "BASIC", "min(400.00, 5000.00)", "", 40_000),
        ("RATE", "BASIC", "85%", "", None),
        ("YEAR_CAP", "BASIC", "", "", None),
        ("ENTITLED", "BASIC", "(5000.00 - 400.00) × 85%", "", 391_000),
    ],
    ("C08", 3): [
        ("IN_SCOPE", "BASIC", "5000.00", "", 500_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "400.00", "", None),
        ("DEDUCTIBLE_STEP_DOWN", "BASIC", "max(160.00, 400.00 - 1 × 100.00)", "2", None),
        ("DEDUCTIBLE_REFERRAL", "BASIC", "0.00", "LEVEL_3", None),
        ("DEDUCTIBLE", "BASIC", "min(0.00, 5000.00)", "", 0),
        ("RATE", "BASIC", "90%", "", None),
        ("YEAR_CAP", "BASIC", "", "", None),
        ("ENTITLED", "BASIC", "(5000.00 - 0.00) × 90%", "", 450_000),
    ],
    ("C09", 1): [
        ("IN_SCOPE", "BASIC", "20000.00", "", 2_000_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "800.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(800.00, 20000.00)", "", 80_000),
        ("RATE", "BASIC", "75%", "", None),
        ("RATE_AGE_YEARS", "BASIC", "0.2% × 63 = 12.6%", "63", None),
        ("RATE_AGE", "BASIC", "+4%", "63", None),
        ("ENTITLED", "BASIC", "(20000.00 - 800.00) × 91.6%", "", 1_758_720),
    ],
    ("T06", 1): [
        ("IN_SCOPE", "BASIC", "10800.00", "", 1_080_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "800.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(800.00, 10800.00)", "", 80_000),
        ("RATE", "BASIC", "85%", "", None),
        ("RATE_AWAY", "BASIC", "-10%", "NONE", None),
        ("YEAR_CAP", "BASIC", "", "", None),
        ("ENTITLED", "BASIC", "(10800.00 - 800.00) × 75%", "", 750_000),
    ],
    ("T06-prepay", 1): [
        ("IN_SCOPE", "BASIC", "10000.00", "", 1_000_000),
        ("AWAY_PREPAID", "BASIC", "10000.00 × 10%", "REFERRAL", 100_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "800.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(800.00, 9000.00)", "", 80_000),
        ("RATE", "BASIC", "85%", "", None),
        ("ENTITLED", "BASIC", "(9000.00 - 800.00) × 85%", "", 697_000),
    ],
    ("T06-bill-deductible", 2): [
        ("IN_SCOPE", "BASIC", "20000.00", "", 2_000_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "20000.00 × 20% = 4000.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(4000.00, 20000.00)", "", 400_000),
        ("RATE", "BASIC", "85%", "", None),
        ("ENTITLED", "BASIC", "(20000.00 - 4000.00) × 85%", "", 1_360_000),
    ],
    ("T19", 1): [
        ("IN_SCOPE", "BASIC", "300.00", "", 30_000),
        ("NO_BENEFIT", "BASIC", "300.00", "SUSPENDED", 30_000),
    ],
    ("T19-paused", 1): [
        ("IN_SCOPE", "BASIC", "1800.00", "", 180_000),
        ("NO_BENEFIT", "BASIC", "1800.00", "", 180_000),
    ],
    ("T20-per-day", 1): [
        ("IN_SCOPE", "BASIC", "2500.00", "", 250_000),
        ("PACKAGE_STANDARD", "BASIC", "220.00 × 10", "BED-DAY", 220_000),
        ("PACKAGE_OWN", "BASIC", "2200.00 - 1980.00", "", 22_000),
    ],
    ("T21-two-deductibles", 2): [
        ("IN_SCOPE", "BASIC", "500.00", "", 50_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "2 × 400.00 - 400.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(400.00, 500.00)", "", 40_000),
        ("RATE", "BASIC", "90%", "", None),
        ("YEAR_CAP", "BASIC", "", "", None),
        ("ENTITLED", "BASIC", "(500.00 - 400.00) × 90%", "", 9_000),
    ],
    ("C12", 2): [
        ("IN_SCOPE", "BASIC", "500.00", "", 50_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "200.00 - 200.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(0.00, 500.00)", "", 0),
        ("RATE", "BASIC", "60%", "", None),
        ("FUND_LIMIT", "BASIC", "2000.00 - 1920.00", "", 8_000),
        ("ENTITLED", "BASIC", "min((500.00 - 0.00) × 60%, 80.00)", "", 8_000),
    ],
    ("P11", 2): [
        ("IN_SCOPE", "BASIC", "400.00", "", 40_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "0.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(0.00, 200.00)", "", 0),
        ("RATE", "BASIC", "70%", "", None),
        ("COST_LIMIT", "BASIC", "300.00 - 100.00", "", 20_000),
        ("ENTITLED", "BASIC", "(200.00 - 0.00) × 70%", "", 14_000),
    ],
    ("P27", 1): [
        ("IN_SCOPE", "BASIC", "10000.00", "", 1_000_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "600.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(600.00, 10000.00)", "", 60_000),
        ("RATE", "BASIC", "80% / 85% / 90%", "", None),
        ("ENTITLED", "BASIC", "4400.00 × 80% + 5000.00 × 85%", "", 777_000),
    ],
    ("P36", 1): [
        ("IN_SCOPE", "BASIC", "136753.30", "", 13_675_330),
        ("GIVEN", "BASIC", "50000.00", "", 5_000_000),
        ("GIVEN", "large_amount", "20513.00", "", 2_051_300),
    ],
    ("T03-listed", 2): [
        ("IN_SCOPE", "BASIC", "1000.00", "", 100_000),
        ("DEDUCTIBLE_STANDARD", "BASIC", "800.00", "", None),
        ("DEDUCTIBLE_WAIVED", "BASIC", "0.00", "RENAL_DIALYSIS", None),
        ("DEDUCTIBLE", "BASIC", "min(0.00, 1000.00)", "", 0),
        ("RATE", "BASIC", "85%", "", None),
        ("YEAR_CAP", "BASIC", "", "", None),
        ("ENTITLED", "BASIC", "(1000.00 - 0.00) × 85%", "", 85_000),
    ],
    ("T05", 4): [
        ("IN_SCOPE", "BASIC", "1000.00", "", 100_000),
        ("DEDUCTIBLE_WAIVED", "BASIC", "0.00", "100", None),
        ("DEDUCTIBLE", "BASIC", "min(0.00, 1000.00)", "", 0),
        ("RATE_FULL", "BASIC", "100%", "100", None),
        ("YEAR_CAP", "BASIC", "", "", None),
        ("ENTITLED", "BASIC", "(1000.00 - 0.00) × 100%", "", 100_000),
    ],
    ("P67-new", 1): [
        ("IN_SCOPE", "BASIC", "330187.50 - 300000.00", "", 3_018_750),
        ("DEDUCTIBLE_STANDARD", "BASIC", "500.00", "", None),
        ("DEDUCTIBLE", "BASIC", "min(500.00, 30187.50)", "", 50_000),
        ("RATE", "BASIC", "68%", "", None),
        ("YEAR_CAP", "BASIC", "329382.00 - 0.00", "", 32_938_200),
        ("ENTITLED", "BASIC", "(30187.50 - 500.00) × 68%", "", 2_018_750),
        ("BASE", "critical_illness", "9500.00 + 500.00", "", 1_000_000),
        ("THRESHOLD", "critical_illness", "23974.00", "", None),
        ("BANDS", "critical_illness", "0.00", "", None),
        ("PAYS", "critical_illness", "0.00", "", 0),
        ("BASE", "commercial_hrb", "9500.00 + 500.00", "first", 1_000_000),
        ("THRESHOLD", "commercial_hrb", "15000.00", "", None),
        ("BANDS", "commercial_hrb", "0.00", "", None),
        ("PAYS", "commercial_hrb", "0.00", "first", 0),
        ("BASE", "commercial_hrb", "300000.00", "second", 30_000_000),
        ("THRESHOLD", "commercial_hrb", "15000.00", "", None),
        ("BANDS", "commercial_hrb", "285000.00 × 30%", "", None),
        ("PAYS", "commercial_hrb", "85500.00", "second", 8_550_000),
    ],
}

PARTS: dict[tuple[str, int], list[Any]] = {
    ("README", 1): [
        ("DEDUCTIBLE", 50_000, "min(500.00, 57780.00)"),
        ("FUND_SHARE", 3_895_040, "(57780.00 - 500.00) × 68%"),
        ("OWN_SHARE", 1_832_960, "57280.00 - 38950.40"),
        ("PREPAID_SHARE", 60_000, "600.00"),
        ("OVER_LIMIT", 12_000, "120.00"),
        ("FULL_SELF_PAY", 150_000, "1500.00"),
    ],
    ("C12", 2): [
        ("FUND_SHARE", 8_000, "min((500.00 - 0.00) × 60%, 80.00)"),
        ("OWN_SHARE", 20_000, "500.00 - 300.00"),
        ("ABOVE_FUND_LIMIT", 22_000, "300.00 - 80.00"),
    ],
    ("P11", 2): [
        ("FUND_SHARE", 14_000, "(200.00 - 0.00) × 70%"),
        ("OWN_SHARE", 6_000, "200.00 - 140.00"),
        ("ABOVE_FUND_LIMIT", 20_000, "400.00 - 200.00"),
    ],
    ("T20-standard", 2): [
        ("FUND_SHARE", 287_100, "3300.00 × 87%"),
        ("OWN_SHARE", 42_900, "3300.00 - 2871.00"),
        ("ABOVE_PACKAGE", 50_000, "3800.00 - 3300.00"),
    ],
    ("T06-prepay", 1): [
        ("AWAY_PREPAID", 100_000, "10000.00 × 10%"),
        ("DEDUCTIBLE", 80_000, "min(800.00, 9000.00)"),
        ("FUND_SHARE", 697_000, "(9000.00 - 800.00) × 85%"),
        ("OWN_SHARE", 123_000, "8200.00 - 6970.00"),
    ],
    ("P38", 1): [
        ("FUND_SHARE", 360_000, "3600.00"),
        ("OWN_SHARE", 60_000, "4200.00 - 3600.00"),
        ("FULL_SELF_PAY", 30_000, "300.00"),
    ],
    ("T13", 1): [
        ("DEDUCTIBLE", 50_000, "min(500.00, 200000.00)"),
        ("FUND_SHARE", 6_500_000, "min((200000.00 - 500.00) × 91%, 65000.00)"),
        ("OWN_SHARE", 642_857, "199500.00 - 193071.43"),
        ("ABOVE_FUND_LIMIT", 12_807_143, "193071.43 - 65000.00"),
    ],
}


@pytest.mark.parametrize(("case_id", "bill"), WORKINGS, ids=str)
def test_the_working_of(case_id: str, bill: int) -> None:
    assert steps_of(case_id, bill) == WORKINGS[case_id, bill]


@pytest.mark.parametrize(("case_id", "bill"), PARTS, ids=str)
def test_the_parts_of(case_id: str, bill: int) -> None:
    assert parts_of(case_id, bill) == PARTS[case_id, bill]


def test_rules_stand_beside_what_they_decide() -> None:
    settled = settle_case(CASES["README"], BOOK)[0]
    assert settled.outcome is not None
    o = settled.outcome
    rules = {(s.kind.value, s.topic): s.ref.rule for s in o.steps}
    assert rules["DEDUCTIBLE", ""] == "CD-IN-R/deductible"
    assert rules["RATE", ""] == rules["ENTITLED", ""] == "CD-IN-R/rate"
    assert rules["YEAR_CAP", ""] == "CD-BAS-R/year_cap"
    assert rules["THRESHOLD", "critical_illness"] == "CD-CI/threshold"
    assert rules["BANDS", "medical_aid"] == "CD-MAF/rate"
    assert rules["PAYER_LIMIT", "medical_aid"] == "CD-MAF/limit"
    assert {p.kind.value: p.ref.rule for p in o.parts}["OVER_LIMIT"] == "CN-CAT/over_limit"
    assert {p.kind.value: p.ref.rule for p in o.parts}["PREPAID_SHARE"] == "CN-CAT/class_treatment"
    assert o.provisional
    assert {ref.rule for ref in o.provisional_rules} == {
        "CD-BAS-R/year_cap",
        "CD-CI/base",
        "CD-CI/threshold",
        "CD-CI/bands",
        "CD-MAF/threshold",
        "CD-MAF/rate",
        "CD-MAF/limit",
    }


def test_what_the_year_counts() -> None:
    settled = settle_case(CASES["README"], BOOK)[0]
    assert settled.outcome is not None
    assert settled.outcome.counts == {
        "inpatient_resident.stays": 1,
        "basic_resident.fund": 3_895_040,
        "critical_illness.base": 1_882_960,
        "critical_illness.paid": 444_769,
        "medical_aid.base": 1_438_191,
        "medical_aid.paid": 1_006_734,
    }
    o = settled.outcome
    assert (o.deductible_year_fen, o.deductible_left_fen) == (50_000, 0)
    assert (o.fund_limit_fen, o.fund_left_fen) == (32_938_200, 29_043_160)
    assert (o.accumulator_year, o.rulebook_digest) == (2026, BOOK.digest)
