"""C8 个人权益手机号修改: the phone that signs in, changed by its owner; at a counter it takes two."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import SignInRequired
from backend.identity import phone_change
from backend.identity.contracts import (
    ChangePhone,
    CodeWrong,
    PhoneChanged,
    PhoneInvalid,
    RequestNewPhoneCode,
    SignInLocked,
    TooManyCodes,
)
from backend.identity.registration_contracts import PhoneTaken
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.sign_in import SignInCodeRequested, requested

MODULE = AppModule(
    "C8",
    "个人权益手机号修改",
    "换手机号",
    "Change of phone number",
    ModuleState.AVAILABLE,
    "用原手机验证码、指纹或刷脸确认后换到新手机；原手机停用的到窗口双人核验办理。",
)


@strawberry.type(description="The phone is changed; other devices are signed out.")
class PhoneMoved:
    """What signs in from now on."""

    masked_phone: str = strawberry.field(description="The new phone, masked.")
    signed_out: int = strawberry.field(description="How many other devices were signed out.")


@strawberry.input(description="Asks for a code on the new phone.")
class RequestNewPhoneCodeInput:
    """The new phone."""

    phone: str = strawberry.field(description="Mobile number, eleven digits.")


@strawberry.input(description="Changes the phone.")
class ChangePhoneInput:
    """The new phone and its code."""

    phone: str = strawberry.field(description="The new phone.")
    code: str = strawberry.field(description="The six digits that came to it.")


def _moved(done: PhoneChanged) -> PhoneMoved:
    return PhoneMoved(masked_phone=done.phone, signed_out=done.signed_out)


@strawberry.type
class PhoneMutations:
    """Changing the phone."""

    @strawberry.mutation(
        description="Send a code to the phone that the caller changes to.",
        graphql_type=result_union(
            "RequestNewPhoneCodeResult",
            SignInCodeRequested,
            (SignInRequired, PhoneInvalid, TooManyCodes),
        ),
    )
    async def request_new_phone_code(self, info: Info, input: RequestNewPhoneCodeInput) -> Any:
        """Ask for a code."""
        address = info.context.address
        outcome = await info.context.act(
            phone_change.request_code,
            lambda actor: RequestNewPhoneCode(actor, input.phone, address),
        )
        return answer(outcome, info.context.locale, requested)

    @strawberry.mutation(
        description="Change the phone; asks for the old phone's code, a passkey, the face or a desk.",
        graphql_type=result_union(
            "ChangePhoneResult",
            PhoneMoved,
            (
                *(SignInRequired, PhoneInvalid, StepUpRequired),
                *(CodeWrong, SignInLocked, PhoneTaken),
            ),
        ),
    )
    async def change_phone(self, info: Info, input: ChangePhoneInput) -> Any:
        """Change the phone."""
        outcome = await info.context.act(
            phone_change.change, lambda actor: ChangePhone(actor, input.phone, input.code)
        )
        return answer(outcome, info.context.locale, _moved)
