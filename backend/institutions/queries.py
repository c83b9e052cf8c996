"""Reads of institutions and terminals."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import String, cast
from sqlmodel import col, select

from backend.infra.database import Unit
from backend.institutions.contracts import (
    Ability,
    Agreement,
    InstitutionKind,
    InstitutionView,
)
from backend.institutions.model import Institution, Terminal, TerminalSession


def institution(unit: Unit, institution_id: str) -> InstitutionView:
    """Return an institution that must exist."""
    return view(unit.db.get_one(Institution, institution_id))


def institutions(unit: Unit, ids: Sequence[str]) -> dict[str, InstitutionView]:
    """Return institutions by id, for a batch of ids."""
    found = unit.db.exec(select(Institution).where(col(Institution.id).in_(set(ids)))).all()
    return {row.id: view(row) for row in found}


def by_code(unit: Unit, code: str) -> InstitutionView | None:
    """Return the institution with a national code (``fixmedins_code``)."""
    row = unit.db.exec(select(Institution).where(Institution.code == code)).first()
    return view(row) if row else None


def open_session(unit: Unit, session_id: str) -> tuple[TerminalSession, Terminal] | None:
    """Return an open session with its terminal, or ``None`` where either has ended."""
    session = unit.db.get(TerminalSession, session_id)
    if session is None or session.closed_at is not None or session.expires_at <= unit.now:
        return None
    terminal = unit.db.get_one(Terminal, session.terminal_id)
    return None if terminal.withdrawn_at is not None else (session, terminal)


def view(row: Institution) -> InstitutionView:
    """Return the view of a row."""
    return InstitutionView(
        id=row.id,
        code=row.code,
        name=row.name,
        kind=InstitutionKind(row.kind),
        level=row.level,
        division_code=row.division_code,
        area_code=row.area_code,
        address=row.address,
        abilities=tuple(Ability(ability) for ability in row.abilities),
        agreement=Agreement(row.agreement),
    )


def able(
    unit: Unit, area_code: str, kind: InstitutionKind, ability: Ability, limit: int
) -> list[InstitutionView]:
    """Return institutions of an insured area that may do something now, by code."""
    rows = unit.db.exec(
        select(Institution)
        .where(Institution.area_code == area_code, Institution.kind == kind)
        .where(Institution.agreement == Agreement.OPEN)
        .where(cast(Institution.abilities, String).contains(f'"{ability.value}"'))
        .order_by(col(Institution.level).desc(), col(Institution.code))
        .limit(limit)
    ).all()
    return [view(row) for row in rows]


def in_division(
    unit: Unit, division_code: str, kind: InstitutionKind, limit: int
) -> list[InstitutionView]:
    """Return institutions of a kind in a county, by code."""
    rows = unit.db.exec(
        select(Institution)
        .where(Institution.division_code == division_code, Institution.kind == kind)
        .order_by(col(Institution.code))
        .limit(limit)
    ).all()
    return [view(row) for row in rows]
