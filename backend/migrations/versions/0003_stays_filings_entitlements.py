"""Stays in hospital, filings, chronic diseases, capitation and pay-later agreements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "filing",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_filing_enrolment_id"), "filing", ["enrolment_id"])
    op.create_table(
        "chronic_disease",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("disease", sa.String(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_chronic_disease_enrolment_id"), "chronic_disease", ["enrolment_id"])
    op.create_table(
        "capitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("suspended_months", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_capitation_enrolment_id"), "capitation", ["enrolment_id"])
    op.create_index(op.f("ix_capitation_institution_id"), "capitation", ["institution_id"])
    amounts = ("capitation", "patient", "referred", "due", "booked", "to_post", "cost")
    op.create_table(
        "capitation_month",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("headcount", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        *(sa.Column(f"{name}_fen", sa.BigInteger(), nullable=False) for name in amounts),
        sa.Column("ledger_entry_id", sa.String(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["ledger_entry_id"], ["ledger_entry.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("institution_id", "area_code", "month"),
    )
    op.create_table(
        "pay_later",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("stay_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("debt_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("instalments", sa.Text(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stay_id"),
    )
    op.create_index(op.f("ix_pay_later_person_id"), "pay_later", ["person_id"])
    op.create_index(op.f("ix_pay_later_institution_id"), "pay_later", ["institution_id"])
    op.create_table(
        "hospital_stay",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("admitted_on", sa.Date(), nullable=False),
        sa.Column("discharged_on", sa.Date(), nullable=True),
        sa.Column("disease", sa.String(), nullable=False),
        sa.Column("filing", sa.String(), nullable=False),
        sa.Column("referred_from_id", sa.String(), nullable=True),
        sa.Column("stays_before", sa.Integer(), nullable=False),
        sa.Column("pay_later_id", sa.String(), nullable=True),
        sa.Column("deposit_fen", sa.BigInteger(), nullable=False),
        sa.Column("stretches", sa.Integer(), nullable=False),
        sa.Column("deductible_due_fen", sa.BigInteger(), nullable=True),
        sa.Column("deductible_paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("settled_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_hospital_stay_person", "hospital_stay", ["person_id", "id"])
    op.add_column("bill", sa.Column("stay_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_bill_stay_id"), "bill", ["stay_id"])
    op.add_column(
        "bill", sa.Column("discharge", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "bill", sa.Column("instalments", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "settlement", sa.Column("owed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "enrolment", sa.Column("division_code", sa.String(), nullable=False, server_default="")
    )
    forbid_changes("capitation_month")


def downgrade() -> None:
    """Not offered: agreements and stays have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
