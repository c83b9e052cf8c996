"""机构对账: sums first, then line by line; what differs waits, goes away by itself, or is closed in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlmodel import select

from backend.access.contracts import DutyMissing, Role, SignInRequired
from backend.desk import statements as desk
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.people.contracts import InsuranceType
from backend.statements import queries, service
from backend.statements.contracts import (
    CompareLines,
    CompareTotals,
    MismatchKind,
    MismatchNotFound,
    MismatchState,
    StatedLine,
    StatementNotPossible,
    StatementProblem,
    StatementState,
    Totals,
)
from backend.statements.model import Mismatch
from tests.world import EJIAO, IBUPROFEN, OTHER_PHARMACY, PHARMACY, World, line, new_key

S, K, P = StatementState, MismatchKind, StatementProblem
EMPLOYEE = InsuranceType.EMPLOYEE


def totals(world: World, day: date, stated: Totals, at: str = PHARMACY) -> Any:
    command = CompareTotals(world.terminal(at), day, EMPLOYEE, stated, new_key())
    return world.do(service.compare_totals, command)


def lines(world: World, day: date, *stated: StatedLine, at: str = PHARMACY) -> Any:
    command = CompareLines(world.terminal(at), day, EMPLOYEE, tuple(stated), new_key())
    return world.do(service.compare_lines, command)


def stated(one: Any, **other: int) -> StatedLine:
    """Return a settlement as an institution would have it, with what it has wrong."""
    return StatedLine(
        one.id,
        Fen(other.get("total", one.total_fen)),
        Fen(other.get("fund", one.fund_fen)),
        Fen(one.account_fen + one.family_fen),
        Fen(one.cash_fen),
    )


def a_day(world: World) -> tuple[date, list[Any]]:
    """Return yesterday with what was booked: two purchases, one of which was taken back."""
    first = world.buy("worker", line(IBUPROFEN, "1", "100.00"), line(EJIAO, "1", "50.00"))
    second = world.buy("worker_2", line(IBUPROFEN, "1", "80.00"))
    back = world.reverse(second.id)
    world.buy("resident", line(IBUPROFEN, "1", "10.00"))  # another insurance
    world.buy("worker_3", line(IBUPROFEN, "1", "30.00"), at=OTHER_PHARMACY)
    day = local_day(world.clock.now())
    world.clock.forward(days=1)
    for held in (world._actors, world._staff, world._terminals):
        held.clear()
    return day, [first, second, back]


def mismatch(world: World) -> str:
    """Return a mismatch that waits for a person."""
    yesterday = local_day(world.clock.now()) - timedelta(days=1)
    ghost = StatedLine("nothing-here", Fen(100), Fen(0), Fen(0), Fen(100))
    return str(lines(world, yesterday, ghost).mismatches[0].id)


def test_equal_sums_balance_a_day(world: World) -> None:
    day, booked = a_day(world)
    [ours, _] = world.database.read(
        lambda u: queries.last_days(u, world.terminal().institution_id, 1)
    )
    assert (ours.state, ours.theirs, ours.ours.count) == (S.OPEN, None, 3)
    first = booked[0]
    expected = Totals(3, first.total_fen, first.fund_fen, first.account_fen, first.cash_fen)
    assert ours.ours == expected
    done = totals(world, day, expected)
    assert (done.state, done.theirs, done.mismatches) == (S.BALANCED, expected, ())
    once_counted = Totals(1, *(getattr(first, f"{part}_fen") for part in
                               ("total", "fund", "account", "cash")))  # fmt: skip
    assert totals(world, day, once_counted).state is S.UNBALANCED


def test_each_difference_is_named_and_goes_when_it_is_put_right(world: World) -> None:
    day, (first, second, back) = a_day(world)
    ghost = StatedLine("nothing-here", Fen(100), Fen(0), Fen(0), Fen(100))
    said = lines(world, day, stated(first, total=1, fund=0), stated(second), ghost)
    assert said.state is S.UNBALANCED
    found = {one.settlement_id: one for one in said.mismatches}
    assert {key: one.kind for key, one in found.items()} == {
        first.id: K.AMOUNT,
        back.id: K.ONLY_HERE,
        ghost.settlement_id: K.ONLY_THERE,
    }
    assert found[back.id].theirs is None
    assert found[ghost.settlement_id].ours is None
    assert found[first.id].ours.total_fen == first.total_fen
    again = lines(world, day, stated(first), stated(second), stated(back), ghost)
    assert [one.kind for one in again.mismatches] == [K.ONLY_THERE]
    worse = lines(world, day, stated(first), stated(second))
    assert {one.settlement_id for one in worse.mismatches} == {back.id}
    whole = Totals(3, first.total_fen, first.fund_fen, first.account_fen, first.cash_fen)
    assert totals(world, day, whole).mismatches == ()
    rows = world.database.read(
        lambda u: {one.settlement_id: one.state for one in u.db.exec(select(Mismatch)).all()}
    )
    assert set(rows.values()) == {MismatchState.GONE}
    assert len(rows) == 3
    assert world.faults() == []


def test_what_cannot_be_compared(world: World) -> None:
    day, (first, *_) = a_day(world)
    nothing = Totals(0, Fen(0), Fen(0), Fen(0), Fen(0))
    today = day + timedelta(days=1)
    assert totals(world, today, nothing) == StatementNotPossible(P.NOT_OVER)
    assert totals(world, day - timedelta(days=400), nothing) == StatementNotPossible(P.TOO_OLD)
    assert lines(world, day, stated(first), stated(first)) == StatementNotPossible(P.LINES)
    nobody = CompareTotals(world.actor("worker"), day, EMPLOYEE, nothing, new_key())
    assert world.do(service.compare_totals, nobody) == SignInRequired()
    # another institution has a day of its own
    assert totals(world, day, nothing, OTHER_PHARMACY).state is S.UNBALANCED
    assert totals(world, day - timedelta(days=1), nothing).state is S.BALANCED


def test_a_checker_of_the_area_closes_what_a_person_has_seen_to(world: World) -> None:
    one = mismatch(world)

    def close(by: str, words: str = "已电话核实，机构已补记") -> Any:
        actor = world.staff(by)
        return world.database.write(lambda u: desk.close(u, actor, one, words))

    waiting = world.database.read(lambda u: desk.mismatches(u, world.staff("CD1003"), 9))
    assert one in [found.id for found in waiting]
    assert world.database.read(lambda u: desk.mismatches(u, world.staff("JJ1001"), 9)) == []
    everywhere = world.staff("SC1001")
    assert [found.id for found in world.database.read(lambda u: desk.mismatches(u, everywhere, 9))]
    assert close("CD1001") == DutyMissing(Role.CHECKER)
    assert close("CD1003", " ") == MismatchNotFound()
    done = close("CD1003")
    assert (done.state, done.words) == (MismatchState.CLOSED, "已电话核实，机构已补记")
    assert close("CD1003") == MismatchNotFound()
