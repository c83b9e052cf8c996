"""Policy documents; who was told of an outage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    instant = sa.DateTime(timezone=True)
    op.add_column("outage", sa.Column("told_at", instant, nullable=True))
    op.create_table(
        "outage_notice",
        sa.Column("outage_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("told_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["outage_id"], ["outage.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("outage_id", "person_id"),
    )
    op.create_table(
        "policy_document",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_until", sa.Date(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("insurance", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("supersedes", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index(
        "ix_policy_document_region", "policy_document", ["state", "region", "effective_from"]
    )
    op.create_index(op.f("ix_policy_document_supersedes"), "policy_document", ["supersedes"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("policy_document")
    op.drop_table("outage_notice")
    op.drop_column("outage", "told_at")
