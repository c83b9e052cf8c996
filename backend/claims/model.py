"""Tables of manual claims."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from backend.infra.columns import CanonicalJson, Instant


class ManualClaim(SQLModel, table=True):
    """A booked claim. Settlements carry its id as their bill. Append-only."""

    __tablename__ = "manual_claim"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    invoices: Any = Field(sa_type=CanonicalJson)
    continues_id: str | None = Field(default=None, index=True)
    booked_by: str
    booked_at: datetime = Field(sa_type=Instant)


class ClaimedInvoice(SQLModel, table=True):
    """An invoice that a standing claim holds; given free when the claim is reversed."""

    __tablename__ = "claimed_invoice"

    number: str = Field(primary_key=True)
    claim_id: str = Field(foreign_key="manual_claim.id")
