"""Proving again that it is really the person, and the devices that are signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.assurance import Proof
from backend.access.contracts import PersonActor, SignInRequired
from backend.identity import queries, safety
from backend.identity.contracts import CodeWrong, SignInLocked, TooManyCodes
from backend.identity.safety_contracts import (
    EndSession,
    PasswordBlocked,
    PasswordLocked,
    PasswordUnset,
    PasswordWrong,
    ProofNotHere,
    RequestStepUpCode,
    SessionsEnded,
    SessionUnknown,
    SignOutEverywhere,
    SteppedUp,
    StepUp,
)
from mobile_bff.context import Info, RefusedQuery
from mobile_bff.errors import answer, result_union
from mobile_bff.sign_in import SignInCodeRequested, requested


@strawberry.type(description="A device that is signed in.")
class Device:
    """One session."""

    session_id: strawberry.ID = strawberry.field(description="Id of its session.")
    name: str = strawberry.field(description="What the person calls it.")
    opened_at: datetime = strawberry.field(description="Since when it is signed in.")
    last_seen_at: datetime = strawberry.field(description="When it last asked for new tokens.")
    current: bool = strawberry.field(description="Whether it is the one that asks.")


@strawberry.type(description="The session counts as proven for some minutes.")
class ProofShown:
    """What was proven and until when it counts."""

    proof: Proof = strawberry.field(description="What was shown.")
    until: datetime = strawberry.field(description="Until when it counts.")


@strawberry.type(description="Sessions that have been ended.")
class DevicesSignedOut:
    """How many."""

    count: int = strawberry.field(description="How many sessions ended.")


@strawberry.input(description="Shows a proof.")
class StepUpInput:
    """A payment password, or the code from the phone."""

    proof: Proof = strawberry.field(description="PAYMENT_PASSWORD or SMS_CODE.")
    secret: str = strawberry.field(description="The six digits.")


@strawberry.input(description="Ends the session of a device.")
class EndSessionInput:
    """Which one."""

    session_id: strawberry.ID = strawberry.field(description="Id of its session.")


def shown_proof(stepped: SteppedUp) -> ProofShown:
    """Return a proof for the schema."""
    return ProofShown(proof=stepped.proof, until=stepped.until)


def _signed_out(ended: SessionsEnded) -> DevicesSignedOut:
    return DevicesSignedOut(count=ended.count)


async def signed_in(info: Info) -> PersonActor:
    """Return the person who asks, or raise for anybody who is none."""
    actor = await info.context.actor()
    if not isinstance(actor, PersonActor):
        raise RefusedQuery(SignInRequired().message(info.context.locale), "UNAUTHENTICATED")
    return actor


async def devices(info: Info) -> list[Device]:
    """Return the caller's devices."""
    actor = await signed_in(info)
    views = await info.context.door.read(lambda unit: queries.devices(unit, actor.person_id))
    return [
        Device(
            session_id=strawberry.ID(view.session_id),
            name=view.device_name,
            opened_at=view.opened_at,
            last_seen_at=view.last_seen_at,
            current=view.session_id == actor.session_id,
        )
        for view in views
    ]


@strawberry.type
class StepUpMutations:
    """Proofs and devices."""

    @strawberry.mutation(
        description="Send a code to the signed-in person's own phone.",
        graphql_type=result_union(
            "RequestStepUpCodeResult", SignInCodeRequested, (SignInRequired, TooManyCodes)
        ),
    )
    async def request_step_up_code(self, info: Info) -> Any:
        """Ask for a code."""
        outcome = await info.context.act(safety.request_step_up_code, RequestStepUpCode)
        return answer(outcome, info.context.locale, requested)

    @strawberry.mutation(
        description="Show a payment password or the code from the phone.",
        graphql_type=result_union(
            "StepUpResult",
            ProofShown,
            (
                SignInRequired,
                PasswordWrong,
                PasswordLocked,
                PasswordBlocked,
                PasswordUnset,
                CodeWrong,
                SignInLocked,
                ProofNotHere,
            ),
        ),
    )
    async def step_up(self, info: Info, input: StepUpInput) -> Any:
        """Prove that it is the person."""
        outcome = await info.context.act(
            safety.step_up, lambda actor: StepUp(actor, input.proof, input.secret)
        )
        return answer(outcome, info.context.locale, shown_proof)

    @strawberry.mutation(
        description="End the session of one of the caller's devices.",
        graphql_type=result_union(
            "EndSessionResult", DevicesSignedOut, (SignInRequired, SessionUnknown)
        ),
    )
    async def end_session(self, info: Info, input: EndSessionInput) -> Any:
        """Sign a device out."""
        outcome = await info.context.act(
            safety.end_session, lambda actor: EndSession(actor, input.session_id)
        )
        return answer(outcome, info.context.locale, _signed_out)

    @strawberry.mutation(
        description="End all of the caller's sessions, this one included.",
        graphql_type=result_union("SignOutEverywhereResult", DevicesSignedOut, (SignInRequired,)),
    )
    async def sign_out_everywhere(self, info: Info) -> Any:
        """Sign out everywhere."""
        outcome = await info.context.act(safety.sign_out_everywhere, SignOutEverywhere)
        return answer(outcome, info.context.locale, _signed_out)
