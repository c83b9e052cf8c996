"""Clinics, seats, appointments and waiting lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.guards import forbid_changes

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str, nullable: bool = False) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.String(), nullable=nullable) for name in names)


def _instants(*names: str, nullable: bool = False) -> tuple[sa.Column, ...]:
    return tuple(sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "booking_rule",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        *_texts("institution_id"),
        *_instants("since"),
        sa.Column("rules", sa.Text(), nullable=False),
        *_texts("set_by"),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
    )
    op.create_index("ix_booking_rule", "booking_rule", ["institution_id", "id"])
    forbid_changes("booking_rule")
    op.create_table(
        "clinic",
        *_texts("id", "institution_id", "number"),
        sa.Column("day", sa.Date(), nullable=False),
        *_instants("starts_at", "ends_at"),
        *_texts("kind", "department_code", "department", "doctor_code", "doctor", "title"),
        *_texts("place", "fee_code"),
        sa.Column("fee_fen", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        *_texts("stop_reason", "terminal_id", "operator_id"),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("institution_id", "number"),
    )
    op.create_index("ix_clinic_day", "clinic", ["institution_id", "day", "department_code"])
    op.create_table(
        "clinic_seat",
        *_texts("clinic_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_instants("starts_at", "ends_at"),
        sa.Column("at_window", sa.Boolean(), nullable=False),
        *_texts("appointment_id", nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.PrimaryKeyConstraint("clinic_id", "number"),
        sa.UniqueConstraint("appointment_id"),
    )
    op.create_index("ix_clinic_seat_free", "clinic_seat", ["clinic_id", "appointment_id"])
    op.create_table(
        "appointment",
        *_texts("id", "state", "clinic_id", "institution_id", "person_id"),
        sa.Column("queue_number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *_instants("starts_at", "ends_at"),
        *_instants("hold_until", nullable=True),
        *_texts("charge_id", nullable=True),
        *_instants("cancel_by", "arrive_by", "created_at"),
        sa.Column("cancelled_on", sa.Date(), nullable=True),
        sa.Column("reminded", sa.Boolean(), nullable=False),
        *_texts("refund"),
        *_instants("refund_at", nullable=True),
        sa.Column("refund_problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["charge_id"], ["charge.id"]),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_appointment_person", "appointment", ["person_id", "id"])
    op.create_index("ix_appointment_clinic", "appointment", ["clinic_id", "queue_number"])
    op.create_index("ix_appointment_state", "appointment", ["state", "hold_until"])
    op.create_index("ix_appointment_refund", "appointment", ["refund", "refund_at"])
    op.create_table(
        "appointment_step",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        *_texts("appointment_id"),
        *_instants("at"),
        *_texts("actor", "event", "state"),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"]),
    )
    op.create_index("ix_appointment_step", "appointment_step", ["appointment_id", "id"])
    forbid_changes("appointment_step")
    op.create_table(
        "clinic_waiting",
        *_texts("id", "state", "clinic_id"),
        sa.Column("place", sa.Integer(), nullable=False),
        *_texts("person_id"),
        *_texts("appointment_id", nullable=True),
        *_instants("created_at"),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"]),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("clinic_id", "place"),
    )
    op.create_index("ix_clinic_waiting_person", "clinic_waiting", ["person_id", "id"])


def downgrade() -> None:
    """Not offered: what patients were promised would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
