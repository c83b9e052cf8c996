"""Use cases of manual claims: book one, take one back."""

from __future__ import annotations

from datetime import date

from sqlmodel import col, select

from backend.catalogue import queries as catalogue
from backend.choices import queries as choices
from backend.claims import logic, queries
from backend.claims.contracts import (
    BookClaim,
    CapitatedAtPilot,
    ClaimInvalid,
    ClaimNotFound,
    ClaimProblem,
    ClaimView,
    InvoiceClaimed,
    SettledDirectly,
)
from backend.claims.model import ClaimedInvoice, ManualClaim
from backend.credit import queries as credit
from backend.entitlements import queries as entitlements
from backend.infra import audit, outbox
from backend.infra.database import Unit, insert_new
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.kernel.money import ZERO, Fen
from backend.orders import service as orders
from backend.payments.contracts import NotInsured
from backend.payments.stay_contracts import NotEntitled
from backend.payments.stays import follow_reruns, settled_between
from backend.payments.visits import enrolment_on, filing_of, region_of_terms
from backend.people import queries as people
from backend.people.contracts import EnrolmentView
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.settlement import queries as settlements
from backend.settlement import service as booking
from backend.settlement.calculate import calculate
from backend.settlement.case import CapitatedCare, CareKind, Case, CaseContradicts, Route, Stay
from backend.settlement.contracts import DESK, SettlementView
from backend.settlement.facts import Visit, gather_case

PURPOSE = "MANUAL_CLAIM"
"""In place of a code's purpose: none was scanned."""


def book_claim(unit: Unit, command: BookClaim, clerk: str) -> ClaimView | Refusal:
    """Reckon a bill under the insured area's catalogue and rates, and owe the patient what is paid.

    After: postings (funds to the patient), the year's use, the settlement, the claim and its invoices
    stand together, or nothing does. The personal account takes no part: the patient has paid.
    """
    settings = unit.settings
    refusal = logic.refusal(
        command, local_day(unit.now), settings.quantity_per_line_max, settings.unit_price_max_yuan
    )
    if refusal is not None:
        return refusal
    people.lock_person(unit, command.person_id)
    institution = institutions.by_code(unit, command.institution_code)
    enrolment = enrolment_on(unit, command.person_id, command.enrolment_id, command.first)
    if institution is None:
        return ClaimInvalid((ClaimProblem.INSTITUTION,))
    if enrolment is None:
        return NotInsured()
    paid_before = _paid_before(unit, command, institution)
    if paid_before is not None:
        return paid_before
    try:
        case = _case(unit, command, institution, enrolment)
        if isinstance(case, Refusal):
            return case
        outcome = calculate(case, rulebook())
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)
    except CaseContradicts:
        return ClaimInvalid((ClaimProblem.CONTRADICTS,))
    claim_id = unit.new_id()
    order = booking.ToBook(
        bill_id=claim_id,
        person_id=command.person_id,
        purpose=PURPOSE,
        terminal_id=DESK,
        operator_id=clerk,
        institution=institution,
        enrolment=enrolment,
        case=case,
        outcome=outcome,
        traces=(),
    )
    settlement = booking.book_settlement(unit, order, rulebook())
    invariant(isinstance(settlement, SettlementView), "a claim sells no packs")
    assert isinstance(settlement, SettlementView)
    row = ManualClaim(
        id=claim_id,
        person_id=command.person_id,
        invoices=sorted(command.invoices),
        continues_id=command.continues_id,
        booked_by=clerk,
        booked_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    held = [{"number": number, "claim_id": claim_id} for number in sorted(command.invoices)]
    if insert_new(unit, ClaimedInvoice, held) != len(held):  # another desk took one this moment
        unit.db.rollback()
        return _claimed(unit, command)
    _close(unit, clerk, "claim.book", settlement, claim_id, "CLAIM_BOOKED")
    return ClaimView(
        claim_id, settlement, tuple(row.invoices), row.continues_id, clerk, row.booked_at
    )


def reverse_claim(unit: Unit, claim_id: str, reason: str, clerk: str) -> ClaimView | Refusal:
    """Take a claim back by new entries, and give its invoices free.

    What was paid out already is then owed by the patient. Later stretches of the same stay go first,
    as do later settlements of the year that stand on it.
    """
    found = queries.claim(unit, claim_id)
    if found is None:
        return ClaimNotFound()
    people.lock_person(unit, found.settlement.person_id)
    found = queries.claim(unit, claim_id) or found
    original = found.settlement
    if original.reversed_by_id is not None:
        return ClaimNotFound()
    first = found.continues_id or found.id
    stretches = queries.standing_stretches(unit, first)
    later = [c for c in stretches if c.settlement.number > original.number]
    if later:
        return ClaimInvalid((ClaimProblem.CONTINUED,))
    enrolment = enrolment_on(
        unit, original.person_id, original.enrolment_id, _first_day(unit, original)
    )
    if enrolment is None:
        return NotInsured()
    order = booking.ToReverse(original, enrolment, DESK, clerk, reason[:200])
    reversal = booking.book_reversal(unit, order, rulebook())
    if isinstance(reversal, Refusal):
        return reversal
    for held in unit.db.exec(
        select(ClaimedInvoice)
        .where(ClaimedInvoice.claim_id == claim_id)
        .order_by(col(ClaimedInvoice.number))
    ).all():
        unit.db.delete(held)
    unit.db.flush()
    follow_reruns(unit, original.person_id)
    in_the_way = orders.after_reversal(unit, original.person_id)
    if in_the_way is not None:
        return in_the_way
    _close(unit, clerk, "claim.reverse", reversal, claim_id, "CLAIM_REVERSED")
    return queries.claim(unit, claim_id) or found


def _case(
    unit: Unit, command: BookClaim, institution: InstitutionView, enrolment: EnrolmentView
) -> Case | Refusal:
    terms = region_of_terms(enrolment.area_code, institution.area_code, Route.MANUAL, command.last)
    codes = [line.code for line in command.lines if line.code]
    lines = logic.line_inputs(command, catalogue.items_on(unit, codes, command.last, terms), terms)
    if isinstance(lines, Refusal):
        return lines
    visit = _visit(unit, command, institution, enrolment)
    if isinstance(visit, Refusal):
        return visit
    return gather_case(unit, enrolment, institution, visit, lines, lock=True)


def _visit(
    unit: Unit, command: BookClaim, institution: InstitutionView, enrolment: EnrolmentView
) -> Visit | Refusal:
    filing = filing_of(unit, enrolment, institution, command.emergency, command.first)
    stay = _stay(unit, command, enrolment)
    capitated = None
    if isinstance(stay, Refusal):
        return stay
    if command.care is CareKind.CHRONIC:
        if not entitlements.has_disease(unit, enrolment.id, command.disease, command.last):
            return NotEntitled(command.disease[:40])
        capitated = entitlements.capitated_care(
            unit, enrolment.id, command.disease, institution.id, filing, command.last
        )
        if capitated is CapitatedCare.PILOT:
            return CapitatedAtPilot(institution.name)
    return Visit(
        command.care,
        command.last,
        route=Route.MANUAL,
        filing=filing,
        disease=command.disease,
        stay=stay,
        capitated=capitated,
        chosen=choices.stands_to(unit, enrolment, institution.id, command.care, command.first),
        benefits_paused=credit.is_paused(
            unit, command.person_id, enrolment.area_code, command.last, rulebook()
        ),
        use_account=False,
    )


def _stay(unit: Unit, command: BookClaim, enrolment: EnrolmentView) -> Stay | ClaimInvalid | None:
    """Return the stay, or the stretch of it that earlier claims have left; ``None`` for other care."""
    if command.care is not CareKind.INPATIENT:
        return None
    if command.continues_id is None:
        begins, due, consumed = command.first, None, ZERO
    else:
        earlier = queries.standing_stretches(unit, command.continues_id)
        own = [c for c in earlier if c.settlement.person_id == command.person_id]
        if not own or own[0].id != command.continues_id:
            return ClaimInvalid((ClaimProblem.EARLIER_CLAIM,))
        begins = _first_day(unit, own[0].settlement)
        if command.first != begins or command.last <= own[-1].settlement.service_date:
            return ClaimInvalid((ClaimProblem.DAYS_OF_STAY,))
        due = own[0].settlement.outcome.deductible_year_fen
        consumed = Fen(sum(c.settlement.outcome.deductible_fen for c in own))
    years_apart = rulebook().find(enrolment.area_code, "stays.year_of", command.last)
    earliest = begins if command.continues_id is None else own[-1].settlement.service_date
    if years_apart.choice == "FEE_DATE" and earliest.year != command.last.year:
        return ClaimInvalid((ClaimProblem.YEARS_APART,))
    return Stay(
        admitted_on=begins,
        discharged_on=command.last,
        deductible_due_fen=due,
        deductible_paid_fen=consumed,
        counted=command.continues_id is not None,
    )


def _first_day(unit: Unit, settlement: SettlementView) -> date:
    case = settlements.case_of_settlement(unit, settlement.id)
    return case.stay.admitted_on if case.stay else case.service_date


def _paid_before(
    unit: Unit, command: BookClaim, institution: InstitutionView
) -> InvoiceClaimed | SettledDirectly | None:
    if queries.holders(unit, command.invoices):
        return _claimed(unit, command)
    if command.care is not CareKind.INPATIENT:
        return None
    direct = settled_between(unit, command.person_id, institution.id, command.first, command.last)
    return SettledDirectly(institution.name, tuple(direct)) if direct else None


def _claimed(unit: Unit, command: BookClaim) -> InvoiceClaimed:
    return InvoiceClaimed(tuple(queries.holders(unit, command.invoices)))


def _close(
    unit: Unit, clerk: str, action: str, settlement: SettlementView, claim_id: str, kind: str
) -> None:
    topic = f"person:{settlement.person_id}"
    outbox.enqueue(unit, outbox.Channel.LIVE, topic, kind, claim_id)
    facts = {"claim": claim_id, "settlement": settlement.id, "fund_fen": settlement.fund_fen}
    audit.record(unit, clerk, action, topic, facts)
