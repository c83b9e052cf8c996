"""Reads of the ledger, and the proof that it still adds up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from backend.infra.database import Unit
from backend.kernel.calendar import SHANGHAI
from backend.kernel.money import Fen
from backend.ledger.contracts import AccountLine, EntryKind
from backend.ledger.model import LedgerAccount, LedgerEntry, LedgerHold, LedgerPosting


@dataclass(frozen=True)
class LedgerFault:
    """Where the ledger contradicts itself."""

    place: str
    reason: str


def balance(unit: Unit, account: str, lock: bool = False) -> Fen | None:
    """Return the balance of a guarded account, or ``None`` where there is no such account."""
    query = select(LedgerAccount).where(LedgerAccount.name == account)
    row = unit.db.exec(query.with_for_update() if lock else query).first()
    return None if row is None else Fen(row.balance_fen)


def free(unit: Unit, account: str, lock: bool = False) -> Fen | None:
    """Return what can be spent of a guarded account: the balance less what is held of it."""
    query = select(LedgerAccount).where(LedgerAccount.name == account)
    row = unit.db.exec(query.with_for_update() if lock else query).first()
    return None if row is None else Fen(row.balance_fen - row.held_fen)


def sum_of(unit: Unit, account: str) -> Fen:
    """Return the sum of all postings of any account."""
    total = select(func.coalesce(func.sum(col(LedgerPosting.amount_fen)), 0)).where(
        LedgerPosting.account == account
    )
    return Fen(int(unit.db.exec(total).one()))


def lines(
    unit: Unit,
    account: str,
    before: int | None,
    limit: int,
    since: date | None = None,
    until: date | None = None,
) -> list[AccountLine]:
    """Return movements of a guarded account, the newest first, below a posting id.

    ``since`` and ``until`` are days of Shanghai's clock, both included.
    """
    query = (
        select(LedgerPosting, LedgerEntry)
        .where(LedgerPosting.account == account, LedgerPosting.entry_id == LedgerEntry.id)
        .order_by(col(LedgerPosting.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(LedgerPosting.id) < before)
    if since is not None:
        query = query.where(col(LedgerEntry.at) >= datetime.combine(since, time(), SHANGHAI))
    if until is not None:
        after = datetime.combine(until + timedelta(days=1), time(), SHANGHAI)
        query = query.where(col(LedgerEntry.at) < after)
    return [
        AccountLine(
            id=str(posting.id),
            at=entry.at,
            kind=EntryKind(entry.kind),
            amount_fen=Fen(posting.amount_fen),
            balance_after_fen=Fen(posting.balance_after_fen or 0),
            memo=entry.memo,
            reference=entry.reference,
        )
        for posting, entry in unit.db.exec(query).all()
    ]


def verify(unit: Unit) -> list[LedgerFault]:
    """Return every contradiction: entries that do not sum to zero, balances that are no sums."""
    sums = select(LedgerPosting.entry_id, func.sum(col(LedgerPosting.amount_fen))).group_by(
        col(LedgerPosting.entry_id)
    )
    faults = [
        LedgerFault(entry_id, f"the postings sum to {total}")
        for entry_id, total in unit.db.exec(sums).all()
        if total != 0
    ]
    for account in unit.db.exec(select(LedgerAccount)).all():
        total = sum_of(unit, account.name)
        if total != account.balance_fen:
            faults.append(
                LedgerFault(account.name, f"balance {account.balance_fen}, postings {total}")
            )
    held = select(LedgerHold.account, func.sum(col(LedgerHold.amount_fen))).group_by(
        col(LedgerHold.account)
    )
    holds = {account: int(total) for account, total in unit.db.exec(held).all()}
    for account in unit.db.exec(
        select(LedgerAccount).where(col(LedgerAccount.held_fen) != 0)
    ).all():
        holds[account.name] = holds.get(account.name, 0) - account.held_fen
    faults += [LedgerFault(name, f"holds differ by {off}") for name, off in holds.items() if off]
    return faults
