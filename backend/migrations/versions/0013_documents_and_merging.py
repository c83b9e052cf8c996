"""Documents beside the ID number, records that may be one person's, and their merging.

``match_index`` of people from before is filled by ``yibao duplicates scan``, because only the program
has the keys.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.add_column("person", sa.Column("match_index", sa.String(), nullable=True))
    merged_into = sa.Column("merged_into", sa.String(), nullable=True)
    if op.get_bind().dialect.name == "sqlite":  # which adds a key with its column or never
        op.execute("ALTER TABLE person ADD COLUMN merged_into VARCHAR REFERENCES person (id)")
    else:
        op.add_column("person", merged_into)
        op.create_foreign_key(None, "person", "person", ["merged_into"], ["id"])
    op.create_index(op.f("ix_person_match_index"), "person", ["match_index"])
    op.create_index(op.f("ix_person_merged_into"), "person", ["merged_into"])
    op.create_table(
        "person_document",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("number_index", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "number_index"),
    )
    op.create_index(op.f("ix_person_document_number_index"), "person_document", ["number_index"])
    op.create_table(
        "duplicate_case",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("first_id", sa.String(), nullable=False),
        sa.Column("second_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_id", sa.String(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["first_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["second_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("first_id", "second_id"),
    )
    op.create_index(op.f("ix_duplicate_case_second_id"), "duplicate_case", ["second_id"])
    op.create_index(op.f("ix_duplicate_case_state"), "duplicate_case", ["state"])


def downgrade() -> None:
    """Not offered: merged records have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
