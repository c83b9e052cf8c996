"""Changing the phone that signs somebody in, by its owner and at a counter, on real databases."""

from __future__ import annotations

from typing import Any

import pytest

from backend.access.assurance import Proof, StepUpRequired
from backend.access.contracts import Anonymous, SignInRequired
from backend.desk.contracts import ActKind, Payload, ProposalState
from backend.identity import phone_change, queries
from backend.identity.contracts import (
    ChangePhone,
    CodeWrong,
    PhoneChanged,
    PhoneInvalid,
    RequestNewPhoneCode,
    SignInCodeSent,
    SignInLocked,
    TooManyCodes,
)
from backend.identity.registration_contracts import PhoneTaken
from backend.people import queries as people
from tests.usecases.test_desk import confirm, propose
from tests.usecases.test_registration import sent_to
from tests.usecases.test_safety import signed_in
from tests.world import World, phone_of

NEW = "12000000977"


def ask(world: World, phone: str = NEW, actor: Any = None) -> Any:
    who = actor or world.actor("retiree")
    return world.do(phone_change.request_code, RequestNewPhoneCode(who, phone, "here"))


def change(world: World, code: str, phone: str = NEW) -> Any:
    return world.do(phone_change.change, ChangePhone(world.actor("retiree"), phone, code))


def coded(world: World, phone: str = NEW) -> str:
    assert isinstance(ask(world, phone), SignInCodeSent)
    kind, facts = sent_to(world, phone)[-1]
    assert kind == "new_phone_code"
    return str(facts["code"])


def holder(world: World, phone: str) -> str | None:
    return world.database.read(lambda u: people.person_by_phone(u, phone))


@pytest.mark.parametrize("proof", [Proof.SMS_CODE, Proof.PASSKEY, Proof.FACE, Proof.DESK])
def test_the_new_phones_code_and_a_proof_move_the_account(world: World, proof: Proof) -> None:
    old = phone_of("retiree")
    other = signed_in(world, "retiree")
    code = coded(world)
    assert isinstance(change(world, code), StepUpRequired)
    assert holder(world, NEW) is None
    world.prove("retiree", proof)
    done = change(world, code)
    assert done == PhoneChanged("120****0977", 1)  # type: ignore[arg-type]
    me = world.person("retiree")
    assert (holder(world, NEW), holder(world, old)) == (me, None)
    assert sent_to(world, old)[-1][0] == "phone_moved_away"
    assert sent_to(world, old)[-1][1]["new_phone"] == "120****0977"
    assert sent_to(world, NEW)[-1][0] == "phone_changed"
    still = world.actor("retiree").session_id
    assert world.database.read(lambda u: queries.session_is_open(u, still, me))
    assert not world.database.read(lambda u: queries.session_is_open(u, other.session_id, me))
    assert change(world, code) == PhoneChanged("120****0977", 0)  # type: ignore[arg-type]


def test_a_payment_password_alone_moves_no_phone(world: World) -> None:
    code = coded(world)
    world.prove("retiree", Proof.PAYMENT_PASSWORD)
    assert isinstance(change(world, code), StepUpRequired)


def test_a_phone_of_somebody_else_gets_no_code_and_nobody_is_told_whose_it_is(
    world: World,
) -> None:
    taken = phone_of("worker")
    assert type(ask(world, taken)) is type(ask(world))  # answered alike
    assert [kind for kind, _ in sent_to(world, taken)] == ["registered_already"]
    world.prove("retiree", Proof.SMS_CODE)
    assert isinstance(change(world, "000000", taken), CodeWrong)
    assert holder(world, taken) == world.person("worker")


def test_what_is_wrong_changes_nothing(world: World) -> None:
    assert ask(world, "123") == PhoneInvalid()
    assert ask(world, NEW, Anonymous("x")) == SignInRequired()
    world.prove("retiree", Proof.SMS_CODE)
    assert change(world, "000000") == CodeWrong(0)
    assert change(world, "000000", "123") == PhoneInvalid()
    right = coded(world)
    assert isinstance(ask(world), TooManyCodes)
    wrong = "0" * 6 if right != "0" * 6 else "1" * 6
    said = [change(world, wrong) for _ in range(6)]
    assert isinstance(said[0], CodeWrong)
    assert isinstance(said[-1], CodeWrong | SignInLocked)
    assert not isinstance(change(world, right), PhoneChanged)
    assert holder(world, NEW) is None


def test_a_code_for_one_person_moves_nobody_else(world: World) -> None:
    code = coded(world)
    world.prove("worker", Proof.SMS_CODE)
    stolen = ChangePhone(world.actor("worker"), NEW, code)
    assert world.do(phone_change.change, stolen) == CodeWrong(0)
    assert holder(world, NEW) is None


def test_whoever_was_faster_has_the_phone(world: World) -> None:
    code = coded(world)
    worker = world.person("worker")
    world.database.write(lambda u: phone_change.change_at_desk(u, "staff:x", worker, NEW))
    world.prove("retiree", Proof.SMS_CODE)
    assert change(world, code) == PhoneTaken()


def test_at_a_counter_it_takes_two_and_signs_every_device_out(world: World) -> None:
    session = world.actor("retiree")
    me = session.person_id
    assert propose(world, ActKind.PHONE, Payload(me, phone="123")) == PhoneInvalid()
    taken = Payload(me, phone=phone_of("worker"))
    assert propose(world, ActKind.PHONE, taken) == PhoneTaken()
    proposed = propose(world, ActKind.PHONE, Payload(me, phone=NEW))
    assert holder(world, NEW) is None
    assert confirm(world, proposed).state is ProposalState.CONFIRMED
    assert holder(world, NEW) == me
    assert not world.database.read(lambda u: queries.session_is_open(u, session.session_id, me))
    assert sent_to(world, phone_of("retiree"))[-1][0] == "phone_moved_away"
