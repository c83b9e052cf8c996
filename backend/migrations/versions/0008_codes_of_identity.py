"""Printed and signed identity codes, and grants that rest on a document instead of a unified code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "printed_code",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_by_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(op.f("ix_printed_code_person_id"), "printed_code", ["person_id"])
    op.create_table(
        "signed_code",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_by_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("serial"),
    )
    op.create_index(op.f("ix_signed_code_person_id"), "signed_code", ["person_id"])
    with op.batch_alter_table("scan_grant") as table:
        table.alter_column("code_id", existing_type=sa.String(), nullable=True)
        table.add_column(
            sa.Column("identity_only", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Not offered: grants without a code have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
