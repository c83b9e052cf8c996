"""Writes entitlements and capitation agreements, and clears months and years of pilot hospitals."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction

from sqlmodel import select

from backend.entitlements import logic, queries
from backend.entitlements.contracts import (
    AgreementNotPossible,
    CapitationAgreement,
    ClearingNotPossible,
    MonthClearing,
    Pilot,
    SignedMonth,
    YearClearing,
)
from backend.entitlements.model import (
    Capitation,
    CapitationMonth,
    CapitationYear,
    ChronicDisease,
    PilotHospital,
)
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.calendar import add_months, local_day
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.people import queries as people
from backend.rulebook.library import Rulebook
from backend.settlement.contracts import SettlementView
from backend.settlement.queries import case_of_settlement, standing_of_month

InHospital = Callable[[Unit, str, date, date], bool]


def record_disease(
    unit: Unit,
    actor: str,
    enrolment_id: str,
    disease: str,
    starts: date,
    ends: date | None,
    hospital_id: str | None = None,
    matter_id: str | None = None,
) -> str:
    """Store that an enrolment is entitled to a disease, and return the entitlement's id."""
    row = ChronicDisease(
        id=unit.new_id(),
        enrolment_id=enrolment_id,
        disease=disease,
        starts=starts,
        ends=ends,
        hospital_id=hospital_id,
        matter_id=matter_id,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"disease": disease, "from": starts.isoformat()}
    audit.record(unit, actor, "entitlement.record", f"enrolment:{enrolment_id}", facts)
    return row.id


def sign_capitation(
    unit: Unit, actor: str, enrolment_id: str, institution_id: str, entered_on: date
) -> CapitationAgreement | AgreementNotPossible:
    """Store an agreement of a year, in force from the month after it was entered (PD-1).

    Refused where another one of the same person stands in any of its months.
    """
    if not people.is_enrolment(unit, enrolment_id):
        return AgreementNotPossible(f"there is no enrolment {enrolment_id[:40]}")
    starts = logic.effective_from(entered_on)
    ends = add_months(starts, 11)
    query = select(Capitation).where(
        Capitation.enrolment_id == enrolment_id,
        Capitation.effective_from <= ends,
        Capitation.ends >= starts,
    )
    standing = unit.db.exec(query).first()
    if standing is not None:
        return AgreementNotPossible(f"{standing.id} stands until {standing.ends:%Y-%m}")
    row = Capitation(
        id=unit.new_id(),
        enrolment_id=enrolment_id,
        institution_id=institution_id,
        entered_on=entered_on,
        effective_from=starts,
        ends=ends,
        suspended_months=[],
    )
    unit.db.add(row)
    unit.db.flush()
    subject = f"enrolment:{enrolment_id}"
    audit.record(unit, actor, "capitation.sign", subject, {"institution": institution_id})
    return queries.agreement_of(row)


def suspend_capitation(
    unit: Unit, actor: str, agreement_id: str, month: date
) -> CapitationAgreement | AgreementNotPossible:
    """Let an agreement rest in a month, given by its first day, that is not cleared yet."""
    query = select(Capitation).where(Capitation.id == agreement_id).with_for_update()
    row = unit.db.exec(query).first()
    if row is None or not row.effective_from <= month <= row.ends:
        return AgreementNotPossible(f"{month:%Y-%m} is not in it")
    pilot = Pilot(row.institution_id, *people.scheme_of(unit, row.enrolment_id))
    if queries.month_is_cleared(unit, pilot, month):
        return AgreementNotPossible(f"{month:%Y-%m} was cleared")
    row.suspended_months = sorted({*row.suspended_months, month.isoformat()})
    unit.db.flush()
    facts = {"agreement": agreement_id, "month": month.isoformat()}
    audit.record(unit, actor, "capitation.suspend", f"enrolment:{row.enrolment_id}", facts)
    return queries.agreement_of(row)


def rest_capitation(
    unit: Unit, actor: str, agreement_id: str, months: Sequence[date], resting: bool
) -> CapitationAgreement:
    """Let months of an agreement rest, or count again. Before: they are in it and not cleared."""
    query = select(Capitation).where(Capitation.id == agreement_id).with_for_update()
    row = unit.db.exec(query.execution_options(populate_existing=True)).one()
    named = {month.isoformat() for month in months}
    held = set(row.suspended_months)
    row.suspended_months = sorted(held | named if resting else held - named)
    unit.db.flush()
    facts = {"agreement": agreement_id, "months": sorted(named)}
    event = "capitation.suspend" if resting else "capitation.resume"
    audit.record(unit, actor, event, f"enrolment:{row.enrolment_id}", facts)
    return queries.agreement_of(row)


def end_capitation(unit: Unit, actor: str, agreement_id: str, month: date) -> None:
    """Let an agreement stand until the month before one, given by its first day."""
    query = select(Capitation).where(Capitation.id == agreement_id).with_for_update()
    row = unit.db.exec(query.execution_options(populate_existing=True)).one()
    row.ends = add_months(month, -1)
    unit.db.flush()
    facts = {"agreement": agreement_id, "until": row.ends.isoformat()}
    audit.record(unit, actor, "capitation.end", f"enrolment:{row.enrolment_id}", facts)


def set_pilot(unit: Unit, actor: str, institution_id: str, area_code: str, seats: int) -> None:
    """Store how many a pilot hospital of an area can take; who has signed stays, with 0 nobody follows."""
    row = unit.db.get(PilotHospital, (institution_id, area_code))
    if row is None:
        row = PilotHospital(institution_id=institution_id, area_code=area_code, seats=seats)
        unit.db.add(row)
    row.seats = seats
    unit.db.flush()
    facts = {"area": area_code, "seats": seats}
    audit.record(unit, actor, "capitation.pilot", f"institution:{institution_id}", facts)


def clear_month(
    unit: Unit,
    actor: str,
    pilot: Pilot,
    month: date,
    in_hospital: InHospital,
    book: Rulebook,
) -> MonthClearing | ClearingNotPossible:
    """Clear a month of a pilot hospital, given by its first day, post the difference, and return it.

    ``in_hospital`` tells whether an enrolment had a stay, settled or not, between two days. A month is
    cleared once, after its end. Raises ``RuleMissing``.
    """
    refusal = _month_refusal(unit, pilot, month)
    if refusal is not None:
        return refusal
    persons = [
        _signed_month(unit, agreement, month, in_hospital)
        for agreement in queries.agreements_of(unit, pilot, month)
    ]
    cleared = logic.clear_month(pilot.area_code, month, persons, book)
    clearing_id = unit.new_id()
    entry_id = _post(
        unit,
        clearing_id,
        f"{month:%Y-%m} 按人头付费清算",
        pilot,
        cleared.to_post_fen,
    )
    unit.db.add(
        CapitationMonth(
            id=clearing_id,
            **vars(pilot),
            month=month,
            cost_fen=Fen(sum(p.cost_fen for p in persons)),
            ledger_entry_id=entry_id,
            cleared_at=unit.now,
            **vars(cleared),
        )
    )
    unit.db.flush()
    facts = {"month": month.isoformat(), "to_post_fen": cleared.to_post_fen}
    audit.record(unit, actor, "capitation.clear", f"institution:{pilot.institution_id}", facts)
    return cleared


def clear_year(
    unit: Unit,
    actor: str,
    pilot: Pilot,
    year: int,
    missed_quality: Fraction,
    book: Rulebook,
) -> YearClearing | ClearingNotPossible:
    """Clear a year of a pilot hospital: take the quality deduction back from it, and close the year.

    What the fund owes of it was posted month by month; the surplus stays with the hospital and an
    overspend is not made good, so that the deduction is all that moves (PD-6). Raises
    ``QualityOutOfBounds`` and ``RuleMissing``.
    """
    refusal = _year_refusal(unit, pilot, year)
    if refusal is not None:
        return refusal
    months, cost = queries.months_of_year(unit, pilot, year)
    cleared = logic.clear_year(pilot.area_code, year, months, cost, missed_quality, book)
    clearing_id = unit.new_id()
    entry_id = _post(
        unit,
        clearing_id,
        f"{year} 按人头付费年度清算",
        pilot,
        Fen(-cleared.deduction_fen),
    )
    unit.db.add(
        CapitationYear(
            id=clearing_id,
            **vars(pilot),
            year=year,
            missed_quality=str(missed_quality),
            ledger_entry_id=entry_id,
            cleared_at=unit.now,
            **vars(cleared),
        )
    )
    unit.db.flush()
    facts = {"year": year, "deduction_fen": cleared.deduction_fen, "final_fen": cleared.final_fen}
    audit.record(unit, actor, "capitation.clear_year", f"institution:{pilot.institution_id}", facts)
    return cleared


def _month_refusal(unit: Unit, pilot: Pilot, month: date) -> ClearingNotPossible | None:
    period = f"{month:%Y-%m}"
    if local_day(unit.now) < add_months(month, 1):
        return ClearingNotPossible(period, "it is not over")
    if queries.month_is_cleared(unit, pilot, month):
        return ClearingNotPossible(period, "it was cleared before")
    if queries.year_is_cleared(unit, pilot, month.year):
        return ClearingNotPossible(period, f"{month.year} is closed")
    return None


def _year_refusal(unit: Unit, pilot: Pilot, year: int) -> ClearingNotPossible | None:
    if local_day(unit.now) <= date(year, 12, 31):
        return ClearingNotPossible(str(year), "it is not over")
    if queries.year_is_cleared(unit, pilot, year):
        return ClearingNotPossible(str(year), "it was cleared before")
    open_months = queries.months_to_clear(unit, pilot, year)
    if open_months:
        names = ", ".join(f"{month:%Y-%m}" for month in open_months)
        return ClearingNotPossible(str(year), f"months are not cleared: {names}")
    return None


def _post(unit: Unit, reference: str, memo: str, pilot: Pilot, amount: Fen) -> str | None:
    """Move an amount from the fund to the hospital's claim, or back where it is negative."""
    if not amount:
        return None
    fund = accounts.fund(pilot.area_code, pilot.insurance_type.value)
    claim = accounts.claim(pilot.institution_id)
    return ledger.post(
        unit,
        EntryKind.CLEARING,
        reference,
        memo,
        [Posting(fund, Fen(-amount)), Posting(claim, amount)],
    )


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
