"""C7 卡挂失与解挂: a lost card, reported for a while or for good; the code works on unless frozen too."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import NotPermitted, SignInRequired
from backend.access.logic import own_id
from backend.cards import queries, service
from backend.cards.contracts import (
    CardLossView,
    CardNotPossible,
    CardState,
    LiftCardLoss,
    ReportCardLoss,
)
from backend.kernel.errors import Locale
from backend.rulebook.contracts import RuleNotLoaded
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "C7",
    "卡挂失与解挂",
    "卡挂失",
    "Card loss",
    ModuleState.AVAILABLE,
    "临时挂失（到期自动解除，可提前解挂）、正式挂失（不可撤销，显示补卡日期），可选同时冻结医保码。",
)


@strawberry.type(name="CardLoss", description="Where a card that was reported lost stands.")
class CardLossType:
    """A report, the newest."""

    state: CardState = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(description="Where it stands, in words.")
    reported_at: datetime = strawberry.field(description="When it was reported.")
    lifts_at: datetime | None = strawberry.field(
        description="When one for a while lifts itself, or was lifted."
    )
    card_by: date | None = strawberry.field(description="By when a new card is made.")
    code_frozen: bool = strawberry.field(description="Whether the electronic code is frozen too.")


@strawberry.input(description="Reports a card lost.")
class ReportCardLossInput:
    """Whose, and how."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose; null: the caller's."
    )
    formally: bool = strawberry.field(
        description="For good, which nothing undoes and which asks for a strong proof."
    )
    freeze_code: bool = strawberry.field(
        description="Whether to freeze the own electronic code too; it works on otherwise."
    )


@strawberry.input(description="Lifts a report for a while: the card is found.")
class LiftCardLossInput:
    """Whose."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose; null: the caller's."
    )


def card_loss_type(view: CardLossView, locale: Locale) -> CardLossType:
    """Return a report for the schema."""
    return CardLossType(
        state=view.state,
        status=status(view.state, locale),
        reported_at=view.reported_at,
        lifts_at=view.lifts_at,
        card_by=view.card_by,
        code_frozen=view.code_frozen,
    )


@strawberry.type
class CardQueries:
    """The card of a person."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Where the card stands; null: it was never reported lost.")
    async def card_loss(self, info: Info) -> CardLossType | None:
        """Return the newest report."""
        view = await info.context.door.read(lambda unit: queries.card_loss(unit, self.subject))
        return None if view is None else card_loss_type(view, info.context.locale)


_OWN = (SignInRequired, NotPermitted, CardNotPossible)


@strawberry.type
class CardMutations:
    """Reporting a card lost."""

    @strawberry.mutation(
        description="Report a card lost, for a while or for good.",
        graphql_type=result_union(
            "ReportCardLossResult", CardLossType, (*_OWN, StepUpRequired, RuleNotLoaded)
        ),
    )
    async def report_card_loss(self, info: Info, input: ReportCardLossInput) -> Any:
        """Report a card."""
        subject: str = input.subject_id or own_id(await info.context.actor())
        outcome = await info.context.act(
            service.report,
            lambda actor: ReportCardLoss(actor, subject, input.formally, input.freeze_code),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: card_loss_type(view, locale))

    @strawberry.mutation(
        description="Lift a report for a while: the card is found.",
        graphql_type=result_union("LiftCardLossResult", CardLossType, _OWN),
    )
    async def lift_card_loss(self, info: Info, input: LiftCardLossInput) -> Any:
        """Lift a report."""
        subject: str = input.subject_id or own_id(await info.context.actor())
        outcome = await info.context.act(service.lift, lambda actor: LiftCardLoss(actor, subject))
        locale = info.context.locale
        return answer(outcome, locale, lambda view: card_loss_type(view, locale))
