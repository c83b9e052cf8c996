"""At the counter: who stands there, their documents, the device in their hand, their relatives."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.cards.contracts import CardNotPossible
from backend.desk import service
from backend.desk.contracts import (
    BindingDecision,
    DecideBinding,
    FindPerson,
    NobodyFound,
    RecordDocument,
    ReissueCard,
    RejectRegistration,
    VouchDevice,
)
from backend.identity.registration_contracts import RegistrationNotFound
from backend.identity.safety_contracts import SessionUnknown
from backend.people.document_contracts import DocumentInput, DocumentInvalid, DocumentKind
from backend.proxies.contracts import (
    AlreadyBound,
    BindingNotFound,
    BindingNotPossible,
    BoundTooOften,
    TooManyRelatives,
)
from mobile_bff.benefits.family_accounts import FamilyBinding, binding_type
from mobile_bff.context import Info
from mobile_bff.desk.shown import PersonAtCounter, found_type
from mobile_bff.errors import answer, result_union
from mobile_bff.personal_rights.card_loss import CardLossType, card_loss_type
from mobile_bff.personal_rights.enrolments import (
    DocumentType,
    PersonType,
    document_type,
    person_type,
)
from mobile_bff.step_up import ProofShown, shown_proof

_STAFF = (SignInRequired, DutyMissing)


@strawberry.input(description="Looks somebody up by the document in hand.")
class FindPersonInput:
    """Both, as the document has them."""

    name: str = strawberry.field(description="The name.")
    number: str = strawberry.field(description="The document's number.")


@strawberry.input(description="Vouches for who holds a device.")
class VouchDeviceInput:
    """The person seen, and the session that their device shows."""

    person_id: strawberry.ID = strawberry.field(description="The person.")
    session_id: strawberry.ID = strawberry.field(description="The session.")


@strawberry.input(description="Records a document beside the ID number.")
class RecordDocumentInput:
    """A document that the clerk has seen."""

    person_id: strawberry.ID = strawberry.field(description="Whose.")
    kind: DocumentKind = strawberry.field(description="What kind; not one with an ID number.")
    number: str = strawberry.field(description="Its number.")
    country: str = strawberry.field(default="", description="Of a passport: ISO 3166-1, 3 letters.")
    valid_until: date | None = strawberry.field(default=None, description="Its last day.")


@strawberry.input(description="Decides about a binding, the papers at hand.")
class DecideBindingInput:
    """Which, and what."""

    binding_id: strawberry.ID = strawberry.field(description="The binding.")
    decision: BindingDecision = strawberry.field(description="What is decided.")


@strawberry.input(description="Refuses a registration.")
class RejectRegistrationInput:
    """Which."""

    registration_id: strawberry.ID = strawberry.field(description="The registration.")


@strawberry.type(description="A person's documents.")
class PersonDocuments:
    """All of them."""

    documents: list[DocumentType] = strawberry.field(description="That of the ID number first.")


@strawberry.type(description="A registration that was refused.")
class RegistrationRejected:
    """Its phone was told."""

    person: PersonType = strawberry.field(description="Who, masked.")


@strawberry.input(description="Hands out a new card.")
class ReissueCardInput:
    """To whom."""

    person_id: strawberry.ID = strawberry.field(description="The person.")


@strawberry.type
class CounterMutations:
    """What one clerk does."""

    @strawberry.mutation(
        description="Find who stands at the counter. The look is written down.",
        graphql_type=result_union("FindPersonResult", PersonAtCounter, (*_STAFF, NobodyFound)),
    )
    async def find_person(self, info: Info, input: FindPersonInput) -> Any:
        """Find a person."""
        outcome = await info.context.act(
            service.find_person, lambda actor: FindPerson(actor, input.name, input.number)
        )
        return answer(outcome, info.context.locale, lambda f: found_type(f, info.context.locale))

    @strawberry.mutation(
        description="Let the device in the person's hand count as proven for some minutes.",
        graphql_type=result_union("VouchDeviceResult", ProofShown, (*_STAFF, SessionUnknown)),
    )
    async def vouch_device(self, info: Info, input: VouchDeviceInput) -> Any:
        """Vouch for a device."""
        outcome = await info.context.act(
            service.vouch_device,
            lambda actor: VouchDevice(actor, input.person_id, input.session_id),
        )
        return answer(outcome, info.context.locale, shown_proof)

    @strawberry.mutation(
        description="Record a document beside the ID number; duplicates are looked for.",
        graphql_type=result_union(
            "RecordDocumentResult", PersonDocuments, (*_STAFF, NobodyFound, DocumentInvalid)
        ),
    )
    async def record_document(self, info: Info, input: RecordDocumentInput) -> Any:
        """Record a document."""
        seen = DocumentInput(input.kind, input.number, input.country.upper(), input.valid_until)
        outcome = await info.context.act(
            service.record_document, lambda actor: RecordDocument(actor, input.person_id, seen)
        )
        locale = info.context.locale
        return answer(
            outcome,
            locale,
            lambda views: PersonDocuments(documents=[document_type(v, locale) for v in views]),
        )

    @strawberry.mutation(
        description="Hand out the new card of somebody whose old one was reported lost for good.",
        graphql_type=result_union(
            "ReissueCardResult", CardLossType, (*_STAFF, NobodyFound, CardNotPossible)
        ),
    )
    async def reissue_card(self, info: Info, input: ReissueCardInput) -> Any:
        """Hand out a card."""
        outcome = await info.context.act(
            service.reissue_card, lambda actor: ReissueCard(actor, input.person_id)
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: card_loss_type(view, locale))

    @strawberry.mutation(
        description="Approve, refuse, renew or end a binding between relatives.",
        graphql_type=result_union(
            "DecideBindingResult",
            FamilyBinding,
            (
                *_STAFF,
                BindingNotFound,
                BindingNotPossible,
                AlreadyBound,
                BoundTooOften,
                TooManyRelatives,
            ),
        ),
    )
    async def decide_binding(self, info: Info, input: DecideBindingInput) -> Any:
        """Decide about a binding."""
        outcome = await info.context.act(
            service.decide_binding,
            lambda actor: DecideBinding(actor, input.binding_id, input.decision),
        )
        return answer(outcome, info.context.locale, lambda b: binding_type(b, info.context.locale))

    @strawberry.mutation(
        description="Refuse a registration; its phone is told and gets no account.",
        graphql_type=result_union(
            "RejectRegistrationResult", RegistrationRejected, (*_STAFF, RegistrationNotFound)
        ),
    )
    async def reject_registration(self, info: Info, input: RejectRegistrationInput) -> Any:
        """Refuse a registration."""
        outcome = await info.context.act(
            service.reject_registration,
            lambda actor: RejectRegistration(actor, input.registration_id),
        )
        return answer(
            outcome,
            info.context.locale,
            lambda person: RegistrationRejected(person=person_type(person)),
        )
