"""Applying for a chronic disease (门诊慢特病): two experts look first, the agency checks, and it is dated."""

from __future__ import annotations

from datetime import date, timedelta

from pydantic import TypeAdapter

from backend.entitlements import logic, queries
from backend.entitlements.contracts import ChronicForm, ChronicNotPossible, ChronicProblem
from backend.entitlements.service import record_disease
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import Ability, Agreement
from backend.kernel.calendar import add_months, local_day
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

_NEEDED = ((Requirement.DIAGNOSIS,), (Requirement.RECORDS,), (Requirement.LAB_REPORTS,))


def _judge(unit: Unit, form: ChronicForm, asked: Asked) -> Judged | Refusal:
    book = rulebook()
    insurance = people.scheme_of(unit, asked.enrolment_id)[1]
    if form.disease not in logic.listed(asked.area_code, insurance, asked.today, book):
        return ChronicNotPossible(ChronicProblem.UNKNOWN_DISEASE)
    hospital = institutions.by_code(unit, form.hospital_code)
    if (
        hospital is None
        or hospital.agreement is not Agreement.OPEN
        or Ability.CHRONIC_DISEASE not in hospital.abilities
        or hospital.area_code != asked.area_code
    ):
        return ChronicNotPossible(ChronicProblem.HOSPITAL_NOT_FIT)
    rules = logic.review_rules(asked.area_code, asked.today, book)
    held = queries.disease_until(unit, asked.enrolment_id, form.disease, asked.today)
    if held is not None and (
        held.ends is None or asked.today < held.ends - timedelta(days=rules.renew_ahead_days)
    ):
        return ChronicNotPossible(ChronicProblem.ENTITLED_ALREADY)
    return Judged(_NEEDED, rules.review_workdays)


def _standing(unit: Unit, form: ChronicForm, matter: MatterView, asked: Asked) -> Refusal | None:
    under_way = matters.in_state(unit, matter.enrolment_id, MatterKind.CHRONIC, NOT_DONE)
    for one in under_way:
        if one.id != matter.id and CHRONIC.read(one).disease == form.disease:
            return ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    return None


def _take(unit: Unit, by: str, matter: MatterView, form: ChronicForm) -> str:
    """Entitle from today, or from the day after what is held runs out, for the months of the rule."""
    today = local_day(unit.now)
    months = logic.review_rules(matter.area_code, today, rulebook()).valid_months
    held = queries.disease_until(unit, matter.enrolment_id, form.disease, today)
    starts = today if held is None or held.ends is None else held.ends + timedelta(days=1)
    hospital = institutions.by_code(unit, form.hospital_code)
    return record_disease(
        unit,
        by,
        matter.enrolment_id,
        form.disease,
        starts,
        add_months(starts, months) - timedelta(days=1),
        None if hospital is None else hospital.id,
        matter.id,
    )


def _appeal_days(area: str, day: date) -> int:
    return logic.review_rules(area, day, rulebook()).appeal_workdays


def _experts(area: str, day: date) -> int:
    return logic.review_rules(area, day, rulebook()).experts


CHRONIC = Procedure(
    MatterKind.CHRONIC,
    TypeAdapter(ChronicForm),
    _judge,
    _take,
    _standing,
    appeal_days=_appeal_days,
    experts=_experts,
    names=lambda unit, form: institutions.names_of(unit, [form.hospital_code]),
)
