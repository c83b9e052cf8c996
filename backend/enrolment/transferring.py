"""转移接续: the area that somebody comes from says what was paid there, the one they go to takes it over.

The clerk of the first area and the one who confirms in the second are two persons, as money moves. For
another province its letter stands in for the first.
"""

from __future__ import annotations

from datetime import date

from pydantic import TypeAdapter

from backend.enrolment import queries
from backend.enrolment.contracts import (
    EnrolmentNotPossible,
    EnrolProblem,
    LetterOfArea,
    TransferForm,
    TransferView,
)
from backend.enrolment.model import Transfer
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger_queries
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
from backend.matters.procedure import NOT_DONE, Asked, Judged, Procedure
from backend.people import queries as people
from backend.people.contracts import BenefitStatus
from backend.regions.library import PROVINCE_POOLS, divisions, insured_area_of, province_code
from backend.rulebook.library import rulebook

_NUMBER_MAX = 30
_MONTHS_MAX = 720


def is_ours(unit: Unit, area_code: str) -> bool:
    """Tell whether an insured area is of the province that runs this installation."""
    return province_code(area_code) == province_code(unit.settings.region)


def source_of(unit: Unit, person_id: str, area_code: str, but: str) -> str | None:
    """Return the enrolment that somebody had in an area of ours, employees' before residents'."""
    found = [one for one in people.enrolments_in(unit, person_id, area_code) if one != but]
    moved = queries.transfers_from(unit, found)
    return next((one for one in found if one not in moved), None)


def letter_on(unit: Unit, enrolment_id: str) -> LetterOfArea:
    """Return what an area of ours says of an enrolment: months paid and the account's balance."""
    balance = ledger_queries.balance(unit, accounts.personal(enrolment_id)) or Fen(0)
    return LetterOfArea(queries.months_paid(unit, [enrolment_id])[enrolment_id], balance)


def _area(form: TransferForm, insured: str) -> str:
    """The area that it comes from begins, where it is of the same province."""
    return form.from_area if province_code(form.from_area) == province_code(insured) else insured


def _judge(unit: Unit, form: TransferForm, asked: Asked) -> Judged | Refusal:
    known = form.from_area in divisions() or form.from_area in PROVINCE_POOLS
    pooled = form.from_area in PROVINCE_POOLS or insured_area_of(form.from_area) == form.from_area
    if not known or not pooled:
        return EnrolmentNotPossible(EnrolProblem.PLACE)
    if form.from_area == asked.area_code:
        return EnrolmentNotPossible(EnrolProblem.SAME_AREA)
    ours = is_ours(unit, form.from_area)
    number = form.from_number.strip()
    if not ours and not (0 < len(number) <= _NUMBER_MAX and number.isalnum()):
        return EnrolmentNotPossible(EnrolProblem.NUMBER)
    book, today = rulebook(), asked.today
    out = book.find(asked.area_code, "enrolment.transfer_out_workdays", today).count
    into = book.find(asked.area_code, "enrolment.transfer_in_workdays", today).count
    needed = () if ours else ((Requirement.TRANSFER_CERTIFICATE,),)
    return Judged(needed, out + into)


def _standing(unit: Unit, form: TransferForm, matter: MatterView, asked: Asked) -> Refusal | None:
    kind = MatterKind.TRANSFER
    for one in matters.of_person_in(unit, asked.person_id, kind, NOT_DONE):
        if one.id != matter.id and TRANSFER.read(one).from_area == form.from_area:
            return ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    return _problem(unit, asked.person_id, form, asked.enrolment_id, asked.today)


def _problem(
    unit: Unit, person_id: str, form: TransferForm, to_id: str, today: date
) -> EnrolmentNotPossible | None:
    """Return why both sides do not agree to a transfer now."""
    if not is_ours(unit, form.from_area):
        return None
    there = people.enrolments_in(unit, person_id, form.from_area)
    if not there:
        return EnrolmentNotPossible(EnrolProblem.NOT_INSURED_THERE)
    source = source_of(unit, person_id, form.from_area, to_id)
    if source is None:
        return EnrolmentNotPossible(EnrolProblem.MOVED_ALREADY)
    runs = (BenefitStatus.ACTIVE, BenefitStatus.WAITING)
    for one in people.enrolments_on(unit, person_id, today):
        if one.id == source and one.status in runs:
            return EnrolmentNotPossible(EnrolProblem.STILL_INSURED_THERE)
    return None


def _take(unit: Unit, by: str, matter: MatterView, form: TransferForm) -> None:
    """Nothing: what it brings along is booked by the second person."""


def waiting(unit: Unit, matter_id: str) -> MatterView | None:
    """Return a transfer that waits for one area or the other, ``None`` otherwise."""
    found = matters.matter(unit, matter_id)
    states = (MatterState.SUBMITTED, MatterState.RECHECK)
    return found if found and found.kind is MatterKind.TRANSFER and found.state in states else None


def handed_on(unit: Unit, by: str, matter_id: str) -> bool:
    """Let a transfer go on to the area that takes it over; ``False``: it has gone at this moment."""
    found = matters.matter(unit, matter_id)
    if found is None:
        return False
    area = people.area_of_enrolment(unit, found.enrolment_id)
    moved = matter_service.move(
        unit, matter_id, MatterEvent.RECKON, by, Party.AGENCY, area_code=area
    )
    return moved is not None


def returned(unit: Unit, by: str, matter_id: str) -> None:
    """Give a transfer back to the area that it comes from."""
    found = matters.matter(unit, matter_id)
    if found is not None:
        area = _area(TRANSFER.read(found), found.area_code)
        matter_service.move(unit, matter_id, MatterEvent.RETURN, by, Party.AGENCY, area_code=area)


def take_over(
    unit: Unit, by: str, matter_id: str, letter: LetterOfArea | None
) -> TransferView | Refusal:
    """Book a transfer: months count on, the account's balance moves between the two areas.

    ``letter`` is of another province and is ``None`` for an area of ours, whose books are asked. A
    refusal leaves the rollback to the caller.
    """
    matter = waiting(unit, matter_id)
    if matter is None:
        return MatterNotFound()
    form = TRANSFER.read(matter)
    people.lock_person(unit, matter.person_id)
    to_id = matter.enrolment_id
    problem = _problem(unit, matter.person_id, form, to_id, local_day(unit.now))
    if problem is not None:
        return problem
    source = source_of(unit, matter.person_id, form.from_area, to_id)
    if source is not None:
        letter = letter_on(unit, source)
        free = ledger_queries.free(unit, accounts.personal(source))
        if free is not None and free < letter.balance_fen:
            return EnrolmentNotPossible(EnrolProblem.MONEY_HELD)
    if letter is None or not (0 <= letter.months <= _MONTHS_MAX and letter.balance_fen >= 0):
        return EnrolmentNotPossible(EnrolProblem.LETTER)
    if matter.state is MatterState.SUBMITTED and not handed_on(unit, by, matter_id):
        return MatterNotFound()
    moved = letter if _has_account(unit, to_id) else LetterOfArea(letter.months, Fen(0))
    row = Transfer(
        id=unit.new_id(),
        matter_id=matter_id,
        from_area=form.from_area,
        from_enrolment_id=source,
        to_enrolment_id=to_id,
        months=moved.months,
        balance_fen=moved.balance_fen,
        done_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    _move_balance(unit, row, people.area_of_enrolment(unit, to_id))
    matter_service.move(unit, matter_id, MatterEvent.APPROVE, by, Party.AGENCY)
    matter_service.move(
        unit, matter_id, MatterEvent.TAKE_EFFECT, "system", Party.SYSTEM, result_id=row.id
    )
    facts = {"months": row.months, "balance_fen": row.balance_fen, "from": row.from_area}
    audit.record(unit, by, "transfer.take_over", f"enrolment:{to_id}", facts)
    return queries.transfers_to(unit, [to_id])[-1]


def _has_account(unit: Unit, enrolment_id: str) -> bool:
    return ledger_queries.balance(unit, accounts.personal(enrolment_id)) is not None


def _move_balance(unit: Unit, row: Transfer, to_area: str) -> None:
    """Move an account's balance; what each area has put into accounts follows it."""
    amount = row.balance_fen
    if not amount:
        return
    postings = [
        Posting(accounts.personal(row.to_enrolment_id), Fen(amount)),
        Posting(accounts.contributions(to_area), Fen(-amount)),
    ]
    if row.from_enrolment_id is not None:
        postings += [
            Posting(accounts.personal(row.from_enrolment_id), Fen(-amount)),
            Posting(accounts.contributions(row.from_area), Fen(amount)),
        ]
    ledger.post(unit, EntryKind.RELOCATION, row.id, "医保关系转移接续", postings)


TRANSFER = Procedure(
    MatterKind.TRANSFER,
    TypeAdapter(TransferForm),
    _judge,
    _take,
    _standing,
    area=_area,
)
