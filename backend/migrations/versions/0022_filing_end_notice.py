"""Who was told that a filing runs out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("filing", sa.Column("end_told_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("filing", "end_told_on")
