"""Tables of reports. What says who reported is in rows of its own, sealed under keys of their own.

No row of a report, a message, a file or a step bears an hour or an id made from one, so that none can be laid
beside a sign-in; ids are drawn and not counted. ``reporter`` and ``reward_payout`` are found by keyed indexes.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from backend.infra.columns import Amount, Instant


class Report(SQLModel, table=True):
    """A report. ``body`` is sealed; ``secret_index`` finds it by the secret of its receipt.

    ``request_index`` stands for the request key, so that a repetition finds its first answer, ``receipt``,
    which is sealed under the reporters' keys: whoever has its secret could claim the reward.
    """

    __tablename__ = "report"
    __table_args__ = (Index("ix_report_region", "region", "state"),)

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    secret_index: str = Field(unique=True)
    request_index: str = Field(unique=True)
    receipt: str = Field(sa_type=Text)
    pseudonym: str
    real_name: bool
    state: str
    kind: str
    institution_id: str | None = Field(default=None, foreign_key="institution.id")
    region: str
    kept_from: str
    """The number of a member of staff who never sees it; empty: nobody."""
    body: str = Field(sa_type=Text)
    digest: str
    received_on: date
    due_on: date | None = None
    opened_on: date | None = None
    extended: int = 0
    retaliation: bool = False
    found_true: bool | None = None
    found_by: str = ""
    handlers: str = ""
    """The staff who declined or confirmed it, who do not decide about an appeal."""
    value_fen: int = Field(default=0, sa_type=Amount)
    appealed: bool = False
    reward: str
    reward_fen: int = 0
    reward_by: date | None = None
    notice_due: bool = False
    notice_number: int | None = Field(default=None, sa_type=Amount)
    """Drawn for the notice that is on its way, so that a gateway drops its repetition."""
    published: bool = False


class ReportStepRow(SQLModel, table=True):
    """Something that happened to a report, in the order of ``place``. Append-only."""

    __tablename__ = "report_step"

    report_id: str = Field(foreign_key="report.id", primary_key=True)
    place: int = Field(primary_key=True)
    day: date
    actor: str
    event: str
    state: str
    words: str = Field(sa_type=Text)


class ReportMessageRow(SQLModel, table=True):
    """What was said about a report, sealed. Append-only."""

    __tablename__ = "report_message"

    report_id: str = Field(foreign_key="report.id", primary_key=True)
    place: int = Field(primary_key=True)
    day: date
    by: str
    actor: str
    retaliation: bool
    words: str = Field(sa_type=Text)


class ReportEvidence(SQLModel, table=True):
    """A file, sealed. Append-only."""

    __tablename__ = "report_evidence"
    __table_args__ = (Index("ix_report_evidence", "report_id"),)

    id: str = Field(primary_key=True)
    report_id: str = Field(foreign_key="report.id")
    name: str
    content_type: str
    size: int
    digest: str
    added_on: date
    content: bytes = Field(sa_type=LargeBinary)


class Reporter(SQLModel, table=True):
    """Who reported, sealed under the reporters' keys; ``report_index`` and ``owner_index`` are keyed too."""

    __tablename__ = "reporter"
    __table_args__ = (Index("ix_reporter_owner", "owner_index"),)

    report_index: str = Field(primary_key=True)
    owner_index: str
    sealed: str = Field(sa_type=Text)


class RewardPayout(SQLModel, table=True):
    """A reward that was claimed: its account and its report are sealed under the reporters' keys."""

    __tablename__ = "reward_payout"
    __table_args__ = (Index("ix_reward_payout", "region", "paid_on"),)

    id: str = Field(primary_key=True)
    report_index: str = Field(unique=True)
    region: str
    amount_fen: int
    sealed: str = Field(sa_type=Text)
    claimed_on: date
    paid_on: date | None = None
    paid_by: str = ""
    voucher: str = ""


class Unmasking(SQLModel, table=True):
    """A request to learn who reported, and who decided about it."""

    __tablename__ = "report_unmasking"
    __table_args__ = (Index("ix_report_unmasking", "report_id"),)

    id: str = Field(primary_key=True)
    report_id: str = Field(foreign_key="report.id")
    state: str
    asked_by: str
    reason: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=Instant)
    decided_by: str = ""
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    words: str = Field(default="", sa_type=Text)


class PublishedReport(SQLModel, table=True):
    """A finding that anybody may read. It names no report. Append-only."""

    __tablename__ = "published_report"
    __table_args__ = (Index("ix_published_report", "region", "month"),)

    id: str = Field(primary_key=True)
    region: str
    institution: str
    kind: str
    value_fen: int = Field(sa_type=Amount)
    summary: str = Field(sa_type=Text)
    month: str
    published_by: str
