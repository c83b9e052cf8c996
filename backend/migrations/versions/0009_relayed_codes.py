"""Why a bill waited and when it was confirmed; reports of misuse; what a phone's code is for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns."""
    op.add_column("bill", sa.Column("confirm_reason", sa.String(), nullable=True))
    op.add_column("bill", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "sign_in_challenge",
        sa.Column("purpose", sa.String(), nullable=False, server_default="SIGN_IN"),
    )
    op.create_index("ix_outbox_topic", "outbox_message", ["topic", "created_at"])
    op.create_index("ix_scan_grant_person", "scan_grant", ["person_id", "expires_at"])
    op.create_table(
        "misuse_report",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("settlement_id"),
    )
    op.create_index(op.f("ix_misuse_report_person_id"), "misuse_report", ["person_id"])
    forbid_changes("misuse_report")


def downgrade() -> None:
    """Not offered: reports have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
