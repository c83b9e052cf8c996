"""Many callers in the same moment, on both databases: one wins, and nothing is counted twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from backend.codes.contracts import CodeUsed
from backend.payments.contracts import BillNotOpen, BillOutdated, ScannedCode
from backend.settlement.contracts import SettlementView, TraceCodeSold
from tests.world import IBUPROFEN, OTHER_PHARMACY, PHARMACY, World, line, new_key

_THREADS = 8


def together(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run acts at the same moment and return their outcomes in order."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def kinds(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def test_two_terminals_scan_one_code(world: World) -> None:
    for at in (PHARMACY, OTHER_PHARMACY):
        world.terminal(at)
    for _ in range(5):
        text = world.issue("worker").text
        acts = [
            lambda at=at, text=text: world.scan_text(text, at)
            for at in (PHARMACY, OTHER_PHARMACY) * (_THREADS // 2)
        ]
        outcomes = together(acts)
        assert kinds(outcomes) == {ScannedCode.__name__: 1, CodeUsed.__name__: _THREADS - 1}


def test_one_key_from_many_threads_books_once(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "100.00"))
    before, key = world.balance("worker") or 0, new_key()
    outcomes = together([lambda: world.settle(bill.id, key=key)] * _THREADS)
    assert kinds(outcomes) == {SettlementView.__name__: _THREADS}
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert world.balance("worker") == before - 10000
    assert world.faults() == []


def test_many_keys_for_one_bill_book_once(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "100.00"))
    outcomes = together([lambda: world.settle(bill.id)] * _THREADS)
    assert kinds(outcomes) == {SettlementView.__name__: 1, BillNotOpen.__name__: _THREADS - 1}
    assert world.faults() == []


def test_one_pack_at_many_tills(world: World) -> None:
    pack = line(IBUPROFEN, "1", "50.00")
    people = [f"worker_{n}" for n in range(2, 10)]
    bills = [world.bill(who, pack) for who in people]
    outcomes = together([lambda b=bill: world.settle(b.id) for bill in bills])
    assert kinds(outcomes) == {SettlementView.__name__: 1, TraceCodeSold.__name__: 7}
    assert world.faults() == []


def test_many_bills_of_one_person_share_one_deductible(world: World) -> None:
    bills = [world.bill("worker", line(IBUPROFEN, "1", "150.00")) for _ in range(4)]
    outcomes = together([lambda b=bill: world.settle(b.id) for bill in bills])
    assert kinds(outcomes) == {SettlementView.__name__: 1, BillOutdated.__name__: 3}
    assert world.used("worker").deductible_fen == 15000
    assert world.faults() == []


def test_reversed_many_times_at_once(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    outcomes = together([lambda: world.reverse(settled.id)] * _THREADS)
    assert kinds(outcomes) == {"SettlementView": 1, "AlreadyReversed": _THREADS - 1}
    assert world.used("worker").deductible_fen == 0
    assert world.faults() == []


def test_strangers_do_not_deadlock(world: World) -> None:
    people = [f"worker_{n}" for n in range(2, 10)]

    def shop(who: str) -> list[Any]:
        bought = [world.buy(who, line(IBUPROFEN, "1", "60.00")) for _ in range(3)]
        return [world.reverse(settled.id) for settled in reversed(bought)]

    for who in people:
        world.actor(who)
    world.terminal()
    reversals = together([lambda w=who: shop(w) for who in people])
    assert kinds([r for shopped in reversals for r in shopped]) == {"SettlementView": 24}
    assert world.faults() == []
