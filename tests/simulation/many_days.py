"""Many days of paying with everything going wrong: channel, callbacks, processes, people. Then the books.

One seed is one history. People begin to pay, pay, think better of it, pay after all; the channel loses
requests and answers, calls back twice, late or never, takes other amounts and cannot give back; whoever looks
after orders dies before or after any commit; tills take settlements back; accounts are frozen in between.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from backend.codes import service as codes
from backend.codes.contracts import IssueCode, IssuedCode, Purpose
from backend.identity import safety
from backend.identity.model import AccountFreeze
from backend.identity.safety_contracts import Proof
from backend.infra.database import Database
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.orders import driving, queries, reconciling, service
from backend.orders.contracts import (
    FINAL,
    STANDS,
    CancelOrder,
    CashState,
    ChannelName,
    OrderState,
    OrderView,
    PayBill,
    ReturnState,
    TakeNote,
)
from backend.payments.contracts import BillView, ScannedCode
from backend.settlement import queries as settlements
from backend.settlement.contracts import SettlementView
from tests.scripted_channel import ScriptedChannel
from tests.world import EJIAO, IBUPROFEN, PHARMACY, World, line, new_key

PEOPLE = tuple(f"worker_{number}" for number in range(2, 8))
FAULTS = {
    "ask": ("lost", "late", "refused"),
    "look": ("lost",),
    "close": ("lost", "late"),
    "give_back": ("lost", "late"),
    "look_at_return": ("lost",),
}


class Killed(BaseException):
    """The process died."""


@dataclass
class DyingDatabase:
    """A database whose process dies before or after some of its commits."""

    database: Database
    dice: random.Random
    share: float

    def read(self, work: Any) -> Any:
        return self.database.read(work)

    def write(self, work: Any, request_id: str = "") -> Any:
        if self.dice.random() < self.share:
            raise Killed
        outcome = self.database.write(work, request_id)
        if self.dice.random() < self.share:
            raise Killed
        return outcome


@dataclass
class History:
    """One seed's history, and what it counts."""

    world: World
    seed: int
    dice: random.Random = field(init=False)
    channels: dict[ChannelName, ScriptedChannel] = field(init=False)
    orders: list[str] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.channels = {name: ScriptedChannel(self.world.clock) for name in ChannelName}

    def goes_on(self, steps: int) -> None:
        """Let so many things happen, minutes or hours apart."""
        acts = (
            *(self.begins,) * 5,
            *(self.pays,) * 6,
            *(self.works,) * 8,
            *(self.breaks,) * 3,
            *(self.cancels, self.reverses, self.takes_note, self.freezes, self.buys_at_the_till),
            *self.more(),
        )
        for _ in range(steps):
            self.dice.choice(acts)()
            later = self.dice.choices((1, 5, 30, 120, 400, 86_400), (4, 4, 4, 3, 2, 1))
            self.world.clock.forward(seconds=later[0])
            self._fresh()

    def more(self) -> tuple[Any, ...]:
        """Return what else happens in this history."""
        return ()

    def comes_to_rest(self) -> None:
        """Let everything be well again, and time pass until nothing moves any more."""
        for channel in self.channels.values():
            channel.faults, channel.returns = {}, []
        for key in PEOPLE:
            self._thaws(key)
        for _ in range(60):
            self.works(share=0)
            for order in self.views():
                if order.state is OrderState.RETURN_FAILED:
                    self.world.database.write(
                        lambda u, of=order.id: service.try_again(u, "staff:test", of)
                    )
            self.world.clock.forward(seconds=600)
        self._fresh()
        for _ in range(3):  # what nobody heard of is found in the channel's file of its day
            self.world.clock.forward(days=1)
            reconciling.reconcile_due(self.world.database, self.channels)
            for _ in range(5):
                self.works(share=0)
                self.world.clock.forward(seconds=600)
        self._fresh()

    # -- what happens ------------------------------------------------------------------------------

    def begins(self) -> None:
        key = self.dice.choice(PEOPLE)
        cash = f"{self.dice.randrange(1, 200)}.{self.dice.randrange(100):02d}"
        lines = [line(IBUPROFEN, "1", f"{self.dice.randrange(1, 90)}.00")]
        if self.dice.random() < 0.8:
            lines.append(line(EJIAO, "1", cash))
        scanned = self._scans(key)
        bill = None if scanned is None else self.world.presettle(scanned.token, *lines)
        if not isinstance(bill, BillView):
            return
        self.world.prove(key, Proof.SMS_CODE)
        through = self.dice.choice((ChannelName.WECHAT, ChannelName.UNIONPAY))
        command = PayBill(self.world.actor(key), bill.id, through, new_key())
        begun = self.world.do(service.pay_bill, command)
        if isinstance(begun, OrderView):
            self.orders.append(begun.id)

    def pays(self) -> None:
        open_now = [
            (channel, number)
            for channel in self.channels.values()
            for number, one in channel.books.items()
            if one.state is CashState.OPEN
        ]
        if not open_now:
            return
        channel, number = self.dice.choice(open_now)
        wrong = self.dice.random() < 0.05
        said = channel.pays(number, Fen(1) if wrong else None)
        order_id = self.world.database.read(lambda u: queries.by_number(u, number))
        assert order_id is not None
        for _ in range(self.dice.choice((0, 1, 1, 2, 3))):
            self.world.database.write(lambda u: service.note_cash(u, order_id, said))

    def works(self, share: float = 0.08) -> None:
        dying = DyingDatabase(self.world.database, self.dice, share)
        try:
            driving.drive_due(dying, self.channels)  # type: ignore[arg-type]
            self.looks_after(dying)
        except Killed:
            self.deaths += 1

    def looks_after(self, dying: Any) -> None:
        """Do what else the clock asks for, with a process that may die."""

    def breaks(self) -> None:
        call = self.dice.choice(tuple(FAULTS))
        channel = self.dice.choice(tuple(self.channels.values()))
        waiting = channel.faults.setdefault(call, [])
        waiting += [self.dice.choice(FAULTS[call]) for _ in range(self.dice.randrange(1, 6))]
        if self.dice.random() < 0.3:
            channel.returns.append(ReturnState.FAILED)

    def cancels(self) -> None:
        order = self._some()
        if order is not None:
            key = self._key_of(order)
            self.world.do(
                service.cancel_order, CancelOrder(self.world.actor(key), order.id, new_key())
            )

    def reverses(self) -> None:
        settled = [one for one in self.views() if one.settlement_id and one.state in FINAL]
        if settled:
            self.world.reverse(self.dice.choice(settled).settlement_id or "")

    def takes_note(self) -> None:
        order = self._some()
        if order is not None:
            self.world.do(service.take_note, TakeNote(self.world.terminal(), order.id, new_key()))

    def freezes(self) -> None:
        key = self.dice.choice(PEOPLE)
        if self.dice.random() < 0.5:
            self._thaws(key)
        else:
            person = self.world.person(key)
            self.world.database.write(lambda u: safety.freeze(u, person, "test", "test"))

    def buys_at_the_till(self) -> None:
        scanned = self._scans(self.dice.choice(PEOPLE))
        if scanned is None:
            return
        bill = self.world.presettle(scanned.token, line(IBUPROFEN, "1", "15.00"))
        if isinstance(bill, BillView):
            self.world.settle(bill.id)

    # -- the books -----------------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """Return everything that does not add up at the end; the channel's own books are the auditor."""
        world, found = self.world, [str(one) for one in self.world.faults()]
        found += [str(one) for one in world.database.read(queries.verify)]
        for order in self.views():
            held = self.channels[order.channel].books.get(order.number)
            paid = (held.paid_fen or 0) if held else 0
            given = sum(held.returns.values()) if held else 0
            if order.state not in FINAL:
                found.append(f"{order.number} is {order.state} and came to no end")
            if paid - given != self._due(order):
                found.append(f"{order.number} is {order.state}: {paid} paid, {given} given back")
        for name, channel in self.channels.items():
            kept = world.database.read(
                lambda u, of=name: ledger.sum_of(u, accounts.channel(of))  # type: ignore[misc]
            )
            if kept != -channel.kept():
                found.append(f"{name} keeps {channel.kept()}, the ledger says {-kept}")
        found += [str(one) for one in world.database.read(lambda u: reconciling.differences(u, 9))]
        found += self._settlements_that_differ()
        return found

    def views(self) -> list[OrderView]:
        found = []
        for key in PEOPLE:
            person = self.world.person(key)
            found += self.world.database.read(
                lambda u, of=person: queries.of_person(u, of, None, 10_000)
            )
        return found

    def _due(self, order: OrderView) -> int:
        """Return the cash that the channel should have kept: that of what stands, and nothing else."""
        if order.state not in STANDS:
            return 0
        if order.debt_id is not None:
            return order.cash_fen
        settled = self._settlement(order.settlement_id)
        return 0 if settled is None else settled.cash_fen

    def _settlements_that_differ(self) -> list[str]:
        """Return orders whose settlement is not there exactly once, not reversed where it should stand."""
        found = []
        for order in self.views():
            settled = self._settlement(order.settlement_id)
            stands = settled is not None and settled.reversed_by_id is None
            should = order.state in STANDS and order.debt_id is None
            if stands != should:
                found.append(
                    f"{order.number} is {order.state}, and its settlement stands: {stands}"
                )
        return found

    def _settlement(self, settlement_id: str | None) -> SettlementView | None:
        if settlement_id is None:
            return None
        return self.world.database.read(lambda u: settlements.settlement(u, settlement_id))

    # -- small things --------------------------------------------------------------------------------

    def _some(self) -> OrderView | None:
        if not self.orders:
            return None
        order_id = self.dice.choice(self.orders[-12:])
        return self.world.database.read(lambda u: queries.order(u, order_id))

    def _key_of(self, order: OrderView) -> str:
        return next(key for key in PEOPLE if self.world.person(key) == order.person.id)

    def _scans(
        self, key: str, at: str = PHARMACY, purpose: Purpose = Purpose.PHARMACY_PURCHASE
    ) -> Any:
        self._fresh()
        actor = self.world.actor(key)
        command = IssueCode(actor, actor.person_id, purpose, new_key())
        issued = self.world.do(codes.issue_code, command)
        if not isinstance(issued, IssuedCode):
            return None  # a frozen account shows no code
        scanned = self.world.scan_text(issued.text, at, purpose)
        return scanned if isinstance(scanned, ScannedCode) else None

    def _thaws(self, key: str) -> None:
        def work(unit: Any) -> None:
            row = unit.db.get(AccountFreeze, self.world.person(key))
            if row is not None:
                unit.db.delete(row)

        self.world.database.write(work)

    def _fresh(self) -> None:
        self.world._actors.clear()
        self.world._terminals.clear()
