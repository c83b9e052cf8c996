"""Reads of institutions and terminals."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, String, cast
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.access.logic import prefix_of
from backend.infra import search
from backend.infra.database import Unit
from backend.institutions import logic
from backend.institutions.contracts import (
    Ability,
    Agreement,
    InstitutionFound,
    InstitutionKind,
    InstitutionView,
    SearchInstitutions,
)
from backend.institutions.model import Institution, Terminal, TerminalSession
from backend.kernel.calendar import local

SEARCH = "institution"
_CANDIDATES_MAX = 2_000


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


def names_of(unit: Unit, codes: Sequence[str]) -> dict[str, str]:
    """Return what institutions are called, by code."""
    query = select(Institution.code, Institution.name).where(col(Institution.code).in_(codes))
    return dict(unit.db.exec(query).all())


def open_session(unit: Unit, session_id: str) -> tuple[TerminalSession, Terminal] | None:
    """Return an open session with its terminal, or ``None`` where either has ended."""
    session = unit.db.get(TerminalSession, session_id)
    if session is None or session.closed_at is not None or session.expires_at <= unit.now:
        return None
    terminal = unit.db.get_one(Terminal, session.terminal_id)
    return None if terminal.withdrawn_at is not None else (session, terminal)


def open_sessions(unit: Unit, session_ids: Sequence[str]) -> dict[str, str]:
    """Return the terminal of each of these sessions that is still open."""
    query = (
        select(TerminalSession.id, TerminalSession.terminal_id)
        .join(Terminal, col(Terminal.id) == col(TerminalSession.terminal_id))
        .where(col(TerminalSession.id).in_(session_ids), col(TerminalSession.closed_at).is_(None))
        .where(TerminalSession.expires_at > unit.now, col(Terminal.withdrawn_at).is_(None))
    )
    return dict(unit.db.exec(query).all())


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
        latitude=row.latitude,
        longitude=row.longitude,
        hours=tuple(row.hours or ()),
        on_duty=row.on_duty,
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


def search_institutions(
    unit: Unit, wanted: SearchInstitutions, limit: int
) -> list[InstitutionFound]:
    """Return institutions that fit, the nearest or else the best found first, three statements at most."""
    query = select(Institution).where(*_fits(wanted))
    order: dict[str, int] = {}
    if wanted.text.strip():
        found = search.find(unit, SEARCH, wanted.text, _CANDIDATES_MAX)
        order = {subject_id: place for place, subject_id in enumerate(found)}
        query = query.where(col(Institution.id).in_(found))
    rows = unit.db.exec(query.order_by(col(Institution.code)).limit(_CANDIDATES_MAX)).all()
    moment = local(wanted.open_at or unit.now)
    fits = []
    for row in rows:
        seen = view(row)
        metres = None if wanted.near is None else logic.metres_to(wanted.near, seen)
        far = wanted.within_metres is not None and (metres is None or metres > wanted.within_metres)
        opened = logic.is_open(seen.hours, moment)
        if far or (wanted.open_at is not None and opened is not True):
            continue
        today = seen.hours[moment.weekday()] if seen.hours else ""
        fits.append(InstitutionFound(seen, metres, opened, today))
    farthest = 10**9
    fits.sort(
        key=lambda one: (
            farthest if one.metres is None else one.metres,
            order.get(one.institution.id, 0),
            one.institution.code,
        )
    )
    return fits[:limit]


def _fits(wanted: SearchInstitutions) -> list[ColumnElement[bool]]:
    clauses = []
    if wanted.open_agreements_only:
        clauses.append(col(Institution.agreement) == Agreement.OPEN)
    if wanted.kind is not None:
        clauses.append(col(Institution.kind) == wanted.kind)
    if wanted.region:
        clauses.append(
            col(Institution.division_code).startswith(prefix_of(wanted.region), autoescape=True)
        )
    if wanted.level is not None:
        clauses.append(col(Institution.level) == wanted.level)
    clauses += [
        cast(Institution.abilities, String).contains(f'"{ability.value}"')
        for ability in wanted.abilities
    ]
    if wanted.near is not None and wanted.within_metres is not None:
        south, north, west, east = logic.box(wanted.near, wanted.within_metres)
        clauses.append(col(Institution.latitude).between(south, north))
        clauses.append(col(Institution.longitude).between(west, east))
    return clauses


def of_area(area_code: str) -> SelectOfScalar[str]:
    """Return, as a query, the ids of institutions of an insured area."""
    return select(Institution.id).where(Institution.area_code == area_code)


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
