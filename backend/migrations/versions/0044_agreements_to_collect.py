"""Agreements by which channels collect, credit of banks with its repayments, and debts paid by orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_LINKS = (("agreement_id", "cash_agreement"), ("debt_id", "pay_later"))


def _at(name: str, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Make the tables and the columns."""
    op.create_table(
        "cash_agreement",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("id", "number", "contract", "person_id", "channel", "state", "words")
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("per_payment_fen", "per_day_fen")
        ),
        *(_at(name, nullable=False) for name in ("asked_at", "sign_until")),
        *(_at(name) for name in ("signed_at", "ended_at", "seen_at", "next_at")),
        sa.Column("pay", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=True),
        sa.Column("reminded_for", sa.Date(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_cash_agreement_person", "cash_agreement", ["person_id", "id"])
    op.create_index("ix_cash_agreement_due", "cash_agreement", ["next_at"])
    op.create_table(
        "credit_repayment",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("number", "agreement_id", "state", "words")
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        _at("asked_at", nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["cash_agreement.id"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_credit_repayment_agreement_id", "credit_repayment", ["agreement_id"])
    for column, table in _LINKS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(
                f"ALTER TABLE payment_order ADD COLUMN {column} VARCHAR REFERENCES {table} (id)"
            )
        else:
            op.add_column("payment_order", sa.Column(column, sa.String(), nullable=True))
            op.create_foreign_key(None, "payment_order", table, [column], ["id"])
        op.create_index(f"ix_payment_order_{column}", "payment_order", [column])


def downgrade() -> None:
    """Not offered: who owes which bank would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
