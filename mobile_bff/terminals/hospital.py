"""What a hospital's terminal may do beyond a pharmacy's: admit, take deposits, settle stays."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.choices import referring
from backend.choices.contracts import ReferPatient, ReferralNotPossible, ReferralView
from backend.codes.contracts import GrantNotValid, PurposeNotHere
from backend.institutions.contracts import AgreementNotOpen
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.payments import service
from backend.payments.contracts import NotInsured
from backend.payments.stay_contracts import (
    AdmitPatient,
    AlreadyInHospital,
    CancelAdmission,
    DepositInvalid,
    NoInpatientCare,
    StayNotFound,
    StayNotOpen,
    StayState,
    StayView,
    TakeDeposit,
)
from backend.policies.contracts import OutageNow
from backend.rulebook.contracts import RuleNotLoaded
from backend.settlement.case import FilingKind
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status

_ADMIT = (
    *KEYED,
    PurposeNotHere,
    AgreementNotOpen,
    OutageNow,
    GrantNotValid,
    NotInsured,
    NoInpatientCare,
    AlreadyInHospital,
    StayNotFound,
    RuleNotLoaded,
)
_CHANGE = (*KEYED, StayNotFound, StayNotOpen)


@strawberry.type(name="HospitalStay", description="A stay in hospital.")
class StayType:
    """A stay as the hospital sees it."""

    stay_id: strawberry.ID = strawberry.field(description="Its id (mdtrt_id).")
    state: StayState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="The state in words.")
    person: PersonType = strawberry.field(description="The patient, masked.")
    admitted_on: date = strawberry.field(description="Day of admission (begntime).")
    discharged_on: date | None = strawberry.field(
        description="Day of discharge; null: in hospital."
    )
    disease: str = strawberry.field(description="Listed disease of the stay; empty for none.")
    filing: FilingKind = strawberry.field(description="What is on file for care away from home.")
    deposit: Money = strawberry.field(description="Deposits taken so far (预交金).")
    deposit_refund: Money | None = strawberry.field(
        description="After discharge: what goes back of it; negative: still to be paid in cash."
    )
    pay_later: bool = strawberry.field(
        description="Whether the patient pays later (先诊疗后付费): no deposit may be asked for."
    )
    stretches: int = strawberry.field(description="How many stretches are settled.")
    settled_to: date | None = strawberry.field(description="Last day that is settled; null: none.")


def stay_type(view: StayView, locale: Locale) -> StayType:
    """Return a stay for the schema."""
    return StayType(
        stay_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        person=person_type(view.person),
        admitted_on=view.admitted_on,
        discharged_on=view.discharged_on,
        disease=view.disease,
        filing=view.filing,
        deposit=money(view.deposit_fen, locale),
        deposit_refund=None
        if view.deposit_refund_fen is None
        else money(view.deposit_refund_fen, locale),
        pay_later=view.deposit_waived,
        stretches=view.stretches,
        settled_to=view.settled_to,
    )


@strawberry.input(description="Admits the patient of a scan.")
class AdmitPatientInput:
    """An admission."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    token: str = strawberry.field(description="The token of a scan for HOSPITAL_ADMISSION.")
    disease: str = strawberry.field(
        description="Listed disease of the stay, by the rulebook's name; empty for none.",
        default="",
    )
    emergency: bool = strawberry.field(
        description="Whether it is an emergency, which counts as filed.", default=False
    )
    referred_from_id: strawberry.ID | None = strawberry.field(
        description="The discharged stay that this one continues by referral.", default=None
    )
    pay_later: bool = strawberry.field(
        description="Whether the patient signs to pay later, where entitled.", default=False
    )


@strawberry.input(description="Takes a deposit for a stay.")
class TakeDepositInput:
    """A deposit."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    stay_id: strawberry.ID = strawberry.field(description="The stay.")
    amount: Fen = strawberry.field(description="How much, in fen.")


@strawberry.input(description="Takes an admission back.")
class CancelAdmissionInput:
    """The admission to take back."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    stay_id: strawberry.ID = strawberry.field(description="The stay.")


@strawberry.input(description="Refers a patient to another hospital.")
class ReferPatientInput:
    """Whom, whereto, and why."""

    token: str = strawberry.field(description="Token of the scanned code.")
    to_code: str = strawberry.field(description="Code of the hospital they are sent to.")
    reason: str = strawberry.field(description="Why, at most 200 characters; the patient reads it.")
    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")


@strawberry.type(name="Referral", description="A referral by a chosen institution.")
class ReferralType:
    """Good from a day to a day."""

    referral_id: strawberry.ID = strawberry.field(description="Its id.")
    starts: date = strawberry.field(description="First day.")
    ends: date = strawberry.field(description="Last day.")
    reason: str = strawberry.field(description="Why.")


def referral_type(view: ReferralView) -> ReferralType:
    """Return a referral for the schema."""
    return ReferralType(
        referral_id=strawberry.ID(view.id),
        starts=view.starts,
        ends=view.ends,
        reason=view.reason,
    )


@strawberry.type
class HospitalMutations:
    """What a hospital's terminal may do."""

    @strawberry.mutation(
        description="Admit the patient whose code was scanned for it.",
        graphql_type=result_union("AdmitPatientResult", StayType, _ADMIT),
    )
    async def admit_patient(self, info: Info, input: AdmitPatientInput) -> Any:
        """Admit a patient."""
        outcome = await info.context.act(
            service.admit_patient,
            lambda actor: AdmitPatient(
                actor,
                input.token,
                input.disease,
                input.emergency,
                input.referred_from_id,
                input.pay_later,
                input.request_id,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: stay_type(view, locale))

    @strawberry.mutation(
        description="Take a deposit; it is set against the patient's part at discharge.",
        graphql_type=result_union("TakeDepositResult", StayType, (*_CHANGE, DepositInvalid)),
    )
    async def take_deposit(self, info: Info, input: TakeDepositInput) -> Any:
        """Take a deposit."""
        outcome = await info.context.act(
            service.take_deposit,
            lambda actor: TakeDeposit(actor, input.stay_id, input.amount, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: stay_type(view, locale))

    @strawberry.mutation(
        description="Take back an admission of which nothing is settled.",
        graphql_type=result_union("CancelAdmissionResult", StayType, _CHANGE),
    )
    async def cancel_admission(self, info: Info, input: CancelAdmissionInput) -> Any:
        """Cancel an admission."""
        outcome = await info.context.act(
            service.cancel_admission,
            lambda actor: CancelAdmission(actor, input.stay_id, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: stay_type(view, locale))

    @strawberry.mutation(
        description="Refer the patient whose code was scanned to another hospital; only a chosen"
        " institution, or that of the doctor team, may. The scan stays good for the visit's bill.",
        graphql_type=result_union(
            "ReferPatientResult",
            ReferralType,
            (*KEYED, GrantNotValid, ReferralNotPossible, RuleNotLoaded),
        ),
    )
    async def refer_patient(self, info: Info, input: ReferPatientInput) -> Any:
        """Refer a patient."""
        outcome = await info.context.act(
            referring.refer,
            lambda actor: ReferPatient(
                actor, input.token, input.to_code, input.reason, input.request_id
            ),
        )
        return answer(outcome, info.context.locale, referral_type)
