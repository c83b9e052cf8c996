"""Stays in hospital, listed diseases, care away, and the settlement of them all, on real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlmodel import func, select

from backend.codes.contracts import Purpose
from backend.credit import queries as credit
from backend.credit import service as credit_service
from backend.credit.contracts import PayLaterNotPossible, PayLaterState, PayLaterView
from backend.entitlements import queries as entitled
from backend.entitlements import service as entitlements
from backend.entitlements.contracts import AgreementNotPossible, ClearingNotPossible, Pilot
from backend.entitlements.logic import QualityOutOfBounds
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.ledger.model import LedgerPosting
from backend.payments import stays
from backend.payments.contracts import BasketEmpty, BillView
from backend.payments.estimate import EstimateCosts, EstimateOption, estimate
from backend.payments.stay_contracts import (
    AlreadyInHospital,
    DepositInvalid,
    NoInpatientCare,
    NotEntitled,
    RefundExceedsCharge,
    StayNotFound,
    StayNotOpen,
    StayState,
    StayView,
    StretchInvalid,
)
from backend.people.contracts import InsuranceType
from backend.rulebook.contracts import RuleNotLoaded
from backend.rulebook.library import make_book, rulebook, shipped_packs
from backend.settlement.case import CareKind, FilingKind
from backend.settlement.contracts import (
    LaterSettlementsInTheWay,
    NoBenefitReason,
    SettlementKind,
    SettlementView,
)
from backend.settlement.queries import replay
from tests.world import (
    BEIJING,
    COMMUNITY,
    IBUPROFEN,
    LEVEL_2,
    LEVEL_3,
    PHARMACY,
    VISIT,
    World,
    line,
)

TODAY = date(2026, 6, 15)


def care(amount: str, quantity: str = "1", **more: Any) -> Any:
    return line(VISIT, quantity, amount, traces=0, **more)


def till(world: World, code: str, account: str = "till") -> int:
    institution_id = world.terminal(code).institution_id

    def read(unit: Any) -> int:
        total = select(func.sum(LedgerPosting.amount_fen)).where(
            LedgerPosting.account == f"{account}:{institution_id}"
        )
        return int(unit.db.exec(total).one() or 0)

    return world.database.read(read)


def quiet(world: World) -> None:
    """No bill waits for the phone."""
    world.change_settings(confirm_above_fen=10**9)


def test_admission_deposit_and_discharge(world: World) -> None:
    quiet(world)
    stay = world.admit("resident")
    assert (stay.state, stay.admitted_on, stay.deposit_waived) == ("ADMITTED", TODAY, False)
    assert world.deposit(stay.id, 500_000).deposit_fen == 500_000
    assert (till(world, LEVEL_3), till(world, LEVEL_3, "deposits")) == (-500_000, 500_000)
    world.clock.forward(days=4)
    settled = world.settle_stay(stay.id, care("10500"))
    o = settled.outcome
    assert (o.deductible_fen, o.pool_fen, o.cash_fen) == (50_000, 680_000, 370_000)
    # the deposit goes back, the burden is taken: 5000.00 - 3700.00 = 1300.00 for the patient
    assert (till(world, LEVEL_3), till(world, LEVEL_3, "deposits")) == (-370_000, 0)
    place = world.terminal(LEVEL_3).institution_id
    closed = world.database.read(lambda u: stays.stay_at(u, stay.id, place))
    assert closed is not None
    assert (stay.deposit_refund_fen, closed.deposit_refund_fen) == (None, 130_000)
    assert world.database.read(lambda u: stays.stay_at(u, stay.id, "elsewhere")) is None
    assert world.database.read(lambda u: stays.stay_at(u, "no such", place)) is None
    assert world.counters("resident")["inpatient_resident.stays"] == 1
    assert world.database.read(lambda u: stays.open_stays(u, "x", 9)) == []
    assert world.faults() == []


def test_every_payer_of_the_order_pays_in_one_stop(world: World) -> None:
    quiet(world)
    stay = world.admit("aided")
    settled = world.settle_stay(stay.id, care("60000"))
    paid = {(s.payer.value, s.topic): s.amount_fen for s in settled.outcome.shares}
    assert paid[("BASIC", "")] == 4_046_000
    assert paid[("CRITICAL_ILLNESS", "critical_illness")] == 490_945
    assert paid[("MEDICAL_AID", "medical_aid")] == 1_024_139
    assert settled.fund_fen == sum(a for (p, _), a in paid.items() if p != "CASH")
    assert sum(paid.values()) == 6_000_000
    assert world.faults() == []


def test_a_long_stay_in_stretches_has_one_deductible(world: World) -> None:
    quiet(world)
    stay = world.admit("worker", LEVEL_2)
    first = world.settle_stay(stay.id, care("300"), at=LEVEL_2, discharge=False)
    world.clock.forward(days=10)
    second = world.settle_stay(stay.id, care("1100"), at=LEVEL_2)
    assert (first.outcome.deductible_fen, first.outcome.pool_fen) == (30_000, 0)
    assert (second.outcome.deductible_fen, second.outcome.pool_fen) == (10_000, 90_000)
    assert world.counters("worker")["inpatient_worker.stays"] == 1
    again = world.admit("worker", LEVEL_2)
    third = world.settle_stay(again.id, care("1300"), at=LEVEL_2)
    assert (third.outcome.deductible_fen, third.outcome.pool_fen) == (30_000, 90_000)


def test_a_referral_upward_pays_the_difference_only(world: World) -> None:
    quiet(world)
    first = world.admit("worker", LEVEL_2)
    world.settle_stay(first.id, care("5000"), at=LEVEL_2)
    second = world.admit("worker", LEVEL_3, referred_from_id=first.id)
    settled = world.settle_stay(second.id, care("5000"))
    assert (settled.outcome.deductible_fen, settled.outcome.pool_fen) == (40_000, 391_000)
    assert isinstance(world.admit("worker", LEVEL_3, referred_from_id="nothing"), StayNotFound)


def test_what_cannot_be_admitted(world: World) -> None:
    assert isinstance(world.admit("worker", COMMUNITY), NoInpatientCare)
    stay = world.admit("worker")
    assert world.admit("worker", LEVEL_2) == AlreadyInHospital(TODAY)
    assert isinstance(world.cancel_stay(stay.id, LEVEL_2), StayNotFound)
    assert world.cancel_stay(stay.id).state is StayState.CANCELLED
    assert isinstance(world.cancel_stay(stay.id), StayNotOpen)
    assert isinstance(world.admit("worker", LEVEL_2), StayView)


def test_a_cancelled_admission_gives_the_deposit_back(world: World) -> None:
    stay = world.admit("resident")
    world.deposit(stay.id, 100_000)
    assert isinstance(world.deposit(stay.id, 0), DepositInvalid)
    assert isinstance(world.deposit(stay.id, 10**9), DepositInvalid)
    assert world.cancel_stay(stay.id).deposit_fen == 0
    assert (till(world, LEVEL_3), till(world, LEVEL_3, "deposits")) == (0, 0)
    assert isinstance(world.deposit(stay.id, 100), StayNotOpen)


def test_a_stretch_lies_within_the_stay(world: World) -> None:
    stay = world.admit("worker")

    def priced(**more: Any) -> Any:
        return world.presettle("", care("100"), at=LEVEL_3, stay_id=stay.id, **more)

    assert priced(until=TODAY - timedelta(days=1)) == StretchInvalid(TODAY, TODAY)
    assert priced(until=TODAY + timedelta(days=1)) == StretchInvalid(TODAY, TODAY)
    assert isinstance(world.presettle("", care("100"), at=LEVEL_2, stay_id=stay.id), StayNotFound)
    assert isinstance(priced(until=TODAY), BillView)


def test_the_last_stretch_is_reversed_first_and_the_stay_opens_again(world: World) -> None:
    quiet(world)
    before = world.money()
    stay = world.admit("worker")
    world.deposit(stay.id, 200_000)
    first = world.settle_stay(stay.id, care("500"), discharge=False)
    world.clock.forward(hours=1)
    second = world.settle_stay(stay.id, care("1300"))
    assert world.reverse(first.id, LEVEL_3) == LaterSettlementsInTheWay(1, (second.id,))
    assert world.reverse(second.id, LEVEL_3).kind is SettlementKind.REVERSAL
    assert till(world, LEVEL_3, "deposits") == 200_000
    assert world.reverse(first.id, LEVEL_3).kind is SettlementKind.REVERSAL
    assert world.counters("worker") == {}
    again = world.settle_stay(stay.id, care("1800"))
    assert (again.outcome.deductible_fen, again.outcome.pool_fen) == (80_000, 85_000)
    assert world.faults() == []
    assert world.money() != before


def test_a_listed_disease_goes_before_ordinary_care(world: World) -> None:
    quiet(world)
    purpose = Purpose.OUTPATIENT_SETTLEMENT
    token = world.scan("chronic", LEVEL_2, purpose).token
    refused = world.presettle(token, care("900"), at=LEVEL_2, disease="COPD")
    assert refused == NotEntitled("COPD")
    bill = world.presettle(token, care("900"), at=LEVEL_2, disease="HYPERTENSION")
    assert (bill.outcome.deductible_fen, bill.outcome.pool_fen) == (40_000, 47_000)
    settled = world.settle(bill.id, LEVEL_2)
    assert isinstance(settled, SettlementView)
    assert "outpatient_worker.fund" not in world.counters("chronic")


def test_filings_decide_what_care_away_is_paid(world: World) -> None:
    quiet(world)
    at_home = world.admit("away")
    filed = world.settle_stay(at_home.id, care("1800"))
    stay = world.admit("away", BEIJING)
    assert stay.filing is FilingKind.LONG_TERM_RESIDENT
    away = world.settle_stay(stay.id, care("1700"), at=BEIJING)
    assert (filed.outcome.pool_fen, away.outcome.pool_fen) == (89_000, 89_000)
    other = world.admit("retiree", BEIJING)
    assert other.filing is FilingKind.NONE
    cut = world.settle_stay(other.id, care("1800"), at=BEIJING)
    assert cut.outcome.pool_fen == 79_000  # 69 years old: 85 % + 4 - 10


def test_the_status_of_the_day_of_admission_counts(world: World) -> None:
    quiet(world)
    stay = world.admit("waiting")
    settled = world.settle_stay(stay.id, care("3000"))
    assert settled.fund_fen == 0
    assert settled.outcome.parts[0].no_benefit_reason is NoBenefitReason.STATUS


def test_refund_lines_are_netted_or_refused(world: World) -> None:
    purpose = Purpose.OUTPATIENT_SETTLEMENT
    bill = world.bill("worker", care("100", "5"), care("100", "-2"), at=LEVEL_3, purpose=purpose)
    assert (bill.outcome.total_fen, bill.outcome.pool_fen) == (30_000, 5_000)
    token = world.scan("worker", LEVEL_3, purpose).token
    refused = world.presettle(token, care("100"), care("100", "-2"), at=LEVEL_3)
    assert refused == RefundExceedsCharge(VISIT)
    nothing = world.presettle(token, care("100"), care("100", "-1"), at=LEVEL_3)
    assert nothing == BasketEmpty()


def test_restricted_payment_comes_from_the_line(world: World) -> None:
    bill = world.bill("worker", line(IBUPROFEN, "1", "300.00", restriction_met=False))
    assert (bill.outcome.full_self_pay_fen, bill.outcome.pool_fen) == (30_000, 0)


# -- pay later ------------------------------------------------------------------------------------


def _owing(world: World) -> tuple[PayLaterView, SettlementView]:
    quiet(world)
    stay = world.admit("aided", pay_later=True)
    assert stay.deposit_waived
    assert isinstance(world.deposit(stay.id, 100), DepositInvalid)
    settled = world.settle_stay(stay.id, care("10500"), instalments=3)
    found = world.database.read(lambda u: credit.of_stay(u, stay.id))
    assert found is not None
    return found, settled


def test_pay_later_owes_in_instalments_instead_of_cash(world: World) -> None:
    agreement, settled = _owing(world)
    assert (agreement.state, agreement.debt_fen) == (PayLaterState.OWING, settled.cash_fen)
    assert sum(part.amount_fen for part in agreement.instalments) == settled.cash_fen
    assert till(world, LEVEL_3) == 0
    assert till(world, LEVEL_3, "owed") == -settled.cash_fen
    first = agreement.instalments[0].amount_fen
    paid = world.database.write(lambda u: credit_service.pay(u, "test", agreement.id, first))
    assert isinstance(paid, PayLaterView)
    assert (paid.open_fen, till(world, LEVEL_3)) == (settled.cash_fen - first, -first)
    too_much = world.database.write(
        lambda u: credit_service.pay(u, "test", agreement.id, Fen(paid.open_fen + 1))
    )
    assert isinstance(too_much, PayLaterNotPossible)
    rest = world.database.write(
        lambda u: credit_service.pay(u, "test", agreement.id, paid.open_fen)
    )
    assert isinstance(rest, PayLaterView)
    assert rest.state is PayLaterState.PAID
    assert till(world, LEVEL_3, "owed") == 0
    assert isinstance(world.reverse(settled.id, LEVEL_3), PayLaterNotPossible)


def test_reversing_a_discharge_forgets_the_debt(world: World) -> None:
    agreement, settled = _owing(world)
    assert world.reverse(settled.id, LEVEL_3).kind is SettlementKind.REVERSAL
    again = world.database.read(lambda u: credit.of_stay(u, agreement.stay_id))
    assert again is not None
    assert (again.state, again.debt_fen) == (PayLaterState.SIGNED, 0)
    assert till(world, LEVEL_3, "owed") == 0


def test_a_default_pauses_benefits_after_due_process_and_spares_emergencies(world: World) -> None:
    agreement, _ = _owing(world)
    region = "510100"

    def told() -> Any:
        return world.database.write(lambda u: credit_service.tell_overdue(u, "t", agreement.id))

    def listed() -> Any:
        return world.database.write(
            lambda u: credit_service.list_default(u, "t", agreement.id, region, rulebook())
        )

    assert isinstance(told(), PayLaterNotPossible)
    world.clock.forward(days=40)
    assert told().state is PayLaterState.OVERDUE
    assert isinstance(listed(), PayLaterNotPossible)
    world.clock.forward(days=31)
    assert listed().state is PayLaterState.DEFAULTED
    stay = world.admit("aided", pay_later=True)
    assert not stay.deposit_waived  # the privilege has ended
    paused = world.settle_stay(stay.id, care("3000"))
    assert paused.fund_fen == 0
    assert paused.outcome.parts[0].no_benefit_reason is NoBenefitReason.BENEFITS_PAUSED
    emergency = world.admit("aided", emergency=True, pay_later=True)
    assert emergency.deposit_waived
    assert world.settle_stay(emergency.id, care("3000"), instalments=1).outcome.pool_fen == 170_000
    world.database.write(lambda u: credit_service.pay(u, "t", agreement.id, agreement.open_fen))
    after = world.admit("aided")
    assert world.settle_stay(after.id, care("3000")).outcome.pool_fen == 170_000


def test_who_is_not_entitled_pays_a_deposit(world: World) -> None:
    stay = world.admit("worker", pay_later=True)
    assert not stay.deposit_waived
    assert world.deposit(stay.id, 100_000).deposit_fen == 100_000


# -- reversal with later settlements ---------------------------------------------------------------


@pytest.fixture
def rerun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A province that reckons later settlements again instead of refusing."""
    packs = shipped_packs()
    for pack in packs.values():
        if pack["topic"] == "stays":
            pack["parameters"]["later_settlements"]["values"][0]["value"] = "RERUN"
    book = make_book(packs)
    for module in ("booking", "service"):
        monkeypatch.setattr(f"backend.payments.{module}.rulebook", lambda: book)


def test_later_settlements_are_run_again_where_the_region_says_so(
    world: World, rerun: None
) -> None:
    first = world.buy("worker", line(IBUPROFEN, "1", "200.00"))
    second = world.buy("worker", line(IBUPROFEN, "1", "300.00"))
    third = world.buy("worker", line(IBUPROFEN, "1", "100.00"))
    assert (second.fund_fen, third.fund_fen) == (15_000, 5_000)
    balance = world.balance("worker")
    reversal = world.reverse(first.id)
    assert reversal.reverses_id == first.id
    standing = world.database.read(
        lambda u: [s for s in _all(u, "worker", world) if s.reversed_by_id is None]
    )
    booked = [s for s in standing if s.kind is SettlementKind.SETTLEMENT]
    assert [(s.outcome.deductible_fen, s.fund_fen) for s in booked] == [(20_000, 5_000), (0, 5_000)]
    assert world.used("worker").deductible_fen == 20_000
    assert world.used("worker").fund_fen == 10_000
    assert third.id in {s.id for s in booked}  # untouched: it comes out the same
    assert second.id not in {s.id for s in booked}
    assert world.balance("worker") == balance + 20_000 - 10_000
    assert world.faults() == []


def _all(unit: Any, key: str, world: World) -> list[SettlementView]:
    from backend.settlement.queries import of_person

    return of_person(unit, world.person(key), None, 20)


# -- replay, capitation, estimates -----------------------------------------------------------------


def test_replay_recomputes_every_settlement_under_its_own_rulebook(world: World) -> None:
    world.buy("worker", line(IBUPROFEN, "1", "300.00"))
    quiet(world)
    world.settle_stay(world.admit("aided").id, care("60000"))
    found = world.database.read(lambda u: replay(u, rulebook()))
    assert (found.settlements, found.rulebooks, found.faults) == (2, 1, ())
    packs = shipped_packs()
    packs["CN/pay_later.yaml"]["parameters"]["grace_days"]["values"][0]["value"] = 45
    newer = make_book(packs)
    found = world.database.read(lambda u: replay(u, newer))
    assert (found.settlements, found.rulebooks, found.without_text, found.faults) == (2, 2, 0, ())


def test_a_month_of_capitation_is_cleared_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.rulebook.library import packs_in
    from tests.cases.test_cases import PACKS

    packs = {
        **shipped_packs(),
        "pd": next(p for p in packs_in(PACKS).values() if p["topic"] == "capitation"),
    }
    packs["pd"]["region"] = "510100"
    book = make_book(packs)
    quiet(world)
    hospital = world.terminal(LEVEL_3).institution_id
    enrolment = world.enrolment("chronic")
    agreement = world.database.write(
        lambda u: entitlements.sign_capitation(u, "t", enrolment, hospital, date(2026, 5, 20))
    )
    assert agreement.effective_from == date(2026, 6, 1)
    for module in ("booking", "service"):
        monkeypatch.setattr(f"backend.payments.{module}.rulebook", lambda: book)
    purpose = Purpose.OUTPATIENT_SETTLEMENT
    token = world.scan("chronic", LEVEL_3, purpose).token
    bill = world.presettle(token, care("6800"), at=LEVEL_3, disease="RENAL_DIALYSIS")
    pilot = world.settle(bill.id, LEVEL_3)
    assert pilot.outcome.pool_fen == 534_000  # 65 years old: (6800 - 800) × 89 %
    token = world.scan("chronic", LEVEL_2, purpose).token
    elsewhere = world.presettle(token, care("1000"), at=LEVEL_2, disease="RENAL_DIALYSIS")
    assert elsewhere.outcome.parts[0].no_benefit_reason is NoBenefitReason.SELF_REFERRED

    pilot_hospital = Pilot(hospital, "510100", InsuranceType.EMPLOYEE)

    def clear(month: date = date(2026, 6, 1), pilot: Pilot = pilot_hospital) -> Any:
        return world.database.write(
            lambda u: entitlements.clear_month(u, "t", pilot, month, stays.was_in_hospital, book)
        )

    assert clear() == ClearingNotPossible("2026-06", "it is not over")
    world.clock.forward(days=20)
    residents = clear(pilot=replace(pilot_hospital, insurance_type=InsuranceType.RESIDENT))
    assert (residents.headcount, residents.to_post_fen) == (0, 0)
    cleared = clear()
    assert (cleared.headcount, cleared.patient_fen, cleared.due_fen) == (1, 146_000, 559_000)
    assert (cleared.booked_fen, cleared.to_post_fen) == (534_000, 25_000)
    assert clear() == ClearingNotPossible("2026-06", "it was cleared before")
    months, cost = world.database.read(lambda u: entitled.months_of_year(u, pilot_hospital, 2026))
    assert (months, cost) == ([cleared], 680_000)
    world.clock.forward(days=20)
    world.admit("chronic")  # and not discharged, so nothing of the stay is settled
    world.clock.forward(days=20)
    july = clear(date(2026, 7, 1))
    assert (july.headcount, july.left_out, july.due_fen) == (0, 1, 0)
    assert world.faults() == []

    def close(missed: str = "1/20") -> Any:
        return world.database.write(
            lambda u: entitlements.clear_year(u, "t", pilot_hospital, 2026, Fraction(missed), book)
        )

    assert close() == ClearingNotPossible("2026", "it is not over")
    rested = date(2026, 9, 1)
    for month in (rested, rested):
        kept = world.database.write(
            lambda u, m=month: entitlements.suspend_capitation(u, "t", agreement.id, m)
        )
        assert kept.suspended_months == (rested,)
    for unknown, month in ((agreement.id, date(2027, 6, 1)), ("no such", rested)):
        refused = world.database.write(
            lambda u, a=unknown, m=month: entitlements.suspend_capitation(u, "t", a, m)
        )
        assert isinstance(refused, AgreementNotPossible)
    refused = world.database.write(
        lambda u: entitlements.suspend_capitation(u, "t", agreement.id, date(2026, 7, 1))
    )
    assert refused == AgreementNotPossible("2026-07 was cleared")
    world.clock.forward(days=200)
    assert close() == ClearingNotPossible(
        "2026", "months are not cleared: 2026-08, 2026-09, 2026-10, 2026-11, 2026-12"
    )
    for number in range(8, 13):
        assert clear(date(2026, number, 1)).left_out == 1
    owed = world.database.read(lambda u: ledger.sum_of(u, accounts.claim(hospital)))
    with pytest.raises(QualityOutOfBounds):
        close("2/1")
    year = close()
    assert (year.due_fen, year.deduction_fen, year.final_fen) == (559_000, 27_950, 531_050)
    assert (year.surplus_fen, year.overspend_fen) == (0, 2_950)
    left = world.database.read(lambda u: ledger.sum_of(u, accounts.claim(hospital)))
    assert left == owed - 27_950
    assert close() == ClearingNotPossible("2026", "it was cleared before")
    assert clear(date(2026, 1, 1)) == ClearingNotPossible("2026-01", "2026 is closed")
    assert world.faults() == []


def test_an_agreement_by_head_stands_alone(world: World) -> None:
    hospital = world.terminal(LEVEL_3).institution_id
    enrolment = world.enrolment("chronic")

    def sign(day: date) -> Any:
        return world.database.write(
            lambda u: entitlements.sign_capitation(u, "t", enrolment, hospital, day)
        )

    first = sign(date(2026, 5, 20))
    assert (first.effective_from, first.ends) == (date(2026, 6, 1), date(2027, 5, 1))
    assert sign(date(2027, 3, 31)) == AgreementNotPossible(f"{first.id} stands until 2027-05")
    assert sign(date(2027, 5, 1)).effective_from == date(2027, 6, 1)


def test_estimates_stand_side_by_side(world: World) -> None:
    person = world.person("retiree")
    ids = {code: world.terminal(code).institution_id for code in (LEVEL_3, LEVEL_2, BEIJING)}
    costs = EstimateCosts(Fen(1_080_000), Fen(20_000), Fen(100_000))
    options = (
        EstimateOption(ids[LEVEL_3]),
        EstimateOption(ids[LEVEL_3], referred_from_level=2),
        EstimateOption(ids[BEIJING]),
        EstimateOption(ids[BEIJING], FilingKind.LONG_TERM_RESIDENT),
        EstimateOption("nowhere"),
    )
    found = world.database.read(
        lambda u: estimate(u, person, CareKind.INPATIENT, "", TODAY, costs, options)
    )
    pools = [None if e.outcome is None else e.outcome.pool_fen for e in found]
    assert pools == [890_000, 925_600, 790_000, 890_000, None]
    missing = world.database.read(
        lambda u: estimate(
            u, world.person("zigong"), CareKind.INPATIENT, "", TODAY, costs, options[:1]
        )
    )
    assert isinstance(missing[0].refusal, RuleNotLoaded)
    assert missing[0].refusal.region == "510300"


def test_a_pharmacy_admits_nobody(world: World) -> None:
    issued = world.issue("worker", Purpose.HOSPITAL_ADMISSION)
    refused = world.scan_text(issued.text, PHARMACY, Purpose.HOSPITAL_ADMISSION)
    assert type(refused).__name__ == "PurposeNotHere"
