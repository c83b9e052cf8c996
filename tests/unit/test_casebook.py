"""The form in which a health bureau writes cases: every key, every default, every fault."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.institutions.contracts import InstitutionKind
from backend.kernel.money import parse_quantity, parse_unit_price
from backend.people.contracts import AccountKind, BenefitStatus, InsuranceType, PersonKind
from backend.rulebook.library import rulebook
from backend.settlement.case import (
    CapitatedCare,
    CareKind,
    Case,
    FilingKind,
    HeldProduct,
    Insured,
    LineInput,
    PackageUse,
    Place,
    ReferredFrom,
    Route,
    Stay,
)
from backend.settlement.casebook import (
    CaseInvalid,
    Settled,
    amounts_of,
    case_of,
    differences,
    read_cases,
    settle_case,
)

BARE = {"id": "bare", "region": "510100", "scope": {"in_scope": "300"}}
DAY = date(2023, 6, 15)


def read(**more: Any) -> Case:
    return case_of({**BARE, **more}, rulebook())


def test_a_bare_case_is_a_worker_at_a_level_3_hospital() -> None:
    assert read() == Case(
        care=CareKind.OUTPATIENT,
        service_date=DAY,
        year=2023,
        insured=Insured(
            "510100",
            InsuranceType.EMPLOYEE,
            PersonKind.ACTIVE,
            AccountKind.COMBINED,
            BenefitStatus.ACTIVE,
            age=40,
        ),
        place=Place("510100", InstitutionKind.HOSPITAL, 3, pooling=True, campus=False),
        lines=(
            LineInput(
                number=1,
                code="CASE-1",
                name="class A",
                kind=ItemKind.DRUG,
                item_class=ItemClass.A,
                prepaid_share="0",
                price_limit=None,
                terms_from=DAY,
                illustrative=False,
                quantity=parse_quantity("1"),
                unit_price=parse_unit_price("300"),
            ),
        ),
    )


def test_every_key_lands_in_its_fact() -> None:
    case = case_of(
        {
            **BARE,
            "on": "2023-07-01",
            "care": "INPATIENT",
            "route": "MANUAL",
            "filing": "REFERRAL",
            "disease": "COPD",
            "place": "LEVEL_2",
            "place_area": "511500",
            "pooling": False,
            "use_account": False,
            "package": {"code": "P", "days": 3},
            "capitated": "PILOT",
            "given": {"oth": "1.50"},
            "used": {"a.stays": 2, "a.fund": "12.34"},
            "stay": {
                "admitted": "2023-06-20",
                "discharged": "2023-07-02",
                "deductible_due": "800",
                "deductible_paid": "300",
                "counted": True,
            },
            "referred_from": {"place": "LEVEL_1", "stays_before": 1, "deductible": "200"},
            "person": {
                "insurance": "RESIDENT",
                "kind": "STUDENT_OR_CHILD",
                "tier": "HIGH",
                "age": 9,
                "account": "POOL_ONLY",
                "status": "WAITING",
                "identities": ["ORPHAN"],
                "civil_servant": True,
                "products": {"X": "CONTINUOUS", "Y": "NEW"},
                "benefits_paused": True,
            },
            "lines": [
                {
                    "code": "C1",
                    "name": "药",
                    "kind": "TREATMENT",
                    "class": "B",
                    "prepaid": "0.1",
                    "limit": "5",
                    "home_price": "4",
                    "quantity": "2",
                    "amount": "7",
                    "restriction_met": False,
                    "on": "2023-06-21",
                }
            ],
            "scope": {"over_limit": "8", "full_self_pay": "9", "prepaid_share": "10"},
        },
        rulebook(),
        {2023: {"a.fund": 5, "b.fund": 6}, 2022: {"c.fund": 7}},
        balance=11,  # type: ignore[arg-type]
        family=12,  # type: ignore[arg-type]
    )
    left = date(2023, 7, 2)
    assert case.insured == Insured(
        "510100",
        InsuranceType.RESIDENT,
        PersonKind.STUDENT_OR_CHILD,
        AccountKind.POOL_ONLY,
        BenefitStatus.WAITING,
        tier="HIGH",
        age=9,
        civil_servant=True,
        identities=("ORPHAN",),
        products=(HeldProduct("X", True), HeldProduct("Y", False)),
        benefits_paused=True,
    )
    assert case.place == Place("511500", InstitutionKind.HOSPITAL, 2, pooling=False, campus=False)
    assert case.stay == Stay(
        date(2023, 6, 20), left, 80_000, 30_000, True, ReferredFrom("LEVEL_1", 1, 20_000)
    )
    assert (case.service_date, case.year, case.care) == (left, 2023, CareKind.INPATIENT)
    assert (case.route, case.filing, case.disease) == (Route.MANUAL, FilingKind.REFERRAL, "COPD")
    assert (case.package, case.capitated) == (PackageUse("P", 3), CapitatedCare.PILOT)
    assert (case.given, case.use_account) == ({"oth": 150}, False)
    assert case.used == {"a.stays": 2, "a.fund": 5, "b.fund": 6}
    assert (case.account_balance_fen, case.family_balance_fen) == (11, 12)
    assert case.lines[0] == LineInput(
        number=1,
        code="C1",
        name="药",
        kind=ItemKind.TREATMENT,
        item_class=ItemClass.B,
        prepaid_share="0.1",
        price_limit=parse_unit_price("5"),
        terms_from=left,
        illustrative=False,
        quantity=parse_quantity("2"),
        unit_price=parse_unit_price("7"),
        home_price=parse_unit_price("4"),
        restriction_met=False,
        served_on=date(2023, 6, 21),
    )
    parts = [
        (line.number, line.item_class, line.prepaid_share, line.price_limit)
        for line in case.lines[1:]
    ]
    assert parts == [
        (2, ItemClass.A, "0", 0),
        (3, ItemClass.C, "0", None),
        (4, ItemClass.B, "1", None),
    ]


def test_defaults_of_a_stay_a_referral_a_package_and_residents() -> None:
    stay = {"care": "INPATIENT", "referred_from": {"place": "LEVEL_2", "deductible": "1"}}
    assert read(**stay).stay == Stay(DAY, DAY, None, 0, False, ReferredFrom("LEVEL_2", 0, 100))
    assert read(care="INPATIENT").stay == Stay(DAY, DAY)
    assert read(package={"code": "P"}).package == PackageUse("P", 0)
    resident = read(person={"insurance": "RESIDENT"}).insured
    assert (resident.person_kind, resident.account_kind) == (
        PersonKind.RESIDENT_ADULT,
        AccountKind.NONE,
    )
    assert read(place="PHARMACY").place == Place(
        "510100", InstitutionKind.PHARMACY, None, pooling=True, campus=False
    )
    assert read(place="CAMPUS").place == Place(
        "510100", InstitutionKind.HOSPITAL, 0, pooling=True, campus=True
    )
    assert read(on=DAY).service_date == DAY


def test_what_no_case_may_say() -> None:
    for wrong in (
        {"nonsense": 1},
        {"person": {"nonsense": 1}},
        {"care": "NONE"},
        {"on": "someday"},
        {"lines": [{"class": "A"}]},
        {"scope": {"nonsense": "1"}},
    ):
        with pytest.raises(CaseInvalid, match=r"^bare|person"):
            settle_case({**BARE, **wrong}, rulebook())
    with pytest.raises(CaseInvalid, match=r"^bare: unknown more, nonsense$"):
        settle_case({**BARE, "nonsense": 1, "more": 2}, rulebook())


def test_files_and_folders_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("- {id: two}\n- {id: three}\n", encoding="utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.yaml").write_text("id: one\n", encoding="utf-8")
    (tmp_path / "inner" / "c.yaml").write_text("id: four\n", encoding="utf-8")
    (tmp_path / "d.txt").write_text("id: five\n", encoding="utf-8")
    ids = [case["id"] for case in read_cases(tmp_path, tmp_path / "a.yaml")]
    assert ids == ["one", "two", "three", "four", "one"]
    with pytest.raises(CaseInvalid, match=r"^there is no .*missing\.yaml$"):
        read_cases(tmp_path / "missing.yaml")
    for text in ("- 1\n", "title: x\n"):
        (tmp_path / "e.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(CaseInvalid, match=r"^e\.yaml: a case is a mapping with an id$"):
            read_cases(tmp_path / "e.yaml")


def settled(**more: Any) -> list[Settled]:
    return settle_case({**BARE, **more}, rulebook())


def test_differences_are_named_to_the_fen_with_their_bill() -> None:
    (one,) = settled()
    paid = one.shown["basic"]
    assert (paid, one.shown["year"], one.shown["total"]) == ("50.00", "2023", "300.00")
    assert settled(expect={"basic": paid})[0].differences() == []
    wrong = settled(expect={"basic": "49.99"}, never={"cash": one.shown["cash"]})
    assert differences(wrong) == [
        "bill 1: basic: wanted 49.99, got 50.00 (+0.01)",
        f"bill 1: cash: came out as {one.shown['cash']}, which it must never",
    ]
    assert settled(expect={"basic": "50.01"})[0].differences() == [
        "basic: wanted 50.01, got 50.00 (-0.01)"
    ]
    assert settled(expect={"year": "soon"})[0].differences() == ["year: wanted soon, got 2023"]
    assert settled(expect={"nothing": "0.00"})[0].differences() == []
    assert settled(expect={"nothing": "0.01"})[0].differences() == [
        "nothing: wanted 0.01, got 0.00 (-0.01)"
    ]


def test_refusals_are_expected_by_their_words() -> None:
    missing = settled(region="510300")[0]
    assert missing.outcome is None
    assert missing.refusal.startswith("RuleMissing: ")
    assert missing.differences() == [f"refused: {missing.refusal}"]
    assert settled(region="510300", refused="510300")[0].differences() == []
    assert settled(refused="510300")[0].differences() == ["refusal: wanted 510300, got none"]
    other = settled(region="510300", refused="Contradicts")[0]
    assert other.differences() == [f"refusal: wanted Contradicts, got {other.refusal}"]


def test_bills_in_a_row_share_the_year_and_the_account() -> None:
    first, second = settled(account="100", bills=[{}, {"scope": {"in_scope": "100"}}])
    assert (first.shown["account"], first.shown["account_after"]) == ("100.00", "0.00")
    assert first.shown["used.outpatient_worker.deductible"] == "200.00"
    assert second.case.account_balance_fen == 0
    assert second.shown["deductible"] == "0.00"
    assert second.shown["used.outpatient_worker.fund"] == "100.00"
    stay = settled(care="INPATIENT", scope={"in_scope": "5000"})[0]
    assert stay.shown["used.inpatient_worker.stays"] == "1"


def test_amounts_by_topic_and_by_part_add_up() -> None:
    case = {**BARE, "care": "INPATIENT", "scope": {"in_scope": "400000", "full_self_pay": "7"}}
    (one,) = settle_case(case, rulebook())
    assert one.outcome is not None
    shown = amounts_of(one.outcome, {})
    assert shown["part.FULL_SELF_PAY"] == shown["full_self_pay"] == "7.00"
    assert not [name for name in shown if name.startswith("used.")]
    assert shown["hospital_due"] == "0.00"
    topics = {share.topic for share in one.outcome.shares if share.topic}
    assert topics <= set(shown)
