"""Live events and notices name their transaction; messages that go out carry ids that never come back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. A message that is on its way keeps the id by which a gateway may know it."""
    op.add_column("outbox_message", sa.Column("transaction_id", sa.BigInteger(), nullable=True))
    op.add_column("outbox_message", sa.Column("outgoing_id", sa.String(), nullable=True))
    op.execute(
        "UPDATE outbox_message SET outgoing_id = 'yibao-' || CAST(id AS VARCHAR)"
        " WHERE channel <> 'LIVE' AND delivered_at IS NULL"
    )
    op.add_column("notice", sa.Column("transaction_id", sa.BigInteger(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for table in ("outbox_message", "notice"):
            op.execute(
                f"ALTER TABLE {table} ALTER COLUMN transaction_id"
                " SET DEFAULT pg_current_xact_id()::text::bigint"
            )
    is_live = sa.text("channel = 'LIVE'")
    op.create_index(
        "ix_outbox_live",
        "outbox_message",
        ["transaction_id"],
        postgresql_where=is_live,
        sqlite_where=is_live,
    )
    op.create_index("ix_outbox_outgoing", "outbox_message", ["outgoing_id"], unique=True)
    op.drop_index("ix_outbox_topic", "outbox_message")
    op.add_column("report", sa.Column("notice_id", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Not offered: messages on their way would go out under other ids."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
