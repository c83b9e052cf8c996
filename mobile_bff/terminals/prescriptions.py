"""处方流转 at hospitals and pharmacies: signing and voiding; locking, the pharmacist's look, filling."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import TerminalActor
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid, PurposeNotHere
from backend.identity.safety_contracts import AccountFrozen
from backend.infra.database import Unit
from backend.institutions.contracts import AgreementNotOpen
from backend.kernel.money import Quantity, UnitPrice
from backend.payments import charges
from backend.payments.charge_contracts import ChargeNotFound, ChargeNotOpen, TakeChargeAtTill
from backend.payments.contracts import (
    BasketEmpty,
    ItemNotInCatalogue,
    ItemNotSoldHere,
    NotInsured,
    PriceInvalid,
    QuantityInvalid,
    TooManyLines,
    TraceCodesWrong,
)
from backend.payments.rule_contracts import AccountLimitReached, SilentHours
from backend.payments.stay_contracts import (
    NotEntitled,
    RefundExceedsCharge,
    StayNotFound,
    StayNotOpen,
    StretchInvalid,
)
from backend.policies.contracts import OutageNow
from backend.prescriptions import dispensing, queries, service
from backend.prescriptions.contracts import (
    AuditPrescription,
    FilledLine,
    FillPrescription,
    HandOverDrugs,
    Offer,
    PrescribedLine,
    PrescriptionNotFound,
    PrescriptionNotPossible,
    PrescriptionUsed,
    PublishOffers,
    SignPrescription,
    TakePrescription,
    VoidPrescription,
)
from backend.proxies.contracts import ProxyLimitReached
from backend.rulebook.contracts import RuleNotLoaded
from backend.settlement.contracts import TraceCodeSold
from mobile_bff.benefits.prescriptions import PrescriptionType, prescription_type
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.mobile_payment.bills_and_refunds import BillType, bill_type

_NUMBERS = (BasketEmpty, TooManyLines, QuantityInvalid, PriceInvalid)
_PLACE = (PurposeNotHere, AgreementNotOpen, OutageNow)
_ONE = (*KEYED, PrescriptionNotFound, PrescriptionNotPossible)


@strawberry.input(description="A drug as it is prescribed.")
class PrescribedLineInput:
    """What, and how it is taken."""

    code: str = strawberry.field(description="The item's national code.")
    quantity: Quantity = strawberry.field(description="For each fill.")
    usage: str = strawberry.field(description="How it is taken.")


@strawberry.input(description="Hands a doctor's signed prescription in.")
class SignPrescriptionInput:
    """For whom, by whom, and what."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    token: str = strawberry.field(description="Of the patient's scan.", default="")
    appointment_id: strawberry.ID = strawberry.field(
        description="Or the patient's appointment here, as for a follow-up online.",
        default=strawberry.ID(""),
    )
    doctor_code: str = strawberry.field(description="The doctor's national code.")
    doctor: str = strawberry.field(description="The doctor's name.")
    signature: str = strawberry.field(
        description="Number of the signature's verification (rx_sign_verify_sn)."
    )
    diagnosis: str = strawberry.field(description="For what.")
    disease: str = strawberry.field(description="Listed disease; empty: none.", default="")
    lines: list[PrescribedLineInput] = strawberry.field(description="The drugs; 1 to 5.")
    fills: int = strawberry.field(description="In how many parts it comes.", default=1)
    fill_days: int = strawberry.field(description="For how many days a part is.", default=7)


@strawberry.input(description="Takes a prescription back.")
class VoidPrescriptionInput:
    """Which, and why."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    prescription_id: strawberry.ID = strawberry.field(description="The prescription.")
    reason: str = strawberry.field(description="What the patient reads.")


@strawberry.input(description="Locks a prescription for this pharmacy, or lets it go.")
class TakePrescriptionInput:
    """Which, and by what right."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    prescription_id: strawberry.ID = strawberry.field(description="The prescription.")
    token: str = strawberry.field(
        description="Of the patient's scan; empty where the patient chose this pharmacy.",
        default="",
    )
    release: bool = strawberry.field(description="Let it go instead.", default=False)


@strawberry.input(description="A licensed pharmacist passes a prescription, or refuses it.")
class AuditPrescriptionInput:
    """Which, who, and why."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    prescription_id: strawberry.ID = strawberry.field(description="The prescription.")
    pharmacist_code: str = strawberry.field(description="The pharmacist's national code.")
    pharmacist: str = strawberry.field(description="The pharmacist's name.")
    passes: bool = strawberry.field(description="Whether it is passed.")
    opinion: str = strawberry.field(description="Why not (rx_chk_opnn).", default="")


@strawberry.input(description="A drug as it is dispensed.")
class FilledLineInput:
    """Its price and packs."""

    code: str = strawberry.field(description="The item's national code.")
    quantity: Quantity = strawberry.field(description="How much.")
    unit_price: UnitPrice = strawberry.field(description="For one unit, in yuan.")
    trace_codes: list[str] = strawberry.field(
        description="Trace codes of its packs.", default_factory=list
    )


@strawberry.input(description="Charges the patient for what is dispensed.")
class FillPrescriptionInput:
    """Which, and with what."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    prescription_id: strawberry.ID = strawberry.field(description="The prescription.")
    lines: list[FilledLineInput] = strawberry.field(description="What is dispensed.")


@strawberry.input(description="Notes that the patient has the drugs.")
class HandOverDrugsInput:
    """Which, and how."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    prescription_id: strawberry.ID = strawberry.field(description="The prescription.")
    delivered: bool = strawberry.field(description="Whether they were brought.", default=False)
    courier: str = strawberry.field(description="The parcel's number.", default="")


@strawberry.input(description="What a pharmacy sells a drug for, and whether it has it.")
class OfferInput:
    """A drug, its price, and stock."""

    code: str = strawberry.field(description="The item's national code.")
    unit_price: UnitPrice = strawberry.field(description="For one unit, in yuan.")
    in_stock: bool = strawberry.field(description="Whether it is there.")


@strawberry.input(description="What a pharmacy has and for how much.")
class PublishOffersInput:
    """Up to 2,000 drugs; each replaces its former offer."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    offers: list[OfferInput] = strawberry.field(description="The drugs.")


@strawberry.input(description="Takes one's own charge for whom one has scanned.")
class TakeChargeAtTillInput:
    """For who carries no phone."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    token: str = strawberry.field(description="Of the patient's scan.")
    charge_id: strawberry.ID = strawberry.field(description="The charge.")
    use_account: bool = strawberry.field(
        description="Whether the personal account may pay.", default=True
    )


@strawberry.type(name="OffersPublished", description="What counts now.")
class OffersPublishedType:
    """How many."""

    count: int = strawberry.field(description="How many drugs this pharmacy offers.")


@strawberry.type
class TillPrescriptions:
    """Prescriptions of this institution."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(
        description="What this pharmacy may fill: chosen for it, locked by it, or of whom it scanned."
    )
    async def prescriptions_to_fill(
        self, info: Info, token: str | None = "", first: int | None = None
    ) -> list[PrescriptionType]:
        """Return prescriptions."""
        limit, actor = page_size(first), self.actor

        def read(unit: Unit) -> list[Any]:
            scanned = codes.scanned_person(unit, token, actor.terminal_id) if token else ""
            return list(queries.for_pharmacy(unit, actor.institution_id, scanned, limit))

        found = await info.context.door.read(read)
        return [prescription_type(one, info.context.locale) for one in found]

    @strawberry.field(description="What this hospital has prescribed, the newest first.")
    async def prescriptions_signed(
        self, info: Info, first: int | None = None
    ) -> list[PrescriptionType]:
        """Return prescriptions."""
        limit, place = page_size(first), self.actor.institution_id
        found = await info.context.door.read(lambda unit: queries.of_hospital(unit, place, limit))
        return [prescription_type(one, info.context.locale) for one in found]


@strawberry.type
class TillPrescriptionMutations:
    """Prescribing and dispensing."""

    @strawberry.mutation(
        description="Hand a doctor's signed prescription in; the patient decides where it goes.",
        graphql_type=result_union(
            "SignPrescriptionResult", PrescriptionType, (*_ONE, GrantNotValid)
        ),
    )
    async def sign_prescription(self, info: Info, input: SignPrescriptionInput) -> Any:
        """Sign a prescription."""
        lines = tuple(PrescribedLine(one.code, one.quantity, one.usage) for one in input.lines)
        outcome = await info.context.act(
            service.sign,
            lambda actor: SignPrescription(
                actor,
                input.token,
                input.appointment_id,
                input.doctor_code,
                input.doctor,
                input.signature,
                input.diagnosis,
                input.disease,
                lines,
                input.fills,
                input.fill_days,
                input.request_id,
            ),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Take a prescription back, unless it is being paid or is paid.",
        graphql_type=result_union(
            "VoidPrescriptionResult",
            PrescriptionType,
            (*KEYED, PrescriptionNotFound, PrescriptionUsed),
        ),
    )
    async def void_prescription(self, info: Info, input: VoidPrescriptionInput) -> Any:
        """Void a prescription."""
        outcome = await info.context.act(
            service.void,
            lambda actor: VoidPrescription(
                actor, input.prescription_id, input.reason, input.request_id
            ),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Say what this pharmacy has and for how much.",
        graphql_type=result_union(
            "PublishOffersResult", OffersPublishedType, (*KEYED, PrescriptionNotPossible)
        ),
    )
    async def publish_offers(self, info: Info, input: PublishOffersInput) -> Any:
        """Publish offers."""
        made = tuple(Offer(one.code, one.unit_price, one.in_stock) for one in input.offers)
        outcome = await info.context.act(
            dispensing.publish_offers,
            lambda actor: PublishOffers(actor, made, input.request_id),
        )
        return answer(
            outcome, info.context.locale, lambda done: OffersPublishedType(count=done.count)
        )

    @strawberry.mutation(
        description="Lock a prescription for this pharmacy alone, for half an hour, or let it go.",
        graphql_type=result_union(
            "TakePrescriptionResult", PrescriptionType, (*_ONE, GrantNotValid)
        ),
    )
    async def take_prescription(self, info: Info, input: TakePrescriptionInput) -> Any:
        """Lock a prescription."""
        outcome = await info.context.act(
            dispensing.take,
            lambda actor: TakePrescription(
                actor, input.prescription_id, input.token, input.release, input.request_id
            ),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Let the licensed pharmacist pass a prescription, or refuse it with a reason.",
        graphql_type=result_union("AuditPrescriptionResult", PrescriptionType, _ONE),
    )
    async def audit_prescription(self, info: Info, input: AuditPrescriptionInput) -> Any:
        """Audit a prescription."""
        outcome = await info.context.act(
            dispensing.audit_one,
            lambda actor: AuditPrescription(
                actor,
                input.prescription_id,
                input.pharmacist_code,
                input.pharmacist,
                input.passes,
                input.opinion,
                input.request_id,
            ),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Charge the patient for what is dispensed: what was prescribed, and no more.",
        graphql_type=result_union(
            "FillPrescriptionResult", PrescriptionType, (*_ONE, *_NUMBERS, *_PLACE)
        ),
    )
    async def fill_prescription(self, info: Info, input: FillPrescriptionInput) -> Any:
        """Fill a prescription."""
        lines = tuple(
            FilledLine(one.code, one.quantity, one.unit_price, tuple(one.trace_codes))
            for one in input.lines
        )
        outcome = await info.context.act(
            dispensing.fill,
            lambda actor: FillPrescription(actor, input.prescription_id, lines, input.request_id),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Note that the patient has the drugs, picked up or brought.",
        graphql_type=result_union(
            "HandOverDrugsResult", PrescriptionType, (*KEYED, PrescriptionNotFound)
        ),
    )
    async def hand_over_drugs(self, info: Info, input: HandOverDrugsInput) -> Any:
        """Hand drugs over."""
        outcome = await info.context.act(
            dispensing.hand_over,
            lambda actor: HandOverDrugs(
                actor, input.prescription_id, input.delivered, input.courier, input.request_id
            ),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Take this till's own charge for whom it has scanned, and settle it here.",
        graphql_type=result_union(
            "TakeChargeAtTillResult",
            BillType,
            (
                *(*KEYED, *_PLACE, GrantNotValid, ChargeNotFound, ChargeNotOpen, NotInsured),
                *(BasketEmpty, ItemNotInCatalogue, ItemNotSoldHere, TraceCodesWrong),
                *(TraceCodeSold, QuantityInvalid, RuleNotLoaded, NotEntitled),
                *(RefundExceedsCharge, StayNotFound, StayNotOpen, StretchInvalid),
                *(AccountFrozen, SilentHours, AccountLimitReached, ProxyLimitReached),
            ),
        ),
    )
    async def take_charge_at_till(self, info: Info, input: TakeChargeAtTillInput) -> Any:
        """Take a charge at the till."""
        outcome = await info.context.act(
            charges.take_at_till,
            lambda actor: TakeChargeAtTill(
                actor, input.token, input.charge_id, input.use_account, input.request_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: bill_type(view, locale))


def _answer(info: Info, outcome: Any) -> Any:
    locale = info.context.locale
    return answer(outcome, locale, lambda view: prescription_type(view, locale))
