"""The unhappy paths: each refusal is its own type, says what to do, and changes no money."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest

from backend.access.contracts import Anonymous, NotPermitted, Operator, PersonActor, SignInRequired
from backend.codes import service as codes
from backend.codes.contracts import (
    CodeExpired,
    CodeForOtherPurpose,
    CodeUnknown,
    CodeUnreadable,
    CodeUsed,
    CodeVoided,
    GrantNotValid,
    IssueCode,
    Purpose,
    PurposeNotHere,
)
from backend.codes.logic import make_code
from backend.infra.idempotency import RequestKeyInvalid, RequestKeyReused
from backend.infra.tokens import TokenInvalid, key_id_of, verify_access_token
from backend.institutions import service as institution_service
from backend.institutions.contracts import (
    Agreement,
    AgreementNotOpen,
    OpenTerminalSession,
    OperatorUnnamed,
    TerminalNotRegistered,
)
from backend.kernel.errors import Locale, Refusal, Retry
from backend.ledger.contracts import EntryKind, Posting
from backend.ledger.service import post
from backend.payments import decisions
from backend.payments import service as payments
from backend.payments.contracts import (
    AlreadyReversed,
    BasketEmpty,
    BillExpired,
    BillNotFound,
    BillNotOpen,
    BillOutdated,
    BillRefused,
    BillView,
    DecideBill,
    ItemNotInCatalogue,
    ItemNotSoldHere,
    NotInsured,
    PatientMustConfirm,
    PriceInvalid,
    QuantityInvalid,
    ReversalTooLate,
    ScanCode,
    SettlementNotFound,
    TooManyLines,
    TraceCodesWrong,
)
from backend.policies.contracts import AnnounceOutage, OutageNow, Service
from backend.policies.service import announce_outage
from backend.rulebook.contracts import RuleNotLoaded
from backend.sample_data.load import sample_key
from backend.settlement.contracts import LaterSettlementsInTheWay, SettlementView, TraceCodeSold
from tests.world import (
    CAMPUS,
    COMMUNITY,
    IBUPROFEN,
    LEVEL_3,
    OTHER_PHARMACY,
    PHARMACY,
    VISIT,
    World,
    line,
    new_key,
    trace_code,
)

PURCHASE = Purpose.PHARMACY_PURCHASE


def refused(world: World, kind: type[Refusal], act: Callable[[], Any]) -> Any:
    """Assert that an act is refused as a kind, in words in both languages, and moves no money."""
    before = world.money()
    outcome = act()
    assert type(outcome) is kind, outcome
    for locale in Locale:
        assert outcome.message(locale).strip()
        assert outcome.next_action(locale).strip()
        assert "{" not in outcome.message(locale) + outcome.next_action(locale)
    assert world.money() == before
    return outcome


# -- codes ----------------------------------------------------------------------------------------


def test_expired_code(world: World) -> None:
    text = world.issue("worker").text
    world.clock.forward(seconds=60)
    refused(world, CodeExpired, lambda: world.scan_text(text))


def test_code_in_its_last_second(world: World) -> None:
    text = world.issue("worker").text
    world.clock.forward(seconds=59)
    assert world.scan_text(text).purpose is PURCHASE


def test_used_code(world: World) -> None:
    text = world.issue("worker").text
    world.scan_text(text)
    refused(world, CodeUsed, lambda: world.scan_text(text))
    refused(world, CodeUsed, lambda: world.scan_text(text, OTHER_PHARMACY))


def test_voided_code(world: World) -> None:
    older = world.issue("worker").text
    newer = world.issue("worker").text
    refused(world, CodeVoided, lambda: world.scan_text(older))
    assert world.scan_text(newer).purpose is PURCHASE


def test_a_code_of_another_device_stays(world: World) -> None:
    actor = world.actor("worker")
    other = PersonActor(actor.person_id, "another-device")
    command = IssueCode(other, actor.person_id, PURCHASE, new_key())
    on_other = world.do(codes.issue_code, command)
    world.issue("worker")
    assert world.scan_text(on_other.text).purpose is PURCHASE


def test_code_for_another_purpose(world: World) -> None:
    text = world.issue("worker", Purpose.OUTPATIENT_SETTLEMENT).text
    answer = refused(world, CodeForOtherPurpose, lambda: world.scan_text(text))
    assert (answer.issued_for, answer.asked_for) == ("OUTPATIENT_SETTLEMENT", "PHARMACY_PURCHASE")


@pytest.mark.parametrize(
    "text",
    ["", "12345", "4243669509084040896099330000", "x" * 28, "７" * 28, "751" + "0" * 25],
)
def test_unreadable_code(world: World, text: str) -> None:
    refused(world, CodeUnreadable, lambda: world.scan_text(text))


def test_unknown_code(world: World) -> None:
    refused(world, CodeUnknown, lambda: world.scan_text(make_code("751", "1" * 23)))


def test_a_pharmacy_does_no_outpatient_care(world: World) -> None:
    text = world.issue("worker", Purpose.OUTPATIENT_SETTLEMENT).text
    refused(
        world,
        PurposeNotHere,
        lambda: world.scan_text(text, purpose=Purpose.OUTPATIENT_SETTLEMENT),
    )


def test_a_code_only_for_oneself(world: World) -> None:
    command = IssueCode(world.actor("worker"), world.person("retiree"), PURCHASE, new_key())
    refused(world, NotPermitted, lambda: world.do(codes.issue_code, command))
    nobody = IssueCode(Anonymous(), world.person("retiree"), PURCHASE, new_key())
    refused(world, SignInRequired, lambda: world.do(codes.issue_code, nobody))


# -- terminals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "T-unknown"},
        {"aud": "elsewhere"},
        {"exp": 1},
        {"iat": 1},
        {"jti": None},
    ],
)
def test_terminal_that_cannot_prove_itself(world: World, changes: dict[str, Any]) -> None:
    malformed = changes.get("jti", "") is None
    assertion = "not.a.token" if malformed else world.assertion(PHARMACY, **changes)
    command = OpenTerminalSession(assertion, "1001", "收银员")
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, TerminalNotRegistered, act)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: value} for name in ("exp", "iat") for value in (
            10**18, -(10**18), 10**400, -1, 1e300, "x", None, True, [], {"a": 1}
        )),
        *({"jti": value} for value in ("a\0b", "\ud800", "x" * 201, 7, [], {})),
        *({"iss": value} for value in ("T\0", "\ud800", "x" * 5_000, 7, [], {})),
        {"aud": ["\0", 7]},
        {"aud": 7},
        {"nbf": 10**18},
    ],
    ids=lambda changes: str(changes)[:40],
)  # fmt: skip
def test_an_assertion_of_anybodys_making(world: World, changes: dict[str, Any]) -> None:
    command = OpenTerminalSession(_signed(changes), "1001", "收银员")
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, TerminalNotRegistered, act)


@pytest.mark.parametrize("part", [0, 1])
def test_an_assertion_that_is_nested_without_end(world: World, part: int) -> None:
    parts = world.assertion(PHARMACY).split(".")
    parts[part] = base64.urlsafe_b64encode(b"[" * 20_000).rstrip(b"=").decode()
    command = OpenTerminalSession(".".join(parts), "1001", "收银员")
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, TerminalNotRegistered, act)
    with pytest.raises(TokenInvalid):
        verify_access_token(
            world.database.resources.vault.ring, "yibao", ".".join(parts), world.clock.now()
        )
    assert key_id_of(".".join(parts)) == ""


def _signed(changes: dict[str, Any]) -> str:
    """Return a terminal's assertion that says anything at all under a right signature."""
    number = f"T{PHARMACY}01"
    said = {
        "iss": number, "aud": "openTerminalSession", "jti": "j", "iat": 1_781_488_800,
        "exp": 1_781_488_860, **changes,
    }  # fmt: skip
    whole = jwt.api_jws.encode(json.dumps(said).encode(), sample_key(number), "EdDSA")
    return str(whole)


def test_an_assertion_serves_once(world: World) -> None:
    command = OpenTerminalSession(world.assertion(PHARMACY), "1001", "收银员")
    world.do(institution_service.open_terminal_session, command)
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, TerminalNotRegistered, act)


def test_another_terminals_key(world: World) -> None:
    stolen = world.assertion(OTHER_PHARMACY, iss=f"T{PHARMACY}01")
    command = OpenTerminalSession(stolen, "1001", "收银员")
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, TerminalNotRegistered, act)


def test_a_withdrawn_terminal(world: World) -> None:
    world.database.write(
        lambda u: institution_service.withdraw_terminal(u, "tester", f"T{PHARMACY}01")
    )
    command = OpenTerminalSession(world.assertion(PHARMACY), "1001", "收银员")
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, TerminalNotRegistered, act)


def test_an_operator_must_be_named(world: World) -> None:
    command = OpenTerminalSession(world.assertion(PHARMACY), " ", "收银员")
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, OperatorUnnamed, act)


def test_suspended_agreement_stops_every_step(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    scanned = world.scan("worker_2")
    text = world.issue("worker_3").text
    terminal = world.terminal(PHARMACY)
    world.database.write(
        lambda u: institution_service.set_agreement(
            u, "tester", terminal.institution_id, Agreement.SUSPENDED
        )
    )
    refused(world, AgreementNotOpen, lambda: world.scan_text(text))
    refused(world, AgreementNotOpen, lambda: world.presettle(scanned.token, line(IBUPROFEN)))
    refused(world, AgreementNotOpen, lambda: world.settle(bill.id))
    command = OpenTerminalSession(world.assertion(PHARMACY), "1001", "收银员")
    act = lambda: world.do(institution_service.open_terminal_session, command)  # noqa: E731
    refused(world, AgreementNotOpen, act)


def test_people_are_no_terminals_and_terminals_no_people(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    command = ScanCode(world.actor("worker"), "x", PURCHASE, new_key())  # type: ignore[arg-type]
    refused(world, SignInRequired, lambda: world.do(payments.scan_code, command))
    decide = DecideBill(world.terminal(), bill.id, True, new_key())
    refused(world, BillNotFound, lambda: world.do(decisions.decide_bill, decide))


# -- baskets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "kind", "numbers"),
    [
        ([], BasketEmpty, None),
        ([line(IBUPROFEN)] * 101, TooManyLines, None),
        ([line(IBUPROFEN, "0", traces=0)], QuantityInvalid, (1,)),
        ([line(IBUPROFEN), line(IBUPROFEN, "-1", traces=0)], TraceCodesWrong, (2,)),
        ([line(IBUPROFEN, "-201", traces=0)], QuantityInvalid, (1,)),
        ([line(IBUPROFEN, "201", traces=0)], QuantityInvalid, (1,)),
        ([line(IBUPROFEN, "1.5", traces=1)], QuantityInvalid, (1,)),
        ([line(IBUPROFEN, "1", "0.00")], PriceInvalid, (1,)),
        ([line(IBUPROFEN, "1", "-5.00")], PriceInvalid, (1,)),
        ([line(IBUPROFEN, "1", "1000000.01")], PriceInvalid, (1,)),
        ([line("X-NOWHERE")], ItemNotInCatalogue, (1,)),
        ([line(IBUPROFEN), line(VISIT, traces=0)], ItemNotSoldHere, (2,)),
        ([line(IBUPROFEN, "2", traces=1)], TraceCodesWrong, (1,)),
        ([line(IBUPROFEN, "1", traces=0)], TraceCodesWrong, (1,)),
        ([line(IBUPROFEN, "1", trace_codes=("too-short",))], TraceCodesWrong, (1,)),
        ([line(IBUPROFEN, "1", trace_codes=("8" * 20,))] * 2, TraceCodesWrong, (1, 2)),
    ],
)
def test_baskets(world: World, lines: list[Any], kind: type[Refusal], numbers: Any) -> None:
    token = world.scan("worker").token
    answer = refused(world, kind, lambda: world.presettle(token, *lines))
    if numbers is not None:
        assert answer.line_numbers == numbers
    good = world.presettle(token, line(IBUPROFEN))  # the scan is still good for a right basket
    assert isinstance(good, BillView)


def test_split_packs_share_a_trace_code(world: World) -> None:
    pack = trace_code()
    half = line(IBUPROFEN, "0.5", "10.00", trace_codes=(pack,), split=True)
    world.buy("worker", half)
    world.buy("worker_2", half)
    whole = line(IBUPROFEN, "1", "10.00", trace_codes=(pack,))
    token = world.scan("worker_3").token
    refused(world, TraceCodeSold, lambda: world.presettle(token, whole))


def test_a_pack_is_sold_once(world: World) -> None:
    pack = line(IBUPROFEN)
    world.buy("worker", pack)
    token = world.scan("worker_2", OTHER_PHARMACY).token
    act = lambda: world.presettle(token, line(IBUPROFEN), pack, at=OTHER_PHARMACY)  # noqa: E731
    answer = refused(world, TraceCodeSold, act)
    assert answer.line_numbers == (2,)
    assert answer.trace_codes == pack.trace_codes


def test_a_pack_sold_between_pricing_and_settling(world: World) -> None:
    pack = line(IBUPROFEN)
    bill = world.bill("worker", pack)
    world.buy("worker_2", pack, at=OTHER_PHARMACY)
    refused(world, TraceCodeSold, lambda: world.settle(bill.id))


def test_somebody_without_enrolment(world: World) -> None:
    scanned = world.scan("not_insured")
    assert scanned.paying_enrolment_id is None
    refused(world, NotInsured, lambda: world.presettle(scanned.token, line(IBUPROFEN)))
    token = world.scan("worker").token
    act = lambda: world.presettle(token, line(IBUPROFEN), enrolment_id="nobody's")  # noqa: E731
    refused(world, NotInsured, act)


def test_a_region_whose_rules_are_not_loaded(world: World) -> None:
    token = world.scan("zigong", COMMUNITY, Purpose.OUTPATIENT_SETTLEMENT).token
    act = lambda: world.presettle(token, line(VISIT, traces=0), at=COMMUNITY)  # noqa: E731
    assert refused(world, RuleNotLoaded, act).region == "510300"


def test_a_student_has_first_contact_at_the_campus_only(world: World) -> None:
    purpose = Purpose.OUTPATIENT_SETTLEMENT
    elsewhere = world.bill("student", line(VISIT, traces=0), at=LEVEL_3, purpose=purpose)
    on_campus = world.bill("student", line(VISIT, traces=0), at=CAMPUS, purpose=purpose)
    assert (elsewhere.outcome.fund_fen, on_campus.outcome.fund_fen) == (0, 600)


# -- grants and bills -----------------------------------------------------------------------------


def test_a_grant_is_bound_to_its_terminal_and_time(world: World) -> None:
    token = world.scan("worker").token
    act = lambda: world.presettle(token, line(IBUPROFEN), at=OTHER_PHARMACY)  # noqa: E731
    refused(world, GrantNotValid, act)
    refused(world, GrantNotValid, lambda: world.presettle("made-up", line(IBUPROFEN)))
    world.clock.forward(seconds=600)
    refused(world, GrantNotValid, lambda: world.presettle(token, line(IBUPROFEN)))


def test_a_grant_ends_with_its_settlement(world: World) -> None:
    scanned = world.scan("worker")
    bill = world.presettle(scanned.token, line(IBUPROFEN))
    world.settle(bill.id)
    refused(world, GrantNotValid, lambda: world.presettle(scanned.token, line(IBUPROFEN)))


def test_expired_bill(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    world.clock.forward(seconds=300)
    refused(world, BillExpired, lambda: world.settle(bill.id))
    refused(world, BillExpired, lambda: world.decide("worker", bill.id, accept=True))


def test_bill_that_waits_for_the_phone(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "500.00"))
    key = new_key()
    answer = refused(world, PatientMustConfirm, lambda: world.settle(bill.id, key=key))
    assert answer.retry is Retry.SAME_REQUEST
    world.decide("worker", bill.id, accept=True)
    assert isinstance(world.settle(bill.id, key=key), SettlementView)  # the same key, as told


def test_refused_bill(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "500.00"))
    world.decide("worker", bill.id, accept=False)
    refused(world, BillRefused, lambda: world.settle(bill.id))
    refused(world, BillNotOpen, lambda: world.decide("worker", bill.id, accept=True))


def test_deciding_the_same_way_twice_is_no_error(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "500.00"))
    first = world.decide("worker", bill.id, accept=True)
    assert world.decide("worker", bill.id, accept=True) == first


def test_strangers_decide_nothing(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "500.00"))
    refused(world, BillNotFound, lambda: world.decide("retiree", bill.id, accept=True))
    refused(world, BillNotFound, lambda: world.settle(bill.id, at=OTHER_PHARMACY))
    refused(world, BillNotFound, lambda: world.settle("no-such-bill"))


def test_a_bill_whose_facts_have_changed(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "150.00"))
    world.buy("worker", line(IBUPROFEN, "1", "150.00"))
    answer = refused(world, BillOutdated, lambda: world.settle(bill.id))
    assert (answer.account_before_fen, answer.account_now_fen) == (15000, 10000)
    assert (answer.fund_before_fen, answer.fund_now_fen) == (0, 5000)


def test_settled_twice(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    world.settle(bill.id)
    refused(world, BillNotOpen, lambda: world.settle(bill.id))


def test_outage(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    now = world.clock.now()
    command = AnnounceOutage(
        Operator("tester"),
        "510100",
        (Service.PHARMACY_SETTLEMENT,),
        now + timedelta(minutes=1),
        now + timedelta(minutes=3),
        "系统升级",
        "请稍后再来",
    )
    world.do(announce_outage, command)
    text = world.issue("worker_2").text
    key = new_key()
    world.clock.forward(seconds=59)
    assert world.scan_text(text).purpose is PURCHASE
    world.clock.forward(seconds=1)
    answer = refused(world, OutageNow, lambda: world.settle(bill.id, key=key))
    assert (answer.reason, answer.instead) == ("系统升级", "请稍后再来")
    world.clock.forward(seconds=120)
    assert isinstance(world.settle(bill.id, key=key), SettlementView)


def test_only_the_province_announces_outages(world: World) -> None:
    now = world.clock.now()
    command = AnnounceOutage(
        world.actor("worker"), "510100", (Service.CODE,), now, now + timedelta(hours=1), "x", "y"
    )
    refused(world, NotPermitted, lambda: world.do(announce_outage, command))


# -- reversals ------------------------------------------------------------------------------------


def test_reversal_on_another_day(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN))
    world.clock.forward(hours=14)  # 10:00 becomes midnight in Chengdu
    world._terminals.clear()
    refused(world, ReversalTooLate, lambda: world.reverse(settled.id))


def test_reversal_by_another_institution(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN))
    refused(world, SettlementNotFound, lambda: world.reverse(settled.id, at=OTHER_PHARMACY))
    refused(world, SettlementNotFound, lambda: world.reverse("no-such-settlement"))


def test_reversal_twice_and_of_a_reversal(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN))
    reversal = world.reverse(settled.id)
    refused(world, AlreadyReversed, lambda: world.reverse(settled.id))
    refused(world, AlreadyReversed, lambda: world.reverse(reversal.id))


def test_reversal_below_later_settlements(world: World) -> None:
    first = world.buy("worker", line(IBUPROFEN, "1", "150.00"))
    second = world.buy("worker", line(IBUPROFEN, "1", "150.00"))
    third = world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    answer = refused(world, LaterSettlementsInTheWay, lambda: world.reverse(first.id))
    assert answer.settlement_ids == (third.id, second.id)
    for settled in (third, second, first):
        assert isinstance(world.reverse(settled.id), SettlementView)
    assert world.used("worker").deductible_fen == 0


def test_a_later_settlement_that_would_not_change_is_not_in_the_way(world: World) -> None:
    world.buy("worker", line(IBUPROFEN, "1", "200.00"))
    middle = world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    assert isinstance(world.reverse(middle.id), SettlementView)
    assert world.faults() == []


# -- request keys ---------------------------------------------------------------------------------


def test_the_same_key_gets_the_same_answer(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    key = new_key()
    first = world.settle(bill.id, key=key)
    before = world.money()
    world.clock.forward(minutes=1)
    assert world.settle(bill.id, key=key) == first
    assert world.money() == before


def test_the_same_key_after_a_new_session(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    key = new_key()
    first = world.settle(bill.id, key=key)
    world._terminals.clear()
    assert world.settle(bill.id, key=key) == first


def test_the_same_key_with_other_content(world: World) -> None:
    one, two = (world.bill(who, line(IBUPROFEN)) for who in ("worker", "worker_2"))
    key = new_key()
    world.settle(one.id, key=key)
    refused(world, RequestKeyReused, lambda: world.settle(two.id, key=key))


def test_a_refusal_burns_its_key(world: World) -> None:
    key = new_key()
    token = world.scan("worker").token
    bad = (line(IBUPROFEN, "0", traces=0),)
    first = world.presettle(token, *bad, key=key)
    assert world.presettle(token, *bad, key=key) == first
    refused(world, RequestKeyReused, lambda: world.presettle(token, line(IBUPROFEN), key=key))


@pytest.mark.parametrize("key", ["", "x" * 65, "钥匙", "a\nb"])
def test_bad_keys(world: World, key: str) -> None:
    bill = world.bill("worker", line(IBUPROFEN))
    # World.settle would make a key of an empty one, so the command is built here
    command = payments.Settle(world.terminal(), bill.id, key)
    refused(world, RequestKeyInvalid, lambda: world.do(payments.settle, command))


def test_keys_of_two_terminals_do_not_meet(world: World) -> None:
    key = new_key()
    one = world.bill("worker", line(IBUPROFEN))
    two = world.bill("worker_2", line(IBUPROFEN), at=OTHER_PHARMACY)
    assert world.settle(one.id, key=key).bill_id == one.id
    assert world.settle(two.id, at=OTHER_PHARMACY, key=key).bill_id == two.id


def test_a_posting_below_zero_is_refused_by_ledger_and_database(world: World) -> None:
    account = f"personal:{world.enrolment('poor_balance')}"
    postings = [Posting(account, payments.Fen(-1251)), Posting("x", payments.Fen(1251))]
    before = world.money()
    with pytest.raises(Exception, match="personal"):
        world.database.write(lambda u: post(u, EntryKind.SETTLEMENT, "r", "m", postings))
    assert world.money() == before
