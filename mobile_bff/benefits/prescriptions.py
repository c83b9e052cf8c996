"""E4 处方流转: prescriptions that leave the hospital by consent, what pharmacies offer, and where they stand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import Action, SignInRequired
from backend.kernel.errors import Locale
from backend.kernel.money import quantity_text
from backend.prescriptions import queries, service
from backend.prescriptions.contracts import (
    DecidePrescription,
    PrescriptionEvent,
    PrescriptionNotFound,
    PrescriptionNotPossible,
    PrescriptionState,
    PrescriptionView,
)
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status, words

MODULE = AppModule(
    "E4",
    "处方流转",
    "处方流转",
    "Prescriptions",
    ModuleState.AVAILABLE,
    "医院开方、患者同意后流转；比价选药店，药师审方，支付后取药或配送；过期、作废、长期处方自动处理。",
)


@strawberry.type(description="A drug of a prescription.")
class PrescribedDrug:
    """What, how much for each fill, and how it is taken."""

    code: str = strawberry.field(description="The item's national code.")
    name: str = strawberry.field(description="Its name.")
    quantity: str = strawberry.field(description="For each fill.")
    usage: str = strawberry.field(description="How it is taken.")


@strawberry.type(name="PrescriptionStep", description="Something that happened to a prescription.")
class PrescriptionStepType:
    """An event in words."""

    at: datetime = strawberry.field(description="When.")
    event: PrescriptionEvent = strawberry.field(description="What.")
    text: str = strawberry.field(description="The same in words.")
    words: str = strawberry.field(description="What was said; may be empty.")


@strawberry.type(name="Prescription", description="A prescription and where it stands.")
class PrescriptionType:
    """Drugs, validity, and who has it."""

    prescription_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Its number (hi_rxno).")
    state: PrescriptionState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words, with what to do.")
    person: PersonType = strawberry.field(description="The patient, masked.")
    hospital: InstitutionType = strawberry.field(description="Who prescribed it.")
    doctor: str = strawberry.field(description="Which doctor.")
    diagnosis: str = strawberry.field(description="For what.")
    disease: str = strawberry.field(description="Listed disease; empty: none.")
    drugs: list[PrescribedDrug] = strawberry.field(description="The drugs.")
    fills: int = strawberry.field(description="In how many parts it comes.")
    fills_done: int = strawberry.field(description="How many were handed over.")
    fill_days: int = strawberry.field(description="For how many days a part is.")
    signed_at: datetime = strawberry.field(description="When it was signed.")
    valid_from: date = strawberry.field(description="From which day it can be filled.")
    valid_until: datetime = strawberry.field(description="Until when.")
    pharmacy: InstitutionType | None = strawberry.field(description="Who has it; null: nobody.")
    chosen: InstitutionType | None = strawberry.field(
        description="Which pharmacy the patient chose; null: any that scans them."
    )
    locked_until: datetime | None = strawberry.field(description="How long a pharmacy keeps it.")
    deliver: bool = strawberry.field(description="Whether it is to be brought.")
    address: str = strawberry.field(description="Where to; may be empty.")
    courier: str = strawberry.field(description="The parcel's number; may be empty.")
    charge_id: strawberry.ID | None = strawberry.field(
        description="The charge to pay for it (takeCharge, payBill); null: none yet."
    )
    steps: list[PrescriptionStepType] = strawberry.field(description="What happened, in order.")


@strawberry.type(name="PharmacyOffer", description="A pharmacy that has all of a prescription.")
class PharmacyOfferType:
    """Where, and for how much."""

    pharmacy: InstitutionType = strawberry.field(description="The pharmacy.")
    total: Money = strawberry.field(description="At its prices, before anybody pays a share.")
    updated_at: datetime = strawberry.field(description="Since when it says so at the latest.")


def prescription_type(view: PrescriptionView, locale: Locale) -> PrescriptionType:
    """Return a prescription for the schema."""
    return PrescriptionType(
        prescription_id=strawberry.ID(view.id),
        number=view.number,
        state=view.state,
        status=status(view.state, locale),
        person=person_type(view.person),
        hospital=institution_type(view.hospital),
        doctor=view.doctor,
        diagnosis=view.diagnosis,
        disease=view.disease,
        drugs=[
            PrescribedDrug(
                code=one.code, name=one.name, quantity=quantity_text(one.quantity), usage=one.usage
            )
            for one in view.lines
        ],
        fills=view.fills,
        fills_done=view.fills_done,
        fill_days=view.fill_days,
        signed_at=view.signed_at,
        valid_from=view.valid_from,
        valid_until=view.valid_until,
        pharmacy=institution_type(view.pharmacy) if view.pharmacy else None,
        chosen=institution_type(view.chosen) if view.chosen else None,
        locked_until=view.locked_until,
        deliver=view.deliver,
        address=view.address,
        courier=view.courier,
        charge_id=strawberry.ID(view.charge_id) if view.charge_id else None,
        steps=[
            PrescriptionStepType(
                at=one.at, event=one.event, text=words(one.event).text(locale), words=one.words
            )
            for one in view.steps
        ],
    )


@strawberry.input(description="Lets a prescription leave the hospital, or not; chooses a pharmacy.")
class DecidePrescriptionInput:
    """Which, and where to."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    prescription_id: strawberry.ID = strawberry.field(description="The prescription.")
    accept: bool = strawberry.field(description="Whether it may leave the hospital.")
    pharmacy_code: str = strawberry.field(
        description="Which pharmacy; empty: whichever scans the patient.", default=""
    )
    address: str = strawberry.field(
        description="Where to bring it; empty: it is picked up.", default=""
    )


@strawberry.type
class PrescriptionQueries:
    """A person's prescriptions, and who has the drugs."""

    @strawberry.field(description="A person's prescriptions, the newest first.")
    async def prescriptions(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        first: int | None = None,
        after: strawberry.ID | None = None,
    ) -> list[PrescriptionType]:
        """Return prescriptions of the caller, or of somebody for whom they may file."""
        subject = await info.context.person(Action.FILE, subject_id)
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: queries.of_person(unit, subject, after, limit)
        )
        return [prescription_type(one, info.context.locale) for one in found]

    @strawberry.field(description="Pharmacies that have all of a prescription, the cheapest first.")
    async def prescription_offers(
        self, info: Info, prescription_id: strawberry.ID, first: int | None = None
    ) -> list[PharmacyOfferType]:
        """Return offers for a prescription that the caller may see."""
        limit = page_size(first)
        owner = await info.context.door.read(lambda unit: queries.owner_of(unit, prescription_id))
        await info.context.person(Action.FILE, owner or "")
        found = await info.context.door.read(
            lambda unit: queries.offers(unit, prescription_id, limit)
        )
        return [
            PharmacyOfferType(
                pharmacy=institution_type(one.pharmacy),
                total=money(one.total_fen, info.context.locale),
                updated_at=one.updated_at,
            )
            for one in found
        ]


@strawberry.type
class PrescriptionMutations:
    """The patient's decision."""

    @strawberry.mutation(
        description="Let a prescription leave the hospital or not, and choose who fills it.",
        graphql_type=result_union(
            "DecidePrescriptionResult",
            PrescriptionType,
            (*KEYED, SignInRequired, PrescriptionNotFound, PrescriptionNotPossible),
        ),
    )
    async def decide_prescription(self, info: Info, input: DecidePrescriptionInput) -> Any:
        """Decide about a prescription."""
        outcome = await info.context.act(
            service.decide,
            lambda actor: DecidePrescription(
                actor,
                input.prescription_id,
                input.accept,
                input.pharmacy_code.strip(),
                input.address,
                input.request_id,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: prescription_type(view, locale))
