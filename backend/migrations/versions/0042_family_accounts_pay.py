"""Accounts of relatives that pay: which could, in their order, and what each paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. The one that they replace was never filled."""
    for table in ("settlement", "bill"):
        column = sa.Column("family", sa.Text(), nullable=False, server_default="[]")
        op.add_column(table, column)
    op.add_column("family_share", sa.Column("limit_fen", sa.BigInteger(), nullable=True))
    op.drop_column("settlement", "family_enrolment_id")


def downgrade() -> None:
    """Not offered: whose money paid would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
