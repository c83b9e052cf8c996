"""What experts say of applications; which hospital and application an entitlement came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and add the columns."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "matter_opinion",
        sa.Column("id", serial, nullable=False),
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("expert", sa.String(), nullable=False),
        sa.Column("meets", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matter.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("matter_id", "expert"),
    )
    forbid_changes("matter_opinion")
    for column, table in (("hospital_id", "institution"), ("matter_id", "matter")):
        if op.get_bind().dialect.name == "sqlite":
            op.execute(
                f"ALTER TABLE chronic_disease ADD COLUMN {column} VARCHAR REFERENCES {table} (id)"
            )
        else:
            op.add_column("chronic_disease", sa.Column(column, sa.String(), nullable=True))
            op.create_foreign_key(None, "chronic_disease", table, [column], ["id"])


def downgrade() -> None:
    """Not offered: what experts said has no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
