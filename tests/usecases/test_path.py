"""The path of a purchase, to the fen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.codes.contracts import Purpose
from backend.infra import audit
from backend.payments.contracts import BillNotOpen, BillRefused, BillState, Payer, PayerReason
from backend.settlement.contracts import PartKind, PayerKind, SettlementKind
from tests.world import (
    COMMUNITY,
    EJIAO,
    IBUPROFEN,
    LEVEL_3,
    LIANHUA,
    POOLLESS_PHARMACY,
    ROSUVASTATIN,
    VISIT,
    World,
    line,
)

OUTPATIENT = Purpose.OUTPATIENT_SETTLEMENT


def test_a_mixed_basket_is_settled_to_the_fen(world: World) -> None:
    before = world.balance("worker")
    settled = world.buy(
        "worker",
        line(IBUPROFEN, "2", "150.00"),
        line(ROSUVASTATIN, "1", "28.65"),
        line(LIANHUA, "2", "16.50"),
        line(EJIAO, "1", "98.00"),
    )
    o = settled.outcome
    # 300.00 + 28.65 + 33.00 + 98.00; limit 14.80 × 2 = 29.60; prepaid 28.65 × 10 % = 2.865 → 2.87
    assert (o.total_fen, o.full_self_pay_fen, o.over_limit_fen) == (45965, 9800, 340)
    assert (o.prepaid_share_fen, o.in_scope_fen) == (287, 35538)
    # deductible 200.00; (355.38 − 200.00) × 50 % = 77.69
    assert (o.deductible_fen, o.fund_fen) == (20000, 7769)
    # account: deductible 200.00 + own share 77.69 + prepaid 2.87; cash: 98.00 + 3.40
    assert (o.account_fen, o.cash_fen) == (28056, 10140)
    assert (o.deductible_left_fen, o.fund_left_fen) == (0, 192231)
    assert before is not None
    assert world.balance("worker") == before - 28056 == settled.account_balance_after_fen
    assert world.used("worker").deductible_fen == 20000
    assert world.used("worker").fund_fen == 7769
    assert world.faults() == []
    assert world.database.read(audit.verify) == []


def test_every_fen_of_a_settlement_names_payer_rule_clause_and_date(world: World) -> None:
    o = world.buy("worker", line(IBUPROFEN, "1", "300.00"), line(EJIAO, "1", "50.00")).outcome
    assert [
        (p.kind, p.amount_fen, p.by(PayerKind.BASIC), p.by(PayerKind.ACCOUNT), p.by(PayerKind.CASH))
        for p in o.parts
    ] == [
        (PartKind.DEDUCTIBLE, 20000, 0, 20000, 0),
        (PartKind.FUND_SHARE, 5000, 5000, 0, 0),
        (PartKind.OWN_SHARE, 5000, 0, 5000, 0),
        (PartKind.FULL_SELF_PAY, 5000, 0, 0, 5000),
    ]
    for part in o.parts:
        assert part.ref.document
        assert part.ref.clause
        assert part.ref.effective_from.isoformat() in ("2009-01-01", "2020-09-01", "2023-01-01")
    assert [p.ref.rule for p in o.parts][:2] == ["CD-OP-W/deductible", "CD-OP-W/rate"]
    assert o.account_ref is not None
    assert o.account_ref.provisional
    assert o.provisional


def test_the_deductible_is_used_once_a_year(world: World) -> None:
    first = world.buy("worker", line(IBUPROFEN, "1", "120.00"))
    second = world.buy("worker", line(IBUPROFEN, "1", "120.00"))
    assert (first.outcome.deductible_fen, first.fund_fen) == (12000, 0)
    assert (second.outcome.deductible_fen, second.fund_fen) == (8000, 2000)


def test_a_new_year_begins_with_nothing_used(world: World) -> None:
    world.buy("worker", line(IBUPROFEN, "1", "500.00"))
    world.clock.forward(days=365)
    world._terminals.clear()
    again = world.buy("worker", line(IBUPROFEN, "1", "120.00"))
    assert again.outcome.accumulator_year == 2027
    assert again.outcome.deductible_fen == 12000


def test_the_fund_stops_at_its_yearly_limit(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "50", "100.00"))
    o = settled.outcome
    # (5000 − 200) × 50 % = 2400, limit 2000
    assert o.fund_fen == 200000
    assert [p.amount_fen for p in o.parts if p.kind is PartKind.ABOVE_FUND_LIMIT] == [40000]
    assert o.fund_left_fen == 0
    after = world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    assert after.fund_fen == 0
    fund = {p.payer: p for p in world.scan("worker").payers}[Payer.FUND]
    assert (fund.usable, fund.reason, fund.left_fen) == (False, PayerReason.LIMIT_USED_UP, 0)


def test_retirees_have_their_own_deductible_rate_and_limit(world: World) -> None:
    o = world.buy("retiree", line(IBUPROFEN, "1", "500.00")).outcome
    assert (o.deductible_fen, o.fund_fen, o.fund_limit_fen) == (15000, 21000, 250000)


def test_pool_only_workers_pay_their_share_in_cash(world: World) -> None:
    o = world.buy("pool_only", line(IBUPROFEN, "1", "300.00")).outcome
    assert (o.fund_fen, o.account_fen, o.cash_fen, o.fund_limit_fen) == (5000, 0, 25000, 88000)


def test_a_small_balance_leaves_the_rest_in_cash(world: World) -> None:
    assert world.balance("poor_balance") == 1250
    o = world.buy("poor_balance", line(IBUPROFEN, "1", "100.00")).outcome
    assert (o.account_fen, o.cash_fen, o.account_balance_after_fen) == (1250, 8750, 0)
    assert world.balance("poor_balance") == 0


def test_the_account_is_left_alone_on_request(world: World) -> None:
    before = world.balance("worker")
    bill = world.bill("worker", line(IBUPROFEN, "1", "100.00"), use_account=False)
    assert (bill.outcome.account_fen, bill.outcome.cash_fen) == (0, 10000)
    assert world.settle(bill.id).cash_fen == 10000
    assert world.balance("worker") == before


def test_outpatient_care_pays_by_level_of_the_hospital(world: World) -> None:
    visit = line(VISIT, "1", "300.00", traces=0)
    tertiary = world.buy("worker", visit, at=LEVEL_3, purpose=OUTPATIENT)
    community = world.buy("worker_2", visit, at=COMMUNITY, purpose=OUTPATIENT)
    assert tertiary.fund_fen == 5000
    assert community.fund_fen == 6000


def test_residents_are_paid_at_hospitals_and_not_at_pharmacies(world: World) -> None:
    at_hospital = world.buy(
        "resident", line(VISIT, "1", "100.00", traces=0), at=COMMUNITY, purpose=OUTPATIENT
    )
    assert (at_hospital.fund_fen, at_hospital.cash_fen) == (6000, 4000)
    at_pharmacy = world.buy("resident", line(IBUPROFEN, "1", "100.00"))
    assert (at_pharmacy.fund_fen, at_pharmacy.account_fen, at_pharmacy.cash_fen) == (0, 0, 10000)
    payers = {p.payer: p.reason for p in world.scan("resident").payers}
    assert payers == {
        Payer.FUND: PayerReason.PLACE_NOT_COVERED,
        Payer.ACCOUNT: PayerReason.NO_ACCOUNT,
        Payer.CASH: PayerReason.USABLE,
    }


def test_a_pharmacy_outside_the_pool_takes_account_money_only(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "300.00"), at=POOLLESS_PHARMACY)
    assert (settled.fund_fen, settled.account_fen) == (0, 30000)
    assert world.used("worker").deductible_fen == 0


def test_suspended_people_pay_from_their_account_and_count_nothing(world: World) -> None:
    o = world.buy("suspended", line(IBUPROFEN, "1", "300.00")).outcome
    assert (o.fund_fen, o.account_fen, o.deductible_fen) == (0, 30000, 0)
    assert [p.kind for p in o.parts] == [PartKind.NO_FUND_BENEFIT]
    assert world.used("suspended").deductible_fen == 0
    payers = {p.payer: p.reason for p in world.scan("suspended").payers}
    assert payers[Payer.FUND] is PayerReason.STATUS


def test_people_in_the_waiting_period_pay_cash(world: World) -> None:
    visit = line(VISIT, "1", "100.00", traces=0)
    settled = world.buy("waiting", visit, at=COMMUNITY, purpose=OUTPATIENT)
    assert (settled.fund_fen, settled.cash_fen) == (0, 10000)


def test_of_several_enrolments_the_one_in_force_pays(world: World) -> None:
    scanned = world.scan("several", COMMUNITY, OUTPATIENT)
    statuses = {e.id: e.status for e in scanned.enrolments}
    assert sorted(statuses.values()) == ["ACTIVE", "SUSPENDED"]
    assert statuses[scanned.paying_enrolment_id or ""] == "ACTIVE"
    visit = line(VISIT, "1", "100.00", traces=0)
    bill = world.presettle(scanned.token, visit, at=COMMUNITY)
    assert bill.outcome.fund_fen == 6000
    other = next(e for e, status in statuses.items() if status == "SUSPENDED")
    suspended = world.presettle(scanned.token, visit, at=COMMUNITY, enrolment_id=other)
    assert suspended.outcome.fund_fen == 0


def test_a_reversal_restores_everything_by_new_entries(world: World) -> None:
    before = (world.balance("worker"), world.used("worker"))
    packs = line(IBUPROFEN, "2", "150.00")
    settled = world.buy("worker", packs)
    world.clock.forward(hours=3)
    world._terminals.clear()
    reversal = world.reverse(settled.id)
    assert reversal.kind is SettlementKind.REVERSAL
    assert (reversal.total_fen, reversal.fund_fen) == (-30000, -5000)
    assert reversal.reverses_id == settled.id
    assert (world.balance("worker"), world.used("worker")) == before
    assert world.buy("worker", packs).total_fen == 30000  # the packs can be sold again
    assert world.faults() == []


def test_the_patient_decides_above_their_own_limit(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "200.01"))
    assert bill.state is BillState.AWAITING_CONFIRMATION
    at_the_limit = world.bill("worker", line(IBUPROFEN, "1", "200.00"))
    assert at_the_limit.state is BillState.PRESETTLED


@pytest.mark.parametrize("step", ["priced", "waiting", "confirmed"])
def test_a_bill_is_refused_or_replaced_until_it_is_settled(world: World, step: str) -> None:
    price = "20.00" if step == "priced" else "300.00"
    scanned = world.scan("worker")
    for refuses in (False, True):
        bill = world.presettle(scanned.token, line(IBUPROFEN, "1", price))
        if step == "confirmed":
            assert world.decide("worker", bill.id, accept=True).state is BillState.CONFIRMED
        assert bill.state is (
            BillState.PRESETTLED if step == "priced" else BillState.AWAITING_CONFIRMATION
        )
        if refuses:
            assert world.decide("worker", bill.id, accept=False).state is BillState.REFUSED
            assert isinstance(world.settle(bill.id), BillRefused)
        else:
            world.presettle(scanned.token, line(IBUPROFEN, "1", price))
            assert isinstance(world.settle(bill.id), BillNotOpen)
    assert world.balance("worker") is not None
    assert world.faults() == []


def test_an_older_bill_of_a_scan_is_superseded(world: World) -> None:
    scanned = world.scan("worker")
    first = world.presettle(scanned.token, line(IBUPROFEN, "1", "10.00"))
    second = world.presettle(scanned.token, line(IBUPROFEN, "1", "11.00"))
    assert world.settle(first.id).state == BillState.SUPERSEDED
    assert world.settle(second.id).total_fen == 1100


def test_a_code_lives_for_its_seconds_and_is_refreshed_before(world: World) -> None:
    issued = world.issue("worker")
    assert len(issued.text) == 28
    assert issued.text.startswith("751")
    assert issued.expires_at - issued.issued_at == timedelta(seconds=60)
    assert issued.refresh_at == issued.issued_at + timedelta(seconds=45)
