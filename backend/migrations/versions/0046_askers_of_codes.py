"""A code to a phone belongs to who asked for it; wrong passwords of staff are counted by address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_KEPT = "phone_index, purpose, code_digest, person_id, sent_at, expires_at, attempts"


def upgrade() -> None:
    """Give each asker a challenge of their own; a code that still stands can be shown from anywhere."""
    op.rename_table("sign_in_challenge", "sign_in_challenge_before")
    op.create_table(
        "sign_in_challenge",
        sa.Column("phone_index", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("code_digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempts_elsewhere", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("phone_index", "purpose", "asker", name="sign_in_challenge_key"),
    )
    op.execute(
        f"INSERT INTO sign_in_challenge ({_KEPT}, asker, attempts_elsewhere) "
        f"SELECT {_KEPT}, '', attempts FROM sign_in_challenge_before WHERE used_at IS NULL"
    )
    op.drop_table("sign_in_challenge_before")
    op.create_index("ix_sign_in_challenge_expires", "sign_in_challenge", ["expires_at"])
    for table in ("device_session", "staff_session"):
        place = sa.Column("place", sa.String(), nullable=False, server_default="")
        op.add_column(table, place)
    op.drop_column("staff_member", "failures")
    op.drop_column("staff_member", "locked_until")


def downgrade() -> None:
    """Not offered: challenges of several askers have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
