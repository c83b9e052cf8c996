"""What was sold, when, where, to whom: short reads for monitoring, of bills that tills settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, func
from sqlalchemy import select as sql_select
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col, select

from backend.infra.database import Unit
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.settlement.case import LineInput
from backend.settlement.contracts import DESK, SettlementKind
from backend.settlement.model import Settlement, TraceEvent
from backend.settlement.queries import case_of


@dataclass(frozen=True)
class PastSale:
    """A settled bill. ``at``: when it was settled first; a re-run after a reversal does not move it."""

    settlement_id: str
    bill_id: str
    person_id: str
    area_code: str
    institution_id: str
    terminal_id: str
    purpose: str
    at: datetime
    total_fen: Fen
    lines: tuple[LineInput, ...]
    trace_codes: tuple[str, ...]


@dataclass(frozen=True)
class PackSold:
    """That a pack was sold, whether or not it was taken back."""

    trace_code: str
    settlement_id: str
    institution_id: str
    at: datetime


def sold_to(unit: Unit, person_id: str, since: datetime) -> list[PastSale]:
    """Return what stands settled for a person since an instant, in order."""
    whose = col(Settlement.person_id).in_(people.records_of(person_id))
    return _standing(unit, whose, col(Settlement.settled_at) > since)


def sold_at(unit: Unit, terminal_id: str, since: datetime) -> list[PastSale]:
    """Return what stands settled at a terminal since an instant, in order; without the lines.

    A busy till has hundreds of bills in a night, and reading what was on them would make its next one wait.
    """
    here = col(Settlement.terminal_id) == terminal_id
    return _standing(unit, here, col(Settlement.settled_at) > since, lines=False)


def sale(unit: Unit, settlement_id: str) -> PastSale | None:
    """Return a settlement that stands; ``None`` where it was taken back."""
    return next(iter(_standing(unit, col(Settlement.id) == settlement_id)), None)


def settled_since(since: datetime, but: ColumnElement[bool]) -> Select[Any]:
    """Return settlements of tills since an instant, but for some."""
    return (
        select(Settlement.id)
        .where(Settlement.settled_at > since, Settlement.kind == SettlementKind.SETTLEMENT)
        .where(Settlement.terminal_id != DESK, ~but)
    )


def settled_after_death(but: ColumnElement[bool]) -> Select[Any]:
    """Return settlements of tills of days after their person's death, but for some."""
    died = people.died_before(col(Settlement.person_id), col(Settlement.service_date))
    return (
        select(Settlement.id)
        .where(Settlement.kind == SettlementKind.SETTLEMENT, Settlement.terminal_id != DESK)
        .where(died, ~but)
    )


def packs_sold(unit: Unit, trace_codes: Sequence[str]) -> list[PackSold]:
    """Return every sale of some packs, in order."""
    if not trace_codes:
        return []
    rows = unit.db.exec(
        select(TraceEvent, Settlement)
        .join(Settlement, col(Settlement.id) == col(TraceEvent.settlement_id))
        .where(col(TraceEvent.trace_code).in_(set(trace_codes)), col(TraceEvent.sold))
        .order_by(col(Settlement.number))
    ).all()
    return [
        PackSold(event.trace_code, sold.id, sold.institution_id, event.at) for event, sold in rows
    ]


def bill_of(unit: Unit, settlement_id: str) -> str:
    """Return the bill of a settlement that must exist."""
    return unit.db.exec(select(Settlement.bill_id).where(Settlement.id == settlement_id)).one()


def bill_column() -> Mapped[str]:
    """Return, as an expression, the bill of a settlement that a query here goes through."""
    return col(Settlement.bill_id)


_COLUMNS = (
    *(col(Settlement.id), col(Settlement.bill_id), col(Settlement.area_code)),
    *(col(Settlement.institution_id), col(Settlement.terminal_id), col(Settlement.purpose)),
    *(col(Settlement.total_fen), col(Settlement.traces)),
)


def _standing(unit: Unit, *wanted: ColumnElement[bool], lines: bool = True) -> list[PastSale]:
    later, first = aliased(Settlement), aliased(Settlement)
    began = (
        select(func.min(col(first.settled_at)))
        .where(col(first.bill_id) == col(Settlement.bill_id))
        .scalar_subquery()
    )
    whose = people.goes_on_as(col(Settlement.person_id))
    facts = [col(Settlement.case_facts)] if lines else []
    query = (
        sql_select(*_COLUMNS, began.label("at"), whose.label("person_id"), *facts)
        .outerjoin(later, col(later.reverses_id) == col(Settlement.id))
        .where(col(Settlement.kind) == SettlementKind.SETTLEMENT, col(later.id).is_(None))
        .where(col(Settlement.terminal_id) != DESK, *wanted)
        .order_by(col(Settlement.number))
    )
    rows = unit.db.connection().execute(query).mappings().all()
    return [_past(row, case_of(row["case_facts"]).lines if lines else ()) for row in rows]


def _past(row: RowMapping, lines: tuple[LineInput, ...]) -> PastSale:
    return PastSale(
        settlement_id=row["id"],
        bill_id=row["bill_id"],
        person_id=row["person_id"],
        area_code=row["area_code"],
        institution_id=row["institution_id"],
        terminal_id=row["terminal_id"],
        purpose=row["purpose"],
        at=row["at"],
        total_fen=Fen(row["total_fen"]),
        lines=lines,
        trace_codes=tuple(str(code) for _, code, _ in row["traces"]),
    )
