"""The rulebook: what it holds on every boundary day, and what its checks refuse."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
import yaml

from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import PARAMETERS, read_packs, rulebook, shipped_packs
from backend.rulebook.packs import faults_of_pack

BOOK = rulebook()


@pytest.mark.parametrize(
    ("parameter", "day"), BOOK.dates(), ids=lambda x: getattr(x, "rule", str(x))
)
def test_boundaries(parameter: Any, day: date) -> None:
    """On its first day a value is in force; the day before, its predecessor or a clear refusal."""
    dated = next(value for value in parameter.values if value.starts == day)
    eve = day - timedelta(days=1)
    before = next((value for value in parameter.values if value.covers(eve)), None)
    for when, finding in dated.rows:
        case = {name: min(wanted) for name, wanted in when}
        assert parameter.on(day, case).ref.effective_from == day
        if not _covered_above(dated, when):
            assert parameter.on(day, case) == finding
        if before is None:
            with pytest.raises(RuleMissing, match=parameter.rule):
                parameter.on(eve, case)
        elif (found := parameter.on_or_none(eve, case)) is not None:
            assert found.ref.effective_from == before.starts


def _covered_above(dated: Any, when: Any) -> bool:
    """Tell whether a row before this one takes the case that the row is tried with."""
    case = {name: min(wanted) for name, wanted in when}
    for other, _ in dated.rows:
        if other == when:
            return False
        if all(case.get(name) in wanted for name, wanted in other):
            return True
    return False


def test_gaps_are_explained_and_values_do_not_overlap() -> None:
    for pack in shipped_packs().values():
        for name, parameter in pack["parameters"].items():
            for before, after in pairwise(parameter["values"]):
                ends = date.fromisoformat(before["until"])
                adjoining = ends + timedelta(days=1) == date.fromisoformat(after["from"])
                assert adjoining != ("gap_after" in before), (pack["pack"], name)


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
            for _, finding in value.rows:
                assert finding.ref.note or not finding.ref.provisional, parameter.rule


def test_a_missing_rule_names_itself() -> None:
    with pytest.raises(RuleMissing) as missing:
        BOOK.find("510300", "outpatient_worker.rate", date(2026, 1, 1))
    assert (missing.value.region, missing.value.rule) == ("510300", "outpatient_worker.rate")


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
