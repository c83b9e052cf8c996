"""C5 门诊慢特病待遇: what is held and left of it, which diseases can be applied for, and applying."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.entitlements import logic, queries
from backend.entitlements.applying import CHRONIC
from backend.entitlements.contracts import (
    ChronicForm,
    ChronicNotPossible,
    ChronicView,
    EntitlementState,
)
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import Ability, InstitutionKind, InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.payments.outlook import Quota, quotas
from backend.people import queries as people
from backend.people.contracts import EnrolmentView
from backend.people.logic import paying_enrolment
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from mobile_bff.applications import FORM, ApplicationType, saved
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, result_union
from mobile_bff.explanation import disease_name
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money_or_none
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "C5",
    "门诊慢特病待遇",
    "门诊慢特病",
    "Chronic-disease benefits",
    ModuleState.AVAILABLE,
    "可查已认定病种、限额和剩余；可在线申请认定和复审：两名专家初审、经办复核、可申诉。",
)
_LISTED_MAX = 100


@strawberry.type(description="A listed disease, and what a year still allows for it.")
class ChronicDisease:
    """What somebody may have treated as 门诊慢特病."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    disease: str = strawberry.field(description="Code of the disease, as bills name it.")
    disease_name: str = strawberry.field(description="Its name.")
    starts: date = strawberry.field(description="From which day.")
    ends: date | None = strawberry.field(description="Until which day; null: no end.")
    state: EntitlementState = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(description="Where it stands, in words.")
    renew_from: date | None = strawberry.field(
        description="From which day its renewal may be applied for; null: no end."
    )
    cross_province: bool = strawberry.field(
        description="Whether it is settled directly in other provinces too."
    )
    hospital: InstitutionType | None = strawberry.field(
        description="Whose experts found it; null: on file from before."
    )
    limit: Money | None = strawberry.field(
        description="What the fund pays at most in a year; null: no limit, or none known."
    )
    left: Money | None = strawberry.field(description="What is left of it this year.")


@strawberry.type(description="A disease that can be applied for.")
class ChronicChoice:
    """A listed disease of the insured area."""

    disease: str = strawberry.field(description="Its code.")
    disease_name: str = strawberry.field(description="Its name.")
    cross_province: bool = strawberry.field(
        description="Whether it is settled directly in other provinces too."
    )


@strawberry.type(description="What an application for a chronic disease can name, and how it goes.")
class ChronicChoices:
    """Diseases, hospitals and days, as the insured area has them today."""

    diseases: list[ChronicChoice] = strawberry.field(description="The listed diseases.")
    hospitals: list[InstitutionType] = strawberry.field(
        description="Hospitals of the insured area whose experts look at it."
    )
    workdays: int = strawberry.field(description="In how many working days it is decided.")
    experts: int = strawberry.field(description="How many experts of one mind it takes.")
    valid_months: int = strawberry.field(description="After how many months it is renewed.")
    provisional: bool = strawberry.field(
        description="Whether a number of these rests on no official text."
    )


@strawberry.input(description="Saves an application for a chronic disease as a draft.")
class SaveChronicInput:
    """Which disease, and whose experts look at it."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="Under which insurance; null: the one that pays."
    )
    disease: str = strawberry.field(description="Code of the disease.")
    hospital_code: str = strawberry.field(description="Code of the hospital.")
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


def _held(
    view: ChronicView, hospital: InstitutionView | None, quota: Quota | None, locale: Locale
) -> ChronicDisease:
    return ChronicDisease(
        id=strawberry.ID(view.id),
        disease=view.disease,
        disease_name=disease_name(view.disease, locale),
        starts=view.starts,
        ends=view.ends,
        state=view.state,
        status=status(view.state, locale),
        renew_from=view.renew_from,
        cross_province=view.cross_province,
        hospital=None if hospital is None else institution_type(hospital),
        limit=money_or_none(None if quota is None else quota.limit_fen, locale),
        left=money_or_none(
            None if quota is None or quota.limit_fen is None else quota.left_fen, locale
        ),
    )


def _paying(unit: Unit, person_id: str) -> EnrolmentView | None:
    return paying_enrolment(people.enrolments_on(unit, person_id, local_day(unit.now)))


@strawberry.type
class ChronicQueries:
    """Chronic diseases of a person."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Chronic diseases on file, those begun last first.")
    async def chronic_diseases(self, info: Info) -> list[ChronicDisease]:
        """Return what is held, was or will be, with what the year still allows."""

        def read(
            unit: Unit,
        ) -> tuple[list[ChronicView], dict[str, InstitutionView], dict[str, Quota]]:
            enrolments = people.enrolment_ids(unit, self.subject)
            views = queries.diseases_of(unit, enrolments, _LISTED_MAX)
            hospitals = institutions.institutions(
                unit, [one.hospital_id for one in views if one.hospital_id is not None]
            )
            paying = _paying(unit, self.subject)
            if paying is None:
                return views, hospitals, {}
            now = [v.disease for v in views if v.enrolment_id == paying.id and _counts(v)]
            return views, hospitals, quotas(unit, paying, now, local_day(unit.now))

        views, hospitals, left = await info.context.door.read(read)
        return [
            _held(
                view,
                hospitals.get(view.hospital_id or ""),
                left.get(view.disease) if _counts(view) else None,
                info.context.locale,
            )
            for view in views
        ]

    @strawberry.field(
        description="What can be applied for; null where the area's list is not loaded."
    )
    async def chronic_choices(self, info: Info) -> ChronicChoices | None:
        """Return diseases, hospitals and days of the insured area."""
        locale = info.context.locale

        def read(unit: Unit) -> ChronicChoices | None:
            paying, today, book = _paying(unit, self.subject), local_day(unit.now), rulebook()
            if paying is None:
                return None
            area = paying.area_code
            try:
                diseases = logic.listed(area, paying.insurance_type, today, book)
                rules = logic.review_rules(area, today, book)
            except RuleMissing:
                return None
            places = institutions.able(
                unit, area, InstitutionKind.HOSPITAL, Ability.CHRONIC_DISEASE, _LISTED_MAX
            )
            return ChronicChoices(
                diseases=[
                    ChronicChoice(
                        disease=one,
                        disease_name=disease_name(one, locale),
                        cross_province=queries.crosses_provinces(one, area, today),
                    )
                    for one in diseases
                ],
                hospitals=[institution_type(place) for place in places],
                workdays=rules.review_workdays,
                experts=rules.experts,
                valid_months=rules.valid_months,
                provisional=rules.provisional,
            )

        return await info.context.door.read(read)


def _counts(view: ChronicView) -> bool:
    return view.state in (EntitlementState.ACTIVE, EntitlementState.REVIEW_DUE)


@strawberry.type
class ChronicMutations:
    """Applying for a chronic disease."""

    @strawberry.mutation(
        description="Save an application for a chronic disease, or its renewal, as a draft.",
        graphql_type=result_union(
            "SaveChronicResult", ApplicationType, (*KEYED, *FORM, ChronicNotPossible)
        ),
    )
    async def save_chronic(self, info: Info, input: SaveChronicInput) -> Any:
        """Save a draft."""
        return await saved(info, CHRONIC, input, ChronicForm(input.disease, input.hospital_code))
