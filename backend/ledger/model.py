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
    held_fen: int = Field(default=0, sa_type=Amount, sa_column_kwargs={"server_default": "0"})
    """The sum of its holds: this much of the balance is promised and cannot be spent otherwise."""


class LedgerHold(SQLModel, table=True):
    """Part of a guarded account's balance that is promised to something, until it is let go."""

    __tablename__ = "ledger_hold"

    reference: str = Field(primary_key=True)
    account: str = Field(primary_key=True, foreign_key="ledger_account.name", index=True)
    amount_fen: int = Field(sa_type=Amount)


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
