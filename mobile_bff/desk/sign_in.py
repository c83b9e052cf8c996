"""Signing in at the desk: number, password, and the six digits of an authenticator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.contracts import SignInRequired
from backend.staff import service
from backend.staff.contracts import (
    ChangeStaffPassword,
    CloseStaffSession,
    OpenStaffSession,
    StaffLocked,
    StaffPasswordWeak,
    StaffSessionOpened,
    StaffSignInWrong,
)
from mobile_bff.context import Info
from mobile_bff.desk.shown import Staff, staff_type
from mobile_bff.errors import answer, result_union


@strawberry.type(description="An open session at the desk.")
class StaffSession:
    """Its token is for Authorization: Bearer, for a working day at most."""

    session_id: strawberry.ID = strawberry.field(description="Its id.")
    access_token: str = strawberry.field(description="For Authorization: Bearer.")
    expires_at: datetime = strawberry.field(description="Until when it is valid.")
    staff: Staff = strawberry.field(description="Who has signed in.")


@strawberry.type(description="A session at the desk that has ended.")
class StaffSignedOut:
    """Its token is worthless from now on."""

    session_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The password is changed; other sessions have ended.")
class StaffPasswordSet:
    """Nothing more to say."""

    changed: bool = strawberry.field(description="Always true.")


@strawberry.input(description="Signs in at the desk.")
class OpenStaffSessionInput:
    """Number, password, code."""

    number: str = strawberry.field(description="工号.")
    password: str = strawberry.field(description="The password.")
    code: str = strawberry.field(description="The six digits that the authenticator shows now.")


@strawberry.input(description="Changes the password.")
class ChangeStaffPasswordInput:
    """The old one and the new one."""

    password: str = strawberry.field(description="The password so far.")
    new_password: str = strawberry.field(description="At least twelve characters.")


def _session(opened: StaffSessionOpened) -> StaffSession:
    return StaffSession(
        session_id=strawberry.ID(opened.session_id),
        access_token=opened.access_token,
        expires_at=opened.expires_at,
        staff=staff_type(opened.staff),
    )


@strawberry.type
class StaffSignInMutations:
    """Signing in and out."""

    @strawberry.mutation(
        description="Open a session at the desk.",
        graphql_type=result_union(
            "OpenStaffSessionResult", StaffSession, (StaffSignInWrong, StaffLocked)
        ),
    )
    async def open_staff_session(self, info: Info, input: OpenStaffSessionInput) -> Any:
        """Sign in."""
        command = OpenStaffSession(
            number=input.number,
            password=input.password,
            code=input.code,
            address=info.context.address,
        )
        outcome = await info.context.door.write(
            service.open_session, command, info.context.request_id
        )
        return answer(outcome, info.context.locale, _session)

    @strawberry.mutation(
        description="End the session at the desk. Ending it twice is no error.",
        graphql_type=result_union("CloseStaffSessionResult", StaffSignedOut, (SignInRequired,)),
    )
    async def close_staff_session(self, info: Info) -> Any:
        """Sign out."""
        outcome = await info.context.act(service.close_session, CloseStaffSession)
        return answer(
            outcome,
            info.context.locale,
            lambda closed: StaffSignedOut(session_id=strawberry.ID(closed.session_id)),
        )

    @strawberry.mutation(
        description="Change the password; every other session ends.",
        graphql_type=result_union(
            "ChangeStaffPasswordResult",
            StaffPasswordSet,
            (SignInRequired, StaffSignInWrong, StaffLocked, StaffPasswordWeak),
        ),
    )
    async def change_staff_password(self, info: Info, input: ChangeStaffPasswordInput) -> Any:
        """Change the password."""
        outcome = await info.context.act(
            service.change_password,
            lambda actor: ChangeStaffPassword(actor, input.password, input.new_password),
        )
        return answer(outcome, info.context.locale, lambda _: StaffPasswordSet(changed=True))
