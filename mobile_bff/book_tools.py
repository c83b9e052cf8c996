"""``yibao verify``, ``outbox`` and ``settlement``: whether all that is stored adds up and was delivered."""

from __future__ import annotations

import argparse

from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.kernel.calendar import local_minute
from backend.ledger import queries as ledger
from backend.orders import queries as orders
from backend.rulebook.library import rulebook
from backend.settlement import queries as settlements
from backend.sharing import queries as sharing
from mobile_bff.console import read


def verify_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao verify`` be run."""
    parser.set_defaults(run=_verify)


def outbox_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao outbox`` be run."""
    parser.set_defaults(run=_outbox)


def settlement_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao settlement``."""
    parser.add_argument("action", choices=["replay"])
    parser.set_defaults(run=_settlement)


def _verify(_options: argparse.Namespace) -> int:
    def faults_of(unit: Unit) -> list[object]:
        book = rulebook()
        money = (*ledger.verify(unit), *sharing.verify(unit), *orders.verify(unit))
        return [*audit.verify(unit), *money, *settlements.verify(unit, book)]

    faults = read(faults_of)
    for fault in faults:
        print(fault)
    print("all of it adds up" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def _outbox(_options: argparse.Namespace) -> int:
    given_up = read(outbox.undelivered)
    for message in given_up:
        at = local_minute(message.created_at)
        print(message.id, message.channel, message.kind, at, message.failure)
    return 1 if given_up else 0


def _settlement(_options: argparse.Namespace) -> int:
    replayed = read(lambda unit: settlements.replay(unit, rulebook()))
    for fault in replayed.faults:
        print(fault)
    print(
        f"{replayed.settlements} settlements under {replayed.rulebooks} rulebooks reckoned again, "
        f"{len(replayed.faults)} come out differently"
    )
    if replayed.without_text:
        print(f"{replayed.without_text} of them from before the text of the law was kept")
    return 1 if replayed.faults else 0
