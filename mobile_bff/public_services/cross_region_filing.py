"""B4 异地就医备案: filing for care elsewhere, changing, renewing and cancelling it, and whether one settles there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import Action
from backend.access.logic import own_id
from backend.filings import queries, service
from backend.filings.contracts import (
    AwayKind,
    CancelFiling,
    FilingApplication,
    FilingCancelled,
    FilingForm,
    FilingNotFound,
    FilingNotPossible,
    FilingPreview,
    FilingRoute,
    FilingState,
    FilingView,
    PromiseLocked,
)
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.matters import queries as matters
from backend.matters.contracts import (
    ApplicationNotPossible,
    MaterialsMissing,
    MatterNotFound,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.payments import direct
from backend.people import queries as people
from backend.policies.contracts import OutageNow
from backend.regions.library import area_name
from backend.rulebook.contracts import RuleNotLoaded
from backend.settlement.case import CareKind, FilingKind
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.matters import MatterType, matter_type
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "B4",
    "异地就医备案",
    "异地备案",
    "Filing for care elsewhere",
    ModuleState.AVAILABLE,
    "可为本人或绑定的亲属备案、变更、续备、取消和补办，承诺制即时办结；上传国家平台后生效并通知。",
)
_LISTED_MAX = 50


@strawberry.type(name="Filing", description="A filing for care elsewhere (异地就医备案).")
class FilingType:
    """A filing: approved at home, and in force once the national platform has it."""

    filing_id: strawberry.ID = strawberry.field(description="Its id.")
    kind: AwayKind | None = strawberry.field(description="Its kind; null: reported from outside.")
    kind_text: str = strawberry.field(description="Its kind, in words.")
    area_code: str = strawberry.field(description="Where it counts (mdtrtarea_admdvs).")
    area_name: str = strawberry.field(description="Where it counts, in words.")
    starts: date = strawberry.field(description="Its first day (begndate).")
    ends: date | None = strawberry.field(description="Its last day (enddate); null: until changed.")
    route: FilingRoute | None = strawberry.field(description="How it was shown to be true.")
    state: FilingState = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(description="Where it stands, in words.")
    locked_until: date | None = strawberry.field(
        description="From this day it is changed or cancelled without proof; null: at any time."
    )
    effective_at: datetime | None = strawberry.field(description="Since when hospitals see it.")
    next_try_at: datetime | None = strawberry.field(
        description="When a failed upload is tried again."
    )
    benefits: str = strawberry.field(description="Where it can be used, there and at home.")


@strawberry.type(name="FilingPreview", description="What submitting would mean, said before it.")
class FilingPreviewType:
    """Everything that a person should know first."""

    missing: list[Requirement] = strawberry.field(description="Every paper still missing.")
    missing_text: str = strawberry.field(description="The same in words; empty: none.")
    at_once: bool = strawberry.field(description="Whether it is approved at once.")
    workdays: int = strawberry.field(description="Else in how many working days.")
    starts: date = strawberry.field(description="Its first day.")
    ends: date | None = strawberry.field(description="Its last day; null: until changed.")
    locked_until: date | None = strawberry.field(
        description="With a promise: until this day it is changed or cancelled only with proof."
    )
    ways_to_unlock: list[str] = strawberry.field(description="How to change it before that day.")
    replaces: FilingType | None = strawberry.field(description="The filing that it would end.")
    provisional: bool = strawberry.field(
        description="Whether one of its rules has no official text behind it."
    )


@strawberry.type(name="FilingApplication", description="An application for a filing.")
class FilingApplicationType:
    """The matter, what it would mean, and the filing once there is one."""

    matter: MatterType = strawberry.field(description="Number, state, papers and steps.")
    kind: AwayKind = strawberry.field(description="The kind filed.")
    area_code: str = strawberry.field(description="The place of care.")
    area_name: str = strawberry.field(description="The place of care, in words.")
    starts: date = strawberry.field(description="The first day filed.")
    ends: date | None = strawberry.field(description="The last day filed.")
    route: FilingRoute = strawberry.field(description="How it is shown to be true.")
    benefits: str = strawberry.field(description="Where it can be used, there and at home.")
    preview: FilingPreviewType | None = strawberry.field(description="Before it is decided.")
    filing: FilingType | None = strawberry.field(description="What it became.")


@strawberry.type(name="FilingCancelled", description="What became of cancelling.")
class FilingCancelledType:
    """Ended at once, or an application for which proof is uploaded."""

    filing: FilingType = strawberry.field(description="The filing.")
    application: MatterType | None = strawberry.field(
        description="While a promise locks it: upload proof to this and submit it."
    )


@strawberry.type(description="Whether somebody can settle directly at a place on a day.")
class DirectSettlement:
    """Yes or no, why, and what would change it."""

    can: bool = strawberry.field(description="Whether direct settlement is possible.")
    text: str = strawberry.field(description="The answer in a sentence.")
    speech_text: str = strawberry.field(description="Everything, to be read out.")
    reasons: list[Status] = strawberry.field(description="Every reason, with what to do.")
    institution: InstitutionType = strawberry.field(description="The place.")
    filing: FilingType | None = strawberry.field(description="The filing that counts there.")
    rate: str | None = strawberry.field(
        description="Share paid by all payers of ten thousand yuan in scope now, such as 68.5 %."
    )
    rate_if_filed: str | None = strawberry.field(
        description="The same with a long-term filing, where that makes a difference."
    )


@strawberry.input(description="Saves a form as a draft.")
class SaveFilingInput:
    """What is filed; a draft is gone on with by its matterId."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="Under which insurance; null: the one that pays."
    )
    kind: AwayKind = strawberry.field(description="The kind.")
    area_code: str = strawberry.field(description="Province or city of care, such as 110100.")
    starts: date = strawberry.field(
        description="The first day; of a stay, at the latest its first."
    )
    ends: date | None = strawberry.field(default=None, description="Of a journey: the last day.")
    route: FilingRoute = strawberry.field(description="How it is shown to be true.")
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.input(description="Submits a draft, or what was missing.")
class SubmitFilingInput:
    """Which, and the promise."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    promise: bool = strawberry.field(
        default=False, description="Whether the person promises that it is true."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.input(description="Cancels a filing.")
class CancelFilingInput:
    """Which."""

    filing_id: strawberry.ID = strawberry.field(description="The filing.")


_BENEFITS = {
    Locale.ZH: (
        "双向享受：有效期内在备案地和参保地都可以直接结算，回参保地就医不必取消备案，按参保地本地待遇。",
        "有效期内在备案的就医地直接结算；在参保地就医不受影响，按参保地本地待遇。",
    ),
    Locale.EN: (
        "Both ways: while it holds, one settles directly there and at home; care at home needs no"
        " cancelling and is paid as ever.",
        "While it holds, one settles directly at the place filed; care at home is paid as ever.",
    ),
}
_WAYS = {
    Locale.ZH: [
        "改选“提交材料”，上传居住或工作证明，审核通过后即可变更",
        "提前取消时上传已返回参保地的证明",
    ],
    Locale.EN: [
        "Choose papers and upload proof of residence or work: once approved it is changed",
        "To cancel early upload proof of having come back",
    ],
}


def _benefits(long_term: bool, locale: Locale) -> str:
    """Return where a filing can be used (双向享受待遇: 医保发〔2022〕22号, for those filed for long)."""
    return _BENEFITS[locale][0 if long_term else 1]


def filing_type(view: FilingView, locale: Locale) -> FilingType:
    """Return a filing for the schema."""
    return FilingType(
        filing_id=strawberry.ID(view.id),
        kind=view.away_kind,
        kind_text=status(view.away_kind or view.kind, locale).text,
        area_code=view.area_code,
        area_name=area_name(view.area_code),
        starts=view.starts,
        ends=view.ends,
        route=view.route,
        state=view.state,
        status=status(view.state, locale),
        locked_until=view.locked_until,
        effective_at=view.effective_at,
        next_try_at=view.next_try_at,
        benefits=_benefits(view.kind is FilingKind.LONG_TERM_RESIDENT, locale),
    )


def application_type(view: FilingApplication, locale: Locale) -> FilingApplicationType:
    """Return an application for the schema."""
    return FilingApplicationType(
        matter=matter_type(view.matter, locale),
        kind=view.form.kind,
        area_code=view.form.area_code,
        area_name=area_name(view.form.area_code),
        starts=view.form.starts,
        ends=view.form.ends,
        route=view.form.route,
        benefits=_benefits(view.form.kind.is_long_term, locale),
        preview=None if view.preview is None else _preview(view.preview, locale),
        filing=_filing(view.filing, locale),
    )


def _filing(view: FilingView | None, locale: Locale) -> FilingType | None:
    return None if view is None else filing_type(view, locale)


def _preview(seen: FilingPreview, locale: Locale) -> FilingPreviewType:
    comma = "、" if locale is Locale.ZH else ", "
    return FilingPreviewType(
        missing=list(seen.missing),
        missing_text=comma.join(one.text(locale) for one in seen.missing),
        at_once=seen.at_once,
        workdays=seen.workdays,
        starts=seen.starts,
        ends=seen.ends,
        locked_until=seen.locked_until,
        ways_to_unlock=_WAYS[locale] if seen.locked_until else [],
        replaces=_filing(seen.replaces, locale),
        provisional=seen.provisional,
    )


def _cancelled(done: FilingCancelled, locale: Locale) -> FilingCancelledType:
    return FilingCancelledType(
        filing=filing_type(done.filing, locale),
        application=None if done.application is None else matter_type(done.application, locale),
    )


def _direct(found: direct.DirectCheck, locale: Locale) -> DirectSettlement:
    chinese = locale is Locale.ZH
    if found.can:
        said = "可以直接结算。" if chinese else "You can settle directly there."
    else:
        said = "目前不能直接结算。" if chinese else "You cannot settle directly there now."
    reasons = [status(reason, locale) for reason in found.reasons]
    return DirectSettlement(
        can=found.can,
        text=said,
        speech_text=" ".join([said, *(one.text for one in reasons)]),
        reasons=reasons,
        institution=institution_type(found.institution),
        filing=_filing(found.filing, locale),
        rate=_percent(found.rate),
        rate_if_filed=_percent(found.rate_if_filed),
    )


def _percent(rate: Any) -> str | None:
    """Return a rate as a percentage with one decimal, cut off and never rounded up."""
    if rate is None:
        return None
    tenths = int(rate * 1000)
    return f"{tenths // 10}.{tenths % 10}%"


@strawberry.type
class FilingQueries:
    """Filings and applications of a person whom the caller may see."""

    @strawberry.field(description="Filings of a person, the newest first.")
    async def filings(
        self, info: Info, subject_id: strawberry.ID | None = None
    ) -> list[FilingType]:
        """Return filings."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)

        def read(unit: Unit) -> list[FilingView]:
            enrolments = people.enrolment_ids(unit, subject)
            return queries.of_enrolments(unit, enrolments, _LISTED_MAX)

        locale = info.context.locale
        return [filing_type(view, locale) for view in await info.context.door.read(read)]

    @strawberry.field(
        description="One application for a filing; null where it is none, or not the caller's."
    )
    async def filing_application(
        self, info: Info, matter_id: strawberry.ID
    ) -> FilingApplicationType | None:
        """Return an application."""

        def read(unit: Unit) -> FilingApplication | None:
            matter = matters.matter(unit, matter_id)
            return None if matter is None else service.application(unit, matter)

        about = await info.context.door.read(lambda unit: matters.whose(unit, matter_id))
        if about is None or about[1] not in service.KINDS:
            return None
        if not await info.context.sees(about[0]):
            return None
        view = await info.context.door.read(read)
        return None if view is None else application_type(view, info.context.locale)

    @strawberry.field(
        description="Can I settle directly there? For a person, a place, a kind of care and a day."
    )
    async def direct_settlement(
        self,
        info: Info,
        institution_code: str,
        care: CareKind,
        on: date | None = None,
        disease: str | None = "",
        subject_id: strawberry.ID | None = None,
    ) -> DirectSettlement | None:
        """Return the answer; null where there is no such place."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)

        def read(unit: Unit) -> direct.DirectCheck | None:
            place = institutions.by_code(unit, institution_code)
            day = on or local_day(unit.now)
            if place is None:
                return None
            return direct.check(unit, subject, place, care, day, disease or "")

        found = await info.context.door.read(read)
        return None if found is None else _direct(found, info.context.locale)


async def _applied(info: Info, use_case: Any, command: Callable[[Any], Any]) -> Any:
    outcome = await info.context.act(use_case, command)
    locale = info.context.locale
    return answer(outcome, locale, lambda view: application_type(view, locale))


_FORM = (FilingNotPossible, ApplicationNotPossible, OutageNow, RuleNotLoaded, MatterNotFound)
_OWN = (KEYED[0], KEYED[1], MatterNotFound)


@strawberry.type
class FilingMutations:
    """Filing for care elsewhere."""

    @strawberry.mutation(
        description="Save a form as a draft, and read everything that submitting it would mean.",
        graphql_type=result_union("SaveFilingResult", FilingApplicationType, (*KEYED, *_FORM)),
    )
    async def save_filing(self, info: Info, input: SaveFilingInput) -> Any:
        """Save a draft."""
        form = FilingForm(input.kind, input.area_code, input.starts, input.ends, input.route)
        subject: str = input.subject_id or own_id(await info.context.actor())
        return await _applied(
            info,
            service.save,
            lambda actor: SaveApplication(
                actor, subject, input.matter_id, input.enrolment_id, form, input.request_id
            ),
        )

    @strawberry.mutation(
        description="Submit a draft, or what was missing; approved at once by promise.",
        graphql_type=result_union(
            "SubmitFilingResult",
            FilingApplicationType,
            (*KEYED, *_FORM, MaterialsMissing, PromiseLocked),
        ),
    )
    async def submit_filing(self, info: Info, input: SubmitFilingInput) -> Any:
        """Submit a draft."""
        return await _applied(
            info,
            service.submit,
            lambda actor: SubmitApplication(
                actor, input.matter_id, input.promise, input.request_id
            ),
        )

    @strawberry.mutation(
        description="End a filing at once; while a promise locks it, open an application with proof.",
        graphql_type=result_union(
            "CancelFilingResult", FilingCancelledType, (*_OWN, FilingNotFound)
        ),
    )
    async def cancel_filing(self, info: Info, input: CancelFilingInput) -> Any:
        """Cancel a filing."""
        outcome = await info.context.act(
            service.cancel, lambda actor: CancelFiling(actor, input.filing_id)
        )
        return answer(outcome, info.context.locale, lambda d: _cancelled(d, info.context.locale))
