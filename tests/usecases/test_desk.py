"""Staff, their sign-in and duties, and what they decide at the desk, on real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from backend.access.contracts import Duty, DutyMissing, Role, SignInRequired
from backend.access.logic import covers, serves
from backend.desk import queries, service
from backend.desk.contracts import (
    ActKind,
    BindingDecision,
    DecideBinding,
    DecideProposal,
    FindPerson,
    Found,
    NobodyFound,
    Payload,
    ProposalNotFound,
    ProposalState,
    ProposalView,
    Propose,
    ProposedAlready,
    RecordDocument,
    RejectRegistration,
    SecondPersonNeeded,
    VouchDevice,
    WordsMissing,
)
from backend.identity.registration_contracts import RegistrationNotFound
from backend.infra.tokens import Audience, Claims
from backend.kernel.money import Fen
from backend.merging import service as merging
from backend.people import queries as people
from backend.people.contracts import IdNumberInvalid
from backend.proxies import queries as bindings
from backend.proxies.contracts import BindingNotFound, BindingNotPossible, BindingState, Scope
from backend.sample_data.staff import sample_password, sample_secret
from backend.staff import queries as staff
from backend.staff import service as accounts
from backend.staff.contracts import (
    ChangeStaffPassword,
    CloseStaffSession,
    OpenStaffSession,
    StaffLocked,
    StaffPasswordChanged,
    StaffPasswordWeak,
    StaffSessionOpened,
    StaffSignInWrong,
)
from mobile_bff.context import resolve_actor
from tests.usecases.test_documents import (
    BABY,
    NUMBER,
    PASSPORT,
    pairs,
    register,
    registered_baby,
    resident,
)
from tests.usecases.test_registration import ELDER, NEW_PHONE
from tests.usecases.test_registration import register as register_oneself
from tests.usecases.test_relatives import asked_for, bound, request
from tests.world import World

CLERK, CHECKER, ELSEWHERE, PROVINCE = "CD1001", "CD1003", "ZG1001", "SC1001"


def signing_in(world: World, number: str = CLERK, **changes: Any) -> OpenStaffSession:
    totp = pyotp.TOTP(sample_secret(number))
    code = totp.generate_otp(int(world.clock.now().timestamp()) // 30)
    command = OpenStaffSession(
        number=number, password=sample_password(number), code=code, address="desk"
    )
    return replace(command, **changes)


def sign_in(world: World, number: str = CLERK, **changes: Any) -> Any:
    return world.do(accounts.open_session, signing_in(world, number, **changes))


# -- staff -----------------------------------------------------------------------------------------


def test_a_clerk_signs_in_with_number_password_and_code(world: World) -> None:
    opened = sign_in(world)
    assert isinstance(opened, StaffSessionOpened)
    assert opened.staff.duties == (Duty(Role.CLERK, "510100"),)
    claims = Claims(Audience.STAFF, opened.staff.id, opened.session_id, opened.expires_at)
    actor = world.database.read(lambda u: resolve_actor(u, claims, "here"))
    assert (actor.number, actor.duties) == (CLERK, opened.staff.duties)  # type: ignore[union-attr]
    assert sign_in(world) == StaffSignInWrong()  # each code serves once
    world.clock.forward(seconds=30)
    assert isinstance(sign_in(world, number=CLERK), StaffSessionOpened)
    assert world.do(accounts.close_session, CloseStaffSession(actor)).session_id == actor.session_id  # type: ignore[union-attr]
    gone = world.database.read(lambda u: resolve_actor(u, claims, "here"))
    assert type(gone).__name__ == "Anonymous"
    world.clock.forward(hours=9)
    late = world.database.read(lambda u: staff.actor(u, opened.session_id, opened.staff.id))
    assert late is None


@pytest.mark.parametrize(
    "changes",
    [{"number": "CD9999"}, {"password": "x"}, {"code": "000000"}, {"code": ""}, {"number": ""}],
)
def test_what_is_wrong_is_not_told(world: World, changes: dict[str, str]) -> None:
    assert sign_in(world, **changes) == StaffSignInWrong()


def test_too_many_wrong_attempts_lock_the_number_for_a_while(world: World) -> None:
    for _ in range(4):
        assert sign_in(world, password="x") == StaffSignInWrong()
    assert sign_in(world, password="x") == StaffLocked(900)  # type: ignore[arg-type]
    world.clock.forward(seconds=60)
    assert sign_in(world) == StaffLocked(840)  # type: ignore[arg-type]
    world.clock.forward(seconds=840)
    assert isinstance(sign_in(world), StaffSessionOpened)


def test_a_changed_password_ends_every_other_session(world: World) -> None:
    other = sign_in(world)
    world.clock.forward(seconds=30)
    opened = sign_in(world)
    actor = world.database.read(lambda u: staff.actor(u, opened.session_id, opened.staff.id))
    assert actor is not None
    old, new = sample_password(CLERK), "four words nobody knows"
    wrong = ChangeStaffPassword(actor, "x", new)
    assert world.do(accounts.change_password, wrong) == StaffSignInWrong()
    for weak in ("short", "aaaaaaaaaaaaaaa", f"{CLERK}-and-more-of-it", "经办样例甲" * 3):
        refused = world.do(accounts.change_password, ChangeStaffPassword(actor, old, weak))
        assert refused == StaffPasswordWeak()
    done = world.do(accounts.change_password, ChangeStaffPassword(actor, old, new))
    assert done == StaffPasswordChanged(actor.staff_id)
    assert world.database.read(lambda u: staff.actor(u, other.session_id, actor.staff_id)) is None
    assert world.database.read(lambda u: staff.actor(u, actor.session_id, actor.staff_id)) == actor
    world.clock.forward(seconds=30)
    assert sign_in(world) == StaffSignInWrong()
    assert isinstance(sign_in(world, password=new), StaffSessionOpened)


def test_duties_and_blocks_hold_from_the_next_request_on(world: World) -> None:
    one = world.staff(CLERK)
    duties = (Duty(Role.CHECKER, "510300"),)
    world.database.write(lambda u: accounts.set_duties(u, "test", one.staff_id, duties))
    now = world.database.read(lambda u: staff.actor(u, one.session_id, one.staff_id))
    assert now is not None
    assert now.duties == duties
    world.database.write(lambda u: accounts.block(u, "test", one.staff_id))
    assert world.database.read(lambda u: staff.actor(u, one.session_id, one.staff_id)) is None
    assert sign_in(world) == StaffSignInWrong()
    added = world.database.write(lambda u: accounts.add(u, "test", CLERK, "新人样例", duties))
    assert added.staff.id == one.staff_id
    secret = pyotp.parse_uri(added.totp_uri).secret  # type: ignore[attr-defined]
    code = pyotp.TOTP(secret).generate_otp(int(world.clock.now().timestamp()) // 30)
    opened = sign_in(world, password=added.password, code=code)
    assert isinstance(opened, StaffSessionOpened)


@pytest.mark.parametrize(
    ("region", "area", "held"),
    [
        ("510100", "510100", True),
        ("510100", "510107", True),
        ("510000", "510300", True),
        ("510107", "510100", False),
        ("510100", "510300", False),
        ("510000", "110100", False),
        ("510100", "", False),
    ],
)
def test_a_region_covers_what_lies_in_it(region: str, area: str, held: bool) -> None:
    assert covers(region, area) is held


def test_who_is_insured_nowhere_is_the_provinces(world: World) -> None:
    nobody = register(world, replace(BABY, id_number=NUMBER)).id
    assert world.database.read(lambda u: people.desks_of(u, nobody)) == ()
    assert serves(world.staff(CLERK), Role.CLERK, ()) == DutyMissing(Role.CLERK)
    assert serves(world.staff(PROVINCE), Role.CLERK, ()) is None
    assert serves(world.staff(PROVINCE), Role.SUPERVISOR, ("510100",)) == DutyMissing(
        Role.SUPERVISOR
    )
    assert serves(world.actor("retiree"), Role.CLERK, ()) == SignInRequired()


# -- what one person decides -----------------------------------------------------------------------


def test_a_clerk_finds_who_stands_at_the_counter_and_vouches_for_the_device(world: World) -> None:
    father = world.actor("retiree")
    named = asked_for(world, "worker", "retiree")
    look = FindPerson(world.staff(CLERK), named.owner_name, named.owner_id_number)
    found = world.do(service.find_person, look)
    assert isinstance(found, Found)
    assert [device.session_id for device in found.devices] == [father.session_id]
    wrong = replace(look, name="李样例")
    assert world.do(service.find_person, wrong) == NobodyFound()
    assert world.do(service.find_person, replace(look, actor=world.staff(ELSEWHERE))) == (
        NobodyFound()
    )
    held = VouchDevice(world.staff(CLERK), father.person_id, father.session_id)
    assert world.do(service.vouch_device, held).proof.value == "DESK"
    away = replace(held, actor=world.staff(ELSEWHERE))
    assert world.do(service.vouch_device, away) == DutyMissing(Role.CLERK)


def test_a_document_of_nobody_is_not_recorded(world: World) -> None:
    nobody = RecordDocument(world.staff(PROVINCE), "x", PASSPORT)
    assert world.do(service.record_document, nobody) == NobodyFound()
    held = world.do(service.record_document, replace(nobody, person_id=world.person("worker")))
    assert [one.kind.value for one in held] == ["RESIDENT_ID", "PASSPORT"]


def test_papers_of_relatives_are_decided_by_the_region_of_the_owner(world: World) -> None:
    asked = request(world, "worker", "retiree")
    approve = DecideBinding(world.staff(CLERK), asked.id, BindingDecision.APPROVE)
    away = replace(approve, actor=world.staff(ELSEWHERE))
    assert world.do(service.decide_binding, away) == DutyMissing(Role.CLERK)
    assert world.do(service.decide_binding, approve).state is BindingState.ACTIVE
    world.clock.forward(days=340)
    renew = replace(approve, decision=BindingDecision.RENEW)
    assert world.do(service.decide_binding, renew).state is BindingState.ACTIVE
    end = replace(approve, decision=BindingDecision.END)
    assert world.do(service.decide_binding, end).state is BindingState.ENDED_BY_AGENCY
    assert world.do(service.decide_binding, end) == BindingNotFound()
    nothing = replace(approve, binding_id="x")
    assert world.do(service.decide_binding, nothing) == BindingNotFound()


def test_a_registration_is_refused_by_one_clerk(world: World) -> None:
    waits = register_oneself(world, ELDER)
    command = RejectRegistration(world.staff(CLERK), waits.registration_id)
    assert world.do(service.reject_registration, command).masked_name == "周*例"
    assert world.do(service.reject_registration, command) == RegistrationNotFound()


# -- what takes two --------------------------------------------------------------------------------


def propose(
    world: World, kind: ActKind, payload: Payload, number: str = CLERK, words: str = "身份证原件"
) -> Any:
    return world.do(service.propose, Propose(world.staff(number), kind, payload, words))


def confirm(world: World, proposal: ProposalView, number: str = CHECKER) -> Any:
    return world.do(service.confirm, DecideProposal(world.staff(number), proposal.id))


def waiting(world: World, number: str = CLERK) -> list[str]:
    work = world.database.read(lambda u: queries.work(u, world.staff(number), 20))
    return [one.id for one in work.proposals]


def test_a_registration_takes_two_people(world: World) -> None:
    waits = register_oneself(world, ELDER)
    about = Payload(waits.registration_id)
    assert propose(world, ActKind.REGISTRATION, about, words=" ") == WordsMissing()
    away = propose(world, ActKind.REGISTRATION, about, ELSEWHERE)
    assert away == DutyMissing(Role.CLERK)
    proposed = propose(world, ActKind.REGISTRATION, about, "CD1002")
    assert (proposed.state, proposed.proposed_by) == (ProposalState.PROPOSED, "staff:CD1002")
    assert world.database.read(lambda u: people.person_by_phone(u, NEW_PHONE)) is None
    again = propose(world, ActKind.REGISTRATION, about)
    assert again == ProposedAlready(proposed.proposed_at)
    assert waiting(world) == [proposed.id]
    assert waiting(world, ELSEWHERE) == []
    assert confirm(world, proposed, CLERK) == DutyMissing(Role.CHECKER)
    assert confirm(world, proposed, "CD1002") == SecondPersonNeeded()
    done = confirm(world, proposed)
    assert (done.state, done.decided_by) == (ProposalState.CONFIRMED, f"staff:{CHECKER}")
    assert world.database.read(lambda u: people.person_by_phone(u, NEW_PHONE)) is not None
    assert confirm(world, proposed) == ProposalNotFound()
    assert propose(world, ActKind.REGISTRATION, about) == RegistrationNotFound()
    assert waiting(world) == []


def test_letting_a_relative_pay_takes_two_people(world: World) -> None:
    binding = bound(world, "worker", "retiree")
    much = Payload(binding.id, pay_limit_fen=Fen(99_999_999))
    refused = propose(world, ActKind.BINDING_PAYMENT, much)
    assert isinstance(refused, BindingNotPossible)  # at once, not only on confirming
    assert waiting(world) == []
    about = Payload(binding.id, pay_limit_fen=Fen(20_000), pay_day_limit_fen=Fen(50_000))
    proposed = propose(world, ActKind.BINDING_PAYMENT, about)
    assert proposed.payload == about
    back = world.do(service.withdraw, DecideProposal(world.staff(CHECKER), proposed.id))
    assert back.state is ProposalState.WITHDRAWN
    assert confirm(world, proposed) == ProposalNotFound()
    proposed = propose(world, ActKind.BINDING_PAYMENT, about)
    assert confirm(world, proposed).state is ProposalState.CONFIRMED
    [view] = world.database.read(lambda u: bindings.of_owner(u, world.person("retiree")))
    assert (Scope.PAY in view.scopes, view.pay_limit_fen) == (True, 20_000)


def test_what_has_changed_meanwhile_is_refused_on_confirming_and_still_waits(world: World) -> None:
    binding = bound(world, "worker", "retiree")
    about = Payload(binding.id, pay_limit_fen=Fen(20_000))
    proposed = propose(world, ActKind.BINDING_PAYMENT, about)
    end = DecideBinding(world.staff(CLERK), binding.id, BindingDecision.END)
    world.do(service.decide_binding, end)
    assert confirm(world, proposed) == BindingNotFound()
    assert waiting(world) == [proposed.id]
    back = world.do(service.withdraw, DecideProposal(world.staff(CLERK), proposed.id))
    assert back.state is ProposalState.WITHDRAWN


def test_an_id_number_takes_two_people_and_follows_no_merged_record(world: World) -> None:
    baby = registered_baby(world)
    wrong = Payload(baby.id, id_number=NUMBER[:-1] + "?")
    assert propose(world, ActKind.ID_NUMBER, wrong) == IdNumberInvalid()
    assert propose(world, ActKind.ID_NUMBER, Payload("x", id_number=NUMBER)) == NobodyFound()
    proposed = propose(world, ActKind.ID_NUMBER, Payload(baby.id, id_number=NUMBER))
    assert world.database.read(lambda u: people.person_by_id_number(u, NUMBER)) is None
    kept = register(world, replace(BABY, id_number=NUMBER), enrolments=(resident(),)).id
    [pair] = pairs(world)
    world.database.write(lambda u: merging.propose(u, "a", pair.id, kept, "出生医学证明"))
    world.database.write(lambda u: merging.confirm(u, "b", pair.id))
    assert confirm(world, proposed) == NobodyFound()
    world.clock.forward(seconds=timedelta(minutes=1).total_seconds())
    other = registered_baby(world)
    assert other.id != kept
    done = propose(world, ActKind.ID_NUMBER, Payload(other.id, id_number=NUMBER))
    assert type(done).__name__ == "PersonKnown"
