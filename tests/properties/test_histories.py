"""Any order of settling, retrying and reversing, watched by an auditor that reckons on its own.

The auditor knows nothing of the engine: it holds Chengdu's four figures for an active worker and does
its own arithmetic in plain fen.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from backend.infra import audit
from backend.kernel.money import parse_unit_price
from backend.settlement.contracts import LaterSettlementsInTheWay, SettlementView
from tests.world import EJIAO, IBUPROFEN, LIANHUA, ROSUVASTATIN, World, line, new_key

DEDUCTIBLE, LIMIT = 20_000, 200_000
_PRICES = ("3.33", "17.45", "66.60", "149.99", "400.00")


@dataclass
class Auditor:
    """What an active worker's year and account must look like."""

    balance: int
    standing: list[tuple[str, int, int, int]] = field(default_factory=list)

    @property
    def deductible(self) -> int:
        return sum(bill[1] for bill in self.standing)

    @property
    def fund(self) -> int:
        return sum(bill[2] for bill in self.standing)

    def expect(self, basket: list[tuple[str, int]]) -> tuple[int, int, int, int]:
        """Return deductible, fund, account and cash that a basket must come to."""
        in_scope = payable = cash_only = 0
        for code, amount in basket:
            if code == EJIAO:
                cash_only += amount
                continue
            over = max(0, amount - 1480) if code == LIANHUA else 0
            counted = amount - over
            prepaid = (counted * 10 + 50) // 100 if code == ROSUVASTATIN else 0
            in_scope += counted - prepaid
            payable += prepaid
            cash_only += over
        deductible = min(in_scope, DEDUCTIBLE - min(DEDUCTIBLE, self.deductible))
        entitled = (in_scope - deductible + 1) // 2
        fund = min(entitled, LIMIT - self.fund)
        payable += in_scope - fund
        account = min(self.balance, payable)
        return deductible, fund, account, payable - account + cash_only


@pytest.mark.parametrize("seed", range(6))
def test_histories(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.change_settings(confirm_above_fen=10**9)
    auditor = Auditor(world.balance("worker") or 0)
    for _ in range(25):
        act = chance.choice(["buy", "buy", "retry", "reverse"])
        if act == "reverse" and auditor.standing:
            _reverse(world, auditor, chance.randrange(len(auditor.standing)))
        else:
            _buy(world, auditor, chance, retries=2 if act == "retry" else 0)
        used = world.used("worker")
        assert (used.deductible_fen, used.fund_fen) == (auditor.deductible, auditor.fund)
        assert world.balance("worker") == auditor.balance
    assert world.faults() == []
    assert world.database.read(audit.verify) == []


def _buy(world: World, auditor: Auditor, chance: random.Random, retries: int) -> None:
    codes = chance.sample([IBUPROFEN, ROSUVASTATIN, LIANHUA, EJIAO], chance.randint(1, 4))
    priced = [(code, chance.choice(_PRICES)) for code in codes]
    lines = [line(code, "1", price) for code, price in priced]
    basket = [(code, parse_unit_price(price) // 10_000) for code, price in priced]
    expected = auditor.expect(basket)
    bill = world.bill("worker", *lines)
    key = new_key()
    settled = world.settle(bill.id, key=key)
    assert isinstance(settled, SettlementView)
    for _ in range(retries):
        assert world.settle(bill.id, key=key) == settled
    o = settled.outcome
    assert (o.deductible_fen, o.fund_fen, o.account_fen, o.cash_fen) == expected
    auditor.standing.append((settled.id, o.deductible_fen, o.fund_fen, o.account_fen))
    auditor.balance -= o.account_fen


def _reverse(world: World, auditor: Auditor, index: int) -> None:
    settlement_id, _, _, account = auditor.standing[index]
    before = world.money()
    outcome = world.reverse(settlement_id)
    if isinstance(outcome, LaterSettlementsInTheWay):
        later = {bill[0] for bill in auditor.standing[index + 1 :]}
        assert set(outcome.settlement_ids) <= later
        assert world.money() == before
        return
    assert isinstance(outcome, SettlementView)
    del auditor.standing[index]
    auditor.balance += account
