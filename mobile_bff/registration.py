"""Real-name registration: name, ID number and phone, confirmed by the civil register."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.identity import registration
from backend.identity.contracts import (
    CodeWrong,
    PhoneInvalid,
    SessionOpened,
    SignInLocked,
    TooManyCodes,
)
from backend.identity.registration_contracts import (
    AlreadyRegistered,
    IdentityNotConfirmed,
    NameInvalid,
    PhoneTaken,
    Register,
    RegisterAnswered,
    Registered,
    RegisterUnavailable,
    RequestRegistrationCode,
    TooManyRegistrations,
)
from backend.kernel.errors import Locale, Refusal
from backend.people.contracts import IdNumberInvalid
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.sign_in import Session, SignInCodeRequested, requested, session_type
from mobile_bff.words import Words

_WAITS = Words(
    "您的参保信息里没有手机号。请本人携身份证到经办窗口核验（也可由绑定的亲属代办业务），核验后用此手机号登录。",
    "Your insurance record has no phone. Come to a counter with your identity card; then sign in with this phone.",
)


@strawberry.type(description="A registration that waits for a clerk to compare the identity card.")
class RegistrationPending:
    """What to do next."""

    registration_id: strawberry.ID = strawberry.field(description="Its number, for the counter.")
    asked_at: datetime = strawberry.field(description="Since when it waits.")
    next_action: str = strawberry.field(description="What to do next.")
    speech_text: str = strawberry.field(description="The same, to be read out.")


@strawberry.input(description="Asks for a code to register by.")
class RequestRegistrationCodeInput:
    """A phone number."""

    phone: str = strawberry.field(description="Mobile number, eleven digits.")


@strawberry.input(description="Registers.")
class RegisterInput:
    """Who, with the code from the phone."""

    name: str = strawberry.field(description="The name as on the identity card.")
    id_number: str = strawberry.field(description="The ID number, eighteen characters.")
    phone: str = strawberry.field(description="Mobile number, eleven digits.")
    code: str = strawberry.field(description="The six digits of the newest message.")
    device_name: str = strawberry.field(description="What the person calls this device.")


def _registered(outcome: Registered, locale: Locale) -> Session | RegistrationPending:
    if isinstance(outcome, SessionOpened):
        return session_type(outcome)
    following = _WAITS.text(locale)
    return RegistrationPending(
        registration_id=strawberry.ID(outcome.registration_id),
        asked_at=outcome.asked_at,
        next_action=following,
        speech_text=following,
    )


@strawberry.type
class RegistrationMutations:
    """Registering."""

    @strawberry.mutation(
        description="Send a code to register by to a phone.",
        graphql_type=result_union(
            "RequestRegistrationCodeResult", SignInCodeRequested, (PhoneInvalid, TooManyCodes)
        ),
    )
    async def request_registration_code(
        self, info: Info, input: RequestRegistrationCodeInput
    ) -> Any:
        """Ask for a code."""
        context = info.context
        command = RequestRegistrationCode(input.phone, context.address)
        outcome = await context.door.write(registration.request_code, command, context.request_id)
        return answer(outcome, context.locale, requested)

    @strawberry.mutation(
        description="Register with name, ID number and the code from the phone; opens a session.",
        graphql_type=result_union(
            "RegisterResult",
            (Session, RegistrationPending),
            (
                PhoneInvalid,
                NameInvalid,
                IdNumberInvalid,
                CodeWrong,
                SignInLocked,
                TooManyRegistrations,
                RegisterUnavailable,
                IdentityNotConfirmed,
                AlreadyRegistered,
                PhoneTaken,
            ),
        ),
    )
    async def register(self, info: Info, input: RegisterInput) -> Any:
        """Register."""
        context = info.context
        asked = Register(
            input.name,
            input.id_number,
            input.phone,
            input.code,
            input.device_name,
            context.address,
        )
        outcome: Any = await context.door.write(registration.prepare, asked, context.request_id)
        if not isinstance(outcome, Refusal):
            said = await context.register.check(outcome.name, outcome.id_number)
            outcome = await context.door.write(
                registration.complete, RegisterAnswered(asked, said), context.request_id
            )
        return answer(outcome, context.locale, lambda done: _registered(done, context.locale))
