"""Manual claims: reckoned at home, owed to the patient, each invoice once, taken back whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.catalogue.contracts import ItemKind
from backend.claims import queries, service
from backend.claims.contracts import (
    BookClaim,
    ClaimInvalid,
    ClaimLine,
    ClaimNotFound,
    ClaimView,
    InvoiceClaimed,
    SettledDirectly,
)
from backend.claims.contracts import ClaimProblem as P
from backend.infra.database import Unit
from backend.kernel.money import parse_quantity, parse_unit_price
from backend.ledger import queries as ledger
from backend.payments import queries as bills
from backend.payments.contracts import NotInsured, SettlementNotFound
from backend.payments.stay_contracts import NotEntitled
from backend.rulebook.contracts import RuleNotLoaded
from backend.rulebook.library import make_book, shipped_packs
from backend.settlement import queries as settlements
from backend.settlement.case import CareKind, Route
from backend.settlement.contracts import LaterSettlementsInTheWay
from tests.world import BEIJING, IBUPROFEN, LEVEL_3, VISIT, World, line

DAY = date(2026, 6, 10)


def fee(price: str, code: str = VISIT, **more: Any) -> ClaimLine:
    return ClaimLine(
        code, "", ItemKind.TREATMENT, parse_quantity("1"), parse_unit_price(price), **more
    )


def claim(world: World, key: str = "retiree", **changes: Any) -> BookClaim:
    facts = BookClaim(
        person_id=world.person(key),
        enrolment_id=None,
        institution_code=BEIJING,
        care=CareKind.INPATIENT,
        first=date(2026, 6, 1),
        last=DAY,
        disease="",
        emergency=False,
        invoices=("11010026A0000001",),
        lines=(fee("1800.00"),),
    )
    return replace(facts, **changes)


def book(world: World, command: BookClaim) -> Any:
    return world.database.write(lambda u: service.book_claim(u, command, "clerk"))


def booked(world: World, command: BookClaim) -> ClaimView:
    outcome = book(world, command)
    assert isinstance(outcome, ClaimView), outcome
    return outcome


def reverse(world: World, claim_id: str) -> Any:
    return world.database.write(lambda u: service.reverse_claim(u, claim_id, "重复", "clerk"))


def owed_to(world: World, key: str) -> int:
    account = f"payout:{world.enrolment(key)}"
    return world.database.read(lambda u: ledger.sum_of(u, account))


def fund(world: World) -> int:
    return world.database.read(lambda u: ledger.sum_of(u, "fund:510100:EMPLOYEE"))


def test_what_the_fund_pays_is_owed_to_the_patient_and_nothing_to_the_hospital(
    world: World,
) -> None:
    balance, before = world.balance("retiree"), fund(world)
    hospital = world.terminal(BEIJING).institution_id
    view = booked(world, claim(world))
    assert (view.settlement.fund_fen, view.payable_fen) == (79_000, 79_000)
    assert (view.settlement.route, view.settlement.cash_fen) == (Route.MANUAL, 101_000)
    assert owed_to(world, "retiree") == 79_000
    assert fund(world) == before - 79_000
    assert world.balance("retiree") == balance
    for account in (f"claim:{hospital}", f"till:{hospital}"):
        assert world.database.read(lambda u, a=account: ledger.sum_of(u, a)) == 0
    assert world.counters("retiree")["inpatient_worker.stays"] == 1
    found = world.database.read(lambda u: queries.of_person(u, world.person("retiree"), 5))
    assert found == [view]
    assert world.faults() == []


def test_lines_without_a_code_are_outside_of_the_catalogue(world: World) -> None:
    outside = replace(fee("500.00", code=""), name="陪护费")
    view = booked(world, claim(world, lines=(fee("1800.00"), outside)))
    assert view.settlement.outcome.full_self_pay_fen == 50_000
    assert view.payable_fen == 79_000


def test_an_invoice_is_reimbursed_once_until_its_claim_is_taken_back(world: World) -> None:
    first = booked(world, claim(world))
    money = world.money()
    twice = claim(world, invoices=("11010026A0000002", "11010026A0000001"))
    assert book(world, twice) == InvoiceClaimed(("11010026A0000001",))
    other = claim(world, "worker")
    assert book(world, other) == InvoiceClaimed(("11010026A0000001",))
    assert world.money() == money
    gone = reverse(world, first.id)
    assert (gone.payable_fen, gone.settlement.id) == (0, first.settlement.id)
    assert owed_to(world, "retiree") == 0
    assert world.counters("retiree").get("inpatient_worker.stays", 0) == 0
    assert reverse(world, first.id) == ClaimNotFound()
    assert reverse(world, "no such") == ClaimNotFound()
    assert booked(world, twice).payable_fen == 79_000
    assert world.faults() == []


def test_a_stay_settled_at_the_till_is_not_claimed_again(world: World) -> None:
    world.change_settings(confirm_above_fen=100_000_000)
    stay = world.admit("retiree")
    assert booked(world, claim(world, institution_code=LEVEL_3)).payable_fen  # an earlier stay
    settled = world.settle_stay(stay.id, line(VISIT, "1", "3000.00", traces=0))
    money = world.money()
    today = date(2026, 6, 15)
    again = claim(
        world, institution_code=LEVEL_3, first=today, last=today, invoices=("51010026B0000001",)
    )
    outcome = book(world, again)
    assert isinstance(outcome, SettledDirectly)
    assert outcome.settlement_ids == (settled.id,)
    assert world.money() == money


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"last": date(2026, 6, 16)}, P.DATES),
        ({"first": date(2026, 6, 11)}, P.DATES),
        ({"care": CareKind.OUTPATIENT}, P.ONE_DAY),
        (
            {"care": CareKind.OUTPATIENT, "first": DAY, "continues_id": "x"},
            P.ONLY_STAYS_CONTINUE,
        ),
        ({"care": CareKind.CHRONIC, "first": DAY}, P.DISEASE),
        ({"invoices": ()}, P.INVOICES),
        ({"invoices": ("A2345678", "A2345678")}, P.INVOICES),
        ({"invoices": ("1101 0026",)}, P.INVOICE_NUMBER),
        ({"lines": ()}, P.NUMBER_OF_LINES),
        ({"lines": (fee("1.00", code=""),)}, (P.LINE_NAME, 1)),
        ({"lines": (fee("1.00", served_on=date(2026, 5, 31)),)}, (P.LINE_DAY, 1)),
        ({"lines": (fee("1.00"), fee("99999999.00"))}, (P.LINE_PRICE, 2)),
        ({"institution_code": "H0"}, P.INSTITUTION),
        ({"lines": (fee("1.00", code="NO"),)}, (P.LINE_CODE, 1)),
        ({"continues_id": "no such"}, P.EARLIER_CLAIM),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_booked(
    world: World, changes: dict[str, Any], problem: Any
) -> None:
    money = world.money()
    what, *lines = problem if isinstance(problem, tuple) else (problem,)
    assert book(world, claim(world, **changes)) == ClaimInvalid((what,), tuple(lines))
    assert world.money() == money


def test_everything_wrong_is_named_at_once(world: World) -> None:
    wrong = claim(world, last=date(2027, 1, 1), invoices=("x",), lines=())
    assert book(world, wrong) == ClaimInvalid((P.DATES, P.INVOICE_NUMBER, P.NUMBER_OF_LINES))


def test_who_is_not_insured_or_entitled_or_whose_region_has_no_rules(world: World) -> None:
    assert book(world, claim(world, enrolment_id="no such")) == NotInsured()
    chronic = claim(world, care=CareKind.CHRONIC, first=DAY, disease="RENAL_DIALYSIS")
    assert book(world, chronic) == NotEntitled("RENAL_DIALYSIS")
    missing = book(world, claim(world, "zigong"))
    assert isinstance(missing, RuleNotLoaded)
    assert missing.region == "510300"


def test_a_listed_disease_is_claimed_by_whoever_has_it(world: World) -> None:
    view = booked(
        world,
        claim(
            world,
            "chronic",
            care=CareKind.CHRONIC,
            first=DAY,
            disease="RENAL_DIALYSIS",
            institution_code=LEVEL_3,
        ),
    )
    assert view.settlement.outcome.pool_fen == 89_000  # 65 years old: (1800 - 800) × 89 %


def test_a_long_stay_is_claimed_in_stretches_with_one_deductible(world: World) -> None:
    first = booked(world, claim(world))
    rest = claim(
        world,
        last=date(2026, 6, 12),
        invoices=("11010026A0000009",),
        lines=(fee("1000.00"),),
        continues_id=first.id,
    )
    assert book(world, replace(rest, first=date(2026, 6, 2))) == ClaimInvalid((P.DAYS_OF_STAY,))
    second = booked(world, rest)
    assert second.settlement.outcome.deductible_fen == 0
    assert second.payable_fen == 79_000
    assert world.counters("retiree")["inpatient_worker.stays"] == 1
    assert reverse(world, first.id) == ClaimInvalid((P.CONTINUED,))
    assert isinstance(reverse(world, second.id), ClaimView)
    assert isinstance(reverse(world, first.id), ClaimView)
    assert owed_to(world, "retiree") == 0
    assert world.faults() == []


def test_more_taken_back_than_charged_is_no_claim(world: World) -> None:
    back = replace(fee("1800.00"), quantity=parse_quantity("-2"))
    outcome = book(world, claim(world, lines=(fee("1800.00"), back)))
    assert isinstance(outcome, ClaimInvalid)


def test_a_till_neither_sees_nor_takes_back_what_the_desk_booked(world: World) -> None:
    view = booked(world, claim(world))
    place = world.terminal(BEIJING).institution_id
    assert world.reverse(view.settlement.id, BEIJING) == SettlementNotFound()
    assert world.database.read(lambda u: settlements.of_institution(u, place, None, 10)) == []


def test_later_settlements_stand_in_the_way(world: World) -> None:
    first = booked(world, claim(world))
    later = booked(world, claim(world, invoices=("11010026A0000002",)))
    assert later.settlement.outcome.deductible_fen < first.settlement.outcome.deductible_fen
    money = world.money()
    assert reverse(world, first.id) == LaterSettlementsInTheWay(1, (later.settlement.id,))
    assert world.money() == money


@pytest.fixture
def rerun(monkeypatch: pytest.MonkeyPatch) -> None:
    packs = shipped_packs()
    for pack in packs.values():
        if pack["topic"] == "stays":
            pack["parameters"]["later_settlements"]["values"][0]["value"] = "RERUN"
    rules = make_book(packs)
    for module in ("payments", "claims"):
        monkeypatch.setattr(f"backend.{module}.service.rulebook", lambda: rules)


def test_a_rerun_is_found_by_its_claim_and_by_its_bill(world: World, rerun: None) -> None:
    first = booked(world, claim(world))
    later = booked(world, claim(world, invoices=("11010026A0000002",)))
    assert isinstance(reverse(world, first.id), ClaimView)

    def now(unit: Unit) -> ClaimView:
        found = queries.claim(unit, later.id)
        assert found is not None
        return found

    again = world.database.read(now)
    assert again.settlement.id != later.settlement.id
    assert again.payable_fen == first.payable_fen == owed_to(world, "retiree")
    assert isinstance(reverse(world, later.id), ClaimView)

    bought = world.buy("worker", line(IBUPROFEN, "1", "200.00"))
    second = world.buy("worker", line(IBUPROFEN, "1", "300.00"))
    world.reverse(bought.id)
    bill = world.database.read(lambda u: bills.bill(u, second.bill_id))
    assert bill is not None
    assert bill.settlement_id not in (None, second.id)
    assert world.reverse(bill.settlement_id).reverses_id == bill.settlement_id
    assert world.used("worker").fund_fen == 0
    assert world.faults() == []
