"""Codes that prove identity and pay nothing, at a till, on real databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.access.contracts import NotPermitted
from backend.codes import identities
from backend.codes.contracts import (
    Authority,
    CodeKind,
    CodeOfOtherAuthority,
    CodeRevoked,
    CodeUnknown,
    CodeUnreadable,
    CodeUsed,
    DocumentDiffers,
    IdCardReading,
    IdentityCodesRevoked,
    IssueIdentityCode,
    MakePrintedCode,
    Purpose,
    PurposeNotHere,
    RevokeIdentityCodes,
    ShowHealthCard,
)
from backend.codes.health_card import read
from backend.codes.identity_code import Verdict, verify
from backend.codes.logic import classify, make_code
from backend.identity import safety
from backend.identity.safety_contracts import AccountFrozen, FreezeAccount
from backend.payments import resolving
from backend.payments.contracts import BillView, ResolveCode, ResolvedCode
from backend.people import queries as people
from backend.proxies import service as relatives
from backend.proxies.contracts import EndBinding, Scope
from tests.usecases.test_relatives import bound
from tests.world import IBUPROFEN, LEVEL_3, PHARMACY, VISIT, World, line, new_key


def card_of(world: World, key: str) -> IdCardReading:
    known = world.database.read(lambda u: people.particulars(u, world.person(key)))
    return IdCardReading(known.name, known.id_number)


def resolve(
    world: World,
    text: str = "",
    card: IdCardReading | None = None,
    at: str = PHARMACY,
    purpose: Purpose = Purpose.PHARMACY_PURCHASE,
) -> Any:
    command = ResolveCode(world.terminal(at), text, card, purpose, new_key())
    return world.do(resolving.resolve_code, command)


def printed(world: World, key: str) -> str:
    actor = world.actor(key)
    made = world.do(identities.make_printed_code, MakePrintedCode(actor, actor.person_id))
    return str(made.text)


def signed(world: World, key: str) -> Any:
    actor = world.actor(key)
    return world.do(identities.issue_identity_code, IssueIdentityCode(actor, actor.person_id))


def health_card(world: World, key: str, dynamic: bool = True) -> Any:
    actor = world.actor(key)
    return world.do(identities.show_health_card, ShowHealthCard(actor, actor.person_id, dynamic))


def revoke(world: World, key: str) -> Any:
    actor = world.actor(key)
    command = RevokeIdentityCodes(actor, actor.person_id)
    return world.do(identities.revoke_identity_codes, command)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (make_code("751", "0" * 23), CodeKind.UNIFIED),
        (make_code("752", "0" * 23), CodeKind.PRINTED),
        ("4243669509084040896099330000", CodeKind.NATIONAL),
        ("opc123", CodeKind.NATIONAL),
        ("ABCD:EF", CodeKind.HEALTH_CARD),
        ("YBI1.XYZ:", CodeKind.SIGNED),
        ("9" * 28, CodeKind.OTHER),
        ("HIS0001", CodeKind.OTHER),
        ("", CodeKind.OTHER),
        ("７５１" + "0" * 25, CodeKind.OTHER),
    ],
)
def test_codes_are_told_apart_by_their_shape(text: str, kind: CodeKind) -> None:
    assert classify(text, "751", "752") is kind


def test_each_kind_names_its_holder_and_asks_for_the_card(world: World) -> None:
    for text, kind in (
        (printed(world, "retiree"), CodeKind.PRINTED),
        (signed(world, "retiree").text, CodeKind.SIGNED),
        (health_card(world, "retiree").text, CodeKind.HEALTH_CARD),
        (health_card(world, "retiree", dynamic=False).text, CodeKind.HEALTH_CARD),
    ):
        found = resolve(world, f" {text} ")
        assert isinstance(found, ResolvedCode), found
        assert (found.kind, found.authority) == (kind, Authority.THIS_PROVINCE)
        assert (found.person.id, found.confirmed) == (world.person("retiree"), False)
        assert found.scanned is None
        confirmed = resolve(world, text, card_of(world, "retiree"))
        assert (confirmed.confirmed, confirmed.scanned is not None) == (True, True)
        assert resolve(world, text, card_of(world, "worker")) == DocumentDiffers()


def test_the_fused_code_is_scanned_as_ever(world: World) -> None:
    text = world.issue("retiree").text
    found = resolve(world, text)
    assert (found.kind, found.confirmed) == (CodeKind.UNIFIED, True)
    bill = world.presettle(found.scanned.token, line(IBUPROFEN, "1", "30.00"))
    assert isinstance(bill, BillView)
    assert bill.outcome.account_fen > 0
    assert isinstance(resolve(world, text), CodeUsed)


def test_an_identity_card_alone_settles_without_the_account(world: World) -> None:
    found = resolve(world, card=card_of(world, "retiree"))
    assert (found.kind, found.confirmed) == (CodeKind.ID_CARD, True)
    bill = world.presettle(found.scanned.token, line(IBUPROFEN, "1", "190.00"), use_account=True)
    settled = world.settle(bill.id)
    assert (settled.account_fen, settled.cash_fen) == (0, settled.total_fen - settled.fund_fen)
    purpose = Purpose.OUTPATIENT_SETTLEMENT
    at_hospital = resolve(world, card=card_of(world, "retiree"), at=LEVEL_3, purpose=purpose)
    care = line(VISIT, "1", "500.00", traces=0)
    settled = world.settle(world.presettle(at_hospital.scanned.token, care, at=LEVEL_3).id, LEVEL_3)
    assert settled.account_fen == 0
    assert settled.fund_fen > 0
    assert world.faults() == []


def test_an_elder_without_a_phone_buys_with_paper_and_card(world: World) -> None:
    person = world.person("elder_no_phone")
    made = world.database.write(lambda u: identities.print_code(u, person, "desk"))
    found = resolve(world, made.text, card_of(world, "elder_no_phone"))
    bill = world.presettle(found.scanned.token, line(IBUPROFEN, "1", "30.00"))
    assert world.settle(bill.id).cash_fen == 3_000
    again = world.database.write(lambda u: identities.print_code(u, person, "desk"))
    assert resolve(world, made.text) == CodeRevoked()
    assert resolve(world, again.text).person.id == person


def test_what_is_not_ours_is_routed_to_who_knows_it(world: World) -> None:
    national = "4243669509084040896099330000"
    assert resolve(world, national) == CodeOfOtherAuthority(
        CodeKind.NATIONAL, Authority.NATIONAL_PLATFORM
    )
    assert resolve(world, "HIS0001") == CodeOfOtherAuthority(CodeKind.OTHER, Authority.INSTITUTION)
    assert resolve(world) == CodeUnreadable()
    assert resolve(world, make_code("752", "1" * 23)) == CodeUnknown()
    assert resolve(world, "752" + "0" * 25) == CodeUnreadable()
    assert resolve(world, "ABCD:EF") == CodeUnreadable()
    nobody = IdCardReading("某某", "990000199001010018")
    assert resolve(world, card=nobody) == DocumentDiffers()
    own = card_of(world, "retiree")
    assert resolve(world, card=IdCardReading("某某", own.id_number)) == DocumentDiffers()
    wrong_place = resolve(world, card=own, purpose=Purpose.OUTPATIENT_SETTLEMENT)
    assert isinstance(wrong_place, PurposeNotHere)


def test_codes_run_out(world: World) -> None:
    card, code = health_card(world, "retiree"), signed(world, "retiree")
    static = health_card(world, "retiree", dynamic=False)
    assert card.valid_until == world.clock.now() + timedelta(minutes=5)
    world.clock.forward(minutes=5)
    assert resolve(world, card.text) == CodeRevoked()
    assert isinstance(resolve(world, static.text), ResolvedCode)
    assert isinstance(resolve(world, code.text), ResolvedCode)
    world.clock.forward(hours=24)
    world._terminals.clear()
    assert resolve(world, code.text) == CodeRevoked()


def test_taking_back_and_freezing_stop_them_everywhere(world: World) -> None:
    paper, code = printed(world, "retiree"), signed(world, "retiree")

    def verdict() -> Verdict:
        now = world.clock.now()
        return world.database.read(
            lambda u: verify(code.text, identities.trust_list(u), now).verdict
        )

    assert verdict() is Verdict.VALID
    assert revoke(world, "retiree") == IdentityCodesRevoked(1, 1)
    assert revoke(world, "retiree") == IdentityCodesRevoked(0, 0)
    assert verdict() is Verdict.REVOKED
    assert resolve(world, paper) == resolve(world, code.text) == CodeRevoked()
    paper, code = printed(world, "retiree"), signed(world, "retiree")
    card = health_card(world, "retiree", dynamic=False)
    world.do(safety.freeze_account, FreezeAccount(world.actor("retiree"), ""))
    assert verdict() is Verdict.REVOKED
    assert resolve(world, code.text) == CodeRevoked()
    for text in (paper, card.text):
        assert isinstance(resolve(world, text), AccountFrozen)
    for refused in (signed(world, "retiree"), health_card(world, "retiree")):
        assert isinstance(refused, AccountFrozen)
    # care goes on with the identity card: the funds pay, the account rests
    found = resolve(world, card=card_of(world, "retiree"))
    bill = world.presettle(found.scanned.token, line(IBUPROFEN, "1", "30.00"))
    assert world.settle(bill.id).account_fen == 0


def test_a_code_of_another_region_is_that_regions(world: World) -> None:
    code = signed(world, "retiree")
    world.change_settings(region="440000")
    foreign = CodeOfOtherAuthority(CodeKind.SIGNED, Authority.OTHER_PROVINCE)
    assert resolve(world, code.text) == foreign


def test_a_relative_shows_them_within_the_scope_and_strangers_do_not(world: World) -> None:
    bound(world, "worker", "retiree", scopes=(Scope.SHOW_CODE,))
    bound(world, "worker_2", "retiree", scopes=(Scope.VIEW_INFO,))
    owner = world.person("retiree")
    for key, may in (("worker", True), ("worker_2", False), ("worker_3", False)):
        actor = world.actor(key)
        for use_case, command in (
            (identities.show_health_card, ShowHealthCard(actor, owner, False)),
            (identities.issue_identity_code, IssueIdentityCode(actor, owner)),
            (identities.make_printed_code, MakePrintedCode(actor, owner)),
            (identities.revoke_identity_codes, RevokeIdentityCodes(actor, owner)),
        ):
            outcome = world.do(use_case, command)
            assert isinstance(outcome, NotPermitted) is not may


def test_a_health_card_names_nobody_in_the_clear(world: World) -> None:
    card = health_card(world, "retiree")
    known = card_of(world, "retiree")
    assert known.id_number not in card.text
    keys = world.database.read(identities.card_keys)
    assert read(keys, card.text).card_id == card.card_id
    assert len(card.card_id) == 64


def test_what_a_relative_made_ends_with_the_binding(world: World) -> None:
    made = bound(world, "worker", "retiree")
    daughter, father = world.actor("worker"), world.person("retiree")
    paper = world.do(identities.make_printed_code, MakePrintedCode(daughter, father))
    shown = world.do(identities.issue_identity_code, IssueIdentityCode(daughter, father))
    for text in (paper.text, shown.text):
        assert isinstance(resolve(world, text), ResolvedCode)
    trust = world.database.read(identities.trust_list)
    assert verify(shown.text, trust, world.clock.now()).verdict is Verdict.VALID
    world.do(relatives.end_binding, EndBinding(world.actor("retiree"), made.id))
    for text in (paper.text, shown.text):
        assert resolve(world, text) == CodeRevoked()
    trust = world.database.read(identities.trust_list)
    assert verify(shown.text, trust, world.clock.now()).verdict is Verdict.REVOKED
    world.clock.forward(hours=24 * 40)
    assert world.database.write(identities.tidy_up) == 1
