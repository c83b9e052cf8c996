"""D5 账单与退费: bills that wait, the patient's decision, and live events; payments are in paying.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

import strawberry
from strawberry import relay

from backend.access.assurance import StepUpRequired
from backend.access.contracts import PersonActor, TerminalActor
from backend.codes.contracts import Purpose
from backend.identity.safety_contracts import AccountFrozen
from backend.kernel.errors import Locale
from backend.payments import decisions, misuse, queries
from backend.payments.contracts import (
    BillExpired,
    BillNotFound,
    BillNotOpen,
    BillState,
    BillView,
    ConfirmReason,
    CoolingDown,
    DecideBill,
    MisuseView,
    ReportNotMe,
    SettlementNotFound,
)
from backend.proxies.contracts import ProxyLimitReached
from mobile_bff.connections import page_size
from mobile_bff.context import Info, RefusedQuery
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status
from mobile_bff.working import Working, working_type

MODULE = AppModule(
    "D5",
    "账单与退费",
    "账单退费",
    "Bills and refunds",
    ModuleState.AVAILABLE,
    "可在手机上即时查看、确认或拒绝结算单，申请退费，支付和退款两边同页，可开具带电子签名的结算单（PDF）；可整单或部分退费，医保和现金两边同页可查；机构每日对账。",
)


class BillEventKind(StrEnum):
    """What happened to a bill."""

    BILL_PRESENTED = "BILL_PRESENTED"
    BILL_CONFIRMED = "BILL_CONFIRMED"
    BILL_REFUSED = "BILL_REFUSED"
    BILL_SETTLED = "BILL_SETTLED"
    BILL_REVERSED = "BILL_REVERSED"
    BILL_PARTLY_REVERSED = "BILL_PARTLY_REVERSED"


strawberry.enum(BillEventKind, description="What happened to a bill.")
for _value in BillEventKind.__strawberry_definition__.values:  # type: ignore[attr-defined]
    _value.description = {
        "BILL_PRESENTED": "A till priced a basket; it may wait for the patient.",
        "BILL_CONFIRMED": "The patient confirmed it.",
        "BILL_REFUSED": "The patient refused it.",
        "BILL_SETTLED": "It was booked.",
        "BILL_REVERSED": "Its settlement was taken back.",
        "BILL_PARTLY_REVERSED": "A part of its settlement was taken back; the rest was settled anew.",
    }[_value.name]


@strawberry.type(name="Bill", description="A priced basket on its way to a settlement.")
class BillType(relay.Node):
    """A bill as both sides see it."""

    id: relay.NodeID[str]
    bill_id: strawberry.ID = strawberry.field(description="The same id in plain form.")
    state: BillState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words.")
    purpose: Purpose = strawberry.field(description="Pharmacy or outpatient.")
    institution: InstitutionType = strawberry.field(description="Where.")
    person: PersonType = strawberry.field(description="For whom, masked.")
    created_at: datetime = strawberry.field(description="When it was priced.")
    expires_at: datetime = strawberry.field(description="Until when it can be booked.")
    needs_confirmation: bool = strawberry.field(description="Whether it waits for the phone.")
    confirm_reason: ConfirmReason | None = strawberry.field(
        description="Why it waits or waited for the phone; null: it did not."
    )
    confirm_reason_text: str = strawberry.field(description="The same in words; may be empty.")
    confirm_above: Money = strawberry.field(description="The patient's limit when it was priced.")
    working: Working = strawberry.field(description="How every fen was reckoned.")
    settlement_id: strawberry.ID | None = strawberry.field(description="The settlement, if booked.")

    @classmethod
    async def resolve_nodes(
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Any]:
        """Return bills by id, each for its own patient and institution only."""
        actor = await info.context.actor()
        shown = []
        for node_id in node_ids:
            owner = await info.context.door.read(partial(queries.owner_of_bill, bill_id=node_id))
            own = owner is not None and await _is_own(info, actor, owner)
            view = await _bill(info, node_id) if own else None
            shown.append(None if view is None else bill_type(view, info.context.locale))
        return shown


@strawberry.type(description="Something that happened to a bill, live.")
class BillHappening:
    """An event with the bill as it stands now."""

    kind: BillEventKind = strawberry.field(description="What happened.")
    bill: BillType = strawberry.field(description="The bill as it stands now.")


def bill_type(view: BillView, locale: Locale) -> BillType:
    """Return a bill for the schema."""
    return BillType(
        id=view.id,
        bill_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        purpose=view.purpose,
        institution=institution_type(view.institution),
        person=person_type(view.person),
        created_at=view.created_at,
        expires_at=view.expires_at,
        needs_confirmation=view.state is BillState.AWAITING_CONFIRMATION,
        confirm_reason=view.confirm_reason,
        confirm_reason_text=view.confirm_reason.text(locale) if view.confirm_reason else "",
        confirm_above=money(view.confirm_above_fen, locale),
        working=working_type(view.outcome, locale),
        settlement_id=strawberry.ID(view.settlement_id) if view.settlement_id else None,
    )


@strawberry.input(description="Decides about a bill.")
class DecideBillInput:
    """A decision."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    bill_id: strawberry.ID = strawberry.field(description="The bill's plain id (billId).")


_DECISION = (*KEYED, BillNotFound, BillNotOpen, BillExpired, CoolingDown)


@strawberry.input(description="Says that a settlement was not one's own.")
class ReportNotMeInput:
    """Which one."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    settlement_id: strawberry.ID = strawberry.field(description="Plain id (settlementId).")
    words: str = strawberry.field(description="In the person's own words; may be empty.")


@strawberry.type(description="A report of misuse. The account is frozen from that moment on.")
class MisuseReport:
    """What was done."""

    report_id: strawberry.ID = strawberry.field(description="Its number.")
    settlement_id: strawberry.ID = strawberry.field(description="The settlement.")
    reported_at: datetime = strawberry.field(description="When.")


@strawberry.type
class BillQueries:
    """What a person may ask about their own bills."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Bills that still wait to be booked, the newest first.")
    async def open_bills(self, info: Info, first: int | None = None) -> list[BillType]:
        """Return open bills; ask after subscribing, so that none is missed."""
        limit = page_size(first)
        views = await info.context.door.read(
            lambda unit: queries.open_bills(unit, self.subject, limit)
        )
        return [bill_type(view, info.context.locale) for view in views]


@strawberry.type
class BillMutations:
    """What a patient may decide about a bill."""

    @strawberry.mutation(
        description="One tap: freezes the account, signs other devices out, opens a report.",
        graphql_type=result_union("ReportNotMeResult", MisuseReport, (*KEYED, SettlementNotFound)),
    )
    async def report_not_me(self, info: Info, input: ReportNotMeInput) -> Any:
        """Report a settlement that was not the caller's."""
        outcome = await info.context.act(
            misuse.report_not_me,
            lambda actor: ReportNotMe(actor, input.settlement_id, input.words, input.request_id),
        )

        def shown(report: MisuseView) -> MisuseReport:
            return MisuseReport(
                report_id=strawberry.ID(report.id),
                settlement_id=strawberry.ID(report.settlement_id),
                reported_at=report.reported_at,
            )

        return answer(outcome, info.context.locale, shown)

    @strawberry.mutation(
        description="Confirm a bill, so that the till can book it.",
        graphql_type=result_union(
            "ConfirmBillResult",
            BillType,
            (*_DECISION, StepUpRequired, AccountFrozen, ProxyLimitReached),
        ),
    )
    async def confirm_bill(self, info: Info, input: DecideBillInput) -> Any:
        """Confirm a bill of the caller."""
        return await _decide(info, input, accept=True)

    @strawberry.mutation(
        description="Refuse a bill; nothing is charged.",
        graphql_type=result_union("RefuseBillResult", BillType, _DECISION),
    )
    async def refuse_bill(self, info: Info, input: DecideBillInput) -> Any:
        """Refuse a bill of the caller."""
        return await _decide(info, input, accept=False)


@strawberry.type
class BillSubscriptions:
    """What a phone or a till may follow."""

    @strawberry.subscription(description="Events of the caller's bills: a phone's or a till's.")
    async def bill_events(self, info: Info) -> AsyncGenerator[BillHappening, None]:
        """Yield events; the session is looked up again at each of them."""
        topic = _topic(await info.context.actor())
        if topic is None:
            raise RefusedQuery("sign in to follow bills", "UNAUTHENTICATED")
        async for kind, bill_id in info.context.feed.follow(topic, info.context.connected):
            if kind not in BillEventKind.__members__:
                continue  # something else that concerns this person
            if _topic(await info.context.fresh_actor()) != topic:
                raise RefusedQuery("the session has ended", "UNAUTHENTICATED")
            view = await _bill(info, bill_id)
            if view is not None:
                bill = bill_type(view, info.context.locale)
                yield BillHappening(kind=BillEventKind(kind), bill=bill)


def _topic(actor: object) -> str | None:
    if isinstance(actor, PersonActor):
        return f"person:{actor.person_id}"
    if isinstance(actor, TerminalActor):
        return f"terminal:{actor.terminal_id}"
    return None


async def _is_own(info: Info, actor: object, owner: tuple[str, str]) -> bool:
    if isinstance(actor, PersonActor):
        return await info.context.sees(owner[0])
    return isinstance(actor, TerminalActor) and actor.institution_id == owner[1]


async def _bill(info: Info, bill_id: str) -> BillView | None:
    return await info.context.door.read(lambda unit: queries.bill(unit, bill_id))


async def _decide(info: Info, input: DecideBillInput, accept: bool) -> Any:
    outcome = await info.context.act(
        decisions.decide_bill,
        lambda actor: DecideBill(actor, input.bill_id, accept, input.request_id),
    )
    locale = info.context.locale
    return answer(outcome, locale, lambda view: bill_type(view, locale))
