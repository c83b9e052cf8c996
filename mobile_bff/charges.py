"""Charges of D2 and D3: a till shows a code that the phone scans, or puts a charge to a patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from anyio import to_thread

from backend.access.contracts import TerminalActor
from backend.access.logic import own_id
from backend.codes.contracts import GrantNotValid, Purpose, PurposeNotHere
from backend.identity.safety_contracts import AccountFrozen
from backend.institutions.contracts import AgreementNotOpen
from backend.kernel.errors import Locale
from backend.payments import charges
from backend.payments.charge_contracts import (
    ChargeNotFound,
    ChargeNotOpen,
    ChargeState,
    ChargeView,
    PutCharge,
    TakeCharge,
    WithdrawCharge,
)
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
from backend.payments.stay_contracts import NotEntitled, RefundExceedsCharge
from backend.policies.contracts import OutageNow
from backend.proxies.contracts import ProxyLimitReached
from backend.rulebook.contracts import RuleNotLoaded
from backend.settlement.contracts import TraceCodeSold
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.mobile_payment.bills_and_refunds import BillType, bill_type
from mobile_bff.mobile_payment.unified_code import svg_of
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.terminals.baskets import BasketLineInput, basket_of
from mobile_bff.wording import Status, status

_NUMBERS = (BasketEmpty, TooManyLines, QuantityInvalid, PriceInvalid)
_PLACE = (PurposeNotHere, AgreementNotOpen, OutageNow)


@strawberry.type(name="Charge", description="What an institution wants to be paid for by a phone.")
class ChargeType:
    """A charge, before it has a price for anybody."""

    charge_id: strawberry.ID = strawberry.field(description="Its id.")
    state: ChargeState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words.")
    purpose: Purpose = strawberry.field(description="Pharmacy or outpatient.")
    institution: InstitutionType = strawberry.field(description="Where.")
    total: Money = strawberry.field(
        description="At the till's prices, before anybody pays a share."
    )
    lines: int = strawberry.field(description="How many lines it has.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it can be taken.")
    bill_id: strawberry.ID | None = strawberry.field(description="Its bill; null: not taken yet.")
    paid: bool = strawberry.field(description="Whether that bill is paid.")
    text: str = strawberry.field(description="What its QR code says; only when it is made.")

    @strawberry.field(description="Its QR code as SVG; empty but when it is made.")
    async def qr_svg(self) -> str:
        """Return the image as text."""
        return await to_thread.run_sync(svg_of, self.text) if self.text else ""


def charge_type(view: ChargeView, locale: Locale) -> ChargeType:
    """Return a charge for the schema."""
    return ChargeType(
        charge_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        purpose=view.purpose,
        institution=institution_type(view.institution),
        total=money(view.total_fen, locale),
        lines=view.line_count,
        created_at=view.created_at,
        expires_at=view.expires_at,
        bill_id=strawberry.ID(view.bill_id) if view.bill_id else None,
        paid=view.paid,
        text=view.text,
    )


@strawberry.input(description="Wants a basket to be paid by a phone.")
class PutChargeInput:
    """A basket, and for whom."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    purpose: Purpose = strawberry.field(description="Pharmacy or outpatient.")
    lines: list[BasketLineInput] = strawberry.field(description="The basket.")
    token: str = strawberry.field(
        description="Of a scan: for that patient, for three days; empty: for whoever scans the code.",
        default="",
    )
    disease: str = strawberry.field(description="Listed disease; empty: ordinary.", default="")
    emergency: bool = strawberry.field(description="Whether it is an emergency.", default=False)


@strawberry.input(description="Names a charge.")
class ChargeInput:
    """Which charge."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    charge_id: strawberry.ID = strawberry.field(description="Its id (chargeId).")


@strawberry.input(description="Takes a charge.")
class TakeChargeInput:
    """By what its QR code says, or by its id."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    text: str = strawberry.field(description="What the QR code says; empty: by id.", default="")
    charge_id: strawberry.ID = strawberry.field(
        description="Its id, where it was put to the patient.", default=strawberry.ID("")
    )
    subject_id: strawberry.ID | None = strawberry.field(
        description="For whom; null: for oneself.", default=None
    )
    use_account: bool = strawberry.field(
        description="Whether the personal account may pay.", default=True
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        description="Which enrolment pays; null: the one in force.", default=None
    )


@strawberry.type
class ChargeQueries:
    """What a person may ask about charges."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Charges put to the patient that are not paid, the newest first.")
    async def open_charges(self, info: Info, first: int | None = None) -> list[ChargeType]:
        """Return open charges."""
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: charges.open_charges(unit, self.subject, limit)
        )
        return [charge_type(one, info.context.locale) for one in found]


@strawberry.type
class TillCharges:
    """What a terminal may ask about its charges."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(description="A charge of this institution as it stands now.")
    async def charge(self, info: Info, charge_id: strawberry.ID) -> ChargeType | None:
        """Return a charge or nothing."""
        found = await info.context.door.read(
            lambda unit: charges.charge_of(unit, self.actor.institution_id, charge_id)
        )
        return None if found is None else charge_type(found, info.context.locale)


@strawberry.type
class ChargeMutations:
    """Putting a charge, taking it away, and a phone's taking it."""

    @strawberry.mutation(
        description="Make a charge that a phone takes and pays; no money moves.",
        graphql_type=result_union(
            "PutChargeResult", ChargeType, (*KEYED, *_PLACE, *_NUMBERS, GrantNotValid)
        ),
    )
    async def put_charge(self, info: Info, input: PutChargeInput) -> Any:
        """Make a charge."""
        lines = basket_of(input.lines)
        outcome = await info.context.act(
            charges.put_charge,
            lambda actor: PutCharge(
                actor,
                input.purpose,
                lines,
                input.request_id,
                input.token,
                input.disease,
                input.emergency,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: charge_type(view, locale))

    @strawberry.mutation(
        description="Take a charge away that is not being paid.",
        graphql_type=result_union(
            "WithdrawChargeResult", ChargeType, (*KEYED, ChargeNotFound, ChargeNotOpen)
        ),
    )
    async def withdraw_charge(self, info: Info, input: ChargeInput) -> Any:
        """Take a charge away."""
        outcome = await info.context.act(
            charges.withdraw_charge,
            lambda actor: WithdrawCharge(actor, input.charge_id, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: charge_type(view, locale))

    @strawberry.mutation(
        description="Take a charge for oneself or a relative; it becomes a bill that can be paid.",
        graphql_type=result_union(
            "TakeChargeResult",
            BillType,
            (
                *(*KEYED, *_PLACE, BasketEmpty, ChargeNotFound, ChargeNotOpen, NotInsured),
                *(ItemNotInCatalogue, ItemNotSoldHere, TraceCodesWrong, TraceCodeSold),
                *(QuantityInvalid, RuleNotLoaded, NotEntitled, RefundExceedsCharge),
                *(AccountFrozen, SilentHours, AccountLimitReached, ProxyLimitReached),
            ),
        ),
    )
    async def take_charge(self, info: Info, input: TakeChargeInput) -> Any:
        """Take a charge."""
        outcome = await info.context.act(
            charges.take_charge,
            lambda actor: TakeCharge(
                actor,
                input.subject_id or own_id(actor),
                input.text,
                input.charge_id,
                input.use_account,
                input.enrolment_id,
                input.request_id,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: bill_type(view, locale))
