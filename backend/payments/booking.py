"""Pricing a bill again and booking it, and letting funds and account stand by for its cash.

A till that takes cash itself books at once. Where a channel collects the cash, the bill is locked first:
what the account pays is held, nothing else of the person is booked meanwhile, and it is booked as it was
promised once the cash is there, or let go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import and_, col, or_, select

from backend.codes import service as codes
from backend.codes.contracts import Purpose, PurposeNotHere
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.institutions.service import agreement_refusal
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.notices.service import tell
from backend.payments import guards, queries, rules
from backend.payments.bills import announce, locked_bill, move
from backend.payments.contracts import (
    BillEvent,
    BillExpired,
    BillNotOpen,
    BillOutdated,
    BillRefused,
    BillState,
    ConfirmReason,
    NotInsured,
    PatientMustConfirm,
    PaymentUnderWay,
)
from backend.payments.model import Bill, HospitalStay
from backend.payments.stay_contracts import RefundExceedsCharge
from backend.payments.visits import enrolment_on, locked_stay, visit_again
from backend.people import queries as people
from backend.people.contracts import EnrolmentView
from backend.policies.contracts import Service
from backend.policies.queries import outage_now
from backend.proxies.authority import note_spending
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.settlement import service as settling
from backend.settlement.calculate import calculate
from backend.settlement.case import Case, CaseContradicts
from backend.settlement.contracts import Outcome, SettlementView
from backend.settlement.facts import FamilySource, gather_case
from backend.settlement.queries import case_of, outcome_of
from backend.sharing import queries as sharing

_MAY_BE_HELD = (BillState.PRESETTLED, BillState.CONFIRMED)
SERVICES = {
    Purpose.PHARMACY_PURCHASE: Service.PHARMACY_SETTLEMENT,
    Purpose.OUTPATIENT_SETTLEMENT: Service.OUTPATIENT_SETTLEMENT,
    Purpose.HOSPITAL_ADMISSION: Service.INPATIENT_SETTLEMENT,
}


@dataclass(frozen=True)
class Ready:
    """A bill that can be booked now, reckoned again under the locks it needs."""

    bill: Bill
    institution: InstitutionView
    enrolment: EnrolmentView
    stay: HospitalStay | None
    case: Case
    outcome: Outcome
    family: tuple[settling.FamilyPart, ...]


def ready(unit: Unit, found: Bill, paid: bool = False) -> Ready | Refusal:
    """Lock all that a bill needs and reckon it again; it must come out as it was promised.

    ``paid``: it was locked and the cash is there, so that neither its time nor an outage that began
    meanwhile stands in the way, and it counts for the day on which it was priced.
    """
    people.lock_person(unit, found.person_id)
    codes.lock_grant(unit, found.grant_id)
    stay = locked_stay(unit, found.stay_id, None) if found.stay_id else None
    bill, held = _with_lock(unit, found)
    priced = case_of(bill.case_facts)
    day = stay.admitted_on if stay else priced.service_date if paid else local_day(unit.now)
    enrolment = enrolment_on(unit, bill.person_id, bill.enrolment_id, day)
    institution = institutions.institution(unit, bill.institution_id)
    quiet = stay is not None or codes.is_identity_only(unit, bill.grant_id)  # no account pays
    kept = queries.payment_rules(unit, bill.person_id)
    refusal = (
        (None if paid else _not_open(unit, bill, held))
        or (None if paid else _place_refusal(unit, bill, institution, enrolment))
        or (None if quiet else rules.stopped(unit, kept, Purpose(bill.purpose)))
        or (NotInsured() if enrolment is None else None)
    )
    if refusal is not None or enrolment is None:
        return refusal or NotInsured()
    if paid:
        ledger.let_go(unit, bill.id)
    try:
        stood_by = tuple((str(name), most) for name, most in bill.family)
        family = stood_by if paid else family_of(unit, bill.person_id, priced.use_account)
        visit = visit_again(unit, bill, priced, stay, family, day if paid else None)
        case = gather_case(unit, enrolment, institution, visit, priced.lines, lock=True)
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)
    if paid:
        case = _as_held(case, priced)
    outcome, promised = calculated(case), outcome_of(bill.outcome)
    if isinstance(outcome, Refusal):
        return outcome
    if not _as_promised(outcome, promised):
        return _outdated(promised, outcome)
    over = (
        None if paid else rules.account_refusal(unit, kept, outcome.account_fen, bill.shown_by_id)
    )
    if over is not None:
        return over
    parts = settling.family_parts(unit, family, outcome.family_fen)
    return Ready(bill, institution, enrolment, stay, case, outcome, parts)


def lock(unit: Unit, one: Ready, until: datetime) -> None:
    """Let funds and account stand by for a bill until its cash is there or is given up."""
    move(one.bill, BillEvent.LOCK)
    one.bill.locked_until = until
    if one.outcome.account_fen:
        account = accounts.personal(one.enrolment.id)
        ledger.hold(unit, one.bill.id, account, one.outcome.account_fen)
    for name, part in one.family:
        if part:
            ledger.hold(unit, one.bill.id, name, part)
    one.bill.family = [list(part) for part in one.family]
    unit.db.flush()


def release(unit: Unit, bill_id: str) -> Bill:
    """Let go of what stands by for a bill; it can be paid in another way while its time runs."""
    people.lock_person(unit, unit.db.get_one(Bill, bill_id).person_id)
    bill = locked_bill(unit, bill_id)
    if bill.state == BillState.LOCKED:
        ledger.let_go(unit, bill.id)
        move(bill, BillEvent.RELEASE)
        bill.locked_until = None
        unit.db.flush()
    return bill


def book(
    unit: Unit, one: Ready, terminal_id: str, operator_id: str, by: str, order_id: str | None = None
) -> SettlementView | Refusal:
    """Book a bill that is ready. ``order_id``: the payment order whose channel collected the cash."""
    bill = one.bill
    to_book = settling.ToBook(
        bill_id=bill.id,
        person_id=bill.person_id,
        purpose=bill.purpose,
        terminal_id=terminal_id,
        operator_id=operator_id,
        institution=one.institution,
        enrolment=one.enrolment,
        case=one.case,
        outcome=one.outcome,
        traces=tuple(settling.TraceUse(*trace) for trace in bill.traces),
        owed=one.stay is not None and one.stay.pay_later_id is not None,
        order_id=order_id,
        family=one.family,
    )
    settlement = settling.book_settlement(unit, to_book, rulebook())
    if isinstance(settlement, Refusal):
        return settlement
    move(bill, BillEvent.SETTLE)
    bill.settlement_id = settlement.id
    if bill.shown_by_id is not None:
        note_spending(unit, bill.shown_by_id, bill.person_id, settlement.account_fen)
    told = {
        "total_fen": settlement.total_fen,
        "account_fen": settlement.account_fen,
        "where": one.institution.name,
    }
    for giver, part in sharing.givers(unit, one.family):
        who = people.person(unit, bill.person_id).masked_name
        facts = {"who": who, "where": one.institution.name, "amount_fen": part}
        tell(unit, giver, "family_paid", facts)
    if one.stay is None:
        codes.use_up_grant(unit, bill.grant_id)
    tell(unit, bill.person_id, "paid", told)
    close(unit, bill, by, settlement, "settlement.book", "BILL_SETTLED")
    return settlement


def family_of(unit: Unit, person_id: str, use_account: bool) -> tuple[FamilySource, ...]:
    """Return which accounts may pay for a person beside the own one: none where no account is to."""
    return sharing.paying_for(unit, person_id) if use_account else ()


def close(
    unit: Unit, bill: Bill, by: str, settlement: SettlementView, action: str, kind: str
) -> None:
    """Announce and write down what became of a bill."""
    unit.db.flush()
    announce(unit, bill, kind)
    facts = {
        "settlement": settlement.id,
        "total_fen": settlement.total_fen,
        "fund_fen": settlement.fund_fen,
        "account_fen": settlement.account_fen,
        "cash_fen": settlement.cash_fen,
    }
    audit.record(unit, by, action, f"person:{bill.person_id}", facts)


def under_way(unit: Unit, person_id: str) -> PaymentUnderWay | None:
    """Return why nothing of a person is booked now. Before: the person is locked."""
    query = select(Bill.locked_until).where(
        Bill.person_id == person_id, Bill.state == BillState.LOCKED
    )
    until = unit.db.exec(query.order_by(col(Bill.id))).first()
    return None if until is None else PaymentUnderWay(until)


def place_refusal(
    unit: Unit, institution: InstitutionView, purpose: Purpose, areas: set[str] | None = None
) -> Refusal | None:
    """Return why nothing can be done for this purpose at this place now, if so."""
    if institution.kind is not purpose.place:
        return PurposeNotHere(purpose.value)
    return agreement_refusal(institution) or outage_now(
        unit, {institution.area_code} | (areas or set()), SERVICES[purpose]
    )


def calculated(case: Case) -> Outcome | RuleNotLoaded | RefundExceedsCharge:
    """Return what a case comes to, or why it comes to nothing."""
    try:
        return calculate(case, rulebook())
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)
    except CaseContradicts as contradiction:
        return RefundExceedsCharge(str(contradiction).partition(": ")[2])


def _place_refusal(
    unit: Unit, bill: Bill, institution: InstitutionView, enrolment: EnrolmentView | None
) -> Refusal | None:
    areas = {enrolment.area_code} if enrolment else set()
    return place_refusal(unit, institution, Purpose(bill.purpose), areas)


def _with_lock(unit: Unit, found: Bill) -> tuple[Bill, PaymentUnderWay | None]:
    """Return a bill, locked and read anew, and why nothing of its person is booked now."""
    locks = and_(Bill.person_id == found.person_id, Bill.state == BillState.LOCKED)
    query = select(Bill).where(or_(Bill.id == found.id, locks)).order_by(col(Bill.id))
    rows = unit.db.exec(query.with_for_update().execution_options(populate_existing=True)).all()
    until = [row.locked_until for row in rows if row.state == BillState.LOCKED]
    bill = next(row for row in rows if row.id == found.id)
    return bill, PaymentUnderWay(until[0] or unit.now) if until else None


def _not_open(unit: Unit, bill: Bill, held: PaymentUnderWay | None) -> Refusal | None:
    if bill.state == BillState.REFUSED:
        return BillRefused()
    if bill.state == BillState.AWAITING_CONFIRMATION and bill.expires_at > unit.now:
        total = outcome_of(bill.outcome).total_fen
        why = ConfirmReason(bill.confirm_reason or ConfirmReason.ABOVE_LIMIT)
        return PatientMustConfirm(total, Fen(bill.confirm_above_fen), why)
    if bill.alert_id is not None and bill.expires_at > unit.now and bill.state in _MAY_BE_HELD:
        waits = guards.held(unit, bill)
        if waits is not None:
            return waits
    if bill.state in (BillState.SETTLED, BillState.REVERSED, BillState.SUPERSEDED):
        return BillNotOpen(bill.state)
    if held is not None:
        return held
    return BillExpired(bill.expires_at) if bill.expires_at <= unit.now else None


def _as_held(case: Case, priced: Case) -> Case:
    """Return a case with no more in the accounts than when it was priced: what came in since is not due.

    Relatives' accounts have what they had: their part stands by, whatever their owners spend of the rest.
    """
    own = min(case.account_balance_fen, priced.account_balance_fen)
    return replace(case, account_balance_fen=own, family_balance_fen=priced.family_balance_fen)


def _as_promised(outcome: Outcome, promised: Outcome) -> bool:
    """Tell whether a bill comes out as it was priced, whatever is left in relatives' accounts."""
    left = promised.family_balance_after_fen
    return replace(outcome, family_balance_after_fen=left) == promised


def _outdated(promised: Outcome, now: Outcome) -> BillOutdated:
    return BillOutdated(
        fund_before_fen=promised.fund_fen,
        fund_now_fen=now.fund_fen,
        account_before_fen=promised.account_fen,
        account_now_fen=now.account_fen,
        cash_before_fen=promised.cash_fen,
        cash_now_fen=now.cash_fen,
    )
