"""Reports, and apart from them who reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def _texts(*names: str) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.String(), nullable=False) for name in names)


def _longs(*names: str) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=False) for name in names)


def _days(*names: str, nullable: bool = False) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.Date(), nullable=nullable) for name in names)


def _numbers(*names: str) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.Integer(), nullable=False) for name in names)


def _flags(*names: str) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.Boolean(), nullable=False) for name in names)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "report",
        *_texts("id", "number", "secret_index", "request_index"),
        *_longs("receipt"),
        *_texts("pseudonym"),
        *_flags("real_name"),
        *_texts("state", "kind"),
        sa.Column("institution_id", sa.String(), nullable=True),
        *_texts("region", "kept_from"),
        *_longs("body"),
        *_texts("digest"),
        *_days("received_on"),
        *_days("due_on", "opened_on", nullable=True),
        *_numbers("extended"),
        *_flags("retaliation"),
        sa.Column("found_true", sa.Boolean(), nullable=True),
        *_texts("found_by", "handlers"),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        *_flags("appealed"),
        *_texts("reward"),
        *_numbers("reward_fen"),
        *_days("reward_by", nullable=True),
        *_flags("notice_due", "published"),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
        *(sa.UniqueConstraint(name) for name in ("number", "secret_index", "request_index")),
    )
    op.create_index("ix_report_region", "report", ["region", "state"])
    op.create_table(
        "report_step",
        *_texts("report_id"),
        *_numbers("place"),
        *_days("day"),
        *_texts("actor", "event", "state"),
        *_longs("words"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("report_id", "place"),
    )
    op.create_table(
        "report_message",
        *_texts("report_id"),
        *_numbers("place"),
        *_days("day"),
        *_texts("by", "actor"),
        *_flags("retaliation"),
        *_longs("words"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("report_id", "place"),
    )
    op.create_table(
        "report_evidence",
        *_texts("id", "report_id", "name", "content_type"),
        *_numbers("size"),
        *_texts("digest"),
        *_days("added_on"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_report_evidence", "report_evidence", ["report_id"])
    op.create_table(
        "reporter",
        *_texts("report_index", "owner_index"),
        *_longs("sealed"),
        sa.PrimaryKeyConstraint("report_index"),
    )
    op.create_index("ix_reporter_owner", "reporter", ["owner_index"])
    op.create_table(
        "reward_payout",
        *_texts("id", "report_index", "region"),
        *_numbers("amount_fen"),
        *_longs("sealed"),
        *_days("claimed_on"),
        *_days("paid_on", nullable=True),
        *_texts("paid_by", "voucher"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("report_index"),
    )
    op.create_index("ix_reward_payout", "reward_payout", ["region", "paid_on"])
    op.create_table(
        "report_unmasking",
        *_texts("id", "report_id", "state", "asked_by"),
        *_longs("reason"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        *_texts("decided_by"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *_longs("words"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_report_unmasking", "report_unmasking", ["report_id"])
    op.create_table(
        "published_report",
        *_texts("id", "region", "institution", "kind"),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        *_longs("summary"),
        *_texts("month", "published_by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_published_report", "published_report", ["region", "month"])
    for table in ("report_step", "report_message", "report_evidence", "reporter"):
        forbid_changes(table)
    forbid_changes("published_report")


def downgrade() -> None:
    """Not offered: what people reported would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
