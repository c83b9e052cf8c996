"""The rulebook: what it holds on every boundary day, and what its checks refuse."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

import pytest
import yaml

from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import PARAMETERS, faults_of_pack, read_packs, rulebook
from backend.rulebook.regimes import Regimes
from backend.settlement.tiers.outpatient_pool import OUTPATIENT

BOOK = rulebook()


@pytest.mark.parametrize(
    ("parameter", "day"), BOOK.dates(), ids=lambda x: getattr(x, "rule", str(x))
)
def test_boundaries(parameter: Any, day: date) -> None:
    """On its first day a value is in force; the day before, its predecessor or a clear refusal."""
    dated = next(value for value in parameter.values if value.starts == day)
    case = dict(dated.rows[0][0])
    assert parameter.on(day, case).ref.effective_from == day
    earlier = [value for value in parameter.values if value.starts < day]
    if earlier:
        assert parameter.on(day - timedelta(days=1), case).ref.effective_from == earlier[-1].starts
    else:
        with pytest.raises(RuleMissing, match=parameter.rule):
            parameter.on(day - timedelta(days=1), case)


def test_no_gap_inside_a_parameter() -> None:
    for parameter in BOOK.parameters.values():
        for before, after in zip(parameter.values, parameter.values[1:], strict=False):
            assert before.ends == after.starts - timedelta(days=1), parameter.rule


def test_every_value_was_reviewed_within_a_year_of_the_newest_review() -> None:
    reviews = {
        path.name: date.fromisoformat(str(yaml.safe_load(path.read_text("utf-8"))["reviewed_on"]))
        for path in PARAMETERS.rglob("*.yaml")
    }
    newest = max(reviews.values())
    assert [n for n, day in reviews.items() if newest - day > timedelta(days=365)] == []


def test_provisional_values_say_why() -> None:
    for parameter in BOOK.parameters.values():
        for value in parameter.values:
            if value.provisional:
                assert value.note, parameter.rule


def test_regimes_start_where_the_parameters_do() -> None:
    for regime in OUTPATIENT.all():
        assert OUTPATIENT.on(regime.region, regime.starts) is regime.function
        with pytest.raises(RuleMissing):
            OUTPATIENT.on(regime.region, regime.starts - timedelta(days=1))


def test_regimes_of_one_region_must_not_overlap() -> None:
    regimes: Regimes[[], int] = Regimes("test")
    regimes.add("510100", date(2023, 1, 1), date(2024, 12, 31))(lambda: 1)
    regimes.add("510100", date(2025, 1, 1))(lambda: 2)
    assert regimes.on("510100", date(2024, 12, 31))() == 1
    assert regimes.on("510100", date(2025, 1, 1))() == 2
    with pytest.raises(ValueError, match="overlap"):
        regimes.add("510100", date(2024, 6, 1))(lambda: 3)


def test_a_missing_rule_names_itself() -> None:
    with pytest.raises(RuleMissing) as missing:
        BOOK.find("511500", "outpatient_worker.rate", date(2026, 1, 1))
    assert (missing.value.region, missing.value.rule) == ("511500", "outpatient_worker.rate")


def _pack() -> Any:
    reference = {"document": "d", "clause": "c", "source": "s"}
    return {
        "pack": "T-1",
        "title": "t",
        "region": "510100",
        "topic": "test",
        "reviewed_on": "2026-01-01",
        "parameters": {
            "rate": {
                "description": "a rate",
                "unit": "rate",
                "by": ["person"],
                "values": [
                    {
                        "from": "2023-01-01",
                        "provisional": False,
                        "reference": reference,
                        "table": [{"when": {"person": "ACTIVE"}, "value": "0.5"}],
                    }
                ],
            }
        },
    }


def test_a_good_pack_has_no_faults() -> None:
    assert list(faults_of_pack(_pack())) == []


def _value(pack: Any) -> Any:
    return pack["parameters"]["rate"]["values"][0]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda p: p.pop("reviewed_on"), "reviewed_on"),
        (lambda p: p.update(more=1), "more"),
        (lambda p: p.update(region="Chengdu"), "does not match"),
        (lambda p: _value(p).pop("reference"), "reference"),
        (lambda p: _value(p)["reference"].pop("clause"), "clause"),
        (lambda p: _value(p).update({"from": "2023-13-01"}), "2023-13-01"),
        (lambda p: _value(p)["table"][0].update(value="1.5"), "is no rate"),
        (lambda p: _value(p)["table"][0].update(value=0.5), "0.5"),
        (lambda p: _value(p)["table"][0]["when"].update(planet="Mars"), "not in 'by'"),
        (lambda p: _value(p).update(until="2022-01-01"), "ends before"),
        (lambda p: p["parameters"]["rate"].pop("by"), "goes with 'by'"),
        (lambda p: p["parameters"]["rate"]["values"].append(copy.deepcopy(_value(p))), "overlaps"),
    ],
)
def test_faults_are_named(spoil: Any, fault: str) -> None:
    pack = _pack()
    spoil(pack)
    assert any(fault in found for found in faults_of_pack(pack)), list(faults_of_pack(pack))


def test_the_digest_names_the_text_of_the_law() -> None:
    assert read_packs(PARAMETERS).digest == BOOK.digest
    assert len(BOOK.digest) == 64
