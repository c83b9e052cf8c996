"""What texts are found by; where institutions are, and when they are open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and add the columns. Known institutions are found once they are registered anew."""
    op.create_table(
        "search_gram",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("gram", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "gram", "subject_id"),
        sqlite_with_rowid=False,
    )
    op.add_column("institution", sa.Column("latitude", sa.Integer(), nullable=True))
    op.add_column("institution", sa.Column("longitude", sa.Integer(), nullable=True))
    op.add_column("institution", sa.Column("hours", sa.Text(), nullable=True))
    op.add_column(
        "institution", sa.Column("on_duty", sa.String(), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Take all of it away again."""
    for column in ("on_duty", "hours", "longitude", "latitude"):
        op.drop_column("institution", column)
    op.drop_table("search_gram")
