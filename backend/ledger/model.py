"""Tables of the ledger. Entries and postings can only be added; triggers refuse anything else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, Instant, Serial


class LedgerAccount(SQLModel, table=True):
    """An account that must never fall below zero, with its balance.

    Only such guarded accounts have a row: the balances of funds, tills and claims are sums over
    postings, so that no two settlements wait for one row of a fund.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (CheckConstraint("balance_fen >= 0", name="ck_balance_not_negative"),)

    name: str = Field(primary_key=True)
    balance_fen: int = Field(sa_type=Amount)


class LedgerEntry(SQLModel, table=True):
    """Postings that belong together, with what they are about."""

    __tablename__ = "ledger_entry"

    id: str = Field(primary_key=True)
    kind: str
    reference: str = Field(index=True)
    memo: str
    at: datetime = Field(sa_type=Instant)


class LedgerPosting(SQLModel, table=True):
    """One movement of one account."""

    __tablename__ = "ledger_posting"
    __table_args__ = (Index("ix_posting_account", "account", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    entry_id: str = Field(foreign_key="ledger_entry.id", index=True)
    account: str
    amount_fen: int = Field(sa_type=Amount)
    balance_after_fen: int | None = Field(default=None, sa_type=Amount)
