"""Refunds, of D5: asked for from the phone, decided by the institution, both halves on one page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import SignInRequired, TerminalActor
from backend.kernel.errors import Locale
from backend.kernel.money import Quantity
from backend.orders import refunds
from backend.orders.contracts import CashOnItsWay
from backend.orders.refund_contracts import (
    AskRefund,
    DecideRefund,
    PartLine,
    RefundLines,
    RefundNotFound,
    RefundNotPossible,
    RefundRequestState,
    RefundView,
    WithdrawRefund,
)
from backend.payments.contracts import (
    AlreadyReversed,
    NotInsured,
    PaymentUnderWay,
    SettlementNotFound,
)
from backend.settlement.contracts import LaterSettlementsInTheWay
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status


@strawberry.type(name="RefundLine", description="How much of a settlement's line comes back.")
class RefundLineType:
    """A line of a settlement, and how much of it."""

    number: int = strawberry.field(description="Its number in the settlement.")
    name: str = strawberry.field(description="The item's name.")
    quantity: Quantity = strawberry.field(description="How many units come back (cnt).")


@strawberry.input(description="How much of a settlement's line comes back.")
class RefundLineInput:
    """Which line, and how much of it."""

    number: int = strawberry.field(description="Its number in the settlement.")
    quantity: Quantity = strawberry.field(description="How many units come back (cnt).")

    def line(self) -> PartLine:
        """Return it for the backend."""
        return PartLine(self.number, self.quantity)


@strawberry.type(name="Refund", description="A request for a refund of a settlement.")
class RefundType:
    """What was asked, what was answered, and what goes back to whom."""

    refund_id: strawberry.ID = strawberry.field(description="Its id.")
    state: RefundRequestState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words, with what to do.")
    settlement_id: strawberry.ID = strawberry.field(description="Of which settlement.")
    reversal_id: strawberry.ID | None = strawberry.field(
        description="The settlement that took it back; null: none."
    )
    kept_settlement_id: strawberry.ID | None = strawberry.field(
        description="The settlement of what stays, where a part was taken back; null: none."
    )
    lines: list[RefundLineType] = strawberry.field(
        description="What comes back; empty: all of the settlement."
    )
    payment_id: strawberry.ID | None = strawberry.field(
        description="The payment whose cash goes back the way it came; null: the window has it."
    )
    institution: InstitutionType = strawberry.field(description="Who decides.")
    person: PersonType = strawberry.field(description="The patient, masked.")
    total: Money = strawberry.field(
        description="What comes back: as reckoned when asked for, and as booked once granted."
    )
    fund: Money = strawberry.field(description="Of it: to the funds, and the hospital's own share.")
    account: Money = strawberry.field(description="Of it: to personal accounts.")
    cash: Money = strawberry.field(description="Of it: to the patient in cash.")
    words: str = strawberry.field(description="Why it was asked for.")
    answer: str = strawberry.field(description="What the institution says; may be empty.")
    asked_at: datetime = strawberry.field(description="When.")
    due_on: date = strawberry.field(description="By when the institution answers.")
    overdue: bool = strawberry.field(description="Whether that day is over.")


def refund_type(view: RefundView, locale: Locale) -> RefundType:
    """Return a request for the schema."""
    return RefundType(
        refund_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        settlement_id=strawberry.ID(view.settlement_id),
        reversal_id=strawberry.ID(view.reversal_id) if view.reversal_id else None,
        kept_settlement_id=strawberry.ID(view.rest_id) if view.rest_id else None,
        lines=[
            RefundLineType(number=one.number, name=one.name, quantity=one.quantity)
            for one in view.lines
        ],
        payment_id=strawberry.ID(view.payment_id) if view.payment_id else None,
        institution=institution_type(view.institution),
        person=person_type(view.person),
        total=money(view.total_fen, locale),
        fund=money(view.fund_fen, locale),
        account=money(view.account_fen, locale),
        cash=money(view.cash_fen, locale),
        words=view.words,
        answer=view.answer,
        asked_at=view.asked_at,
        due_on=view.due_on,
        overdue=view.overdue,
    )


@strawberry.input(description="Asks an institution for a settlement back, or a part of it.")
class AskRefundInput:
    """Which, and why."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    settlement_id: strawberry.ID = strawberry.field(description="The settlement.")
    words: str = strawberry.field(description="Why; at most 200.")
    lines: list[RefundLineInput] = strawberry.field(
        description="What to take back; empty: all of it.", default_factory=list
    )


@strawberry.input(description="Names a request for a refund.")
class RefundInput:
    """Which request."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    refund_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="Grants a refund, or says why not.")
class DecideRefundInput:
    """Which, and how."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    refund_id: strawberry.ID = strawberry.field(description="Its id.")
    grant: bool = strawberry.field(description="Whether the settlement is taken back.")
    words: str = strawberry.field(description="What the patient reads.", default="")
    packs: list[str] = strawberry.field(
        description="Trace codes of the packs that came back, where a part is given back.",
        default_factory=list,
    )


@strawberry.input(description="Takes lines of a settlement back that nobody asked for on a phone.")
class RefundLinesInput:
    """Which, how much of them, and why."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    settlement_id: strawberry.ID = strawberry.field(description="The settlement.")
    lines: list[RefundLineInput] = strawberry.field(description="What comes back.")
    packs: list[str] = strawberry.field(
        description="Trace codes of the packs that came back.", default_factory=list
    )
    words: str = strawberry.field(description="Why; the patient reads it.")


_GIVE_BACK = (
    *(*KEYED, RefundNotPossible, SettlementNotFound, AlreadyReversed, PaymentUnderWay),
    *(LaterSettlementsInTheWay, NotInsured, CashOnItsWay),
)


@strawberry.type
class RefundQueries:
    """What a person has asked for."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Requests for refunds, the newest first.")
    async def refunds(self, info: Info, first: int | None = None) -> list[RefundType]:
        """Return requests."""
        limit = page_size(first)
        found = await info.context.door.read(
            lambda unit: refunds.of_person(unit, self.subject, limit)
        )
        return [refund_type(one, info.context.locale) for one in found]


@strawberry.type
class TillRefunds:
    """What an institution has to decide."""

    actor: strawberry.Private[TerminalActor]

    @strawberry.field(description="Requests for refunds, the longest waiting first.")
    async def refunds_to_decide(self, info: Info, first: int | None = None) -> list[RefundType]:
        """Return requests."""
        limit, place = page_size(first), self.actor.institution_id
        found = await info.context.door.read(lambda unit: refunds.to_decide(unit, place, limit))
        return [refund_type(one, info.context.locale) for one in found]


@strawberry.type
class RefundMutations:
    """Asking, thinking better of it, deciding."""

    @strawberry.mutation(
        description="Ask the institution for a settlement back, or some of its lines.",
        graphql_type=result_union(
            "AskRefundResult", RefundType, (*KEYED, RefundNotFound, RefundNotPossible)
        ),
    )
    async def ask_refund(self, info: Info, input: AskRefundInput) -> Any:
        """Ask for a refund."""
        outcome = await info.context.act(
            refunds.ask,
            lambda actor: AskRefund(
                actor,
                input.settlement_id,
                input.words,
                input.request_id,
                tuple(one.line() for one in input.lines),
            ),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Think better of a request that is not decided.",
        graphql_type=result_union(
            "WithdrawRefundResult", RefundType, (*KEYED, SignInRequired, RefundNotFound)
        ),
    )
    async def withdraw_refund(self, info: Info, input: RefundInput) -> Any:
        """Withdraw a request."""
        outcome = await info.context.act(
            refunds.withdraw,
            lambda actor: WithdrawRefund(actor, input.refund_id, input.request_id),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Grant a refund, which takes the settlement back whatever its day, or decline.",
        graphql_type=result_union("DecideRefundResult", RefundType, (RefundNotFound, *_GIVE_BACK)),
    )
    async def decide_refund(self, info: Info, input: DecideRefundInput) -> Any:
        """Decide about a request."""
        outcome = await info.context.act(
            refunds.decide,
            lambda actor: DecideRefund(
                actor,
                input.refund_id,
                input.grant,
                input.words,
                input.request_id,
                tuple(input.packs),
            ),
        )
        return _answer(info, outcome)

    @strawberry.mutation(
        description="Take lines of a settlement back, whatever its day; the rest is settled anew.",
        graphql_type=result_union("RefundLinesResult", RefundType, _GIVE_BACK),
    )
    async def refund_lines(self, info: Info, input: RefundLinesInput) -> Any:
        """Take lines of a settlement back."""
        outcome = await info.context.act(
            refunds.refund_lines,
            lambda actor: RefundLines(
                actor,
                input.settlement_id,
                tuple(one.line() for one in input.lines),
                tuple(input.packs),
                input.words,
                input.request_id,
            ),
        )
        return _answer(info, outcome)


def _answer(info: Info, outcome: Any) -> Any:
    locale = info.context.locale
    return answer(outcome, locale, lambda view: refund_type(view, locale))
