"""Manual claims at the desk: reckoned by one, booked by another, and paid out."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.catalogue.contracts import ItemKind
from backend.claims.contracts import (
    CapitatedAtPilot,
    ClaimInvalid,
    ClaimLine,
    InvoiceClaimed,
    SettledDirectly,
)
from backend.desk import service
from backend.desk.contracts import (
    ActKind,
    HeldByAnother,
    Payload,
    Propose,
    ProposedAlready,
    RecordPayout,
    WordsMissing,
)
from backend.kernel.money import Quantity, UnitPrice
from backend.matters.contracts import MatterNotFound
from backend.payments.contracts import NotInsured
from backend.payments.stay_contracts import NotEntitled
from backend.rulebook.contracts import RuleNotLoaded
from mobile_bff.context import Info
from mobile_bff.desk.matters import DeskMatter, desk_matter
from mobile_bff.desk.shown import Proposal, proposal_type
from mobile_bff.errors import answer, result_union

_STAFF = (SignInRequired, DutyMissing)
CLAIMED = (
    *(MatterNotFound, ClaimInvalid, InvoiceClaimed, SettledDirectly, CapitatedAtPilot),
    *(NotInsured, NotEntitled, RuleNotLoaded),
)
"""Why a claim cannot be booked, when it is reckoned as when it is confirmed."""


@strawberry.input(description="A line of the list of fees.")
class FeeLineInput:
    """Its national code; without one it is outside of the catalogue."""

    code: str = strawberry.field(default="", description="National code; empty: none.")
    name: str = strawberry.field(default="", description="Its name, where it has no code.")
    kind: ItemKind = strawberry.field(
        default=ItemKind.TREATMENT, description="What it is, where it has no code."
    )
    quantity: Quantity = strawberry.field(description="How much of it.")
    unit_price: UnitPrice = strawberry.field(description="Yuan for one.")
    restriction_met: bool | None = strawberry.field(
        default=None, description="Whether a restriction of payment is met; null: there is none."
    )
    served_on: date | None = strawberry.field(default=None, description="The day of the service.")

    def line(self) -> ClaimLine:
        """Return the line as it is reckoned with."""
        return ClaimLine(**vars(self))


@strawberry.input(description="Reckons a claim from its papers.")
class ReckonClaimInput:
    """Which, its lines, and the papers that were compared."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    lines: list[FeeLineInput] = strawberry.field(description="The list of fees.")
    words: str = strawberry.field(description="Which papers were compared.")
    continues_id: strawberry.ID | None = strawberry.field(
        default=None, description="The claim of an earlier stretch of the same stay."
    )


@strawberry.input(description="Records what a bank did with a claim's money.")
class RecordPayoutInput:
    """Which, whether it was paid, and why not."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    paid: bool = strawberry.field(description="Whether the bank has paid it out.")
    words: str = strawberry.field(default="", description="Why not; the applicant reads it.")


@strawberry.type
class DeskClaimMutations:
    """Working on claims."""

    @strawberry.mutation(
        description="Reckon a claim from its papers; another member of staff books it.",
        graphql_type=result_union(
            "ReckonClaimResult",
            Proposal,
            (*_STAFF, WordsMissing, ProposedAlready, HeldByAnother, *CLAIMED),
        ),
    )
    async def reckon_claim(self, info: Info, input: ReckonClaimInput) -> Any:
        """Reckon a claim."""
        lines = tuple(one.line() for one in input.lines)
        payload = Payload(input.matter_id, lines=lines, continues_id=input.continues_id)
        outcome = await info.context.act(
            service.propose,
            lambda actor: Propose(actor, ActKind.CLAIM, payload, input.words),
        )
        return answer(outcome, info.context.locale, lambda v: proposal_type(v, info.context.locale))

    @strawberry.mutation(
        description="Record that the bank has paid a claim out, or why it has not.",
        graphql_type=result_union(
            "RecordPayoutResult", DeskMatter, (*_STAFF, MatterNotFound, WordsMissing)
        ),
    )
    async def record_payout(self, info: Info, input: RecordPayoutInput) -> Any:
        """Record a payment."""
        outcome = await info.context.act(
            service.record_payout,
            lambda actor: RecordPayout(actor, input.matter_id, input.paid, input.words),
        )
        return answer(outcome, info.context.locale, lambda v: desk_matter(v, info.context.locale))
