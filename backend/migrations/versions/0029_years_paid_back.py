"""Years without insurance that are paid back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; nothing was paid back before there was one."""
    repairs = sa.Column("repairs", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("contribution", repairs)


def downgrade() -> None:
    """Not offered: which payments cover nothing would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
