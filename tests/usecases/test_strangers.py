"""What a stranger can drive up, and that it hurts nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyotp
import pytest
from sqlalchemy import text

from backend.access.assurance import Proof
from backend.access.contracts import PersonActor
from backend.identity import face_checks, phone_change, registration, safety, service
from backend.identity.challenges import NEW_PHONE, SIGN_IN, STEP_UP
from backend.identity.contracts import (
    CodeWrong,
    RefreshSession,
    RequestNewPhoneCode,
    RequestSignInCode,
    SessionOpened,
    SignIn,
    SignInCodeSent,
    SignInLocked,
    TooManyCodes,
)
from backend.identity.face_contracts import FaceAttemptsUsedUp, FaceCheckStarted, FacePurpose
from backend.identity.model import FaceTemplate
from backend.identity.registration_contracts import (
    MayAskRegister,
    RegisterAnswered,
    RequestRegistrationCode,
    TooManyRegistrations,
)
from backend.identity.safety_contracts import RequestStepUpCode, SteppedUp, StepUp
from backend.infra import rates
from backend.infra.database import Unit
from backend.proxies import service as relatives
from backend.proxies.contracts import (
    AskConsent,
    ConsentAsked,
    ConsentKind,
    DeclineBinding,
    TooManyBindingRequests,
)
from backend.reports.contracts import ReportReceipt, TooManyReports
from backend.sample_data.staff import sample_password, sample_secret
from backend.staff import service as accounts
from backend.staff.contracts import (
    ChangeStaffPassword,
    OpenStaffSession,
    StaffLocked,
    StaffSessionOpened,
    StaffSignInWrong,
)
from tests.usecases.test_registration import NEW_PHONE as UNREGISTERED
from tests.usecases.test_registration import NEWCOMER, asked, sent_to
from tests.usecases.test_relatives import asked_for
from tests.usecases.test_reports import lodge
from tests.world import World, phone_of

OWNER, STRANGER, UNKNOWN = "10.0.0.1", "203.0.113.9", "12099999999"
CLERK = "CD1001"


def ask(world: World, phone: str, address: str) -> Any:
    return world.do(service.request_sign_in_code, RequestSignInCode(phone, address))


def show(world: World, phone: str, code: str, address: str) -> Any:
    return world.do(service.sign_in, SignIn(phone, code, "手机", address))


def code_for(world: World, phone: str) -> str:
    return str(sent_to(world, phone)[-1][1]["code"])


def wrong_for(world: World, phone: str) -> str:
    """Return six digits that no code of a phone is."""
    codes = {facts.get("code") for _, facts in sent_to(world, phone)}
    return next(f"{n:06}" for n in range(100) if f"{n:06}" not in codes)


def signed_in(world: World, key: str, address: str = OWNER) -> PersonActor:
    phone = phone_of(key)
    assert isinstance(ask(world, phone, address), SignInCodeSent)
    opened = show(world, phone, code_for(world, phone), address)
    assert isinstance(opened, SessionOpened)
    return PersonActor(opened.person.id, opened.session_id, address)


def challenges(world: World) -> list[tuple[str, int, int]]:
    query = "SELECT purpose, attempts, attempts_elsewhere FROM sign_in_challenge ORDER BY sent_at"
    return world.database.read(
        lambda u: [tuple(row) for row in u.db.connection().execute(text(query))]  # type: ignore[misc]
    )


# -- codes that are shown --------------------------------------------------------------------------


def test_wrong_codes_without_a_request_lock_nobody_but_their_own_address(world: World) -> None:
    phone = phone_of("worker")
    answers = [show(world, phone, "000000", STRANGER) for _ in range(11)]
    assert answers == [CodeWrong(0)] * 10 + [SignInLocked(1800)]  # type: ignore[arg-type]
    owner = signed_in(world, "worker")
    assert world.do(safety.request_step_up_code, RequestStepUpCode(owner)).expires_at
    again = [show(world, phone, "000000", STRANGER) for _ in range(5)]
    assert [type(one) for one in again] == [SignInLocked] * 5
    proven = StepUp(owner, Proof.SMS_CODE, code_for(world, phone))
    assert isinstance(world.do(safety.step_up, proven), SteppedUp)


def test_a_strangers_sign_in_codes_touch_neither_step_up_nor_a_new_phone(world: World) -> None:
    phone = phone_of("worker")
    owner = signed_in(world, "worker")
    world.do(safety.request_step_up_code, RequestStepUpCode(owner))
    step_up_code = code_for(world, phone)
    new = world.do(phone_change.request_code, RequestNewPhoneCode(owner, UNREGISTERED, OWNER))
    assert isinstance(new, SignInCodeSent)
    for address in (STRANGER, "203.0.113.10", "203.0.113.11"):
        for number in (phone, UNREGISTERED):
            for _ in range(12):
                show(world, number, "000000", address)
    assert challenges(world) == [(STEP_UP, 0, 0), (NEW_PHONE, 0, 0)]
    proven = StepUp(owner, Proof.SMS_CODE, step_up_code)
    assert isinstance(world.do(safety.step_up, proven), SteppedUp)
    assert challenges(world) == [(NEW_PHONE, 0, 0)]


@pytest.mark.parametrize("state", ["known", "unknown", "used", "expired", "asked by the owner"])
def test_where_the_caller_has_no_challenge_every_phone_is_answered_alike(
    world: World, state: str
) -> None:
    phone = UNKNOWN if state == "unknown" else phone_of("worker")
    if state in ("used", "expired", "asked by the owner"):
        ask(world, phone, OWNER)
    if state == "used":
        show(world, phone, code_for(world, phone), OWNER)
    if state == "expired":
        world.clock.forward(seconds=300)
    wrong = wrong_for(world, phone)
    answers = [show(world, phone, wrong, STRANGER) for _ in range(11)]
    assert answers == [CodeWrong(0)] * 10 + [SignInLocked(1800)]  # type: ignore[arg-type]


@pytest.mark.parametrize("phone", [UNKNOWN, phone_of("worker")])
def test_who_has_asked_has_as_many_attempts_for_every_phone(world: World, phone: str) -> None:
    ask(world, phone, STRANGER)
    wrong = wrong_for(world, phone)
    left = [show(world, phone, wrong, STRANGER).attempts_left for _ in range(6)]
    assert left == [4, 3, 2, 1, 0, 0]


def test_a_stranger_uses_up_no_attempt_of_the_owners_code(world: World) -> None:
    phone = phone_of("worker")
    ask(world, phone, OWNER)
    code, wrong = code_for(world, phone), wrong_for(world, phone)
    for address in (STRANGER, "203.0.113.10", "203.0.113.11"):
        for _ in range(11):
            show(world, phone, wrong, address)
    assert show(world, phone, code, STRANGER) == SignInLocked(1800)  # type: ignore[arg-type]
    assert show(world, phone, code, "203.0.113.12") == CodeWrong(
        0
    )  # its tries elsewhere are used up
    assert [(purpose, own) for purpose, own, _ in challenges(world)] == [(SIGN_IN, 0)]
    assert isinstance(show(world, phone, code, OWNER), SessionOpened)


def test_a_code_can_be_shown_from_another_network_within_three_tries(world: World) -> None:
    phone = phone_of("worker")
    ask(world, phone, OWNER)
    code, wrong = code_for(world, phone), wrong_for(world, phone)
    assert [show(world, phone, wrong, "10.9.9.9") for _ in range(2)] == [CodeWrong(0)] * 2
    assert isinstance(show(world, phone, code, "10.9.9.9"), SessionOpened)
    assert challenges(world) == []


def test_a_strangers_request_does_not_void_the_owners_code(world: World) -> None:
    phone = phone_of("worker")
    ask(world, phone, OWNER)
    code = code_for(world, phone)
    assert isinstance(ask(world, phone, STRANGER), SignInCodeSent)
    theirs = code_for(world, phone)
    assert isinstance(show(world, phone, code, OWNER), SessionOpened)
    if theirs != code:  # what served voids the others
        assert show(world, phone, theirs, STRANGER) == CodeWrong(0)


def test_an_address_that_asks_for_nothing_tries_few_phones(world: World) -> None:
    world.change_settings(wrong_codes_per_address_per_hour=4)
    for serial in range(4):
        assert show(world, f"1209999000{serial}", "000000", STRANGER) == CodeWrong(0)
    assert show(world, phone_of("worker"), "000000", STRANGER) == SignInLocked(3600)  # type: ignore[arg-type]
    assert isinstance(ask(world, phone_of("worker"), STRANGER), SignInCodeSent)  # a shared network
    code = code_for(world, phone_of("worker"))
    assert isinstance(show(world, phone_of("worker"), code, STRANGER), SessionOpened)


def test_a_day_of_guessing_has_the_chance_that_is_written_down(world: World) -> None:
    """Count the wrong codes that strangers of many addresses have compared with codes in a day."""
    phone, compared = phone_of("worker"), 0
    settings = world.settings
    for hour in range(24):
        for place in range(8):
            address = f"203.0.{hour}.{place}"
            for _ in range(6):
                ask(world, phone, address)
                world.clock.forward(seconds=60)
        world.clock.forward(seconds=3600 - 8 * 6 * 60)
    codes = len([kind for kind, _ in sent_to(world, phone) if kind == "sign_in_code"])
    each = settings.sign_in_attempts_per_code + settings.sign_in_attempts_elsewhere_per_code
    compared = codes * each + (
        settings.sms_per_phone_from_all_per_day * settings.sign_in_attempts_elsewhere_per_code
    )
    assert (codes, compared) == (50, 550)  # of 1,000,000 codes: 0.055 % a day


def test_expired_challenges_are_tidied(world: World) -> None:
    ask(world, phone_of("worker"), OWNER)
    ask(world, UNKNOWN, OWNER)
    assert world.database.write(service.tidy_up) == 0
    world.clock.forward(seconds=300)
    assert world.database.write(service.tidy_up) == 2
    assert challenges(world) == []


def test_a_changed_phone_voids_the_codes_of_the_old_one(world: World) -> None:
    phone, person = phone_of("worker"), world.person("worker")
    ask(world, phone, OWNER)
    code = code_for(world, phone)
    world.database.write(lambda u: phone_change.change_at_desk(u, "staff:x", person, UNREGISTERED))
    assert show(world, phone, code, OWNER) == CodeWrong(0)


# -- codes that are asked for ----------------------------------------------------------------------


def test_a_refused_request_uses_up_nothing(world: World) -> None:
    phone = phone_of("worker")
    assert isinstance(ask(world, phone, OWNER), SignInCodeSent)
    for _ in range(20):
        assert ask(world, phone, OWNER) == TooManyCodes(60)  # type: ignore[arg-type]
    hits = "SELECT bucket, hits FROM rate_window ORDER BY bucket"
    counted = world.database.read(lambda u: u.db.connection().execute(text(hits)).all())
    assert sorted((name.partition(":")[0], count) for name, count in counted) == [
        ("sms", 1),
        ("sms-day", 1),
        ("sms-day", 1),
        ("sms-from", 1),
        ("sms-hour", 1),
        ("sms-hour", 1),
    ]


def test_a_stranger_neither_keeps_the_owner_waiting_nor_uses_up_their_codes(world: World) -> None:
    phone = phone_of("worker")
    for _ in range(5):
        assert isinstance(ask(world, phone, STRANGER), SignInCodeSent)
        assert isinstance(ask(world, phone, OWNER), SignInCodeSent)  # within the same minute
        world.clock.forward(seconds=60)
    assert isinstance(ask(world, phone, STRANGER), TooManyCodes)


def test_many_strangers_flood_no_phone_and_keep_no_owner_out_where_they_are_known(
    world: World,
) -> None:
    phone = phone_of("worker")
    owner = signed_in(world, "worker")
    world.clock.forward(seconds=60)
    before = len(sent_to(world, phone))
    answers = [ask(world, phone, f"203.0.113.{place}") for place in range(40)]
    sent = [isinstance(one, SignInCodeSent) for one in answers]
    assert sent == [True] * 14 + [False] * 26  # the owner was not known there at first
    assert len(sent_to(world, phone)) == before + 14
    assert isinstance(ask(world, phone, "10.7.7.7"), TooManyCodes)
    assert isinstance(ask(world, phone, OWNER), SignInCodeSent)
    step_up = world.do(safety.request_step_up_code, RequestStepUpCode(owner))
    assert isinstance(step_up, SignInCodeSent)


def test_a_device_is_known_where_it_was_last_seen(world: World) -> None:
    phone = phone_of("worker")
    ask(world, phone, OWNER)
    opened = show(world, phone, code_for(world, phone), OWNER)
    moved = world.do(service.refresh_session, RefreshSession(opened.refresh_token, "10.7.7.7"))
    assert isinstance(moved, SessionOpened)
    for place in range(40):
        ask(world, phone, f"203.0.113.{place}")
    assert isinstance(ask(world, phone, "10.7.7.7"), SignInCodeSent)
    world.clock.forward(days=31)
    for place in range(40):
        ask(world, phone, f"203.0.113.{place}")
    assert isinstance(ask(world, phone, "10.7.7.7"), TooManyCodes)


def test_addresses_of_one_subscriber_count_together(world: World) -> None:
    def place(address: str) -> str:
        return world.database.read(lambda u: rates.place_of(u, address))

    assert place("2001:db8:1:2::1") == place("2001:db8:1:2:ffff::9") != place("2001:db8:1:3::1")
    assert place("::ffff:203.0.113.9") == place("203.0.113.9") != place("203.0.113.8")
    assert place("fe80::1%eth0") == place("fe80::2")
    assert place("no address") != place("")
    phone = phone_of("worker")
    assert isinstance(ask(world, phone, "2001:db8:1:2::1"), SignInCodeSent)
    assert isinstance(ask(world, phone, "2001:db8:1:2::2"), TooManyCodes)


# -- registering -----------------------------------------------------------------------------------


def registering(world: World, phone: str) -> Any:
    world.do(registration.request_code, RequestRegistrationCode(phone, OWNER))
    return asked(world, NEWCOMER, code_for(world, phone), phone=phone, address=OWNER)


def test_one_phone_does_not_use_up_a_numbers_tries(world: World) -> None:
    theirs = registering(world, "12000000991")
    tries = [world.do(registration.prepare, theirs) for _ in range(4)]
    assert [type(one) for one in tries] == [MayAskRegister] * 3 + [TooManyRegistrations]
    world.clock.forward(seconds=60)
    mine = registering(world, "12000000992")
    assert isinstance(world.do(registration.prepare, mine), MayAskRegister)


def test_a_register_that_does_not_answer_uses_up_no_try(world: World) -> None:
    mine = registering(world, "12000000991")
    for _ in range(4):
        assert isinstance(world.do(registration.prepare, mine), MayAskRegister)
        world.do(registration.complete, RegisterAnswered(mine, None))


# -- relatives, faces, reports ---------------------------------------------------------------------


def test_one_delegate_does_not_use_up_what_other_relatives_ask(world: World) -> None:
    for _ in range(3):
        view = world.do(relatives.request_binding, asked_for(world, "worker", "retiree"))
        world.do(relatives.decline_binding, DeclineBinding(world.actor("retiree"), view.id))
    refused = world.do(relatives.request_binding, asked_for(world, "worker", "retiree"))
    assert isinstance(refused, TooManyBindingRequests)
    other = world.do(relatives.request_binding, asked_for(world, "resident", "retiree"))
    assert other.id
    codes = [
        world.do(
            relatives.ask_consent,
            AskConsent(world.actor("resident"), other.id, ConsentKind.BIND, None, None),
        )
        for _ in range(4)
    ]
    assert [type(one) for one in codes] == [ConsentAsked] * 3 + [TooManyCodes]


def test_faces_shown_before_others_leave_the_owner_their_own(world: World) -> None:
    owner = world.actor("retiree")

    def enrol(unit: Unit) -> None:
        row = FaceTemplate(person_id=owner.person_id, template="", enrolled_at=unit.now)
        unit.db.add(row)

    world.database.write(enrol)
    world.change_settings(face_attempts_per_day=1)

    def begun(actor: Any, purpose: FacePurpose) -> Any:
        return world.database.write(
            lambda u: face_checks.open_check(u, actor, owner.person_id, purpose)
        )

    others = [begun(world.actor("worker"), FacePurpose.CONSENT) for _ in range(6)]
    assert [type(one) for one in others] == [FaceCheckStarted] * 5 + [FaceAttemptsUsedUp]
    tills = [begun(world.terminal(), FacePurpose.TILL) for _ in range(6)]
    assert [type(one) for one in tills] == [FaceCheckStarted] * 5 + [FaceAttemptsUsedUp]
    assert isinstance(begun(owner, FacePurpose.STEP_UP), FaceCheckStarted)


def test_reports_without_a_name_of_one_address_keep_no_other_from_reporting(world: World) -> None:
    for who, address in (("worker", STRANGER), ("retiree", OWNER)):
        world._actors[who] = replace(world.actor(who), address=address)
    for _ in range(world.settings.anonymous_reports_per_address_per_day):
        assert isinstance(lodge(world, "worker", real_name=False), ReportReceipt)
    assert lodge(world, "worker", real_name=False) == TooManyReports()
    assert isinstance(lodge(world, "retiree", real_name=False), ReportReceipt)


# -- staff -----------------------------------------------------------------------------------------


def at_desk(world: World, address: str, **changes: str) -> Any:
    number = changes.get("number", CLERK)
    known = number == CLERK
    code = pyotp.TOTP(sample_secret(CLERK)).generate_otp(int(world.clock.now().timestamp()) // 30)
    command = OpenStaffSession(
        number=number,
        password=sample_password(CLERK) if known else "x",
        code=code,
        address=address,
    )
    return world.do(accounts.open_session, replace(command, **changes))


def test_wrong_passwords_of_one_address_keep_no_clerk_out_at_another(world: World) -> None:
    wrong = [at_desk(world, STRANGER, password="x") for _ in range(6)]
    assert wrong == [StaffSignInWrong()] * 4 + [StaffLocked(900)] * 2  # type: ignore[arg-type]
    assert at_desk(world, STRANGER) == StaffLocked(900)  # type: ignore[arg-type]
    assert isinstance(at_desk(world, OWNER), StaffSessionOpened)


@pytest.mark.parametrize("number", ["CD9999", "", CLERK])
def test_every_staff_number_is_answered_alike(world: World, number: str) -> None:
    wrong = [at_desk(world, STRANGER, number=number, password="x") for _ in range(6)]
    assert wrong == [StaffSignInWrong()] * 4 + [StaffLocked(900)] * 2  # type: ignore[arg-type]


def test_an_unknown_number_takes_a_password_check_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[str] = []
    fits = accounts._fits

    def counted(unit: Unit, digest: str, password: str) -> bool:
        checks.append(digest.split("$")[1])
        return fits(unit, digest, password)

    monkeypatch.setattr(accounts, "_fits", counted)
    at_desk(world, STRANGER, number="CD9999", password="x")
    at_desk(world, STRANGER, password="x")
    assert checks == ["argon2id", "argon2id"]


def test_many_addresses_never_keep_a_clerk_out_of_a_desk_in_use(world: World) -> None:
    assert isinstance(at_desk(world, OWNER), StaffSessionOpened)
    world.change_settings(staff_failures_elsewhere_per_day=50)
    answers = [
        at_desk(world, f"203.0.113.{place}", password="x") for place in range(13) for _ in range(4)
    ]
    assert answers == [StaffSignInWrong()] * 49 + [StaffLocked(86_400)] * 3  # type: ignore[arg-type]
    assert at_desk(world, "10.7.7.7") == StaffLocked(86_400)  # type: ignore[arg-type]
    world.clock.forward(seconds=30)
    assert isinstance(at_desk(world, OWNER), StaffSessionOpened)


def test_wrong_old_passwords_count_against_their_own_session_alone(world: World) -> None:
    actor = world.staff(CLERK)
    wrong = ChangeStaffPassword(actor, "x", "four words nobody knows")
    answers = [world.do(accounts.change_password, wrong) for _ in range(5)]
    assert answers == [StaffSignInWrong()] * 4 + [StaffLocked(900)]  # type: ignore[arg-type]
    assert isinstance(at_desk(world, OWNER), StaffSessionOpened)


def test_an_administrator_unlocks_a_number(world: World) -> None:
    for _ in range(5):
        at_desk(world, STRANGER, password="x")
    duties = world.staff(CLERK).duties
    known = (sample_password(CLERK), sample_secret(CLERK))
    world.database.write(lambda u: accounts.add(u, "test", CLERK, "经办样例甲", duties, known))
    assert isinstance(at_desk(world, STRANGER), StaffSessionOpened)
