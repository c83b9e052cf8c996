"""Contributions and transfers; applications of who is not insured yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and let an application have no enrolment."""
    op.create_table(
        "contribution",
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("own_fen", sa.BigInteger(), nullable=False),
        sa.Column("others_fen", sa.BigInteger(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("person_kind", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("matter_id", sa.String(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("bill_number", sa.String(), nullable=True),
        sa.Column("due_until", sa.Date(), nullable=True),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"]),
        sa.ForeignKeyConstraint(["matter_id"], ["matter.id"]),
        sa.PrimaryKeyConstraint("enrolment_id", "starts"),
        sa.UniqueConstraint("bill_number"),
    )
    op.create_index("ix_contribution_matter_id", "contribution", ["matter_id"])
    op.create_index("ix_contribution_due_until", "contribution", ["due_until"])
    op.create_table(
        "transfer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("from_area", sa.String(), nullable=False),
        sa.Column("from_enrolment_id", sa.String(), nullable=True),
        sa.Column("to_enrolment_id", sa.String(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["from_enrolment_id"], ["enrolment.id"]),
        sa.ForeignKeyConstraint(["to_enrolment_id"], ["enrolment.id"]),
        sa.ForeignKeyConstraint(["matter_id"], ["matter.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("matter_id"),
        sa.UniqueConstraint("from_enrolment_id"),
    )
    op.create_index("ix_transfer_to_enrolment_id", "transfer", ["to_enrolment_id"])
    forbid_changes("transfer")
    if op.get_bind().dialect.name == "sqlite":
        _let_be_null("matter", "enrolment_id VARCHAR NOT NULL", "enrolment_id VARCHAR")
    else:
        op.alter_column("matter", "enrolment_id", nullable=True)


def _let_be_null(table: str, before: str, after: str) -> None:
    """Take a NOT NULL away as SQLite documents it: in the schema's text, no row is touched."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    done = connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) "
        "WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
        (before, after, table, before),
    )
    if done.rowcount != 1:
        raise RuntimeError(f"the table {table} is not as it was made")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def downgrade() -> None:
    """Not offered: contributions have no place in the older schema."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
