"""The only writer of the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from backend.infra.database import Unit
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.ledger.contracts import BalanceTooSmall, EntryKind, Posting
from backend.ledger.model import LedgerAccount, LedgerEntry, LedgerHold, LedgerPosting


def open_guarded(unit: Unit, name: str) -> None:
    """Open an account that may never fall below zero."""
    unit.db.add(LedgerAccount(name=name, balance_fen=0))
    unit.db.flush()


def post(
    unit: Unit, kind: EntryKind, reference: str, memo: str, postings: Sequence[Posting]
) -> str:
    """Write an entry and return its id.

    The postings must sum to zero; zero postings are left out. Guarded accounts are locked in the
    order of their names. Raises ``BalanceTooSmall`` where one of them would fall below zero, or below
    what is held of it.
    """
    moving = [posting for posting in postings if posting.amount_fen != 0]
    invariant(sum(posting.amount_fen for posting in moving) == 0, "an entry sums to zero")
    names = [posting.account for posting in moving]
    invariant(len(set(names)) == len(names), "an entry names an account once")
    guarded = {
        account.name: account
        for account in unit.db.exec(
            select(LedgerAccount)
            .where(col(LedgerAccount.name).in_(names))
            .order_by(col(LedgerAccount.name))
            .with_for_update()
        ).all()
    }
    entry_id = unit.new_id()
    unit.db.add(LedgerEntry(id=entry_id, kind=kind, reference=reference, memo=memo, at=unit.now))
    unit.db.flush()
    for posting in moving:
        account = guarded.get(posting.account)
        if account is not None:
            floor = account.held_fen if posting.amount_fen < 0 else 0
            if account.balance_fen + posting.amount_fen < floor:
                raise BalanceTooSmall(posting.account)
            account.balance_fen += posting.amount_fen
        unit.db.add(
            LedgerPosting(
                entry_id=entry_id,
                account=posting.account,
                amount_fen=posting.amount_fen,
                balance_after_fen=None if account is None else account.balance_fen,
            )
        )
    unit.db.flush()
    return entry_id


def hold(unit: Unit, reference: str, account: str, amount: Fen) -> None:
    """Promise part of a guarded account's balance to something; nothing moves.

    Raises ``BalanceTooSmall`` where so much is not free.
    """
    row = unit.db.exec(
        select(LedgerAccount).where(LedgerAccount.name == account).with_for_update()
    ).one()
    invariant(amount > 0, "a hold is above zero")
    if row.balance_fen - row.held_fen < amount:
        raise BalanceTooSmall(account)
    row.held_fen += amount
    unit.db.add(LedgerHold(reference=reference, account=account, amount_fen=amount))
    unit.db.flush()


def let_go(unit: Unit, reference: str) -> None:
    """End every hold of something; nothing to do where there is none."""
    held = unit.db.exec(
        select(LedgerHold)
        .where(LedgerHold.reference == reference)
        .order_by(col(LedgerHold.account))
    ).all()
    for one in held:
        row = unit.db.exec(
            select(LedgerAccount).where(LedgerAccount.name == one.account).with_for_update()
        ).one()
        row.held_fen -= one.amount_fen
        unit.db.delete(one)
    unit.db.flush()
