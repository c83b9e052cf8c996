"""C3 就诊与结算记录: settlements and reversals with the working of every fen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import strawberry
from strawberry import relay

from backend.access.contracts import PersonActor, TerminalActor
from backend.codes.contracts import Purpose
from backend.kernel.errors import Locale
from backend.people.contracts import InsuranceType
from backend.regions.library import area_name
from backend.settlement import queries
from backend.settlement.case import Route
from backend.settlement.contracts import SettlementKind, SettlementView
from mobile_bff.connections import connection, page_size, position
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.working import Explanation, Working, explanation_type, working_type

MODULE = AppModule(
    "C3",
    "就诊与结算记录",
    "结算记录",
    "Visits and settlements",
    ModuleState.PARTIAL,
    "可查询门诊、药店和住院结算及每一分钱的依据，就医前可估算；按年度和类别筛选尚未开放。",
)


@strawberry.type(name="Settlement", description="A booked settlement or reversal, its receipt.")
class SettlementType(relay.Node):
    """A settlement as both sides see it. A reversal carries the working of what it takes back."""

    id: relay.NodeID[str]
    settlement_id: strawberry.ID = strawberry.field(description="The same id in plain form.")
    kind: SettlementKind = strawberry.field(description="Settlement or reversal.")
    route: Route = strawberry.field(description="Settled at the till, or claimed by hand.")
    purpose: Purpose | None = strawberry.field(
        description="What the code was scanned for; null for a manual claim, which needs none."
    )
    service_date: date = strawberry.field(description="Day of service.")
    settled_at: datetime = strawberry.field(description="When it was booked (setl_time).")
    insurance_type: InsuranceType = strawberry.field(description="Which insurance paid.")
    area_name: str = strawberry.field(description="The insured area.")
    total: Money = strawberry.field(description="The bill; negative for a reversal.")
    fund: Money = strawberry.field(description="By the fund; negative for a reversal.")
    hospital: Money = strawberry.field(description="By the hospital; negative for a reversal.")
    account: Money = strawberry.field(description="By the account; negative for a reversal.")
    family: Money = strawberry.field(description="By a relative's; negative for a reversal.")
    cash: Money = strawberry.field(description="In cash; negative for a reversal.")
    account_balance_after: Money = strawberry.field(description="Balance of the account after it.")
    operator_id: str = strawberry.field(description="Who stood at the till.")
    reverses_id: strawberry.ID | None = strawberry.field(description="What it takes back.")
    reversed_by_id: strawberry.ID | None = strawberry.field(description="What took it back.")
    reason: str = strawberry.field(description="Why it was reversed; empty for a settlement.")
    working: Working = strawberry.field(description="How every fen was reckoned.")
    explanation: Explanation = strawberry.field(description="The same in plain sentences.")
    institution_key: strawberry.Private[str]

    @strawberry.field(description="Where.")
    async def institution(self, info: Info) -> InstitutionType:
        """Return the institution."""
        return institution_type(await info.context.institutions.load(self.institution_key))

    @classmethod
    async def resolve_nodes(
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Any]:
        """Return settlements by id, each for its own patient and institution only."""
        ids = list(node_ids)
        found = await info.context.door.read(lambda unit: queries.settlements(unit, ids))
        actor = await info.context.actor()
        shown: list[Any] = []
        for node_id in ids:
            view = found.get(node_id)
            if view is None or not await _may_see(info, actor, view):
                shown.append(None)
                continue
            shown.append(settlement_type(view, info.context.locale))
        return shown


async def _may_see(info: Info, actor: object, view: SettlementView) -> bool:
    """Tell whether somebody may see a settlement: its patient, their relative, its institution."""
    if isinstance(actor, TerminalActor):
        return actor.institution_id == view.institution_id and view.route is Route.DIRECT
    return isinstance(actor, PersonActor) and await info.context.sees(view.person_id)


def settlement_type(view: SettlementView, locale: Locale) -> SettlementType:
    """Return a settlement for the schema."""
    return SettlementType(
        id=view.id,
        settlement_id=strawberry.ID(view.id),
        kind=view.kind,
        route=view.route,
        purpose=Purpose(view.purpose) if view.route is Route.DIRECT else None,
        service_date=view.service_date,
        settled_at=view.settled_at,
        insurance_type=view.insurance_type,
        area_name=area_name(view.area_code),
        total=money(view.total_fen, locale),
        fund=money(view.fund_fen, locale),
        hospital=money(view.hospital_fen, locale),
        account=money(view.account_fen, locale),
        family=money(view.family_fen, locale),
        cash=money(view.cash_fen, locale),
        account_balance_after=money(view.account_balance_after_fen, locale),
        operator_id=view.operator_id,
        reverses_id=strawberry.ID(view.reverses_id) if view.reverses_id else None,
        reversed_by_id=strawberry.ID(view.reversed_by_id) if view.reversed_by_id else None,
        reason=view.reason,
        working=working_type(view.outcome, locale),
        explanation=explanation_type(view.outcome, locale),
        institution_key=view.institution_id,
    )


@strawberry.type
class SettlementQueries:
    """What a person may ask about their own settlements."""

    subject: strawberry.Private[str]

    @strawberry.field(
        description="Settlements and reversals, the newest first.",
        graphql_type=relay.Connection[SettlementType],
    )
    async def settlements(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> object:
        """Return a page of settlements."""
        size, before = page_size(first), position(after)
        views = await info.context.door.read(
            lambda unit: queries.of_person(unit, self.subject, before, size + 1)
        )
        locale = info.context.locale
        return connection(
            [(view.number, settlement_type(view, locale)) for view in views], size, after
        )
