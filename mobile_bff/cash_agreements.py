"""免密支付 and bank credit, of D1 to D3 and E5: one scan pays the cash too, up to limits of one's own."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import Action, SignInRequired
from backend.identity.safety_contracts import AccountFrozen
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import Fen
from backend.orders import agreements
from backend.orders.agreeing import agreeing
from backend.orders.agreement_contracts import (
    AgreementNotFound,
    AgreementState,
    AgreementView,
    AskAgreement,
    CollectingNotPossible,
    CreditStanding,
    EndAgreement,
    LimitAgreement,
    RepayCredit,
    RepaymentState,
)
from backend.orders.contracts import ChannelName, ChannelNotOffered
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.paying import PayParameter
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status


@strawberry.type(name="CreditBill", description="What a bank paid for somebody.")
class CreditBillType:
    """A bill of credit, and by when it is paid back."""

    number: str = strawberry.field(description="Number of the payment.")
    amount: Money = strawberry.field(description="What the bank paid.")
    open: Money = strawberry.field(description="Of it: to be paid back.")
    due_on: date = strawberry.field(description="By when.")


@strawberry.type(name="Repayment", description="Credit that is paid back.")
class RepaymentType:
    """A repayment, and where it stands."""

    number: str = strawberry.field(description="Its number at the bank.")
    state: RepaymentState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words.")
    amount: Money = strawberry.field(description="How much.")
    asked_at: datetime = strawberry.field(description="When it was asked for.")
    words: str = strawberry.field(description="What the bank said; may be empty.")


@strawberry.type(name="Credit", description="A bank's credit for care, as the bank last told it.")
class CreditType:
    """Limit, what is open, what is late. Terms are the bank's own."""

    limit: Money = strawberry.field(description="What the bank has granted.")
    left: Money = strawberry.field(description="What it can still pay; nothing while some is late.")
    open: Money = strawberry.field(description="What is to be paid back.")
    overdue: Money = strawberry.field(description="Of it: late.")
    bills: list[CreditBillType] = strawberry.field(description="What it paid, each with its day.")


@strawberry.type(
    name="CashAgreement",
    description="That a channel may collect the holder's cash when their code is scanned.",
)
class CashAgreementType:
    """An agreement with a channel."""

    agreement_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Its number at the channel (out_contract_code).")
    channel: ChannelName = strawberry.field(description="With whom.")
    state: AgreementState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words, with what to do.")
    per_payment: Money = strawberry.field(description="The most of one payment.")
    per_day: Money = strawberry.field(description="The most of a day.")
    asked_at: datetime = strawberry.field(description="When it was asked for.")
    signed_at: datetime | None = strawberry.field(
        description="Since when it counts; null: not yet."
    )
    sign_until: datetime = strawberry.field(description="Until when it can be signed.")
    words: str = strawberry.field(description="What the channel said; may be empty.")
    pay: list[PayParameter] = strawberry.field(
        description="What to hand to the channel's own app for signing; empty unless it waits for that."
    )
    credit: CreditType | None = strawberry.field(
        description="A bank's credit; null: not a bank's, or not granted."
    )
    seen_at: datetime | None = strawberry.field(description="When the bank last told it.")
    repayments: list[RepaymentType] = strawberry.field(description="Repayments, the newest first.")


def agreement_type(view: AgreementView, locale: Locale) -> CashAgreementType:
    """Return an agreement for the schema."""
    return CashAgreementType(
        agreement_id=strawberry.ID(view.id),
        number=view.number,
        channel=view.channel,
        state=view.state,
        status=status(view.state, locale),
        per_payment=money(view.per_payment_fen, locale),
        per_day=money(view.per_day_fen, locale),
        asked_at=view.asked_at,
        signed_at=view.signed_at,
        sign_until=view.sign_until,
        words=view.words,
        pay=[PayParameter(name=name, value=value) for name, value in view.pay.items()],
        credit=None if view.credit is None else _credit(view.credit, locale),
        seen_at=view.seen_at,
        repayments=[
            RepaymentType(
                number=one.number,
                state=one.state,
                status=status(one.state, locale),
                amount=money(one.amount_fen, locale),
                asked_at=one.asked_at,
                words=one.words,
            )
            for one in view.repayments
        ],
    )


def _credit(credit: CreditStanding, locale: Locale) -> CreditType:
    return CreditType(
        limit=money(credit.limit_fen, locale),
        left=money(credit.left_fen, locale),
        open=money(credit.open_fen, locale),
        overdue=money(credit.overdue_fen, locale),
        bills=[
            CreditBillType(
                number=one.number,
                amount=money(one.amount_fen, locale),
                open=money(one.open_fen, locale),
                due_on=one.due_on,
            )
            for one in credit.bills
        ],
    )


@strawberry.input(description="Asks a channel to collect by code, or a bank for credit.")
class AskAgreementInput:
    """With whom, and up to how much."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    channel: ChannelName = strawberry.field(description="With whom.")
    per_payment_fen: int = strawberry.field(description="The most of one payment, in fen.")
    per_day_fen: int = strawberry.field(description="The most of a day, in fen.")
    consents: bool = strawberry.field(
        description="Whether the holder has agreed that a bank is told name, ID number and phone.",
        default=False,
    )


@strawberry.input(description="Sets how much is collected at most.")
class LimitAgreementInput:
    """Which, and up to how much."""

    agreement_id: strawberry.ID = strawberry.field(description="Its id.")
    per_payment_fen: int = strawberry.field(description="The most of one payment, in fen.")
    per_day_fen: int = strawberry.field(description="The most of a day, in fen.")


@strawberry.input(description="Pays back all that is open of a credit; the phone sends no amounts.")
class RepayCreditInput:
    """Which one."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    agreement_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type
class AgreementQueries:
    """What a person has agreed to."""

    subject: strawberry.Private[str]

    @strawberry.field(
        description="Channels that can collect by code here, banks with credit among them."
    )
    def agreement_channels(self, info: Info) -> list[ChannelName]:
        """Return channels."""
        offered = info.context.door.channels
        return sorted(name for name in offered if agreeing(offered, name) is not None)

    @strawberry.field(description="The holder's agreements, the newest first.")
    async def agreements(self, info: Info) -> list[CashAgreementType]:
        """Return agreements; a relative is not shown with which bank."""
        await info.context.person(Action.SET_PAYMENT_RULES, self.subject)
        found = await info.context.door.read(lambda unit: agreements.of_person(unit, self.subject))
        return [agreement_type(one, info.context.locale) for one in found]


@strawberry.type
class AgreementMutations:
    """Asking, limiting, ending, paying back."""

    @strawberry.mutation(
        description="Ask that cash is collected when the caller's code is scanned, or a bank for credit.",
        graphql_type=result_union(
            "AskAgreementResult",
            CashAgreementType,
            (*KEYED, CollectingNotPossible, ChannelNotOffered, StepUpRequired, AccountFrozen),
        ),
    )
    async def ask_agreement(self, info: Info, input: AskAgreementInput) -> Any:
        """Ask for an agreement."""
        if agreeing(info.context.door.channels, input.channel) is None:
            return answer(ChannelNotOffered(), info.context.locale, lambda one: one)
        outcome = await info.context.act(
            agreements.ask,
            lambda actor: AskAgreement(
                actor,
                input.channel,
                Fen(input.per_payment_fen),
                Fen(input.per_day_fen),
                input.consents,
                input.request_id,
            ),
        )
        return await _looked_after(info, outcome)

    @strawberry.mutation(
        description="Set how much is collected at most; letting more be collected needs a proof.",
        graphql_type=result_union(
            "LimitAgreementResult",
            CashAgreementType,
            (SignInRequired, AgreementNotFound, CollectingNotPossible, StepUpRequired),
        ),
    )
    async def limit_agreement(self, info: Info, input: LimitAgreementInput) -> Any:
        """Limit an agreement."""
        outcome = await info.context.act(
            agreements.limit,
            lambda actor: LimitAgreement(
                actor, input.agreement_id, Fen(input.per_payment_fen), Fen(input.per_day_fen)
            ),
        )
        return answer(outcome, info.context.locale, _shown(info))

    @strawberry.mutation(
        description="Let nothing be collected any more, at once; what a bank is owed stays owed.",
        graphql_type=result_union(
            "EndAgreementResult", CashAgreementType, (SignInRequired, AgreementNotFound)
        ),
    )
    async def end_agreement(self, info: Info, agreement_id: strawberry.ID) -> Any:
        """End an agreement."""
        outcome = await info.context.act(
            agreements.end, lambda actor: EndAgreement(actor, agreement_id)
        )
        return await _looked_after(info, outcome)

    @strawberry.mutation(
        description="Pay back all that is open of a bank's credit, from the card that the bank knows.",
        graphql_type=result_union(
            "RepayCreditResult",
            CashAgreementType,
            (*KEYED, AgreementNotFound, CollectingNotPossible, StepUpRequired),
        ),
    )
    async def repay_credit(self, info: Info, input: RepayCreditInput) -> Any:
        """Pay credit back."""
        outcome = await info.context.act(
            agreements.repay,
            lambda actor: RepayCredit(actor, input.agreement_id, input.request_id),
        )
        return await _looked_after(info, outcome)


def _shown(info: Info) -> Any:
    return lambda view: agreement_type(view, info.context.locale)


async def _looked_after(info: Info, outcome: AgreementView | Refusal) -> Any:
    """Return an agreement after the channel was asked, so that the phone can go on at once."""
    if isinstance(outcome, AgreementView):
        agreement_id = outcome.id
        await info.context.door.look_after(agreement_id)
        outcome = (
            await info.context.door.read(lambda unit: agreements.agreement(unit, agreement_id))
            or outcome
        )
    return answer(outcome, info.context.locale, _shown(info))
