"""E5 信用就医: care first, pay later: who may, what is owed by when, and what can be said against it."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import Action, SignInRequired
from backend.credit import handling, queries
from backend.credit.contracts import (
    DebtWordsMissing,
    Entitlement,
    ObjectToDebt,
    PayLaterNotFound,
    PayLaterState,
    PayLaterView,
)
from backend.identity.safety_contracts import AccountFrozen
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.orders import debts
from backend.orders.agreement_contracts import AboveAgreement, NoAgreement
from backend.orders.contracts import ChannelName, ChannelNotOffered, DebtPart, DebtUnderWay, PayDebt
from backend.payments.stays import entitlement_at
from backend.payments.visits import enrolment_on
from backend.settlement.case import FilingKind
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.paying import PaymentType, driven
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "E5",
    "信用就医",
    "信用就医",
    "Care first, pay later",
    ModuleState.AVAILABLE,
    "先诊疗后付费：可查免押金资格、欠款和分期，到期提醒，手机还款，可提异议，列入失信前须告知和答复；可申请银行信用就医额度，扫码或手机支付时由银行先付，查看账单、到期提醒和还款。",
)


@strawberry.type(name="Instalment", description="A part of a debt.")
class InstalmentType:
    """How much, by when."""

    number: int = strawberry.field(description="Which part.")
    due_on: date = strawberry.field(description="Its last day.")
    amount: Money = strawberry.field(description="How much.")


@strawberry.type(name="PayLater", description="An agreement to pay for a stay afterwards.")
class PayLaterType:
    """What is owed, by when, and what was said about it."""

    agreement_id: strawberry.ID = strawberry.field(description="Its id.")
    state: PayLaterState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words, with what to do.")
    hospital: InstitutionType = strawberry.field(description="To whom.")
    stay_id: strawberry.ID = strawberry.field(description="For which stay.")
    signed_on: date = strawberry.field(description="When it was signed.")
    debt: Money = strawberry.field(description="What was owed at discharge, or agreed on anew.")
    paid: Money = strawberry.field(description="Of it: paid.")
    open: Money = strawberry.field(description="Of it: still to be paid.")
    instalments: list[InstalmentType] = strawberry.field(description="By when.")
    told_on: date | None = strawberry.field(
        description="When the patient was told that a part was missed; null: none was."
    )
    objected_on: date | None = strawberry.field(
        description="Since when an objection waits for an answer; null: none does."
    )
    objection: str = strawberry.field(description="What was said against it; may be empty.")
    answer: str = strawberry.field(description="What was answered; may be empty.")


@strawberry.type(description="Whether somebody is admitted without a deposit.")
class PayLaterRight:
    """And why."""

    entitled: bool = strawberry.field(description="Whether they are.")
    reason: str = strawberry.field(
        description="ENTITLED, NO_IDENTITY, OUTSIDE the area, or DEFAULTED."
    )
    text: str = strawberry.field(description="The same in words.")
    clause: str = strawberry.field(description="By which rule.")


_REASONS = {
    "ENTITLED": ("可以免押金住院，出院时只付个人部分", "no deposit is asked for"),
    "NO_IDENTITY": ("不属于先诊疗后付费的对象", "this is for named groups of patients"),
    "OUTSIDE": ("只适用于参保地范围内的医院，急诊除外", "only near home, emergencies excepted"),
    "DEFAULTED": ("有逾期未还的欠款，还清后恢复", "there is a debt in default; paying ends that"),
}


def pay_later_type(view: PayLaterView, hospital: InstitutionView, locale: Locale) -> PayLaterType:
    """Return an agreement for the schema."""
    return PayLaterType(
        agreement_id=strawberry.ID(view.id),
        state=view.state,
        status=status(view.state, locale),
        hospital=institution_type(hospital),
        stay_id=strawberry.ID(view.stay_id),
        signed_on=view.signed_on,
        debt=money(view.debt_fen, locale),
        paid=money(view.paid_fen, locale),
        open=money(view.open_fen, locale),
        instalments=[
            InstalmentType(
                number=one.number, due_on=one.due_on, amount=money(one.amount_fen, locale)
            )
            for one in view.instalments
        ],
        told_on=view.told_on,
        objected_on=view.objected_on,
        objection=view.objection,
        answer=view.answer,
    )


async def shown(info: Info, views: list[PayLaterView]) -> list[PayLaterType]:
    """Return agreements for the schema with their hospitals."""
    ids = [one.institution_id for one in views]
    places = await info.context.door.read(lambda unit: institutions.institutions(unit, ids))
    return [pay_later_type(one, places[one.institution_id], info.context.locale) for one in views]


async def shown_answer(info: Info, outcome: Any) -> Any:
    """Return a use case's outcome as a member of its result union."""
    if isinstance(outcome, PayLaterView):
        return (await shown(info, [outcome]))[0]
    return answer(outcome, info.context.locale, lambda one: one)


@strawberry.input(description="Objects to a debt.")
class ObjectToDebtInput:
    """Which, and why."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    agreement_id: strawberry.ID = strawberry.field(description="The agreement.")
    words: str = strawberry.field(description="Why it is wrong, or cannot be paid in time.")


@strawberry.type
class CreditQueries:
    """Agreements of a person, and whether they may have one."""

    @strawberry.field(description="Agreements to pay later, the newest first.")
    async def pay_later(
        self, info: Info, subject_id: strawberry.ID | None = None
    ) -> list[PayLaterType]:
        """Return agreements of the caller, or of somebody they may look for."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)
        found = await info.context.door.read(lambda unit: queries.said_of_person(unit, subject))
        return await shown(info, found)

    @strawberry.field(
        description="Whether a hospital admits without a deposit; null: nobody can tell."
    )
    async def pay_later_right(
        self, info: Info, hospital: str, subject_id: strawberry.ID | None = None
    ) -> PayLaterRight | None:
        """Return the right by the hospital's code."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)

        def read(unit: Unit) -> Entitlement | None:
            place = institutions.by_code(unit, hospital)
            enrolment = enrolment_on(unit, subject, None, local_day(unit.now))
            if place is None or enrolment is None:
                return None
            found = entitlement_at(unit, enrolment, place, FilingKind.NONE)
            return found if isinstance(found, Entitlement) else None

        found = await info.context.door.read(read)
        if found is None:
            return None
        zh, en = _REASONS[found.reason]
        return PayLaterRight(
            entitled=found.entitled,
            reason=found.reason,
            text=zh if info.context.locale is Locale.ZH else en,
            clause=found.ref.rule,
        )


@strawberry.input(description="Pays a debt: the phone sends no amounts.")
class PayDebtInput:
    """Which, how much of it, and through whom."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    agreement_id: strawberry.ID = strawberry.field(description="The agreement to pay later.")
    part: DebtPart = strawberry.field(description="What is due now, or all of it.")
    channel: ChannelName = strawberry.field(description="Who collects the cash.")


@strawberry.type
class CreditMutations:
    """What can be said against a debt, and paying it."""

    @strawberry.mutation(
        description="Pay what is due of a debt, or all of it, through a cash channel.",
        graphql_type=result_union(
            "PayDebtResult",
            PaymentType,
            (
                *(*KEYED, SignInRequired, PayLaterNotFound, DebtUnderWay, ChannelNotOffered),
                *(StepUpRequired, AccountFrozen, NoAgreement, AboveAgreement),
            ),
        ),
    )
    async def pay_debt(self, info: Info, input: PayDebtInput) -> Any:
        """Pay a debt of the caller, or of a relative they may pay for."""
        if input.channel not in info.context.door.channels:
            return answer(ChannelNotOffered(), info.context.locale, lambda one: one)
        outcome = await info.context.act(
            debts.pay_debt,
            lambda actor: PayDebt(
                actor, input.agreement_id, input.part, input.channel, input.request_id
            ),
        )
        return await driven(info, outcome)

    @strawberry.mutation(
        description="Object to a debt; nothing is listed before somebody has answered.",
        graphql_type=result_union(
            "ObjectToDebtResult",
            PayLaterType,
            (*KEYED, SignInRequired, PayLaterNotFound, DebtWordsMissing),
        ),
    )
    async def object_to_debt(self, info: Info, input: ObjectToDebtInput) -> Any:
        """Object to a debt."""
        outcome = await info.context.act(
            handling.object_to,
            lambda actor: ObjectToDebt(actor, input.agreement_id, input.words, input.request_id),
        )
        return await shown_answer(info, outcome)
