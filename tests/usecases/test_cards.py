"""卡挂失: the whole life of a report, the clock that lifts it, and each refusal."""

from __future__ import annotations

from datetime import date
from typing import Any

from backend.access.assurance import Proof, StepUpRequired
from backend.cards import queries, service
from backend.cards.contracts import (
    CardLossView,
    CardNotPossible,
    CardProblem,
    CardState,
    LiftCardLoss,
    ReportCardLoss,
)
from backend.desk import service as desk
from backend.desk.contracts import ReissueCard
from backend.identity import queries as identity
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import World


def report(
    world: World, who: str = "worker", by: str = "", formally: bool = False, freeze: bool = False
) -> Any:
    command = ReportCardLoss(world.actor(by or who), world.person(who), formally, freeze)
    return world.do(service.report, command)


def lift(world: World, who: str = "worker", by: str = "") -> Any:
    return world.do(service.lift, LiftCardLoss(world.actor(by or who), world.person(who)))


def seen(world: World, who: str = "worker") -> CardLossView | None:
    return world.database.read(lambda u: queries.card_loss(u, world.person(who)))


def test_a_report_for_a_while_lifts_itself_on_its_day(world: World) -> None:
    assert seen(world) is None
    made = report(world)
    assert (made.state, made.code_frozen) == (CardState.TEMPORARY, False)
    assert (made.lifts_at - made.reported_at).days == 10
    assert messages(world)[-1][0] == "card_lost"
    assert report(world) == CardNotPossible(CardProblem.REPORTED_ALREADY)
    world.clock.forward(days=10, seconds=-1)
    world._actors.clear()
    before = seen(world)
    assert before is not None
    assert before.state is CardState.TEMPORARY
    world.clock.forward(seconds=1)
    after = seen(world)
    assert after is not None
    assert after.state is CardState.LIFTED
    assert lift(world) == CardNotPossible(CardProblem.NOTHING_TO_LIFT)
    assert report(world).state is CardState.TEMPORARY  # it can be lost again


def test_who_finds_the_card_lifts_it(world: World) -> None:
    assert lift(world) == CardNotPossible(CardProblem.NOTHING_TO_LIFT)
    report(world)
    assert lift(world).state is CardState.LIFTED
    assert lift(world) == CardNotPossible(CardProblem.NOTHING_TO_LIFT)


def test_for_good_asks_for_a_proof_and_is_never_undone_until_the_new_card(world: World) -> None:
    report(world)
    assert isinstance(report(world, formally=True), StepUpRequired)
    world.prove("worker", Proof.DESK)
    made = report(world, formally=True)
    assert (made.state, made.lifts_at) == (CardState.FORMAL, None)
    assert made.card_by == date(2026, 7, 7)  # fifteen working days, the festival counted out
    assert lift(world) == CardNotPossible(CardProblem.FORMAL_STANDS)
    assert report(world) == CardNotPossible(CardProblem.FORMAL_STANDS)
    person = world.person("worker")

    def hand_out(number: str) -> Any:
        return world.do(desk.reissue_card, ReissueCard(world.staff(number), person))

    assert hand_out("ZG1001").code() == "DUTY_MISSING"
    assert hand_out("CD1001").state is CardState.REISSUED
    assert hand_out("CD1001") == CardNotPossible(CardProblem.NOTHING_TO_LIFT)
    assert report(world).state is CardState.TEMPORARY


def test_at_the_moment_it_lifts_itself_a_formal_report_is_a_new_one(world: World) -> None:
    first = report(world)
    world.clock.forward(days=10)
    world._actors.clear()
    world.prove("worker", Proof.DESK)
    second = report(world, formally=True)
    assert (second.state, second.id != first.id) == (CardState.FORMAL, True)


def test_the_code_works_on_unless_it_is_frozen_too(world: World) -> None:
    report(world)
    safety = world.database.read(lambda u: identity.safety(u, world.person("worker")))
    assert safety.frozen_at is None
    made = report(world, "worker_2", freeze=True)
    assert made.code_frozen
    clerk = ReportCardLoss(world.staff("CD1001"), world.person("worker"), False, False)
    assert world.do(service.report, clerk).code() == "SIGN_IN_REQUIRED"


def test_a_relative_reports_and_lifts_but_freezes_nothing(world: World) -> None:
    bound(world, "worker", "retiree")
    refused = report(world, "retiree", "worker", freeze=True)
    assert refused == CardNotPossible(CardProblem.ONLY_OWN_CODE)
    assert report(world, "retiree", "worker").state is CardState.TEMPORARY
    assert lift(world, "retiree", "worker").state is CardState.LIFTED
    assert report(world, "retiree", "worker_2").code() == "NOT_PERMITTED"
    assert report(world, "not_insured") == CardNotPossible(CardProblem.NOT_INSURED)
