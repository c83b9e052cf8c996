"""Reads of contributions and transfers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from backend.enrolment.contracts import ContributionState, ContributionView, TransferView
from backend.enrolment.model import Contribution, Transfer
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.people.contracts import PersonKind


def contributions(
    unit: Unit, enrolment_ids: Sequence[str], year: int | None = None
) -> list[ContributionView]:
    """Return what was paid and is due for some enrolments, the newest first."""
    query = select(Contribution).where(col(Contribution.enrolment_id).in_(enrolment_ids))
    if year is not None:
        query = query.where(func.extract("year", col(Contribution.starts)) == year)
    rows = unit.db.exec(
        query.order_by(col(Contribution.starts).desc(), col(Contribution.enrolment_id))
    ).all()
    return [view(unit, row) for row in rows]


def months_paid(unit: Unit, enrolment_ids: Sequence[str]) -> dict[str, int]:
    """Return for how many months each enrolment has paid: with those brought along, without those taken.

    Years that were paid back are not: nobody was insured in them.
    """
    found = dict.fromkeys(enrolment_ids, 0)
    paid = unit.db.exec(
        select(Contribution).where(
            col(Contribution.enrolment_id).in_(enrolment_ids),
            Contribution.state == ContributionState.PAID,
            col(Contribution.repairs).is_(False),
        )
    ).all()
    for row in paid:
        years = row.ends.year - row.starts.year
        found[row.enrolment_id] += years * 12 + row.ends.month - row.starts.month + 1
    for one in transfers_to(unit, enrolment_ids):
        found[one.to_enrolment_id] += one.months
    for one in transfers_from(unit, enrolment_ids).values():
        found[one.from_enrolment_id or ""] -= one.months
    return found


def last_reported(unit: Unit, enrolment_ids: Sequence[str]) -> dict[str, datetime]:
    """Return when the authority last reported a contribution of each enrolment."""
    query = (
        select(Contribution.enrolment_id, func.max(col(Contribution.reported_at)))
        .where(col(Contribution.enrolment_id).in_(enrolment_ids))
        .group_by(col(Contribution.enrolment_id))
    )
    return dict(unit.db.exec(query).all())


def repairs(unit: Unit, enrolment_ids: Sequence[str]) -> dict[int, ContributionState]:
    """Return which years without insurance were paid back, or have a bill that waits or has lapsed."""
    query = select(Contribution).where(
        col(Contribution.enrolment_id).in_(enrolment_ids), col(Contribution.repairs).is_(True)
    )
    found: dict[int, ContributionState] = {}
    for row in unit.db.exec(query.order_by(col(Contribution.starts))).all():
        state = view(unit, row).state
        if found.get(row.starts.year) is not ContributionState.PAID:
            found[row.starts.year] = state
    return found


def tier_paid(unit: Unit, enrolment_id: str) -> tuple[PersonKind, str] | None:
    """Return as what kind of person, and in which tier, somebody was billed last; ``None``: never."""
    row = unit.db.exec(
        select(Contribution)
        .where(Contribution.enrolment_id == enrolment_id, Contribution.person_kind != "")
        .order_by(col(Contribution.reported_at).desc(), col(Contribution.starts).desc())
    ).first()
    return None if row is None else (PersonKind(row.person_kind), row.tier)


def by_bill(unit: Unit, bill_number: str, lock: bool = False) -> Contribution | None:
    """Return the contribution of a bill."""
    query = select(Contribution).where(Contribution.bill_number == bill_number)
    return unit.db.exec(query.with_for_update() if lock else query).first()


def transfers_to(unit: Unit, enrolment_ids: Sequence[str]) -> list[TransferView]:
    """Return what was brought along into some enrolments, the oldest first."""
    rows = unit.db.exec(
        select(Transfer)
        .where(col(Transfer.to_enrolment_id).in_(enrolment_ids))
        .order_by(col(Transfer.id))
    ).all()
    return [_transfer(row) for row in rows]


def transfers_from(unit: Unit, enrolment_ids: Sequence[str]) -> dict[str, TransferView]:
    """Return what was taken along from some enrolments, by enrolment: each is taken once."""
    rows = unit.db.exec(
        select(Transfer).where(col(Transfer.from_enrolment_id).in_(enrolment_ids))
    ).all()
    return {row.from_enrolment_id or "": _transfer(row) for row in rows}


def view(unit: Unit, row: Contribution) -> ContributionView:
    """Return the view of a row as it stands today: a bill lapses by the calendar."""
    state = ContributionState(row.state)
    late = row.due_until is not None and row.due_until < local_day(unit.now)
    state = ContributionState.LAPSED if state is ContributionState.DUE and late else state
    due = state is ContributionState.DUE
    return ContributionView(
        enrolment_id=row.enrolment_id,
        starts=row.starts,
        ends=row.ends,
        state=state,
        base_fen=Fen(row.base_fen),
        own_fen=Fen(row.own_fen),
        others_fen=Fen(row.others_fen),
        payer=row.payer,
        paid_on=row.paid_on,
        bill_number=row.bill_number or "",
        due_until=row.due_until,
        reported_at=row.reported_at,
        pay_url=f"{unit.settings.tax_pay_url}{row.bill_number}" if due else "",
        repairs=row.repairs,
    )


def _transfer(row: Transfer) -> TransferView:
    return TransferView(
        id=row.id,
        matter_id=row.matter_id,
        from_area=row.from_area,
        from_enrolment_id=row.from_enrolment_id,
        to_enrolment_id=row.to_enrolment_id,
        months=row.months,
        balance_fen=Fen(row.balance_fen),
        done_at=row.done_at,
    )
