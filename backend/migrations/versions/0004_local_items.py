"""Institutions' own items with their matches, and other provinces' terms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "catalogue_region_term",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("item_class", sa.String(), nullable=False),
        sa.Column("prepaid_share", sa.String(), nullable=False),
        sa.Column("price_limit", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["code"], ["catalogue_item.code"]),
        sa.PrimaryKeyConstraint("region", "code", "effective_from"),
    )
    op.create_table(
        "local_item",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("local_code", sa.String(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("institution_id", "local_code"),
    )
    op.create_index(op.f("ix_local_item_state"), "local_item", ["state"])
    op.create_table(
        "match_decision",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("local_item_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_match_decision_local_item_id"), "match_decision", ["local_item_id"])
    forbid_changes("match_decision")


def downgrade() -> None:
    """Not offered: decisions have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
