"""B1 定点医疗机构查询: institutions by code and by county; the type that pharmacies share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import strawberry
from strawberry import relay

from backend.infra.search import QUERY_MAX
from backend.institutions import queries
from backend.institutions.contracts import (
    Ability,
    Agreement,
    InstitutionKind,
    InstitutionView,
    Point,
    SearchInstitutions,
)
from backend.regions.library import area_name
from mobile_bff.connections import BadInput, page_size
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B1",
    "定点医疗机构查询",
    "查医院",
    "Designated hospitals",
    ModuleState.AVAILABLE,
    "可按名称（含部分字、拼音首字母）、地区、等级、能力、距离和营业时间查询，显示协议状态。",
)

_FAR = 200_000


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
    hours: list[str] = strawberry.field(
        description="Opening hours of the seven days from Monday, empty where it is shut."
    )
    on_duty: str = strawberry.field(description="Of a pharmacy: the pharmacist on duty.")

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
        hours=list(view.hours),
        on_duty=view.on_duty,
    )


@strawberry.type(description="An institution that was found.")
class InstitutionHit:
    """With how far it is, and whether it is open."""

    institution: InstitutionType = strawberry.field(description="The institution.")
    metres: int | None = strawberry.field(
        description="How far as the crow flies; null: no place was given, or none is known."
    )
    open: bool | None = strawberry.field(
        description="Whether it is open at the moment asked about; null: hours unknown."
    )
    hours_today: str = strawberry.field(description="Hours of that day; empty: shut, or unknown.")


@strawberry.input(description="What to look for. What is left out does not matter.")
class FindInstitutionsInput:
    """Name or part of it, place, kind, abilities, distance, opening hours."""

    text: str = strawberry.field(
        default="", description="A name, a part of it, or pinyin initials; up to 60 characters."
    )
    kind: InstitutionKind | None = strawberry.field(
        default=None, description="Hospital or pharmacy."
    )
    region: str = strawberry.field(
        default="", description="Code of a province, city or county that it lies in."
    )
    level: int | None = strawberry.field(default=None, description="Of a hospital: 3, 2, 1 or 0.")
    abilities: list[Ability] = strawberry.field(
        default_factory=list, description="All that it must be contracted for."
    )
    latitude: float | None = strawberry.field(default=None, description="Where one is (WGS 84).")
    longitude: float | None = strawberry.field(default=None, description="Where one is.")
    within_metres: int | None = strawberry.field(
        default=None, description="How far at most; up to 200 km."
    )
    open_at: datetime | None = strawberry.field(
        default=None, description="Open at that moment; null: whenever."
    )
    closed_agreements_too: bool = strawberry.field(
        default=False, description="Also those whose agreement is suspended or ended."
    )

    def wanted(self) -> SearchInstitutions:
        """Return what is looked for, or raise ``BadInput``."""
        if len(self.text) > QUERY_MAX:
            raise BadInput(f"text has at most {QUERY_MAX} characters")
        here = (self.latitude, self.longitude)
        if (here[0] is None) != (here[1] is None):
            raise BadInput("latitude and longitude are given together")
        near = None
        if here[0] is not None and here[1] is not None:
            if not (-90 <= here[0] <= 90 and -180 <= here[1] <= 180):
                raise BadInput("latitude is within 90 and longitude within 180 degrees")
            near = Point(round(here[0] * 1_000_000), round(here[1] * 1_000_000))
        if self.within_metres is not None and (near is None or not 1 <= self.within_metres <= _FAR):
            raise BadInput(f"withinMetres is 1 to {_FAR}, of a place that is given")
        return SearchInstitutions(
            self.text.strip(),
            self.kind,
            self.region,
            self.level,
            tuple(self.abilities),
            near,
            self.within_metres,
            self.open_at,
            not self.closed_agreements_too,
        )


@strawberry.type
class InstitutionQueries:
    """What anybody may ask about institutions."""

    @strawberry.field(description="The institution with a national code.")
    async def institution(self, info: Info, code: str) -> InstitutionType | None:
        """Return an institution or nothing."""
        view = await info.context.door.read(lambda unit: queries.by_code(unit, code))
        return None if view is None else institution_type(view)

    @strawberry.field(description="Institutions that fit, the nearest or the best found first.")
    async def find_institutions(
        self, info: Info, input: FindInstitutionsInput, first: int | None = None
    ) -> list[InstitutionHit]:
        """Return institutions by name, place, ability, distance and opening hours."""
        limit, wanted = page_size(first), input.wanted()
        found = await info.context.door.read(
            lambda unit: queries.search_institutions(unit, wanted, limit)
        )
        return [
            InstitutionHit(
                institution=institution_type(one.institution),
                metres=one.metres,
                open=one.open,
                hours_today=one.hours_today,
            )
            for one in found
        ]

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
