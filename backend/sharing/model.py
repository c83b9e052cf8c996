"""Tables of shares, wallets and transfers. The money itself stands in the ledger."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, Instant


class Share(SQLModel, table=True):
    """A person's account opened to a near relative; the user's shares pay in the order of their ids."""

    __tablename__ = "family_share"

    id: str = Field(primary_key=True)
    giver_id: str = Field(foreign_key="person.id", index=True)
    user_id: str = Field(foreign_key="person.id", index=True)
    relation: str
    given_at: datetime = Field(sa_type=Instant)
    limit_fen: int | None = Field(default=None, sa_type=Amount)
    """The most for one payment; empty: what the account has."""
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = None


class Wallet(SQLModel, table=True):
    """A wallet that its owner has opened."""

    __tablename__ = "wallet"

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    opened_at: datetime = Field(sa_type=Instant)


class Transfer(SQLModel, table=True):
    """Account money on its way to a relative's wallet."""

    __tablename__ = "wallet_transfer"

    id: str = Field(primary_key=True)
    sender_id: str = Field(foreign_key="person.id", index=True)
    receiver_id: str = Field(foreign_key="person.id", index=True)
    enrolment_id: str = Field(foreign_key="enrolment.id")
    relation: str
    amount_fen: int = Field(sa_type=Amount)
    state: str
    sent_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant, index=True)
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_because: str | None = None
