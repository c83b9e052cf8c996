"""D4 支付安全: payment password, limits, silent hours, and the freeze of the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry

from backend.access.assurance import Proof, StepUpRequired
from backend.access.contracts import Action, NotPermitted, SignInRequired
from backend.access.logic import own_id
from backend.identity import queries as identity
from backend.identity import safety
from backend.identity.safety_contracts import (
    ChoosePassword,
    FreezeAccount,
    PasswordBlocked,
    PasswordLocked,
    PasswordState,
    PasswordTooWeak,
    PasswordUnset,
    PasswordWrong,
    SafetyView,
    UnfreezeAccount,
)
from backend.infra.database import Unit
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import Fen
from backend.payments import queries, rules
from backend.payments.rule_contracts import PaymentRules, RulesInvalid, SetPaymentRules
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "D4",
    "支付安全",
    "支付安全",
    "Payment safety",
    ModuleState.AVAILABLE,
    "可设置支付密码、通行密钥、刷脸确认、确认限额、单笔和单日限额、静默时段，并可一键冻结账户。",
)


@dataclass(frozen=True)
class Protected:
    """How an account is protected: what it is asked with, and by which rules it pays."""

    safety: SafetyView
    rules: PaymentRules


@strawberry.type(description="How a person's account is protected.")
class PaymentSecurity:
    """The settings in force."""

    confirm_above: Money = strawberry.field(
        description="Bills with a higher total wait for the phone."
    )
    per_payment: Money | None = strawberry.field(
        description="The most that the account pays at once; null: no limit."
    )
    per_day: Money | None = strawberry.field(
        description="The most that the account pays in a day; null: no limit."
    )
    silent_from: str | None = strawberry.field(
        description="From this local time on nothing is bought; null: no silent hours."
    )
    silent_until: str | None = strawberry.field(description="Until this local time.")
    password: PasswordState = strawberry.field(description="State of the payment password.")
    password_status: Status = strawberry.field(description="The state in words.")
    password_locked_until: datetime | None = strawberry.field(
        description="Until when it is locked, if it is."
    )
    frozen_at: datetime | None = strawberry.field(description="Since when the account is frozen.")
    freeze_reason: str = strawberry.field(description="Why it is frozen; empty if it is not.")
    ways: list[Proof] = strawberry.field(
        description="What the person has set up to prove themselves with."
    )


@strawberry.input(description="Sets all payment rules at once.")
class SetPaymentRulesInput:
    """The new rules."""

    confirm_above_fen: Fen = strawberry.field(
        description="Bills above it wait for the phone; 0: every bill waits."
    )
    per_payment_fen: Fen | None = strawberry.field(
        description="The most that the account pays at once.", default=None
    )
    per_day_fen: Fen | None = strawberry.field(
        description="The most that the account pays in a day.", default=None
    )
    silent_from: str | None = strawberry.field(
        description="Begin of the silent hours, such as 22:30.", default=None
    )
    silent_until: str | None = strawberry.field(
        description="End of the silent hours, such as 06:00.", default=None
    )


@strawberry.input(description="Sets the payment password.")
class SetPaymentPasswordInput:
    """The new password."""

    password: str = strawberry.field(description="Six digits that nobody would guess.")
    current: str | None = strawberry.field(
        description="The one before; leave it out to set the first one or to reset it.",
        default=None,
    )


@strawberry.input(description="Freezes the account.")
class FreezeAccountInput:
    """Why."""

    reason: str = strawberry.field(description="In the person's own words; may be empty.")


def security_type(shown: Protected, locale: Locale) -> PaymentSecurity:
    """Return the settings for the schema."""
    kept, held = shown.rules, shown.safety
    return PaymentSecurity(
        confirm_above=money(kept.confirm_above_fen, locale),
        per_payment=None if kept.per_payment_fen is None else money(kept.per_payment_fen, locale),
        per_day=None if kept.per_day_fen is None else money(kept.per_day_fen, locale),
        silent_from=kept.silent_from,
        silent_until=kept.silent_until,
        password=held.password,
        password_status=status(held.password, locale),
        password_locked_until=held.password_locked_until,
        frozen_at=held.frozen_at,
        freeze_reason=held.freeze_reason,
        ways=list(held.ways),
    )


def _protected(unit: Unit, person_id: str) -> Protected:
    return Protected(identity.safety(unit, person_id), queries.payment_rules(unit, person_id))


@strawberry.type
class SecurityQueries:
    """What a person may ask about their own safety settings."""

    subject: strawberry.Private[str]

    @strawberry.field(description="How the account is protected.")
    async def payment_security(self, info: Info) -> PaymentSecurity:
        """Return the settings in force; a relative is not shown how to get in."""
        await info.context.person(Action.SET_PAYMENT_RULES, self.subject)
        shown = await info.context.door.read(lambda unit: _protected(unit, self.subject))
        return security_type(shown, info.context.locale)


async def _changed(info: Info, use_case: Any, command: Any) -> Any:
    """Run a use case and answer with the settings as they stand after it, or why not."""

    def run(unit: Unit, made: Any) -> Any:
        outcome = use_case(unit, made)
        return outcome if isinstance(outcome, Refusal) else _protected(unit, outcome.person_id)

    outcome = await info.context.act(run, command)
    locale = info.context.locale
    return answer(outcome, locale, lambda shown: security_type(shown, locale))


@strawberry.type
class SecurityMutations:
    """What a person may change about their own safety settings."""

    @strawberry.mutation(
        description="Set limits and silent hours. Loosening one asks for a fresh proof.",
        graphql_type=result_union(
            "SetPaymentRulesResult",
            PaymentSecurity,
            (SignInRequired, NotPermitted, RulesInvalid, StepUpRequired),
        ),
    )
    async def set_payment_rules(self, info: Info, input: SetPaymentRulesInput) -> Any:
        """Set the caller's rules. Setting the same ones twice is no error."""

        def command(actor: Any) -> SetPaymentRules:
            wanted = PaymentRules(
                own_id(actor),
                input.confirm_above_fen,
                input.per_payment_fen,
                input.per_day_fen,
                input.silent_from,
                input.silent_until,
            )
            return SetPaymentRules(actor, wanted)

        return await _changed(info, rules.set_payment_rules, command)

    @strawberry.mutation(
        description="Set, change or reset the payment password.",
        graphql_type=result_union(
            "SetPaymentPasswordResult",
            PaymentSecurity,
            (
                SignInRequired,
                PasswordTooWeak,
                PasswordWrong,
                PasswordLocked,
                PasswordBlocked,
                PasswordUnset,
                StepUpRequired,
            ),
        ),
    )
    async def set_payment_password(self, info: Info, input: SetPaymentPasswordInput) -> Any:
        """Set the caller's password."""
        return await _changed(
            info,
            safety.choose_password,
            lambda actor: ChoosePassword(actor, input.password, input.current),
        )

    @strawberry.mutation(
        description="One tap: nothing is shown or paid from now on. Needs no proof.",
        graphql_type=result_union("FreezeAccountResult", PaymentSecurity, (SignInRequired,)),
    )
    async def freeze_account(self, info: Info, input: FreezeAccountInput) -> Any:
        """Freeze the caller's account."""
        return await _changed(
            info, safety.freeze_account, lambda actor: FreezeAccount(actor, input.reason)
        )

    @strawberry.mutation(
        description="Lift the freeze; asks for a fresh proof.",
        graphql_type=result_union(
            "UnfreezeAccountResult", PaymentSecurity, (SignInRequired, StepUpRequired)
        ),
    )
    async def unfreeze_account(self, info: Info) -> Any:
        """Lift the caller's freeze."""
        return await _changed(info, safety.unfreeze_account, UnfreezeAccount)
