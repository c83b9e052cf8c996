"""补缴: years without insurance are paid back, and somebody waits less."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.certificates import service as issuing
from backend.certificates.contracts import CertificateKind, IssueCertificate
from backend.enrolment import queries, repairing, service
from backend.enrolment.contracts import (
    AskForBill,
    ContributionState,
    EnrolmentNotPossible,
    EnrolProblem,
    PaidBillResult,
)
from backend.kernel.money import Fen
from backend.people import queries as people
from backend.people import service as people_service
from backend.people.contracts import (
    AccountKind,
    BenefitStatus,
    EnrolmentInput,
    EnrolmentPeriodInput,
    InsuranceType,
    PersonKind,
)
from backend.rulebook.contracts import RuleNotLoaded
from tests.usecases.test_certificates import paper
from tests.usecases.test_enrolment import bills, insured, pay, registered
from tests.usecases.test_safety import messages
from tests.world import World, new_key

LOW, HIGH = 40_000, 52_000
WAITS, RUNS = BenefitStatus.WAITING, BenefitStatus.ACTIVE


def once_insured(
    world: World, until: int, tier: str = "LOW", kind: PersonKind = PersonKind.RESIDENT_ADULT
) -> str:
    """Let somebody have been insured as a resident for a year, and not since; return the enrolment."""
    period = EnrolmentPeriodInput(date(until, 1, 1), date(until, 12, 31), RUNS, kind, tier)
    enrolment = EnrolmentInput(
        "510100", InsuranceType.RESIDENT, AccountKind.NONE, Fen(0), (period,)
    )
    person = world.person("not_insured")
    return world.database.write(lambda u: people_service.add_enrolment(u, person, enrolment))


def ask(world: World, enrolment: str, year: int, tier: str = "") -> Any:
    actor, person = world.actor("not_insured"), world.person("not_insured")
    return world.do(service.ask_for_bill, AskForBill(actor, person, enrolment, year, tier))


def paid(world: World, enrolment: str, year: int, amount: int = LOW, **more: Any) -> None:
    bill = ask(world, enrolment, year)
    assert bill.own_fen == amount
    assert pay(world, bill.bill_number, amount, **more) is PaidBillResult.BOOKED


def gap(world: World) -> Any:
    return world.database.read(lambda u: repairing.gap_of(u, world.person("not_insured")))


def to(world: World, day: date) -> None:
    now = world.clock.instant
    world.clock.instant = now.replace(year=day.year, month=day.month, day=day.day)
    world._actors.clear()


def test_years_paid_back_first_shorten_what_comes(world: World) -> None:
    mine = once_insured(world, 2023)
    found = gap(world)
    assert (found.enrolment_id, found.months, found.months_least) == (mine, 5, 3)
    assert [(one.year, one.state) for one in found.years] == [(2024, None), (2025, None)]
    assert (found.years_needed, found.waits_since, found.benefits_from) == (2, None, None)
    bill = ask(world, mine, 2024)
    # this year's price, and not a last day that is long past
    assert (bill.own_fen, bill.due_until, bill.repairs) == (LOW, date(2026, 7, 15), True)
    assert ask(world, mine, 2024).bill_number == bill.bill_number
    assert pay(world, bill.bill_number, LOW) is PaidBillResult.BOOKED
    assert messages(world)[-1][0] == "contribution_repaid"
    assert insured(world, "not_insured", date(2024, 6, 1)) == []  # it brings nothing for the past
    assert insured(world, "not_insured", date(2026, 12, 1)) == []
    assert ask(world, mine, 2024) == EnrolmentNotPossible(EnrolProblem.PAID_ALREADY)
    found = gap(world)
    assert (found.months, found.years[0].state) == (4, ContributionState.PAID)
    paid(world, mine, 2026)
    assert insured(world, "not_insured", date(2026, 10, 14)) == [("510100", WAITS, "LOW")]
    assert insured(world, "not_insured", date(2026, 10, 15)) == [("510100", RUNS, "LOW")]
    months = world.database.read(lambda u: queries.months_paid(u, [mine]))
    assert months == {mine: 12}  # not those of the year that was paid back


def test_years_paid_back_while_waiting_end_it_earlier(world: World) -> None:
    mine = once_insured(world, 2023)
    paid(world, mine, 2026)
    assert insured(world, "not_insured", date(2026, 11, 14)) == [("510100", WAITS, "LOW")]
    found = gap(world)
    assert (found.waits_since, found.benefits_from) == (date(2026, 6, 15), date(2026, 11, 15))
    paid(world, mine, 2025)
    assert gap(world).benefits_from == date(2026, 10, 15)
    assert insured(world, "not_insured", date(2026, 10, 14)) == [("510100", WAITS, "LOW")]
    assert insured(world, "not_insured", date(2026, 10, 15)) == [("510100", RUNS, "LOW")]
    # paid back late: from that day on, never for days before
    to(world, date(2026, 9, 25))
    bill = ask(world, mine, 2024)
    assert bill.due_until == date(2026, 10, 14)  # no day longer than it is of use
    assert pay(world, bill.bill_number, LOW, on=date(2026, 9, 25)) is PaidBillResult.BOOKED
    assert insured(world, "not_insured", date(2026, 9, 24)) == [("510100", WAITS, "LOW")]
    assert insured(world, "not_insured", date(2026, 9, 25)) == [("510100", RUNS, "LOW")]
    assert insured(world, "not_insured", date(2026, 12, 31)) == [("510100", RUNS, "LOW")]
    assert gap(world) is None
    assert ask(world, mine, 2024) == EnrolmentNotPossible(EnrolProblem.PAID_ALREADY)
    assert ask(world, mine, 2022) == EnrolmentNotPossible(EnrolProblem.NO_GAP)


def test_a_long_gap_is_not_paid_back_beyond_use(world: World) -> None:
    mine = once_insured(world, 2019)
    found = gap(world)
    assert (found.months, found.months_least, found.years_needed) == (9, 6, 3)
    for year in (2020, 2022):
        paid(world, mine, year)
    waits = ask(world, mine, 2025)
    assert waits.state is ContributionState.DUE
    assert ask(world, mine, 2021) == EnrolmentNotPossible(EnrolProblem.NOTHING_SHORTER)
    to(world, date(2026, 7, 20))  # nobody paid that bill: another year may be paid instead
    assert ask(world, mine, 2021).state is ContributionState.DUE
    for year in (2019, 2018):
        assert ask(world, mine, year) == EnrolmentNotPossible(EnrolProblem.NO_GAP)


def test_waiting_that_reaches_into_the_next_year_goes_on(world: World) -> None:
    mine = once_insured(world, 2023)
    to(world, date(2026, 10, 20))
    paid(world, mine, 2026, on=date(2026, 10, 20))
    paid(world, mine, 2027, on=date(2026, 10, 20))
    assert insured(world, "not_insured", date(2027, 3, 19)) == [("510100", WAITS, "LOW")]
    assert insured(world, "not_insured", date(2027, 3, 20)) == [("510100", RUNS, "LOW")]
    to(world, date(2027, 1, 5))
    found = gap(world)
    assert (found.waits_since, found.benefits_from) == (date(2026, 10, 20), date(2027, 3, 20))
    assert [one.year for one in found.years] == [2024, 2025]  # 2026 was paid: it is no gap
    paid(world, mine, 2024, on=date(2027, 1, 5))
    assert insured(world, "not_insured", date(2027, 2, 19)) == [("510100", WAITS, "LOW")]
    assert insured(world, "not_insured", date(2027, 2, 20)) == [("510100", RUNS, "LOW")]
    assert insured(world, "not_insured", date(2027, 12, 31)) == [("510100", RUNS, "LOW")]


def test_waiting_paid_for_next_year_alone_is_shortened_too(world: World) -> None:
    mine = once_insured(world, 2024)
    to(world, date(2026, 10, 20))
    paid(world, mine, 2027, on=date(2026, 10, 20))
    assert insured(world, "not_insured", date(2027, 5, 31)) == [("510100", WAITS, "LOW")]
    found = gap(world)
    # 2026 still runs: it is paid like any year, not paid back
    assert ([one.year for one in found.years], found.months) == ([2025], 5)
    paid(world, mine, 2025, on=date(2026, 10, 20))
    assert insured(world, "not_insured", date(2027, 5, 1)) == [("510100", RUNS, "LOW")]
    assert insured(world, "not_insured", date(2027, 4, 30)) == [("510100", WAITS, "LOW")]


def test_a_bill_of_that_year_that_lapsed_is_paid_back_and_registers_nobody(world: World) -> None:
    once_insured(world, 2024)
    registered(world)
    first = next(one for one in bills(world) if one.bill_number)
    to(world, date(2027, 2, 1))
    back = ask(world, first.enrolment_id, 2026)
    assert (back.repairs, back.own_fen) == (True, HIGH)
    paid_on = date(2027, 2, 1)
    assert pay(world, back.bill_number, HIGH, on=paid_on) is PaidBillResult.BOOKED
    assert insured(world, "not_insured", date(2026, 12, 1)) == []
    assert insured(world, "not_insured", date(2027, 12, 1)) == []
    assert gap(world).months == 4  # 3, and 2025


def test_tiers_are_chosen_with_the_bill(world: World) -> None:
    mine = once_insured(world, 2025)
    assert ask(world, mine, 2026, "GOLD") == EnrolmentNotPossible(EnrolProblem.TIER)
    assert ask(world, mine, 2026, "STUDENT") == EnrolmentNotPossible(EnrolProblem.TIER)
    assert ask(world, mine, 2026, "HIGH").own_fen == HIGH


def test_who_has_grown_up_pays_as_an_adult(world: World) -> None:
    mine = once_insured(world, 2025, "STUDENT", PersonKind.STUDENT_OR_CHILD)
    assert ask(world, mine, 2026) == EnrolmentNotPossible(EnrolProblem.TIER)
    assert ask(world, mine, 2026, "LOW").own_fen == LOW
    assert pay(world, bills(world, year=2026)[0].bill_number, LOW) is PaidBillResult.BOOKED
    [held] = world.database.read(
        lambda u: people.enrolments_on(u, world.person("not_insured"), date(2026, 12, 1))
    )
    assert held.person_kind is PersonKind.RESIDENT_ADULT


@pytest.mark.parametrize("who", ["resident", "worker", "suspended"])
def test_there_is_nothing_to_pay_back_for_who_is_insured(world: World, who: str) -> None:
    assert world.database.read(lambda u: repairing.gap_of(u, world.person(who))) is None


def test_before_the_rule_nothing_is_made_up(world: World) -> None:
    mine = once_insured(world, 2022)
    to(world, date(2024, 6, 15))
    assert isinstance(ask(world, mine, 2023), RuleNotLoaded)


def test_insurance_that_ran_out_is_listed_and_certified(world: World) -> None:
    mine, person = once_insured(world, 2023), world.person("not_insured")
    assert insured(world, "not_insured", date(2026, 6, 15)) == []
    [held] = world.database.read(lambda u: people.enrolments_held(u, person, date(2026, 6, 15)))
    assert (held.id, held.status, held.status_from, held.status_until) == (
        mine,
        BenefitStatus.ENDED,
        date(2024, 1, 1),
        None,
    )
    command = IssueCertificate(
        world.actor("not_insured"), person, CertificateKind.ENROLMENT, None, new_key()
    )
    made = world.do(issuing.issue, command)
    [stated] = paper(world, made.id, "not_insured").facts.insurances
    assert (stated.status, stated.status_from, stated.moved_to) == (
        BenefitStatus.ENDED,
        date(2024, 1, 1),
        "",
    )
