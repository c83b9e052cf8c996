"""服务评价: a rating's whole life, each way it is refused, and what may be said of an institution."""

from __future__ import annotations

from typing import Any

import pytest

from backend.access.contracts import DutyMissing, Role, SignInRequired
from backend.desk import ratings as desk
from backend.ratings import queries, service
from backend.ratings.contracts import (
    AnswerMissing,
    DecideRating,
    Rate,
    RatingEvent,
    RatingNotFound,
    RatingNotPossible,
    RatingProblem,
    RatingReason,
    RatingState,
    RatingView,
    SayOfRating,
    Score,
    WorkRating,
)
from backend.ratings.logic import tenths
from backend.ratings.model import Rating
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import IBUPROFEN, OTHER_PHARMACY, PHARMACY, World, line, new_key

S, E, P, R = RatingState, RatingEvent, RatingProblem, RatingReason


def rate(world: World, grade: int = 1, *reasons: R, who: str = "worker", **more: Any) -> Any:
    by = more.get("by", who)
    settled = more.get("settled") or world.buy(who, line(IBUPROFEN, "1", "12.00")).id
    words = more.get("words", "")
    command = Rate(world.actor(by), settled, grade, reasons, words, new_key())
    return world.do(service.rate, command)


def work(
    world: World, rating: RatingView, event: RatingEvent, words: str = "已改进", at: str = PHARMACY
) -> Any:
    return world.do(service.work, WorkRating(world.terminal(at), rating.id, event, words))


def say(world: World, rating: RatingView, accept: bool, words: str = "", by: str = "worker") -> Any:
    return world.do(service.say, SayOfRating(world.actor(by), rating.id, accept, words))


def decide(world: World, rating: RatingView, uphold: bool, by: str = "CD1001") -> Any:
    return world.do(desk.decide, DecideRating(world.staff(by), rating.id, uphold, "已核实"))


def to_answer(world: World, at: str = PHARMACY) -> list[str]:
    place = world.terminal(at).institution_id
    return [one.id for one in world.database.read(lambda u: queries.to_answer(u, place, 10))]


def at_desk(world: World, by: str = "CD1001") -> list[str]:
    actor = world.staff(by)
    return [one.id for one in world.database.read(lambda u: desk.waiting(u, actor, 10))]


def test_a_bad_rating_is_answered_opened_once_more_and_closed(world: World) -> None:
    rating = rate(world, 2, R.WAITING, R.OTHER, words=" 排队一小时 ")
    assert (rating.state, rating.grade, rating.words, rating.overdue) == (
        S.WAITING,
        2,
        "排队一小时",
        False,
    )
    assert rating.due_on is not None
    assert to_answer(world) == [rating.id]
    assert to_answer(world, OTHER_PHARMACY) == []
    assert work(world, rating, E.ANSWER, "  ") == AnswerMissing()
    answered = work(world, rating, E.ANSWER, "已增开窗口")
    assert (answered.state, answered.due_on) == (S.ANSWERED, None)
    assert messages(world)[-1][0] == "rating_answered"
    assert say(world, rating, accept=False) == AnswerMissing()
    assert say(world, rating, accept=False, words="没有改").state is S.REOPENED
    assert to_answer(world) == [rating.id]
    assert work(world, rating, E.APPEAL) == RatingNotFound()  # only before answering
    assert work(world, rating, E.ANSWER, "本周起早开门").state is S.ANSWERED_AGAIN
    assert say(world, rating, accept=False, words="还是没有") == RatingNotFound()  # once
    done = say(world, rating, accept=True)
    assert done.state is S.CLOSED
    assert [(one.event, one.words) for one in done.steps] == [
        (E.ANSWER, "已增开窗口"),
        (E.REOPEN, "没有改"),
        (E.ANSWER, "本周起早开门"),
        (E.ACCEPT, ""),
    ]


def test_a_good_one_needs_no_reason_and_no_answer(world: World) -> None:
    rating = rate(world, 5, words="很快")
    assert (rating.state, rating.due_on) == (S.GIVEN, None)
    assert to_answer(world) == []
    assert work(world, rating, E.ANSWER) == RatingNotFound()
    assert say(world, rating, accept=True) == RatingNotFound()


@pytest.mark.parametrize(("uphold", "ends"), [(True, S.WAITING), (False, S.STRUCK)])
def test_an_appeal_is_decided_by_the_agency_of_the_place(
    world: World, uphold: bool, ends: RatingState
) -> None:
    rating = rate(world, 1, R.ATTITUDE)
    assert decide(world, rating, uphold) == RatingNotFound()  # nobody has appealed
    assert work(world, rating, E.APPEAL, "当天没有这位顾客").state is S.APPEALED
    assert to_answer(world) == []
    assert at_desk(world) == at_desk(world, "JJ1001") == [rating.id]
    assert at_desk(world, "ZG1001") == []
    assert decide(world, rating, uphold, by="ZG1001") == DutyMissing(Role.CLERK)
    assert decide(world, rating, uphold).state is ends
    assert work(world, rating, E.APPEAL, "再申诉") == RatingNotFound()
    place = world.terminal().institution_id
    counted = world.database.read(lambda u: queries.score(u, place))
    assert counted == Score(1 if uphold else 0, 0)
    if uphold:
        assert work(world, rating, E.ANSWER).state is S.ANSWERED


def test_silence_closes_what_was_answered_and_lateness_is_seen_at_the_desk(world: World) -> None:
    late, answered = rate(world, 1, R.WAITING), rate(world, 2, R.PRIVACY, who="worker_2")
    work(world, answered, E.ANSWER)
    assert service.close_ratings(world.database) == 0
    world.clock.forward(days=40)
    for cache in (world._actors, world._terminals, world._staff):
        cache.clear()
    assert service.close_ratings(world.database) == 1
    assert service.close_ratings(world.database) == 0
    found = world.database.read(lambda u: queries.rating(u, answered.id))
    assert found is not None
    assert (found.state, found.steps[-1].event) == (S.CLOSED, E.EXPIRE)
    assert at_desk(world) == [late.id]
    seen = world.database.read(lambda u: queries.rating(u, late.id))
    assert seen is not None
    assert seen.overdue


@pytest.mark.parametrize(
    ("grade", "reasons", "words", "problem"),
    [
        (0, (), "", P.GRADE),
        (6, (), "", P.GRADE),
        (1, (), "", P.REASON),
        (2, (R.WAITING, R.WAITING), "", P.REASON),
        (3, (R.WAITING,), "", P.REASON),
        (1, (R.OTHER,), "  ", P.WORDS),
        (5, (), "好" * 501, P.WORDS),
    ],
)
def test_what_a_rating_cannot_be(
    world: World, grade: int, reasons: tuple[R, ...], words: str, problem: P
) -> None:
    assert rate(world, grade, *reasons, words=words) == RatingNotPossible(problem)


def test_which_settlement_cannot_be_rated(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "12.00")).id
    assert isinstance(rate(world, 5, settled=settled), RatingView)
    assert rate(world, 4, settled=settled) == RatingNotPossible(P.RATED)
    back = world.buy("worker", line(IBUPROFEN, "1", "12.00")).id
    reversal = world.reverse(back).id
    for one in (back, reversal):
        assert rate(world, 5, settled=one) == RatingNotPossible(P.TAKEN_BACK)
    old = world.buy("worker", line(IBUPROFEN, "1", "12.00")).id
    world.clock.forward(days=31)
    world._actors.clear()
    assert rate(world, 5, settled=old) == RatingNotPossible(P.TOO_LATE)
    assert rate(world, 5, settled="nonsense") == RatingNotFound()


def test_who_rates_and_who_does_not(world: World) -> None:
    settled = world.buy("retiree", line(IBUPROFEN, "1", "12.00")).id
    assert rate(world, 5, settled=settled, by="worker") == RatingNotFound()
    bound(world, "worker", "retiree")
    rating = rate(world, 2, R.PRIVACY, settled=settled, by="worker")
    assert rating.person.id == world.person("retiree")
    assert say(world, rating, accept=True, by="worker_2") == RatingNotFound()
    assert work(world, rating, E.ANSWER, at=OTHER_PHARMACY) == RatingNotFound()
    assert work(world, rating, E.STRIKE) == RatingNotFound()
    phone = WorkRating(world.actor("worker"), rating.id, E.ANSWER, "x")
    assert world.do(service.work, phone) == SignInRequired()
    till = Rate(world.terminal(), settled, 5, (), "", new_key())
    assert isinstance(world.do(service.rate, till), SignInRequired | RatingNotFound)


def test_an_average_is_told_from_five_ratings_on(world: World) -> None:
    place = world.terminal().institution_id
    for number in range(2, 6):
        rate(world, 4, who=f"worker_{number}")
    assert world.database.read(lambda u: queries.score(u, place)) == Score(4, 0)
    rate(world, 5, who="worker_6")
    assert world.database.read(lambda u: queries.score(u, place)) == Score(5, 42)
    assert [tenths(4, 20), tenths(5, 5), tenths(6, 17), tenths(8, 30)] == [0, 10, 28, 38]


def test_what_was_said_is_sealed(world: World) -> None:
    rating = rate(world, 1, R.OTHER, words="我的药")
    row = world.database.read(lambda u: u.db.get_one(Rating, rating.id).words)
    assert "我的药" not in row
