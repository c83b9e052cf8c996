"""Tickets between places of care and insured areas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "ticket",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("home_area", sa.String(), nullable=False),
        sa.Column("place_area", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("care", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("opened_at", instant, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(op.f("ix_ticket_person_id"), "ticket", ["person_id"])
    op.create_index("ix_ticket_queue", "ticket", ["state", "due_on"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "ticket_step",
        sa.Column("id", serial, nullable=False),
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ticket_step_ticket", "ticket_step", ["ticket_id", "id"])
    op.create_index(op.f("ix_ticket_step_day"), "ticket_step", ["day"])
    forbid_changes("ticket_step")


def downgrade() -> None:
    """Not offered: what patients reported has no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
