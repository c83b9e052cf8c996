"""A3 邻近省市政策: public policies of other areas, with the hint that the place itself decides."""

from __future__ import annotations

import strawberry

from backend.access.contracts import PersonActor
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.people import queries as people
from backend.policies.document_contracts import FindDocuments
from backend.rulebook.library import NATION
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.policy_info.national_policies import POLICIES, PolicyDocumentType, found

MODULE = AppModule(
    "A3",
    "邻近省市政策",
    "邻省政策",
    "Policies of neighbours",
    ModuleState.AVAILABLE,
    "可查询省内其他市州、相邻七个省区市的公开信息和赴外就医须知；外省条目来自公开报道，以当地为准。",
)
_HINT = {
    Locale.ZH: "信息来自外地，以当地为准。",
    Locale.EN: "This comes from elsewhere; the place itself decides.",
}


@strawberry.type(description="Policies of other areas.")
class NeighbourPolicies:
    """With the hint that belongs to them."""

    hint: str = strawberry.field(description="That the place itself decides.")
    documents: list[PolicyDocumentType] = strawberry.field(description="The documents.")


@strawberry.type
class NeighbourPolicyQueries:
    """What anybody may read of other areas."""

    @strawberry.field(
        description="Policies of other areas than the caller's own, of one if it is named."
    )
    async def neighbour_policies(
        self,
        info: Info,
        text: str | None = "",
        area_code: str | None = None,
        first: int | None = None,
    ) -> NeighbourPolicies:
        """Return policies of neighbours."""
        actor = await info.context.actor()

        def own(unit: Unit) -> tuple[str, ...]:
            if not isinstance(actor, PersonActor):
                return ()
            insured = people.enrolments_on(unit, actor.person_id, local_day(unit.now))
            return tuple({one.area_code for one in insured})

        mine = await info.context.door.read(own)
        wanted = FindDocuments(
            text or "",
            None if area_code is None else (area_code,),
            (NATION, "510000", *mine),
            POLICIES,
        )
        return NeighbourPolicies(
            hint=_HINT[info.context.locale], documents=await found(info, wanted, first)
        )
