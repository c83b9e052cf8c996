"""Reminders of instalments, objections to debts and their answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "pay_later", sa.Column("reminded", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("pay_later", sa.Column("objected_on", sa.Date(), nullable=True))
    for name in ("objection", "answer", "answered_by"):
        op.add_column("pay_later", sa.Column(name, sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Not offered, as for every step."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
