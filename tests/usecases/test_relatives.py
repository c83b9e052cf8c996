"""Relatives who act for an elder or a child: consent, scopes, limits, ends and races, on real databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from backend.access.assurance import Proof, StepUpRequired
from backend.access.contracts import Action, Anonymous, NotPermitted, SignInRequired
from backend.codes import service as codes
from backend.codes.contracts import CodeVoided, IssueCode, IssuedCode, Purpose
from backend.identity import service as identity
from backend.identity.contracts import CodeWrong, SignIn, TooManyCodes
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.payments import decisions
from backend.payments.contracts import BillNotFound, DecideBill
from backend.people import queries as people
from backend.people.contracts import NoticeBy, SetPreferences
from backend.people.model import EnrolmentPeriod
from backend.people.service import record_death, set_preferences
from backend.proxies import logic, queries, service
from backend.proxies.authority import Right, authorize
from backend.proxies.contracts import (
    AlreadyBound,
    AskConsent,
    BindingNotFound,
    BindingNotPossible,
    BindingProblem,
    BindingState,
    BindingView,
    BoundTooOften,
    Consent,
    ConsentAsked,
    ConsentByCode,
    ConsentCodeWrong,
    ConsentKind,
    ConsentWay,
    DeclineBinding,
    EndBinding,
    NoPhoneForConsent,
    ProxyLimitReached,
    Relation,
    RelativeUnknown,
    RequestBinding,
    Scope,
    Standing,
    TooManyBindingRequests,
    TooManyRelatives,
)
from tests.usecases.test_safety import GOOD, choose, messages, signed_in, step
from tests.world import IBUPROFEN, World, line, new_key, phone_of

ALL = (Scope.VIEW_INFO, Scope.SHOW_CODE, Scope.FILE, Scope.CLAIM, Scope.BOOK)


def asked_for(world: World, delegate: str, owner: str, **changes: Any) -> RequestBinding:
    def facts(unit: Any) -> tuple[str, str]:
        known = people.particulars(unit, world.person(owner))
        return known.name, known.id_number

    name, number = world.database.read(facts)
    made = RequestBinding(
        world.actor(delegate), name, number, Relation.PARENT, ALL, False, new_key()
    )
    return replace(made, **changes)


def request(world: World, delegate: str, owner: str, **changes: Any) -> Any:
    return world.do(service.request_binding, asked_for(world, delegate, owner, **changes))


def consent(
    world: World, owner: str, binding: str, kind: ConsentKind = ConsentKind.BIND, **limits: Any
) -> Any:
    world.prove(owner, Proof.DESK)
    command = Consent(world.actor(owner), binding, kind, **limits)
    return world.do(service.consent, command)


def bound(world: World, delegate: str, owner: str, **changes: Any) -> BindingView:
    made = request(world, delegate, owner, **changes)
    assert isinstance(made, BindingView), made
    active = consent(world, owner, made.id)
    assert isinstance(active, BindingView), active
    assert (active.state, active.standing) == (BindingState.ACTIVE, Standing.IN_FORCE)
    return active


def may_pay(world: World, owner: str, binding: str, limit: int, day: int | None = None) -> Any:
    limits = {"pay_limit_fen": Fen(limit), "pay_day_limit_fen": None if day is None else Fen(day)}
    return consent(world, owner, binding, ConsentKind.PAY, **limits)


def right(world: World, delegate: str, owner: str, action: Action = Action.VIEW_RIGHTS) -> Any:
    actor, subject = world.actor(delegate), world.person(owner)
    return world.database.read(lambda u: authorize(u, actor, action, subject))


def allowed(world: World, delegate: str, owner: str, action: Action = Action.VIEW_RIGHTS) -> bool:
    return isinstance(right(world, delegate, owner, action), Right)


def code_for(world: World, delegate: str, owner: str) -> Any:
    command = IssueCode(
        world.actor(delegate), world.person(owner), Purpose.PHARMACY_PURCHASE, new_key()
    )
    return world.do(codes.issue_code, command)


# -- binding ---------------------------------------------------------------------------------------


def test_a_daughter_binds_her_father_who_consents_on_his_phone(world: World) -> None:
    made = request(world, "worker", "retiree")
    assert (made.state, made.standing) == (BindingState.PENDING_CONSENT, Standing.NOT_ACTIVE)
    assert (made.owner_name, made.relation) == ("王*例", Relation.PARENT)
    kind, facts = messages(world)[-1]
    assert (kind, facts["to"], facts["who"]) == ("binding_requested", phone_of("retiree"), "李*例")
    assert not allowed(world, "worker", "retiree")
    father = world.actor("retiree")
    agreed = Consent(father, made.id, ConsentKind.BIND)
    assert world.do(service.consent, agreed) == StepUpRequired((Proof.SMS_CODE,))
    world.prove("retiree", Proof.SMS_CODE)
    active = world.do(service.consent, agreed)
    assert (active.state, active.consented_by) == (BindingState.ACTIVE, ConsentWay.OWN_SESSION)
    assert (active.active_since, active.expires_on) == (world.clock.now(), date(2027, 6, 15))
    assert allowed(world, "worker", "retiree")
    assert not allowed(world, "retiree", "worker")
    assert world.do(service.consent, agreed) == BindingNotFound()  # once is enough
    mine = world.database.read(lambda u: queries.of_delegate(u, world.person("worker")))
    theirs = world.database.read(lambda u: queries.of_owner(u, world.person("retiree")))
    assert mine == theirs == [active]


def test_the_same_request_is_answered_the_same_and_another_is_refused(world: World) -> None:
    command = asked_for(world, "worker", "retiree")
    first = world.do(service.request_binding, command)
    assert world.do(service.request_binding, command) == first
    assert request(world, "worker", "retiree") == AlreadyBound(first.id)
    assert request(world, "worker", "retiree", actor=Anonymous()) == SignInRequired()


def test_whoever_cannot_be_bound_is_told_no_more_than_that(world: World) -> None:
    good = asked_for(world, "worker", "retiree")
    for changes in (
        {"owner_name": "王*例"},
        {"owner_id_number": "510104199001010015"},
        {"owner_id_number": ""},
    ):
        refused = replace(good, request_id=new_key(), **changes)
        assert world.do(service.request_binding, refused) == RelativeUnknown()
    world.database.write(
        lambda u: record_death(u, "register", world.person("retiree"), date(2026, 6, 1))
    )
    assert world.do(service.request_binding, good) == RelativeUnknown()


def test_guessing_names_is_slowed_down(world: World) -> None:
    wrong = asked_for(world, "worker", "retiree", owner_name="某某")
    for _ in range(10):
        guessed = world.do(service.request_binding, replace(wrong, request_id=new_key()))
        assert guessed == RelativeUnknown()
    assert request(world, "worker", "retiree") == TooManyBindingRequests(3600)
    world.clock.forward(hours=1)
    assert isinstance(request(world, "worker", "retiree"), BindingView)


def test_nobody_is_asked_all_day_long(world: World) -> None:
    for _ in range(3):
        made = request(world, "worker", "retiree")
        assert isinstance(made, BindingView)
        world.do(service.end_binding, EndBinding(world.actor("worker"), made.id))
    refused = request(world, "worker", "retiree")
    assert isinstance(refused, TooManyBindingRequests)
    assert isinstance(request(world, "worker_2", "retiree"), BindingView)  # one keeps no other out
    world.clock.forward(hours=24)
    world._actors.clear()
    assert isinstance(request(world, "worker", "retiree"), BindingView)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scopes": ()}, BindingProblem.NO_SCOPE),
        ({"scopes": (Scope.VIEW_INFO, Scope.VIEW_INFO)}, BindingProblem.NO_SCOPE),
        ({"scopes": (Scope.VIEW_INFO, Scope.PAY)}, BindingProblem.MONEY_BY_ITSELF),
    ],
)
def test_requests_that_make_no_sense(
    world: World, changes: dict[str, Any], problem: BindingProblem
) -> None:
    assert request(world, "worker", "retiree", **changes) == BindingNotPossible(problem)
    assert request(world, "worker", "worker") == BindingNotPossible(BindingProblem.ONESELF)


def test_a_problem_is_said_in_both_languages() -> None:
    refused = BindingNotPossible(BindingProblem.NO_PROMISE)
    assert "承诺书" in refused.message(Locale.ZH)
    assert "promise" in refused.message(Locale.EN)


# -- ways to consent -------------------------------------------------------------------------------


def ask(world: World, delegate: str, binding: str, kind: ConsentKind = ConsentKind.BIND) -> Any:
    return world.do(service.ask_consent, AskConsent(world.actor(delegate), binding, kind))


def read_out(world: World) -> str:
    return str([f["code"] for kind, f in messages(world) if kind.startswith("consent_")][-1])


def enter(world: World, delegate: str, binding: str, code: str) -> Any:
    return world.do(service.consent_by_code, ConsentByCode(world.actor(delegate), binding, code))


def test_a_code_read_out_on_the_phone_is_consent_and_never_a_sign_in(world: World) -> None:
    made = request(world, "worker", "retiree")
    assert enter(world, "worker", made.id, "000000") == ConsentCodeWrong(0)
    asked = ask(world, "worker", made.id)
    assert isinstance(asked, ConsentAsked)
    kind, facts = messages(world)[-1]
    assert (kind, facts["to"]) == ("consent_bind", phone_of("retiree"))
    assert (facts["who"], facts["scopes"]) == ("李*例", sorted(scope.value for scope in ALL))
    code = read_out(world)
    stolen = SignIn(phone_of("retiree"), code, "x", "y")
    assert isinstance(world.do(identity.sign_in, stolen), CodeWrong)
    wrong = "000001" if code == "000000" else "000000"
    assert enter(world, "worker", made.id, wrong) == ConsentCodeWrong(4)
    assert enter(world, "worker_2", made.id, code) == BindingNotFound()
    active = enter(world, "worker", made.id, code)
    assert (active.state, active.consented_by) == (
        BindingState.ACTIVE,
        ConsentWay.CODE_READ_OUT,
    )
    assert enter(world, "worker", made.id, code) == ConsentCodeWrong(0)


def test_a_consent_code_ends_after_some_minutes_and_tries(world: World) -> None:
    made = request(world, "worker", "retiree")
    ask(world, "worker", made.id)
    code = read_out(world)
    wrong = "000001" if code == "000000" else "000000"
    for left in (4, 3, 2, 1, 0):
        assert enter(world, "worker", made.id, wrong) == ConsentCodeWrong(left)
    assert enter(world, "worker", made.id, code) == ConsentCodeWrong(0)
    ask(world, "worker", made.id)
    late = read_out(world)
    world.clock.forward(minutes=10)
    assert isinstance(enter(world, "worker", made.id, late), ConsentCodeWrong)
    assert isinstance(ask(world, "worker", made.id), ConsentAsked)
    assert isinstance(ask(world, "worker", made.id), TooManyCodes)


def test_only_the_delegate_asks_and_only_for_what_fits(world: World) -> None:
    made = request(world, "worker", "retiree")
    assert ask(world, "worker_2", made.id) == BindingNotFound()
    assert ask(world, "retiree", made.id) == BindingNotFound()
    assert ask(world, "worker", "no such") == BindingNotFound()
    assert ask(world, "worker", made.id, ConsentKind.RENEW) == BindingNotFound()
    assert ask(world, "worker", made.id, ConsentKind.PAY) == BindingNotFound()
    limited = AskConsent(world.actor("worker"), made.id, ConsentKind.BIND, Fen(1))
    assert world.do(service.ask_consent, limited) == BindingNotPossible(
        BindingProblem.LIMITS_ARE_OF_MONEY
    )


def test_an_elder_without_a_phone_signs_a_paper_at_the_counter(world: World) -> None:
    made = request(world, "worker", "elder_no_phone")
    assert ask(world, "worker", made.id) == NoPhoneForConsent()
    waiting = world.database.read(lambda u: queries.waiting_for_review(u, 5))
    assert [view.id for view in waiting] == [made.id]
    active = world.database.write(lambda u: service.approve_at_desk(u, "chen", made.id))
    assert (active.state, active.consented_by) == (BindingState.ACTIVE, ConsentWay.PAPER)
    assert allowed(world, "worker", "elder_no_phone")
    again = world.database.write(lambda u: service.approve_at_desk(u, "chen", made.id))
    assert again == BindingNotFound()

    def paper(kind: ConsentKind, *limits: Fen | None) -> Any:
        return world.database.write(
            lambda u: service.consent_at_desk(u, "chen", made.id, kind, *limits)
        )

    assert paper(ConsentKind.PAY) == BindingNotPossible(BindingProblem.NO_LIMIT)
    assert paper(ConsentKind.PAY, Fen(5_000), Fen(9_000)).pay_day_limit_fen == 9_000
    assert paper(ConsentKind.RENEW).state is BindingState.ACTIVE
    assert paper(ConsentKind.BIND) == BindingNotFound()
    ended = world.database.write(lambda u: service.end_at_desk(u, "chen", made.id))
    assert ended.state is BindingState.ENDED_BY_AGENCY
    assert not allowed(world, "worker", "elder_no_phone")
    for use_case in (service.approve_at_desk, service.reject_at_desk, service.end_at_desk):
        refused = world.database.write(lambda u, act=use_case: act(u, "chen", "no such"))
        assert refused == BindingNotFound()


def test_a_child_is_bound_by_promise_and_papers_and_only_until_sixteen(world: World) -> None:
    child = {"relation": Relation.CHILD, "promise": True}
    for changes, problem in (
        ({"promise": True}, BindingProblem.NO_RELATION_OF_A_CHILD),
        ({"relation": Relation.CHILD}, BindingProblem.NO_PROMISE),
    ):
        assert request(world, "worker", "child_3", **changes) == BindingNotPossible(problem)
    made = request(world, "worker", "child_3", **child)  # born on 2014-09-01
    assert made.state is BindingState.PENDING_REVIEW
    assert ask(world, "worker", made.id) == BindingNotFound()
    active = world.database.write(lambda u: service.approve_at_desk(u, "chen", made.id))
    assert (active.consented_by, active.expires_on) == (ConsentWay.GUARDIAN, date(2027, 6, 15))
    assert allowed(world, "worker", "child_3")
    refused = request(world, "worker_2", "child", **child)
    rejected = world.database.write(lambda u: service.reject_at_desk(u, "chen", refused.id))
    assert rejected.state is BindingState.REJECTED


@pytest.mark.parametrize("waits_for", ["review", "consent"])
@pytest.mark.parametrize("by", ["delegate", "desk"])
def test_a_request_that_waits_is_taken_back_by_who_asked_or_ended_at_the_desk(
    world: World, waits_for: str, by: str
) -> None:
    if waits_for == "review":
        child = {"relation": Relation.CHILD, "promise": True}
        made = request(world, "worker", "child_3", **child)
        assert made.state is BindingState.PENDING_REVIEW
    else:
        made = request(world, "worker", "retiree")
        assert made.state is BindingState.PENDING_CONSENT
    if by == "delegate":
        ended = world.do(service.end_binding, EndBinding(world.actor("worker"), made.id))
        assert ended.state is BindingState.REVOKED_BY_DELEGATE
    else:
        ended = world.database.write(lambda u: service.end_at_desk(u, "chen", made.id))
        assert ended.state is BindingState.ENDED_BY_AGENCY
    approved = world.database.write(lambda u: service.approve_at_desk(u, "chen", made.id))
    assert approved == BindingNotFound()


def test_how_long_a_binding_runs() -> None:
    day = date(2026, 6, 15)
    assert logic.runs_until(day, date(1950, 1, 1)) == date(2027, 6, 15)
    assert logic.runs_until(day, date(2010, 6, 15)) == date(2027, 6, 15)  # sixteen today
    assert logic.runs_until(day, date(2010, 6, 16)) == date(2026, 6, 15)  # tomorrow
    assert logic.runs_until(day, date(2010, 9, 1)) == date(2026, 8, 31)
    assert logic.runs_until(day, date(2012, 2, 29)) == date(2027, 6, 15)
    assert logic.runs_until(date(2027, 12, 1), date(2012, 2, 29)) == date(2028, 2, 28)
    assert logic.runs_until(date(2028, 2, 29), date(1950, 1, 1)) == date(2029, 2, 28)


def test_where_a_binding_stands() -> None:
    def stands(day: date, **changes: Any) -> Standing:
        facts = {
            "state": BindingState.ACTIVE,
            "expires_on": date(2027, 6, 15),
            "consented_young": True,
            "owner_birth": date(2010, 9, 1),
            "owner_died": False,
            "owner_insured": True,
        }
        return logic.standing(**{**facts, **changes}, day=day)  # type: ignore[arg-type]

    assert stands(date(2026, 8, 31)) is Standing.IN_FORCE
    assert stands(date(2026, 9, 1)) is Standing.OWNER_CAME_OF_AGE
    assert stands(date(2026, 9, 1), consented_young=False) is Standing.IN_FORCE
    assert stands(date(2027, 6, 15), consented_young=False) is Standing.IN_FORCE
    assert stands(date(2027, 6, 16), consented_young=False) is Standing.RAN_OUT
    assert stands(date(2026, 8, 31), owner_died=True) is Standing.OWNER_DIED
    assert stands(date(2026, 8, 31), owner_insured=False) is Standing.OWNER_NOT_INSURED
    assert stands(date(2026, 8, 31), state=BindingState.REJECTED) is Standing.NOT_ACTIVE


# -- ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "state"),
    [
        ("retiree", BindingState.REVOKED_BY_OWNER),
        ("worker", BindingState.REVOKED_BY_DELEGATE),
    ],
)
def test_either_side_ends_it_at_once_without_any_proof(
    world: World, side: str, state: BindingState
) -> None:
    made = bound(world, "worker", "retiree")
    shown = code_for(world, "worker", "retiree")
    world.clock.forward(minutes=1)
    end = EndBinding(world.actor(side), made.id)
    stranger = replace(end, actor=world.actor("worker_2"))
    assert world.do(service.end_binding, stranger) == BindingNotFound()
    assert world.do(service.end_binding, replace(end, actor=Anonymous())) == SignInRequired()
    assert world.do(service.end_binding, end).state is state
    assert world.do(service.end_binding, end) == BindingNotFound()
    assert not allowed(world, "worker", "retiree")
    assert isinstance(code_for(world, "worker", "retiree"), NotPermitted)
    world.clock.forward(minutes=-1)
    assert world.scan_text(shown.text) == CodeVoided()  # shown before it ended
    told = [facts["to"] for kind, facts in messages(world) if kind == "binding_ended"]
    assert sorted(told) == sorted([phone_of("retiree"), phone_of("worker")])


def test_a_request_is_declined_or_taken_back_or_lapses(world: World) -> None:
    one = request(world, "worker", "retiree")
    no = DeclineBinding(world.actor("retiree"), one.id)
    assert world.do(service.decline_binding, replace(no, actor=world.actor("worker"))) == (
        BindingNotFound()
    )
    assert world.do(service.decline_binding, no).state is BindingState.REJECTED
    two = request(world, "worker", "retiree")
    back = EndBinding(world.actor("worker"), two.id)
    assert world.do(service.end_binding, back).state is BindingState.REVOKED_BY_DELEGATE
    three = request(world, "worker", "retiree")
    world.clock.forward(days=8)
    assert consent(world, "retiree", three.id) == BindingNotFound()
    assert isinstance(request(world, "worker", "retiree"), BindingView)


def test_it_runs_out_after_a_year_unless_it_is_confirmed(world: World) -> None:
    made = bound(world, "worker", "retiree")
    world.clock.forward(days=300)
    world._actors.clear()
    renewed = consent(world, "retiree", made.id, ConsentKind.RENEW)
    assert renewed.expires_on == date(2028, 4, 11)
    world.clock.forward(days=370)
    assert not allowed(world, "worker", "retiree")
    found = world.database.read(lambda u: queries.binding(u, made.id))
    assert found is not None
    assert found.standing is Standing.RAN_OUT
    world._actors.clear()
    assert consent(world, "retiree", made.id, ConsentKind.RENEW) == BindingNotFound()
    assert isinstance(request(world, "worker", "retiree"), BindingView)


def test_it_ends_with_death_and_rests_without_insurance(world: World) -> None:
    bound(world, "worker", "retiree")
    bound(world, "worker", "resident")

    def end_insurance(unit: Any) -> None:
        for row in unit.db.exec(
            select(EnrolmentPeriod).where(
                EnrolmentPeriod.enrolment_id == world.enrolment("resident")
            )
        ):
            row.status = "ENDED"

    world.database.write(end_insurance)
    assert not allowed(world, "worker", "resident")
    person = world.person("retiree")
    world.database.write(lambda u: record_death(u, "register", person, date(2026, 6, 14)))
    assert not allowed(world, "worker", "retiree")


# -- limits and races ------------------------------------------------------------------------------


def test_five_relatives_and_two_binders_a_month(world: World) -> None:
    for owner in ("retiree", "retiree_2", "retiree_3", "retiree_4", "resident"):
        bound(world, "worker", owner)
    assert request(world, "worker", "resident_2") == TooManyRelatives(5)
    bound(world, "worker_2", "retiree")
    assert request(world, "worker_3", "retiree") == BoundTooOften(2)
    world.clock.forward(days=16)  # July
    assert isinstance(request(world, "worker_3", "retiree"), BindingView)


def at_once(world: World, commands: list[RequestBinding]) -> list[Any]:
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda command: world.do(service.request_binding, command), commands))


def test_of_two_requests_for_the_last_free_place_one_is_refused(world: World) -> None:
    for owner in ("retiree", "retiree_2", "retiree_3", "retiree_4"):
        bound(world, "worker", owner)
    both = [asked_for(world, "worker", owner) for owner in ("resident", "resident_2")]
    outcomes = at_once(world, both)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "BindingView",
        "TooManyRelatives",
    ]


def test_of_many_consents_at_once_two_bind_in_a_month(world: World) -> None:
    delegates = ("worker", "worker_2", "worker_3", "worker_4")
    made = [request(world, delegate, "retiree") for delegate in delegates]
    world.prove("retiree", Proof.DESK)
    father = world.actor("retiree")
    agreed = [Consent(father, view.id, ConsentKind.BIND) for view in made]
    with ThreadPoolExecutor(len(agreed)) as pool:
        outcomes = list(pool.map(lambda command: world.do(service.consent, command), agreed))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        *["BindingView"] * 2,
        *["BoundTooOften"] * 2,
    ]


# -- acting ----------------------------------------------------------------------------------------


def test_a_delegate_does_what_the_scopes_say_and_nothing_else(world: World) -> None:
    bound(world, "worker", "retiree", scopes=(Scope.VIEW_INFO,))
    assert allowed(world, "worker", "retiree", Action.VIEW_RIGHTS)
    for action in set(Action) - {Action.VIEW_RIGHTS}:
        assert not allowed(world, "worker", "retiree", action), action
    assert isinstance(code_for(world, "worker", "retiree"), NotPermitted)


def test_a_proxy_can_never_appoint_a_proxy_or_consent_for_the_owner(world: World) -> None:
    bound(world, "worker", "retiree")
    made = request(world, "worker_2", "retiree")
    world.prove("worker", Proof.DESK)
    by_proxy = Consent(world.actor("worker"), made.id, ConsentKind.BIND)
    assert world.do(service.consent, by_proxy) == BindingNotFound()
    assert not allowed(world, "worker_2", "retiree")


def test_one_phone_shows_the_codes_of_several_elders_at_once(world: World) -> None:
    for owner in ("retiree", "retiree_2"):
        bound(world, "worker", owner)
    shown = {owner: code_for(world, "worker", owner) for owner in ("retiree", "retiree_2")}
    own = world.issue("worker")
    for owner, code in shown.items():
        assert isinstance(code, IssuedCode)
        scanned = world.scan_text(code.text)
        assert scanned.person.id == world.person(owner)
    assert world.scan_text(own.text).person.id == world.person("worker")
    first, second = code_for(world, "worker", "retiree"), code_for(world, "worker", "retiree")
    assert world.scan_text(first.text) == CodeVoided()
    assert world.scan_text(second.text).person.id == world.person("retiree")


def bill_of(world: World, code: IssuedCode, price: str) -> Any:
    token = world.scan_text(code.text).token
    return world.presettle(token, line(IBUPROFEN, "1", price))


def test_money_goes_only_by_a_consent_of_its_own_and_up_to_its_limits(world: World) -> None:
    made = bound(world, "worker", "retiree")
    money = world.money()
    code = code_for(world, "worker", "retiree")
    token = world.scan_text(code.text).token
    dear = line(IBUPROFEN, "1", "60.00")
    assert world.presettle(token, dear) == ProxyLimitReached(Fen(6_000), Fen(0))
    assert world.money() == money
    paid_cash = world.settle(world.presettle(token, dear, use_account=False).id)
    assert (paid_cash.account_fen, paid_cash.cash_fen) == (0, 6_000)

    for wrong, problem in (
        ({"pay_limit_fen": None}, BindingProblem.NO_LIMIT),
        ({"pay_limit_fen": Fen(0)}, BindingProblem.NO_LIMIT),
        ({"pay_limit_fen": Fen(10**9)}, BindingProblem.NO_LIMIT),
        (
            {"pay_limit_fen": Fen(100), "pay_day_limit_fen": Fen(99)},
            BindingProblem.DAY_BELOW_PAYMENT,
        ),
    ):
        refused = consent(world, "retiree", made.id, ConsentKind.PAY, **wrong)
        assert refused == BindingNotPossible(problem)
    agreed = may_pay(world, "retiree", made.id, 5_000, 8_000)
    assert Scope.PAY in agreed.scopes
    assert (agreed.pay_limit_fen, agreed.pay_day_limit_fen) == (5_000, 8_000)

    assert bill_of(world, code_for(world, "worker", "retiree"), "50.01") == ProxyLimitReached(
        Fen(5_001), Fen(5_000)
    )
    first = world.settle(bill_of(world, code_for(world, "worker", "retiree"), "50.00").id)
    assert first.account_fen == 5_000
    over = bill_of(world, code_for(world, "worker", "retiree"), "30.01")
    assert over == ProxyLimitReached(Fen(3_001), Fen(3_000))
    world.clock.forward(days=1)
    assert world.settle(bill_of(world, code_for(world, "worker", "retiree"), "50.00").id)
    # the father's own code is not limited by it
    assert world.buy("retiree", line(IBUPROFEN, "1", "90.00")).account_fen == 3_600
    spent = world.database.read(lambda u: queries.spent_today(u, made.id))
    assert spent == 4_400  # the deductible was reached, the fund paid the rest
    assert world.faults() == []


def test_a_limit_taken_back_after_pricing_still_holds(world: World) -> None:
    made = bound(world, "worker", "retiree")
    may_pay(world, "retiree", made.id, 5_000)
    bill = bill_of(world, code_for(world, "worker", "retiree"), "50.00")
    world.do(service.end_binding, EndBinding(world.actor("retiree"), made.id))
    money = world.money()
    assert world.settle(bill.id) == ProxyLimitReached(Fen(5_000), Fen(0))
    assert world.money() == money


def test_a_daughter_far_away_confirms_what_her_father_buys(world: World) -> None:
    made = bound(world, "worker", "retiree")
    bill = world.bill("retiree", line(IBUPROFEN, "1", "300.00"))
    assert bill.state == "AWAITING_CONFIRMATION"
    daughter = world.actor("worker")
    world.prove("worker", Proof.SMS_CODE)
    decide = DecideBill(daughter, bill.id, True, new_key())
    assert world.do(decisions.decide_bill, decide) == BillNotFound()
    may_pay(world, "retiree", made.id, 20_000)
    asked = bill.outcome.account_fen
    refused = world.do(decisions.decide_bill, replace(decide, request_id=new_key()))
    assert refused == ProxyLimitReached(asked, Fen(20_000))
    may_pay(world, "retiree", made.id, 30_000)
    again = replace(decide, request_id=new_key())
    assert world.do(decisions.decide_bill, again).state == "CONFIRMED"
    assert world.settle(bill.id).account_fen == asked
    spent = world.database.read(lambda u: queries.spent_today(u, made.id))
    assert spent == asked


def test_a_bill_that_a_relative_turned_down_is_told_too(world: World) -> None:
    made = bound(world, "worker", "retiree")
    may_pay(world, "retiree", made.id, 30_000)
    bill = world.bill("retiree", line(IBUPROFEN, "1", "300.00"))
    world.prove("worker", Proof.SMS_CODE)
    decide = DecideBill(world.actor("worker"), bill.id, False, new_key())
    assert world.do(decisions.decide_bill, decide).state == "REFUSED"
    acts = world.database.read(lambda u: queries.acts_for(u, world.person("retiree"), None, 9))
    assert [(act.action, act.amount_fen) for act in acts] == [(Action.DECIDE_BILL, None)]


def test_an_elder_is_not_hurried_while_reading(world: World) -> None:
    chosen = SetPreferences(world.actor("retiree"), True, NoticeBy.MESSAGE)
    world.do(set_preferences, chosen)
    small = world.bill("retiree", line(IBUPROFEN, "1", "30.00"))
    assert small.expires_at == world.clock.now() + timedelta(minutes=5)  # nobody reads it
    bill = world.bill("retiree", line(IBUPROFEN, "1", "300.00"))
    assert bill.state == "AWAITING_CONFIRMATION"
    world.clock.forward(minutes=29)
    assert world.decide("retiree", bill.id, True).state == "CONFIRMED"
    assert world.settle(bill.id).total_fen == 30_000


def test_a_relative_proves_themselves_before_money_goes(world: World) -> None:
    made = bound(world, "worker", "retiree")
    may_pay(world, "retiree", made.id, 30_000)
    daughter = signed_in(world, "worker")
    choose(world, daughter)
    bill = world.bill("retiree", line(IBUPROFEN, "1", "300.00"))
    decide = DecideBill(daughter, bill.id, True, new_key())
    asked = StepUpRequired((Proof.PAYMENT_PASSWORD,))
    assert world.do(decisions.decide_bill, decide) == asked
    step(world, daughter, GOOD)
    assert world.do(decisions.decide_bill, decide).state == "CONFIRMED"


def test_the_elder_sees_each_act_and_is_told_in_the_way_that_suits(world: World) -> None:
    made = bound(world, "worker", "retiree")
    may_pay(world, "retiree", made.id, 5_000)
    chosen = SetPreferences(world.actor("retiree"), True, NoticeBy.CALL)
    view = world.do(set_preferences, chosen)
    assert (view.elder_mode, view.elder_mode_offered) == (True, True)
    for _ in range(3):  # the app renews it each minute; it is told once in ten
        code = code_for(world, "worker", "retiree")
    kind, facts = messages(world)[-1]
    assert [kind for kind, _ in messages(world)].count("relative_acted") == 1
    assert (kind, facts["to"], facts["by"]) == ("relative_acted", phone_of("retiree"), "CALL")
    assert (facts["who"], facts["action"]) == ("李*例", "SHOW_CODE")
    world.settle(bill_of(world, code, "50.00").id)
    acts = world.database.read(lambda u: queries.acts_for(u, world.person("retiree"), None, 9))
    assert [(act.action, act.amount_fen, act.delegate_name) for act in acts] == [
        (Action.DECIDE_BILL, 5_000, "李*例"),
        (Action.SHOW_CODE, None, "李*例"),
    ]
    older = world.database.read(
        lambda u: queries.acts_for(u, world.person("retiree"), acts[0].id, 9)
    )
    assert older == acts[1:]
    nobody = world.do(set_preferences, replace(chosen, actor=Anonymous()))
    assert nobody == SignInRequired()
