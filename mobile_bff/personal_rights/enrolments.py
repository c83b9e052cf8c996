"""C1 参保与缴费信息: enrolments with status, and what the year has used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import strawberry

from backend.enrolment import queries as enrolment
from backend.enrolment import repairing
from backend.enrolment.contracts import ContributionView, GapView
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.people.contracts import (
    AccountKind,
    EnrolmentView,
    InsuranceType,
    PeriodView,
    PersonKind,
    PersonView,
)
from backend.people.document_contracts import DocumentView
from backend.people.logic import months_in_row
from backend.regions.library import area_name
from backend.rulebook.contracts import RuleMissing
from backend.settlement import queries as settlements
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "C1",
    "参保与缴费信息",
    "参保信息",
    "Enrolments and contributions",
    ModuleState.AVAILABLE,
    "各地参保状态及变更、逐月（年）缴费与单位、累计和连续月数、最近同步时间，待遇年度累计。",
)
ELDER_AGE = 60


@strawberry.type(name="Person", description="An insured person, masked.")
class PersonType:
    """A person as a screen may show them."""

    id: strawberry.ID = strawberry.field(description="Id of the person.")
    masked_name: str = strawberry.field(description="Name with all but its ends masked.")
    masked_id_number: str = strawberry.field(description="Document number, masked.")
    masked_phone: str = strawberry.field(description="Phone number, masked; empty if none.")
    age: int = strawberry.field(description="Completed years of age.")
    suggest_elder_mode: bool = strawberry.field(description="Whether to offer the elder version.")


def person_type(view: PersonView) -> PersonType:
    """Return a person for the schema."""
    return PersonType(
        id=strawberry.ID(view.id),
        masked_name=view.masked_name,
        masked_id_number=view.masked_id_number,
        masked_phone=view.masked_phone,
        age=view.age,
        suggest_elder_mode=view.age >= ELDER_AGE,
    )


@strawberry.type(name="EnrolmentPeriod", description="A stretch of an enrolment.")
class EnrolmentPeriodType:
    """From a day to a day with one status."""

    starts: date = strawberry.field(description="First day.")
    ends: date | None = strawberry.field(description="Last day; null: open.")
    status: Status = strawberry.field(description="Its status, in words.")
    tier: str = strawberry.field(description="Of residents: the tier of contribution; else empty.")


@strawberry.type(description="Where an insurance was taken along to.")
class MovedTo:
    """Area, day and months."""

    area_code: str = strawberry.field(description="Code of the area that it counts in now.")
    area_name: str = strawberry.field(description="Name of that area.")
    moved_on: date = strawberry.field(description="The day it was taken over there.")
    months: int = strawberry.field(description="Months that count there now.")


@strawberry.type(name="Enrolment", description="Somebody's insurance in one area, today.")
class EnrolmentType:
    """An enrolment as the app shows it."""

    id: strawberry.ID = strawberry.field(description="Id of the enrolment.")
    area_code: str = strawberry.field(description="Code of the insured area (insuplc_admdvs).")
    area_name: str = strawberry.field(description="Name of the insured area.")
    insurance_type: InsuranceType = strawberry.field(description="Type of insurance (insutype).")
    person_kind: PersonKind = strawberry.field(description="Kind of person (psn_type).")
    account_kind: AccountKind = strawberry.field(description="Whether there is an account.")
    status: Status = strawberry.field(description="Status today, in words.")
    status_from: date = strawberry.field(description="First day of this status.")
    status_until: date | None = strawberry.field(description="Last day; null: open.")
    contribution_base: Money = strawberry.field(description="Base of the contributions, a month.")
    tier: str = strawberry.field(description="Of residents: the tier of contribution; else empty.")
    months_in_row: int = strawberry.field(
        description="Whole months in force up to today without a break; of a list of one's own."
    )
    months_paid: int = strawberry.field(
        description="Months paid in all: with those brought along, without those taken along to "
        "another area; of a list of one's own."
    )
    moved_to: MovedTo | None = strawberry.field(
        description="Where months and balance were taken along to; null: they are here. Of a list of "
        "one's own."
    )
    last_sync: datetime | None = strawberry.field(
        description="When the authority last reported a contribution; null: it never has."
    )
    periods: list[EnrolmentPeriodType] = strawberry.field(
        description="Every stretch with its status, the earliest first; of a list of one's own."
    )


@strawberry.type(name="Contribution", description="What was, or is to be, paid for a time.")
class ContributionType:
    """A month of an employee, or a year of a resident."""

    repairs: bool = strawberry.field(
        description="Whether a year without insurance is paid back: it shortens waiting, no more."
    )

    enrolment_id: strawberry.ID = strawberry.field(description="The enrolment.")
    starts: date = strawberry.field(description="First day that it is for.")
    ends: date = strawberry.field(description="Last day that it is for.")
    status: Status = strawberry.field(description="Where it stands.")
    base: Money = strawberry.field(description="Base of the contribution; zero for residents.")
    own: Money = strawberry.field(description="By the insured.")
    others: Money = strawberry.field(description="By the employer, or the government.")
    payer: str = strawberry.field(description="The employer; may be empty.")
    paid_on: date | None = strawberry.field(description="The day it was paid; null: it is not.")
    bill_number: str = strawberry.field(description="Number of the bill to pay; may be empty.")
    due_until: date | None = strawberry.field(description="Last day to pay; null: no bill.")
    pay_url: str = strawberry.field(
        description="Where the tax authority takes the payment; empty where nothing is due."
    )


def contribution_type(view: ContributionView, locale: Locale) -> ContributionType:
    """Return a contribution for the schema."""
    return ContributionType(
        enrolment_id=strawberry.ID(view.enrolment_id),
        starts=view.starts,
        ends=view.ends,
        status=status(view.state, locale),
        base=money(view.base_fen, locale),
        own=money(view.own_fen, locale),
        others=money(view.others_fen, locale),
        payer=view.payer,
        paid_on=view.paid_on,
        bill_number=view.bill_number,
        due_until=view.due_until,
        pay_url=view.pay_url,
        repairs=view.repairs,
    )


@strawberry.type(description="A year without insurance that can be paid back.")
class GapYearType:
    """A year, and its bill."""

    year: int = strawberry.field(description="The year.")
    status: Status | None = strawberry.field(
        description="Where its bill stands; null: nobody has asked for one."
    )


@strawberry.type(description="The years without insurance that can be paid back, to wait less.")
class InsuranceGap:
    """Years, and what paying them back changes."""

    enrolment_id: strawberry.ID = strawberry.field(
        description="The insurance to ask for their bills with."
    )
    years: list[GapYearType] = strawberry.field(description="The years, the earliest first.")
    months: int = strawberry.field(description="Months of waiting, as paid back so far.")
    months_least: int = strawberry.field(description="Months of waiting when enough is paid back.")
    years_needed: int = strawberry.field(
        description="How many of the years are enough for that; more do not shorten it."
    )
    waits_since: date | None = strawberry.field(
        description="Since when there is waiting; null: this year is not paid yet."
    )
    benefits_from: date | None = strawberry.field(
        description="First day of benefits as it stands; null: this year is not paid yet."
    )


def _gap(view: GapView, locale: Locale) -> InsuranceGap:
    return InsuranceGap(
        enrolment_id=strawberry.ID(view.enrolment_id),
        years=[
            GapYearType(
                year=one.year, status=None if one.state is None else status(one.state, locale)
            )
            for one in view.years
        ],
        months=view.months,
        months_least=view.months_least,
        years_needed=view.years_needed,
        waits_since=view.waits_since,
        benefits_from=view.benefits_from,
    )


@dataclass(frozen=True)
class Paid:
    """What an enrolment of one's own has paid."""

    periods: Sequence[PeriodView] = ()
    months_in_row: int = 0
    months: int = 0
    last_sync: datetime | None = None
    moved_to: MovedTo | None = None


def enrolment_type(view: EnrolmentView, locale: Locale, paid: Paid = Paid()) -> EnrolmentType:
    """Return an enrolment for the schema."""
    return EnrolmentType(
        id=strawberry.ID(view.id),
        area_code=view.area_code,
        area_name=area_name(view.area_code),
        insurance_type=view.insurance_type,
        person_kind=view.person_kind,
        account_kind=view.account_kind,
        status=status(view.status, locale),
        status_from=view.status_from,
        status_until=view.status_until,
        contribution_base=money(view.contribution_base_fen, locale),
        tier=view.tier,
        months_in_row=paid.months_in_row,
        months_paid=paid.months,
        moved_to=paid.moved_to,
        last_sync=paid.last_sync,
        periods=[
            EnrolmentPeriodType(
                starts=one.starts, ends=one.ends, status=status(one.status, locale), tier=one.tier
            )
            for one in paid.periods
        ],
    )


@strawberry.type(
    name="IdentityDocument", description="A document by which the insurance knows somebody."
)
class DocumentType:
    """A document, masked."""

    id: strawberry.ID = strawberry.field(description="Id of the document.")
    kind: Status = strawberry.field(description="What kind it is (psn_cert_type).")
    masked_number: str = strawberry.field(description="Its number, masked.")
    country: str = strawberry.field(description="Who issued a passport, ISO 3166-1; else empty.")
    valid_until: date | None = strawberry.field(description="Last day of validity, if it is known.")


def document_type(view: DocumentView, locale: Locale) -> DocumentType:
    """Return a document for the schema."""
    return DocumentType(
        id=strawberry.ID(view.id),
        kind=status(view.kind, locale),
        masked_number=view.number,
        country=view.country,
        valid_until=view.valid_until,
    )


@strawberry.type(description="What an enrolment has used of its yearly outpatient benefits.")
class YearUse:
    """A year's use."""

    enrolment_id: strawberry.ID = strawberry.field(description="The enrolment.")
    year: int = strawberry.field(description="The calendar year.")
    deductible_used: Money = strawberry.field(description="Deductible used so far.")
    fund_used: Money = strawberry.field(description="Paid by the fund so far.")
    stays: int = strawberry.field(description="Stays in hospital counted so far.")


def _moved(unit: Unit, enrolment_ids: Sequence[str]) -> dict[str, MovedTo]:
    moved = enrolment.transfers_from(unit, enrolment_ids)
    areas = people.areas_of_enrolments(unit, [one.to_enrolment_id for one in moved.values()])
    return {
        enrolment_id: MovedTo(
            area_code=areas[one.to_enrolment_id],
            area_name=area_name(areas[one.to_enrolment_id]),
            moved_on=local_day(one.done_at),
            months=one.months,
        )
        for enrolment_id, one in moved.items()
    }


def _outpatient(used: dict[str, int], what: str) -> Fen:
    names = [name for name in used if name.startswith("outpatient_") and name.endswith(f".{what}")]
    return Fen(sum(used[name] for name in names))


@strawberry.type
class EnrolmentQueries:
    """What a person may ask about their own enrolments."""

    subject: strawberry.Private[str]

    @strawberry.field(description="The person.")
    async def person(self, info: Info) -> PersonType:
        """Return the person, masked."""
        return person_type(
            await info.context.door.read(lambda unit: people.person(unit, self.subject))
        )

    @strawberry.field(description="Documents by which the insurance knows the person.")
    async def documents(self, info: Info) -> list[DocumentType]:
        """Return the documents, that of the ID number first."""
        locale = info.context.locale
        return [
            document_type(view, locale)
            for view in await info.context.door.read(
                lambda unit: people.documents(unit, self.subject)
            )
        ]

    @strawberry.field(
        description="Enrolments of every area, as they stand today, those that have ended too."
    )
    async def enrolments(self, info: Info) -> list[EnrolmentType]:
        """Return all enrolments."""

        def read(unit: Unit) -> list[tuple[EnrolmentView, Paid]]:
            today = local_day(unit.now)
            periods = people.periods_of(unit, self.subject)
            mine = people.enrolments_held(unit, self.subject, today)
            ids = [one.id for one in mine]
            moved = _moved(unit, ids)
            months, synced = enrolment.months_paid(unit, ids), enrolment.last_reported(unit, ids)
            return [
                (
                    one,
                    Paid(
                        periods.get(one.id, []),
                        months_in_row(periods.get(one.id, []), today),
                        months[one.id],
                        synced.get(one.id),
                        moved.get(one.id),
                    ),
                )
                for one in mine
            ]

        return [
            enrolment_type(view, info.context.locale, paid)
            for view, paid in await info.context.door.read(read)
        ]

    @strawberry.field(
        description="What was paid, and what is due, the newest first; of every area, or of one year."
    )
    async def contributions(self, info: Info, year: int | None = None) -> list[ContributionType]:
        """Return contributions."""

        def read(unit: Unit) -> list[ContributionView]:
            return enrolment.contributions(unit, people.enrolment_ids(unit, self.subject), year)

        found = await info.context.door.read(read)
        return [contribution_type(one, info.context.locale) for one in found]

    @strawberry.field(
        description="Years without insurance that can be paid back; null: none, or no such rule there."
    )
    async def insurance_gap(self, info: Info) -> InsuranceGap | None:
        """Return the gap."""

        def read(unit: Unit) -> GapView | None:
            try:
                return repairing.gap_of(unit, self.subject)
            except RuleMissing:
                return None

        found = await info.context.door.read(read)
        return None if found is None else _gap(found, info.context.locale)

    @strawberry.field(description="What this year has used, for each enrolment.")
    async def year_use(self, info: Info) -> list[YearUse]:
        """Return this year's use."""

        def read(unit: Unit) -> list[tuple[str, int, dict[str, int]]]:
            day = local_day(unit.now)
            return [
                (e.id, day.year, settlements.used(unit, e.id, day.year))
                for e in people.enrolments_on(unit, self.subject, day)
            ]

        locale = info.context.locale
        return [
            YearUse(
                enrolment_id=strawberry.ID(enrolment_id),
                year=year,
                deductible_used=money(_outpatient(used, "deductible"), locale),
                fund_used=money(_outpatient(used, "fund"), locale),
                stays=sum(n for name, n in used.items() if name.endswith(".stays")),
            )
            for enrolment_id, year, used in await info.context.door.read(read)
        ]
