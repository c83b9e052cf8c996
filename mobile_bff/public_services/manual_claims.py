"""B8 手工（零星）报销申请: handing in a bill that was paid in full; a clerk enters the fees from the list."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.claims.applying import CLAIM
from backend.claims.contracts import (
    ClaimForm,
    ClaimInvalid,
    ClaimReason,
    InvoiceClaimed,
    PayoutAccount,
)
from backend.kernel.money import Fen
from backend.settlement.case import CareKind
from mobile_bff.applications import FORM, ApplicationType, saved
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, result_union
from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B8",
    "手工（零星）报销申请",
    "手工报销",
    "Manual claims",
    ModuleState.AVAILABLE,
    "在线提交发票、明细、病历和收款账户；经办核算、另一人复核入账，付款进度可查。",
)


@strawberry.input(description="The account that a claim is paid out to.")
class PayoutAccountInput:
    """Holder, bank and number."""

    holder: str = strawberry.field(description="Name of the holder.")
    bank: str = strawberry.field(description="Name of the bank.")
    number: str = strawberry.field(description="Number of the account, 9 to 30 digits.")

    def account(self) -> PayoutAccount:
        """Return the account without the blanks that people type."""
        number = "".join(self.number.split())
        return PayoutAccount(self.holder.strip(), self.bank.strip(), number)


@strawberry.input(description="Saves a claim as a draft.")
class SaveClaimInput:
    """What was paid, where, when, and where it is to be paid out."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="Under which insurance; null: the one that pays."
    )
    reason: ClaimReason = strawberry.field(description="Why it was not settled directly.")
    institution_code: str = strawberry.field(description="Code of the institution.")
    care: CareKind = strawberry.field(description="What kind of care it was.")
    first: date = strawberry.field(description="Of a stay the admission, else the day.")
    last: date = strawberry.field(description="Of a stay the discharge, else the same day.")
    disease: str = strawberry.field(default="", description="Of chronic care: its code.")
    emergency: bool = strawberry.field(default=False, description="Whether it was an emergency.")
    injury: bool = strawberry.field(default=False, description="Whether it was an injury.")
    invoices: list[str] = strawberry.field(description="Numbers of the invoices, no blanks.")
    total_fen: Fen = strawberry.field(description="What the invoices sum to, in fen.")
    account: PayoutAccountInput = strawberry.field(description="Where it is to be paid out.")
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.type
class ClaimMutations:
    """Handing in a claim."""

    @strawberry.mutation(
        description="Save a claim as a draft; papers are uploaded to it, then it is submitted.",
        graphql_type=result_union(
            "SaveClaimResult", ApplicationType, (*KEYED, *FORM, ClaimInvalid, InvoiceClaimed)
        ),
    )
    async def save_claim(self, info: Info, input: SaveClaimInput) -> Any:
        """Save a draft."""
        form = ClaimForm(
            reason=input.reason,
            institution_code=input.institution_code,
            care=input.care,
            first=input.first,
            last=input.last,
            disease=input.disease if input.care is CareKind.CHRONIC else "",
            emergency=input.emergency,
            injury=input.injury,
            invoices=tuple("".join(one.split()) for one in input.invoices),
            total_fen=input.total_fen,
            account=input.account.account(),
        )
        return await saved(info, CLAIM, input, form)
