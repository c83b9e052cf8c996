"""处方流转: from the doctor's signature to the drug in the hand, and every way in which it comes to nothing."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from backend.access.contracts import SignInRequired
from backend.codes.contracts import GrantNotValid, Purpose
from backend.kernel.money import parse_quantity, parse_unit_price
from backend.orders.contracts import OrderState
from backend.payments import charges
from backend.payments.charge_contracts import (
    ChargeNotFound,
    ChargeView,
    TakeChargeAtTill,
    WithdrawCharge,
)
from backend.payments.contracts import BillView
from backend.prescriptions import dispensing, queries, service
from backend.prescriptions.contracts import (
    AuditPrescription,
    DecidePrescription,
    FilledLine,
    FillPrescription,
    HandOverDrugs,
    Offer,
    OffersPublished,
    PrescribedLine,
    PrescriptionEvent,
    PrescriptionNotFound,
    PrescriptionNotPossible,
    PrescriptionProblem,
    PrescriptionState,
    PrescriptionUsed,
    PrescriptionView,
    PublishOffers,
    SignPrescription,
    TakePrescription,
    VoidPrescription,
)
from tests.scripted_channel import ScriptedChannel
from tests.simulation.test_races import kinds, together
from tests.usecases.test_appointments import bill_of, book, clinic
from tests.usecases.test_orders import at_rest, calls_back, drive, pay, seen
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import EJIAO, IBUPROFEN, LEVEL_3, PHARMACY, World, new_key, trace_code

S, E, P = PrescriptionState, PrescriptionEvent, PrescriptionProblem
OTHER = "P51010500001"
WITHOUT = "P51010400002"
"""A pharmacy that takes no prescriptions."""


@pytest.fixture
def channel(world: World) -> ScriptedChannel:
    return ScriptedChannel(world.clock)


def prescribed(code: str = IBUPROFEN, quantity: str = "2") -> PrescribedLine:
    return PrescribedLine(code, parse_quantity(quantity), "口服 每日两次")


def sign(world: World, who: str = "worker", **changes: Any) -> Any:
    token = changes.pop("token", None)
    if token is None:
        token = world.scan(who, LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT).token
    asked: dict[str, Any] = {
        "appointment_id": "",
        "doctor_code": "D1",
        "doctor": "甘示例",
        "signature": "SN0001",
        "diagnosis": "上呼吸道感染",
        "disease": "",
        "lines": (prescribed(),),
        "fills": 1,
        "fill_days": 7,
    }
    place = changes.pop("place", LEVEL_3)
    command = SignPrescription(
        world.terminal(place), token, **{**asked, **changes}, request_id=new_key()
    )
    return world.do(service.sign, command)


def decide(world: World, one: Any, who: str = "worker", accept: bool = True, **more: Any) -> Any:
    command = DecidePrescription(
        world.actor(who),
        one.id,
        accept,
        more.get("pharmacy", PHARMACY),
        more.get("address", ""),
        new_key(),
    )
    return world.do(service.decide, command)


def take(world: World, one: Any, at: str = PHARMACY, token: str = "", **more: Any) -> Any:
    command = TakePrescription(
        world.terminal(at), one.id, token, more.get("release", False), new_key()
    )
    return world.do(dispensing.take, command)


def check(world: World, one: Any, passes: bool = True, opinion: str = "", **more: Any) -> Any:
    name = more.get("pharmacist", "药师样例")
    command = AuditPrescription(
        world.terminal(more.get("at", PHARMACY)), one.id, "YS1", name, passes, opinion, new_key()
    )
    return world.do(dispensing.audit_one, command)


def fill(world: World, one: Any, quantity: str = "2", price: str = "15.00", **more: Any) -> Any:
    line = FilledLine(
        more.get("code", IBUPROFEN),
        parse_quantity(quantity),
        parse_unit_price(price),
        tuple(trace_code() for _ in range(int(quantity))),
    )
    command = FillPrescription(world.terminal(more.get("at", PHARMACY)), one.id, (line,), new_key())
    return world.do(dispensing.fill, command)


def hand(world: World, one: Any, delivered: bool = False, courier: str = "") -> Any:
    command = HandOverDrugs(world.terminal(), one.id, delivered, courier, new_key())
    return world.do(dispensing.hand_over, command)


def void(world: World, one: Any, place: str = LEVEL_3) -> Any:
    command = VoidPrescription(world.terminal(place), one.id, "用药调整", new_key())
    return world.do(service.void, command)


def keep(world: World) -> None:
    dispensing.advance_prescriptions(world.database)


def look(world: World, one: Any) -> PrescriptionView:
    found = world.database.read(lambda u: queries.prescription(u, one.id))
    assert found is not None
    return found


def ready(world: World, who: str = "worker", **changes: Any) -> Any:
    """Return a prescription that a pharmacy has charged."""
    one = sign(world, who, **changes)
    decide(world, one, who)
    take(world, one)
    check(world, one)
    filled = fill(world, one)
    assert isinstance(filled, PrescriptionView), filled
    return filled


def later(world: World, **amount: float) -> None:
    world.clock.forward(**amount)
    world._actors.clear()
    world._terminals.clear()


def test_a_prescription_goes_from_the_doctor_to_the_patients_hand(
    world: World, channel: ScriptedChannel
) -> None:
    one = sign(world, "pool_only")
    assert (one.state, one.lines[0].quantity) == (S.SIGNED, 20_000)
    assert one.valid_until == world.clock.now() + timedelta(hours=72)
    assert messages(world)[-1][0] == "prescription_signed"
    assert take(world, one) == PrescriptionNotFound()  # it has not left the hospital
    assert decide(world, one, "pool_only").state is S.VALID
    held = take(world, one)
    assert (held.state, held.pharmacy.code) == (S.LOCKED, PHARMACY)
    assert fill(world, one) == PrescriptionNotFound()  # no pharmacist has looked at it
    assert check(world, one).state is S.AUDITED
    charged = fill(world, one)
    bill = bill_of(world, charged, "pool_only")
    assert bill.outcome.total_fen == 3000
    assert hand(world, one) == PrescriptionNotFound()  # nothing is paid
    order = drive(world, channel, pay(world, "pool_only", bill_id=bill.id).id)
    assert void(world, one) == PrescriptionUsed("成都市锦江区示例大药房")
    calls_back(world, channel, order)
    drive(world, channel, order.id)
    assert seen(world, order.id).state is OrderState.SETTLED
    keep(world)
    assert look(world, one).state is S.SETTLED
    assert void(world, one) == PrescriptionUsed("成都市锦江区示例大药房")
    assert hand(world, one, delivered=True) == PrescriptionNotFound()  # nobody asked for that
    assert hand(world, one).state is S.PICKED_UP
    events = [step.event for step in look(world, one).steps]
    assert events == [E.CONSENT, E.LOCK, E.CLEAR, E.SETTLE, E.PICK_UP]
    at_rest(world, channel, order.cash_fen)


def test_two_pharmacies_lock_it_and_one_has_it(world: World) -> None:
    one = sign(world)
    decide(world, one, pharmacy="")
    tokens = {at: world.scan("worker", at).token for at in (PHARMACY, OTHER)}
    acts = [partial(take, world, one, at, token) for at, token in tokens.items()] * 2
    outcomes = together(acts)
    assert kinds(outcomes) == {"PrescriptionView": 1, "PrescriptionNotFound": 3}


def test_voiding_and_selling_in_one_moment_never_both_happen(world: World) -> None:
    """The incident of voided prescriptions that were still sold."""
    for _ in range(3):
        one = ready(world)
        bill = bill_of(world, one, "worker")
        world.terminal(LEVEL_3)
        together([partial(void, world, one), partial(world.settle, bill.id)])
        keep(world)
        state = look(world, one).state
        place = world.terminal().institution_id
        find = partial(charges.charge_of, institution_id=place, charge_id=one.charge_id)
        settled = world.database.read(find)
        assert settled is not None
        assert (state, settled.paid) in {(S.VOIDED, False), (S.SETTLED, True)}
    assert world.faults() == []


def test_what_is_voided_can_be_neither_taken_nor_paid(world: World) -> None:
    one = ready(world)
    bill = bill_of(world, one, "worker")
    assert void(world, one, "H51010400002") == PrescriptionNotFound()
    assert void(world, one).state is S.VOIDED
    assert void(world, one) == PrescriptionNotFound()
    assert not isinstance(world.settle(bill.id), BillView)
    assert world.settle(bill.id).code() == "BILL_NOT_OPEN"
    assert take(world, one) == PrescriptionNotFound()
    assert decide(world, one) == PrescriptionNotFound()


def test_hour_72_and_what_is_being_paid(world: World, channel: ScriptedChannel) -> None:
    idle, paying = sign(world, "worker_2"), sign(world, "pool_only")
    decide(world, idle, "worker_2")
    decide(world, paying, "pool_only")
    later(world, seconds=72 * 3600 - 60)
    take(world, paying)
    check(world, paying)
    charged = fill(world, paying)
    bill = bill_of(world, charged, "pool_only")
    order = drive(world, channel, pay(world, "pool_only", bill_id=bill.id).id)
    later(world, seconds=60)
    assert take(world, idle) == PrescriptionNotFound()
    keep(world)
    assert look(world, idle).state is S.EXPIRED
    assert messages(world)[-1][0] == "prescription_expired"
    later(world, seconds=1800)
    keep(world)
    assert look(world, paying).state is S.AUDITED  # its money is on the way
    calls_back(world, channel, order)
    drive(world, channel, order.id)
    keep(world)
    assert look(world, paying).state is S.SETTLED


def test_a_pharmacy_lets_go_and_another_takes_it(world: World) -> None:
    one = ready(world)
    assert take(world, one, OTHER, world.scan("worker", OTHER).token) == PrescriptionNotFound()
    free = take(world, one, release=True)
    assert (free.state, free.pharmacy, free.charge_id) == (S.VALID, None, None)
    assert take(world, one, release=True) == PrescriptionNotFound()
    assert take(world, one, OTHER) == PrescriptionNotFound()  # neither chosen nor scanned
    token = world.scan("worker", OTHER).token
    assert take(world, one, OTHER, token).state is S.LOCKED
    later(world, seconds=1800)
    keep(world)
    assert look(world, one).state is S.VALID  # nothing came of it in half an hour
    assert take(world, one, WITHOUT, "x") == PrescriptionNotPossible(P.PHARMACY)
    assert take(world, one, PHARMACY, "nothing") == GrantNotValid()


def test_the_pharmacist_refuses_and_says_why(world: World) -> None:
    one = sign(world)
    decide(world, one)
    take(world, one)
    assert check(world, one, False) == PrescriptionNotPossible(P.PHARMACIST)
    assert check(world, one, pharmacist=" ") == PrescriptionNotPossible(P.PHARMACIST)
    refused = check(world, one, False, "与既往用药冲突")
    assert (refused.state, refused.steps[-1].words) == (S.REFUSED, "药师样例 与既往用药冲突")
    assert messages(world)[-1][0] == "prescription_refused"
    assert check(world, one) == PrescriptionNotFound()


def test_what_is_dispensed_is_what_was_prescribed(world: World) -> None:
    one = sign(world)
    decide(world, one)
    take(world, one)
    check(world, one)
    for wrong in ({"quantity": "3"}, {"code": EJIAO}):
        assert fill(world, one, **wrong) == PrescriptionNotPossible(P.DIFFERS)
    assert fill(world, one, at=OTHER) == PrescriptionNotFound()
    first = fill(world, one)
    again = fill(world, one, price="14.00")  # the till mends its price
    assert first.charge_id != again.charge_id
    assert bill_of(world, again, "worker").outcome.total_fen == 2800


def test_a_charge_that_the_pharmacy_took_away_locks_nothing_for_ever(world: World) -> None:
    one = ready(world)

    def take_away(charge: str) -> Any:
        gone = WithdrawCharge(world.terminal(), charge, new_key())
        return world.do(charges.withdraw_charge, gone)

    assert isinstance(take_away(one.charge_id), ChargeView)
    again = fill(world, one)
    take_away(again.charge_id)
    later(world, seconds=1800)
    keep(world)
    assert look(world, one).state is S.VALID


def test_a_settlement_taken_back_frees_the_prescription(world: World) -> None:
    one = ready(world)
    settled = world.settle(bill_of(world, one, "worker").id)
    keep(world)
    assert look(world, one).state is S.SETTLED
    world.reverse(settled.id)
    keep(world)
    assert look(world, one).state is S.VALID
    assert take(world, one).state is S.LOCKED


def test_a_long_prescription_comes_in_parts(world: World) -> None:
    one = ready(world, "chronic", disease="HYPERTENSION", fills=2, fill_days=28)
    world.settle(bill_of(world, one, "chronic").id)
    part = hand(world, one)  # handing over looks for itself whether it is paid
    assert (part.state, part.fills_done) == (S.VALID, 1)
    assert part.valid_from == date(2026, 7, 6)
    assert take(world, one) == PrescriptionNotPossible(P.TOO_EARLY)
    later(world, days=21)
    assert take(world, one).state is S.LOCKED
    check(world, one)
    charged = fill(world, one)
    world.settle(bill_of(world, charged, "chronic").id)
    assert hand(world, one).state is S.PICKED_UP


def test_drugs_are_brought_where_the_patient_says(world: World) -> None:
    one = sign(world)
    shown = decide(world, one, address="示例路1号2栋")
    assert (shown.deliver, shown.address) == (True, "示例路1号2栋")
    assert decide(world, one, address="远" * 101) == PrescriptionNotPossible(P.ADDRESS)
    assert decide(world, one, pharmacy=WITHOUT) == PrescriptionNotPossible(P.PHARMACY)
    take(world, one)
    check(world, one)
    fill(world, one)
    world.settle(bill_of(world, look(world, one), "worker").id)
    brought = hand(world, one, delivered=True, courier="YD123")
    assert (brought.state, brought.courier) == (S.DELIVERED, "YD123")


def test_the_patient_decides_and_so_may_who_files_for_them(world: World) -> None:
    one = sign(world, "retiree")
    assert decide(world, one, "worker") == PrescriptionNotFound()
    bound(world, "worker", "retiree")
    assert decide(world, one, "worker").state is S.VALID
    two = sign(world, "retiree")
    assert decide(world, two, "retiree", accept=False).state is S.DECLINED
    assert decide(world, two, "retiree") == PrescriptionNotFound()
    assert decide(world, one, "retiree", accept=False) == PrescriptionNotFound()


def test_who_carries_no_phone_pays_at_the_till(world: World) -> None:
    one = sign(world, "elder_no_phone")
    void(world, one)
    two = sign(world, "worker")
    decide(world, two, pharmacy="")
    token = world.scan("worker").token
    take(world, two, token=token)
    check(world, two)
    charged = fill(world, two)

    def at_till(charge: str, shown: str = token) -> Any:
        command = TakeChargeAtTill(world.terminal(), shown, charge, True, new_key())
        return world.do(charges.take_at_till, command)

    assert at_till(charged.charge_id, "nothing") == GrantNotValid()
    assert at_till("nothing") == ChargeNotFound()
    other = world.scan("worker_2").token
    assert at_till(charged.charge_id, other) == ChargeNotFound()
    bill = at_till(charged.charge_id)
    assert isinstance(bill, BillView)
    assert world.settle(bill.id).total_fen == 3000
    assert hand(world, two).state is S.PICKED_UP


def test_a_follow_up_online_prescribes_by_its_appointment(world: World) -> None:
    booked = book(world, clinic(world).id)
    one = sign(world, token="", appointment_id=booked.id)
    assert one.state is S.SIGNED
    assert sign(world, token="", appointment_id="x") == PrescriptionNotFound()
    elsewhere = sign(world, token="", appointment_id=booked.id, place="H51010400002")
    assert elsewhere == PrescriptionNotFound()


def test_what_a_hospital_may_not_prescribe(world: World) -> None:
    token = world.scan("worker", LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT).token
    many = tuple(prescribed(f"x{number}") for number in range(6))
    for problem, changes in (
        (P.DOCTOR, {"signature": " "}),
        (P.LINES, {"lines": ()}),
        (P.LINES, {"lines": many}),
        (P.LINES, {"lines": (prescribed(), prescribed())}),
        (P.DRUG, {"lines": (prescribed("nothing"),)}),
        (P.LONG, {"fills": 2, "fill_days": 28}),
        (P.LONG, {"fills": 4, "fill_days": 28, "disease": "HYPERTENSION"}),
        (P.HOSPITAL, {"place": PHARMACY}),
    ):
        assert sign(world, token=token, **changes) == PrescriptionNotPossible(problem)
    assert sign(world, token="nothing") == GrantNotValid()
    nobody = SignPrescription(
        world.actor("worker"), token, "", "D", "D", "S", "x", "", (prescribed(),), 1, 7, new_key()
    )
    assert world.do(service.sign, nobody) == SignInRequired()


def offer(world: World, at: str, *offers: tuple[str, str, bool]) -> Any:
    made = tuple(Offer(code, parse_unit_price(price), has) for code, price, has in offers)
    return world.do(dispensing.publish_offers, PublishOffers(world.terminal(at), made, new_key()))


def test_patients_see_who_has_it_and_for_how_much(world: World) -> None:
    one = sign(world, lines=(prescribed(), prescribed(EJIAO, "1")))
    assert offer(world, PHARMACY, (IBUPROFEN, "15.00", True), (EJIAO, "90.00", True)) == (
        OffersPublished(2)
    )
    offer(world, OTHER, (IBUPROFEN, "14.00", True), (EJIAO, "80.00", False))
    assert offer(world, WITHOUT, (IBUPROFEN, "1.00", True)) == PrescriptionNotPossible(P.PHARMACY)
    assert offer(world, PHARMACY) == PrescriptionNotPossible(P.LINES)

    def shown() -> list[tuple[str, int]]:
        found = world.database.read(lambda u: queries.offers(u, one.id, 9))
        return [(each.pharmacy.code, each.total_fen) for each in found]

    assert shown() == [(PHARMACY, 12_000)]
    offer(world, OTHER, (EJIAO, "80.00", True))
    assert shown() == [(OTHER, 10_800), (PHARMACY, 12_000)]


def test_a_pharmacy_sees_what_it_may_fill(world: World) -> None:
    chosen, scanned = sign(world), sign(world, "worker_2")
    decide(world, chosen)
    decide(world, scanned, "worker_2", pharmacy="")
    place, person = world.terminal().institution_id, world.person("worker_2")

    def listed(who: str = "") -> list[str]:
        found = world.database.read(lambda u: queries.for_pharmacy(u, place, who, 9))
        return [one.id for one in found]

    assert listed() == [chosen.id]
    assert sorted(listed(person)) == sorted([chosen.id, scanned.id])
    take(world, chosen)
    assert listed() == [chosen.id]
    hospital = world.terminal(LEVEL_3).institution_id
    given = world.database.read(lambda u: queries.of_hospital(u, hospital, 9))
    assert len(given) == 2
