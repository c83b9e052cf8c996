"""A child process that kills itself before its n-th database statement; see ``test_kill.py``."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import event

from backend.access.contracts import TerminalActor
from backend.infra.database import Database
from backend.orders import service as orders
from backend.payments import service
from backend.payments.contracts import ReverseSettlement, Settle
from tests.world import ManualClock, resources_for

KILLED = 77


def run_and_die(keys: str, url: str, work: dict[str, str], die_before: int) -> None:
    """Do the work; die without any clean-up right before the n-th statement."""
    clock = ManualClock(datetime.fromisoformat(work["now"]))
    database = Database(resources_for(url, Path(keys), clock))
    left = die_before

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(KILLED)

    event.listen(database.engine, "before_cursor_execute", count)
    event.listen(database.engine, "commit", count)
    terminal = TerminalActor(**json.loads(work["terminal"]))
    if work["what"] != "reverse":
        command = Settle(terminal, work["target"], work["key"])
        outcome = database.write(lambda unit: service.settle(unit, command), "test")
    else:
        reversal = ReverseSettlement(terminal, work["target"], "测试", work["key"])
        outcome = database.write(lambda unit: orders.reverse_settlement(unit, reversal), "test")
    assert type(outcome).__name__ == "SettlementView", outcome
    os._exit(0)
