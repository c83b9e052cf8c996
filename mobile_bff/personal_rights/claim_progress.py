"""C4 报销进度查询: where each claim stands, who has it, until when, what it came to, and what is missing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.claims import applying, queries
from backend.claims.contracts import ChangePayoutAccount, ClaimInvalid, ClaimView
from backend.infra.database import Unit
from backend.kernel.errors import Locale
from backend.kernel.masking import mask_account
from backend.matters import queries as matters
from backend.matters.contracts import MatterKind, MatterNotFound, MatterView
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.matters import MatterType, matter_type
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.public_services.manual_claims import PayoutAccountInput
from mobile_bff.scalars import Money, money, money_or_none

MODULE = AppModule(
    "C4",
    "报销进度查询",
    "报销进度",
    "Progress of claims",
    ModuleState.AVAILABLE,
    "每笔报销到哪一步、在谁手里、承诺哪天办结、金额和依据、是否到账；退回的可改收款账户。",
)


@strawberry.type(description="A claim, from the phone or the counter.")
class ClaimProgress:
    """Where it stands, and what it came to."""

    matter: MatterType | None = strawberry.field(
        description="The application; null: it was handed in at a counter."
    )
    invoices: list[str] = strawberry.field(description="Numbers of its invoices.")
    claimed: Money | None = strawberry.field(description="What the invoices sum to, as handed in.")
    total: Money | None = strawberry.field(description="What was reckoned with; null: not yet.")
    payable: Money | None = strawberry.field(description="What is paid out; null: not yet known.")
    settlement_id: strawberry.ID | None = strawberry.field(
        description="Its settlement, whose every fen is explained."
    )
    masked_account: str = strawberry.field(description="Where to, masked; empty: the counter's.")
    booked_at: datetime | None = strawberry.field(description="When it was booked.")


@strawberry.input(description="Names another account for a claim whose money came back.")
class ChangePayoutAccountInput:
    """Which claim, and where to."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    account: PayoutAccountInput = strawberry.field(description="Where it is to be paid out.")


def _progress(matter: MatterView | None, booked: ClaimView | None, locale: Locale) -> ClaimProgress:
    form = None if matter is None else applying.CLAIM.read(matter)
    known = form.invoices if form is not None else booked.invoices if booked is not None else ()
    return ClaimProgress(
        matter=None if matter is None else matter_type(matter, locale),
        invoices=list(known),
        claimed=money_or_none(None if form is None else form.total_fen, locale),
        total=None if booked is None else money(booked.settlement.total_fen, locale),
        payable=None if booked is None else money(booked.payable_fen, locale),
        settlement_id=None if booked is None else strawberry.ID(booked.settlement.id),
        masked_account="" if form is None else mask_account(form.account.number),
        booked_at=None if booked is None else booked.booked_at,
    )


@strawberry.type
class ClaimQueries:
    """Claims of a person."""

    subject: strawberry.Private[str]

    @strawberry.field(
        description="Claims, those under way and booked from the phone first, each newest first."
    )
    async def claims(self, info: Info, first: int | None = None) -> list[ClaimProgress]:
        """Return claims."""
        size = page_size(first)

        def read(unit: Unit) -> tuple[list[MatterView], dict[str, ClaimView], list[ClaimView]]:
            own = matters.of_kind(unit, self.subject, MatterKind.CLAIM, size)
            booked = applying.by_matter(unit, own)
            ours = {one.id for one in booked.values()}
            counter = queries.of_person(unit, self.subject, size)
            return own, booked, [one for one in counter if one.id not in ours]

        own, booked, counter = await info.context.door.read(read)
        locale = info.context.locale
        return [
            *(_progress(one, booked.get(one.id), locale) for one in own),
            *(_progress(None, one, locale) for one in counter),
        ][:size]


@strawberry.type
class ClaimProgressMutations:
    """What can be done about a claim that was booked."""

    @strawberry.mutation(
        description="Name another account for a claim whose money came back.",
        graphql_type=result_union(
            "ChangePayoutAccountResult", MatterType, (*KEYED[:2], MatterNotFound, ClaimInvalid)
        ),
    )
    async def change_payout_account(self, info: Info, input: ChangePayoutAccountInput) -> Any:
        """Name another account."""
        outcome = await info.context.act(
            applying.change_account,
            lambda actor: ChangePayoutAccount(actor, input.matter_id, input.account.account()),
        )
        return answer(outcome, info.context.locale, lambda m: matter_type(m, info.context.locale))
