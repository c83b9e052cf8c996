"""The county whose desk works on an application beside the one of its area."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column, and fill it from where people are enrolled."""
    op.add_column(
        "matter", sa.Column("county_code", sa.String(), server_default="", nullable=False)
    )
    op.execute(
        """
        UPDATE matter SET county_code = COALESCE(
            (SELECT enrolment.division_code FROM enrolment
             WHERE enrolment.id = matter.enrolment_id
               AND enrolment.division_code <> matter.area_code
               AND substr(enrolment.division_code, 1, 4) || '00' = matter.area_code),
            '')
        """
    )


def downgrade() -> None:
    """Not offered: whose desk an application is at would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
