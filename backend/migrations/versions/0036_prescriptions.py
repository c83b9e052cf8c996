"""Prescriptions, and what pharmacies offer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def _texts(*names: str, nullable: bool = False) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.String(), nullable=nullable) for name in names)


def _numbers(*names: str) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.Integer(), nullable=False) for name in names)


def _instant(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "prescription",
        *_texts("id", "number", "state", "person_id", "hospital_id"),
        sa.Column("body", sa.Text(), nullable=False),
        *_texts("disease"),
        *_numbers("fills", "fills_done", "fill_days"),
        _instant("signed_at"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        _instant("valid_until"),
        *_texts("pharmacy_id", "chosen_id", nullable=True),
        _instant("locked_until", nullable=True),
        sa.Column("deliver", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        *_texts("courier"),
        *_texts("charge_id", nullable=True),
        *(
            sa.ForeignKeyConstraint([name], ["institution.id"])
            for name in ("hospital_id", "pharmacy_id", "chosen_id")
        ),
        sa.ForeignKeyConstraint(["charge_id"], ["charge.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_prescription_person", "prescription", ["person_id", "id"])
    op.create_index("ix_prescription_state", "prescription", ["state", "valid_until"])
    op.create_index("ix_prescription_pharmacy", "prescription", ["pharmacy_id", "state"])
    op.create_index("ix_prescription_chosen", "prescription", ["chosen_id", "state"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "prescription_step",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        *_texts("prescription_id"),
        _instant("at"),
        *_texts("actor", "event", "state"),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["prescription_id"], ["prescription.id"]),
    )
    op.create_index("ix_prescription_step", "prescription_step", ["prescription_id", "id"])
    forbid_changes("prescription_step")
    op.create_table(
        "pharmacy_offer",
        *_texts("institution_id", "code"),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("in_stock", sa.Boolean(), nullable=False),
        _instant("updated_at"),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("institution_id", "code"),
    )
    op.create_index("ix_pharmacy_offer", "pharmacy_offer", ["code"])


def downgrade() -> None:
    """Not offered: what doctors prescribed would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
