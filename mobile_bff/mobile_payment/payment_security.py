"""D4 支付安全: above which total a bill waits for the phone."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import NotPermitted, SignInRequired
from backend.access.logic import own_id
from backend.kernel.money import Fen
from backend.payments import queries, service
from backend.payments.contracts import LimitInvalid, PaymentRules, SetConfirmationLimit
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money

MODULE = AppModule(
    "D4",
    "支付安全",
    "支付安全",
    "Payment safety",
    ModuleState.PARTIAL,
    "可设置大额确认限额；支付密码、刷脸和冻结尚未开放。",
)


@strawberry.type(description="A person's payment safety settings.")
class PaymentSecurity:
    """The settings in force."""

    confirm_above: Money = strawberry.field(
        description="Bills with a higher total wait for the phone."
    )


@strawberry.input(description="Sets the confirmation limit.")
class SetConfirmationLimitInput:
    """The new limit."""

    confirm_above_fen: Fen = strawberry.field(description="The limit in fen; 0: every bill waits.")


@strawberry.type
class SecurityQueries:
    """What a person may ask about their own safety settings."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Payment safety settings.")
    async def payment_security(self, info: Info) -> PaymentSecurity:
        """Return the settings in force."""
        rules = await info.context.door.read(lambda unit: queries.payment_rules(unit, self.subject))
        return PaymentSecurity(confirm_above=money(rules.confirm_above_fen, info.context.locale))


@strawberry.type
class SecurityMutations:
    """What a person may change about their own safety settings."""

    @strawberry.mutation(
        description="Set above which total a bill waits for the phone.",
        graphql_type=result_union(
            "SetConfirmationLimitResult",
            PaymentSecurity,
            (SignInRequired, NotPermitted, LimitInvalid),
        ),
    )
    async def set_confirmation_limit(self, info: Info, input: SetConfirmationLimitInput) -> Any:
        """Set the caller's limit. Setting the same limit twice is no error."""
        limit = input.confirm_above_fen
        outcome = await info.context.act(
            service.set_confirmation_limit,
            lambda actor: SetConfirmationLimit(actor, own_id(actor), limit),
        )
        locale = info.context.locale

        def shown(rules: PaymentRules) -> PaymentSecurity:
            return PaymentSecurity(confirm_above=money(rules.confirm_above_fen, locale))

        return answer(outcome, locale, shown)
