"""Counters instead of two fixed sums a year, more payers, and what aid and supplements ask about.

The two sums of each year become counters under the names that the outpatient rules give them, so that
nothing that a year has used is lost.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("counter_entry", "rulebook_text")
COUNTERS = {"deductible_fen": "deductible", "fund_fen": "fund"}


def upgrade() -> None:
    """Make the new tables, carry the sums over, and remove the old ones."""
    op.create_table(
        "counter",
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.PrimaryKeyConstraint("enrolment_id", "year", "name"),
    )
    op.create_table(
        "counter_entry",
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("settlement_id", "name"),
    )
    op.create_index("ix_counter_entry_enrolment_year", "counter_entry", ["enrolment_id", "year"])
    op.create_table(
        "rulebook_text",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "aid_identity",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id", "identity", "starts"),
    )
    op.create_table(
        "supplement",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("continuous", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id", "product", "starts"),
    )
    op.add_column(
        "enrolment",
        sa.Column("civil_servant", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "enrolment_period", sa.Column("tier", sa.String(), nullable=False, server_default="")
    )
    for column in ("hospital_fen", "family_fen"):
        op.add_column(
            "settlement",
            sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"),
        )
    op.add_column("settlement", sa.Column("family_enrolment_id", sa.String(), nullable=True))
    for old, new in COUNTERS.items():
        _carry_over(old, new)
    for table in APPEND_ONLY:
        forbid_changes(table)
    op.drop_index(op.f("ix_accumulator_entry_enrolment_id"), table_name="accumulator_entry")
    op.drop_table("accumulator_entry")
    op.drop_table("accumulator")


def _carry_over(old: str, new: str) -> None:
    name = (
        "CASE e.insurance_type WHEN 'EMPLOYEE' "
        f"THEN 'outpatient_worker.{new}' ELSE 'outpatient_resident.{new}' END"
    )
    op.execute(
        "INSERT INTO counter (enrolment_id, year, name, amount) "
        f"SELECT a.enrolment_id, a.year, {name}, a.{old} "
        "FROM accumulator a JOIN enrolment e ON e.id = a.enrolment_id"
    )
    op.execute(
        "INSERT INTO counter_entry (settlement_id, name, enrolment_id, year, amount) "
        f"SELECT a.settlement_id, {name}, a.enrolment_id, a.year, a.{old} "
        "FROM accumulator_entry a JOIN enrolment e ON e.id = a.enrolment_id"
    )


def downgrade() -> None:
    """Not offered: the counters say more than the two sums could hold."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
