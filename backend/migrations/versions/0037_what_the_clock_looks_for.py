"""Indexes for what every worker looks for each second."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_appointment_arrive", "appointment", ["state", "arrive_by"])
    op.create_index("ix_appointment_remind", "appointment", ["state", "reminded", "starts_at"])
    op.create_index("ix_clinic_stopped", "clinic", ["stopped"])
    op.create_index("ix_clinic_waiting_state", "clinic_waiting", ["state", "clinic_id"])


def downgrade() -> None:
    """Not offered, as for every step."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
