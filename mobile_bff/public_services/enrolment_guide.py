"""B6 参保登记与缴费指引: the waiting period told before it bites, registering as a resident, and bills."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.contracts import NotPermitted, SignInRequired
from backend.access.logic import own_id
from backend.enrolment import logic, service
from backend.enrolment.contracts import AskForBill, EnrolForm, EnrolmentNotPossible
from backend.enrolment.registering import REGISTRATION
from backend.infra.database import Unit
from backend.kernel.calendar import add_months, local_day
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.matters.contracts import MatterNotFound
from backend.people.contracts import PersonKind
from backend.people.logic import waiting_months
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from mobile_bff.applications import FORM, ApplicationType, saved
from mobile_bff.connections import BadInput
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.personal_rights.enrolments import ContributionType, contribution_type
from mobile_bff.scalars import Money, money

MODULE = AppModule(
    "B6",
    "参保登记与缴费指引",
    "参保缴费",
    "Enrolment and contributions",
    ModuleState.AVAILABLE,
    "缴费前先算等待期和待遇开始日；居民参保登记、开具缴费单（税务缴费链接）、缴费后自动参保；断保年度可补缴以缩短等待期。",
)
_YEARS_MAX = 60


@strawberry.type(description="How long a resident waits for benefits, told before paying.")
class WaitingPeriod:
    """Months, the first day of benefits, and what would shorten it."""

    months: int = strawberry.field(description="Months of waiting after the payment.")
    benefits_from: date = strawberry.field(description="First day of benefits, if paid that day.")
    months_if_repaired: int = strawberry.field(
        description="Months if every year of the gap that can be is paid back."
    )
    text: str = strawberry.field(description="The same in a sentence, also to read aloud.")
    rule: str = strawberry.field(description="Where it stands written.")


def _said(months: int, starts: date, repaired: int, locale: Locale) -> str:
    if locale is Locale.ZH:
        if not months:
            return f"没有等待期，{starts}起享受待遇。"
        shorter = (
            f"补缴断保年度可缩短到{repaired}个月，可在这里开具补缴单。" if repaired < months else ""
        )
        return f"等待期{months}个月，{starts}起享受待遇；等待期内发生的费用医保不支付。{shorter}"
    if not months:
        return f"There is no waiting; benefits begin on {starts}."
    shorter = (
        f" Paying the gap back shortens it to {repaired}; the bills are made here."
        if repaired < months
        else ""
    )
    return f"{months} months of waiting; benefits begin on {starts}, nothing before.{shorter}"


@strawberry.type(description="A tier of contribution.")
class TierChoice:
    """What a year costs in it."""

    tier: str = strawberry.field(description="Its name, as the rules have it.")
    contribution: Money = strawberry.field(description="What the insured pays for a year.")


@strawberry.type(description="What can be registered for in an area today.")
class RegistrationChoices:
    """Years and tiers."""

    years: list[int] = strawberry.field(
        description="This year, and the next one within its window."
    )
    tiers: list[TierChoice] = strawberry.field(description="Tiers; STUDENT is of who is no adult.")
    provisional: bool = strawberry.field(
        description="Whether a number here has no official source yet."
    )


@strawberry.input(description="Saves an application to be insured as a resident as a draft.")
class SaveEnrolmentInput:
    """Who registers where, as what, and for which year."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    division_code: str = strawberry.field(description="County or district (GB/T 2260).")
    person_kind: PersonKind = strawberry.field(description="Adult, child or pupil, or student.")
    tier: str = strawberry.field(description="Tier of contribution; STUDENT for who is no adult.")
    year: int = strawberry.field(description="The year of insurance.")
    address: str = strawberry.field(description="Where the person lives.")
    local_household: bool = strawberry.field(
        description="Whether the household register is of there; else a proof of residence is needed."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.input(description="Asks for the bill of a year.")
class AskForBillInput:
    """Whose insurance, and which year."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    enrolment_id: strawberry.ID = strawberry.field(description="The resident's insurance.")
    year: int = strawberry.field(
        description="The year: this one, the next within its window, or one of a gap to pay back."
    )
    tier: str | None = strawberry.field(
        default=None, description="Tier of contribution; null: the one before."
    )


@strawberry.type
class GuideQueries:
    """What anybody may ask before enrolling."""

    @strawberry.field(
        description="How long a resident waits for benefits; null: no such rule in that area then."
    )
    async def waiting_period(
        self,
        info: Info,
        area_code: str,
        gap_years: int,
        repaired_years: int | None = 0,
        newborn: bool | None = False,
        paid_on: date | None = None,
    ) -> WaitingPeriod | None:
        """Return the waiting period for an enrolment outside of the window or after a gap."""
        repaired = repaired_years or 0
        if not (0 <= repaired <= gap_years <= _YEARS_MAX):
            raise BadInput(f"0 ≤ repairedYears ≤ gapYears ≤ {_YEARS_MAX}")
        exempt = "NEWBORN" if newborn else None

        def read(unit: Unit) -> WaitingPeriod | None:
            day, book = paid_on or local_day(unit.now), rulebook()
            try:
                months = waiting_months(gap_years, repaired, exempt, area_code, day, book)
                least = waiting_months(gap_years, gap_years, exempt, area_code, day, book)
                ref = book.find(area_code, "waiting.fixed_months", day).ref
            except RuleMissing:
                return None
            starts = add_months(day, months)
            return WaitingPeriod(
                months=months,
                benefits_from=starts,
                months_if_repaired=least,
                text=_said(months, starts, least, info.context.locale),
                rule=f"《{ref.document}》{ref.number}",
            )

        return await info.context.door.read(read)

    @strawberry.field(
        description="Which years and tiers can be registered for in an area today; null: no rule there."
    )
    async def registration_choices(self, info: Info, area_code: str) -> RegistrationChoices | None:
        """Return the years and tiers."""

        def read(unit: Unit) -> tuple[tuple[int, ...], list[tuple[str, Fen]], bool] | None:
            today, book = local_day(unit.now), rulebook()
            try:
                years = logic.years_open(area_code, today, book)
                tiers = book.find(area_code, "enrolment.tiers", today)
                fee = "enrolment.resident_contribution"
                found = [(one, book.find(area_code, fee, today, tier=one)) for one in tiers.items]
            except RuleMissing:
                return None
            doubtful = tiers.ref.provisional or any(one.ref.provisional for _, one in found)
            return years, [(name, one.fen) for name, one in found], doubtful

        found = await info.context.door.read(read)
        if found is None:
            return None
        years, tiers, doubtful = found
        return RegistrationChoices(
            years=list(years),
            tiers=[
                TierChoice(tier=name, contribution=money(fen, info.context.locale))
                for name, fen in tiers
            ],
            provisional=doubtful,
        )


@strawberry.type
class RegisteringMutations:
    """Registering as a resident, and asking for a bill."""

    @strawberry.mutation(
        description="Save an application to be insured as a resident as a draft.",
        graphql_type=result_union(
            "SaveEnrolmentResult", ApplicationType, (*KEYED, *FORM, EnrolmentNotPossible)
        ),
    )
    async def save_enrolment(self, info: Info, input: SaveEnrolmentInput) -> Any:
        """Save a draft."""
        form = EnrolForm(
            input.division_code,
            input.person_kind,
            input.tier,
            input.year,
            input.address.strip(),
            input.local_household,
        )
        return await saved(info, REGISTRATION, input, form)

    @strawberry.mutation(
        description="Have the bill for a year of a resident's insurance made, or shown again.",
        graphql_type=result_union(
            "AskForBillResult",
            ContributionType,
            (SignInRequired, NotPermitted, MatterNotFound, EnrolmentNotPossible, RuleNotLoaded),
        ),
    )
    async def ask_for_bill(self, info: Info, input: AskForBillInput) -> Any:
        """Make a bill."""
        subject: str = input.subject_id or own_id(await info.context.actor())
        outcome = await info.context.act(
            service.ask_for_bill,
            lambda actor: AskForBill(
                actor, subject, input.enrolment_id, input.year, (input.tier or "").strip()
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: contribution_type(view, locale))
