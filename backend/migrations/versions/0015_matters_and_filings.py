"""Applications with their papers and steps; filings with their state and upload."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; filings from before are effective."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "matter",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("applicant_id", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("submitted_at", instant, nullable=True),
        sa.Column("due_days", sa.Integer(), nullable=False),
        sa.Column("expires_at", instant, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("result_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["applicant_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_matter_person", "matter", ["person_id", "id"])
    op.create_index("ix_matter_queue", "matter", ["state", "submitted_at"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "matter_step",
        sa.Column("id", serial, nullable=False),
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matter.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_matter_step_matter", "matter_step", ["matter_id", "id"])
    forbid_changes("matter_step")
    op.create_table(
        "material_blob",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "material",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("requirement", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("added_at", instant, nullable=False),
        sa.Column("removed_at", instant, nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matter.id"]),
        sa.ForeignKeyConstraint(["digest"], ["material_blob.digest"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_material_matter_id"), "material", ["matter_id"])
    op.create_index(op.f("ix_material_digest"), "material", ["digest"])
    _filings(instant)


def _filings(instant: sa.DateTime) -> None:
    for column in (
        sa.Column("state", sa.String(), nullable=False, server_default="EFFECTIVE"),
        sa.Column("away_kind", sa.String(), nullable=True),
        sa.Column("route", sa.String(), nullable=True),
        sa.Column("locked_until", sa.Date(), nullable=True),
        sa.Column("effective_at", instant, nullable=True),
        sa.Column("operation", sa.String(), nullable=False, server_default=""),
        sa.Column("try_at", instant, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failure", sa.String(), nullable=False, server_default=""),
    ):
        op.add_column("filing", column)
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        op.execute("ALTER TABLE filing ADD COLUMN matter_id VARCHAR REFERENCES matter (id)")
    else:
        op.add_column("filing", sa.Column("matter_id", sa.String(), nullable=True))
        op.create_foreign_key(None, "filing", "matter", ["matter_id"], ["id"])
    op.create_index(op.f("ix_filing_matter_id"), "filing", ["matter_id"])
    op.create_index("ix_filing_upload", "filing", ["operation", "try_at"])
    midnight = "starts || ' 00:00:00.000000'" if sqlite else "starts"
    op.execute(f"UPDATE filing SET effective_at = {midnight}")


def downgrade() -> None:
    """Not offered: applications have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
