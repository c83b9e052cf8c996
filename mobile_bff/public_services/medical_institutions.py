"""B1 定点医疗机构查询: institutions by code and by county; the type that pharmacies share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry import relay

from backend.institutions import queries
from backend.institutions.contracts import Ability, Agreement, InstitutionKind, InstitutionView
from backend.regions.library import area_name
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B1",
    "定点医疗机构查询",
    "查医院",
    "Designated hospitals",
    ModuleState.PARTIAL,
    "可按编码和区县查询；按距离、能力、时间筛选尚未开放。",
)


@strawberry.type(name="Institution", description="A designated hospital or pharmacy (两定).")
class InstitutionType(relay.Node):
    """An institution as the app shows it."""

    id: relay.NodeID[str]
    code: str = strawberry.field(description="National code (fixmedins_code).")
    name: str = strawberry.field(description="Its name.")
    kind: InstitutionKind = strawberry.field(description="Hospital or pharmacy.")
    level: int | None = strawberry.field(description="3, 2, 1 or 0 (community); null: pharmacy.")
    division_code: str = strawberry.field(description="Code of its county.")
    division_name: str = strawberry.field(description="Name of its county.")
    area_code: str = strawberry.field(description="Code of its insured area.")
    area_name: str = strawberry.field(description="Name of its insured area.")
    address: str = strawberry.field(description="Its address.")
    abilities: list[Ability] = strawberry.field(description="What it is contracted for.")
    agreement: Agreement = strawberry.field(description="State of its agreement.")

    @classmethod
    async def resolve_nodes(
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Any]:
        """Return institutions by id; everybody may see them."""
        ids = list(node_ids)
        found = await info.context.door.read(lambda unit: queries.institutions(unit, ids))
        return [institution_type(found[i]) if i in found else None for i in ids]


def institution_type(view: InstitutionView) -> InstitutionType:
    """Return an institution for the schema."""
    return InstitutionType(
        id=view.id,
        code=view.code,
        name=view.name,
        kind=view.kind,
        level=view.level,
        division_code=view.division_code,
        division_name=area_name(view.division_code),
        area_code=view.area_code,
        area_name=area_name(view.area_code),
        address=view.address,
        abilities=list(view.abilities),
        agreement=view.agreement,
    )


@strawberry.type
class InstitutionQueries:
    """What anybody may ask about institutions."""

    @strawberry.field(description="The institution with a national code.")
    async def institution(self, info: Info, code: str) -> InstitutionType | None:
        """Return an institution or nothing."""
        view = await info.context.door.read(lambda unit: queries.by_code(unit, code))
        return None if view is None else institution_type(view)

    @strawberry.field(description="Institutions of a county, by code.")
    async def institutions(
        self, info: Info, division_code: str, kind: InstitutionKind, first: int | None = None
    ) -> list[InstitutionType]:
        """Return institutions of a kind in a county."""
        limit = page_size(first)
        views = await info.context.door.read(
            lambda unit: queries.in_division(unit, division_code, kind, limit)
        )
        return [institution_type(view) for view in views]
