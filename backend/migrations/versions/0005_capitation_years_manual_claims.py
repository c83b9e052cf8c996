"""Years of capitation, cleared by insurance type; manual claims and the invoices that they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MONTH = ("capitation", "patient", "referred", "due", "booked", "to_post", "cost")
_YEAR = ("capitation", "cost", "due", "deduction", "final", "surplus", "overspend")


def upgrade() -> None:
    """Make the tables; months cleared so far were employees'."""
    _months_by_insurance_type()
    op.create_table(
        "capitation_year",
        *_pilot(),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("missed_quality", sa.String(), nullable=False),
        *(sa.Column(f"{name}_fen", sa.BigInteger(), nullable=False) for name in _YEAR),
        *_booked(),
        sa.UniqueConstraint("institution_id", "area_code", "insurance_type", "year"),
    )
    forbid_changes("capitation_year")
    op.create_table(
        "manual_claim",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("invoices", sa.Text(), nullable=False),
        sa.Column("continues_id", sa.String(), nullable=True),
        sa.Column("booked_by", sa.String(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_manual_claim_person_id"), "manual_claim", ["person_id"])
    op.create_index(op.f("ix_manual_claim_continues_id"), "manual_claim", ["continues_id"])
    forbid_changes("manual_claim")
    op.create_table(
        "claimed_invoice",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("claim_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["manual_claim.id"]),
        sa.PrimaryKeyConstraint("number"),
    )


def downgrade() -> None:
    """Not offered: cleared years and claims have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")


def _months_by_insurance_type() -> None:
    op.execute("CREATE TABLE capitation_month_before AS SELECT * FROM capitation_month")
    op.drop_table("capitation_month")
    op.create_table(
        "capitation_month",
        *_pilot(),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("headcount", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        *(sa.Column(f"{name}_fen", sa.BigInteger(), nullable=False) for name in _MONTH),
        *_booked(),
        sa.UniqueConstraint("institution_id", "area_code", "insurance_type", "month"),
    )
    kept = ", ".join(
        (
            "id, institution_id, area_code, month, headcount, left_out",
            *(f"{name}_fen" for name in _MONTH),
            "ledger_entry_id, cleared_at",
        )
    )
    op.execute(
        f"INSERT INTO capitation_month (insurance_type, {kept}) "
        f"SELECT 'EMPLOYEE', {kept} FROM capitation_month_before"
    )
    op.drop_table("capitation_month_before")
    forbid_changes("capitation_month")


def _pilot() -> list[sa.Column[str]]:
    names = ("id", "institution_id", "area_code", "insurance_type")
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _booked() -> list[sa.SchemaItem]:
    return [
        sa.Column("ledger_entry_id", sa.String(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["ledger_entry_id"], ["ledger_entry.id"]),
        sa.PrimaryKeyConstraint("id"),
    ]
