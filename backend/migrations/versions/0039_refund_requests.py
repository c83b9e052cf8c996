"""Requests for refunds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "refund_request",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("id", "state", "settlement_id")
        ),
        sa.Column("reversal_id", sa.String(), nullable=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("institution_id", "person_id", "words", "answer", "asked_by", "decided_by")
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["reversal_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_refund_request_person", "refund_request", ["person_id", "id"])
    op.create_index("ix_refund_request_institution", "refund_request", ["institution_id", "state"])
    op.create_index("ix_refund_request_settlement", "refund_request", ["settlement_id"])


def downgrade() -> None:
    """Not offered: what patients asked for would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
