"""The first tables, and triggers that keep append-only ones append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = (
    "audit_line",
    "ledger_entry",
    "ledger_posting",
    "settlement",
    "accumulator_entry",
    "trace_event",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accumulator_entry",
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("deductible_fen", sa.BigInteger(), nullable=False),
        sa.Column("fund_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("settlement_id"),
    )
    op.create_index(
        op.f("ix_accumulator_entry_enrolment_id"),
        "accumulator_entry",
        ["enrolment_id"],
        unique=False,
    )
    op.create_table(
        "audit_lane",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("lane"),
    )
    op.create_table(
        "audit_line",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "number"),
    )
    op.create_index(op.f("ix_audit_line_subject"), "audit_line", ["subject"], unique=False)
    op.create_table(
        "catalogue_item",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dosage_form", sa.String(), nullable=False),
        sa.Column("specification", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("prescription_only", sa.Boolean(), nullable=False),
        sa.Column("illustrative", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index(op.f("ix_catalogue_item_name"), "catalogue_item", ["name"], unique=False)
    op.create_table(
        "idempotency_record",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    op.create_table(
        "institution",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("division_code", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("abilities", sa.Text(), nullable=False),
        sa.Column("agreement", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index(op.f("ix_institution_area_code"), "institution", ["area_code"], unique=False)
    op.create_index(
        op.f("ix_institution_division_code"), "institution", ["division_code"], unique=False
    )
    op.create_table(
        "ledger_account",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance_fen >= 0", name="ck_balance_not_negative"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_ledger_entry_reference"), "ledger_entry", ["reference"], unique=False)
    op.create_table(
        "outage",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("services", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("instead", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_outage_area_code"), "outage", ["area_code"], unique=False)
    op.create_table(
        "outbox_message",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox_message",
        ["channel", "delivered_at", "next_attempt_at"],
        unique=False,
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("particulars", sa.Text(), nullable=False),
        sa.Column("id_number_index", sa.String(), nullable=False),
        sa.Column("phone_index", sa.String(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id_number_index"),
        sa.UniqueConstraint("phone_index"),
    )
    op.create_table(
        "rate_window",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("window_start", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bucket"),
    )
    op.create_table(
        "sign_in_challenge",
        sa.Column("phone_index", sa.String(), nullable=False),
        sa.Column("code_digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("phone_index"),
    )
    op.create_table(
        "trace_event",
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.Column("trace_code", sa.String(), nullable=False),
        sa.Column("sold", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("settlement_id", "trace_code"),
    )
    op.create_table(
        "trace_holding",
        sa.Column("trace_code", sa.String(), nullable=False),
        sa.Column("split", sa.Boolean(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("trace_code"),
    )
    op.create_table(
        "used_nonce",
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce"),
    )
    op.create_table(
        "bill",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("terminal_id", sa.String(), nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirm_above_fen", sa.BigInteger(), nullable=False),
        sa.Column("case_facts", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("traces", sa.Text(), nullable=False),
        sa.Column("settlement_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_bill_grant_id"), "bill", ["grant_id"], unique=False)
    op.create_index("ix_bill_person", "bill", ["person_id", "id"], unique=False)
    op.create_table(
        "catalogue_term",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("item_class", sa.String(), nullable=False),
        sa.Column("prepaid_share", sa.String(), nullable=False),
        sa.Column("price_limit", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["code"],
            ["catalogue_item.code"],
        ),
        sa.PrimaryKeyConstraint("code", "effective_from"),
    )
    op.create_table(
        "device_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("device_name", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_device_session_person_id"), "device_session", ["person_id"], unique=False
    )
    op.create_table(
        "enrolment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("person_number", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("insurance_type", sa.String(), nullable=False),
        sa.Column("account_kind", sa.String(), nullable=False),
        sa.Column("contribution_base_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_number"),
    )
    op.create_index(op.f("ix_enrolment_person_id"), "enrolment", ["person_id"], unique=False)
    op.create_table(
        "ledger_posting",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["ledger_entry.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_ledger_posting_entry_id"), "ledger_posting", ["entry_id"], unique=False
    )
    op.create_index("ix_posting_account", "ledger_posting", ["account", "id"], unique=False)
    op.create_table(
        "payment_rule",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("confirm_above_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "terminal",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        op.f("ix_terminal_institution_id"), "terminal", ["institution_id"], unique=False
    )
    op.create_table(
        "unified_code",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("device_session_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decoded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terminal_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_code_device", "unified_code", ["device_session_id", "state"], unique=False)
    op.create_table(
        "accumulator",
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("deductible_fen", sa.BigInteger(), nullable=False),
        sa.Column("fund_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "year"),
    )
    op.create_table(
        "enrolment_period",
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("person_kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "starts"),
    )
    op.create_table(
        "refresh_token",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["device_session.id"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(
        op.f("ix_refresh_token_session_id"), "refresh_token", ["session_id"], unique=False
    )
    op.create_table(
        "scan_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("code_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("terminal_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["code_id"],
            ["unified_code.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "settlement",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("terminal_id", sa.String(), nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accumulator_year", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("insurance_type", sa.String(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("fund_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_fen", sa.BigInteger(), nullable=False),
        sa.Column("cash_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_balance_after_fen", sa.BigInteger(), nullable=False),
        sa.Column("case_facts", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("traces", sa.Text(), nullable=False),
        sa.Column("ledger_entry_id", sa.String(), nullable=False),
        sa.Column("reverses_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ledger_entry_id"],
            ["ledger_entry.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("reverses_id"),
    )
    op.create_index(op.f("ix_settlement_bill_id"), "settlement", ["bill_id"], unique=False)
    op.create_index(
        "ix_settlement_institution", "settlement", ["institution_id", "number"], unique=False
    )
    op.create_index("ix_settlement_person", "settlement", ["person_id", "number"], unique=False)
    op.create_index(
        "ix_settlement_year", "settlement", ["enrolment_id", "accumulator_year"], unique=False
    )
    op.create_table(
        "terminal_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("terminal_id", sa.String(), nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("operator_name", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["terminal_id"],
            ["terminal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_terminal_session_terminal_id"), "terminal_session", ["terminal_id"], unique=False
    )
    for table in APPEND_ONLY:
        _forbid_changes(table)


def _forbid_changes(table: str) -> None:
    """Let the database itself refuse to change or remove a row."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_index(op.f("ix_terminal_session_terminal_id"), table_name="terminal_session")
    op.drop_table("terminal_session")
    op.drop_index("ix_settlement_year", table_name="settlement")
    op.drop_index("ix_settlement_person", table_name="settlement")
    op.drop_index("ix_settlement_institution", table_name="settlement")
    op.drop_index(op.f("ix_settlement_bill_id"), table_name="settlement")
    op.drop_table("settlement")
    op.drop_table("scan_grant")
    op.drop_index(op.f("ix_refresh_token_session_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_table("enrolment_period")
    op.drop_table("accumulator")
    op.drop_index("ix_code_device", table_name="unified_code")
    op.drop_table("unified_code")
    op.drop_index(op.f("ix_terminal_institution_id"), table_name="terminal")
    op.drop_table("terminal")
    op.drop_table("payment_rule")
    op.drop_index("ix_posting_account", table_name="ledger_posting")
    op.drop_index(op.f("ix_ledger_posting_entry_id"), table_name="ledger_posting")
    op.drop_table("ledger_posting")
    op.drop_index(op.f("ix_enrolment_person_id"), table_name="enrolment")
    op.drop_table("enrolment")
    op.drop_index(op.f("ix_device_session_person_id"), table_name="device_session")
    op.drop_table("device_session")
    op.drop_table("catalogue_term")
    op.drop_index("ix_bill_person", table_name="bill")
    op.drop_index(op.f("ix_bill_grant_id"), table_name="bill")
    op.drop_table("bill")
    op.drop_table("used_nonce")
    op.drop_table("trace_holding")
    op.drop_table("trace_event")
    op.drop_table("sign_in_challenge")
    op.drop_table("rate_window")
    op.drop_table("person")
    op.drop_index("ix_outbox_due", table_name="outbox_message")
    op.drop_table("outbox_message")
    op.drop_index(op.f("ix_outage_area_code"), table_name="outage")
    op.drop_table("outage")
    op.drop_index(op.f("ix_ledger_entry_reference"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("ledger_account")
    op.drop_index(op.f("ix_institution_division_code"), table_name="institution")
    op.drop_index(op.f("ix_institution_area_code"), table_name="institution")
    op.drop_table("institution")
    op.drop_table("idempotency_record")
    op.drop_index(op.f("ix_catalogue_item_name"), table_name="catalogue_item")
    op.drop_table("catalogue_item")
    op.drop_index(op.f("ix_audit_line_subject"), table_name="audit_line")
    op.drop_table("audit_line")
    op.drop_table("audit_lane")
    op.drop_index(op.f("ix_accumulator_entry_enrolment_id"), table_name="accumulator_entry")
    op.drop_table("accumulator_entry")
