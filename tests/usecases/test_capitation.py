"""腹膜透析按人头付费: signed, changed, rested and resumed by application; and each way it is refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backend.applications import service as applications
from backend.desk import service as desk
from backend.desk.contracts import DecideMatter, MatterAtDesk, MatterDecision
from backend.entitlements import applying, queries, service, signing
from backend.entitlements.contracts import (
    CapitationAct,
    CapitationAgreement,
    CapitationForm,
    CapitationNotPossible,
    CapitationProblem,
)
from backend.institutions import queries as institutions
from backend.institutions import service as institution_service
from backend.institutions.contracts import Agreement
from backend.kernel.calendar import local_day
from backend.matters import procedure
from backend.matters.contracts import (
    ApplicationNotPossible,
    ApplicationView,
    ApplyProblem,
    MaterialsMissing,
    MatterState,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.rulebook.contracts import RuleNotLoaded
from backend.rulebook.library import make_book, packs_in, shipped_packs
from tests.cases.test_cases import PACKS
from tests.usecases.test_filings import add
from tests.world import LEVEL_2, LEVEL_3, World, new_key

ACT = CapitationAct
SIGN = CapitationForm(ACT.SIGN, LEVEL_3)
JULY, AUGUST, SEPTEMBER = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)


@pytest.fixture
def pilot(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A Chengdu that has the municipal pilot's rule, with one seat at each of two hospitals."""
    packs = dict(shipped_packs())
    packs["pd"] = next(p for p in packs_in(PACKS).values() if p["topic"] == "capitation")
    packs["pd"]["region"] = "510100"
    book = make_book(packs)
    for module in (signing, queries, applying):
        monkeypatch.setattr(module, "rulebook", lambda: book)
    for code in (LEVEL_3, LEVEL_2):
        seats(world, code, 1)
    dialysis(world, "worker")
    return world


def place(world: World, code: str) -> str:
    found = world.database.read(lambda unit: institutions.by_code(unit, code))
    assert found is not None
    return found.id


def seats(world: World, code: str, number: int) -> None:
    hospital = place(world, code)
    world.database.write(lambda u: service.set_pilot(u, "test", hospital, "510100", number))


def dialysis(world: World, who: str) -> None:
    enrolment = world.enrolment(who)
    begun = date(2026, 1, 1)
    world.database.write(
        lambda u: service.record_disease(u, "test", enrolment, queries.DIALYSIS, begun, None)
    )


def save(world: World, form: CapitationForm = SIGN, who: str = "worker") -> Any:
    actor, person = world.actor(who), world.person(who)
    command = SaveApplication(actor, person, None, None, form, new_key())
    return world.do(lambda u, c: procedure.save(u, signing.CAPITATION, c), command)


def submit(world: World, matter_id: str, who: str = "worker") -> Any:
    command = SubmitApplication(world.actor(who), matter_id, False, new_key())
    return world.do(applications.submit, command)


def asked(world: World, form: CapitationForm = SIGN, who: str = "worker") -> str:
    saved = save(world, form, who)
    assert isinstance(saved, ApplicationView), saved
    if form.act in (ACT.SIGN, ACT.CHANGE):
        add(world, saved.matter.id, by=who, requirement=Requirement.SIGNED_AGREEMENT)
    sent = submit(world, saved.matter.id, who)
    assert sent.matter.state is MatterState.SUBMITTED, sent
    matter_id: str = saved.matter.id
    return matter_id


def approve(world: World, matter_id: str) -> Any:
    command = DecideMatter(world.staff("CD1001"), matter_id, MatterDecision.APPROVE, "")
    return world.do(desk.decide_matter, command)


def done(world: World, form: CapitationForm = SIGN, who: str = "worker") -> MatterAtDesk:
    decided = approve(world, asked(world, form, who))
    assert isinstance(decided, MatterAtDesk), decided
    assert decided.matter.state is MatterState.EFFECTIVE
    return decided


def held(world: World, who: str = "worker") -> list[CapitationAgreement]:
    enrolment = world.enrolment(who)
    return world.database.read(lambda u: queries.agreements_of_person(u, [enrolment]))


def free(world: World, code: str = LEVEL_3, month: date = JULY) -> int | None:
    hospital = place(world, code)
    return world.database.read(lambda u: queries.free_seats(u, hospital, "510100", month))


def problem(outcome: Any) -> CapitationProblem:
    assert isinstance(outcome, CapitationNotPossible), outcome
    return outcome.problem


def test_it_is_signed_with_papers_and_counts_from_the_next_month(pilot: World) -> None:
    saved = save(pilot)
    assert saved.missing == (Requirement.SIGNED_AGREEMENT,)
    assert isinstance(submit(pilot, saved.matter.id), MaterialsMissing)
    assert free(pilot) == 1
    decided = done(pilot)
    [agreement] = held(pilot)
    assert decided.matter.result_id == agreement.id
    assert (agreement.effective_from, agreement.ends) == (JULY, date(2027, 6, 1))
    assert free(pilot) == 0
    assert free(pilot, month=date(2026, 6, 1)) == 1


def test_a_change_counts_from_the_next_month_and_gives_the_seat_back(pilot: World) -> None:
    done(pilot)
    pilot.clock.forward(days=40)  # to the end of July
    pilot._actors.clear()
    pilot._staff.clear()
    done(pilot, CapitationForm(ACT.CHANGE, LEVEL_2, words="迁居"))
    now, before = held(pilot)
    assert (now.effective_from, now.ends) == (AUGUST, date(2027, 7, 1))
    assert (before.effective_from, before.ends) == (JULY, JULY)
    assert (free(pilot, month=AUGUST), free(pilot, LEVEL_2, AUGUST)) == (1, 0)


def test_a_change_before_it_began_leaves_nothing_of_the_first(pilot: World) -> None:
    done(pilot)
    done(pilot, CapitationForm(ACT.CHANGE, LEVEL_2, words="迁居"))
    [now] = held(pilot)
    assert (now.effective_from, now.institution_id) == (JULY, place(pilot, LEVEL_2))
    assert free(pilot) == 1


def test_months_rest_and_count_again(pilot: World) -> None:
    done(pilot)
    done(pilot, CapitationForm(ACT.REST, months=(JULY, AUGUST), words="住院移植"))
    assert held(pilot)[0].suspended_months == (JULY, AUGUST)
    done(pilot, CapitationForm(ACT.RESUME, months=(AUGUST,)))
    assert held(pilot)[0].suspended_months == (JULY,)


def test_a_month_asked_for_in_time_rests_though_the_agency_took_longer(pilot: World) -> None:
    done(pilot)
    pilot.clock.forward(days=30)  # the middle of July
    pilot._actors.clear()
    matter = asked(pilot, CapitationForm(ACT.REST, months=(JULY,), words="住院"))
    pilot.clock.forward(days=20)  # in August
    pilot._staff.clear()
    pilot._actors.clear()
    assert isinstance(approve(pilot, matter), MatterAtDesk)
    assert held(pilot)[0].suspended_months == (JULY,)
    late = CapitationForm(ACT.REST, months=(JULY,), words="住院")
    assert problem(save(pilot, late)) is CapitationProblem.MONTHS


def test_without_the_disease_a_seat_or_a_pilot_it_is_refused(pilot: World) -> None:
    assert problem(save(pilot, who="worker_2")) is CapitationProblem.NO_DISEASE
    assert problem(save(pilot, CapitationForm(ACT.SIGN, "no such"))) is CapitationProblem.NO_PILOT
    community = CapitationForm(ACT.SIGN, "H51010400004")
    assert problem(save(pilot, community)) is CapitationProblem.NO_PILOT
    done(pilot)
    assert problem(save(pilot)) is CapitationProblem.SIGNED_ALREADY
    dialysis(pilot, "worker_2")
    assert problem(save(pilot, who="worker_2")) is CapitationProblem.NO_SEAT
    hospital = place(pilot, LEVEL_2)
    pilot.database.write(
        lambda u: institution_service.set_agreement(u, "test", hospital, Agreement.SUSPENDED)
    )
    other = CapitationForm(ACT.SIGN, LEVEL_2)
    assert problem(save(pilot, other, "worker_2")) is CapitationProblem.NO_PILOT


def test_what_cannot_be_changed_rested_or_resumed(pilot: World) -> None:
    change = CapitationForm(ACT.CHANGE, LEVEL_2, words="迁居")
    rest = CapitationForm(ACT.REST, months=(JULY,), words="住院")
    assert problem(save(pilot, change)) is CapitationProblem.NOT_SIGNED
    assert problem(save(pilot, rest)) is CapitationProblem.NOT_SIGNED
    done(pilot)
    for form, why in (
        (CapitationForm(ACT.CHANGE, LEVEL_3, words="x"), CapitationProblem.SAME_HOSPITAL),
        (CapitationForm(ACT.CHANGE, LEVEL_2), CapitationProblem.WORDS),
        (CapitationForm(ACT.REST, months=(JULY,)), CapitationProblem.WORDS),
        (CapitationForm(ACT.REST, months=(), words="x"), CapitationProblem.MONTHS),
        (CapitationForm(ACT.REST, months=(JULY, JULY), words="x"), CapitationProblem.MONTHS),
        (CapitationForm(ACT.REST, months=(date(2026, 5, 1),), words="x"), CapitationProblem.MONTHS),
        (CapitationForm(ACT.REST, months=(date(2026, 7, 2),), words="x"), CapitationProblem.MONTHS),
        (CapitationForm(ACT.RESUME, months=(JULY,)), CapitationProblem.MONTHS),
        (
            CapitationForm(ACT.REST, months=(date(2027, 6, 1), date(2027, 7, 1)), words="x"),
            CapitationProblem.NOT_SIGNED,
        ),
    ):
        assert problem(save(pilot, form)) is why, form
    done(pilot, rest)
    assert problem(save(pilot, rest)) is CapitationProblem.MONTHS


def test_the_last_seat_goes_to_who_is_entered_first(pilot: World) -> None:
    dialysis(pilot, "worker_2")
    first, second = asked(pilot), asked(pilot, who="worker_2")
    assert isinstance(approve(pilot, second), MatterAtDesk)
    assert problem(approve(pilot, first)) is CapitationProblem.NO_SEAT
    left = pilot.database.read(lambda u: applications.look(u, first))
    assert left is not None
    assert left.matter.state is MatterState.SUBMITTED  # as it was: the clerk refuses it in words
    seats(pilot, LEVEL_3, 2)
    assert isinstance(approve(pilot, first), MatterAtDesk)


def test_one_application_at_a_time(pilot: World) -> None:
    asked(pilot)
    saved = save(pilot, CapitationForm(ACT.SIGN, LEVEL_2))
    add(pilot, saved.matter.id, requirement=Requirement.SIGNED_AGREEMENT)
    refused = submit(pilot, saved.matter.id)
    assert refused == ApplicationNotPossible(ApplyProblem.UNDER_WAY)


def test_where_there_is_no_pilot_nothing_can_be_signed(world: World) -> None:
    refused = save(world)
    assert isinstance(refused, RuleNotLoaded)
    assert refused.rule == "capitation.year_amount"


def test_a_renewal_is_signed_in_the_last_month(pilot: World) -> None:
    done(pilot)
    pilot.clock.forward(days=(date(2027, 6, 10) - local_day(pilot.clock.now())).days)
    pilot._actors.clear()
    pilot._staff.clear()
    done(pilot)
    now, before = held(pilot)
    assert now.effective_from - before.ends == timedelta(days=30)
