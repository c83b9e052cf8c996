"""What care would cost, before it happens: options side by side, each with its clauses."""

from __future__ import annotations

from datetime import date

import strawberry

from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.payments.estimate import (
    OPTIONS_MAX,
    Estimate,
    EstimateCosts,
    EstimateOption,
    estimate,
)
from backend.settlement.case import CareKind, FilingKind
from mobile_bff.context import Info, RefusedQuery
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.scalars import Money, money
from mobile_bff.wording import words
from mobile_bff.working import Working, working_type

COST_FEN_MAX = 1_000_000_000


@strawberry.input(description="A way to go: where, and what would be on file.")
class EstimateOptionInput:
    """An option."""

    institution_id: strawberry.ID = strawberry.field(description="The institution.")
    filing: FilingKind | None = strawberry.field(
        description="What would be on file; null: what is on file in fact.", default=None
    )
    referred_from_level: int | None = strawberry.field(
        description="Level (0 to 3) of a hospital that refers the patient here from a stay.",
        default=None,
    )


@strawberry.input(description="What the care is expected to cost, and the options to compare.")
class EstimateInput:
    """A question before a visit."""

    care: CareKind = strawberry.field(description="What kind of care.")
    in_scope: Fen = strawberry.field(description="Expected cost in scope, in fen.")
    prepaid_share: Fen = strawberry.field(
        description="Expected prepaid share of class 乙, in fen.", default=Fen(0)
    )
    full_self_pay: Fen = strawberry.field(
        description="Expected cost outside the catalogue, in fen.", default=Fen(0)
    )
    disease: str = strawberry.field(
        description="Listed disease, by the rulebook's name; empty for none.", default=""
    )
    on: date | None = strawberry.field(description="Day of the care; null: today.", default=None)
    options: list[EstimateOptionInput] = strawberry.field(
        description=f"What to compare, at most {OPTIONS_MAX}."
    )


@strawberry.type(description="What an option would come to.")
class EstimateType:
    """An option with its result. An estimate: the hospital's bill decides."""

    institution: InstitutionType | None = strawberry.field(description="Where; null: unknown.")
    filing: FilingKind = strawberry.field(description="What would be on file.")
    filing_text: str = strawberry.field(description="The same in words.")
    personal: Money | None = strawberry.field(
        description="What the patient would bear; null where it cannot be told."
    )
    working: Working | None = strawberry.field(
        description="How, with every clause; null where it cannot be told."
    )
    refusal: str = strawberry.field(description="Why it cannot be told; empty where it can.")
    next_action: str = strawberry.field(description="What to do then; empty where it can.")


@strawberry.type
class EstimateQueries:
    """What a person may ask before a visit."""

    subject: strawberry.Private[str]

    @strawberry.field(
        description="What would I pay: this hospital or that, filed or not, side by side."
    )
    async def estimate(self, info: Info, input: EstimateInput) -> list[EstimateType]:
        """Return each option with its result, in the order asked for."""
        costs = EstimateCosts(input.in_scope, input.prepaid_share, input.full_self_pay)
        amounts = (costs.in_scope_fen, costs.prepaid_share_fen, costs.full_self_pay_fen)
        levels = [o.referred_from_level for o in input.options if o.referred_from_level is not None]
        if (
            not 1 <= len(input.options) <= OPTIONS_MAX
            or min(amounts) < 0
            or not 0 < sum(amounts) <= COST_FEN_MAX
            or any(not 0 <= level <= 3 for level in levels)
        ):
            raise RefusedQuery(_INVALID[info.context.locale], "BAD_USER_INPUT")
        options = tuple(
            EstimateOption(option.institution_id, option.filing, option.referred_from_level)
            for option in input.options
        )

        def read(unit: Unit) -> list[Estimate]:
            day = input.on or local_day(unit.now)
            return estimate(unit, self.subject, input.care, input.disease[:40], day, costs, options)

        locale = info.context.locale
        return [_shown(found, locale) for found in await info.context.door.read(read)]


_INVALID = {
    Locale.ZH: f"请给出1到{OPTIONS_MAX}个选项、大于0的预计费用（不超过1000万元）和0到3的医院级别。",
    Locale.EN: f"Give 1 to {OPTIONS_MAX} options, a cost above zero, and levels from 0 to 3.",
}


def _shown(found: Estimate, locale: Locale) -> EstimateType:
    outcome = found.outcome
    personal = None
    if outcome is not None:
        own = Fen(outcome.total_fen - outcome.fund_fen - outcome.hospital_fen)
        personal = money(own, locale)
    return EstimateType(
        institution=None if found.institution is None else institution_type(found.institution),
        filing=found.filing,
        filing_text=words(found.filing).text(locale),
        personal=personal,
        working=None if outcome is None else working_type(outcome, locale),
        refusal="" if found.refusal is None else found.refusal.message(locale),
        next_action="" if found.refusal is None else found.refusal.next_action(locale),
    )
