"""腹膜透析按人头付费: a patient signs with a pilot hospital, changes to another, lets it rest or resumes it.

The agency enters what the two have signed; it counts from the month after (PD-1). A pilot hospital takes as
many as it has seats. The only text known is a municipal pilot's, so no region has this unless a pack of
the topic ``capitation`` says so; that a month is the unit of resting is our reading (PD-4).
"""

from __future__ import annotations

from datetime import date

from pydantic import TypeAdapter

from backend.entitlements import logic, queries, service
from backend.entitlements.contracts import (
    AgreementNotPossible,
    CapitationAct,
    CapitationAgreement,
    CapitationForm,
    CapitationNotPossible,
    CapitationProblem,
    Pilot,
)
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import Agreement
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
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
from backend.rulebook.library import rulebook

_P = CapitationProblem
_SIGNED = ((Requirement.SIGNED_AGREEMENT,),)
_MONTHS_MAX = 12


def _judge(unit: Unit, form: CapitationForm, asked: Asked) -> Judged | Refusal:
    book = rulebook()
    logic.month_amount(asked.area_code, asked.today, book)
    days = book.find(asked.area_code, "capitation.review_workdays", asked.today).count
    today = asked.today
    problem = _problem(unit, form, asked.enrolment_id, asked.area_code, today, today)
    if problem is not None:
        return CapitationNotPossible(problem)
    signs = form.act in (CapitationAct.SIGN, CapitationAct.CHANGE)
    return Judged(_SIGNED if signs else (), days)


def _standing(unit: Unit, form: CapitationForm, matter: MatterView, asked: Asked) -> Refusal | None:
    under_way = matters.in_state(unit, matter.enrolment_id, MatterKind.CAPITATION, NOT_DONE)
    if any(one.id != matter.id for one in under_way):
        return ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    return None


def _take(unit: Unit, by: str, matter: MatterView, form: CapitationForm) -> str | Refusal:
    """Enter what was signed, or let months rest or count again; looked at once more, the seat held."""
    today = local_day(unit.now)
    hospital = institutions.by_code(unit, form.hospital_code)
    if hospital is not None:
        queries.lock_pilot(unit, hospital.id, matter.area_code)
    asked_on = local_day(matter.submitted_at or unit.now)  # a month asked for in time still counts
    problem = _problem(unit, form, matter.enrolment_id, matter.area_code, today, asked_on)
    if problem is not None:
        return CapitationNotPossible(problem)
    held = queries.agreement_in(unit, matter.enrolment_id, logic.effective_from(today))
    if form.act in (CapitationAct.REST, CapitationAct.RESUME):
        named = _with_months(unit, matter.enrolment_id, form.months)
        if named is None:
            return CapitationNotPossible(_P.NOT_SIGNED)
        resting = form.act is CapitationAct.REST
        return service.rest_capitation(unit, by, named.id, form.months, resting).id
    if hospital is None:
        return CapitationNotPossible(_P.NO_PILOT)
    if held is not None:
        service.end_capitation(unit, by, held.id, logic.effective_from(today))
    made = service.sign_capitation(unit, by, matter.enrolment_id, hospital.id, today)
    if isinstance(made, AgreementNotPossible):
        return CapitationNotPossible(_P.SIGNED_ALREADY)
    return made.id


def _problem(
    unit: Unit, form: CapitationForm, enrolment_id: str, area: str, today: date, asked_on: date
) -> CapitationProblem | None:
    if form.act in (CapitationAct.REST, CapitationAct.RESUME):
        return _of_months(unit, form, enrolment_id, asked_on)
    starts = logic.effective_from(today)
    held = queries.agreement_in(unit, enrolment_id, starts)
    if not queries.has_disease(unit, enrolment_id, queries.DIALYSIS, today):
        return _P.NO_DISEASE
    hospital = institutions.by_code(unit, form.hospital_code)
    if hospital is None or hospital.agreement is not Agreement.OPEN:
        return _P.NO_PILOT
    free = queries.free_seats(unit, hospital.id, area, starts)
    if free is None:
        return _P.NO_PILOT
    if form.act is CapitationAct.SIGN and held is not None:
        return _P.SIGNED_ALREADY
    if form.act is CapitationAct.CHANGE:
        if held is None:
            return _P.NOT_SIGNED
        if held.institution_id == hospital.id:
            return _P.SAME_HOSPITAL
        if not form.words.strip():
            return _P.WORDS
    return _P.NO_SEAT if free < 1 else None


def _of_months(
    unit: Unit, form: CapitationForm, enrolment_id: str, asked_on: date
) -> CapitationProblem | None:
    """Return what is wrong with months to rest or to resume: whole ones from that of the asking on."""
    months = form.months
    first = asked_on.replace(day=1)
    if not 1 <= len(set(months)) == len(months) <= _MONTHS_MAX:
        return _P.MONTHS
    if any(one.day != 1 or one < first for one in months):
        return _P.MONTHS
    held = _with_months(unit, enrolment_id, months)
    if held is None:
        return _P.NOT_SIGNED
    pilot = Pilot(held.institution_id, *people.scheme_of(unit, enrolment_id))
    if any(queries.month_is_cleared(unit, pilot, one) for one in months):
        return _P.MONTHS
    resting = form.act is CapitationAct.REST
    if any((one in held.suspended_months) is resting for one in months):
        return _P.MONTHS
    return _P.WORDS if resting and not form.words.strip() else None


def _with_months(
    unit: Unit, enrolment_id: str, months: tuple[date, ...]
) -> CapitationAgreement | None:
    """Return the agreement that stands in all of some months."""
    found = queries.agreement_in(unit, enrolment_id, months[0])
    return found if found is not None and all(found.signed_in(one) for one in months) else None


CAPITATION = Procedure(
    MatterKind.CAPITATION,
    TypeAdapter(CapitationForm),
    _judge,
    _take,
    _standing,
    names=lambda unit, form: institutions.names_of(unit, [form.hospital_code]),
)
