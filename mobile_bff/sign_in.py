"""Signing in with a phone: mutations of the app, before and around every module."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.contracts import SignInRequired
from backend.identity import service
from backend.identity.contracts import (
    CodeWrong,
    PhoneInvalid,
    RefreshSession,
    RequestSignInCode,
    SessionEnded,
    SessionOpened,
    SignedOut,
    SignIn,
    SignInCodeSent,
    SignInLocked,
    SignOut,
    TooManyCodes,
)
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.personal_rights.enrolments import PersonType, person_type


@strawberry.type(description="If the number is an insured person's, a code is on its way.")
class SignInCodeRequested:
    """The same answer for every number."""

    expires_at: datetime = strawberry.field(description="Until when the code can be used.")
    resend_after_seconds: int = strawberry.field(description="When to offer another one.")


@strawberry.type(description="An open session with its tokens.")
class Session:
    """Tokens of a device. The refresh token serves once; keep the newest."""

    session_id: strawberry.ID = strawberry.field(description="Id of the session.")
    access_token: str = strawberry.field(description="For Authorization: Bearer, some minutes.")
    access_expires_at: datetime = strawberry.field(description="Until when it is valid.")
    refresh_token: str = strawberry.field(description="For the next tokens; serves once.")
    refresh_expires_at: datetime = strawberry.field(description="Until when it is valid.")
    person: PersonType = strawberry.field(description="Who has signed in, masked.")


@strawberry.type(description="A session that has been ended.")
class SessionClosed:
    """Its tokens are worthless from now on."""

    session_id: strawberry.ID = strawberry.field(description="Id of the session.")


@strawberry.input(description="Asks for a sign-in code.")
class RequestSignInCodeInput:
    """A phone number."""

    phone: str = strawberry.field(description="Mobile number, eleven digits.")


@strawberry.input(description="Signs in.")
class SignInInput:
    """A phone number with its code."""

    phone: str = strawberry.field(description="Mobile number, eleven digits.")
    code: str = strawberry.field(description="The six digits of the newest message.")
    device_name: str = strawberry.field(description="What the person calls this device.")


@strawberry.input(description="Asks for new tokens.")
class RefreshSessionInput:
    """The newest refresh token."""

    refresh_token: str = strawberry.field(description="The newest refresh token.")


def session_type(opened: SessionOpened) -> Session:
    """Return a session for the schema."""
    return Session(
        session_id=strawberry.ID(opened.session_id),
        access_token=opened.access_token,
        access_expires_at=opened.access_expires_at,
        refresh_token=opened.refresh_token,
        refresh_expires_at=opened.refresh_expires_at,
        person=person_type(opened.person),
    )


def requested(sent: SignInCodeSent) -> SignInCodeRequested:
    """Return the answer for the schema."""
    return SignInCodeRequested(
        expires_at=sent.expires_at, resend_after_seconds=sent.resend_after_seconds
    )


@strawberry.type
class SignInMutations:
    """Signing in and out."""

    @strawberry.mutation(
        description="Send a six-digit code to a phone.",
        graphql_type=result_union(
            "RequestSignInCodeResult", SignInCodeRequested, (PhoneInvalid, TooManyCodes)
        ),
    )
    async def request_sign_in_code(self, info: Info, input: RequestSignInCodeInput) -> Any:
        """Ask for a code."""
        command = RequestSignInCode(input.phone, info.context.address)
        outcome = await info.context.door.write(
            service.request_sign_in_code, command, info.context.request_id
        )
        return answer(outcome, info.context.locale, requested)

    @strawberry.mutation(
        description="Open a session with the code from the phone.",
        graphql_type=result_union("SignInResult", Session, (PhoneInvalid, CodeWrong, SignInLocked)),
    )
    async def sign_in(self, info: Info, input: SignInInput) -> Any:
        """Sign in."""
        command = SignIn(input.phone, input.code, input.device_name, info.context.address)
        outcome = await info.context.door.write(service.sign_in, command, info.context.request_id)
        return answer(outcome, info.context.locale, session_type)

    @strawberry.mutation(
        description="Exchange the refresh token for new tokens; a reused one ends the session.",
        graphql_type=result_union("RefreshSessionResult", Session, (SessionEnded,)),
    )
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> Any:
        """Get new tokens."""
        command = RefreshSession(input.refresh_token, info.context.address)
        outcome = await info.context.door.write(
            service.refresh_session, command, info.context.request_id
        )
        return answer(outcome, info.context.locale, session_type)

    @strawberry.mutation(
        description="End this session.",
        graphql_type=result_union("SignOutResult", SessionClosed, (SignInRequired,)),
    )
    async def sign_out(self, info: Info) -> Any:
        """Sign out."""
        outcome = await info.context.act(service.sign_out, SignOut)

        def shown(ended: SignedOut) -> SessionClosed:
            return SessionClosed(session_id=strawberry.ID(ended.session_id))

        return answer(outcome, info.context.locale, shown)
