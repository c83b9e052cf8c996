"""Enrolling a face and proving oneself by it, consent before a relative's phone, a face at the till."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from backend.access.assurance import Demand, Proof, StepUpRequired
from backend.access.contracts import Actor, Anonymous, NotPermitted, SignInRequired
from backend.codes import identities
from backend.codes.contracts import MakePrintedCode, Purpose
from backend.identity import face_checks, queries, safety
from backend.identity.face_contracts import (
    BeginFaceCheck,
    FaceAction,
    FaceActionNotSeen,
    FaceAdvice,
    FaceAttemptsUsedUp,
    FaceCheckStarted,
    FaceCheckTaken,
    FaceCheckUnknown,
    FaceConsentMissing,
    FaceNotEnrolled,
    FaceNotPassed,
    FacePassed,
    FaceProblem,
    FacePurpose,
    FaceRemoved,
    FaceState,
    FaceTooYoung,
    FaceUnavailable,
    FinishFaceCheck,
    Frame,
    JudgeFaceCheck,
    PassiveCheck,
    RemoveFace,
    TakeFaceCheck,
)
from backend.identity.model import FaceCheck, FaceTemplate
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.payments import resolving
from backend.payments.contracts import BeginTillFace, ResolveCode, ResolvedCode
from backend.proxies import service as relatives
from backend.proxies.contracts import (
    BeginFaceConsent,
    BindingNotFound,
    BindingNotPossible,
    BindingProblem,
    BindingState,
    ConsentByFace,
    ConsentKind,
    ConsentWay,
)
from tests.faces import frames_of
from tests.usecases.test_relatives import request
from tests.usecases.test_safety import messages
from tests.world import OTHER_PHARMACY, PHARMACY, World, new_key

DARK = Frame(0, FaceProblem.TOO_DARK)


def begin(world: World, actor: Any, purpose: FacePurpose, consent: bool = True) -> Any:
    return world.do(face_checks.begin, BeginFaceCheck(actor, purpose, consent))


def submit(
    world: World, actor: Any, started: FaceCheckStarted, frames: tuple[Frame, ...]
) -> FaceState:
    taken = world.do(face_checks.take, TakeFaceCheck(actor, started.check_id))
    assert isinstance(taken, FaceCheckTaken), taken
    assert taken.steps == 4
    judged = world.do(face_checks.judge, JudgeFaceCheck(started.check_id, frames))
    state: FaceState = judged.state
    return state


def finish(world: World, actor: Actor, check_id: str) -> Any:
    return world.do(face_checks.finish, FinishFaceCheck(actor, check_id))


def shown(world: World, actor: Any, started: FaceCheckStarted, face: str, film: int = 0) -> Any:
    submit(world, actor, started, frames_of(face, started.actions, film))
    return finish(world, actor, started.check_id)


def enrolled(world: World, key: str, face: str) -> None:
    world.prove(key, Proof.DESK)
    actor = world.actor(key)
    passed = shown(world, actor, begin(world, actor, FacePurpose.ENROL), face)
    assert isinstance(passed, FacePassed), passed


def checked(world: World, actor: Any, purpose: FacePurpose, face: str, film: int = 0) -> str:
    """Return a check that passed and whose outcome nobody has asked for yet."""
    started = begin(world, actor, purpose)
    state = submit(world, actor, started, frames_of(face, started.actions, film))
    assert state is FaceState.PASSED
    return str(started.check_id)


def consenting(world: World, delegate: str, binding: str, face: str, film: int = 0) -> str:
    """Return a check by which an owner agreed, before the delegate's device."""
    actor = world.actor(delegate)
    command = BeginFaceConsent(actor, binding, ConsentKind.BIND)
    started = world.do(relatives.begin_face_consent, command)
    assert isinstance(shown(world, actor, started, face, film), FacePassed)
    return str(started.check_id)


def demanded(world: World, key: str, demand: Demand, amount: Fen | None = None) -> Any:
    actor = world.actor(key)
    return world.database.read(lambda u: safety.demand(u, actor, demand, amount))


def kept(world: World) -> list[str | None]:
    return list(world.database.read(lambda u: u.db.exec(select(FaceCheck.kept)).all()))


# -- one's own device ------------------------------------------------------------------------------


def test_a_face_is_enrolled_with_consent_and_a_proof_and_then_proves(world: World) -> None:
    actor = world.actor("retiree")
    assert begin(world, actor, FacePurpose.ENROL, consent=False) == FaceConsentMissing()
    assert begin(world, actor, FacePurpose.ENROL) == StepUpRequired((Proof.SMS_CODE,))
    assert begin(world, actor, FacePurpose.STEP_UP) == FaceNotEnrolled()
    world.prove("retiree", Proof.SMS_CODE)
    started = begin(world, actor, FacePurpose.ENROL)
    assert isinstance(started, FaceCheckStarted)
    assert len(set(started.actions)) == 3
    assert finish(world, actor, started.check_id) == FaceCheckUnknown()  # no picture yet
    passed = shown(world, actor, started, "biden")
    assert (passed.purpose, passed.passive) == (FacePurpose.ENROL, PassiveCheck.NOT_AVAILABLE)
    assert finish(world, actor, started.check_id) == passed  # a lost answer is asked for again
    assert world.database.read(lambda u: queries.ways(u, actor.person_id)) == (Proof.FACE,)
    assert messages(world)[-1][0] == "face_enrolled"
    world.clock.forward(minutes=10)
    assert demanded(world, "retiree", Demand.STRONG) == StepUpRequired((Proof.FACE,))
    again = begin(world, actor, FacePurpose.STEP_UP)
    assert isinstance(shown(world, actor, again, "biden", 1), FacePassed)
    assert demanded(world, "retiree", Demand.STRONG) is None
    assert demanded(world, "retiree", Demand.MONEY, Fen(50_000)) is None
    assert isinstance(demanded(world, "retiree", Demand.MONEY, Fen(50_001)), StepUpRequired)
    world.clock.forward(minutes=6)
    assert demanded(world, "retiree", Demand.STRONG) is not None


def test_nothing_of_a_face_lies_open_in_the_database(world: World) -> None:
    enrolled(world, "retiree", "biden")
    template = frames_of("biden", ())[0].template
    held = world.database.read(lambda u: u.db.exec(select(FaceTemplate.template)).all())
    assert len(held) == 1
    for sealed in (*held, *(points or "" for points in kept(world))):
        assert sealed
        assert not any(f"{part:.3f}" in sealed for part in template if abs(part) > 0.1)


def test_another_face_and_a_replay_fail_each_with_its_own_reason(world: World) -> None:
    enrolled(world, "retiree", "biden")
    actor = world.actor("retiree")
    stranger = shown(world, actor, begin(world, actor, FacePurpose.STEP_UP), "astronaut")
    assert stranger == FaceNotPassed(FaceProblem.NOT_THE_PERSON, FaceAdvice.NOT_THE_PERSON, 8)
    replayed = shown(world, actor, begin(world, actor, FacePurpose.STEP_UP), "biden", 0)
    assert replayed == FaceNotPassed(FaceProblem.REPLAYED, FaceAdvice.REPLAYED, 7)
    for locale, other_way in ((Locale.ZH, "经办窗口"), (Locale.EN, "counter")):
        assert other_way in replayed.next_action(locale)
    world.clock.forward(minutes=10)
    assert demanded(world, "retiree", Demand.STRONG) is not None


def test_a_missing_action_is_named(world: World) -> None:
    enrolled(world, "retiree", "biden")
    actor = world.actor("retiree")
    started = begin(world, actor, FacePurpose.STEP_UP)
    frames = frames_of("biden", started.actions, 1)
    idle = [frame for frame in frames if frame.step != 3]
    idle += [replace(frame, step=3) for frame in frames if frame.step == 0]
    submit(world, actor, started, tuple(idle))
    assert finish(world, actor, started.check_id) == FaceActionNotSeen(started.actions[2], 8)


def test_a_check_is_submitted_once_in_time_and_by_whoever_began_it(world: World) -> None:
    enrolled(world, "retiree", "biden")
    actor, other = world.actor("retiree"), world.actor("worker")
    started = begin(world, actor, FacePurpose.STEP_UP)
    take = TakeFaceCheck(actor, started.check_id)
    assert world.do(face_checks.take, replace(take, actor=other)) == FaceCheckUnknown()
    assert world.do(face_checks.take, replace(take, actor=Anonymous())) == FaceCheckUnknown()
    assert world.do(face_checks.take, replace(take, check_id="")) == FaceCheckUnknown()
    assert isinstance(world.do(face_checks.take, take), FaceCheckTaken)
    assert world.do(face_checks.take, take) == FaceCheckUnknown()
    world.do(face_checks.give_up, started.check_id)
    assert finish(world, actor, started.check_id) == FaceUnavailable()
    assert finish(world, other, started.check_id) == FaceCheckUnknown()
    assert finish(world, Anonymous(), started.check_id) == SignInRequired()
    late = begin(world, actor, FacePurpose.STEP_UP)
    world.clock.forward(minutes=2)
    assert world.do(face_checks.take, TakeFaceCheck(actor, late.check_id)) == FaceCheckUnknown()
    early = checked(world, actor, FacePurpose.STEP_UP, "biden", 1)
    world.clock.forward(minutes=7)  # passed, but asked for too late to prove anything
    assert finish(world, actor, early) == FaceCheckUnknown()


def test_attempts_are_limited_and_other_ways_named(world: World) -> None:
    enrolled(world, "retiree", "biden")
    actor = world.actor("retiree")
    for left in range(8, -1, -1):
        started = begin(world, actor, FacePurpose.STEP_UP)
        submit(world, actor, started, (DARK,))
        failed = finish(world, actor, started.check_id)
        assert failed == FaceNotPassed(FaceProblem.TOO_DARK, FaceAdvice.TOO_DARK, left)
    refused = begin(world, actor, FacePurpose.STEP_UP)
    assert isinstance(refused, FaceAttemptsUsedUp)
    assert "窗口" in refused.next_action(Locale.ZH)
    world.clock.forward(hours=24)
    assert isinstance(begin(world, actor, FacePurpose.STEP_UP), FaceCheckStarted)


def test_checks_that_are_only_begun_are_limited_too(world: World) -> None:
    enrolled(world, "retiree", "biden")
    actor = world.actor("retiree")
    answers = [begin(world, actor, FacePurpose.STEP_UP) for _ in range(50)]
    assert [isinstance(answer, FaceCheckStarted) for answer in answers[-2:]] == [True, False]


def test_no_face_of_a_child_and_none_for_other_purposes(world: World) -> None:
    assert begin(world, world.actor("child"), FacePurpose.ENROL) == FaceTooYoung(16)
    actor = world.actor("worker")
    for purpose in (FacePurpose.TILL, FacePurpose.CONSENT):
        assert begin(world, actor, purpose) == FaceCheckUnknown()
    assert begin(world, Anonymous(), FacePurpose.ENROL) == SignInRequired()


def test_the_actions_come_in_every_order(world: World) -> None:
    enrolled(world, "retiree", "biden")
    actor = world.actor("retiree")
    drawn = {tuple(begin(world, actor, FacePurpose.STEP_UP).actions) for _ in range(40)}
    assert len(drawn) > 8
    assert {actions[0] for actions in drawn} == set(FaceAction)


def test_a_face_taken_back_is_gone(world: World) -> None:
    enrolled(world, "retiree", "biden")
    actor = world.actor("retiree")
    waiting = checked(world, actor, FacePurpose.STEP_UP, "biden", 1)
    assert world.do(face_checks.remove, RemoveFace(actor)) == FaceRemoved(True)
    assert world.do(face_checks.remove, RemoveFace(actor)) == FaceRemoved(False)
    assert world.do(face_checks.remove, RemoveFace(Anonymous())) == SignInRequired()
    assert kept(world) == [None, None]
    assert begin(world, actor, FacePurpose.STEP_UP) == FaceNotEnrolled()
    assert messages(world)[-1][0] == "face_removed"
    assert isinstance(finish(world, actor, waiting), FacePassed)  # it passed; it counts no more
    world.clock.forward(minutes=10)
    assert demanded(world, "retiree", Demand.STRONG) == StepUpRequired((Proof.SMS_CODE,))


def test_old_checks_are_thrown_away(world: World) -> None:
    enrolled(world, "retiree", "biden")
    assert world.database.write(face_checks.tidy_up) == 0
    world.clock.instant += timedelta(days=31)
    assert world.database.write(face_checks.tidy_up) == 1
    assert kept(world) == []


# -- before a relative's device --------------------------------------------------------------------


def test_an_elder_agrees_by_face_before_the_daughter_s_phone(world: World) -> None:
    enrolled(world, "retiree", "biden")
    made = request(world, "worker", "retiree")
    daughter = world.actor("worker")
    check = consenting(world, "worker", made.id, "biden", 1)
    command = ConsentByFace(daughter, made.id, ConsentKind.BIND, check)
    for wrong in (
        replace(command, actor=world.actor("worker_2")),
        replace(command, kind=ConsentKind.PAY),
        replace(command, kind=ConsentKind.RENEW),
    ):
        assert world.do(relatives.consent_by_face, wrong) == BindingNotFound()
    active = world.do(relatives.consent_by_face, command)
    assert (active.state, active.consented_by) == (BindingState.ACTIVE, ConsentWay.FACE)
    renewal = replace(command, kind=ConsentKind.RENEW)
    assert world.do(relatives.consent_by_face, renewal) == FaceCheckUnknown()  # it served once
    assert world.do(relatives.consent_by_face, replace(command, actor=Anonymous())) == (
        SignInRequired()
    )


def test_a_face_agrees_to_no_money_and_only_that_of_the_owner(world: World) -> None:
    made = request(world, "worker", "retiree")
    daughter = world.actor("worker")
    ask = BeginFaceConsent(daughter, made.id, ConsentKind.BIND)
    assert world.do(relatives.begin_face_consent, ask) == FaceNotEnrolled()
    enrolled(world, "retiree", "biden")
    enrolled(world, "worker", "astronaut")
    own = shown(world, daughter, world.do(relatives.begin_face_consent, ask), "astronaut", 1)
    assert own.problem is FaceProblem.NOT_THE_PERSON
    stepped = checked(world, daughter, FacePurpose.STEP_UP, "astronaut", 1)
    command = ConsentByFace(daughter, made.id, ConsentKind.BIND, stepped)
    assert world.do(relatives.consent_by_face, command) == FaceCheckUnknown()
    assert world.do(relatives.begin_face_consent, replace(ask, actor=world.actor("retiree"))) == (
        BindingNotFound()
    )
    assert world.do(relatives.begin_face_consent, replace(ask, actor=Anonymous())) == (
        SignInRequired()
    )
    check = consenting(world, "worker", made.id, "biden", 1)
    world.do(relatives.consent_by_face, replace(command, check_id=check))
    money = replace(ask, kind=ConsentKind.PAY)
    assert world.do(relatives.begin_face_consent, money) == BindingNotPossible(
        BindingProblem.MONEY_BY_ITSELF
    )


# -- at a till -------------------------------------------------------------------------------------


def printed(world: World, key: str) -> str:
    actor = world.actor(key)
    made = world.do(identities.make_printed_code, MakePrintedCode(actor, actor.person_id))
    return str(made.text)


def resolve(world: World, text: str, check: str, at: str = PHARMACY) -> Any:
    terminal, key = world.terminal(at), new_key()
    command = ResolveCode(terminal, text, None, Purpose.PHARMACY_PURCHASE, key, check)
    return world.do(resolving.resolve_code, command)


def test_a_printed_code_is_confirmed_by_the_face_at_the_till(world: World) -> None:
    enrolled(world, "retiree", "biden")
    text, till = printed(world, "retiree"), world.terminal()
    begun = world.do(resolving.begin_till_face, BeginTillFace(till, text, new_key()))
    assert (begun.purpose, isinstance(begun, FaceCheckStarted)) == (FacePurpose.TILL, True)
    assert isinstance(shown(world, till, begun, "biden", 1), FacePassed)
    assert resolve(world, printed(world, "worker"), begun.check_id) == FaceCheckUnknown()
    assert resolve(world, text, begun.check_id, OTHER_PHARMACY) == FaceCheckUnknown()
    found = resolve(world, text, begun.check_id)
    assert isinstance(found, ResolvedCode)
    assert (found.confirmed, found.scanned is not None) == (True, True)
    assert resolve(world, text, begun.check_id) == FaceCheckUnknown()  # it served once


def test_a_stranger_with_somebody_s_printed_code_gets_nothing(world: World) -> None:
    enrolled(world, "retiree", "biden")
    text, till = printed(world, "retiree"), world.terminal()
    begun = world.do(resolving.begin_till_face, BeginTillFace(till, text, new_key()))
    failed = shown(world, till, begun, "astronaut")
    assert failed.problem is FaceProblem.NOT_THE_PERSON
    assert resolve(world, text, begun.check_id) == FaceCheckUnknown()


@pytest.mark.parametrize("who", ["person", "nobody"])
def test_only_a_till_begins_a_check_at_a_till(world: World, who: str) -> None:
    text = printed(world, "retiree")
    actor: Any = world.actor("retiree") if who == "person" else Anonymous()
    refused = world.do(resolving.begin_till_face, BeginTillFace(actor, text, new_key()))
    assert isinstance(refused, SignInRequired | NotPermitted)
    till = world.terminal()
    unknown = world.do(resolving.begin_till_face, BeginTillFace(till, "752" + "0" * 25, new_key()))
    assert not isinstance(unknown, FaceCheckStarted)
    none = world.do(resolving.begin_till_face, BeginTillFace(till, text, new_key()))
    assert none == FaceNotEnrolled()
