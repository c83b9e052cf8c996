"""C3 就诊与结算记录: settlements and reversals with the working of every fen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import strawberry
from strawberry import relay

from backend.access.contracts import PersonActor, TerminalActor
from backend.codes.contracts import Purpose
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.people.contracts import InsuranceType
from backend.regions.library import area_name
from backend.rulebook.library import rulebook
from backend.settlement import queries
from backend.settlement.case import CareKind, Route
from backend.settlement.contracts import SettlementKind, SettlementView
from backend.settlement.yearly import Sums, YearSummary, summarise
from mobile_bff.connections import BadInput, connection, page_size, position
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import status
from mobile_bff.working import Explanation, Working, explanation_type, working_type

MODULE = AppModule(
    "C3",
    "就诊与结算记录",
    "结算记录",
    "Visits and settlements",
    ModuleState.AVAILABLE,
    "可按年度、类别、参保地查询结算及每一分钱的依据，年度汇总、大病扣税金额，可导出表格。",
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
        own = await _own(info, ids)
        views = await info.context.door.read(lambda unit: queries.settlements(unit, own))
        if isinstance(await info.context.actor(), TerminalActor):  # claims are no till's business
            views = {key: one for key, one in views.items() if one.route is Route.DIRECT}
        return [
            settlement_type(views[node_id], info.context.locale) if node_id in views else None
            for node_id in ids
        ]


async def _own(info: Info, ids: list[str]) -> list[str]:
    """Return the settlements that the caller may see: as patient, as relative, or as institution."""
    actor = await info.context.actor()
    if isinstance(actor, TerminalActor):
        place = actor.institution_id
        return await info.context.door.read(lambda unit: queries.settled_at(unit, place, ids))
    if not isinstance(actor, PersonActor):
        return []
    patients = await info.context.door.read(lambda unit: queries.whose(unit, ids))
    seen = {person_id: await info.context.sees(person_id) for person_id in set(patients.values())}
    return [node_id for node_id, person_id in patients.items() if seen[person_id]]


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


@strawberry.type(name="YearSums", description="What settlements came to, reversals counted off.")
class SumsType:
    """Sums of a stretch of time or of a kind of care."""

    count: int = strawberry.field(description="How many stand.")
    total: Money = strawberry.field(description="The bills.")
    fund: Money = strawberry.field(description="By funds.")
    hospital: Money = strawberry.field(description="By hospitals.")
    account: Money = strawberry.field(description="By the personal account.")
    family: Money = strawberry.field(description="By relatives' accounts.")
    cash: Money = strawberry.field(description="In cash.")


@strawberry.type(description="Sums of a kind of care.")
class CareSums:
    """A kind of care of the year."""

    care: CareKind = strawberry.field(description="The kind.")
    care_text: str = strawberry.field(description="The kind in words.")
    sums: SumsType = strawberry.field(description="What it came to.")


@strawberry.type(
    name="TaxDeduction", description="大病医疗专项附加扣除, as the bills booked here give it."
)
class TaxDeductionType:
    """What tax law lets be deducted. The tax authority decides."""

    own_in_scope: Money = strawberry.field(
        description="What was borne of costs within the catalogue, from account or pocket."
    )
    threshold: Money = strawberry.field(description="Above what it is deductible.")
    maximum: Money = strawberry.field(description="The most for a year.")
    deductible: Money = strawberry.field(description="What is deductible.")
    rule: str = strawberry.field(description="Where it stands.")
    hint: str = strawberry.field(description="What it does not know.")


@strawberry.type(name="YearSummary", description="A year of settlements.")
class YearSummaryType:
    """All of it, its months for a chart, each kind of care, and the tax deduction."""

    year: int = strawberry.field(description="The year of the bookings.")
    whole: SumsType = strawberry.field(description="All of it.")
    months: list[SumsType] = strawberry.field(description="January to December, for a chart.")
    by_care: list[CareSums] = strawberry.field(description="Each kind of care that there was.")
    tax: TaxDeductionType | None = strawberry.field(
        description="What is deductible; null where the rule is not loaded for that year."
    )


_YEARS = range(2000, 2100)
_TAX_HINT = {
    Locale.ZH: "只含本系统已结算的费用；由纳税人选择本人、配偶或父母扣除，以税务机关认定为准。",
    Locale.EN: "Only of what is settled here; the tax authority decides.",
}


def _sums(held: Sums, locale: Locale) -> SumsType:
    return SumsType(
        count=held.count,
        total=money(held.total_fen, locale),
        fund=money(held.fund_fen, locale),
        hospital=money(held.hospital_fen, locale),
        account=money(held.account_fen, locale),
        family=money(held.family_fen, locale),
        cash=money(held.cash_fen, locale),
    )


def _summary(found: YearSummary, locale: Locale) -> YearSummaryType:
    tax = found.tax
    return YearSummaryType(
        year=found.year,
        whole=_sums(found.whole, locale),
        months=[_sums(month, locale) for month in found.months],
        by_care=[
            CareSums(care=care, care_text=status(care, locale).text, sums=_sums(held, locale))
            for care, held in found.by_care
        ],
        tax=None
        if tax is None
        else TaxDeductionType(
            own_in_scope=money(tax.own_in_scope_fen, locale),
            threshold=money(tax.threshold_fen, locale),
            maximum=money(tax.maximum_fen, locale),
            deductible=money(tax.deductible_fen, locale),
            rule=f"《{tax.ref.document}》{tax.ref.number} {tax.ref.clause}",
            hint=_TAX_HINT[locale],
        ),
    )


@strawberry.type
class SettlementQueries:
    """What a person may ask about their own settlements."""

    subject: strawberry.Private[str]

    @strawberry.field(description="A year of settlements, summed; the present year by default.")
    async def year_summary(self, info: Info, year: int | None = None) -> YearSummaryType:
        """Return the summary of a year."""
        if year is not None and year not in _YEARS:
            raise BadInput("a year such as 2026")

        def read(unit: Unit) -> YearSummary:
            asked = year or local_day(unit.now).year
            return summarise(asked, queries.of_year(unit, self.subject, asked), rulebook())

        return _summary(await info.context.door.read(read), info.context.locale)

    @strawberry.field(
        description="Settlements and reversals, the newest first.",
        graphql_type=relay.Connection[SettlementType],
    )
    async def settlements(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        year: int | None = None,
        care: CareKind | None = None,
        area_code: str | None = None,
    ) -> object:
        """Return a page of settlements."""
        size, before = page_size(first), position(after)
        if year is not None and year not in _YEARS:
            raise BadInput("a year such as 2026")
        views = await info.context.door.read(
            lambda unit: queries.of_person(
                unit, self.subject, before, size + 1, year, care, area_code
            )
        )
        locale = info.context.locale
        return connection(
            [(view.number, settlement_type(view, locale)) for view in views], size, after
        )
