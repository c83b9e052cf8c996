"""Writes entitlements and capitation agreements, and clears months of pilot hospitals."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date

from sqlmodel import col, select

from backend.entitlements import logic, queries
from backend.entitlements.contracts import CapitationAgreement, MonthClearing, SignedMonth
from backend.entitlements.model import Capitation, CapitationMonth, ChronicDisease
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.calendar import add_months
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.people.contracts import InsuranceType
from backend.rulebook.library import Rulebook
from backend.settlement.contracts import SettlementView
from backend.settlement.queries import case_of_settlement, standing_of_month

InHospital = Callable[[Unit, str, date, date], bool]


def record_disease(
    unit: Unit, actor: str, enrolment_id: str, disease: str, starts: date, ends: date | None
) -> str:
    """Store that an enrolment is entitled to a disease, and return the entitlement's id."""
    row = ChronicDisease(
        id=unit.new_id(), enrolment_id=enrolment_id, disease=disease, starts=starts, ends=ends
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"disease": disease, "from": starts.isoformat()}
    audit.record(unit, actor, "entitlement.record", f"enrolment:{enrolment_id}", facts)
    return row.id


def sign_capitation(
    unit: Unit, actor: str, enrolment_id: str, institution_id: str, entered_on: date
) -> CapitationAgreement:
    """Store an agreement of a year, in force from the month after it was entered (PD-1)."""
    starts = logic.effective_from(entered_on)
    row = Capitation(
        id=unit.new_id(),
        enrolment_id=enrolment_id,
        institution_id=institution_id,
        entered_on=entered_on,
        effective_from=starts,
        ends=add_months(starts, 11),
        suspended_months=[],
    )
    unit.db.add(row)
    unit.db.flush()
    subject = f"enrolment:{enrolment_id}"
    audit.record(unit, actor, "capitation.sign", subject, {"institution": institution_id})
    return CapitationAgreement(
        row.id, enrolment_id, institution_id, entered_on, starts, row.ends, ()
    )


def suspend_capitation(unit: Unit, actor: str, agreement_id: str, month: date) -> None:
    """Let an agreement rest in a month, given by its first day."""
    row = unit.db.get_one(Capitation, agreement_id, with_for_update=True)
    row.suspended_months = sorted({*row.suspended_months, month.isoformat()})
    unit.db.flush()
    facts = {"agreement": agreement_id, "month": month.isoformat()}
    audit.record(unit, actor, "capitation.suspend", f"enrolment:{row.enrolment_id}", facts)


def clear_month(
    unit: Unit,
    actor: str,
    institution_id: str,
    area_code: str,
    insurance: InsuranceType,
    month: date,
    in_hospital: InHospital,
    book: Rulebook,
) -> MonthClearing | None:
    """Clear a month of a pilot hospital, post the difference, and return it.

    ``in_hospital`` tells whether an enrolment had a stay, settled or not, between two days. Returns
    ``None`` where the month was cleared before: it is cleared once. Raises ``RuleMissing``.
    """
    known = select(CapitationMonth.id).where(
        CapitationMonth.institution_id == institution_id,
        CapitationMonth.area_code == area_code,
        CapitationMonth.month == month,
    )
    if unit.db.exec(known).first() is not None:
        return None
    persons = [
        _signed_month(unit, agreement, month, in_hospital)
        for agreement in queries.agreements_of(unit, institution_id, month)
    ]
    cleared = logic.clear_month(area_code, month, persons, book)
    fund = accounts.fund(area_code, insurance.value)
    clearing_id = unit.new_id()
    entry_id = None
    if cleared.to_post_fen:
        entry_id = ledger.post(
            unit,
            EntryKind.CLEARING,
            clearing_id,
            f"{month:%Y-%m} 按人头付费清算",
            [
                Posting(fund, Fen(-cleared.to_post_fen)),
                Posting(accounts.claim(institution_id), cleared.to_post_fen),
            ],
        )
    unit.db.add(
        CapitationMonth(
            id=clearing_id,
            institution_id=institution_id,
            area_code=area_code,
            month=month,
            headcount=cleared.headcount,
            left_out=cleared.left_out,
            capitation_fen=cleared.capitation_fen,
            patient_fen=cleared.patient_fen,
            referred_fen=cleared.referred_fen,
            due_fen=cleared.due_fen,
            booked_fen=cleared.booked_fen,
            to_post_fen=cleared.to_post_fen,
            cost_fen=Fen(sum(p.cost_fen for p in persons)),
            ledger_entry_id=entry_id,
            cleared_at=unit.now,
        )
    )
    unit.db.flush()
    facts = {"month": month.isoformat(), "to_post_fen": cleared.to_post_fen}
    audit.record(unit, actor, "capitation.clear", f"institution:{institution_id}", facts)
    return cleared


def months_of_year(
    unit: Unit, institution_id: str, area_code: str, year: int
) -> tuple[list[MonthClearing], Fen]:
    """Return the cleared months of a year and what the signed persons' care cost in them."""
    rows = unit.db.exec(
        select(CapitationMonth)
        .where(CapitationMonth.institution_id == institution_id)
        .where(CapitationMonth.area_code == area_code)
        .where(CapitationMonth.month >= date(year, 1, 1))
        .where(CapitationMonth.month <= date(year, 12, 1))
        .order_by(col(CapitationMonth.month))
    ).all()
    months = [
        MonthClearing(
            headcount=row.headcount,
            left_out=row.left_out,
            capitation_fen=Fen(row.capitation_fen),
            patient_fen=Fen(row.patient_fen),
            referred_fen=Fen(row.referred_fen),
            due_fen=Fen(row.due_fen),
            booked_fen=Fen(row.booked_fen),
            to_post_fen=Fen(row.to_post_fen),
        )
        for row in rows
    ]
    return months, Fen(sum(row.cost_fen for row in rows))


def _signed_month(
    unit: Unit, agreement: CapitationAgreement, month: date, in_hospital: InHospital
) -> SignedMonth:
    last = month.replace(day=monthrange(month.year, month.month)[1])
    booked: list[SettlementView] = standing_of_month(unit, agreement.enrolment_id, month, last)
    pilot, referred = [], []
    for settlement in booked:
        case = case_of_settlement(unit, settlement.id)
        if case.capitated is not None and case.capitated.value == "PILOT":
            pilot.append(settlement)
        elif case.capitated is not None and case.capitated.value == "REFERRED_OUT":
            referred.append(settlement)
    return SignedMonth(
        agreement_id=agreement.id,
        in_hospital=in_hospital(unit, agreement.enrolment_id, month, last),
        suspended=month in agreement.suspended_months,
        cost_fen=Fen(sum(s.total_fen for s in pilot)),
        patient_fen=Fen(sum(s.total_fen - s.fund_fen - s.hospital_fen for s in pilot)),
        booked_fen=Fen(sum(s.fund_fen for s in pilot)),
        referred_fen=Fen(sum(s.fund_fen for s in referred)),
    )
