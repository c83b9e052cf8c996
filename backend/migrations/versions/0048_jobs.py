"""Items of jobs that wait after a failure, and jobs that one worker does at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables."""
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


def downgrade() -> None:
    """Remove the tables: items that wait are tried at once."""
    op.drop_table("job_lease")
    op.drop_table("postponement")
