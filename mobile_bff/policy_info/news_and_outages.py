"""A4 热点动态与停机公告: news, and outages that are on or announced."""

from __future__ import annotations

from datetime import datetime

import strawberry

from backend.policies import queries
from backend.policies.contracts import OutageView, Service
from backend.policies.document_contracts import DocumentKind, FindDocuments
from backend.regions.library import area_name
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.policy_info.national_policies import PolicyDocumentType, found

MODULE = AppModule(
    "A4",
    "热点动态与停机公告",
    "停机公告",
    "News and outages",
    ModuleState.AVAILABLE,
    "政策变动的热点动态；停机公告含范围、起止和替代办法，前一天通知有关的人。",
)


@strawberry.type(name="Outage", description="A time during which services of an area are away.")
class OutageType:
    """An outage as the app shows it."""

    area_code: str = strawberry.field(description="Code of the insured area.")
    area_name: str = strawberry.field(description="Name of the insured area.")
    services: list[Service] = strawberry.field(description="The services that are away.")
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it is expected to end.")
    reason: str = strawberry.field(description="Why.")
    instead: str = strawberry.field(description="What to do meanwhile.")


def outage_type(view: OutageView) -> OutageType:
    """Return an outage for the schema."""
    return OutageType(
        area_code=view.area_code,
        area_name=area_name(view.area_code),
        services=list(view.services),
        starts_at=view.starts_at,
        ends_at=view.ends_at,
        reason=view.reason,
        instead=view.instead,
    )


@strawberry.type
class OutageQueries:
    """What anybody may ask about outages."""

    @strawberry.field(description="News: what a text finds best, else the newest first.")
    async def news(
        self, info: Info, text: str | None = "", region: str | None = None, first: int | None = None
    ) -> list[PolicyDocumentType]:
        """Return news of a region, of all by default."""
        regions = None if region is None else (region,)
        wanted = FindDocuments(text or "", regions, kinds=(DocumentKind.NEWS,), past_too=True)
        return await found(info, wanted, first)

    @strawberry.field(description="Outages that are on or announced, the next first.")
    async def outages(
        self, info: Info, area_code: str | None = None, first: int | None = None
    ) -> list[OutageType]:
        """Return outages, of one area or of all."""
        limit = page_size(first)
        views = await info.context.door.read(lambda unit: queries.outages(unit, area_code, limit))
        return [outage_type(view) for view in views]
