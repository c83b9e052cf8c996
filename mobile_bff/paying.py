"""Payment orders, of D2, D3 and D5: insurance, account and cash in one, both halves on one page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import PersonActor, SignInRequired, TerminalActor
from backend.codes.contracts import PurposeNotHere
from backend.identity.safety_contracts import AccountFrozen
from backend.institutions.contracts import AgreementNotOpen
from backend.kernel.errors import Locale
from backend.orders import queries, service
from backend.orders.agreement_contracts import AboveAgreement, NoAgreement
from backend.orders.contracts import (
    CancelOrder,
    ChannelName,
    ChannelNotOffered,
    OrderEvent,
    OrderNotFound,
    OrderNotOpen,
    OrderState,
    OrderView,
    PayAtCounter,
    PayBill,
    Why,
)
from backend.payments.contracts import (
    BillExpired,
    BillNotFound,
    BillNotOpen,
    BillOutdated,
    BillRefused,
    CoolingDown,
    NotInsured,
    PaymentUnderWay,
)
from backend.payments.rule_contracts import AccountLimitReached, SilentHours
from backend.policies.contracts import OutageNow
from backend.proxies.contracts import ProxyLimitReached
from backend.rulebook.contracts import RuleNotLoaded
from backend.supervision.contracts import PaymentHeld
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status, words


@strawberry.type(name="PaymentStep", description="Something that happened to a payment.")
class PaymentStepType:
    """An event with the state that it led to."""

    at: datetime = strawberry.field(description="When.")
    event: OrderEvent = strawberry.field(description="What happened.")
    status: Status = strawberry.field(description="Where it stood afterwards, in words.")


@strawberry.type(description="A value that the channel's own app wants.")
class PayParameter:
    """A name and a value."""

    name: str = strawberry.field(description="Its name, as the channel has it.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(name="Payment", description="A bill paid through insurance and a cash channel.")
class PaymentType:
    """A payment order with both halves."""

    payment_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Its number at the channel (out_trade_no).")
    state: OrderState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words, with what to do.")
    why: Why | None = strawberry.field(description="Why it came to nothing; null: it has not.")
    why_text: str = strawberry.field(description="The same in words; may be empty.")
    channel: ChannelName = strawberry.field(description="Who collects the cash.")
    bill_id: strawberry.ID = strawberry.field(description="The bill.")
    person: PersonType = strawberry.field(description="For whom, masked.")
    institution: InstitutionType = strawberry.field(description="Where.")
    total: Money = strawberry.field(description="The bill.")
    fund: Money = strawberry.field(description="By the funds, and what the hospital bears.")
    account: Money = strawberry.field(description="By personal accounts.")
    cash: Money = strawberry.field(description="In cash, through the channel.")
    returned: Money = strawberry.field(description="Of the cash: given back.")
    return_by: date | None = strawberry.field(
        description="The promised last day for the cash to be back; null: none goes back."
    )
    created_at: datetime = strawberry.field(description="When it was begun.")
    pay_until: datetime = strawberry.field(description="Until when insurance stands by.")
    paid_at: datetime | None = strawberry.field(description="When the cash was taken.")
    trade_number: str = strawberry.field(description="The channel's own number; may be empty.")
    settlement_id: strawberry.ID | None = strawberry.field(
        description="The settlement; null: none."
    )
    pay: list[PayParameter] = strawberry.field(
        description="What to hand to the channel's own app; empty unless it waits for that."
    )
    debt_id: strawberry.ID | None = strawberry.field(
        description="The debt that it pays in place of a bill (payLater); null: none."
    )
    by_agreement: bool = strawberry.field(
        description="Whether the cash is collected by agreement, without the channel's own app."
    )
    steps: list[PaymentStepType] = strawberry.field(description="What happened, in its order.")


def payment_type(view: OrderView, locale: Locale) -> PaymentType:
    """Return a payment order for the schema."""
    return PaymentType(
        payment_id=strawberry.ID(view.id),
        number=view.number,
        state=view.state,
        status=status(view.state, locale),
        why=view.why,
        why_text=words(view.why).text(locale) if view.why else "",
        channel=view.channel,
        bill_id=strawberry.ID(view.bill_id),
        person=person_type(view.person),
        institution=institution_type(view.institution),
        total=money(view.total_fen, locale),
        fund=money(view.fund_fen, locale),
        account=money(view.account_fen, locale),
        cash=money(view.cash_fen, locale),
        returned=money(view.returned_fen, locale),
        return_by=view.return_by,
        created_at=view.created_at,
        pay_until=view.pay_until,
        paid_at=view.paid_at,
        trade_number=view.trade_number,
        settlement_id=strawberry.ID(view.settlement_id) if view.settlement_id else None,
        pay=[PayParameter(name=name, value=value) for name, value in view.pay.items()],
        debt_id=strawberry.ID(view.debt_id) if view.debt_id else None,
        by_agreement=view.by_agreement,
        steps=[
            PaymentStepType(at=one.at, event=one.event, status=status(one.state, locale))
            for one in view.steps
        ],
    )


@strawberry.input(description="Pays a bill: the phone sends no amounts.")
class PayBillInput:
    """Which bill, and through whom."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    bill_id: strawberry.ID = strawberry.field(description="The bill's plain id (billId).")
    channel: ChannelName = strawberry.field(description="Who collects the cash.")


@strawberry.input(description="Names a payment.")
class PaymentInput:
    """Which payment."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    payment_id: strawberry.ID = strawberry.field(description="Its id (paymentId).")


PAY = (
    *KEYED,
    PurposeNotHere,
    AgreementNotOpen,
    OutageNow,
    BillNotFound,
    BillNotOpen,
    BillRefused,
    BillExpired,
    PaymentHeld,
    BillOutdated,
    CoolingDown,
    PaymentUnderWay,
    PayAtCounter,
    ChannelNotOffered,
    StepUpRequired,
    AccountFrozen,
    SilentHours,
    AccountLimitReached,
    ProxyLimitReached,
    NotInsured,
    RuleNotLoaded,
)


@strawberry.type
class PaymentQueries:
    """What a person may ask about their payments."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Channels through which cash can be paid here.")
    def channels(self, info: Info) -> list[ChannelName]:
        """Return the channels offered."""
        return sorted(info.context.door.channels)

    @strawberry.field(
        description="Payments, the newest first, each with both halves; after the one that is named."
    )
    async def payments(
        self, info: Info, first: int | None = None, after: strawberry.ID | None = None
    ) -> list[PaymentType]:
        """Return payments."""
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: queries.of_person(unit, self.subject, after, limit)
        )
        return [payment_type(one, info.context.locale) for one in found]


@strawberry.type
class PaymentMutations:
    """Paying, and thinking better of it."""

    @strawberry.mutation(
        description="Pay a bill: insurance and account stand by while the channel collects the cash.",
        graphql_type=result_union(
            "PayBillResult", PaymentType, (*PAY, NoAgreement, AboveAgreement)
        ),
    )
    async def pay_bill(self, info: Info, input: PayBillInput) -> Any:
        """Pay a bill of the caller, or of a relative they may pay for."""
        if input.channel not in info.context.door.channels:
            return answer(ChannelNotOffered(), info.context.locale, lambda one: one)
        outcome = await info.context.act(
            service.pay_bill,
            lambda actor: PayBill(actor, input.bill_id, input.channel, input.request_id),
        )
        return await driven(info, outcome)

    @strawberry.mutation(
        description="Cancel a payment that is not decided; what is paid meanwhile goes back.",
        graphql_type=result_union(
            "CancelPaymentResult", PaymentType, (SignInRequired, OrderNotFound, OrderNotOpen)
        ),
    )
    async def cancel_payment(self, info: Info, input: PaymentInput) -> Any:
        """Cancel a payment."""
        outcome = await info.context.act(
            service.cancel_order,
            lambda actor: CancelOrder(actor, input.payment_id, input.request_id),
        )
        return await driven(info, outcome)


async def one_payment(info: Info, payment_id: str) -> PaymentType | None:
    """Return a payment to whoever may see it: its person, who may look for them, or its institution."""
    actor = await info.context.actor()
    owner = await info.context.door.read(lambda unit: queries.owner_of(unit, payment_id))
    if owner is None:
        return None
    if isinstance(actor, PersonActor):
        own = await info.context.sees(owner[0])
    else:
        own = isinstance(actor, TerminalActor) and actor.institution_id == owner[1]
    if not own:
        return None
    view = await info.context.door.read(lambda unit: queries.order(unit, payment_id))
    return None if view is None else payment_type(view, info.context.locale)


async def driven(info: Info, outcome: Any) -> Any:
    """Return an order after it has been taken as far as it goes, so that the phone can go on at once."""
    if isinstance(outcome, OrderView):
        order_id = outcome.id
        await info.context.door.drive(order_id)
        outcome = (
            await info.context.door.read(lambda unit: queries.order(unit, order_id)) or outcome
        )
    locale = info.context.locale
    return answer(outcome, locale, lambda view: payment_type(view, locale))
