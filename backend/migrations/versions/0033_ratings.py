"""Ratings of settlements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rating",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("id", "state", "settlement_id", "institution_id", "area_code", "person_id")
        ),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("appealed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("settlement_id"),
    )
    op.create_index("ix_rating_institution", "rating", ["institution_id", "state"])
    op.create_index("ix_rating_person", "rating", ["person_id", "id"])
    op.create_index("ix_rating_state", "rating", ["state", "due_on"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "rating_step",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        sa.Column("rating_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("actor", "event", "state")),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"]),
    )
    op.create_index("ix_rating_step", "rating_step", ["rating_id", "id"])
    forbid_changes("rating_step")


def downgrade() -> None:
    """Not offered: what patients said would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
