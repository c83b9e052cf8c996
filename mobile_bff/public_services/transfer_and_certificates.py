"""B7 转移接续与参保凭证: insurance taken along to another area, both sides' steps in view."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.contracts import Action
from backend.enrolment import queries
from backend.enrolment.contracts import EnrolmentNotPossible, TransferForm, TransferView
from backend.enrolment.transferring import TRANSFER
from backend.infra.database import Unit
from backend.people import queries as people
from backend.regions.library import area_name
from mobile_bff.applications import FORM, ApplicationType, saved
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money

MODULE = AppModule(
    "B7",
    "转移接续与参保凭证",
    "转移与凭证",
    "Transfer and certificates",
    ModuleState.PARTIAL,
    "转移接续：两地分段办理、进度可查，缴费月数和个人账户余额随转；参保凭证尚未开放。",
)


@strawberry.type(name="InsuranceTransfer", description="What was brought along from another area.")
class TransferType:
    """A transfer that is done."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    from_area: str = strawberry.field(description="Code of the area that it came from.")
    from_area_name: str = strawberry.field(description="Its name.")
    to_enrolment_id: strawberry.ID = strawberry.field(description="Where it went to.")
    months: int = strawberry.field(description="Months that were paid there.")
    balance: Money = strawberry.field(description="What came into the personal account.")
    done_at: datetime = strawberry.field(description="When.")


@strawberry.input(description="Saves an application to take insurance along as a draft.")
class SaveTransferInput:
    """From where to where."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="The insurance that takes it over; null: the one that pays."
    )
    from_area: str = strawberry.field(description="Insured area that it comes from.")
    from_number: str = strawberry.field(
        default="", description="Of another province: the person number there."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.type
class TransferQueries:
    """What somebody has brought along."""

    @strawberry.field(description="What was brought along from other areas, the oldest first.")
    async def transfers(
        self, info: Info, subject_id: strawberry.ID | None = None
    ) -> list[TransferType]:
        """Return transfers that are done."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)

        def read(unit: Unit) -> list[TransferView]:
            return queries.transfers_to(unit, people.enrolment_ids(unit, subject))

        return [
            TransferType(
                matter_id=strawberry.ID(one.matter_id),
                from_area=one.from_area,
                from_area_name=area_name(one.from_area),
                to_enrolment_id=strawberry.ID(one.to_enrolment_id),
                months=one.months,
                balance=money(one.balance_fen, info.context.locale),
                done_at=one.done_at,
            )
            for one in await info.context.door.read(read)
        ]


@strawberry.type
class TransferMutations:
    """Taking insurance along."""

    @strawberry.mutation(
        description="Save an application to take insurance along as a draft.",
        graphql_type=result_union(
            "SaveTransferResult", ApplicationType, (*KEYED, *FORM, EnrolmentNotPossible)
        ),
    )
    async def save_transfer(self, info: Info, input: SaveTransferInput) -> Any:
        """Save a draft."""
        form = TransferForm(input.from_area, input.from_number.strip())
        return await saved(info, TRANSFER, input, form)
