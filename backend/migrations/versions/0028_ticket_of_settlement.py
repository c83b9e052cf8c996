"""The settlement that a ticket is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE ticket ADD COLUMN settlement_id VARCHAR REFERENCES settlement (id)")
    else:
        op.add_column("ticket", sa.Column("settlement_id", sa.String(), nullable=True))
        op.create_foreign_key(None, "ticket", "settlement", ["settlement_id"], ["id"])


def downgrade() -> None:
    """Not offered: what a ticket is about would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
