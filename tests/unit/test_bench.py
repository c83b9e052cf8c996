"""The measuring programs run, for a moment each: what nobody runs comes to fail. Speed is not judged here."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from backend.catalogue.library import shipped_items
from tests import bench, bench_engine, bench_matching, mutants, rush


def test_the_bench_measures_both_sides(
    database_url: str, keys_file: Path, own_folder: Path
) -> None:
    environment = {"YIBAO_DATABASE_URL": database_url, "YIBAO_KEYS_FILE": str(keys_file)}
    for side in bench.measure(database_url, own_folder, environment, clients=2, seconds=1):
        assert side.per_second > 0
        assert 0 < side.p50_ms <= side.p99_ms


def test_the_rush_sells_each_seat_once(database_url: str, keys_file: Path) -> None:
    environment = {"YIBAO_DATABASE_URL": database_url, "YIBAO_KEYS_FILE": str(keys_file)}
    said, took, seconds = rush.rush(environment, people=12, seats=4, callers=4)
    assert said == {"BOOKED": 4, "CLINIC_FULL": 8}
    assert len(took) == 12
    assert 0 < min(took) <= seconds


def test_the_engine_is_timed() -> None:
    timed = bench_engine.measure(10, rounds=1, repeats=1)
    assert (timed.lines, timed.steps) == (10, 28)
    assert timed.best > 0
    assert timed.median > 0
    assert timed.explained > 0


def test_the_matching_is_scored() -> None:
    scores = bench_matching.measure(shipped_items())
    assert scores["all"].rows == sum(s.rows for noise, s in scores.items() if noise != "all") > 0
    assert 0 < scores["all"].taken_rightly <= scores["all"].taken <= scores["all"].rows


@pytest.mark.parametrize("part", mutants.PARTS)
def test_what_is_mutated_and_what_notices_exist(part: str, tmp_path: Path) -> None:
    mutants.prepare(part, tmp_path)
    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)["tool"]["mutmut"]
    for pattern in settings["only_mutate"]:
        assert list(tmp_path.glob(pattern)), pattern
    for name in settings["pytest_add_cli_args_test_selection"]:
        assert (tmp_path / name).exists(), name


def test_the_tests_that_notice_mutants_are_found_in_the_copy(tmp_path: Path) -> None:
    mutants.prepare("reader", tmp_path)
    command = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "-k", "not postgresql"]
    found = subprocess.run(
        [*command, "tests/unit/test_casebook.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "test_casebook.py" in found.stdout
