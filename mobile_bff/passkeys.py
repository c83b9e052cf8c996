"""Passkeys: the fingerprint of the person's own device, for signing in and proving oneself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import SignInRequired
from backend.identity import passkeys as use_cases
from backend.identity import queries
from backend.identity.passkey_contracts import (
    AddPasskey,
    BeginAddPasskey,
    BeginPasskeySignIn,
    BeginPasskeyStepUp,
    PasskeyCeremony,
    PasskeyCloned,
    PasskeyNotAccepted,
    Passkeys,
    PasskeyUnknown,
    PasskeyView,
    RemovePasskey,
    SignInWithPasskey,
    StepUpWithPasskey,
    TooManyAttempts,
    TooManyPasskeys,
)
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.sign_in import Session, session_type
from mobile_bff.step_up import ProofShown, shown_proof, signed_in


@strawberry.type(name="PasskeyCeremony", description="What the device is to be asked, once.")
class CeremonyType:
    """Options of WebAuthn."""

    ceremony_id: strawberry.ID = strawberry.field(description="To be sent back with the answer.")
    options: str = strawberry.field(
        description="JSON for navigator.credentials (parseCreationOptionsFromJSON and its like)."
    )
    expires_at: datetime = strawberry.field(description="Until when an answer counts.")


@strawberry.type(name="Passkey", description="A passkey of the signed-in person.")
class PasskeyType:
    """One of them."""

    passkey_id: strawberry.ID = strawberry.field(description="Its id, the authenticator's own.")
    name: str = strawberry.field(description="What the person calls it.")
    added_at: datetime = strawberry.field(description="When it was added.")
    last_used_at: datetime | None = strawberry.field(description="When it last served.")


@strawberry.type(description="A person's passkeys, the newest first.")
class PasskeyList:
    """All of them."""

    passkeys: list[PasskeyType] = strawberry.field(description="The passkeys.")


@strawberry.input(description="Adds a passkey.")
class AddPasskeyInput:
    """The device's answer."""

    ceremony_id: strawberry.ID = strawberry.field(description="Of beginAddPasskey.")
    credential: str = strawberry.field(description="The PublicKeyCredential as JSON.")
    name: str = strawberry.field(description="What the person calls it.")


@strawberry.input(description="Removes a passkey.")
class RemovePasskeyInput:
    """Which one."""

    passkey_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="Signs in with a passkey.")
class SignInWithPasskeyInput:
    """The device's answer."""

    ceremony_id: strawberry.ID = strawberry.field(description="Of beginPasskeySignIn.")
    credential: str = strawberry.field(description="The PublicKeyCredential as JSON.")
    device_name: str = strawberry.field(description="What the person calls this device.")


@strawberry.input(description="Proves with a passkey that it is the person.")
class StepUpWithPasskeyInput:
    """The device's answer."""

    ceremony_id: strawberry.ID = strawberry.field(description="Of beginPasskeyStepUp.")
    credential: str = strawberry.field(description="The PublicKeyCredential as JSON.")


def _ceremony(begun: PasskeyCeremony) -> CeremonyType:
    return CeremonyType(
        ceremony_id=strawberry.ID(begun.id), options=begun.options, expires_at=begun.expires_at
    )


def _passkey(view: PasskeyView) -> PasskeyType:
    return PasskeyType(
        passkey_id=strawberry.ID(view.id),
        name=view.name,
        added_at=view.added_at,
        last_used_at=view.last_used_at,
    )


def _list(found: Passkeys) -> PasskeyList:
    return PasskeyList(passkeys=[_passkey(view) for view in found.items])


async def passkeys(info: Info) -> list[PasskeyType]:
    """Return the caller's passkeys."""
    actor = await signed_in(info)
    found = await info.context.door.read(lambda unit: queries.passkeys(unit, actor.person_id))
    return [_passkey(view) for view in found.items]


@strawberry.type
class PasskeyMutations:
    """What can be done with passkeys."""

    @strawberry.mutation(
        description="Ask for the options of a new passkey; needs a fresh proof.",
        graphql_type=result_union(
            "BeginAddPasskeyResult", CeremonyType, (SignInRequired, StepUpRequired, TooManyPasskeys)
        ),
    )
    async def begin_add_passkey(self, info: Info) -> Any:
        """Begin to add a passkey."""
        outcome = await info.context.act(use_cases.begin_add, BeginAddPasskey)
        return answer(outcome, info.context.locale, _ceremony)

    @strawberry.mutation(
        description="Add the passkey that the device has made.",
        graphql_type=result_union(
            "AddPasskeyResult", PasskeyList, (SignInRequired, PasskeyNotAccepted)
        ),
    )
    async def add_passkey(self, info: Info, input: AddPasskeyInput) -> Any:
        """Add a passkey."""
        outcome = await info.context.act(
            use_cases.add,
            lambda actor: AddPasskey(actor, input.ceremony_id, input.credential, input.name),
        )
        return answer(outcome, info.context.locale, _list)

    @strawberry.mutation(
        description="Throw a passkey away; needs a fresh proof.",
        graphql_type=result_union(
            "RemovePasskeyResult", PasskeyList, (SignInRequired, PasskeyUnknown, StepUpRequired)
        ),
    )
    async def remove_passkey(self, info: Info, input: RemovePasskeyInput) -> Any:
        """Remove a passkey."""
        outcome = await info.context.act(
            use_cases.remove, lambda actor: RemovePasskey(actor, input.passkey_id)
        )
        return answer(outcome, info.context.locale, _list)

    @strawberry.mutation(
        description="Ask for the options of signing in with a passkey.",
        graphql_type=result_union("BeginPasskeySignInResult", CeremonyType, (TooManyAttempts,)),
    )
    async def begin_passkey_sign_in(self, info: Info) -> Any:
        """Begin to sign in."""
        command = BeginPasskeySignIn(info.context.address)
        outcome = await info.context.door.write(
            use_cases.begin_sign_in, command, info.context.request_id
        )
        return answer(outcome, info.context.locale, _ceremony)

    @strawberry.mutation(
        description="Open a session with the answer of the device.",
        graphql_type=result_union(
            "SignInWithPasskeyResult", Session, (PasskeyNotAccepted, PasskeyUnknown, PasskeyCloned)
        ),
    )
    async def sign_in_with_passkey(self, info: Info, input: SignInWithPasskeyInput) -> Any:
        """Sign in."""
        command = SignInWithPasskey(
            ceremony_id=input.ceremony_id,
            credential=input.credential,
            device_name=input.device_name,
            address=info.context.address,
        )
        outcome = await info.context.door.write(use_cases.sign_in, command, info.context.request_id)
        return answer(outcome, info.context.locale, session_type)

    @strawberry.mutation(
        description="Ask for the options of a fresh proof with a passkey.",
        graphql_type=result_union(
            "BeginPasskeyStepUpResult", CeremonyType, (SignInRequired, PasskeyUnknown)
        ),
    )
    async def begin_passkey_step_up(self, info: Info) -> Any:
        """Begin to prove oneself."""
        outcome = await info.context.act(use_cases.begin_step_up, BeginPasskeyStepUp)
        return answer(outcome, info.context.locale, _ceremony)

    @strawberry.mutation(
        description="Prove with the answer of the device that it is the person.",
        graphql_type=result_union(
            "StepUpWithPasskeyResult",
            ProofShown,
            (SignInRequired, PasskeyNotAccepted, PasskeyUnknown, PasskeyCloned),
        ),
    )
    async def step_up_with_passkey(self, info: Info, input: StepUpWithPasskeyInput) -> Any:
        """Prove oneself."""
        outcome = await info.context.act(
            use_cases.step_up,
            lambda actor: StepUpWithPasskey(actor, input.ceremony_id, input.credential),
        )
        return answer(outcome, info.context.locale, shown_proof)
