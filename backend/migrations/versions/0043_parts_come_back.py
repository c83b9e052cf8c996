"""Parts of a settlement that come back, and each return of cash by a number of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table, filled from what was asked and returned so far."""
    op.add_column(
        "refund_request", sa.Column("lines", sa.Text(), nullable=False, server_default="[]")
    )
    for name in ("total_fen", "fund_fen", "account_fen", "cash_fen"):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("refund_request", column)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE refund_request ADD COLUMN rest_id VARCHAR REFERENCES settlement (id)"
        )
    else:
        op.add_column("refund_request", sa.Column("rest_id", sa.String(), nullable=True))
        op.create_foreign_key(None, "refund_request", "settlement", ["rest_id"], ["id"])
    op.execute(
        "UPDATE refund_request SET"
        " total_fen = (SELECT s.total_fen FROM settlement s WHERE s.id = settlement_id),"
        " fund_fen = (SELECT s.fund_fen + s.hospital_fen FROM settlement s WHERE s.id = settlement_id),"
        " account_fen = (SELECT s.account_fen + s.family_fen FROM settlement s WHERE s.id = settlement_id),"
        " cash_fen = (SELECT s.cash_fen FROM settlement s WHERE s.id = settlement_id)"
    )
    op.create_table(
        "cash_return",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["payment_order.id"]),
    )
    op.create_index("ix_cash_return_done", "cash_return", ["done_at"])
    op.create_index("ix_cash_return_order_id", "cash_return", ["order_id"])
    op.execute(
        "INSERT INTO cash_return (number, order_id, amount_fen, asked_at, done_at)"
        " SELECT o.return_number, o.id,"
        " CASE WHEN o.returned_at IS NULL THEN o.taken_fen ELSE o.returned_fen END,"
        " (SELECT max(p.at) FROM payment_order_step p"
        "  WHERE p.order_id = o.id AND p.state = 'RETURNING'), o.returned_at"
        " FROM payment_order o WHERE o.return_number <> ''"
    )


def downgrade() -> None:
    """Not offered: which part came back would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
