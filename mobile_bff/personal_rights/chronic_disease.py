"""C5 门诊慢特病待遇: what is held and left of it, which diseases can be applied for, and applying."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import strawberry

from backend.entitlements import logic, queries
from backend.entitlements.applying import CHRONIC
from backend.entitlements.contracts import (
    CapitationAct,
    CapitationAgreement,
    CapitationForm,
    CapitationNotPossible,
    ChronicForm,
    ChronicNotPossible,
    ChronicView,
    EntitlementState,
)
from backend.entitlements.signing import CAPITATION
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
_WORDS_MAX = 200


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


@strawberry.type(name="CapitationAgreement", description="An agreement with a pilot hospital.")
class AgreementType:
    """From which month to which."""

    hospital: InstitutionType = strawberry.field(description="The pilot hospital.")
    first_month: date = strawberry.field(description="First month that counts, as its first day.")
    last_month: date = strawberry.field(description="Last month that counts, as its first day.")
    resting: list[date] = strawberry.field(description="Months that rest, as first days.")


@strawberry.type(name="PilotHospital", description="A hospital with which one can sign.")
class PilotType:
    """Its seats."""

    hospital: InstitutionType = strawberry.field(description="The hospital.")
    seats: int = strawberry.field(description="How many it can take.")
    free: int = strawberry.field(description="How many are free from the next month on.")


@strawberry.type(name="Capitation", description="Peritoneal dialysis paid by head, in a pilot.")
class CapitationType:
    """Agreements, and with whom one can sign."""

    counts_from: date = strawberry.field(
        description="From which month what is approved this month counts, as its first day."
    )
    agreements: list[AgreementType] = strawberry.field(description="The latest first.")
    pilots: list[PilotType] = strawberry.field(description="Pilot hospitals of the insured area.")


@strawberry.input(description="Saves an application about a capitation agreement as a draft.")
class SaveCapitationInput:
    """Sign, change, rest or resume."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="Under which insurance; null: the one that pays."
    )
    act: CapitationAct = strawberry.field(description="What is asked.")
    hospital_code: str = strawberry.field(
        default="", description="Of signing and changing: the pilot hospital."
    )
    months: list[date] = strawberry.field(
        default_factory=list, description="Of resting and resuming: months, as first days."
    )
    words: str = strawberry.field(
        default="", description="Of changing and resting: why, at most 200 characters."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


def _agreement(view: CapitationAgreement, places: Mapping[str, InstitutionView]) -> AgreementType:
    return AgreementType(
        hospital=institution_type(places[view.institution_id]),
        first_month=view.effective_from,
        last_month=view.ends,
        resting=list(view.suspended_months),
    )


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
        description="Capitation agreements for peritoneal dialysis, and with whom one can sign; null"
        " where the insured area has none, which is everywhere but in a pilot."
    )
    async def capitation(self, info: Info) -> CapitationType | None:
        """Return agreements and pilot hospitals of the insured area."""

        def read(unit: Unit) -> CapitationType | None:
            paying, today = _paying(unit, self.subject), local_day(unit.now)
            if paying is None:
                return None
            try:
                logic.month_amount(paying.area_code, today, rulebook())
            except RuleMissing:
                return None
            starts = logic.effective_from(today)
            seats = queries.pilots(unit, paying.area_code, starts, _LISTED_MAX)
            ids = people.enrolment_ids(unit, self.subject)
            held = queries.agreements_of_person(unit, ids)
            named = [one.institution_id for one in held] + [one.institution_id for one in seats]
            places = institutions.institutions(unit, named)
            return CapitationType(
                counts_from=starts,
                agreements=[_agreement(one, places) for one in held],
                pilots=[
                    PilotType(
                        hospital=institution_type(places[one.institution_id]),
                        seats=one.seats,
                        free=one.free,
                    )
                    for one in seats
                ],
            )

        return await info.context.door.read(read)

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

    @strawberry.mutation(
        description="Save an application to sign, change, rest or resume a capitation agreement.",
        graphql_type=result_union(
            "SaveCapitationResult", ApplicationType, (*KEYED, *FORM, CapitationNotPossible)
        ),
    )
    async def save_capitation(self, info: Info, input: SaveCapitationInput) -> Any:
        """Save a draft."""
        form = CapitationForm(
            input.act, input.hospital_code, tuple(sorted(input.months)), input.words[:_WORDS_MAX]
        )
        return await saved(info, CAPITATION, input, form)
