"""How complaints and suggestions are worked: by the agency of the place, answered in words, opened anew."""

from __future__ import annotations

from pydantic import TypeAdapter

from backend.complaints.contracts import (
    ComplaintForm,
    ComplaintNotPossible,
    ComplaintProblem,
)
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.matters.contracts import MatterKind, MatterView
from backend.matters.procedure import Asked, Judged, Procedure
from backend.people import queries as people
from backend.people.logic import paying_enrolment
from backend.regions.library import PROVINCE_POOLS, divisions, province_code

WORDS_MAX = 1_000


def where_to(unit: Unit, person_id: str, institution_code: str) -> str:
    """Return whose agency answers: of the institution, else of the insurance, else the province's."""
    place = institutions.by_code(unit, institution_code) if institution_code else None
    if place is not None:
        return place.area_code
    insured = paying_enrolment(people.enrolments_on(unit, person_id, local_day(unit.now)))
    return unit.settings.region if insured is None else insured.area_code


def _judge(unit: Unit, form: ComplaintForm, asked: Asked) -> Judged | Refusal:
    problem = _problem(unit, form, asked)
    if problem is not None:
        return ComplaintNotPossible(problem)
    return Judged((), unit.settings.complaint_answer_workdays)


def _problem(unit: Unit, form: ComplaintForm, asked: Asked) -> ComplaintProblem | None:
    known = form.area_code in divisions() or form.area_code in PROVINCE_POOLS
    if not known or province_code(form.area_code) != province_code(unit.settings.region):
        return ComplaintProblem.PLACE
    if not 0 < len(form.words.strip()) <= WORDS_MAX:
        return ComplaintProblem.WORDS
    if form.institution_code and institutions.by_code(unit, form.institution_code) is None:
        return ComplaintProblem.INSTITUTION
    late = form.happened_on is not None and form.happened_on > asked.today
    return ComplaintProblem.DAY if late else None


def _take(unit: Unit, by: str, matter: MatterView, form: ComplaintForm) -> str:
    """Nothing but the answer, which stands in the steps."""
    return matter.id


def _names(unit: Unit, form: ComplaintForm) -> dict[str, str]:
    codes = (form.institution_code,) if form.institution_code else ()
    return institutions.names_of(unit, codes)


COMPLAINT = Procedure(
    MatterKind.COMPLAINT,
    TypeAdapter(ComplaintForm),
    _judge,
    _take,
    enrolled=False,
    insured=False,
    area=lambda form, _insured: form.area_code,
    names=_names,
    answers=True,
)
