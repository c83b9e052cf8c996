"""Use cases of a stay in hospital: admission, deposits, and what settling a stretch does to it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_
from sqlmodel import col, select

from backend.access.contracts import TerminalActor
from backend.access.logic import label
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid, Purpose, PurposeNotHere
from backend.credit import logic as credit_rules
from backend.credit import queries as credit
from backend.credit import service as credit_service
from backend.credit.contracts import Entitlement, PayLaterNotPossible
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import Ability, InstitutionView
from backend.institutions.service import agreement_refusal
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.payments import queries
from backend.payments.contracts import NotInsured
from backend.payments.model import Bill, HospitalStay
from backend.payments.stay_contracts import (
    STAY_STATES,
    AdmitPatient,
    AlreadyInHospital,
    CancelAdmission,
    DepositInvalid,
    NoInpatientCare,
    StayEvent,
    StayNotFound,
    StayNotOpen,
    StayState,
    StayView,
    TakeDeposit,
)
from backend.payments.visits import enrolment_on, filing_of, locked_stay
from backend.people import queries as people
from backend.people.contracts import EnrolmentView, InsuranceType
from backend.policies.contracts import Service
from backend.policies.queries import outage_now
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.settlement import queries as settlements
from backend.settlement.case import FilingKind
from backend.settlement.contracts import LaterSettlementsInTheWay, Outcome, SettlementView

DEPOSIT_MAX = Fen(20_000_000)


def admit(unit: Unit, command: AdmitPatient, actor: TerminalActor) -> StayView | Refusal:
    """Admit whoever's code was scanned; the scan is used up, settling needs no other."""
    institution = institutions.institution(unit, actor.institution_id)
    grant = codes.open_grant(unit, command.token, actor.terminal_id)
    if isinstance(grant, GrantNotValid):
        return grant
    today = local_day(unit.now)
    enrolment = enrolment_on(unit, grant.person_id, None, today)
    areas = {institution.area_code} | ({enrolment.area_code} if enrolment else set())
    refusal = (
        (None if grant.purpose is Purpose.HOSPITAL_ADMISSION else PurposeNotHere(grant.purpose))
        or agreement_refusal(institution)
        or (
            None
            if Ability.INPATIENT in institution.abilities
            else NoInpatientCare(institution.name)
        )
        or outage_now(unit, areas, Service.INPATIENT_SETTLEMENT)
        or _in_hospital(unit, grant.person_id)
        or _origin_refusal(unit, command.referred_from_id, grant.person_id)
    )
    if refusal is not None or enrolment is None:
        return refusal or NotInsured()
    filing = filing_of(unit, enrolment, institution, command.emergency, today)
    scheme = "worker" if enrolment.insurance_type is InsuranceType.EMPLOYEE else "resident"
    used = settlements.used(unit, enrolment.id, today.year)
    stay = HospitalStay(
        id=unit.new_id(),
        state=StayState.ADMITTED,
        person_id=grant.person_id,
        enrolment_id=enrolment.id,
        institution_id=institution.id,
        grant_id=grant.id,
        admitted_on=today,
        disease=command.disease[:40],
        filing=filing,
        referred_from_id=command.referred_from_id,
        stays_before=used.get(f"inpatient_{scheme}.stays", 0),
    )
    unit.db.add(stay)
    unit.db.flush()
    codes.use_up_grant(unit, grant.id)
    if command.pay_later:
        entitled = _deposit_waived(unit, enrolment, institution, filing)
        if isinstance(entitled, RuleNotLoaded):
            return entitled
        if entitled:
            signed = credit_service.sign(unit, label(actor), enrolment, institution.id, stay.id)
            stay.pay_later_id = signed.id
    unit.db.flush()
    facts = {"stay": stay.id, "filing": filing.value, "pay_later": stay.pay_later_id is not None}
    audit.record(unit, label(actor), "stay.admit", f"person:{stay.person_id}", facts)
    return view(unit, stay)


def take_deposit(unit: Unit, command: TakeDeposit, actor: TerminalActor) -> StayView | Refusal:
    """Take a deposit for an open stay, unless the patient pays later."""
    stay = locked_stay(unit, command.stay_id, actor.institution_id)
    if stay is None:
        return StayNotFound()
    if stay.state != StayState.ADMITTED:
        return StayNotOpen(stay.state, stay.stretches)
    if stay.pay_later_id is not None or not 0 < command.amount_fen <= DEPOSIT_MAX:
        return DepositInvalid(DEPOSIT_MAX)
    stay.deposit_fen += command.amount_fen
    _move_deposit(unit, stay, command.amount_fen)
    facts = {"stay": stay.id, "amount_fen": command.amount_fen}
    audit.record(unit, label(actor), "stay.deposit", f"person:{stay.person_id}", facts)
    return view(unit, stay)


def cancel_admission(
    unit: Unit, command: CancelAdmission, actor: TerminalActor
) -> StayView | Refusal:
    """Take back an admission of which nothing is settled, and give deposits back."""
    stay = locked_stay(unit, command.stay_id, actor.institution_id)
    if stay is None:
        return StayNotFound()
    after = STAY_STATES.after(StayState(stay.state), StayEvent.CANCEL)
    if after is None or stay.stretches:
        return StayNotOpen(stay.state, stay.stretches)
    stay.state = after
    _move_deposit(unit, stay, Fen(-stay.deposit_fen))
    stay.deposit_fen = 0
    if stay.pay_later_id is not None:
        credit_service.cancel(unit, label(actor), stay.pay_later_id)
    unit.db.flush()
    audit.record(unit, label(actor), "stay.cancel", f"person:{stay.person_id}", {"stay": stay.id})
    return view(unit, stay)


def after_settlement(
    unit: Unit, stay: HospitalStay, bill: Bill, settlement: SettlementView, actor: str
) -> PayLaterNotPossible | None:
    """Let a stay know that a stretch of it was settled, and close it where it was the last."""
    outcome = settlement.outcome
    event = StayEvent.DISCHARGE if bill.discharge else StayEvent.SETTLE_STRETCH
    _move(stay, event)
    stay.stretches += 1
    if outcome.deductible_year_fen is not None and stay.deductible_due_fen is None:
        stay.deductible_due_fen = outcome.deductible_year_fen
    stay.deductible_paid_fen += outcome.deductible_fen
    stay.settled_to = settlement.service_date
    if not bill.discharge:
        unit.db.flush()
        return None
    stay.discharged_on = settlement.service_date
    _move_deposit(unit, stay, Fen(-stay.deposit_fen))
    unit.db.flush()
    if stay.pay_later_id is None:
        return None
    debt = Fen(sum(s.cash_fen for s in stretches_of(unit, stay.id)))
    signed = credit_service.discharge(
        unit, actor, stay.id, debt, bill.instalments or 1, settlement.area_code, rulebook()
    )
    return signed if isinstance(signed, PayLaterNotPossible) else None


def before_reversal(unit: Unit, stay: HospitalStay, bill: Bill) -> Refusal | None:
    """Return why a stretch cannot be taken back: a later one stands on it, or its debt is being paid."""
    standing = stretches_of(unit, stay.id)
    later = [s.id for s in standing if s.bill_id != bill.id and s.number > _number(standing, bill)]
    if later:
        return LaterSettlementsInTheWay(len(later), tuple(reversed(later)))
    if bill.discharge and stay.pay_later_id is not None:
        agreement = credit.of_stay(unit, stay.id)
        if agreement is not None and agreement.paid_fen:
            return PayLaterNotPossible(f"paid {agreement.paid_fen}")
    return None


def after_reversal(
    unit: Unit, stay: HospitalStay, bill: Bill, outcome: Outcome, actor: str
) -> None:
    """Let a stay know that its last stretch was taken back."""
    event = StayEvent.REVERSE_DISCHARGE if bill.discharge else StayEvent.REVERSE_STRETCH
    _move(stay, event)
    stay.stretches -= 1
    stay.deductible_paid_fen -= outcome.deductible_fen
    if stay.stretches == 0:
        stay.deductible_due_fen = None
    standing = stretches_of(unit, stay.id)
    stay.settled_to = standing[-1].service_date if standing else None
    if bill.discharge:
        stay.discharged_on = None
        _move_deposit(unit, stay, Fen(stay.deposit_fen))
        if stay.pay_later_id is not None:
            credit_service.reopen(unit, actor, stay.pay_later_id)
    unit.db.flush()


def stretches_of(unit: Unit, stay_id: str) -> list[SettlementView]:
    """Return the settlements of a stay that stand, the earliest first."""
    ids = unit.db.exec(
        select(Bill.settlement_id)
        .where(Bill.stay_id == stay_id, col(Bill.settlement_id).is_not(None))
        .where(Bill.state == "SETTLED")
    ).all()
    found = settlements.settlements(unit, [i for i in ids if i is not None])
    standing = [s for s in found.values() if s.reversed_by_id is None]
    return sorted(standing, key=lambda s: s.number)


def follow_reruns(unit: Unit, person_id: str) -> None:
    """Let bills name the settlement that stands, where later ones were taken back and booked again."""
    again = settlements.bills_settled_again(unit, person_id)
    if not again:
        return
    latest = settlements.latest_of_bills(unit, again)
    for bill in unit.db.exec(select(Bill).where(col(Bill.id).in_(again))).all():
        bill.settlement_id = latest[bill.id].id
    unit.db.flush()


def settled_between(
    unit: Unit, person_id: str, institution_id: str, first: date, last: date
) -> list[str]:
    """Return the standing settlements of a person's stays in a hospital that touch some days."""
    rows = unit.db.exec(
        select(HospitalStay.id)
        .where(HospitalStay.person_id == person_id)
        .where(HospitalStay.institution_id == institution_id)
        .where(HospitalStay.admitted_on <= last)
        .where(col(HospitalStay.settled_to).is_not(None), col(HospitalStay.settled_to) >= first)
        .order_by(col(HospitalStay.id))
    ).all()
    return [settlement.id for stay_id in rows for settlement in stretches_of(unit, stay_id)]


def view(unit: Unit, stay: HospitalStay) -> StayView:
    """Return the view of a stay."""
    refund = None
    if stay.state == StayState.DISCHARGED and stay.pay_later_id is None:
        cash = Fen(sum(s.cash_fen for s in stretches_of(unit, stay.id)))
        refund = credit_rules.deposit_refund(Fen(stay.deposit_fen), cash)
    return StayView(
        id=stay.id,
        state=StayState(stay.state),
        person=people.person(unit, stay.person_id),
        institution=institutions.institution(unit, stay.institution_id),
        enrolment_id=stay.enrolment_id,
        admitted_on=stay.admitted_on,
        discharged_on=stay.discharged_on,
        disease=stay.disease,
        filing=FilingKind(stay.filing),
        deposit_fen=Fen(stay.deposit_fen),
        deposit_refund_fen=refund,
        deposit_waived=stay.pay_later_id is not None,
        pay_later_id=stay.pay_later_id,
        stretches=stay.stretches,
        settled_to=stay.settled_to,
    )


def open_stays(unit: Unit, institution_id: str, limit: int) -> list[StayView]:
    """Return the open stays of a hospital, the newest first."""
    rows = unit.db.exec(
        select(HospitalStay)
        .where(HospitalStay.institution_id == institution_id)
        .where(HospitalStay.state == StayState.ADMITTED)
        .order_by(col(HospitalStay.id).desc())
        .limit(limit)
    ).all()
    return [view(unit, row) for row in rows]


def stay_at(unit: Unit, stay_id: str, institution_id: str) -> StayView | None:
    """Return a stay of a hospital, or ``None``."""
    row = unit.db.get(HospitalStay, stay_id)
    return None if row is None or row.institution_id != institution_id else view(unit, row)


def was_in_hospital(unit: Unit, enrolment_id: str, first: date, last: date) -> bool:
    """Tell whether an enrolment had a stay, settled or not, that touches some days."""
    query = (
        select(HospitalStay.id)
        .where(HospitalStay.enrolment_id == enrolment_id)
        .where(HospitalStay.state != StayState.CANCELLED, HospitalStay.admitted_on <= last)
        .where(
            or_(col(HospitalStay.discharged_on).is_(None), col(HospitalStay.discharged_on) >= first)
        )
    )
    return unit.db.exec(query).first() is not None


def _in_hospital(unit: Unit, person_id: str) -> AlreadyInHospital | None:
    since = queries.in_hospital_since(unit, person_id)
    return None if since is None else AlreadyInHospital(since)


def _origin_refusal(unit: Unit, stay_id: str | None, person_id: str) -> StayNotFound | None:
    if stay_id is None:
        return None
    origin = unit.db.get(HospitalStay, stay_id)
    known = origin is not None and origin.person_id == person_id
    return None if known and origin and origin.state == StayState.DISCHARGED else StayNotFound()


def _deposit_waived(
    unit: Unit, enrolment: EnrolmentView, institution: InstitutionView, filing: FilingKind
) -> bool | RuleNotLoaded:
    found = entitlement_at(unit, enrolment, institution, filing)
    return found if isinstance(found, RuleNotLoaded) else found.entitled


def entitlement_at(
    unit: Unit, enrolment: EnrolmentView, institution: InstitutionView, filing: FilingKind
) -> Entitlement | RuleNotLoaded:
    """Tell whether somebody is admitted to a hospital without a deposit today, and by which rule."""
    day = local_day(unit.now)
    known = people.circumstances(unit, enrolment.person_id, day, day)
    region = enrolment.area_code
    try:
        defaulted = credit.is_paused(unit, enrolment.person_id, region, day, rulebook())
        return credit_rules.entitlement(
            region,
            day,
            known.identities,
            enrolment.division_code,
            institution.division_code,
            defaulted,
            filing is FilingKind.EMERGENCY,
            rulebook(),
        )
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)


def _move_deposit(unit: Unit, stay: HospitalStay, amount: Fen) -> None:
    """Take a deposit into the till, or give it back where the amount is negative."""
    if not amount:
        return
    ledger.post(
        unit,
        EntryKind.DEPOSIT,
        stay.id,
        "住院预交金",
        [
            Posting(accounts.till(stay.institution_id), Fen(-amount)),
            Posting(accounts.deposits(stay.institution_id), amount),
        ],
    )


def _number(standing: list[SettlementView], bill: Bill) -> int:
    return next((s.number for s in standing if s.bill_id == bill.id), 0)


def _move(stay: HospitalStay, event: StayEvent) -> None:
    after = STAY_STATES.after(StayState(stay.state), event)
    invariant(after is not None, f"a stay that is {stay.state} cannot {event}")
    stay.state = after or stay.state
