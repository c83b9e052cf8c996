"""How much there is to do, as the edge sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from backend.matters.contracts import MatterKind


@dataclass(frozen=True)
class KindLoad:
    """How much there is of a kind. ``free``: held by nobody; ``due_soon``: due by the second working day.

    Of what was decided in the days asked about: how many in time, and the median of working days taken.
    """

    kind: MatterKind
    waiting: int
    overdue: int
    due_soon: int
    free: int
    oldest_on: date | None
    decided: int
    on_time: int
    median_workdays: int | None


@dataclass(frozen=True)
class StaffLoad:
    """How much somebody holds and has decided. ``number``: what they sign in with."""

    number: str
    held: int
    overdue: int
    decided: int


@dataclass(frozen=True)
class Workload:
    """What there is to do in some regions, and what was done since a moment."""

    since: datetime
    kinds: tuple[KindLoad, ...]
    staff: tuple[StaffLoad, ...]
    complete: bool
