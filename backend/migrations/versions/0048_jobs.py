"""Items of jobs that wait after a failure, jobs that one worker does at a time, and numbers of notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0045"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables, and give reports the number of a notice that is on its way."""
    op.create_table(
        "postponement",
        *_texts("job", "item", "failure"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job", "item"),
    )
    op.create_table(
        "job_lease",
        *_texts("job", "holder"),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.add_column("report", sa.Column("notice_number", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Not offered: a notice that is on its way would be sent again under another number."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
