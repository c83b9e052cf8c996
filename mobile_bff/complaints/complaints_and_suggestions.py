"""F2 投诉与建议: sent with evidence, answered by a promised day, opened anew if the answer will not do."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.contracts import Action
from backend.access.logic import own_id
from backend.complaints.contracts import (
    ComplaintAbout,
    ComplaintForm,
    ComplaintNotPossible,
    ComplaintTopic,
)
from backend.complaints.service import COMPLAINT, where_to
from backend.infra.database import Unit
from backend.matters import queries as matters
from backend.matters.contracts import MatterKind, MatterState, MatterView
from mobile_bff.applications import FORM, ApplicationType, saved
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, result_union
from mobile_bff.matters import MatterType, matter_type
from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "F2",
    "投诉与建议",
    "投诉建议",
    "Complaints and suggestions",
    ModuleState.AVAILABLE,
    "写明情况、上传佐证即可提交，为本人或亲属；按承诺日期答复，进度可查，不满意可再次提出由他人办理。",
)


@strawberry.input(description="Saves a complaint or suggestion as a draft.")
class SaveComplaintInput:
    """What it is about, and for whom."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    about: ComplaintAbout = strawberry.field(description="A complaint or a suggestion.")
    topic: ComplaintTopic = strawberry.field(description="What it is about.")
    area_code: str = strawberry.field(
        default="",
        description="Whose agency answers; empty: the institution's, else that of the insurance.",
    )
    institution_code: str = strawberry.field(
        default="", description="National code of the institution concerned; may be empty."
    )
    happened_on: date | None = strawberry.field(default=None, description="When it happened.")
    words: str = strawberry.field(description="What it is; at most 1000 characters.")
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.type
class ComplaintQueries:
    """What a person has complained about or suggested."""

    @strawberry.field(description="Complaints and suggestions of a person, the newest first.")
    async def complaints(
        self, info: Info, subject_id: strawberry.ID | None = None
    ) -> list[MatterType]:
        """Return them; one's own, or of somebody the caller may look for."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)

        def read(unit: Unit) -> list[MatterView]:
            kind = MatterKind.COMPLAINT
            return matters.of_person_in(unit, subject, kind, tuple(MatterState))

        found = sorted(await info.context.door.read(read), key=lambda one: one.id, reverse=True)
        return [matter_type(one, info.context.locale) for one in found]


@strawberry.type
class ComplaintMutations:
    """Saving; uploading, submitting, opening anew and taking back are those of every application."""

    @strawberry.mutation(
        description="Save a complaint or suggestion as a draft.",
        graphql_type=result_union(
            "SaveComplaintResult", ApplicationType, (*KEYED, *FORM, ComplaintNotPossible)
        ),
    )
    async def save_complaint(self, info: Info, input: SaveComplaintInput) -> Any:
        """Save a draft."""
        subject: str = input.subject_id or own_id(await info.context.actor())
        code = input.institution_code.strip()
        area = input.area_code.strip() or await info.context.door.read(
            lambda unit: where_to(unit, subject, code)
        )
        form = ComplaintForm(
            input.about, input.topic, area, code, input.happened_on, input.words.strip()
        )
        return await saved(info, COMPLAINT, input, form)
