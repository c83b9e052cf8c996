"""The desk's schema: what waits, and what staff decide."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import strawberry
from strawberry import relay
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from backend.access.contracts import StaffActor
from backend.desk import queries
from backend.infra.database import Unit
from backend.staff import queries as staff
from backend.staff.contracts import StaffView
from mobile_bff import wording as _wording  # registers the enums first
from mobile_bff.connections import PAGE_MAX, ObjectsOnly, page_size
from mobile_bff.context import Info
from mobile_bff.desk.alerts import DeskAlertMutations, DeskAlertQueries
from mobile_bff.desk.assigning import AssigningMutations, AssigningQueries
from mobile_bff.desk.caller import staff_of
from mobile_bff.desk.claims import DeskClaimMutations
from mobile_bff.desk.counter import CounterMutations
from mobile_bff.desk.debts import DeskDebtMutations, DeskDebtQueries
from mobile_bff.desk.matters import MatterMutations
from mobile_bff.desk.payments import DeskPaymentMutations, DeskPaymentQueries
from mobile_bff.desk.ratings import DeskRatingMutations, DeskRatingQueries
from mobile_bff.desk.reports import DeskReportMutations, DeskReportQueries
from mobile_bff.desk.reviews import ReviewMutations
from mobile_bff.desk.shown import Staff, WorkList, staff_type, work_type
from mobile_bff.desk.sign_in import StaffSignInMutations
from mobile_bff.desk.statements import DeskStatementMutations, DeskStatementQueries
from mobile_bff.desk.tickets import DeskTicketMutations, DeskTicketQueries
from mobile_bff.desk.transfers import DeskTransferMutations
from mobile_bff.limits import EXTENSIONS
from mobile_bff.scalars import SCALARS

_ = _wording
DESK_DOCUMENTS = Path(__file__).parent / "documents"
"""The desk's own operations; in production its endpoint runs these and no others."""
DESK_SDL = Path(__file__).parent / "schema.graphql"


@strawberry.type(description="Reads of the desk.")
class DeskQuery(
    AssigningQueries,
    DeskTicketQueries,
    DeskRatingQueries,
    DeskReportQueries,
    DeskDebtQueries,
    DeskPaymentQueries,
    DeskAlertQueries,
    DeskStatementQueries,
):
    """Who works here, and what waits for them."""

    node: relay.Node | None = relay.node(
        description="Any object by its global id, if visible.", extensions=[ObjectsOnly()]
    )
    nodes: list[relay.Node | None] = relay.node(
        description="Objects by their global ids.", extensions=[ObjectsOnly()]
    )

    @strawberry.field(description="The signed-in member of staff; null for anybody else.")
    async def me(self, info: Info) -> Staff | None:
        """Return who has signed in."""
        actor = await info.context.actor()
        if not isinstance(actor, StaffActor):
            return None

        def read(unit: Unit) -> StaffView | None:
            return staff.by_number(unit, actor.number)

        view = await info.context.door.read(read)
        return None if view is None else staff_type(view)

    @strawberry.field(description="What waits for the caller in their regions, the oldest first.")
    async def work(self, info: Info, first: int | None = None) -> WorkList:
        """Return what waits."""
        actor = await staff_of(info)
        size = page_size(first)
        found = await info.context.door.read(lambda unit: queries.work(unit, actor, size))
        return work_type(found, info.context.locale)


DeskMutation = merge_types(
    "DeskMutation",
    (
        StaffSignInMutations,
        CounterMutations,
        ReviewMutations,
        MatterMutations,
        AssigningMutations,
        DeskClaimMutations,
        DeskTransferMutations,
        DeskTicketMutations,
        DeskRatingMutations,
        DeskReportMutations,
        DeskDebtMutations,
        DeskPaymentMutations,
        DeskAlertMutations,
        DeskStatementMutations,
    ),
)
DeskMutation.__strawberry_definition__.description = "Writes of the desk: one input, one union."  # type: ignore[attr-defined]


@cache
def make_desk_schema() -> strawberry.Schema:
    """Return the desk's schema with its limits, the same one each time."""
    return strawberry.Schema(
        query=DeskQuery,
        mutation=DeskMutation,
        extensions=EXTENSIONS,
        config=StrawberryConfig(
            disable_field_suggestions=True, relay_max_results=PAGE_MAX, scalar_map=SCALARS
        ),
    )
