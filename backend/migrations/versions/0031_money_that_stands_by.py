"""Holds on personal accounts, bills that wait for their cash, and payment orders that collect it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns and the tables."""
    held = sa.Column("held_fen", sa.BigInteger(), server_default="0", nullable=False)
    op.add_column("ledger_account", held)
    op.create_table(
        "ledger_hold",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["ledger_account.name"]),
        sa.PrimaryKeyConstraint("reference", "account"),
    )
    op.create_index("ix_ledger_hold_account", "ledger_hold", ["account"])
    until = sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True)
    op.add_column("bill", until)
    op.add_column("settlement", sa.Column("order_id", sa.String(), nullable=True))
    _orders()


def _orders() -> None:
    money = [
        sa.Column(name, sa.BigInteger(), nullable=False)
        for name in (
            "total_fen",
            "fund_fen",
            "account_fen",
            "cash_fen",
            "taken_fen",
            "returned_fen",
        )
    ]
    texts = [
        sa.Column(name, sa.String(), nullable=False)
        for name in ("number", "state", "words", "channel", "terminal_id", "purpose")
    ]
    instants = [
        sa.Column(name, sa.DateTime(timezone=True), nullable=False)
        for name in ("created_at", "pay_until")
    ] + [
        sa.Column(name, sa.DateTime(timezone=True), nullable=True)
        for name in ("released_at", "cancelled_at", "paid_at", "next_at")
    ]
    op.create_table(
        "payment_order",
        sa.Column("id", sa.String(), nullable=False),
        *texts,
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("paid_by_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        *money,
        *instants,
        sa.Column("trade_number", sa.String(), nullable=False),
        sa.Column("pay", sa.Text(), nullable=False),
        sa.Column("settlement_id", sa.String(), nullable=True),
        sa.Column("return_number", sa.String(), nullable=False),
        sa.Column("return_by", sa.Date(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["paid_by_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_payment_order_bill_id", "payment_order", ["bill_id"])
    op.create_index("ix_payment_order_due", "payment_order", ["next_at"])
    op.create_index("ix_payment_order_person", "payment_order", ["person_id", "id"])
    op.create_index("ix_payment_order_terminal", "payment_order", ["terminal_id", "id"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "payment_order_step",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["payment_order.id"]),
    )
    op.create_index("ix_payment_order_step", "payment_order_step", ["order_id", "id"])
    forbid_changes("payment_order_step")


def downgrade() -> None:
    """Not offered: what is promised to payments would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
