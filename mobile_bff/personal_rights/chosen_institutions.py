"""C6 定点选定与家庭医生签约: primary institutions and a doctor team, with the day from which they count."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.choices import logic, queries
from backend.choices.contracts import (
    ChoiceForm,
    ChoiceNotPossible,
    ChosenView,
    ReferralView,
    TeamContractView,
    TeamForm,
    TeamView,
)
from backend.choices.service import CHOICE, DOCTOR_TEAM
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.people import queries as people
from backend.people.logic import paying_enrolment
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from mobile_bff.applications import FORM, ApplicationType, saved
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type

_REFERRALS_MAX = 50
MODULE = AppModule(
    "C6",
    "定点选定与家庭医生签约",
    "定点与家医",
    "Chosen institutions and family doctor",
    ModuleState.AVAILABLE,
    "可选定基层机构（按规则的生效日）、与家庭医生团队签约续签；选定机构可在线转诊，参保地规定与选定挂钩的，报销比例随之计算。",
)


@strawberry.type(description="A chosen institution.")
class ChosenInstitution:
    """From a day to a day."""

    institution: InstitutionType = strawberry.field(description="The institution.")
    starts: date = strawberry.field(description="From which day.")
    ends: date | None = strawberry.field(description="Until which day; null: no end.")


@strawberry.type(name="DoctorTeam", description="A team of family doctors.")
class DoctorTeamType:
    """With the places that it has left."""

    team_id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="Its name.")
    leader: str = strawberry.field(description="Who leads it.")
    institution: InstitutionType = strawberry.field(description="Where it works.")
    places_left: int = strawberry.field(description="How many more it can take.")


@strawberry.type(description="A contract with a team of family doctors.")
class TeamContract:
    """From a day to a day."""

    team: DoctorTeamType = strawberry.field(description="The team.")
    starts: date = strawberry.field(description="From which day.")
    ends: date = strawberry.field(description="Until which day.")
    renew_from: date = strawberry.field(description="From which day another one may follow.")


@strawberry.type(description="A referral, as the patient sees it.")
class PatientReferral:
    """By whom, to whom, and until when it counts."""

    sent_by: InstitutionType = strawberry.field(description="Who refers.")
    sent_to: InstitutionType = strawberry.field(description="Where to.")
    starts: date = strawberry.field(description="First day.")
    ends: date = strawberry.field(description="Last day on which care there counts as referred.")
    reason: str = strawberry.field(description="Why.")


@strawberry.type(description="How choosing and signing goes in the insured area.")
class ChoiceRulesType:
    """Numbers and days."""

    count_max: int = strawberry.field(description="How many institutions at most.")
    level_max: int = strawberry.field(description="Of which level at most.")
    counts_from: date = strawberry.field(description="From when a choice made today counts.")
    team_months: int = strawberry.field(description="For how many months a team is signed.")
    team_workdays: int = strawberry.field(description="In how many working days it is answered.")
    provisional: bool = strawberry.field(
        description="Whether a number of these rests on no official text."
    )


@strawberry.input(description="Saves a choice of primary institutions as a draft.")
class SaveChoiceInput:
    """Which institutions."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="Under which insurance; null: the one that pays."
    )
    institution_codes: list[str] = strawberry.field(
        description="Codes of the institutions; they take the place of those before."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.input(description="Saves an application to sign with a doctor team as a draft.")
class SaveDoctorTeamInput:
    """Which team."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="Under which insurance; null: the one that pays."
    )
    team_id: strawberry.ID = strawberry.field(description="The team.")
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


def _team(view: TeamView, places: dict[str, InstitutionView]) -> DoctorTeamType:
    return DoctorTeamType(
        team_id=strawberry.ID(view.id),
        name=view.name,
        leader=view.leader,
        institution=institution_type(places[view.institution_id]),
        places_left=view.places_left,
    )


@strawberry.type
class ChoiceQueries:
    """Chosen institutions and doctor teams of a person."""

    subject: strawberry.Private[str]

    @strawberry.field(description="What is chosen, and what is to count later, in order.")
    async def chosen_institutions(self, info: Info) -> list[ChosenInstitution]:
        """Return choices that are not over."""

        def read(unit: Unit) -> tuple[list[ChosenView], dict[str, InstitutionView]]:
            ids = people.enrolment_ids(unit, self.subject)
            chosen = queries.chosen_on(unit, ids, local_day(unit.now))
            return chosen, institutions.institutions(unit, [c.institution_id for c in chosen])

        chosen, places = await info.context.door.read(read)
        return [
            ChosenInstitution(
                institution=institution_type(places[one.institution_id]),
                starts=one.starts,
                ends=one.ends,
            )
            for one in chosen
        ]

    @strawberry.field(description="Contracts with doctor teams that are not over, in order.")
    async def team_contracts(self, info: Info) -> list[TeamContract]:
        """Return contracts."""

        def read(unit: Unit) -> tuple[list[TeamContractView], dict[str, InstitutionView]]:
            ids, today = people.enrolment_ids(unit, self.subject), local_day(unit.now)
            paying = paying_enrolment(people.enrolments_on(unit, self.subject, today))
            try:
                area = "" if paying is None else paying.area_code
                renew = logic.rules_on(area, today, rulebook()).team_renew_days
            except RuleMissing:
                renew = 0
            found = queries.contracts_of(unit, ids, today, renew)
            return found, institutions.institutions(unit, [c.team.institution_id for c in found])

        found, places = await info.context.door.read(read)
        return [
            TeamContract(
                team=_team(one.team, places),
                starts=one.starts,
                ends=one.ends,
                renew_from=one.renew_from,
            )
            for one in found
        ]

    @strawberry.field(description="Doctor teams of the insured area.")
    async def doctor_teams(self, info: Info, first: int | None = None) -> list[DoctorTeamType]:
        """Return teams with the places that they have left."""
        size = page_size(first)

        def read(unit: Unit) -> tuple[list[TeamView], dict[str, InstitutionView]]:
            today = local_day(unit.now)
            paying = paying_enrolment(people.enrolments_on(unit, self.subject, today))
            if paying is None:
                return [], {}
            found = queries.teams_of_area(unit, paying.area_code, today, size)
            return found, institutions.institutions(unit, [one.institution_id for one in found])

        found, places = await info.context.door.read(read)
        return [_team(one, places) for one in found]

    @strawberry.field(description="Referrals by chosen institutions, the latest first.")
    async def referrals(self, info: Info) -> list[PatientReferral]:
        """Return referrals."""

        def read(unit: Unit) -> tuple[list[ReferralView], dict[str, InstitutionView]]:
            ids = people.enrolment_ids(unit, self.subject)
            found = queries.referrals_of(unit, ids, _REFERRALS_MAX)
            named = [one.from_institution_id for one in found]
            named += [one.to_institution_id for one in found]
            return found, institutions.institutions(unit, named)

        found, places = await info.context.door.read(read)
        return [
            PatientReferral(
                sent_by=institution_type(places[one.from_institution_id]),
                sent_to=institution_type(places[one.to_institution_id]),
                starts=one.starts,
                ends=one.ends,
                reason=one.reason,
            )
            for one in found
        ]

    @strawberry.field(
        description="How choosing goes where the person is insured; null: no rules are loaded."
    )
    async def choice_rules(self, info: Info) -> ChoiceRulesType | None:
        """Return the rules of the insured area."""

        def read(unit: Unit) -> ChoiceRulesType | None:
            today = local_day(unit.now)
            paying = paying_enrolment(people.enrolments_on(unit, self.subject, today))
            if paying is None:
                return None
            try:
                rules = logic.rules_on(paying.area_code, today, rulebook())
            except RuleMissing:
                return None
            return ChoiceRulesType(
                count_max=rules.count_max,
                level_max=rules.level_max,
                counts_from=logic.counts_from(rules.effective, today),
                team_months=rules.team_months,
                team_workdays=rules.team_review_workdays,
                provisional=rules.provisional,
            )

        return await info.context.door.read(read)


@strawberry.type
class ChoiceMutations:
    """Choosing and signing."""

    @strawberry.mutation(
        description="Save a choice of primary institutions as a draft; submitted, it is made at once.",
        graphql_type=result_union(
            "SaveChoiceResult", ApplicationType, (*KEYED, *FORM, ChoiceNotPossible)
        ),
    )
    async def save_choice(self, info: Info, input: SaveChoiceInput) -> Any:
        """Save a draft."""
        return await saved(info, CHOICE, input, ChoiceForm(tuple(input.institution_codes)))

    @strawberry.mutation(
        description="Save an application to sign with a doctor team as a draft.",
        graphql_type=result_union(
            "SaveDoctorTeamResult", ApplicationType, (*KEYED, *FORM, ChoiceNotPossible)
        ),
    )
    async def save_doctor_team(self, info: Info, input: SaveDoctorTeamInput) -> Any:
        """Save a draft."""
        return await saved(info, DOCTOR_TEAM, input, TeamForm(input.team_id))
