"""参保登记, 缴费 and 转移接续: whole lives, and each way in which they are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.access.contracts import DutyMissing
from backend.applications import service as applications
from backend.desk import service as desk
from backend.desk.contracts import (
    ActKind,
    DecideMatter,
    DecideProposal,
    MatterDecision,
    Payload,
    Propose,
    ProposedAlready,
)
from backend.enrolment import queries, service
from backend.enrolment.contracts import (
    AskForBill,
    ContributionState,
    EnrolForm,
    EnrolmentNotPossible,
    EnrolProblem,
    PaidBill,
    PaidBillResult,
    TransferForm,
)
from backend.enrolment.registering import REGISTRATION
from backend.enrolment.transferring import TRANSFER
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.ledger import service as ledger_service
from backend.matters import procedure
from backend.matters import queries as matters
from backend.matters.contracts import (
    ApplicationNotPossible,
    ApplyProblem,
    MaterialsMissing,
    MatterState,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.people import queries as people
from backend.people.contracts import BenefitStatus, PersonKind
from backend.rulebook.contracts import RuleNotLoaded
from tests.usecases.test_filings import add, picture
from tests.usecases.test_safety import messages
from tests.world import World, new_key

ADULT = EnrolForm("510104", PersonKind.RESIDENT_ADULT, "HIGH", 2026, "示例路1号", True)
FROM_YIBIN = TransferForm("511500")
FROM_BEIJING = TransferForm("110100", "11000000000001")


def save(world: World, form: Any, who: str = "not_insured", **more: Any) -> Any:
    kind: Any = REGISTRATION if isinstance(form, EnrolForm) else TRANSFER
    command = SaveApplication(
        world.actor(more.get("by", who)),
        world.person(who),
        more.get("matter_id"),
        None,
        form,
        new_key(),
    )
    return world.do(lambda u, c: procedure.save(u, kind, c), command)


def submit(world: World, matter_id: str, by: str = "not_insured") -> Any:
    command = SubmitApplication(world.actor(by), matter_id, False, new_key())
    return world.do(applications.submit, command)


def registered(world: World, form: EnrolForm = ADULT, who: str = "not_insured") -> str:
    """Return a registration that the desk has approved."""
    draft = save(world, form, who)
    add(world, draft.matter.id, picture(), requirement=Requirement.ID_PHOTO, by=who)
    submitted = submit(world, draft.matter.id, who)
    assert submitted.matter.state is MatterState.SUBMITTED
    approve = DecideMatter(
        world.staff("CD1001"), submitted.matter.id, MatterDecision.APPROVE, "核对身份证"
    )
    done = world.do(desk.decide_matter, approve)
    assert done.matter.state is MatterState.APPROVED
    return str(submitted.matter.id)


def bills(world: World, who: str = "not_insured", year: int | None = None) -> Any:
    def read(unit: Any) -> Any:
        return queries.contributions(unit, people.enrolment_ids(unit, world.person(who)), year)

    return world.database.read(read)


def pay(world: World, number: str, amount: int = 52_000, on: date | None = None) -> PaidBillResult:
    line = PaidBill(number, Fen(amount), on or date(2026, 6, 15), "SH0001")
    return world.database.write(lambda u: service.book_payment(u, "tax", line))


def insured(world: World, who: str, day: date) -> Any:
    found = world.database.read(lambda u: people.enrolments_on(u, world.person(who), day))
    return [(one.area_code, one.status, one.tier) for one in found]


def ask(world: World, who: str, year: int, by: str = "") -> Any:
    enrolments = world.database.read(lambda u: people.enrolment_ids(u, world.person(who)))
    command = AskForBill(world.actor(by or who), world.person(who), enrolments[0], year)
    return world.do(service.ask_for_bill, command)


def test_somebody_registers_pays_waits_and_is_insured(world: World) -> None:
    matter_id = registered(world)
    [bill] = bills(world)
    assert (bill.state, bill.own_fen, bill.due_until) == (
        ContributionState.DUE,
        52_000,
        date(2026, 7, 15),
    )
    assert bill.pay_url.endswith(bill.bill_number)
    assert insured(world, "not_insured", date(2026, 12, 1)) == []
    assert pay(world, bill.bill_number) is PaidBillResult.BOOKED
    assert messages(world)[-1][0] == "contribution_paid"
    done = world.database.read(lambda u: matters.matter(u, matter_id))
    assert done is not None
    assert (done.state, done.result_id) == (MatterState.EFFECTIVE, bill.enrolment_id)
    # registered outside of the window: three months of waiting, until the end of the year
    waiting, active = BenefitStatus.WAITING, BenefitStatus.ACTIVE
    assert insured(world, "not_insured", date(2026, 6, 14)) == []
    assert insured(world, "not_insured", date(2026, 9, 14)) == [("510100", waiting, "HIGH")]
    assert insured(world, "not_insured", date(2026, 9, 15)) == [("510100", active, "HIGH")]
    assert insured(world, "not_insured", date(2026, 12, 31)) == [("510100", active, "HIGH")]
    assert insured(world, "not_insured", date(2027, 1, 1)) == []
    [paid] = bills(world)
    assert (paid.state, paid.paid_on, paid.pay_url) == (
        ContributionState.PAID,
        date(2026, 6, 15),
        "",
    )
    months = world.database.read(lambda u: queries.months_paid(u, [paid.enrolment_id]))
    assert months == {paid.enrolment_id: 12}
    # the next year, paid within its window, goes on without a day of waiting
    assert ask(world, "not_insured", 2027) == EnrolmentNotPossible(EnrolProblem.YEAR)
    world.clock.forward(days=120)
    world._actors.clear()
    assert ask(world, "not_insured", 2026) == EnrolmentNotPossible(EnrolProblem.PAID_ALREADY)
    again = ask(world, "not_insured", 2027)
    assert (again.state, again.own_fen) == (ContributionState.DUE, 52_000)
    assert pay(world, again.bill_number, on=date(2026, 10, 13)) is PaidBillResult.BOOKED
    assert insured(world, "not_insured", date(2027, 1, 1)) == [("510100", active, "HIGH")]


def test_what_the_tax_authority_says_of_a_bill(world: World) -> None:
    registered(world)
    [bill] = bills(world)
    assert pay(world, "JF2026999999999999") is PaidBillResult.UNKNOWN_BILL
    assert pay(world, bill.bill_number, 51_999) is PaidBillResult.AMOUNT_DIFFERS
    assert pay(world, bill.bill_number, on=date(2026, 6, 14)) is PaidBillResult.DAY_IS_WRONG
    assert pay(world, bill.bill_number, on=date(2026, 6, 16)) is PaidBillResult.DAY_IS_WRONG
    assert bills(world)[0].state is ContributionState.DUE
    # the file comes after the bill's last day, but it was paid in time
    world.clock.forward(days=40)
    world._actors.clear()
    assert bills(world)[0].state is ContributionState.LAPSED
    assert pay(world, bill.bill_number, on=date(2026, 7, 1)) is PaidBillResult.BOOKED
    assert pay(world, bill.bill_number, on=date(2026, 7, 1)) is PaidBillResult.BOOKED_BEFORE
    assert insured(world, "not_insured", date(2026, 10, 1))[0][1] is BenefitStatus.ACTIVE


def test_a_bill_that_lapsed_is_made_again(world: World) -> None:
    matter_id = registered(world)
    [bill] = bills(world)
    assert ask(world, "not_insured", 2026).bill_number == bill.bill_number
    world.clock.forward(days=31)
    world._actors.clear()
    other = ask(world, "not_insured", 2026)
    assert other.bill_number != bill.bill_number
    assert (other.state, other.due_until) == (ContributionState.DUE, date(2026, 8, 15))
    assert pay(world, bill.bill_number, on=date(2026, 7, 16)) is PaidBillResult.UNKNOWN_BILL
    assert pay(world, other.bill_number, on=date(2026, 7, 16)) is PaidBillResult.BOOKED
    done = world.database.read(lambda u: matters.matter(u, matter_id))
    assert done is not None
    assert done.state is MatterState.EFFECTIVE


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (replace(ADULT, division_code="510100"), EnrolProblem.PLACE),
        (replace(ADULT, division_code="110101"), EnrolProblem.PLACE),
        (replace(ADULT, division_code=""), EnrolProblem.PLACE),
        (replace(ADULT, person_kind=PersonKind.ACTIVE), EnrolProblem.KIND),
        (
            replace(ADULT, person_kind=PersonKind.STUDENT_OR_CHILD, tier="STUDENT"),
            EnrolProblem.KIND,
        ),
        (replace(ADULT, tier="STUDENT"), EnrolProblem.TIER),
        (replace(ADULT, tier="GOLD"), EnrolProblem.TIER),
        (replace(ADULT, year=2025), EnrolProblem.YEAR),
        (replace(ADULT, year=2027), EnrolProblem.YEAR),
        (replace(ADULT, address="  "), EnrolProblem.ADDRESS),
    ],
)
def test_a_form_that_cannot_be(world: World, form: EnrolForm, problem: EnrolProblem) -> None:
    assert save(world, form) == EnrolmentNotPossible(problem)


def test_who_is_insured_or_registers_already_is_told(world: World) -> None:
    draft = save(world, ADULT, "resident")
    assert draft.missing == (Requirement.ID_PHOTO,)
    assert submit(world, draft.matter.id, "resident") == EnrolmentNotPossible(
        EnrolProblem.INSURED_ALREADY
    )
    draft = save(world, replace(ADULT, local_household=False))
    assert draft.missing == (Requirement.ID_PHOTO, Requirement.RESIDENCE_PROOF)
    assert submit(world, draft.matter.id) == MaterialsMissing(
        (Requirement.ID_PHOTO, Requirement.RESIDENCE_PROOF)
    )
    first, second = save(world, ADULT), save(world, ADULT)
    for one in (first, second):
        add(world, one.matter.id, picture(), requirement=Requirement.ID_PHOTO, by="not_insured")
    assert submit(world, first.matter.id).matter.state is MatterState.SUBMITTED
    assert submit(world, second.matter.id) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    approve = DecideMatter(world.staff("CD1001"), first.matter.id, MatterDecision.APPROVE, "核对")
    world.do(desk.decide_matter, approve)
    assert submit(world, second.matter.id) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    pay(world, bills(world)[0].bill_number)
    assert submit(world, second.matter.id) == EnrolmentNotPossible(EnrolProblem.INSURED_ALREADY)


def test_bills_are_for_residents_who_are_not_insured_otherwise(world: World) -> None:
    assert ask(world, "worker", 2026) == EnrolmentNotPossible(EnrolProblem.NOT_RESIDENT)
    other = world.database.read(lambda u: people.enrolment_ids(u, world.person("resident")))[0]
    stolen = AskForBill(world.actor("worker"), world.person("worker"), other, 2026)
    assert world.do(service.ask_for_bill, stolen) == EnrolmentNotPossible(EnrolProblem.NOT_RESIDENT)
    assert ask(world, "resident", 2026) == EnrolmentNotPossible(EnrolProblem.PAID_ALREADY)
    assert ask(world, "resident", 2020) == EnrolmentNotPossible(EnrolProblem.NO_GAP)
    for year in (-1, 0, 1989, 2028, 99_999):
        assert ask(world, "resident", year) == EnrolmentNotPossible(EnrolProblem.YEAR)
    assert type(ask(world, "resident", 2026, by="worker")).__name__ == "NotPermitted"


def test_before_the_rules_nothing_is_made_up(world: World) -> None:
    world.clock.instant = world.clock.instant.replace(year=2024)
    assert isinstance(save(world, replace(ADULT, year=2024)), RuleNotLoaded)


def moving(world: World, form: TransferForm = FROM_YIBIN) -> Any:
    """Return a transfer that is submitted."""
    draft = save(world, form, "moved")
    if form is FROM_BEIJING:
        needed = Requirement.TRANSFER_CERTIFICATE
        assert draft.missing == (needed,)
        add(world, draft.matter.id, picture(), requirement=needed, by="moved")
    return submit(world, draft.matter.id, "moved")


def hand_on(world: World, matter_id: str, by: str = "SC1001", **letter: Any) -> Any:
    payload = Payload(matter_id, **letter)
    return world.do(desk.propose, Propose(world.staff(by), ActKind.TRANSFER, payload, "核对缴费"))


def test_an_account_that_stands_by_for_a_payment_is_not_moved(world: World) -> None:
    waits = moving(world)
    person = world.person("moved")

    def stand_by(unit: Any) -> None:
        [there] = people.enrolments_in(unit, person, "511500")
        ledger_service.hold(unit, "a bill", accounts.personal(there), Fen(100))

    world.database.write(stand_by)
    refused = EnrolmentNotPossible(EnrolProblem.MONEY_HELD)
    assert hand_on(world, waits.matter.id) == refused


def balances(world: World) -> list[int]:
    """Return the accounts of who has moved: there, then here; and what both areas have put in."""

    def read(unit: Any) -> list[int]:
        there, here = (
            people.enrolments_in(unit, world.person("moved"), area)[0]
            for area in ("511500", "510100")
        )
        return [
            ledger.balance(unit, accounts.personal(there)) or 0,
            ledger.balance(unit, accounts.personal(here)) or 0,
        ]

    return world.database.read(read)


def test_insurance_moves_through_two_areas_with_months_and_money(world: World) -> None:
    there, here = balances(world)
    assert there == 123_456
    matter = moving(world).matter
    assert (matter.state, matter.area_code) == (MatterState.SUBMITTED, "511500")
    assert matter.due_on == date(2026, 7, 7)  # 15 working days, a holiday between
    # Chengdu's clerk has nothing to do with it yet; the province's serves Yibin too
    assert isinstance(hand_on(world, matter.id, by="CD1001"), DutyMissing)
    proposal = hand_on(world, matter.id)
    assert (proposal.payload.months, proposal.payload.balance_fen) == (24, 123_456)
    assert isinstance(hand_on(world, matter.id), ProposedAlready)
    on_its_way = world.database.read(lambda u: matters.matter(u, matter.id))
    assert on_its_way is not None
    assert (on_its_way.state, on_its_way.area_code) == (MatterState.RECHECK, "510100")
    assert balances(world) == [there, here]
    confirm = DecideProposal(world.staff("ZG1001"), proposal.id)
    assert isinstance(world.do(desk.confirm, confirm), DutyMissing)
    world.do(desk.confirm, DecideProposal(world.staff("CD1003"), proposal.id))
    assert balances(world) == [0, here + there]
    done = world.database.read(lambda u: matters.matter(u, matter.id))
    assert done is not None
    assert done.state is MatterState.EFFECTIVE
    [moved] = world.database.read(lambda u: queries.transfers_to(u, [matter.enrolment_id]))
    assert (moved.id, moved.months, moved.balance_fen) == (done.result_id, 24, 123_456)
    paid = world.database.read(lambda u: queries.months_paid(u, [matter.enrolment_id]))
    assert paid == {matter.enrolment_id: 6 + 24}
    # where they come from they count no more, and it says where they are
    [there] = world.database.read(
        lambda u: people.enrolments_in(u, world.person("moved"), "511500")
    )
    assert world.database.read(lambda u: queries.months_paid(u, [there])) == {there: 0}
    gone = world.database.read(lambda u: queries.transfers_from(u, [there, matter.enrolment_id]))
    assert {one: to.to_enrolment_id for one, to in gone.items()} == {there: matter.enrolment_id}
    assert world.database.read(ledger.verify) == []
    assert moving(world) == EnrolmentNotPossible(EnrolProblem.MOVED_ALREADY)


def test_a_transfer_that_is_not_agreed_with_goes_back(world: World) -> None:
    matter = moving(world).matter
    proposal = hand_on(world, matter.id)
    world.do(desk.withdraw, DecideProposal(world.staff("CD1003"), proposal.id))
    back = world.database.read(lambda u: matters.matter(u, matter.id))
    assert back is not None
    assert (back.state, back.area_code) == (MatterState.SUBMITTED, "511500")
    again = hand_on(world, matter.id)
    world.do(desk.confirm, DecideProposal(world.staff("CD1003"), again.id))
    assert balances(world)[0] == 0


def test_another_province_is_believed_by_its_letter(world: World) -> None:
    _, here = balances(world)
    matter = moving(world, FROM_BEIJING).matter
    assert matter.area_code == "510100"  # there is no desk of ours in Beijing
    missing = EnrolmentNotPossible(EnrolProblem.LETTER)
    assert hand_on(world, matter.id, by="CD1001") == missing
    wrong = {"months": 60, "balance_fen": Fen(-1)}
    assert hand_on(world, matter.id, by="CD1001", **wrong) == missing
    letter = {"months": 60, "balance_fen": Fen(50_000)}
    proposal = hand_on(world, matter.id, by="CD1001", **letter)
    world.do(desk.confirm, DecideProposal(world.staff("CD1003"), proposal.id))
    assert balances(world)[1] == here + 50_000
    paid = world.database.read(lambda u: queries.months_paid(u, [matter.enrolment_id]))
    assert paid == {matter.enrolment_id: 6 + 60}
    assert world.database.read(ledger.verify) == []


@pytest.mark.parametrize(
    ("who", "form", "problem"),
    [
        ("moved", TransferForm("510100"), EnrolProblem.SAME_AREA),
        ("moved", TransferForm("511502"), EnrolProblem.PLACE),
        ("moved", TransferForm("999999"), EnrolProblem.PLACE),
        ("moved", TransferForm("110100"), EnrolProblem.NUMBER),
        ("moved", TransferForm("110100", "1-2"), EnrolProblem.NUMBER),
    ],
)
def test_a_transfer_that_cannot_be(
    world: World, who: str, form: TransferForm, problem: EnrolProblem
) -> None:
    assert save(world, form, who) == EnrolmentNotPossible(problem)


def test_both_sides_are_looked_at_before_it_is_taken_in(world: World) -> None:
    draft = save(world, FROM_YIBIN, "worker")
    assert submit(world, draft.matter.id, "worker") == EnrolmentNotPossible(
        EnrolProblem.NOT_INSURED_THERE
    )
    moving(world)
    assert moving(world) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
