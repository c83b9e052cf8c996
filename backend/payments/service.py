"""Use cases of paying a bill at a till.

Locks are taken in one order: person, grant, bill, the year's use, account, packs, audit lane
(``backend/decisions/0004-lock-order.md``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from sqlmodel import col, select

from backend.access.contracts import Action, Actor, SignInRequired, TerminalActor
from backend.access.logic import label, may
from backend.catalogue import queries as catalogue
from backend.codes import service as codes
from backend.codes.service import Grant
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.notices.service import tell
from backend.payments import booking, logic, outlook, queries, rules, stays
from backend.payments.bills import announce, locked_bill, move
from backend.payments.contracts import (
    BILL_STATES,
    AlreadyReversed,
    BasketEmpty,
    BillEvent,
    BillNotFound,
    BillState,
    BillView,
    ConfirmReason,
    NotInsured,
    Presettle,
    ReversalTooLate,
    ReverseSettlement,
    ScanCode,
    ScannedCode,
    Settle,
    SettlementNotFound,
)
from backend.payments.guards import hold, why_confirm
from backend.payments.model import Bill
from backend.payments.stay_contracts import (
    AdmitPatient,
    CancelAdmission,
    StayView,
    TakeDeposit,
)
from backend.payments.visits import (
    Presented,
    enrolment_on,
    locked_stay,
    presented,
    region_of_terms,
    visit_of,
    with_national_codes,
)
from backend.people import queries as people
from backend.people.contracts import EnrolmentView
from backend.people.logic import paying_enrolment
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.settlement import queries as settlements
from backend.settlement import service as settling
from backend.settlement.case import Case, Route
from backend.settlement.contracts import (
    Outcome,
    SettlementKind,
    SettlementView,
    TraceCodeSold,
)
from backend.settlement.facts import FamilySource, gather_case
from backend.settlement.queries import CASE, OUTCOME
from backend.supervision import service as supervision

T = TypeVar("T")


class TillCommand(Protocol):
    """What every command of a till has."""

    @property
    def actor(self) -> Actor:
        """Return who sends it."""
        ...

    @property
    def request_id(self) -> str:
        """Return its request key."""
        ...


C = TypeVar("C", bound=TillCommand)


def scan_code(unit: Unit, command: ScanCode) -> ScannedCode | Refusal:
    """Use up a code and tell the till whom it is about and what can pay here."""
    return at_till(unit, "scan_code", command, ScannedCode, redeem, Action.DECODE_CODE)


def presettle(unit: Unit, command: Presettle) -> BillView | Refusal:
    """Price a basket. Moves no money; a bill priced before under the same scan is superseded."""
    answer = at_till(unit, "presettle", command, BillView, _presettle)
    if isinstance(answer, TraceCodeSold) and isinstance(command.actor, TerminalActor):
        at = command.actor
        supervision.note_second_sale(unit, at.institution_id, at.terminal_id, answer.trace_codes)
    return answer


def settle(unit: Unit, command: Settle) -> SettlementView | Refusal:
    """Book a bill: postings, the year's use, balance, packs, audit line and notice, or nothing."""
    return at_till(unit, "settle", command, SettlementView, _settle)


def admit_patient(unit: Unit, command: AdmitPatient) -> StayView | Refusal:
    """Admit whoever's code was scanned to a hospital."""
    return at_till(unit, "admit_patient", command, StayView, stays.admit)


def take_deposit(unit: Unit, command: TakeDeposit) -> StayView | Refusal:
    """Take a deposit for a stay."""
    return at_till(unit, "take_deposit", command, StayView, stays.take_deposit)


def cancel_admission(unit: Unit, command: CancelAdmission) -> StayView | Refusal:
    """Take back an admission of which nothing is settled."""
    return at_till(unit, "cancel_admission", command, StayView, stays.cancel_admission)


def redeem(unit: Unit, command: ScanCode, actor: TerminalActor) -> ScannedCode | Refusal:
    """Use up a unified code; within the transaction that a till's command runs in."""
    institution = institutions.institution(unit, actor.institution_id)
    refusal = booking.place_refusal(unit, institution, command.purpose)
    if refusal is not None:
        return refusal
    redeemed = codes.redeem_code(
        unit, command.text, command.purpose, actor.terminal_id, actor.institution_id
    )
    if isinstance(redeemed, Refusal):
        return redeemed
    grant, token = redeemed
    kept = queries.payment_rules(unit, grant.person_id)
    refusal = rules.stopped(unit, kept, grant.purpose)
    if refusal is not None:
        return refusal
    shown = scanned_code(unit, grant, token, institution)
    facts = {"grant": grant.id, "purpose": grant.purpose.value}
    audit.record(unit, label(actor), "code.scan", f"person:{grant.person_id}", facts)
    return shown


def scanned_code(unit: Unit, grant: Grant, token: str, institution: InstitutionView) -> ScannedCode:
    """Tell a till what it may know of a grant and what can pay here."""
    day = local_day(unit.now)
    enrolments = people.enrolments_on(unit, grant.person_id, day)
    paying = paying_enrolment(enrolments)
    return ScannedCode(
        token=token,
        expires_at=grant.expires_at,
        purpose=grant.purpose,
        person=people.person(unit, grant.person_id),
        enrolments=tuple(enrolments),
        paying_enrolment_id=paying.id if paying else None,
        payers=outlook.payers(unit, paying, institution, day),
    )


def _presettle(unit: Unit, command: Presettle, actor: TerminalActor) -> BillView | Refusal:
    refusal = logic.numbers_refusal(
        command.lines,
        unit.settings.lines_per_bill_max,
        unit.settings.quantity_per_line_max,
        unit.settings.unit_price_max_yuan,
    )
    if refusal is not None:
        return refusal
    return present_scanned(unit, command, actor)


def present_scanned(unit: Unit, command: Presettle, actor: TerminalActor) -> BillView | Refusal:
    """Price a basket for whom a till has scanned. Before: the numbers make sense."""
    try:
        whose = presented(unit, command, actor)
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)
    return whose if isinstance(whose, Refusal) else present(unit, command, whose, actor)


def present(
    unit: Unit, command: Presettle, whose: Presented, actor: TerminalActor
) -> BillView | Refusal:
    """Price a basket for whom it is presented. Before: the person is locked, the numbers make sense."""
    institution = institutions.institution(unit, actor.institution_id)
    enrolment = whose.enrolment
    areas = {enrolment.area_code} if enrolment else set()
    refusal = booking.place_refusal(unit, institution, whose.purpose, areas)
    kept = queries.payment_rules(unit, whose.person_id)
    if refusal is None and whose.stay is None and not whose.identity_only:
        refusal = rules.stopped(unit, kept, whose.purpose)
    if refusal is not None:
        return refusal
    if enrolment is None:
        return NotInsured()
    pays = command.use_account and not whose.identity_only
    family = booking.family_of(unit, whose.person_id, pays)
    case = _priced_case(unit, command, whose, institution, enrolment, family)
    if isinstance(case, Refusal):
        return case
    outcome = booking.calculated(case)
    if isinstance(outcome, Refusal):
        return outcome
    refusal = (
        None if outcome.total_fen else BasketEmpty()  # everything was taken back
    ) or rules.account_refusal(unit, kept, outcome.account_fen, whose.shown_by_id)
    if refusal is not None:
        return refusal
    limit = kept.confirm_above_fen
    bill_id = unit.new_id()
    codes_sold = [use.trace_code for use in _traces(command)]
    held = hold(unit, bill_id, actor.terminal_id, whose, institution, case, outcome, codes_sold)
    why = why_confirm(unit, whose, institution, outcome, limit, held)
    told = held is not None and _held_before(unit, whose.person_id, held.alert_id)
    bill = _new_bill(unit, bill_id, command, actor, whose, enrolment, case, outcome, limit, why)
    if held is not None:
        bill.alert_id, bill.expires_at = held.alert_id, held.until
        if not told:  # a till that prices it again says nothing new
            tell(unit, bill.person_id, "payment_held", {"where": institution.name})
    announce(unit, bill, "BILL_PRESENTED")
    facts = {"bill": bill.id, "total_fen": outcome.total_fen}
    view = queries.view(unit, bill)
    audit.record(unit, label(actor), "bill.present", f"person:{bill.person_id}", facts)
    return view


def _held_before(unit: Unit, person_id: str, alert_id: str) -> bool:
    query = select(Bill.id).where(Bill.alert_id == alert_id, Bill.person_id == person_id)
    return unit.db.exec(query).first() is not None


def _priced_case(
    unit: Unit,
    command: Presettle,
    whose: Presented,
    institution: InstitutionView,
    enrolment: EnrolmentView,
    family: tuple[FamilySource, ...],
) -> Case | Refusal:
    day = whose.service_date
    command = with_national_codes(unit, command, institution.id, day)
    terms_region = region_of_terms(enrolment.area_code, institution.area_code, Route.DIRECT, day)
    items = catalogue.items_on(unit, [line.code for line in command.lines], day, terms_region)
    refusal = logic.catalogue_refusal(
        command.lines,
        items,
        institution.kind,
        day,
        unit.settings.quantity_per_line_max,
        rulebook(),
    )
    if refusal is not None:
        return refusal
    sold = settlements.sold_among(
        unit, [(code, line.split) for line in command.lines for code in line.trace_codes]
    )
    if sold:
        return settling.refusal_for([use for use in _traces(command) if use.trace_code in sold])
    try:
        visit = visit_of(unit, command, whose, enrolment, institution, family)
        if isinstance(visit, Refusal):
            return visit
        lines = logic.line_inputs(command.lines, items, terms_region)
        return gather_case(unit, enrolment, institution, visit, lines)
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)


def _new_bill(
    unit: Unit,
    bill_id: str,
    command: Presettle,
    actor: TerminalActor,
    whose: Presented,
    enrolment: EnrolmentView,
    case: Case,
    outcome: Outcome,
    limit: Fen,
    why: ConfirmReason | None,
) -> Bill:
    for older in unit.db.exec(
        select(Bill).where(Bill.grant_id == whose.grant_id).order_by(col(Bill.id)).with_for_update()
    ).all():
        if BILL_STATES.after(BillState(older.state), BillEvent.SUPERSEDE) is not None:
            move(older, BillEvent.SUPERSEDE)
    bill = Bill(
        id=bill_id,
        state=BillState.PRESETTLED if why is None else BillState.AWAITING_CONFIRMATION,
        confirm_reason=why,
        purpose=whose.purpose,
        institution_id=actor.institution_id,
        terminal_id=actor.terminal_id,
        operator_id=actor.operator_id,
        person_id=whose.person_id,
        enrolment_id=enrolment.id,
        grant_id=whose.grant_id,
        stay_id=command.stay_id,
        discharge=command.discharge,
        instalments=command.instalments,
        shown_by_id=whose.shown_by_id,
        created_at=unit.now,
        expires_at=unit.now + _life(unit, whose.person_id, why),
        confirm_above_fen=limit,
        case_facts=CASE.dump_python(case, mode="json"),
        outcome=OUTCOME.dump_python(outcome, mode="json"),
        traces=[[use.line_number, use.trace_code, use.split] for use in _traces(command)],
    )
    unit.db.add(bill)
    unit.db.flush()
    return bill


def _life(unit: Unit, person_id: str, why: ConfirmReason | None) -> timedelta:
    """Return how long a bill stands: past its cooling down, and unhurried for who reads in elder mode."""
    elder = why is not None and people.preferences(unit, person_id).elder_mode
    settings = unit.settings
    seconds = settings.elder_bill_seconds if elder else settings.bill_seconds
    cools = settings.valuables_wait_seconds if why is ConfirmReason.VALUABLES else 0
    return timedelta(seconds=seconds + cools)


def _settle(unit: Unit, command: Settle, actor: TerminalActor) -> SettlementView | Refusal:
    found = unit.db.get(Bill, command.bill_id)
    if found is None or found.terminal_id != actor.terminal_id:
        return BillNotFound()
    ready = booking.ready(unit, found)
    if isinstance(ready, Refusal):
        return ready
    settlement = booking.book(unit, ready, actor.terminal_id, actor.operator_id, label(actor))
    if isinstance(settlement, Refusal):
        return settlement
    if ready.stay is not None:
        unit.db.flush()
        refused = stays.after_settlement(unit, ready.stay, ready.bill, settlement, label(actor))
        if refused is not None:
            return refused
    return settlement


def reverse(
    unit: Unit,
    command: ReverseSettlement,
    actor: TerminalActor,
    any_day: bool = False,
    kept: settling.Kept | None = None,
) -> SettlementView | Refusal:
    """Take back a settlement; within the transaction that a till's command runs in.

    A till takes back what it settled the same day; ``any_day``: a refund that was decided upon. What is
    ``kept`` stands as a settlement of its own afterwards, which the bill then names.
    """
    original = settlements.settlement(unit, command.settlement_id)
    if original is None or original.institution_id != actor.institution_id:
        return SettlementNotFound()
    if original.route is Route.MANUAL:
        return SettlementNotFound()  # the agency's desk takes its own back
    people.lock_person(unit, original.person_id)
    bill = locked_bill(unit, original.bill_id)
    held = booking.under_way(unit, original.person_id)
    if held is not None:
        return held
    original = settlements.settlement(unit, command.settlement_id) or original
    if original.kind is SettlementKind.REVERSAL or original.reversed_by_id is not None:
        return AlreadyReversed(original.reversed_by_id or original.id)
    if not any_day and local_day(original.settled_at) != local_day(unit.now):
        return ReversalTooLate(local_day(original.settled_at))
    stay = locked_stay(unit, bill.stay_id, None) if bill.stay_id else None
    in_the_way = stays.before_reversal(unit, stay, bill) if stay is not None else None
    if in_the_way is not None:
        return in_the_way
    day = stay.admitted_on if stay else original.service_date
    enrolment = enrolment_on(unit, original.person_id, original.enrolment_id, day)
    if enrolment is None:
        return NotInsured()
    order = settling.ToReverse(
        original, enrolment, actor.terminal_id, actor.operator_id, command.reason[:200], kept
    )
    reversal = settling.book_reversal(unit, order, rulebook())
    if isinstance(reversal, Refusal):
        return reversal
    if kept is None:
        move(bill, BillEvent.REVERSE)
    if stay is not None:
        unit.db.flush()
        stays.after_reversal(unit, stay, bill, original.outcome, label(actor))
    stays.follow_reruns(unit, bill.person_id)
    happened = "BILL_REVERSED" if kept is None else "BILL_PARTLY_REVERSED"
    booking.close(unit, bill, label(actor), reversal, "settlement.reverse", happened)
    return reversal


def at_till(
    unit: Unit,
    name: str,
    command: C,
    answer: type[T],
    act: Callable[[Unit, C, TerminalActor], T | Refusal],
    action: Action = Action.PRESENT_BILL,
) -> T | Refusal:
    """Do a terminal's command once for its key; anybody else is refused."""
    actor = command.actor
    if not isinstance(actor, TerminalActor):
        return SignInRequired()
    refusal = may(actor, action, actor.institution_id)
    if refusal is not None:
        return refusal
    scope = f"{name}:{actor.terminal_id}"
    return once(
        unit, scope, command.request_id, command, (answer,), lambda: act(unit, command, actor)
    )


def _traces(command: Presettle) -> list[settling.TraceUse]:
    return [
        settling.TraceUse(number, code, line.split)
        for number, line in enumerate(command.lines, 1)
        for code in line.trace_codes
    ]
