"""Reads of bills and payment rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.codes.contracts import Purpose
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.money import Fen
from backend.payments.contracts import BillState, BillView, ConfirmReason, MisuseView
from backend.payments.model import Bill, HospitalStay, MisuseReport, PaymentRule
from backend.payments.rule_contracts import PaymentRules
from backend.payments.stay_contracts import StayState
from backend.people import queries as people
from backend.settlement.queries import outcome_of

_UNDECIDED = (BillState.PRESETTLED, BillState.AWAITING_CONFIRMATION, BillState.CONFIRMED)


def bill(unit: Unit, bill_id: str) -> BillView | None:
    """Return a bill, or ``None``."""
    row = unit.db.get(Bill, bill_id)
    return None if row is None else view(unit, row)


def owner_of_bill(unit: Unit, bill_id: str) -> tuple[str, str] | None:
    """Return the person and the institution of a bill, to decide who may see it."""
    row = unit.db.get(Bill, bill_id)
    return None if row is None else (row.person_id, row.institution_id)


def open_bills(unit: Unit, person_id: str, limit: int) -> list[BillView]:
    """Return a person's bills that still wait to be booked, the newest first."""
    rows = unit.db.exec(
        select(Bill)
        .where(Bill.person_id == person_id, Bill.expires_at > unit.now)
        .where(col(Bill.state).in_(_UNDECIDED))
        .order_by(col(Bill.id).desc())
        .limit(limit)
    ).all()
    return [view(unit, row) for row in rows]


def in_hospital_since(unit: Unit, person_id: str) -> date | None:
    """Return the day of a person's admission while they are in hospital, else ``None``."""
    query = select(HospitalStay).where(
        HospitalStay.person_id == person_id, HospitalStay.state == StayState.ADMITTED
    )
    stay = unit.db.exec(query).first()
    return None if stay is None else stay.admitted_on


def payment_rules(unit: Unit, person_id: str) -> PaymentRules:
    """Return a person's payment rules, the default ones where none were set."""
    row = unit.db.get(PaymentRule, person_id)
    if row is None:
        return PaymentRules(person_id, Fen(unit.settings.confirm_above_fen))
    return PaymentRules(
        person_id=person_id,
        confirm_above_fen=Fen(row.confirm_above_fen),
        per_payment_fen=None if row.per_payment_fen is None else Fen(row.per_payment_fen),
        per_day_fen=None if row.per_day_fen is None else Fen(row.per_day_fen),
        silent_from=row.silent_from,
        silent_until=row.silent_until,
    )


def misuse_reports(
    unit: Unit, limit: int, regions: Sequence[str] | None = None
) -> list[MisuseView]:
    """Return reports of misuse, the newest first, of some regions or of all."""
    query = select(MisuseReport)
    if regions is not None:
        query = query.where(col(MisuseReport.person_id).in_(people.insured_within(regions)))
    rows = unit.db.exec(query.order_by(col(MisuseReport.reported_at).desc()).limit(limit)).all()
    return [misuse_view(unit, row) for row in rows]


def misuse_view(unit: Unit, row: MisuseReport) -> MisuseView:
    """Return the view of a report, its words opened."""
    words = unit.vault.open(row.words, f"misuse:{row.id}")
    return MisuseView(row.id, row.settlement_id, row.person_id, row.reported_at, words)


def view(unit: Unit, row: Bill) -> BillView:
    """Return the view of a row."""
    return BillView(
        id=row.id,
        state=BillState(row.state),
        purpose=Purpose(row.purpose),
        institution=institutions.institution(unit, row.institution_id),
        person=people.person(unit, row.person_id),
        enrolment_id=row.enrolment_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        confirm_above_fen=Fen(row.confirm_above_fen),
        confirm_reason=None if row.confirm_reason is None else ConfirmReason(row.confirm_reason),
        outcome=outcome_of(row.outcome),
        settlement_id=row.settlement_id,
    )


def people_in_hospital_at(area_code: str) -> SelectOfScalar[str]:
    """Return, as a query, who lies in a hospital of an area."""
    return select(HospitalStay.person_id).where(
        HospitalStay.state == StayState.ADMITTED,
        col(HospitalStay.institution_id).in_(institutions.of_area(area_code)),
    )
