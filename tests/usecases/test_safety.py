"""Devices, proofs, the payment password, limits, silent hours and the freeze, on real databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from backend.access.assurance import Demand, Proof, StepUpRequired, fresh, refusal
from backend.access.contracts import Anonymous, NotPermitted, PersonActor, SignInRequired
from backend.codes import service as codes
from backend.codes.contracts import IssueCode, Purpose
from backend.identity import queries, safety
from backend.identity import service as identity
from backend.identity.contracts import (
    CodeWrong,
    RequestSignInCode,
    SessionOpened,
    SignIn,
    SignInCodeSent,
    TooManyCodes,
)
from backend.identity.logic import is_weak
from backend.identity.model import AccountFreeze, DeviceSession, PaymentPassword
from backend.identity.safety_contracts import (
    AccountFrozen,
    ChoosePassword,
    EndSession,
    FreezeAccount,
    PasswordBlocked,
    PasswordLocked,
    PasswordState,
    PasswordTooWeak,
    PasswordUnset,
    PasswordWrong,
    ProofNotHere,
    RequestStepUpCode,
    SafetyView,
    SessionsEnded,
    SessionUnknown,
    SignOutEverywhere,
    SteppedUp,
    StepUp,
    UnfreezeAccount,
)
from backend.infra.model import OutboxMessage
from backend.infra.outbox import Channel
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.payments import decisions, logic, rules
from backend.payments.contracts import BillOutdated, DecideBill
from backend.payments.rule_contracts import (
    AccountLimitReached,
    PaymentRules,
    RulesInvalid,
    SetPaymentRules,
    SilentHours,
)
from tests.world import IBUPROFEN, LEVEL_3, VISIT, World, line, new_key, phone_of

GOOD, BETTER = "739146", "502817"


def signed_in(world: World, key: str, device: str = "手机") -> PersonActor:
    """Sign somebody in with the phone, by reading the code from the outbox."""
    number = phone_of(key)
    sent = world.do(identity.request_sign_in_code, RequestSignInCode(number, "here"))
    assert isinstance(sent, SignInCodeSent)
    opened = world.do(identity.sign_in, SignIn(number, newest_code(world), device, "here"))
    assert isinstance(opened, SessionOpened)
    return PersonActor(opened.person.id, opened.session_id)


def messages(world: World) -> list[tuple[str, dict[str, Any]]]:
    def read(unit: Any) -> list[tuple[str, dict[str, Any]]]:
        rows = unit.db.exec(
            select(OutboxMessage)
            .where(col(OutboxMessage.channel).in_((Channel.SMS, Channel.VOICE)))
            .order_by(OutboxMessage.id)
        ).all()
        left = [m for m in rows if m.payload]  # what was delivered or given up is emptied
        return [(m.kind, json.loads(unit.vault.open(m.payload, f"outbox:{m.topic}"))) for m in left]

    return world.database.read(read)


def newest_code(world: World) -> str:
    kinds = ("sign_in_code", "step_up_code")
    return str([facts["code"] for kind, facts in messages(world) if kind in kinds][-1])


def choose(world: World, actor: Any, password: str = GOOD, current: str | None = None) -> Any:
    return world.do(safety.choose_password, ChoosePassword(actor, password, current))


def step(world: World, actor: Any, secret: str, proof: Proof = Proof.PAYMENT_PASSWORD) -> Any:
    return world.do(safety.step_up, StepUp(actor, proof, secret))


# -- what is enough --------------------------------------------------------------------------------


def test_a_proof_counts_for_some_minutes() -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    lives = timedelta(seconds=300)
    shown = {Proof.FACE: at}
    assert fresh(shown, at + timedelta(seconds=299), lives) == {Proof.FACE}
    assert fresh(shown, at + timedelta(seconds=300), lives) == frozenset()


S, P, K, F, D = Proof.SMS_CODE, Proof.PAYMENT_PASSWORD, Proof.PASSKEY, Proof.FACE, Proof.DESK


@pytest.mark.parametrize(
    ("demand", "shown", "has", "amount", "asked"),
    [
        (Demand.STRONG, {P}, {P}, None, None),
        (Demand.STRONG, {F}, {P, F}, None, None),
        (Demand.STRONG, {D}, set(), None, None),
        (Demand.STRONG, {S}, set(), None, None),
        (Demand.STRONG, {S}, {P}, None, (P,)),
        (Demand.STRONG, set(), set(), None, (S,)),
        (Demand.STRONG, set(), {P, K, F}, None, (P, K, F)),
        (Demand.NEW_PASSWORD, {P}, {P}, None, ()),
        (Demand.NEW_PASSWORD, {S}, set(), None, None),
        (Demand.NEW_PASSWORD, {S}, {F}, None, (F,)),
        (Demand.MONEY, {F}, {F, P}, 50_000, None),
        (Demand.MONEY, {F}, {F, P}, 50_001, (P,)),
        (Demand.MONEY, {F}, {F}, 50_001, ()),
        (Demand.MONEY, {K}, {K}, 10**7, None),
        (Demand.MONEY, {S}, set(), 10**7, None),
        (Demand.MONEY, {S}, {P}, 1, (P,)),
    ],
)
def test_which_proofs_are_enough(
    demand: Demand,
    shown: set[Proof],
    has: set[Proof],
    amount: int | None,
    asked: tuple[Proof, ...] | None,
) -> None:
    missing = refusal(demand, shown, has, None if amount is None else Fen(amount), Fen(50_000))
    assert missing == (None if asked is None else StepUpRequired(asked))


def test_a_step_up_is_asked_for_in_words() -> None:
    asked = StepUpRequired((Proof.PASSKEY, Proof.FACE))
    assert "通行密钥（指纹）、刷脸" in asked.next_action(Locale.ZH)
    assert "a passkey (fingerprint), the face" in asked.next_action(Locale.EN)


# -- devices ---------------------------------------------------------------------------------------


def test_devices_are_listed_and_signed_out_one_by_one_or_all(world: World) -> None:
    one = signed_in(world, "worker", "手机")
    world.clock.forward(minutes=2)
    two = signed_in(world, "worker", "平板")
    stranger = world.actor("retiree")
    listed = world.database.read(lambda u: queries.devices(u, one.person_id))
    assert [(d.device_name, d.session_id) for d in listed] == [
        ("平板", two.session_id),
        ("手机", one.session_id),
    ]
    end = EndSession(two, one.session_id)
    assert world.do(safety.end_session, replace(end, actor=stranger)) == SessionUnknown()
    assert world.do(safety.end_session, replace(end, session_id="x")) == SessionUnknown()
    assert world.do(safety.end_session, replace(end, actor=Anonymous())) == SignInRequired()
    assert world.do(safety.end_session, end) == SessionsEnded(1)
    assert world.do(safety.end_session, end) == SessionUnknown()
    world.clock.forward(minutes=2)
    again = signed_in(world, "worker")
    assert world.do(safety.sign_out_everywhere, SignOutEverywhere(two)) == SessionsEnded(2)
    assert world.database.read(lambda u: queries.devices(u, one.person_id)) == []
    ended = world.database.read(
        lambda u: queries.session_is_open(u, again.session_id, one.person_id)
    )
    assert not ended
    assert world.do(safety.sign_out_everywhere, SignOutEverywhere(Anonymous())) == SignInRequired()


# -- the payment password --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "weak"),
    [
        ("739146", False),
        ("73914", True),
        ("7391466", True),
        ("73914a", True),
        ("７３９１４６", True),
        ("123456", True),
        ("987654", True),
        ("111111", True),
        ("112211", True),
        ("739739", True),
        ("135791", False),
        ("510104", True),  # in the ID number
        ("199001", True),
        ("900102", True),
        ("010290", True),
        ("000007", True),  # in the phone
    ],
)
def test_passwords_that_a_thief_would_try(password: str, weak: bool) -> None:
    number, phone = "510104199001020018", "12000000756"
    assert is_weak(password, number, phone, date(1990, 1, 2)) is weak


def test_the_first_password_is_set_after_signing_in_and_then_known_or_proven(world: World) -> None:
    actor = signed_in(world, "worker")
    assert step(world, actor, GOOD) == PasswordUnset()
    assert choose(world, actor, "123456") == PasswordTooWeak()
    assert choose(world, Anonymous()) == SignInRequired()
    world.clock.forward(minutes=6)
    assert choose(world, actor) == StepUpRequired((Proof.SMS_CODE,))
    asked = world.do(safety.request_step_up_code, RequestStepUpCode(actor))
    assert isinstance(asked, SignInCodeSent)
    assert isinstance(step(world, actor, newest_code(world), Proof.SMS_CODE), SteppedUp)
    view = choose(world, actor)
    assert isinstance(view, SafetyView)
    assert (view.password, view.ways) == (PasswordState.SET, (Proof.PAYMENT_PASSWORD,))
    assert messages(world)[-1][0] == "payment_password_set"
    stored = world.database.read(lambda u: u.db.exec(select(PaymentPassword)).one().digest)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert GOOD not in stored
    # knowing it is enough to change it; the phone alone no longer is
    assert choose(world, actor, BETTER) == StepUpRequired(())
    assert choose(world, actor, BETTER, current="000000") == PasswordWrong(4)
    assert isinstance(choose(world, actor, BETTER, current=GOOD), SafetyView)
    assert step(world, actor, GOOD) == PasswordWrong(4)
    stepped = step(world, actor, BETTER)
    assert stepped.proof is Proof.PAYMENT_PASSWORD
    assert (stepped.until - world.clock.now()).total_seconds() == 300


def test_a_password_locks_and_then_blocks_until_it_is_reset(world: World) -> None:
    actor = signed_in(world, "worker")
    choose(world, actor)
    for left in (4, 3, 2, 1):
        assert step(world, actor, "000000") == PasswordWrong(left)
    assert step(world, actor, "000000") == PasswordLocked(1800)
    assert messages(world)[-1][0] == "payment_password_locked"
    assert step(world, actor, GOOD) == PasswordLocked(1800)
    person = actor.person_id
    held = world.database.read(lambda u: queries.safety(u, person))
    assert held.password is PasswordState.LOCKED
    world.clock.forward(minutes=31)
    for left in (4, 3, 2, 1):
        assert step(world, actor, "000000") == PasswordWrong(left)
    assert step(world, actor, "000000") == PasswordBlocked()
    world.clock.forward(days=9)
    assert step(world, actor, GOOD) == PasswordBlocked()
    assert choose(world, actor, BETTER, current=GOOD) == PasswordBlocked()
    assert choose(world, actor, BETTER) == StepUpRequired(())
    world.prove("worker", Proof.DESK)
    assert isinstance(choose(world, world.actor("worker"), BETTER), SafetyView)
    assert isinstance(step(world, actor, BETTER), SteppedUp)


def test_a_right_password_forgets_the_wrong_ones(world: World) -> None:
    actor = signed_in(world, "worker")
    choose(world, actor)
    for _ in range(3):
        for _ in range(4):
            step(world, actor, "000000")
        assert isinstance(step(world, actor, GOOD), SteppedUp)


def test_stronger_hashing_is_taken_up_when_the_password_is_next_shown(world: World) -> None:
    world.change_settings(argon2_kibibytes=64, argon2_passes=1)
    actor = signed_in(world, "worker")
    choose(world, actor)

    def stored() -> str:
        return world.database.read(lambda u: u.db.exec(select(PaymentPassword)).one().digest)

    assert "m=64,t=1" in stored()
    world.change_settings(argon2_kibibytes=128, argon2_passes=2)
    step(world, actor, "000000")
    assert "m=64,t=1" in stored()
    step(world, actor, GOOD)
    assert "m=128,t=2" in stored()


def test_proofs_are_the_sessions_own(world: World) -> None:
    one = signed_in(world, "worker")
    choose(world, one)
    world.clock.forward(minutes=2)
    two = signed_in(world, "worker")
    step(world, one, GOOD)

    def missing(actor: PersonActor) -> Any:
        return world.database.read(lambda u: safety.demand(u, actor, Demand.STRONG))

    assert missing(one) is None
    assert missing(two) == StepUpRequired((Proof.PAYMENT_PASSWORD,))
    world.clock.forward(minutes=5)
    assert missing(one) == StepUpRequired((Proof.PAYMENT_PASSWORD,))
    for proof in (Proof.FACE, Proof.PASSKEY, Proof.DESK):
        assert step(world, one, "123456", proof) == ProofNotHere()
    assert step(world, Anonymous(), GOOD) == SignInRequired()


def test_a_step_up_code_goes_to_the_own_phone_and_is_limited(world: World) -> None:
    actor = signed_in(world, "worker")
    ask = RequestStepUpCode(actor)
    assert isinstance(world.do(safety.request_step_up_code, ask), SignInCodeSent)
    assert isinstance(world.do(safety.request_step_up_code, ask), TooManyCodes)
    assert messages(world)[-1][1]["to"] == phone_of("worker")
    assert messages(world)[-1][0] == "step_up_code"
    read_out = SignIn(phone_of("worker"), newest_code(world), "x", "y")
    assert isinstance(world.do(identity.sign_in, read_out), CodeWrong)  # it signs nobody in
    assert isinstance(step(world, actor, "000000", Proof.SMS_CODE), CodeWrong)
    assert isinstance(step(world, actor, newest_code(world), Proof.SMS_CODE), SteppedUp)
    assert isinstance(step(world, actor, newest_code(world), Proof.SMS_CODE), CodeWrong)
    world.clock.forward(minutes=2)
    world.do(identity.request_sign_in_code, RequestSignInCode(phone_of("worker"), "here"))
    signing_in = newest_code(world)
    assert isinstance(step(world, actor, signing_in, Proof.SMS_CODE), CodeWrong)
    nobody = world.do(safety.request_step_up_code, RequestStepUpCode(Anonymous()))
    assert nobody == SignInRequired()


# -- money -----------------------------------------------------------------------------------------


def test_a_large_bill_asks_for_the_password_once_there_is_one(world: World) -> None:
    actor = signed_in(world, "worker")
    choose(world, actor)
    world._actors["worker"] = actor
    bill = world.bill("worker", line(IBUPROFEN, "1", "300.00"))
    assert bill.state == "AWAITING_CONFIRMATION"
    key = new_key()
    decide = DecideBill(actor, bill.id, True, key)
    money = world.money()
    assert world.do(decisions.decide_bill, decide) == StepUpRequired((Proof.PAYMENT_PASSWORD,))
    assert world.money() == money
    step(world, actor, GOOD)
    assert world.do(decisions.decide_bill, decide).state == "CONFIRMED"  # with the same key
    refuse = DecideBill(actor, world.bill("worker", line(IBUPROFEN, "1", "300.00")).id, False, "k")
    world.clock.forward(minutes=4)
    assert world.do(decisions.decide_bill, refuse).state == "REFUSED"  # refusing needs nothing


def own_rules(world: World, key: str, **changes: Any) -> Any:
    actor = world.actor(key)
    made = PaymentRules(actor.person_id, Fen(20_000), **changes)
    return world.do(rules.set_payment_rules, SetPaymentRules(actor, made))


def test_limits_of_a_payment_and_a_day_count_what_the_account_pays(world: World) -> None:
    own_rules(world, "worker", per_payment_fen=Fen(8_000), per_day_fen=Fen(10_000))
    money = world.money()
    token = world.scan("worker").token
    basket = line(IBUPROFEN, "1", "90.00")
    assert world.presettle(token, basket) == AccountLimitReached(Fen(9_000), Fen(8_000))
    assert world.money() == money
    bill = world.presettle(token, basket, use_account=False)
    assert world.settle(bill.id).account_fen == 0
    first = world.buy("worker", line(IBUPROFEN, "1", "80.00"))
    token = world.scan("worker").token
    again = line(IBUPROFEN, "1", "20.01")
    assert world.presettle(token, again) == AccountLimitReached(Fen(2_001), Fen(2_000))
    world.reverse(first.id)
    assert world.settle(world.presettle(token, again).id).account_fen == 2_001
    world.clock.forward(hours=14)  # past midnight in Chengdu
    assert world.buy("worker", line(IBUPROFEN, "1", "80.00")).account_fen == 8_000


def test_a_limit_set_after_pricing_still_holds_when_the_bill_is_booked(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "90.00"))
    own_rules(world, "worker", per_payment_fen=Fen(8_000))
    money = world.money()
    assert world.settle(bill.id) == AccountLimitReached(Fen(9_000), Fen(8_000))
    assert world.money() == money


def test_loosening_a_rule_asks_for_a_proof_and_tightening_does_not(world: World) -> None:
    world.prove("worker", Proof.SMS_CODE)
    choose(world, world.actor("worker"))
    tight = {"per_payment_fen": Fen(100), "silent_from": "22:00", "silent_until": "06:00"}
    assert own_rules(world, "worker", **tight).per_payment_fen == 100
    asked = StepUpRequired((Proof.PAYMENT_PASSWORD,))
    for looser in (
        {**tight, "per_payment_fen": Fen(101)},
        {**tight, "per_payment_fen": None},
        {**tight, "silent_until": "05:59"},
        {"per_payment_fen": Fen(100)},
    ):
        assert own_rules(world, "worker", **looser) == asked
    assert own_rules(world, "worker", **{**tight, "silent_from": "21:00"}).silent_from == "21:00"
    step(world, world.actor("worker"), GOOD)
    assert own_rules(world, "worker").per_payment_fen is None
    others = PaymentRules(world.person("retiree"), Fen(0))
    stranger = SetPaymentRules(world.actor("worker"), others)
    assert isinstance(world.do(rules.set_payment_rules, stranger), NotPermitted)


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_payment_fen": -1},
        {"per_day_fen": 100_000_001},
        {"silent_from": "22:00"},
        {"silent_from": "22:00", "silent_until": "22:00"},
        {"silent_from": "24:00", "silent_until": "06:00"},
        {"silent_from": "9:00", "silent_until": "10:00"},
    ],
)
def test_rules_that_make_no_sense(world: World, wrong: dict[str, Any]) -> None:
    assert own_rules(world, "worker", **wrong) == RulesInvalid(rules.LIMIT_MAX)


def test_silent_hours_may_go_over_midnight() -> None:
    made = PaymentRules("p", Fen(0), silent_from="22:00", silent_until="06:00")
    for at, silent in (("21:59", False), ("22:00", True), ("05:59", True), ("06:00", False)):
        assert logic.is_silent(made, time.fromisoformat(at)) is silent
    day = replace(made, silent_from="12:00", silent_until="13:00")
    assert [logic.is_silent(day, time(hour)) for hour in (11, 12, 13)] == [False, True, False]


def test_nothing_is_bought_in_silent_hours_but_care_goes_on(world: World) -> None:
    own_rules(world, "worker", silent_from="22:00", silent_until="06:00")
    world.clock.forward(hours=12, minutes=1)  # 22:01 in Chengdu
    assert world.scan_text(world.issue("worker").text) == SilentHours("06:00")
    purpose = Purpose.OUTPATIENT_SETTLEMENT
    care = line(VISIT, "1", "100.00", traces=0)
    assert world.buy("worker", care, at=LEVEL_3, purpose=purpose).total_fen == 10_000


# -- the freeze ------------------------------------------------------------------------------------


def test_one_tap_freezes_and_a_proof_thaws(world: World) -> None:
    scanned = world.scan("worker")
    waiting = world.bill("worker_2", line(IBUPROFEN, "1", "30.00"))
    actor = signed_in(world, "worker")
    choose(world, actor)
    for key in ("worker", "worker_2"):
        frozen = world.do(safety.freeze_account, FreezeAccount(world.actor(key), "手机丢了"))
        assert (frozen.frozen_at, frozen.freeze_reason) == (world.clock.now(), "手机丢了")
    assert messages(world)[-1][0] == "account_frozen"
    world.clock.forward(seconds=10)
    world.do(safety.freeze_account, FreezeAccount(actor, "again"))  # twice is no error
    since = AccountFrozen(frozen.frozen_at)
    kept = world.database.read(lambda u: u.db.exec(select(AccountFreeze.reason)).first())
    assert "手机丢了" not in kept
    money = world.money()
    issue = IssueCode(actor, actor.person_id, Purpose.PHARMACY_PURCHASE, new_key())
    assert world.do(codes.issue_code, issue) == since
    assert world.presettle(scanned.token, line(IBUPROFEN)) == since
    assert world.settle(waiting.id) == since
    assert world.money() == money
    world.clock.forward(minutes=6)
    thaw = UnfreezeAccount(actor)
    asked = StepUpRequired((Proof.PAYMENT_PASSWORD,))
    assert world.do(safety.unfreeze_account, thaw) == asked
    step(world, actor, GOOD)
    assert world.do(safety.unfreeze_account, thaw).frozen_at is None
    assert world.do(safety.unfreeze_account, thaw).frozen_at is None
    world._actors["worker"] = actor
    assert world.buy("worker", line(IBUPROFEN, "1", "30.00")).account_fen == 3_000
    for use_case, command in (
        (safety.freeze_account, FreezeAccount(Anonymous(), "")),
        (safety.unfreeze_account, UnfreezeAccount(Anonymous())),
    ):
        assert world.do(use_case, command) == SignInRequired()


def test_a_code_shown_before_the_freeze_is_worth_nothing(world: World) -> None:
    text = world.issue("worker").text
    world.do(safety.freeze_account, FreezeAccount(world.actor("worker"), ""))
    assert isinstance(world.scan_text(text), AccountFrozen)


def test_a_stay_is_settled_without_the_frozen_account(world: World) -> None:
    world.change_settings(confirm_above_fen=10**9)
    stay = world.admit("worker")
    care = line(VISIT, "1", "5000.00", traces=0)
    facts = {"at": LEVEL_3, "stay_id": stay.id, "discharge": True}
    priced = world.presettle("", care, **facts)
    assert priced.outcome.account_fen > 0
    world.do(safety.freeze_account, FreezeAccount(world.actor("worker"), ""))
    assert isinstance(world.settle(priced.id, LEVEL_3), BillOutdated)
    settled = world.settle(world.presettle("", care, **facts).id, LEVEL_3)
    assert (settled.account_fen, settled.fund_fen) == (0, priced.outcome.fund_fen)
    assert world.faults() == []


def test_sessions_and_proofs_are_kept_as_they_were_shown(world: World) -> None:
    actor = signed_in(world, "worker")
    shown = world.database.read(lambda u: u.db.get_one(DeviceSession, actor.session_id).proofs)
    assert shown == {"SMS_CODE": world.clock.now().isoformat()}
