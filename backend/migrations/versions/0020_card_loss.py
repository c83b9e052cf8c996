"""Cards that were reported lost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "card_loss",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reported_at", instant, nullable=False),
        sa.Column("reported_by", sa.String(), nullable=False),
        sa.Column("lifts_at", instant, nullable=True),
        sa.Column("card_by", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_card_loss_person_id"), "card_loss", ["person_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("card_loss")
