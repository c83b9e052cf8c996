"""Bindings between relatives, what delegates did, whose code a delegate showed; preferences, deaths."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "binding",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("delegate_id", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("consented_by", sa.String(), nullable=True),
        sa.Column("pay_limit_fen", sa.BigInteger(), nullable=True),
        sa.Column("pay_day_limit_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["delegate_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_binding_delegate", "binding", ["delegate_id", "owner_id"])
    op.create_index("ix_binding_owner", "binding", ["owner_id", "state"])
    op.create_table(
        "consent_challenge",
        sa.Column("binding_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("pay_limit_fen", sa.BigInteger(), nullable=True),
        sa.Column("pay_day_limit_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["binding_id"], ["binding.id"]),
        sa.PrimaryKeyConstraint("binding_id"),
    )
    op.create_table(
        "proxy_act",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("binding_id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("delegate_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["binding_id"], ["binding.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_proxy_act_binding_id"), "proxy_act", ["binding_id"])
    op.create_index("ix_proxy_act_owner", "proxy_act", ["owner_id", "id"])
    forbid_changes("proxy_act")
    op.create_table(
        "person_preference",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("elder_mode", sa.Boolean(), nullable=False),
        sa.Column("notice_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.add_column("person", sa.Column("died_on", sa.Date(), nullable=True))
    op.add_column("unified_code", sa.Column("shown_by_id", sa.String(), nullable=True))
    op.add_column("scan_grant", sa.Column("shown_by_id", sa.String(), nullable=True))
    op.add_column("bill", sa.Column("shown_by_id", sa.String(), nullable=True))


def downgrade() -> None:
    """Not offered: bindings have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
