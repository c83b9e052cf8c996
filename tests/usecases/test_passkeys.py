"""Passkeys with a software authenticator, on real databases."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backend.access.assurance import Demand, Proof, StepUpRequired
from backend.access.contracts import Anonymous, PersonActor, SignInRequired
from backend.identity import passkeys, queries, safety
from backend.identity.contracts import SessionOpened
from backend.identity.passkey_contracts import (
    PASSKEYS_MAX,
    AddPasskey,
    BeginAddPasskey,
    BeginPasskeySignIn,
    BeginPasskeyStepUp,
    PasskeyCeremony,
    PasskeyCloned,
    PasskeyNotAccepted,
    Passkeys,
    PasskeyUnknown,
    RemovePasskey,
    SignInWithPasskey,
    StepUpWithPasskey,
    TooManyAttempts,
    TooManyPasskeys,
)
from backend.identity.safety_contracts import SteppedUp
from backend.identity.service import tidy_up
from tests.authenticator import Authenticator
from tests.world import World


def begin(world: World, actor: Any) -> Any:
    return world.do(passkeys.begin_add, BeginAddPasskey(actor))


def added(world: World, key: str, device: Authenticator | None = None) -> Authenticator:
    """Add a passkey of a fresh authenticator to somebody's account."""
    device = device or Authenticator()
    world.prove(key, Proof.SMS_CODE)
    world.prove(key, Proof.DESK)
    actor = world.actor(key)
    begun = begin(world, actor)
    assert isinstance(begun, PasskeyCeremony), begun
    answer = AddPasskey(actor, begun.id, device.create(begun.options), "我的手机")
    outcome = world.do(passkeys.add, answer)
    assert isinstance(outcome, Passkeys), outcome
    return device


def answering(ceremony_id: str, credential: str) -> SignInWithPasskey:
    return SignInWithPasskey(
        ceremony_id=ceremony_id, credential=credential, device_name="手机", address="here"
    )


def sign_in(world: World, device: Authenticator, **changes: Any) -> Any:
    begun = world.do(passkeys.begin_sign_in, BeginPasskeySignIn("here"))
    command = answering(begun.id, device.get(begun.options))
    return world.do(passkeys.sign_in, replace(command, **changes))


def step_up(world: World, actor: Any, device: Authenticator) -> Any:
    begun = world.do(passkeys.begin_step_up, BeginPasskeyStepUp(actor))
    assert isinstance(begun, PasskeyCeremony)
    answer = StepUpWithPasskey(actor, begun.id, device.get(begun.options))
    return world.do(passkeys.step_up, answer)


def test_a_passkey_signs_in_and_proves(world: World) -> None:
    device = added(world, "worker")
    person = world.person("worker")
    (kept,) = world.database.read(lambda u: queries.passkeys(u, person)).items
    assert (kept.id, kept.name, kept.last_used_at) == (device.id, "我的手机", None)
    world.clock.forward(minutes=10)
    opened = sign_in(world, device)
    assert isinstance(opened, SessionOpened)
    assert opened.person.id == person
    actor = PersonActor(person, opened.session_id)

    def missing(asked: Demand) -> Any:
        return world.database.read(lambda u: safety.demand(u, actor, asked))

    assert missing(Demand.MONEY) is None
    world.clock.forward(minutes=6)
    assert missing(Demand.MONEY) == StepUpRequired((Proof.PASSKEY,))
    assert isinstance(step_up(world, actor, device), SteppedUp)
    assert missing(Demand.STRONG) is None
    (used,) = world.database.read(lambda u: queries.passkeys(u, person)).items
    assert used.last_used_at == world.clock.now()


def test_adding_asks_for_a_proof_and_the_options_name_nobody(world: World) -> None:
    actor = world.actor("worker")
    assert begin(world, actor) == StepUpRequired((Proof.SMS_CODE,))
    assert begin(world, Anonymous()) == SignInRequired()
    world.prove("worker", Proof.SMS_CODE)
    options = json.loads(begin(world, actor).options)
    assert options["rp"] == {"id": "localhost", "name": "Yibao"}
    assert options["user"]["name"].count("*") >= 1
    assert options["authenticatorSelection"]["userVerification"] == "required"


@pytest.mark.parametrize(
    "changes",
    [
        {"verifies": False},
        {"origin": "http://evil.example"},
        {"domain": "evil.example"},
    ],
)
def test_what_is_not_a_finger_at_this_site_is_not_added(
    world: World, changes: dict[str, Any]
) -> None:
    device = Authenticator(**changes)
    world.prove("worker", Proof.SMS_CODE)
    actor = world.actor("worker")
    begun = begin(world, actor)
    answer = AddPasskey(actor, begun.id, device.create(begun.options), "x")
    assert world.do(passkeys.add, answer) == PasskeyNotAccepted()
    # and the challenge is spent
    good = replace(answer, credential=Authenticator().create(begun.options))
    assert world.do(passkeys.add, good) == PasskeyNotAccepted()
    person = world.person("worker")
    assert world.database.read(lambda u: queries.passkeys(u, person)).items == ()


@pytest.mark.parametrize("credential", ["", "[]", "{}", "null", '{"id":1}', "x" * 20_000, "{"])
def test_nonsense_is_not_accepted(world: World, credential: str) -> None:
    added(world, "worker")
    actor = world.actor("worker")
    begun = begin(world, actor)
    answer = AddPasskey(actor, begun.id, credential, "x")
    assert world.do(passkeys.add, answer) == PasskeyNotAccepted()
    refused = sign_in(world, Authenticator(), credential=credential)
    assert isinstance(refused, PasskeyNotAccepted | PasskeyUnknown)


def test_a_challenge_is_for_one_purpose_one_session_and_some_minutes(world: World) -> None:
    device = added(world, "worker")
    actor = world.actor("worker")
    begun = world.do(passkeys.begin_step_up, BeginPasskeyStepUp(actor))
    answer = device.get(begun.options)
    other = replace(actor, session_id="another")
    for use_case, command in (
        (passkeys.sign_in, answering(begun.id, answer)),
        (passkeys.step_up, StepUpWithPasskey(other, begun.id, answer)),
        (passkeys.step_up, StepUpWithPasskey(actor, "no such", answer)),
    ):
        assert world.do(use_case, command) == PasskeyNotAccepted()
    world.clock.forward(minutes=5)
    late = StepUpWithPasskey(actor, begun.id, answer)
    assert world.do(passkeys.step_up, late) == PasskeyNotAccepted()
    fresh = world.do(passkeys.begin_step_up, BeginPasskeyStepUp(actor))
    good = StepUpWithPasskey(actor, fresh.id, device.get(fresh.options))
    assert isinstance(world.do(passkeys.step_up, good), SteppedUp)
    assert world.do(passkeys.step_up, good) == PasskeyNotAccepted()


def test_an_answer_without_a_finger_or_by_another_key_is_not_accepted(world: World) -> None:
    device = added(world, "worker")
    device.verifies = False
    assert sign_in(world, device) == PasskeyNotAccepted()
    device.verifies = True
    thief = Authenticator(credential_id=device.credential_id)
    assert sign_in(world, thief) == PasskeyNotAccepted()
    assert sign_in(world, Authenticator()) == PasskeyUnknown()
    device.origin = "http://evil.example"
    assert sign_in(world, device) == PasskeyNotAccepted()


def test_a_counter_that_goes_back_takes_the_key_out_of_use(world: World) -> None:
    device = added(world, "worker")
    sign_in(world, device)
    copy = replace(device, counter=0)
    assert sign_in(world, copy) == PasskeyCloned()
    assert sign_in(world, device) == PasskeyUnknown()
    silent = added(world, "worker")  # one that never counts, as those of phones do
    for _ in range(2):
        silent.counter = -1
        assert isinstance(sign_in(world, silent), SessionOpened)


def test_a_stranger_cannot_use_add_twice_or_remove(world: World) -> None:
    device = added(world, "worker")
    world.prove("retiree", Proof.SMS_CODE)
    stranger = world.actor("retiree")
    begun = begin(world, stranger)
    again = AddPasskey(stranger, begun.id, device.create(begun.options), "x")
    assert world.do(passkeys.add, again) == PasskeyNotAccepted()
    assert world.do(passkeys.remove, RemovePasskey(stranger, device.id)) == PasskeyUnknown()
    assert world.do(passkeys.begin_step_up, BeginPasskeyStepUp(stranger)) == PasskeyUnknown()
    added(world, "retiree")
    begun = world.do(passkeys.begin_step_up, BeginPasskeyStepUp(stranger))
    theirs = StepUpWithPasskey(stranger, begun.id, device.get(begun.options))
    assert world.do(passkeys.step_up, theirs) == PasskeyUnknown()


def test_removing_asks_for_a_proof(world: World) -> None:
    device = added(world, "worker")
    world.clock.forward(minutes=6)
    actor = world.actor("worker")
    gone = RemovePasskey(actor, device.id)
    assert world.do(passkeys.remove, gone) == StepUpRequired((Proof.PASSKEY,))
    step_up(world, actor, device)
    assert world.do(passkeys.remove, gone) == Passkeys(())
    assert world.do(passkeys.remove, gone) == PasskeyUnknown()
    assert sign_in(world, device) == PasskeyUnknown()


def test_a_person_holds_so_many_and_not_more(world: World) -> None:
    for _ in range(PASSKEYS_MAX):
        added(world, "worker")
    assert begin(world, world.actor("worker")) == TooManyPasskeys(PASSKEYS_MAX)


def test_beginning_is_limited_for_each_address_and_leftovers_are_tidied(world: World) -> None:
    world.change_settings(passkey_asks_per_address_per_hour=2)
    ask = BeginPasskeySignIn("one")
    for _ in range(2):
        assert isinstance(world.do(passkeys.begin_sign_in, ask), PasskeyCeremony)
    assert isinstance(world.do(passkeys.begin_sign_in, ask), TooManyAttempts)
    other = world.do(passkeys.begin_sign_in, BeginPasskeySignIn("two"))
    assert isinstance(other, PasskeyCeremony)
    assert world.database.write(tidy_up) == 0
    world.clock.forward(minutes=6)
    assert world.database.write(tidy_up) == 3


@pytest.mark.parametrize(
    ("use_case", "command"),
    [
        (passkeys.add, AddPasskey(Anonymous(), "x", "{}", "")),
        (passkeys.remove, RemovePasskey(Anonymous(), "x")),
        (passkeys.begin_step_up, BeginPasskeyStepUp(Anonymous())),
        (passkeys.step_up, StepUpWithPasskey(Anonymous(), "x", "{}")),
    ],
)
def test_nobody_in_particular_may_none_of_it(world: World, use_case: Any, command: Any) -> None:
    assert world.do(use_case, command) == SignInRequired()
