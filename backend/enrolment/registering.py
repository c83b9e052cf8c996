"""参保登记 from the phone: a resident registers, the agency looks at it, the paid bill brings it about."""

from __future__ import annotations

from datetime import date

from pydantic import TypeAdapter

from backend.enrolment import logic, queries, service
from backend.enrolment.contracts import (
    ContributionState,
    EnrolForm,
    EnrolmentNotPossible,
    EnrolProblem,
)
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.matters import queries as matters
from backend.matters.contracts import (
    ApplicationNotPossible,
    ApplyProblem,
    MatterKind,
    MatterView,
    Requirement,
)
from backend.matters.procedure import NOT_DONE, Asked, Judged, Procedure
from backend.people import queries as people
from backend.people import service as people_service
from backend.people.contracts import AccountKind, EnrolmentInput, InsuranceType
from backend.regions.library import divisions, insured_area_of
from backend.rulebook.library import rulebook

_ADDRESS_MAX = 200


def _area(form: EnrolForm, insured: str) -> str:
    return insured_area_of(form.division_code)


def _judge(unit: Unit, form: EnrolForm, asked: Asked) -> Judged | Refusal:
    book, today = rulebook(), asked.today
    place = divisions().get(form.division_code)
    known = people.particulars(unit, asked.person_id)
    if place is None or place.level != "county" or not _served(unit, form.division_code):
        return EnrolmentNotPossible(EnrolProblem.PLACE)
    if not logic.kind_fits(form.person_kind, known.birth_date, today):
        return EnrolmentNotPossible(EnrolProblem.KIND)
    tiers = book.find(asked.area_code, "enrolment.tiers", today).items
    if not logic.tier_fits(form.person_kind, form.tier, tiers):
        return EnrolmentNotPossible(EnrolProblem.TIER)
    if form.year not in logic.years_open(asked.area_code, today, book):
        return EnrolmentNotPossible(EnrolProblem.YEAR)
    if not 0 < len(form.address.strip()) <= _ADDRESS_MAX:
        return EnrolmentNotPossible(EnrolProblem.ADDRESS)
    needed: tuple[tuple[Requirement, ...], ...] = (
        (Requirement.ID_PHOTO, Requirement.HOUSEHOLD_REGISTER),
    )
    if not form.local_household:
        needed = (*needed, (Requirement.RESIDENCE_PROOF,))
    days = book.find(asked.area_code, "enrolment.review_workdays", today).count
    return Judged(needed, days)


def _standing(unit: Unit, form: EnrolForm, matter: MatterView, asked: Asked) -> Refusal | None:
    kind = MatterKind.ENROLMENT
    for one in matters.of_person_in(unit, asked.person_id, kind, NOT_DONE):
        if one.id != matter.id and REGISTRATION.read(one).year == form.year:
            return ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    return _taken(unit, asked.person_id, form, asked.today)


def _taken(unit: Unit, person_id: str, form: EnrolForm, today: date) -> EnrolmentNotPossible | None:
    """Return why somebody cannot be insured for that year once more."""
    first = date(form.year, 1, 1)
    if service.insured_otherwise(unit, person_id, None, max(first, today)):
        return EnrolmentNotPossible(EnrolProblem.INSURED_ALREADY)
    mine = people.enrolment_ids(unit, person_id)
    states = {one.state for one in queries.contributions(unit, mine, form.year) if one.bill_number}
    if ContributionState.PAID in states:
        return EnrolmentNotPossible(EnrolProblem.PAID_ALREADY)
    if ContributionState.DUE in states:
        return EnrolmentNotPossible(EnrolProblem.BILL_OPEN)
    return None


def _take(unit: Unit, by: str, matter: MatterView, form: EnrolForm) -> Refusal | None:
    """Make enrolment and bill; it takes effect once the bill is paid."""
    people.lock_person(unit, matter.person_id)
    refusal = _taken(unit, matter.person_id, form, local_day(unit.now))
    if refusal is not None:
        return refusal
    enrolment_id = people_service.add_enrolment(
        unit,
        matter.person_id,
        EnrolmentInput(
            _area(form, ""),
            InsuranceType.RESIDENT,
            AccountKind.NONE,
            Fen(0),
            (),
            division_code=form.division_code,
        ),
    )
    service.make_bill(unit, by, enrolment_id, form.year, form.person_kind, form.tier, matter.id)
    return None


def _served(unit: Unit, division: str) -> bool:
    """Tell whether a county lies in the province that runs this installation."""
    return division[:2] == unit.settings.region[:2]


REGISTRATION = Procedure(
    MatterKind.ENROLMENT,
    TypeAdapter(EnrolForm),
    _judge,
    _take,
    _standing,
    enrolled=False,
    insured=False,
    area=_area,
    county=lambda form: form.division_code,
)
