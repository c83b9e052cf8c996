"""Filings as a settlement sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from backend.settlement.case import FilingKind


@dataclass(frozen=True)
class FilingView:
    """A filing in force. ``area_code`` is the city or the province where it counts."""

    id: str
    enrolment_id: str
    kind: FilingKind
    area_code: str
    starts: date
    ends: date | None
