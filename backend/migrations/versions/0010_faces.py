"""Faces: sealed templates and the checks before the camera."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "face_template",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "face_check",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("missed", sa.String(), nullable=True),
        sa.Column("kept", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_face_check_person_id"), "face_check", ["person_id"])


def downgrade() -> None:
    """Not offered: enrolled faces have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
