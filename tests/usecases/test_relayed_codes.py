"""Relayed codes, split purchases, notices, and "not me", on real databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.access.contracts import Anonymous, SignInRequired
from backend.codes.contracts import CodeRevoked, CodeVoided, Purpose
from backend.identity import queries as identity
from backend.identity.safety_contracts import AccountFrozen
from backend.kernel.errors import Locale, Seconds
from backend.kernel.money import Fen
from backend.payments import misuse, queries
from backend.payments.contracts import (
    BillState,
    ConfirmReason,
    CoolingDown,
    MisuseView,
    PatientMustConfirm,
    ReportNotMe,
    SettlementNotFound,
)
from tests.usecases.test_identity_codes import card_of, resolve, signed
from tests.usecases.test_safety import messages, signed_in
from tests.world import (
    IBUPROFEN,
    LEVEL_3,
    OTHER_PHARMACY,
    VISIT,
    World,
    line,
    new_key,
    phone_of,
)

DEYANG = "H51060300001"
"""In the city next door, 37 km away: another area, and within reach."""


def test_a_code_that_was_elsewhere_just_now_waits_for_the_phone(world: World) -> None:
    world.scan("worker", DEYANG, Purpose.OUTPATIENT_SETTLEMENT)
    world.clock.forward(minutes=29)
    token = world.scan("worker").token
    bill = world.presettle(token, line(IBUPROFEN, "1", "12.00"))
    assert (bill.state, bill.confirm_reason) == (
        BillState.AWAITING_CONFIRMATION,
        ConfirmReason.OTHER_PLACE,
    )
    refused = world.settle(bill.id)
    assert refused == PatientMustConfirm(Fen(1_200), Fen(20_000), ConfirmReason.OTHER_PLACE)
    world.decide("worker", bill.id, accept=True)
    assert world.settle(bill.id).total_fen == 1_200


def test_another_pharmacy_around_the_corner_or_an_hour_later_is_no_matter(world: World) -> None:
    world.scan("worker", OTHER_PHARMACY)
    assert world.bill("worker", line(IBUPROFEN, "1", "12.00")).confirm_reason is None
    world.scan("worker", DEYANG, Purpose.OUTPATIENT_SETTLEMENT)
    world.clock.forward(minutes=31)
    assert world.bill("worker", line(IBUPROFEN, "1", "12.00")).confirm_reason is None
    world.scan("worker", DEYANG, Purpose.OUTPATIENT_SETTLEMENT)
    care = world.bill(
        "worker",
        line(VISIT, "1", "12.00", traces=0),
        at=LEVEL_3,
        purpose=Purpose.OUTPATIENT_SETTLEMENT,
    )
    assert care.confirm_reason is None  # care is not held up


def test_a_large_purchase_split_into_small_ones_waits_for_the_phone(world: World) -> None:
    for _ in range(3):
        settled = world.buy("worker_2", line(IBUPROFEN, "1", "200.00"))
    bill = world.bill("worker_2", line(IBUPROFEN, "1", "0.01"))
    assert bill.confirm_reason is ConfirmReason.SERIES
    world.reverse(settled.id)
    assert world.bill("worker_2", line(IBUPROFEN, "1", "200.00")).confirm_reason is None
    world.clock.forward(minutes=61)
    assert world.bill("worker_2", line(IBUPROFEN, "1", "200.00")).confirm_reason is None


def test_what_the_phone_said_yes_to_counts_for_nothing(world: World) -> None:
    large = world.bill("worker", line(IBUPROFEN, "1", "500.00"))
    assert large.confirm_reason is ConfirmReason.ABOVE_LIMIT
    world.decide("worker", large.id, accept=True)
    world.settle(large.id)
    for _ in range(2):
        assert world.bill("worker", line(IBUPROFEN, "1", "190.00")).confirm_reason is None


def test_a_second_costly_item_within_a_day_cools_down(world: World) -> None:
    def costly(at: str = OTHER_PHARMACY) -> Any:
        return world.bill("worker", line(IBUPROFEN, "1", "500.00"), at=at)

    first = costly()
    assert first.confirm_reason is ConfirmReason.ABOVE_LIMIT
    world.decide("worker", first.id, accept=True)
    world.settle(first.id, at=OTHER_PHARMACY)
    second = costly()
    assert second.confirm_reason is ConfirmReason.VALUABLES
    early = world.decide("worker", second.id, accept=True)
    assert early == CoolingDown(Seconds(600))
    assert "12393" in early.next_action(Locale.ZH)
    world.clock.forward(minutes=9, seconds=59)
    assert world.decide("worker", second.id, accept=True) == CoolingDown(Seconds(1))
    world.clock.forward(seconds=1)
    assert world.decide("worker", second.id, accept=True).state == "CONFIRMED"
    world.settle(second.id, at=OTHER_PHARMACY)
    cheap = world.bill("worker", line(IBUPROFEN, "1", "499.99"))
    assert cheap.confirm_reason is ConfirmReason.ABOVE_LIMIT
    world.clock.forward(hours=24)
    world._actors.clear()
    world._terminals.clear()
    assert costly().confirm_reason is ConfirmReason.ABOVE_LIMIT


def test_a_costly_item_is_refused_on_the_phone_at_once(world: World) -> None:
    first = world.bill("worker", line(IBUPROFEN, "1", "500.00"))
    world.decide("worker", first.id, accept=True)
    world.settle(first.id)
    second = world.bill("worker", line(IBUPROFEN, "1", "500.00"))
    assert world.decide("worker", second.id, accept=False).state == "REFUSED"


def test_on_identity_alone_nobody_waits(world: World) -> None:
    found = resolve(world, card=card_of(world, "elder_no_phone"))
    bill = world.presettle(found.scanned.token, line(IBUPROFEN, "1", "500.00"))
    assert (bill.state, bill.confirm_reason) == (BillState.PRESETTLED, None)


def test_every_payment_is_told_at_once(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "30.00"))
    kind, facts = messages(world)[-1]
    assert (kind, facts["to"]) == ("paid", phone_of("worker"))
    assert (facts["total_fen"], facts["account_fen"]) == (3_000, settled.account_fen)
    assert "示例大药房" in facts["where"]


def test_not_me_freezes_signs_out_revokes_and_opens_a_report(world: World) -> None:
    thief = signed_in(world, "worker", "陌生手机")
    code = signed(world, "worker")
    shown = world.issue("worker").text
    settled = world.buy("worker", line(IBUPROFEN, "1", "30.00"))
    command = ReportNotMe(world.actor("worker"), settled.id, "我在家", new_key())
    for wrong in (
        replace(command, settlement_id="no such"),
        replace(command, actor=world.actor("retiree")),
    ):
        again = replace(wrong, request_id=new_key())
        assert world.do(misuse.report_not_me, again) == SettlementNotFound()
    nobody = replace(command, actor=Anonymous())
    assert world.do(misuse.report_not_me, nobody) == SignInRequired()
    report = world.do(misuse.report_not_me, command)
    assert isinstance(report, MisuseView)
    assert world.do(misuse.report_not_me, command) == report
    assert world.do(misuse.report_not_me, replace(command, request_id=new_key())) == report
    person = world.person("worker")
    held = world.database.read(lambda u: identity.safety(u, person))
    assert (held.frozen_at, held.freeze_reason) == (world.clock.now(), "不是我")
    opened = world.database.read(lambda u: identity.devices(u, person))
    assert [d.session_id for d in opened] == [world.actor("worker").session_id]
    assert thief.session_id not in {d.session_id for d in opened}
    assert isinstance(world.scan_text(shown), AccountFrozen | CodeVoided)
    assert world.database.read(lambda u: queries.misuse_reports(u, 9)) == [report]
    assert resolve(world, code.text) == CodeRevoked()


@pytest.mark.parametrize("limit", [0, 5_000])
def test_whoever_sets_a_lower_limit_is_asked_sooner(world: World, limit: int) -> None:
    world.change_settings(confirm_above_fen=limit)
    bill = world.bill("worker", line(IBUPROFEN, "1", "51.00"))
    assert bill.confirm_reason is ConfirmReason.ABOVE_LIMIT
