"""手工报销 from the phone: handed in with papers, reckoned by a clerk, booked by a second, paid out.

What it comes to is reckoned once and shown to the second person; if it came out otherwise on booking,
nothing is booked. The state of the payment is the application's own; the ledger says the money.
"""

from __future__ import annotations

from datetime import date

from pydantic import TypeAdapter

from backend.access.contracts import Action
from backend.access.logic import label
from backend.claims import logic, queries, service
from backend.claims.contracts import (
    BookClaim,
    ChangePayoutAccount,
    ClaimForm,
    ClaimInvalid,
    ClaimLine,
    ClaimProblem,
    ClaimView,
    InvoiceClaimed,
    PayoutAccount,
)
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import add_months
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.matters import queries as matters
from backend.matters import service as matter_service
from backend.matters.contracts import (
    ApplicationNotPossible,
    ApplyProblem,
    MatterEvent,
    MatterKind,
    MatterNotFound,
    MatterState,
    MatterView,
    Party,
    Requirement,
)
from backend.matters.procedure import NOT_DONE, Asked, Judged, Procedure, right_of
from backend.proxies.authority import note
from backend.rulebook.library import rulebook
from backend.settlement.case import CareKind

_NEEDED = ((Requirement.INVOICE,), (Requirement.FEE_LIST,), (Requirement.RECORDS,))
_INJURY = (Requirement.INJURY_STATEMENT,)
_FORM = TypeAdapter(ClaimForm)


def _judge(unit: Unit, form: ClaimForm, asked: Asked) -> Judged | Refusal:
    held = form.account
    problems = [
        *logic.dates(form, asked.today),
        *logic.invoices(form.invoices),
        *logic.account(held.holder, held.bank, held.number),
    ]
    if form.total_fen <= 0:
        problems.append(ClaimProblem.TOTAL)
    if form.care is CareKind.CHRONIC and not form.disease:
        problems.append(ClaimProblem.DISEASE)
    if institutions.by_code(unit, form.institution_code) is None:
        problems.append(ClaimProblem.INSTITUTION)
    if problems:
        return ClaimInvalid(tuple(problems))
    claimed = queries.holders(unit, form.invoices)
    if claimed:
        return InvoiceClaimed(tuple(claimed))
    days = rulebook().find(asked.area_code, "manual_claims.review_workdays", asked.today).count
    return Judged((*_NEEDED, _INJURY) if form.injury else _NEEDED, days)


def _standing(unit: Unit, form: ClaimForm, matter: MatterView, asked: Asked) -> Refusal | None:
    for one in matters.in_state(unit, matter.enrolment_id, MatterKind.CLAIM, NOT_DONE):
        if one.id != matter.id and set(CLAIM.read(one).invoices) & set(form.invoices):
            return ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    return None


def _take(unit: Unit, by: str, matter: MatterView, form: ClaimForm) -> None:
    """Book nothing: what is paid is reckoned and booked by two persons."""


def is_late(form: ClaimForm, area_code: str, today: date) -> bool:
    """Tell whether a claim comes later than its insured area says; a hint, never a refusal."""
    months = rulebook().find_if_any(area_code, "manual_claims.deadline_months", today)
    return months is not None and today > add_months(form.last, months.count)


def open_for(unit: Unit, matter_id: str) -> MatterView | None:
    """Return a claim that waits to be reckoned or booked, ``None`` otherwise."""
    found = matters.matter(unit, matter_id)
    waits = (MatterState.SUBMITTED, MatterState.RECHECK)
    return found if found and found.kind is MatterKind.CLAIM and found.state in waits else None


def reckoned(unit: Unit, by: str, matter_id: str) -> bool:
    """Note that a clerk has reckoned a claim; ``False``: another has at this moment."""
    return matter_service.move(unit, matter_id, MatterEvent.RECKON, by, Party.AGENCY) is not None


def returned(unit: Unit, by: str, matter_id: str) -> None:
    """Give a claim back to be reckoned anew: who should book it does not agree."""
    matter_service.move(unit, matter_id, MatterEvent.RETURN, by, Party.AGENCY)


def book(
    unit: Unit,
    by: str,
    matter_id: str,
    lines: tuple[ClaimLine, ...],
    continues_id: str | None,
) -> ClaimView | Refusal:
    """Book a claim as its form and the clerk's lines say; a refusal leaves the rollback to the caller."""
    matter = open_for(unit, matter_id)
    if matter is None:
        return MatterNotFound()
    if matter.state is MatterState.SUBMITTED and not reckoned(unit, by, matter_id):
        return MatterNotFound()
    form = CLAIM.read(matter)
    command = BookClaim(
        person_id=matter.person_id,
        enrolment_id=matter.enrolment_id,
        institution_code=form.institution_code,
        care=form.care,
        first=form.first,
        last=form.last,
        disease=form.disease,
        emergency=form.emergency,
        invoices=form.invoices,
        lines=lines,
        continues_id=continues_id,
    )
    done = service.book_claim(unit, command, by)
    if isinstance(done, Refusal):
        return done
    matter_service.move(unit, matter_id, MatterEvent.APPROVE, by, Party.AGENCY, result_id=done.id)
    return done


def record_payout(
    unit: Unit, by: str, matter_id: str, paid: bool, words: str
) -> MatterView | MatterNotFound:
    """Record that the bank has paid a claim out, or why not; paid moves what was owed out of the books."""
    before = matters.matter(unit, matter_id)
    booked = None
    if before is not None and before.kind is MatterKind.CLAIM and before.result_id is not None:
        booked = queries.claim(unit, before.result_id)
    if booked is None or booked.settlement.reversed_by_id is not None:
        return MatterNotFound()  # what was taken back is not paid out
    event = MatterEvent.PAY if paid else MatterEvent.PAY_FAIL
    moved = matter_service.move(unit, matter_id, event, by, Party.AGENCY, words)
    if moved is None:
        return MatterNotFound()
    amount = booked.payable_fen
    if paid and amount:
        owed = accounts.payout(booked.settlement.enrolment_id)
        postings = [
            Posting(owed, Fen(-amount)),
            Posting(accounts.paid_out(moved.area_code), booked.payable_fen),
        ]
        ledger.post(unit, EntryKind.PAYOUT, booked.id, f"手工报销支付 {moved.number}", postings)
    facts = {"matter": matter_id, "paid": paid, "amount_fen": amount}
    audit.record(unit, by, "claim.payout", f"person:{moved.person_id}", facts)
    return moved


def change_account(unit: Unit, command: ChangePayoutAccount) -> MatterView | Refusal:
    """Name another account after the bank has sent the money back; it is paid out again."""
    row = matter_service.locked(unit, command.matter_id)
    right = right_of(unit, command.actor, None if row is None else row.person_id)
    if isinstance(right, Refusal):
        return right
    matter = matters.matter(unit, command.matter_id)
    if (
        matter is None
        or matter.kind is not MatterKind.CLAIM
        or matter.state is not MatterState.PAY_FAILED
    ):
        return MatterNotFound()
    account = command.account
    wrong = logic.account(account.holder, account.bank, account.number)
    if wrong:
        return ClaimInvalid(tuple(wrong))
    form = _with_account(CLAIM.read(matter), account)
    matter_service.store_form(unit, matter.id, _FORM.dump_json(form).decode())
    moved = matter_service.move(
        unit, matter.id, MatterEvent.NEW_ACCOUNT, label(command.actor), Party.APPLICANT
    )
    note(unit, right, command.actor, Action.FILE)
    return moved or MatterNotFound()


def _with_account(form: ClaimForm, account: PayoutAccount) -> ClaimForm:
    return ClaimForm(**{**vars(form), "account": account})


def by_matter(unit: Unit, found: list[MatterView]) -> dict[str, ClaimView]:
    """Return what claims were booked, by the application."""
    ids = {one.result_id: one.id for one in found if one.result_id is not None}
    return {ids[view.id]: view for view in queries.claims(unit, list(ids))}


CLAIM = Procedure(
    MatterKind.CLAIM,
    _FORM,
    _judge,
    _take,
    _standing,
    names=lambda unit, form: institutions.names_of(unit, [form.institution_code]),
)
