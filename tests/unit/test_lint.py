"""What the check of packs finds, fault by fault, and what the other policy commands print."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.rulebook.library import shipped_packs
from backend.rulebook.lint import check
from backend.rulebook.packs import PackInvalid, complete, read_yaml
from mobile_bff.command import main

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).parents[2]
Change = Callable[[Any], None]


def pack_of(region: str, topic: str) -> Any:
    packs = copy.deepcopy(shipped_packs())
    return next(p for p in packs.values() if (p["region"], p["topic"]) == (region, topic))


def faults_after(region: str, topic: str, change: Change) -> list[str]:
    pack = pack_of(region, topic)
    change(pack["parameters"])
    return list(check({"changed": pack}, shipped_packs(), TODAY).faults)


def last(parameter: Any) -> Any:
    return parameter["values"][-1]


def test_the_shipped_packs_have_no_fault() -> None:
    found = check(shipped_packs(), shipped_packs(), TODAY)
    assert found.faults == ()
    assert any("provisional" in remark for remark in found.remarks)


FAULTS: list[tuple[str, str, Change, str]] = [
    ("510100", "cross_region", lambda p: last(p["points"])["table"][0].update(value="0.25"),
     "25% is beyond the national bound of 20% for NONE"),
    ("510100", "cross_region", lambda p: last(p["points"])["table"][1].update(value="0.11"),
     "11% is beyond the national bound of 10% for REFERRAL"),
    ("510100", "cross_region", lambda p: p.pop("points"), "points is missing: mechanism is POINTS"),
    ("511500", "inpatient_resident",
     lambda p: next(r for r in last(p["rate"])["table"] if r["value"] == "0.45").update(value="0.40"),
     "15% is beyond the national bound of 10% for LEVEL_3, REFERRAL"),
    ("510100", "critical_illness", lambda p: last(p["threshold"]).update(value=24000),
     "24000.00 is above 23974.00"),
    ("510100", "critical_illness", lambda p: last(p["bands"])["value"][0].update(rate="0.55"),
     "55% is beyond the national bound of 60%"),
    ("510100", "critical_illness",
     lambda p: last(p["tilt_threshold"])["table"][0].update(value="0.60"), "60% is beyond"),
    ("510100", "critical_illness",
     lambda p: last(p["tilt_points"])["table"][0].update(value="0.03"), "3% is beyond"),
    ("510100", "medical_aid", lambda p: last(p["rate"])["table"][1].update(value="0.65"),
     "65% is beyond the national bound of 70% for MINIMUM_LIVING"),
    ("510100", "personal_account", lambda p: last(p["credit_rate"])["table"][0].update(value="0.03"),
     "3% is beyond the national bound of 2%"),
    ("510100", "critical_illness", lambda p: p["threshold"]["values"][1].pop("gap_after"),
     "nothing is in force between 2015-12-31 and 2023-01-01"),
    ("510100", "critical_illness",
     lambda p: p["threshold"]["values"][0].update(gap_after="none there"), "there is no gap"),
    ("510100", "critical_illness", lambda p: last(p["threshold"]).pop("note"),
     "provisional, and no note says why"),
    ("510100", "critical_illness", lambda p: p.pop("band_origin"),
     "band_origin is missing: bands needs it"),
    ("510100", "inpatient_worker", lambda p: p.pop("rate"),
     "rate is missing: it is needed unless rate_bands"),
    ("510100", "inpatient_worker", lambda p: p.pop("deductible_floor"),
     "deductible_floor is missing: deductible_step needs it"),
    ("510100", "inpatient_worker", lambda p: p.pop("places"),
     "places is missing: every inpatient_worker needs it"),
    ("510100", "chronic_worker", lambda p: p.pop("diseases"), "diseases is missing: chronic"),
    ("510100", "inpatient_worker", lambda p: p.update(rate_age_point=p.pop("rate_age_points")),
     "knows no such parameter"),
    ("510100", "inpatient_worker", lambda p: last(p["deductible_period"]).update(value="STAYS"),
     "STAYS is none of STAY, YEAR, TIMES_A_YEAR"),
    ("510100", "inpatient_worker", lambda p: p["rate"].update(unit="yuan"), "its unit is rate, not yuan"),
    ("510100", "inpatient_worker",
     lambda p: (p["rate"].update(by=["ward"]), last(p["rate"]).update(
         table=[{"when": {"ward": "1"}, "value": "0.5"}])), "ward is no dimension"),
    ("510100", "critical_illness",
     lambda p: last(p["bands"]).update(
         value=[{"up_to": 20000, "rate": "0.6"}, {"up_to": 5000, "rate": "0.7"}, {"rate": "0.9"}]),
     "band 2 ends at or below the one before it"),
    ("510100", "critical_illness",
     lambda p: last(p["bands"]).update(value=[{"up_to": 20000, "rate": "0.60"}]),
     "the last band has an end"),
    ("510100", "critical_illness",
     lambda p: last(p["bands"]).update(value=[{"rate": "0.60"}, {"up_to": 5000, "rate": "0.7"}]),
     "band 1 has no end"),
    ("510100", "payers", lambda p: last(p["order"])["table"][0].update(value=["nobody"]),
     "there is no pack nobody for 510100"),
    ("510100", "inpatient_worker",
     lambda p: last(p["rate"])["table"].insert(0, {"when": {}, "value": "0.5"}),
     "is never reached, a row above covers it"),
    ("510100", "critical_illness",
     lambda p: p["threshold"]["values"].append(
         {**last(p["threshold"]), "from": "2026-12-01", "value": 20000}), "overlaps the one before"),
]  # fmt: skip


def name_of_part(part: object) -> str:
    """Return the same id in every process: an id that holds an address differs in each worker."""
    return "change" if callable(part) else str(part)[:40]


@pytest.mark.parametrize(("region", "topic", "change", "fault"), FAULTS, ids=name_of_part)
def test_a_fault_is_found_and_named(region: str, topic: str, change: Change, fault: str) -> None:
    found = faults_after(region, topic, change)
    assert any(fault in text for text in found), found


def test_a_value_that_begins_too_soon_after_its_review_is_a_fault() -> None:
    def later(parameters: Any) -> None:
        value = last(parameters["threshold"])
        parameters["threshold"]["values"].append({**value, "from": "2026-12-10", "value": 20000})
        value["until"] = "2026-12-09"

    found = faults_after("510100", "critical_illness", later)
    assert any("reviewed 18 days before it begins on 2026-12-10, not 30" in f for f in found), found


def test_an_old_review_is_a_remark() -> None:
    found = check(shipped_packs(), shipped_packs(), date(2028, 1, 1))
    assert any("more than a year ago" in remark for remark in found.remarks)


def test_what_is_no_yaml_says_where(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("pack: [", encoding="utf-8")
    with pytest.raises(PackInvalid, match=r"bad\.yaml is no YAML"):
        read_yaml(bad)


def test_a_short_pack_is_completed_from_the_vocabulary() -> None:
    reference = {"document": "d", "clause": "c", "source": "s"}
    pack = complete(
        {
            "region": "999900",
            "topic": "outpatient_worker",
            "defaults": {"from": "2023-01-01", "provisional": False, "reference": reference},
            "parameters": {
                "deductible": 600,
                "rate": {"table": [{"when": {"place": "LEVEL_2"}, "value": "0.65"}]},
            },
        }
    )
    assert pack["parameters"]["deductible"]["unit"] == "yuan"
    assert pack["parameters"]["deductible"]["values"][0]["reference"] == reference
    assert pack["parameters"]["rate"]["by"] == ["place"]
    assert "defaults" not in pack


def test_policy_run_prints_differences_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = {
        "id": "X1",
        "region": "510100",
        "lines": [{"class": "A", "amount": "300"}],
        "expect": {"fund": "50.01"},
    }
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    assert main(["policy", "run", "--cases", str(tmp_path / "case.yaml")]) == 1
    said = capsys.readouterr().out
    assert "X1: bill 1: fund: wanted 50.01, got 50.00 (-0.01)" in said
    assert "1 cases, 1 bills, 1 cases differ" in said
    assert (
        main(["policy", "run", str(ROOT / "tests/packs"), "--cases", str(ROOT / "tests/cases")])
        == 0
    )


def test_policy_diff_shows_who_would_pay_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = ROOT / "backend/rulebook/parameters/510100/outpatient_worker.yaml"
    text = old.read_text(encoding="utf-8")
    (tmp_path / "new.yaml").write_text(
        text.replace('place: LEVEL_3}, value: "0.50"', 'place: LEVEL_3}, value: "0.55"'), "utf-8"
    )
    cases = str(ROOT / "tests/cases/constructed/chengdu.yaml")
    assert main(["policy", "diff", str(old), str(tmp_path / "new.yaml"), "--cases", cases]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "C10 1 basic 50.00 55.00 +5.00" in said
    assert "C10 2 cash 500.00 450.00 -50.00" in said
    assert "2 bills come out differently" in said


def test_policy_explain_speaks_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    case = str(ROOT / "tests/cases/constructed/readme.yaml")
    assert main(["policy", "explain", case]) == 0
    assert "统筹基金支付38950.40元" in capsys.readouterr().out
    assert main(["policy", "explain", case, "--english"]) == 0
    assert "The pooling fund pays CNY 38950.40" in capsys.readouterr().out


def test_a_case_with_an_unknown_key_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "case.yaml").write_text(
        "{id: X, region: '510100', hospital: 1, lines: []}", "utf-8"
    )
    assert main(["policy", "run", "--cases", str(tmp_path / "case.yaml")]) == 2
    assert "X: unknown hospital" in capsys.readouterr().err
