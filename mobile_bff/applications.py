"""办件: what can be done with an application whatever it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from backend.access.contracts import Action
from backend.access.logic import own_id
from backend.applications import service
from backend.kernel.errors import Locale, Refusal
from backend.matters import materials, procedure
from backend.matters import queries as matters
from backend.matters.contracts import (
    ActOnMatter,
    ApplicationNotPossible,
    ApplicationView,
    MaterialsMissing,
    MatterNotFound,
    RemoveMaterial,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.matters.procedure import Procedure
from backend.policies.contracts import OutageNow
from backend.rulebook.contracts import RuleNotLoaded
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.forms import FormLine, form_lines
from mobile_bff.matters import MaterialType, MatterType, material_type, matter_type

F = TypeVar("F")


@strawberry.type(name="Application", description="An application, and what submitting it takes.")
class ApplicationType:
    """The matter, its form in words, and what is still needed."""

    matter: MatterType = strawberry.field(description="Number, state, promised day, papers.")
    form: list[FormLine] = strawberry.field(description="What is applied for, line by line.")
    missing: list[Requirement] = strawberry.field(
        description="Every paper that is still needed; of each choice the first."
    )
    missing_text: str = strawberry.field(description="The same in words; may be empty.")
    workdays: int = strawberry.field(
        description="Of a draft: in how many working days it is decided."
    )
    at_once: bool = strawberry.field(description="Of a draft: whether nobody has to review it.")
    needs_promise: bool = strawberry.field(
        description="Of a draft: whether the person promises that it is true."
    )


@strawberry.input(description="Submits a draft, or what was missing.")
class SubmitApplicationInput:
    """Which, and the promise."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    promise: bool = strawberry.field(
        default=False, description="Whether the person promises that it is true."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.input(description="Acts on an application.")
class MatterInput:
    """Which, and words."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    words: str = strawberry.field(default="", description="Of an appeal: why.")


@strawberry.input(description="Takes a paper out of an application.")
class RemoveMaterialInput:
    """Which."""

    material_id: strawberry.ID = strawberry.field(description="The paper.")


def application_type(view: ApplicationView, locale: Locale) -> ApplicationType:
    """Return an application for the schema."""
    comma = "、" if locale is Locale.ZH else ", "
    return ApplicationType(
        matter=matter_type(view.matter, locale),
        form=form_lines(view.matter, locale, view.names),
        missing=list(view.missing),
        missing_text=comma.join(one.text(locale) for one in view.missing),
        workdays=view.workdays,
        at_once=view.at_once,
        needs_promise=view.promise,
    )


async def applied(
    info: Info, use_case: Callable[..., ApplicationView | Refusal], command: Callable[[Any], Any]
) -> Any:
    """Run a use case of an application and return what the schema says of it."""
    outcome = await info.context.act(use_case, command)
    locale = info.context.locale
    return answer(outcome, locale, lambda view: application_type(view, locale))


async def saved(info: Info, kind: Procedure[F], input: Any, form: F) -> Any:
    """Save a form as a draft of its kind, for whom and under which insurance the input says."""
    subject: str = input.subject_id or own_id(await info.context.actor())
    return await applied(
        info,
        lambda unit, command: procedure.save(unit, kind, command),
        lambda actor: SaveApplication(
            actor,
            subject,
            input.matter_id,
            getattr(input, "enrolment_id", None),  # who is not insured yet has none
            form,
            input.request_id,
        ),
    )


FORM = (ApplicationNotPossible, OutageNow, RuleNotLoaded, MatterNotFound)
"""Why saving a form may be refused, whatever it is about."""
SUBMIT = (*FORM, MaterialsMissing)
_OWN = (KEYED[0], KEYED[1], MatterNotFound)


@strawberry.type
class ApplicationQueries:
    """Applications of a person whom the caller may see."""

    @strawberry.field(description="Applications of a person, the newest first, older than one.")
    async def matters(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        first: int | None = None,
        before: strawberry.ID | None = None,
    ) -> list[MatterType]:
        """Return applications."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)
        size = page_size(first)
        views = await info.context.door.read(
            lambda unit: matters.of_person(unit, subject, before, size)
        )
        return [matter_type(view, info.context.locale) for view in views]

    @strawberry.field(description="One application; null where it is not the caller's.")
    async def application(self, info: Info, matter_id: strawberry.ID) -> ApplicationType | None:
        """Return an application with what submitting it takes."""
        about = await info.context.door.read(lambda unit: matters.whose(unit, matter_id))
        if about is None or not await info.context.sees(about[0]):
            return None
        view = await info.context.door.read(lambda unit: service.look(unit, matter_id))
        return None if view is None else application_type(view, info.context.locale)


@strawberry.type
class ApplicationMutations:
    """Submitting, taking back, appealing."""

    @strawberry.mutation(
        description="Submit an application of whatever kind, or what was missing.",
        graphql_type=result_union(
            "SubmitApplicationResult", ApplicationType, (*KEYED, *SUBMIT, *service.STANDING)
        ),
    )
    async def submit_application(self, info: Info, input: SubmitApplicationInput) -> Any:
        """Submit a draft."""
        return await applied(
            info,
            service.submit,
            lambda actor: SubmitApplication(
                actor, input.matter_id, input.promise, input.request_id
            ),
        )

    @strawberry.mutation(
        description="Take an application back that is not decided yet.",
        graphql_type=result_union("WithdrawMatterResult", MatterType, _OWN),
    )
    async def withdraw_matter(self, info: Info, input: MatterInput) -> Any:
        """Withdraw an application."""
        outcome = await info.context.act(
            service.withdraw, lambda actor: ActOnMatter(actor, input.matter_id)
        )
        return answer(outcome, info.context.locale, lambda m: matter_type(m, info.context.locale))

    @strawberry.mutation(
        description="Appeal against a refusal; somebody else decides.",
        graphql_type=result_union("AppealMatterResult", MatterType, (*_OWN, RuleNotLoaded)),
    )
    async def appeal_matter(self, info: Info, input: MatterInput) -> Any:
        """Appeal."""
        outcome = await info.context.act(
            service.appeal, lambda actor: ActOnMatter(actor, input.matter_id, input.words)
        )
        return answer(outcome, info.context.locale, lambda m: matter_type(m, info.context.locale))

    @strawberry.mutation(
        description="Take a paper out of an application that is not submitted.",
        graphql_type=result_union("RemoveMaterialResult", MaterialType, (MatterNotFound,)),
    )
    async def remove_material(self, info: Info, input: RemoveMaterialInput) -> Any:
        """Remove a paper."""
        outcome = await info.context.act(
            materials.remove_material, lambda actor: RemoveMaterial(actor, input.material_id)
        )
        return answer(outcome, info.context.locale, lambda m: material_type(m, info.context.locale))
