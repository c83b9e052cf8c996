"""问题协同: the whole life of a ticket through its levels and sides, and each refusal."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest

from backend.access.contracts import SignInRequired
from backend.codes.contracts import GrantNotValid, Purpose
from backend.coordination import logic, queries, service
from backend.coordination.contracts import (
    OpenTicket,
    OpenTicketAtTill,
    SayOfTicket,
    Side,
    TicketEvent,
    TicketNotFound,
    TicketNotPossible,
    TicketProblem,
    TicketReason,
    TicketState,
    TicketView,
    WorkTicket,
)
from backend.desk import tickets
from backend.desk.contracts import WordsMissing
from backend.institutions import queries as institutions
from backend.settlement.case import CareKind
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import BEIJING, IBUPROFEN, LEVEL_3, PHARMACY, World, line, new_key

DAY = date(2026, 6, 15)


def ask(world: World, who: str = "worker", **more: Any) -> Any:
    command = OpenTicket(
        world.actor(more.get("by", who)),
        world.person(who),
        more.get("place", LEVEL_3),
        CareKind.INPATIENT,
        more.get("reason", TicketReason.CANNOT_SETTLE),
        more.get("words", "出院时提示结算失败"),
        more.get("key") or new_key(),
        more.get("settlement"),
    )
    return world.do(service.open_ticket, command)


def opened(world: World, who: str = "worker", **more: Any) -> TicketView:
    made = ask(world, who, **more)
    assert isinstance(made, TicketView), made
    return made


def work(
    world: World, ticket_id: str, event: TicketEvent, by: str = "CD1001", words: str = "已联系医院"
) -> Any:
    return world.do(tickets.work, WorkTicket(world.staff(by), ticket_id, event, words))


def say(world: World, ticket_id: str, solved: bool, by: str = "worker") -> Any:
    return world.do(service.say, SayOfTicket(world.actor(by), ticket_id, solved, "还是不行"))


def answered(world: World, who: str = "worker") -> TicketView:
    made = opened(world, who)
    work(world, made.id, TicketEvent.TAKE)
    done = work(world, made.id, TicketEvent.ANSWER)
    assert isinstance(done, TicketView), done
    return done


def test_it_is_taken_passed_answered_and_confirmed_and_the_patient_sees_it_all(
    world: World,
) -> None:
    made = opened(world)
    assert (made.state, made.side, made.level) == (TicketState.OPENED, Side.PLACE, 1)
    assert (made.region, made.due_on) == ("510104", date(2026, 6, 16))
    assert made.number.startswith("XT20260615")
    assert work(world, made.id, TicketEvent.ANSWER) == TicketNotFound()  # it is taken first
    assert work(world, made.id, TicketEvent.TAKE).state is TicketState.ASSIGNED
    assert work(world, made.id, TicketEvent.PASS, words=" ") == WordsMissing()
    passed = work(world, made.id, TicketEvent.PASS, words="备案地网络故障")
    assert (passed.state, passed.side, passed.region) == (TicketState.OPENED, Side.HOME, "510100")
    work(world, made.id, TicketEvent.TAKE)
    done = work(world, made.id, TicketEvent.ANSWER, words="已恢复，请重新结算")
    assert done.state is TicketState.ANSWERED
    assert messages(world)[-1][0] == "ticket_answer"
    closed = say(world, made.id, True)
    assert closed.state is TicketState.CLOSED
    assert [step.event for step in closed.steps] == [
        TicketEvent.OPEN,
        TicketEvent.TAKE,
        TicketEvent.PASS,
        TicketEvent.TAKE,
        TicketEvent.ANSWER,
        TicketEvent.CONFIRM,
    ]
    assert say(world, made.id, False) == TicketNotFound()


def test_who_is_not_helped_goes_one_level_up(world: World) -> None:
    done = answered(world)
    again = say(world, done.id, False)
    assert (again.state, again.level, again.region) == (TicketState.OPENED, 2, "510100")
    up = work(world, done.id, TicketEvent.ESCALATE, words="需要省级协调")
    assert (up.level, up.region) == (3, "510000")
    assert work(world, done.id, TicketEvent.TAKE).code() == "DUTY_MISSING"
    assert work(world, done.id, TicketEvent.TAKE, "SC1001").state is TicketState.ASSIGNED


def test_nobody_who_answers_in_time_lets_it_rise_to_the_fifth_level(world: World) -> None:
    made = opened(world)
    levels = []
    for _ in range(6):
        world.clock.forward(days=7)
        service.advance_tickets(world.database)
        found = world.database.read(lambda u: queries.ticket(u, made.id))
        assert found is not None
        levels.append(found.level)
    assert levels == [2, 3, 4, 5, 5, 5]
    world._actors.clear()
    assert messages(world)[-1][0] == "ticket_escalate"


def test_an_answer_that_nobody_objects_to_closes_it(world: World) -> None:
    done = answered(world)
    world.clock.forward(days=7)
    assert service.advance_tickets(world.database) == 0
    world.clock.forward(days=1)
    assert service.advance_tickets(world.database) == 1
    found = world.database.read(lambda u: queries.ticket(u, done.id))
    assert found is not None
    assert found.state is TicketState.CLOSED
    assert found.steps[-1].event is TicketEvent.EXPIRE


@pytest.mark.parametrize(
    ("side", "level", "region"),
    [
        (Side.PLACE, 1, "510304"),
        (Side.PLACE, 2, "510300"),
        (Side.PLACE, 3, "510000"),
        (Side.HOME, 1, "510100"),
        (Side.HOME, 5, "510000"),
    ],
)
def test_whose_desk_a_level_is(side: Side, level: int, region: str) -> None:
    assert logic.region_of(side, level, "510304", "510300", "510100") == region
    outside = logic.region_of(Side.PLACE, level, "110101", "110100", "510100")
    assert outside == "510000"  # the own province speaks to the other


def test_each_desk_sees_its_own_and_the_report_counts_the_day(world: World) -> None:
    made, filed = opened(world), opened(world, "worker_2", reason=TicketReason.FILING_NOT_SEEN)
    assert (filed.side, filed.region) == (Side.HOME, "510100")
    elsewhere = opened(world, "worker_3", place=BEIJING)
    work(world, made.id, TicketEvent.TAKE)
    work(world, made.id, TicketEvent.ANSWER)
    for number in ("CD1001", "ZG1001", "SC1001", "HX2001"):
        world.staff(number)

    def seen(number: str) -> list[str]:
        actor = world.staff(number)
        return [t.id for t in world.database.read(lambda u: tickets.waiting(u, actor, 10))]

    assert seen("CD1001") == [filed.id]
    assert sorted(seen("SC1001")) == sorted([filed.id, elsewhere.id])
    assert seen("ZG1001") == []
    assert seen("HX2001") == []

    def report(number: str, day: date) -> Any:
        actor = world.staff(number)
        found = world.database.read(lambda u: tickets.exceptions(u, actor, day))
        return {
            line.reason: (line.opened, line.answered, line.open_now, line.overdue_now)
            for line in found
        }

    assert report("CD1001", DAY) == {
        TicketReason.CANNOT_SETTLE: (2, 1, 1, 0),
        TicketReason.FILING_NOT_SEEN: (1, 0, 1, 0),
    }
    assert report("CD1001", date(2026, 6, 18))[TicketReason.CANNOT_SETTLE] == (0, 0, 1, 1)
    assert report("ZG1001", DAY) == {}
    assert report("HX2001", DAY) == {}


def test_what_cannot_be_opened_is_refused_by_name(world: World) -> None:
    assert ask(world, words=" ") == TicketNotPossible(TicketProblem.NO_WORDS)
    assert ask(world, place="H0") == TicketNotPossible(TicketProblem.NO_INSTITUTION)
    assert ask(world, "not_insured") == TicketNotPossible(TicketProblem.NOT_INSURED)
    opened(world)
    assert ask(world) == TicketNotPossible(TicketProblem.OPEN_ALREADY)
    assert opened(world, reason=TicketReason.WRONG_AMOUNT).state is TicketState.OPENED


def test_a_relative_opens_and_confirms_a_stranger_does_neither(world: World) -> None:
    bound(world, "worker", "retiree")
    made = opened(world, "retiree", by="worker")
    assert ask(world, "retiree", by="worker_2").code() == "NOT_PERMITTED"
    work(world, made.id, TicketEvent.TAKE)
    work(world, made.id, TicketEvent.ANSWER)
    assert say(world, made.id, True, "worker_2").code() == "NOT_PERMITTED"
    assert say(world, made.id, True, "worker").state is TicketState.CLOSED
    assert say(world, "0" * 26, True) == TicketNotFound()
    assert work(world, made.id, TicketEvent.CONFIRM) == TicketNotFound()
    assert work(world, "0" * 26, TicketEvent.TAKE) == TicketNotFound()


def test_two_processes_that_look_at_once_hand_it_up_once(world: World) -> None:
    made = opened(world)
    world.clock.forward(days=7)
    threads = [
        threading.Thread(target=service.advance_tickets, args=(world.database,)) for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = world.database.read(lambda u: queries.ticket(u, made.id))
    assert found is not None
    assert (found.level, len(found.steps)) == (2, 2)


def test_a_ticket_about_a_settlement_is_of_its_institution(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN))
    made = opened(world, reason=TicketReason.WRONG_AMOUNT, settlement=settled.id)
    assert made.settlement_id == settled.id
    found = world.database.read(lambda u: institutions.institution(u, made.institution_id))
    assert found.code == PHARMACY
    for whose, settlement in (("worker_2", settled.id), ("worker", "no such")):
        refused = ask(world, whose, settlement=settlement)
        assert refused == TicketNotPossible(TicketProblem.NO_SETTLEMENT)


def test_a_till_opens_one_for_the_patient_who_follows_it(world: World) -> None:
    token = world.scan("worker", LEVEL_3, Purpose.HOSPITAL_ADMISSION).token
    key = new_key()

    def at_till(token: str, words: str = "读卡成功，预结算超时") -> Any:
        command = OpenTicketAtTill(
            world.terminal(LEVEL_3),
            token,
            CareKind.INPATIENT,
            TicketReason.CANNOT_SETTLE,
            words,
            key,
        )
        return world.do(service.open_at_till, command)

    made = at_till(token)
    assert isinstance(made, TicketView)
    assert (made.side, made.level) == (Side.PLACE, 1)
    assert at_till(token) == made
    person = world.person("worker")
    assert [one.id for one in world.database.read(lambda u: queries.of_person(u, person, 9))] == [
        made.id
    ]
    assert [kind for kind, _ in messages(world)].count("ticket_open") == 1
    key = new_key()
    assert at_till(token) == TicketNotPossible(TicketProblem.OPEN_ALREADY)
    key = new_key()
    assert at_till(token, " ") == TicketNotPossible(TicketProblem.NO_WORDS)
    key = new_key()
    assert isinstance(at_till("made up"), GrantNotValid)
    person_asks = OpenTicketAtTill(
        world.actor("worker"), token, CareKind.INPATIENT, TicketReason.OTHER, "x", new_key()
    )
    assert isinstance(world.do(service.open_at_till, person_asks), SignInRequired)


def test_before_anybody_takes_it_it_is_passed_and_once_taken_handed_up(world: World) -> None:
    made = opened(world)
    passed = work(world, made.id, TicketEvent.PASS)
    assert (passed.state, passed.side, passed.level) == (TicketState.OPENED, Side.HOME, 1)
    work(world, made.id, TicketEvent.TAKE)
    higher = work(world, made.id, TicketEvent.ESCALATE)
    assert (higher.state, higher.side, higher.level) == (TicketState.OPENED, Side.HOME, 2)
