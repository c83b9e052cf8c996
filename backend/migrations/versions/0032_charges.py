"""Charges that a phone takes, and days that were compared with the files of cash channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.add_column(
        "payment_order", sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True)
    )
    _reconciling()
    op.create_table(
        "charge",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in (
                "id",
                "digest",
                "state",
                "purpose",
                "institution_id",
                "terminal_id",
                "operator_id",
                "disease",
            )
        ),
        *(
            sa.Column(name, sa.String(), nullable=True)
            for name in ("person_id", "grant_id", "bill_id")
        ),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_charge_person", "charge", ["person_id", "id"])
    op.create_index("ix_charge_bill_id", "charge", ["bill_id"])


def _reconciling() -> None:
    op.create_table(
        "reconciled_day",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "day"),
    )
    op.create_table(
        "cash_difference",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("id", "channel", "kind", "state", "number", "words")
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("ours_fen", sa.BigInteger(), nullable=True),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["payment_order.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cash_difference_state", "cash_difference", ["state", "id"])


def downgrade() -> None:
    """Not offered: what was to be paid would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
