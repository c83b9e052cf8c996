"""Use cases of contributions: what the authority reports, bills for residents, and their payment.

The payment itself belongs to the tax authority: a bill is made here, paid there, and its file of paid
bills is read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from backend.access.contracts import Action
from backend.access.logic import label
from backend.enrolment import logic, queries, repairing
from backend.enrolment.contracts import (
    CONTRIBUTION_STATES,
    AskForBill,
    ContributionEvent,
    ContributionInput,
    ContributionState,
    ContributionView,
    EnrolmentNotPossible,
    EnrolProblem,
    PaidBill,
    PaidBillResult,
)
from backend.enrolment.model import Contribution
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.matters import service as matters
from backend.matters.contracts import MatterEvent, Party
from backend.matters.procedure import right_of
from backend.notices.service import tell
from backend.people import queries as people
from backend.people import service as people_service
from backend.people.contracts import (
    BenefitStatus,
    EnrolmentPeriodInput,
    InsuranceType,
    PeriodView,
    PersonKind,
)
from backend.proxies.authority import note
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook

_YEAR_LEAST = 1990
"""No year before can be asked for: there was no basic insurance yet."""


def report_contributions(
    unit: Unit, by: str, enrolment_id: str, lines: Sequence[ContributionInput]
) -> None:
    """Store what the authority reports as paid; a month that was reported before is replaced."""
    for one in lines:
        unit.db.merge(
            Contribution(
                enrolment_id=enrolment_id,
                starts=one.starts,
                ends=one.ends,
                state=ContributionState.PAID,
                base_fen=one.base_fen,
                own_fen=one.own_fen,
                others_fen=one.others_fen,
                payer=one.payer,
                paid_on=one.paid_on,
                reported_at=unit.now,
            )
        )
    unit.db.flush()
    facts = {"months": [one.starts.isoformat() for one in lines]}
    audit.record(unit, by, "contribution.report", f"enrolment:{enrolment_id}", facts)


def ask_for_bill(unit: Unit, command: AskForBill) -> ContributionView | Refusal:
    """Make the bill for a year of a resident's insurance, or return the one that waits to be paid."""
    right = right_of(unit, command.actor, command.person_id)
    if isinstance(right, Refusal):
        return right
    people.lock_person(unit, command.person_id)
    try:
        made = _bill_asked_for(unit, command)
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)
    if isinstance(made, Refusal):
        return made
    note(unit, right, command.actor, Action.FILE)
    return queries.view(unit, made)


def make_bill(
    unit: Unit,
    by: str,
    enrolment_id: str,
    year: int,
    kind: PersonKind,
    tier: str,
    matter_id: str | None = None,
) -> Contribution:
    """Store the bill for a year; one of the past is paid back at the price of this year.

    Before: there is none that was paid or waits. Raises ``RuleMissing``.
    """
    area, _ = people.scheme_of(unit, enrolment_id)
    today, first, book = local_day(unit.now), date(year, 1, 1), rulebook()
    priced = max(year, today.year)
    fee = book.find(area, "enrolment.resident_contribution", date(priced, 1, 1), tier=tier).fen
    until = today + timedelta(days=book.find(area, "enrolment.bill_days", today).count)
    last = date(year, 12, 31)
    row = unit.db.get(Contribution, (enrolment_id, first))
    if row is None:
        row = Contribution(
            enrolment_id=enrolment_id,
            starts=first,
            ends=last,
            state=ContributionState.DUE,
            matter_id=matter_id,
            base_fen=0,
            own_fen=fee,
            others_fen=0,
            reported_at=unit.now,
        )
    else:
        lapsed = queries.view(unit, row).state
        after = CONTRIBUTION_STATES.after(lapsed, ContributionEvent.ASK_AGAIN)
        invariant(after is not None, "only a bill that has lapsed is made again")
        row.matter_id = matter_id or row.matter_id
    row.state, row.reported_at, row.own_fen = ContributionState.DUE, unit.now, fee
    row.person_kind, row.tier, row.repairs = kind, tier, year < today.year
    row.bill_number = f"JF{year}{unit.resources.ids.digits(12)}"
    row.due_until = min(until, date(priced, 12, 31))
    if row.repairs:  # an application that was never paid does not come true by it
        row.matter_id = None
        owner = people.person_of_enrolment(unit, enrolment_id)
        row.due_until = repairing.last_day(unit, owner, row.due_until)
    unit.db.add(row)
    unit.db.flush()
    facts = {"year": year, "own_fen": row.own_fen}
    audit.record(unit, by, "contribution.bill", f"enrolment:{enrolment_id}", facts)
    return row


def book_payment(unit: Unit, by: str, line: PaidBill) -> PaidBillResult:
    """Book a bill that the tax authority says was paid; the insurance follows from it at once.

    A bill that was paid in time counts although the file comes late; the same line again does nothing.
    Raises ``RuleMissing``.
    """
    row = queries.by_bill(unit, line.bill_number, lock=True)
    if row is None:
        return PaidBillResult.UNKNOWN_BILL
    if row.state == ContributionState.PAID:
        return PaidBillResult.BOOKED_BEFORE
    if row.own_fen != line.amount_fen:
        return PaidBillResult.AMOUNT_DIFFERS
    if not local_day(row.reported_at) <= line.paid_on <= local_day(unit.now):
        return PaidBillResult.DAY_IS_WRONG
    person_id = people.person_of_enrolment(unit, row.enrolment_id)
    people.lock_person(unit, person_id)
    # a bill that has lapsed meanwhile was paid in time, or the tax authority would not have taken it
    paid = CONTRIBUTION_STATES.after(ContributionState(row.state), ContributionEvent.PAY)
    invariant(paid is not None, "what is not paid can be paid")
    row.state, row.paid_on, row.receipt = paid or row.state, line.paid_on, line.receipt
    row.reported_at = unit.now
    unit.db.flush()
    from_day = _follows(unit, person_id, row, line.paid_on)
    if row.matter_id is not None:
        matters.move(
            unit,
            row.matter_id,
            MatterEvent.TAKE_EFFECT,
            "system",
            Party.SYSTEM,
            result_id=row.enrolment_id,
        )
    facts = {"bill": line.bill_number, "receipt": line.receipt}
    audit.record(unit, by, "contribution.paid", f"enrolment:{row.enrolment_id}", facts)
    kind = "contribution_repaid" if row.repairs else "contribution_paid"
    since = from_day.isoformat() if from_day else ""
    tell(unit, person_id, kind, {"year": str(row.starts.year), "from": since})
    return PaidBillResult.BOOKED


def insured_otherwise(unit: Unit, person_id: str, but: str | None, day: date) -> bool:
    """Tell whether somebody is insured on a day under another enrolment than one."""
    on = (BenefitStatus.ACTIVE, BenefitStatus.WAITING)
    return any(
        one.status in on and one.id != but for one in people.enrolments_on(unit, person_id, day)
    )


def _bill_asked_for(unit: Unit, command: AskForBill) -> Contribution | EnrolmentNotPossible:
    own = command.enrolment_id in people.enrolment_ids(unit, command.person_id)
    if not own:
        return EnrolmentNotPossible(EnrolProblem.NOT_RESIDENT)
    area, insurance = people.scheme_of(unit, command.enrolment_id)
    if insurance is not InsuranceType.RESIDENT:
        return EnrolmentNotPossible(EnrolProblem.NOT_RESIDENT)
    today = local_day(unit.now)
    if not _YEAR_LEAST <= command.year <= today.year + 1:
        return EnrolmentNotPossible(EnrolProblem.YEAR)
    first, back = date(command.year, 1, 1), command.year < today.year
    if not back and command.year not in logic.years_open(area, today, rulebook()):
        return EnrolmentNotPossible(EnrolProblem.YEAR)
    if insured_otherwise(unit, command.person_id, command.enrolment_id, max(today, first)):
        return EnrolmentNotPossible(EnrolProblem.INSURED_ALREADY)
    row = unit.db.get(Contribution, (command.enrolment_id, first))
    if row is not None:
        state = queries.view(unit, row).state
        if state is ContributionState.PAID:
            return EnrolmentNotPossible(EnrolProblem.PAID_ALREADY)
        if state is ContributionState.DUE:
            return row
    problem = _not_to_pay_back(unit, command) if back else None
    if problem is not None:
        return EnrolmentNotPossible(problem)
    kind, tier = _kind_and_tier(unit, command)
    tiers = rulebook().find(area, "enrolment.tiers", today).items
    offered = [one for one in tiers if logic.tier_fits(kind, one, tiers)]
    if not command.tier and tier not in offered and len(offered) == 1:
        [tier] = offered
    if tier not in offered:
        return EnrolmentNotPossible(EnrolProblem.TIER)
    return make_bill(unit, label(command.actor), command.enrolment_id, command.year, kind, tier)


def _not_to_pay_back(unit: Unit, command: AskForBill) -> EnrolProblem | None:
    """Return why a year of the past need not, or cannot, be paid back."""
    gap = repairing.gap_of(unit, command.person_id)
    if gap is None or command.year not in {one.year for one in gap.years}:
        return EnrolProblem.NO_GAP
    if {one.year: one.state for one in gap.years}[command.year] is ContributionState.PAID:
        return EnrolProblem.PAID_ALREADY
    return EnrolProblem.NOTHING_SHORTER if gap.years_asked >= gap.years_needed else None


def _kind_and_tier(unit: Unit, command: AskForBill) -> tuple[PersonKind, str]:
    """Return as what somebody pays: as they choose, as they were billed last, or as they were insured.

    Who has grown up meanwhile pays as an adult, and has to choose a tier.
    """
    held = queries.tier_paid(unit, command.enrolment_id)
    held = held or people.last_period(unit, command.enrolment_id)
    kind, tier = held or (PersonKind.RESIDENT_ADULT, "")
    birth = people.particulars(unit, command.person_id).birth_date
    if not logic.kind_fits(kind, birth, local_day(unit.now)):
        kind = PersonKind.RESIDENT_ADULT
    return kind, command.tier or tier


def _follows(unit: Unit, person_id: str, row: Contribution, paid_on: date) -> date | None:
    """Let what follows from a payment be so; return the first day of benefits if it is known."""
    if row.repairs:
        return repairing.shorten(unit, person_id, paid_on)
    return _cover(unit, person_id, row, paid_on)


def _cover(unit: Unit, person_id: str, row: Contribution, paid_on: date) -> date:
    """Let a paid year cover somebody and return the first day of benefits."""
    area, _ = people.scheme_of(unit, row.enrolment_id)
    held = people.periods_of(unit, person_id)
    every = [one for periods in held.values() for one in periods]
    birth = people.particulars(unit, person_id).birth_date
    repairs = queries.repairs(unit, list(held))
    back = [year for year, state in repairs.items() if state is ContributionState.PAID]
    covered = logic.cover(area, row.starts.year, paid_on, birth, every, back, rulebook())
    if _covers(held.get(row.enrolment_id, ()), row.starts, row.ends):
        return row.starts  # the authority keeps this insurance open from year to year
    kind = PersonKind(row.person_kind)
    new = []
    if covered.waits_from is not None:
        until = min(covered.benefits_from - timedelta(days=1), covered.ends)
        waiting = BenefitStatus.WAITING
        new.append(EnrolmentPeriodInput(covered.waits_from, until, waiting, kind, row.tier))
    if covered.benefits_from <= covered.ends:
        active = BenefitStatus.ACTIVE
        new.append(
            EnrolmentPeriodInput(covered.benefits_from, covered.ends, active, kind, row.tier)
        )
    people_service.add_periods(unit, row.enrolment_id, new)
    unit.db.flush()
    return covered.benefits_from


def _covers(periods: Sequence[PeriodView], first: date, last: date) -> bool:
    return any(
        one.status is BenefitStatus.ACTIVE
        and one.starts <= first
        and (one.ends is None or one.ends >= last)
        for one in periods
    )
