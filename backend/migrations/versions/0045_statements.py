"""What institutions have booked of a day against what stands here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "statement",
        *_texts("institution_id", "insurance", "state"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("institution_id", "day", "insurance"),
    )
    op.create_table(
        "statement_mismatch",
        *_texts("id", "institution_id", "area_code", "insurance", "kind", "state"),
        *_texts("settlement_id", "words", "closed_by"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=True),
        sa.Column("theirs", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    key = ["institution_id", "day", "insurance"]
    op.create_index("ix_statement_mismatch_day", "statement_mismatch", key)
    op.create_index("ix_settlement_place_day", "settlement", ["institution_id", "settled_at"])
    op.create_index("ix_statement_mismatch_state", "statement_mismatch", ["state", "id"])


def downgrade() -> None:
    """Not offered: what differed would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
