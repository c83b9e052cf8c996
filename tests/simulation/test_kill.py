"""The process dies between any two statements of a settlement or a reversal: all of it, or nothing.

A child process books a bill on a copy of the database and kills itself, without any clean-up, right
before its n-th statement; n runs from the first to the last one and past it. No hook in the program:
the child listens to its own database driver.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.access.contracts import TerminalActor
from backend.infra.database import Database
from backend.payments.contracts import BillView
from backend.settlement.contracts import SettlementView
from tests.databases import drop_database, name_of, new_database
from tests.simulation.killed_child import KILLED, run_and_die
from tests.world import IBUPROFEN, LEVEL_3, PHARMACY, ROSUVASTATIN, VISIT, World, line, new_key

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.simulation.killed_child"])


def _run_child(url: str, keys: Path, work: dict[str, str], die_before: int) -> int | None:
    child = _PROCESSES.Process(target=run_and_die, args=(str(keys), url, work, die_before))
    child.start()
    child.join(60)
    return child.exitcode


@pytest.mark.parametrize("what", ["settle", "reverse", "discharge"])
def test_killed_between_any_two_statements(
    world: World,
    keys_file: Path,
    database_url: str,
    what: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    if what == "discharge":
        bill, terminal = _pay_later_discharge(world)
    else:
        basket = (line(IBUPROFEN, "1", "150.00"), line(ROSUVASTATIN, "1", "30.00"))
        bill, terminal = world.bill("worker", *basket), world.terminal()
    settled = world.settle(bill.id) if what == "reverse" else None
    work = {
        "what": what,
        "now": world.clock.now().isoformat(),
        "target": settled.id if settled else bill.id,
        "key": new_key(),
        "terminal": json.dumps(vars(terminal)),
    }
    before, expected_rows = world.money(), _rows(world) + 1
    world.database.close()

    outcomes = set()
    statement = 1
    while True:
        copy = _copy(database_url, tmp_path, request)
        status = _run_child(copy, keys_file, work, die_before=statement)
        survivor = World(Database(_on(world, copy)), world.clock)
        if status == 0:
            break
        assert status == KILLED
        assert survivor.money() == before, f"half booked before statement {statement}"
        assert survivor.faults() == []
        again = _again(survivor, work, terminal)
        assert isinstance(again, SettlementView), again  # the retry books it
        assert _rows(survivor) == expected_rows
        assert survivor.faults() == []
        outcomes.add(survivor.balance("worker"))
        _drop(survivor, copy, request)
        statement += 1
        assert statement < 200
    assert statement > 20
    assert len(outcomes) == 1
    first = _again(survivor, work, terminal)
    assert isinstance(first, SettlementView)  # done, answer lost: the retry gets the answer
    assert _rows(survivor) == expected_rows
    _drop(survivor, copy, request)


def _pay_later_discharge(world: World) -> tuple[BillView, TerminalActor]:
    """Return the last bill of a stay through every payer, whose cash becomes a debt."""
    world.change_settings(confirm_above_fen=10**9)
    stay = world.admit("aided", LEVEL_3, pay_later=True)
    care = line(VISIT, "1", "60000.00", traces=0)
    bill = world.presettle("", care, at=LEVEL_3, stay_id=stay.id, discharge=True, instalments=3)
    assert isinstance(bill, BillView)
    return bill, world.terminal(LEVEL_3)


def _again(world: World, work: dict[str, str], terminal: object) -> object:
    for code in (PHARMACY, LEVEL_3):
        world._terminals[code] = terminal  # type: ignore[assignment]
    if work["what"] != "reverse":
        return world.settle(work["target"], key=work["key"])
    return world.reverse(work["target"], key=work["key"])


def _rows(world: World) -> int:
    count = text("SELECT count(*) FROM settlement")
    return int(world.database.read(lambda u: u.db.connection().execute(count).scalar_one()))


def _copy(url: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if url.startswith("sqlite"):
        path = folder / "copy.sqlite3"
        for leftover in folder.glob("copy.sqlite3*"):
            leftover.unlink()
        shutil.copy(url.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"
    return new_database(request.getfixturevalue("postgres"), name_of(url))


def _drop(world: World, url: str, request: pytest.FixtureRequest) -> None:
    world.database.close()
    if not url.startswith("sqlite"):
        drop_database(request.getfixturevalue("postgres"), url)


def _on(world: World, url: str) -> object:
    resources = world.database.resources
    return replace(resources, settings=replace(resources.settings, database_url=url))
