"""Real-name registration, with what a civil register says, on real databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from backend.identity import registration
from backend.identity import service as identity
from backend.identity.contracts import (
    CodeWrong,
    PhoneInvalid,
    RequestSignInCode,
    SessionOpened,
    SignIn,
    SignInCodeSent,
    SignInLocked,
)
from backend.identity.registration_contracts import (
    AlreadyRegistered,
    CivilAnswer,
    IdentityNotConfirmed,
    MayAskRegister,
    NameInvalid,
    PhoneTaken,
    Register,
    RegisterAnswered,
    RegisterUnavailable,
    RegistrationNotFound,
    RegistrationWaiting,
    RequestRegistrationCode,
    TooManyRegistrations,
)
from backend.infra.model import OutboxMessage
from backend.people import queries as people
from backend.people.contracts import IdNumberInvalid
from backend.people.service import record_death
from backend.sample_data.people import CivilRecord, civil_records
from tests.world import World, phone_of

NEW_PHONE = "12000000901"


def record(name: str) -> CivilRecord:
    return next(one for one in civil_records().values() if one.name == name)


NEWCOMER = record("新样例")
ELDER = record("周样例")


def sent_to(world: World, phone: str) -> list[tuple[str, dict[str, Any]]]:
    def read(unit: Any) -> list[tuple[str, dict[str, Any]]]:
        rows = unit.db.exec(select(OutboxMessage).order_by(OutboxMessage.id)).all()
        opened = [
            (row.kind, json.loads(unit.vault.open(row.payload, f"outbox:{row.topic}")))
            for row in rows
            if row.channel == "SMS"
        ]
        return [(kind, facts) for kind, facts in opened if facts["to"] == phone]

    return list(world.database.read(read))


def code_for(world: World, phone: str = NEW_PHONE) -> str:
    sent = world.do(registration.request_code, RequestRegistrationCode(phone, "here"))
    assert isinstance(sent, SignInCodeSent), sent
    kind, facts = sent_to(world, phone)[-1]
    assert kind == "register_code"
    return str(facts["code"])


def asked(world: World, who: CivilRecord, code: str, **changes: Any) -> Register:
    made = Register(who.name, who.id_number, NEW_PHONE, code, "新手机", "here")
    return replace(made, **changes)


def go(world: World, command: Register, answer: CivilAnswer | None = CivilAnswer.MATCH) -> Any:
    may = world.do(registration.prepare, command)
    if not isinstance(may, MayAskRegister):
        return may
    return world.do(registration.complete, RegisterAnswered(command, answer))


def register(world: World, who: CivilRecord, **changes: Any) -> Any:
    return go(world, asked(world, who, code_for(world), **changes))


def test_somebody_new_registers_and_signs_in_again(world: World) -> None:
    opened = register(world, NEWCOMER, name=f" {NEWCOMER.name} ")
    assert isinstance(opened, SessionOpened)
    assert (opened.person.masked_name, opened.person.age) == ("新*例", 31)
    known = world.database.read(lambda u: people.particulars(u, opened.person.id))
    assert (known.birth_date, known.sex) == (date(1995, 3, 8), "2")
    world.clock.forward(minutes=2)
    world.do(identity.request_sign_in_code, RequestSignInCode(NEW_PHONE, "here"))
    kind, facts = sent_to(world, NEW_PHONE)[-1]
    assert kind == "sign_in_code"
    again = world.do(identity.sign_in, SignIn(NEW_PHONE, facts["code"], "x", "here"))
    assert isinstance(again, SessionOpened)
    assert again.person.id == opened.person.id


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"phone": "0123"}, PhoneInvalid),
        ({"name": ""}, NameInvalid),
        ({"name": "王 样例"}, NameInvalid),
        ({"name": "王1"}, NameInvalid),
        ({"name": "样" * 51}, NameInvalid),
        ({"name": "阿依·"}, NameInvalid),
        ({"id_number": ""}, IdNumberInvalid),
        ({"id_number": NEWCOMER.id_number[:17] + "0"}, IdNumberInvalid),
        ({"code": "000000"}, CodeWrong),
    ],
)
def test_what_is_wrong_is_said_before_the_register_is_asked(
    world: World, changes: dict[str, Any], refusal: type[Any]
) -> None:
    command = replace(asked(world, NEWCOMER, code_for(world)), **changes)
    assert isinstance(world.do(registration.prepare, command), refusal)


@pytest.mark.parametrize("name", ["阿依古丽·买买提", "欧阳样例", "Ivan"])
def test_names_of_all_peoples_are_names(world: World, name: str) -> None:
    command = asked(world, NEWCOMER, code_for(world), name=name)
    assert isinstance(world.do(registration.prepare, command), MayAskRegister)


@pytest.mark.parametrize(
    "answer", [CivilAnswer.MISMATCH, CivilAnswer.UNKNOWN, CivilAnswer.DECEASED]
)
def test_whom_the_register_does_not_confirm_gets_no_account(
    world: World, answer: CivilAnswer
) -> None:
    command = asked(world, NEWCOMER, code_for(world))
    assert go(world, command, answer) == IdentityNotConfirmed()
    number = NEWCOMER.id_number
    assert world.database.read(lambda u: people.person_by_id_number(u, number)) is None


def test_a_silent_register_loses_nothing(world: World) -> None:
    command = asked(world, NEWCOMER, code_for(world))
    assert go(world, command, None) == RegisterUnavailable()
    assert isinstance(go(world, command), SessionOpened)
    assert isinstance(go(world, command), CodeWrong)  # the code has served


def test_a_code_to_register_signs_nobody_in_and_the_other_way_round(world: World) -> None:
    code = code_for(world)
    assert isinstance(world.do(identity.sign_in, SignIn(NEW_PHONE, code, "x", "x")), CodeWrong)
    phone = phone_of("worker")
    world.do(identity.request_sign_in_code, RequestSignInCode(phone, "here"))
    digits = sent_to(world, phone)[-1][1]["code"]
    assert isinstance(go(world, asked(world, NEWCOMER, digits, phone=phone)), CodeWrong)


def test_whoever_has_an_account_reads_so_on_the_phone_and_nobody_else_does(world: World) -> None:
    phone = phone_of("worker")
    theirs = world.do(registration.request_code, RequestRegistrationCode(phone, "here"))
    world.clock.forward(minutes=2)
    nobody = world.do(registration.request_code, RequestRegistrationCode(NEW_PHONE, "here"))
    assert type(theirs) is type(nobody) is SignInCodeSent
    assert [kind for kind, _ in sent_to(world, phone)] == ["registered_already"]
    bad = world.do(registration.request_code, RequestRegistrationCode("1", "here"))
    assert bad == PhoneInvalid()


def test_nobody_takes_over_an_account_with_another_phone(world: World) -> None:
    who = record("王样例")
    refused = register(world, who)
    assert isinstance(refused, AlreadyRegistered)
    assert refused.phone == "120****0002"
    known = world.database.read(lambda u: people.particulars(u, world.person("retiree")))
    assert known.phone == phone_of("retiree")


def test_an_elder_without_a_phone_waits_for_a_clerk(world: World) -> None:
    waits = register(world, ELDER)
    assert isinstance(waits, RegistrationWaiting)
    world.clock.forward(minutes=2)
    assert register(world, ELDER) == waits  # asking twice is one case
    (seen,) = world.database.read(lambda u: registration.waiting(u, 9))
    assert (seen.id, seen.person_name, seen.phone) == (
        waits.registration_id,
        "周*例",
        "120****0901",
    )
    approve = lambda u: registration.approve(u, "clerk", waits.registration_id)  # noqa: E731
    view = world.database.write(approve)
    assert view.masked_phone == "120****0901"
    assert world.database.write(approve) == RegistrationNotFound()
    assert sent_to(world, NEW_PHONE)[-1][0] == "registration_approved"
    world.clock.forward(minutes=2)
    world.do(identity.request_sign_in_code, RequestSignInCode(NEW_PHONE, "here"))
    code = sent_to(world, NEW_PHONE)[-1][1]["code"]
    opened = world.do(identity.sign_in, SignIn(NEW_PHONE, code, "x", "x"))
    assert opened.person.id == world.person("elder_no_phone")


def test_a_clerk_refuses_a_stranger(world: World) -> None:
    waits = register(world, ELDER)
    number = waits.registration_id
    assert world.database.write(lambda u: registration.reject(u, "clerk", number)) is None
    assert world.database.read(lambda u: registration.waiting(u, 9)) == []
    again = world.database.write(lambda u: registration.reject(u, "clerk", number))
    assert again == RegistrationNotFound()
    known = world.database.read(lambda u: people.particulars(u, world.person("elder_no_phone")))
    assert known.phone == ""
    assert sent_to(world, NEW_PHONE)[-1][0] == "registration_rejected"


def test_two_who_ask_for_one_elder_only_the_first_approved_gets_it(world: World) -> None:
    first = register(world, ELDER)
    other = "12000000902"
    second = go(world, asked(world, ELDER, code_for(world, other), phone=other))
    assert isinstance(second, RegistrationWaiting)
    assert second != first
    world.database.write(lambda u: registration.approve(u, "clerk", second.registration_id))
    late = world.database.write(lambda u: registration.approve(u, "clerk", first.registration_id))
    assert late == AlreadyRegistered("120****0902")


def test_one_phone_is_one_person_s_key(world: World) -> None:
    waits = register(world, ELDER)
    world.clock.forward(minutes=2)
    assert isinstance(register(world, NEWCOMER), SessionOpened)
    taken = world.database.write(lambda u: registration.approve(u, "c", waits.registration_id))
    assert taken == PhoneTaken()


def test_nobody_registers_as_the_dead_or_under_another_name_here(world: World) -> None:
    world.database.write(
        lambda u: record_death(u, "r", world.person("elder_no_phone"), date(2026, 1, 1))
    )
    assert register(world, ELDER) == IdentityNotConfirmed()
    world.clock.forward(minutes=2)
    other = replace(record("王样例"), name="别样例")
    assert register(world, other) == IdentityNotConfirmed()


def test_trying_is_limited_by_phone_and_by_number(world: World) -> None:
    for _ in range(
        3
    ):  # of one phone for one number, so that no stranger uses up the number's tries
        command = asked(world, NEWCOMER, code_for(world))
        assert go(world, command, CivilAnswer.MISMATCH) == IdentityNotConfirmed()
        world.clock.forward(hours=1)
    assert isinstance(register(world, NEWCOMER), TooManyRegistrations)
    for number in range(902, 909):
        phone = f"12000000{number}"
        command = asked(world, NEWCOMER, code_for(world, phone), phone=phone)
        go(world, command, CivilAnswer.MISMATCH)
    phone = "12000000909"
    command = asked(world, NEWCOMER, code_for(world, phone), phone=phone)
    assert isinstance(world.do(registration.prepare, command), TooManyRegistrations)


def test_guessing_codes_locks_the_phone(world: World) -> None:
    command = asked(world, NEWCOMER, "000000")
    code_for(world)
    answers = [world.do(registration.prepare, command) for _ in range(11)]
    assert isinstance(answers[0], CodeWrong)
    assert isinstance(answers[-1], SignInLocked)
