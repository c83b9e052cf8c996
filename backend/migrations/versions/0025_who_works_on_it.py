"""Who works on an application, how it came into other hands, and words of the desk's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns and the tables."""
    op.add_column("matter", sa.Column("holder", sa.String(), nullable=True))
    op.add_column("matter", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_matter_holder", "matter", ["holder"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "matter_hand_over",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("held_before", sa.String(), nullable=True),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matter.id"]),
    )
    op.create_index("ix_matter_hand_over_matter", "matter_hand_over", ["matter_id", "id"])
    forbid_changes("matter_hand_over")
    op.create_table(
        "reply_template",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_by", sa.String(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reply_template_region", "reply_template", ["region"])


def downgrade() -> None:
    """Not offered: who had an application is a record."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
