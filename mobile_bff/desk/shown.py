"""What staff see: bindings, registrations, duplicates, proposals and reports, masked."""

from __future__ import annotations

from datetime import datetime

import strawberry

from backend.access.contracts import Role
from backend.desk.contracts import ActKind, Found, ProposalView, Work
from backend.identity.registration_contracts import RegistrationView
from backend.kernel.errors import Locale
from backend.kernel.money import Quantity, UnitPrice
from backend.merging.contracts import Merged
from backend.payments.contracts import MisuseView
from backend.people.document_contracts import DuplicateView
from backend.staff.contracts import StaffView
from mobile_bff.benefits.family_accounts import FamilyBinding, binding_type
from mobile_bff.desk.matters import DeskMatter, desk_matter
from mobile_bff.personal_rights.enrolments import (
    DocumentType,
    PersonType,
    document_type,
    person_type,
)
from mobile_bff.public_services.cross_region_filing import FilingType, filing_type
from mobile_bff.scalars import Money, money_or_none
from mobile_bff.wording import Status, status


@strawberry.type(name="Duty", description="A role in a region.")
class DutyType:
    """What somebody may do where."""

    role: Role = strawberry.field(description="The role.")
    region: str = strawberry.field(description="County, city or province (GB/T 2260).")


@strawberry.type(description="A member of staff.")
class Staff:
    """Who has signed in."""

    number: str = strawberry.field(description="What they sign in with.")
    name: str = strawberry.field(description="Their name.")
    duties: list[DutyType] = strawberry.field(description="What they may do where.")


@strawberry.type(description="A registration that waits at a counter.")
class WaitingRegistration:
    """An insured person without a phone, and the phone they registered with."""

    registration_id: strawberry.ID = strawberry.field(description="Its id.")
    person_name: str = strawberry.field(description="Who, masked.")
    phone: str = strawberry.field(description="The phone, masked.")
    asked_at: datetime = strawberry.field(description="Since when it waits.")


@strawberry.type(description="One of two records that may be one person's.")
class DuplicateRecord:
    """A record, masked."""

    person_id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="Name, masked.")
    id_number: str = strawberry.field(description="ID number, masked; empty: none.")
    kept: bool = strawberry.field(description="Whether it is proposed to go on.")


@strawberry.type(description="Two records that may be one person's.")
class Duplicate:
    """A pair, side by side."""

    case_id: strawberry.ID = strawberry.field(description="Id of the question.")
    status: Status = strawberry.field(description="Where it stands.")
    reason: Status = strawberry.field(description="What was found.")
    found_at: datetime = strawberry.field(description="When it was found.")
    records: list[DuplicateRecord] = strawberry.field(description="The two records.")
    proposed_by: str = strawberry.field(description="Who has proposed to merge; empty: nobody.")
    words: str = strawberry.field(description="Which papers were compared.")


@strawberry.type(description="Two records that are one now.")
class RecordsMerged:
    """What became of them."""

    case_id: strawberry.ID = strawberry.field(description="Id of the question.")
    dropped_id: strawberry.ID = strawberry.field(description="The record that was closed.")
    kept_id: strawberry.ID = strawberry.field(description="The record that goes on.")


@strawberry.type(description="A line of a claim's list of fees.")
class FeeLine:
    """As the clerk entered it."""

    code: str = strawberry.field(description="National code; empty: outside of the catalogue.")
    name: str = strawberry.field(description="Its name, where it has no code.")
    quantity: Quantity = strawberry.field(description="How much of it.")
    unit_price: UnitPrice = strawberry.field(description="Yuan for one.")


@strawberry.type(description="Something that waits for a second person.")
class Proposal:
    """Proposed by one, confirmed by another."""

    proposal_id: strawberry.ID = strawberry.field(description="Its id.")
    kind: ActKind = strawberry.field(description="What it does.")
    kind_text: str = strawberry.field(description="What it does, in words.")
    status: Status = strawberry.field(description="Where it stands.")
    person: PersonType = strawberry.field(description="About whom, masked.")
    pay_limit: Money | None = strawberry.field(description="Of a payment: the most for one.")
    pay_day_limit: Money | None = strawberry.field(description="Of a payment: the most a day.")
    total: Money | None = strawberry.field(description="Of a claim: what the lines sum to.")
    payable: Money | None = strawberry.field(description="Of a claim: what is paid out.")
    months: int | None = strawberry.field(description="Of a transfer: months that were paid.")
    balance: Money | None = strawberry.field(
        description="Of a transfer: what comes into the account."
    )
    lines: list[FeeLine] = strawberry.field(description="Of a claim: its lines; else empty.")
    words: str = strawberry.field(description="Which papers were compared.")
    proposed_by: str = strawberry.field(description="Who has proposed it.")
    proposed_at: datetime = strawberry.field(description="When.")
    decided_by: str = strawberry.field(description="Who has decided it; empty: nobody yet.")


@strawberry.type(description="A settlement that somebody says was not theirs.")
class MisuseReported:
    """A report, in the person's own words."""

    report_id: strawberry.ID = strawberry.field(description="Its id.")
    settlement_id: strawberry.ID = strawberry.field(description="The settlement.")
    reported_at: datetime = strawberry.field(description="When.")
    words: str = strawberry.field(description="What they say.")


@strawberry.type(description="A device that somebody is signed in on.")
class CounterDevice:
    """A session that a clerk may vouch for."""

    session_id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="What the person calls it.")
    last_seen_at: datetime = strawberry.field(description="When it last asked for new tokens.")


@strawberry.type(description="Who stands at the counter.")
class PersonAtCounter:
    """A person with documents and devices."""

    person: PersonType = strawberry.field(description="The person, masked.")
    documents: list[DocumentType] = strawberry.field(description="Documents, masked.")
    devices: list[CounterDevice] = strawberry.field(description="Where they are signed in.")


@strawberry.type(description="What waits for the signed-in member of staff.")
class WorkList:
    """The oldest of each kind first."""

    bindings: list[FamilyBinding] = strawberry.field(description="Requests between relatives.")
    registrations: list[WaitingRegistration] = strawberry.field(description="Registrations.")
    duplicates: list[Duplicate] = strawberry.field(description="Records that may be one person's.")
    proposals: list[Proposal] = strawberry.field(description="What waits for a second person.")
    matters: list[DeskMatter] = strawberry.field(
        description="Applications, the longest waiting first."
    )
    for_experts: list[DeskMatter] = strawberry.field(
        description="Applications that an expert has still to speak about."
    )
    unpaid: list[DeskMatter] = strawberry.field(
        description="Claims that are booked and not paid out, the longest waiting first."
    )
    failed_uploads: list[FilingType] = strawberry.field(
        description="Filings that the national platform has not taken yet, the oldest first."
    )
    misuse: list[MisuseReported] = strawberry.field(description="Reports of misuse, newest first.")


def staff_type(view: StaffView) -> Staff:
    """Return a member of staff for the schema."""
    return Staff(
        number=view.number,
        name=view.name,
        duties=[DutyType(role=duty.role, region=duty.region) for duty in view.duties],
    )


def duplicate_type(view: DuplicateView, locale: Locale) -> Duplicate:
    """Return a pair for the schema."""
    return Duplicate(
        case_id=strawberry.ID(view.id),
        status=status(view.state, locale),
        reason=status(view.reason, locale),
        found_at=view.found_at,
        records=[
            DuplicateRecord(
                person_id=strawberry.ID(person_id),
                name=name,
                id_number=number,
                kept=person_id == view.kept_id,
            )
            for person_id, name, number in zip(
                view.person_ids, view.names, view.numbers, strict=True
            )
        ],
        proposed_by=view.proposed_by or "",
        words=view.words,
    )


def merged_type(done: Merged) -> RecordsMerged:
    """Return a merge for the schema."""
    return RecordsMerged(
        case_id=strawberry.ID(done.case_id),
        dropped_id=strawberry.ID(done.dropped_id),
        kept_id=strawberry.ID(done.kept_id),
    )


def proposal_type(view: ProposalView, locale: Locale) -> Proposal:
    """Return a proposal for the schema."""
    return Proposal(
        proposal_id=strawberry.ID(view.id),
        kind=view.kind,
        kind_text=status(view.kind, locale).text,
        status=status(view.state, locale),
        person=person_type(view.person),
        pay_limit=money_or_none(view.payload.pay_limit_fen, locale),
        pay_day_limit=money_or_none(view.payload.pay_day_limit_fen, locale),
        total=money_or_none(view.payload.total_fen, locale),
        payable=money_or_none(view.payload.payable_fen, locale),
        months=view.payload.months,
        balance=money_or_none(view.payload.balance_fen, locale),
        lines=[
            FeeLine(
                code=line.code,
                name=line.name,
                quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in view.payload.lines
        ],
        words=view.words,
        proposed_by=view.proposed_by,
        proposed_at=view.proposed_at,
        decided_by=view.decided_by or "",
    )


def found_type(found: Found, locale: Locale) -> PersonAtCounter:
    """Return who stands at the counter for the schema."""
    return PersonAtCounter(
        person=person_type(found.person),
        documents=[document_type(view, locale) for view in found.documents],
        devices=[
            CounterDevice(
                session_id=strawberry.ID(view.session_id),
                name=view.device_name,
                last_seen_at=view.last_seen_at,
            )
            for view in found.devices
        ],
    )


def work_type(work: Work, locale: Locale) -> WorkList:
    """Return what waits for the schema."""
    return WorkList(
        bindings=[binding_type(view, locale) for view in work.bindings],
        registrations=[_registration(view) for view in work.registrations],
        duplicates=[duplicate_type(view, locale) for view in work.duplicates],
        proposals=[proposal_type(view, locale) for view in work.proposals],
        matters=[desk_matter(view, locale) for view in work.matters],
        for_experts=[desk_matter(view, locale) for view in work.for_experts],
        unpaid=[desk_matter(view, locale) for view in work.unpaid],
        failed_uploads=[filing_type(view, locale) for view in work.failed_uploads],
        misuse=[_misuse(view) for view in work.misuse],
    )


def _registration(view: RegistrationView) -> WaitingRegistration:
    return WaitingRegistration(
        registration_id=strawberry.ID(view.id),
        person_name=view.person_name,
        phone=view.phone,
        asked_at=view.asked_at,
    )


def _misuse(view: MisuseView) -> MisuseReported:
    return MisuseReported(
        report_id=strawberry.ID(view.id),
        settlement_id=strawberry.ID(view.settlement_id),
        reported_at=view.reported_at,
        words=view.words,
    )
