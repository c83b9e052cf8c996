"""Alerts of monitoring, what was seen, and bills that wait for an inspector."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def _texts(*names: str, nullable: bool = False) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.String(), nullable=nullable) for name in names)


def _instant(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Make the tables, the column and the indexes that the rules look by."""
    op.create_table(
        "supervision_alert",
        *_texts("id", "monitor", "suspect", "subject_key"),
        *_texts("open_key", nullable=True),
        *_texts("state", "region", "institution_id"),
        *_texts("person_id", "terminal_id", "trace_code", nullable=True),
        _instant("raised_at"),
        _instant("held_until", nullable=True),
        *_texts("handler"),
        sa.Column("words", sa.Text(), nullable=False),
        _instant("decided_at", nullable=True),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("open_key"),
    )
    op.create_index("ix_supervision_alert_region", "supervision_alert", ["region", "state"])
    op.create_index("ix_supervision_alert_subject", "supervision_alert", ["subject_key"])
    op.create_index("ix_supervision_alert_person_id", "supervision_alert", ["person_id"])
    op.create_table(
        "supervision_sighting",
        *_texts("alert_id", "sale_key", "of", "sale_id", "institution_id"),
        _instant("at"),
        _instant("seen_at"),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("others", sa.Text(), nullable=False),
        *_texts("rule"),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["supervision_alert.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("alert_id", "sale_key"),
    )
    forbid_changes("supervision_sighting")
    op.create_table(
        "supervision_examined",
        *_texts("bill_id"),
        _instant("at"),
        sa.Column("after_death", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("bill_id", "after_death"),
    )
    forbid_changes("supervision_examined")
    op.add_column("bill", sa.Column("alert_id", sa.String(), nullable=True))
    op.create_index("ix_bill_alert_id", "bill", ["alert_id"])
    op.create_index("ix_settlement_settled", "settlement", ["settled_at"])
    op.create_index("ix_settlement_terminal", "settlement", ["terminal_id", "settled_at"])
    op.create_index("ix_trace_event_code", "trace_event", ["trace_code"])


def downgrade() -> None:
    """Not offered: what inspectors found would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
