"""Tables of payment orders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, CanonicalJson, Instant, Serial


class PaymentOrder(SQLModel, table=True):
    """A bill on its way through two ledgers. ``next_at``: when it is looked after next."""

    __tablename__ = "payment_order"
    __table_args__ = (
        Index("ix_payment_order_due", "next_at"),
        Index("ix_payment_order_person", "person_id", "id"),
        Index("ix_payment_order_terminal", "terminal_id", "id"),
    )

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    """Towards the channel (out_trade_no)."""
    state: str
    why: str | None = None
    words: str = ""
    channel: str
    bill_id: str = Field(foreign_key="bill.id", index=True)
    person_id: str = Field(foreign_key="person.id")
    paid_by_id: str = Field(foreign_key="person.id")
    institution_id: str = Field(foreign_key="institution.id")
    terminal_id: str
    purpose: str
    total_fen: int = Field(sa_type=Amount)
    fund_fen: int = Field(sa_type=Amount)
    account_fen: int = Field(sa_type=Amount)
    cash_fen: int = Field(sa_type=Amount)
    taken_fen: int = Field(default=0, sa_type=Amount)
    """What the channel says it took."""
    returned_fen: int = Field(default=0, sa_type=Amount)
    created_at: datetime = Field(sa_type=Instant)
    pay_until: datetime = Field(sa_type=Instant)
    released_at: datetime | None = Field(default=None, sa_type=Instant)
    """Since when insurance does not stand by any more though the cash is not decided."""
    cancelled_at: datetime | None = Field(default=None, sa_type=Instant)
    paid_at: datetime | None = Field(default=None, sa_type=Instant)
    trade_number: str = ""
    pay: Any = Field(sa_type=CanonicalJson)
    agreement_id: str | None = Field(default=None, foreign_key="cash_agreement.id", index=True)
    debt_id: str | None = Field(default=None, foreign_key="pay_later.id", index=True)
    """The debt that it pays; the bill is then that of the stay."""
    settlement_id: str | None = None
    return_number: str = ""
    return_by: date | None = None
    returned_at: datetime | None = Field(default=None, sa_type=Instant)
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0


class CashAgreement(SQLModel, table=True):
    """That a channel may collect a person's cash when their code is scanned."""

    __tablename__ = "cash_agreement"
    __table_args__ = (
        Index("ix_cash_agreement_person", "person_id", "id"),
        Index("ix_cash_agreement_due", "next_at"),
    )

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    """Towards the channel (out_contract_code)."""
    contract: str = ""
    """The channel's own name of it (contract_id)."""
    person_id: str = Field(foreign_key="person.id")
    channel: str
    state: str
    per_payment_fen: int = Field(sa_type=Amount)
    per_day_fen: int = Field(sa_type=Amount)
    asked_at: datetime = Field(sa_type=Instant)
    sign_until: datetime = Field(sa_type=Instant)
    signed_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    words: str = ""
    pay: Any = Field(sa_type=CanonicalJson)
    credit: Any = Field(default=None, sa_column=Column(CanonicalJson, nullable=True))
    seen_at: datetime | None = Field(default=None, sa_type=Instant)
    reminded_for: date | None = None
    """The due day of which the person was last reminded."""
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0


class CreditRepayment(SQLModel, table=True):
    """Credit that is paid back to the bank, by the number that the bank knows it by."""

    __tablename__ = "credit_repayment"

    number: str = Field(primary_key=True)
    agreement_id: str = Field(foreign_key="cash_agreement.id", index=True)
    state: str
    amount_fen: int = Field(sa_type=Amount)
    asked_at: datetime = Field(sa_type=Instant)
    words: str = ""


class ReconciledDay(SQLModel, table=True):
    """A day whose orders were compared with a channel's file."""

    __tablename__ = "reconciled_day"

    channel: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    taken_fen: int = Field(sa_type=Amount)
    returned_fen: int = Field(sa_type=Amount)
    lines: int
    differences: int
    done_at: datetime = Field(sa_type=Instant)


class CashDifference(SQLModel, table=True):
    """Where a channel's file and the orders did not agree."""

    __tablename__ = "cash_difference"
    __table_args__ = (Index("ix_cash_difference_state", "state", "id"),)

    id: str = Field(primary_key=True)
    channel: str
    day: date
    kind: str
    state: str
    number: str
    order_id: str | None = Field(default=None, foreign_key="payment_order.id")
    ours_fen: int | None = Field(default=None, sa_type=Amount)
    theirs_fen: int | None = Field(default=None, sa_type=Amount)
    words: str = ""
    closed_by: str | None = None


class OrderStepRow(SQLModel, table=True):
    """Something that happened to an order. Append-only."""

    __tablename__ = "payment_order_step"
    __table_args__ = (Index("ix_payment_order_step", "order_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True))
    order_id: str = Field(foreign_key="payment_order.id")
    at: datetime = Field(sa_type=Instant)
    event: str
    state: str
    words: str = ""


class CashReturn(SQLModel, table=True):
    """Cash that a channel was asked to give back, by the number that it knows the return by."""

    __tablename__ = "cash_return"
    __table_args__ = (Index("ix_cash_return_done", "done_at"),)

    number: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="payment_order.id", index=True)
    amount_fen: int = Field(sa_type=Amount)
    asked_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)


class RefundRequest(SQLModel, table=True):
    """Somebody asks an institution for a refund; what both say is sealed.

    ``lines``: number and quantity (in ten-thousandths) of each line that comes back, empty for all of them.
    The amounts are what comes back: as it was reckoned when it was asked for, then as it was booked.
    """

    __tablename__ = "refund_request"
    __table_args__ = (
        Index("ix_refund_request_person", "person_id", "id"),
        Index("ix_refund_request_institution", "institution_id", "state"),
        Index("ix_refund_request_settlement", "settlement_id"),
    )

    id: str = Field(primary_key=True)
    state: str
    settlement_id: str = Field(foreign_key="settlement.id")
    reversal_id: str | None = Field(default=None, foreign_key="settlement.id")
    institution_id: str = Field(foreign_key="institution.id")
    person_id: str = Field(foreign_key="person.id")
    rest_id: str | None = Field(default=None, foreign_key="settlement.id")
    lines: Any = Field(default_factory=list, sa_type=CanonicalJson)
    total_fen: int = Field(sa_type=Amount)
    fund_fen: int = Field(sa_type=Amount)
    account_fen: int = Field(sa_type=Amount)
    cash_fen: int = Field(sa_type=Amount)
    words: str
    answer: str = ""
    asked_by: str
    decided_by: str = ""
    asked_at: datetime = Field(sa_type=Instant)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    due_on: date
