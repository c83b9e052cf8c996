"""Charges that a phone takes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
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


def downgrade() -> None:
    """Not offered: what was to be paid would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
