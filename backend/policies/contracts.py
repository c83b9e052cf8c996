"""Outages as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry


class Service(StrEnum):
    """What an outage may take away."""

    PHARMACY_SETTLEMENT = "PHARMACY_SETTLEMENT"
    OUTPATIENT_SETTLEMENT = "OUTPATIENT_SETTLEMENT"
    INPATIENT_SETTLEMENT = "INPATIENT_SETTLEMENT"
    CODE = "CODE"
    MATTERS = "MATTERS"
    """Working on applications at the agency: promised days wait."""


@dataclass(frozen=True)
class AnnounceOutage:
    """An operator announces that services of an insured area will be away for a while."""

    actor: Actor
    area_code: str
    services: tuple[Service, ...]
    starts_at: datetime
    ends_at: datetime
    reason: str
    instead: str


@dataclass(frozen=True)
class OutageView:
    """An outage: where, which services, when, why, and what to do instead."""

    id: str
    area_code: str
    services: tuple[Service, ...]
    starts_at: datetime
    ends_at: datetime
    reason: str
    instead: str


@dataclass(frozen=True)
class OutageNow(Refusal):
    """The area's system is down for maintenance or a fault."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "{area}医保系统停机中（{reason}），预计{until}恢复。"
    en = "The system of {area} is down ({reason}) and expected back at {until}."
    next_zh = "{instead}"
    next_en = "Meanwhile: {instead}"
    area: str
    reason: str
    until: datetime
    instead: str
