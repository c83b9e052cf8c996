"""A2 参保地政策: what applies where somebody is insured; who has several records chooses one."""

from __future__ import annotations

import strawberry

from backend.access.contracts import Action
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.people import queries as people
from backend.policies.document_contracts import FindDocuments
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.policy_info.national_policies import POLICIES, PolicyDocumentType, found

MODULE = AppModule(
    "A2",
    "参保地政策",
    "本地政策",
    "Policies where you are insured",
    ModuleState.AVAILABLE,
    "只列本人参保地的政策和办事指南，有多个参保地的可以切换，每份都说明对本人的含义。",
)


@strawberry.type
class LocalPolicyQueries:
    """Policies of where somebody is insured."""

    @strawberry.field(
        description="Policies of the areas where a person is insured, of one of them if it is named."
    )
    async def local_policies(
        self,
        info: Info,
        text: str | None = "",
        area_code: str | None = None,
        subject_id: strawberry.ID | None = None,
        first: int | None = None,
    ) -> list[PolicyDocumentType]:
        """Return policies of the own areas."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)

        def areas(unit: Unit) -> tuple[str, ...]:
            own = people.enrolments_on(unit, subject, local_day(unit.now))
            held = dict.fromkeys(one.area_code for one in own)
            return tuple(area for area in held if area_code in (None, area))

        regions = await info.context.door.read(areas)
        return await found(info, FindDocuments(text or "", regions, kinds=POLICIES), first)
