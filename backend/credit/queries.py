"""Reads of pay-later agreements."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pydantic import TypeAdapter
from sqlmodel import col, select

from backend.credit.contracts import Instalment, PayLaterState, PayLaterView
from backend.credit.logic import benefits_paused
from backend.credit.model import PayLater
from backend.infra.database import Unit
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.rulebook.library import Rulebook

OWED = (PayLaterState.OWING, PayLaterState.OVERDUE, PayLaterState.DEFAULTED)
INSTALMENTS = TypeAdapter(tuple[Instalment, ...])


def agreements(unit: Unit, person_id: str) -> list[PayLaterView]:
    """Return a person's agreements, the newest first."""
    rows = unit.db.exec(
        select(PayLater).where(PayLater.person_id == person_id).order_by(col(PayLater.id).desc())
    ).all()
    return [view(row) for row in rows]


def of_stay(unit: Unit, stay_id: str) -> PayLaterView | None:
    """Return the agreement of a stay, or ``None``."""
    row = unit.db.exec(select(PayLater).where(PayLater.stay_id == stay_id)).first()
    return None if row is None else view(row)


def is_paused(unit: Unit, person_id: str, region: str, day: date, book: Rulebook) -> bool:
    """Tell whether a default of the person pauses benefits."""
    listed = select(PayLater).where(
        PayLater.person_id == person_id, PayLater.state == PayLaterState.DEFAULTED
    )
    found = [view(row) for row in unit.db.exec(listed).all()]
    return benefits_paused(found, region, day, book)


def in_state(unit: Unit, state: PayLaterState) -> list[PayLaterView]:
    """Return all agreements in a state, by id."""
    query = select(PayLater).where(PayLater.state == state).order_by(col(PayLater.id))
    return [view(row) for row in unit.db.exec(query).all()]


def area_of(unit: Unit, agreement_id: str) -> str:
    """Return the insured area of the patient of an agreement that must exist."""
    row = unit.db.get_one(PayLater, agreement_id)
    return people.area_of_enrolment(unit, row.enrolment_id)


def opened(unit: Unit, row: PayLater) -> PayLaterView:
    """Return the view of a row with what was said about it."""

    def said(sealed: str) -> str:
        return unit.vault.open(sealed, f"pay_later:{row.id}") if sealed else ""

    return replace(view(row), objection=said(row.objection), answer=said(row.answer))


def agreement(unit: Unit, agreement_id: str) -> PayLaterView | None:
    """Return an agreement with what was said about it, or ``None``."""
    row = unit.db.get(PayLater, agreement_id)
    return None if row is None else opened(unit, row)


def said_of_person(unit: Unit, person_id: str) -> list[PayLaterView]:
    """Return a person's agreements with what was said about them, the newest first."""
    rows = unit.db.exec(
        select(PayLater).where(PayLater.person_id == person_id).order_by(col(PayLater.id).desc())
    ).all()
    return [opened(unit, row) for row in rows]


def owed_to(unit: Unit, institution_id: str, limit: int) -> list[PayLaterView]:
    """Return what is owed to a hospital, the oldest first."""
    rows = unit.db.exec(
        select(PayLater)
        .where(PayLater.institution_id == institution_id, col(PayLater.state).in_(OWED))
        .order_by(col(PayLater.id))
        .limit(limit)
    ).all()
    return [opened(unit, row) for row in rows]


def view(row: PayLater) -> PayLaterView:
    """Return the view of a row."""
    return PayLaterView(
        id=row.id,
        person_id=row.person_id,
        enrolment_id=row.enrolment_id,
        institution_id=row.institution_id,
        stay_id=row.stay_id,
        state=PayLaterState(row.state),
        signed_on=row.signed_on,
        debt_fen=Fen(row.debt_fen),
        paid_fen=Fen(row.paid_fen),
        instalments=INSTALMENTS.validate_python(row.instalments),
        told_on=row.told_on,
        objected_on=row.objected_on,
    )
