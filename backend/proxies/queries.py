"""Reads of bindings and of what delegates did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.access.contracts import Action
from backend.infra.database import Unit
from backend.kernel.calendar import SHANGHAI, local_day
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.proxies import logic
from backend.proxies.contracts import (
    BindingState,
    BindingView,
    ConsentWay,
    ProxyActView,
    Relation,
    Scope,
    Standing,
)
from backend.proxies.model import Binding, ProxyAct

OPEN = (BindingState.PENDING_CONSENT, BindingState.PENDING_REVIEW, BindingState.ACTIVE)


def of_delegate(unit: Unit, person_id: str) -> list[BindingView]:
    """Return for whom a person acts or has asked to, the newest first; what is over is left out."""
    query = select(Binding).where(Binding.delegate_id == person_id)
    return _views(unit, _open(unit, query))


def of_owner(unit: Unit, person_id: str) -> list[BindingView]:
    """Return who acts for a person or has asked to, the newest first; what is over is left out."""
    return _views(unit, _open(unit, select(Binding).where(Binding.owner_id == person_id)))


def binding(unit: Unit, binding_id: str) -> BindingView | None:
    """Return a binding, or ``None``."""
    row = unit.db.get(Binding, binding_id)
    return None if row is None else view(unit, row)


def waiting_for_review(
    unit: Unit, limit: int, regions: Sequence[str] | None = None
) -> list[BindingView]:
    """Return requests that the desk reviews, the oldest first, of some regions or of all."""
    query = (
        select(Binding)
        .where(col(Binding.state).in_((BindingState.PENDING_REVIEW, BindingState.PENDING_CONSENT)))
        .where(Binding.expires_on >= local_day(unit.now))
    )
    if regions is not None:
        query = query.where(col(Binding.owner_id).in_(people.insured_within(regions)))
    rows = unit.db.exec(
        query.order_by(col(Binding.requested_at), col(Binding.id)).limit(limit)
    ).all()
    return _views(unit, rows)


def owner_of(unit: Unit, binding_id: str) -> str | None:
    """Return whose affairs a binding is about, to decide which agency works on it."""
    row = unit.db.get(Binding, binding_id)
    return None if row is None else row.owner_id


def in_force(unit: Unit, delegate_id: str, owner_id: str) -> BindingView | None:
    """Return the binding by which one person acts for another now, ``None`` where there is none."""
    rows = unit.db.exec(
        select(Binding)
        .where(Binding.delegate_id == delegate_id, Binding.owner_id == owner_id)
        .where(Binding.state == BindingState.ACTIVE)
    ).all()
    found = [one for one in _views(unit, rows) if one.standing is Standing.IN_FORCE]
    return found[0] if found else None


def acts_for(unit: Unit, owner_id: str, before: int | None, limit: int) -> list[ProxyActView]:
    """Return what was done for a person by relatives, the newest first, below an id."""
    query = (
        select(ProxyAct, Binding.relation)
        .where(col(ProxyAct.owner_id).in_(people.records_of(owner_id)))
        .where(ProxyAct.binding_id == Binding.id)
        .order_by(col(ProxyAct.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(ProxyAct.id) < before)
    return [
        ProxyActView(
            id=act.id or 0,
            binding_id=act.binding_id,
            at=act.at,
            action=Action(act.action),
            delegate_name=people.person(unit, act.delegate_id).masked_name,
            relation=Relation(relation),
            amount_fen=None if act.amount_fen is None else Fen(act.amount_fen),
        )
        for act, relation in unit.db.exec(query).all()
    ]


def spent_today(unit: Unit, binding_id: str) -> Fen:
    """Return what a delegate has taken from the owner's account today."""
    midnight = datetime.combine(local_day(unit.now), time.min, SHANGHAI)
    total = select(func.coalesce(func.sum(col(ProxyAct.amount_fen)), 0)).where(
        ProxyAct.binding_id == binding_id, ProxyAct.at >= midnight
    )
    return Fen(int(unit.db.exec(total).one() or 0))


def view(unit: Unit, row: Binding) -> BindingView:
    """Return the view of a row."""
    return _views(unit, [row])[0]


def _view(unit: Unit, row: Binding, insured: set[str]) -> BindingView:
    day = local_day(unit.now)
    owner = people.particulars(unit, row.owner_id)
    return BindingView(
        id=row.id,
        owner_id=row.owner_id,
        delegate_id=row.delegate_id,
        owner_name=people.person(unit, row.owner_id).masked_name,
        delegate_name=people.person(unit, row.delegate_id).masked_name,
        relation=Relation(row.relation),
        scopes=tuple(Scope(scope) for scope in row.scopes),
        state=BindingState(row.state),
        standing=logic.standing(
            BindingState(row.state),
            row.expires_on,
            row.consented_by == ConsentWay.GUARDIAN,
            owner.birth_date,
            people.died_on(unit, row.owner_id) is not None,
            row.owner_id in insured,
            day,
        ),
        requested_at=row.requested_at,
        active_since=row.active_since,
        expires_on=row.expires_on,
        consented_by=None if row.consented_by is None else ConsentWay(row.consented_by),
        pay_limit_fen=None if row.pay_limit_fen is None else Fen(row.pay_limit_fen),
        pay_day_limit_fen=None if row.pay_day_limit_fen is None else Fen(row.pay_day_limit_fen),
    )


def _open(unit: Unit, query: SelectOfScalar[Binding]) -> Sequence[Binding]:
    return unit.db.exec(
        query.where(col(Binding.state).in_(OPEN))
        .where(Binding.expires_on >= local_day(unit.now))
        .order_by(col(Binding.requested_at).desc(), col(Binding.id))
    ).all()


def _views(unit: Unit, rows: Sequence[Binding]) -> list[BindingView]:
    held = people.prefetch(unit, [one for row in rows for one in (row.owner_id, row.delegate_id)])
    insured = people.insured_on(unit, [row.owner_id for row in rows], local_day(unit.now))
    views = [_view(unit, row, insured) for row in rows]
    del held
    return views
