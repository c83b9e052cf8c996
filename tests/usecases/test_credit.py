"""先诊疗后付费: reminders, objections and their answers, the default list after due process, and paying."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backend.access.contracts import DutyMissing, Role, SignInRequired
from backend.credit import handling, queries
from backend.credit import service as credit
from backend.credit.contracts import (
    DebtWordsMissing,
    DecideDebt,
    ObjectToDebt,
    PayInstalment,
    PayLaterNotFound,
    PayLaterNotPossible,
    PayLaterState,
    PayLaterView,
)
from backend.credit.handling import notify_debtors
from backend.credit.model import PayLater
from backend.desk import debts
from backend.institutions import queries as institutions
from backend.kernel.money import Fen
from backend.payments.instalments import pay_instalment
from backend.payments.stays import entitlement_at
from backend.payments.visits import enrolment_on
from backend.rulebook.library import rulebook
from backend.settlement.case import FilingKind
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.usecases.test_stays import _owing, quiet
from tests.world import LEVEL_3, World, new_key

S = PayLaterState
LEVEL_2 = "H51010400002"


def objects(world: World, agreement_id: str, by: str = "aided", words: str = "医保未报够") -> Any:
    command = ObjectToDebt(world.actor(by), agreement_id, words, new_key())
    return world.do(handling.object_to, command)


def decide(world: World, agreement_id: str, by: str = "CD1001", **more: Any) -> Any:
    command = DecideDebt(
        world.staff(by),
        agreement_id,
        more.get("instalments", 0),
        more.get("lists", False),
        more.get("words", "已核实"),
    )
    return world.do(debts.decide, command)


def pays(world: World, agreement_id: str, amount: int, at: str = LEVEL_3) -> Any:
    command = PayInstalment(world.terminal(at), agreement_id, Fen(amount), new_key())
    return world.do(pay_instalment, command)


def owing_debt(world: World, who: str) -> str:
    """Return a debt of somebody, whoever was admitted without a deposit before."""
    agreement, _ = _owing(world)
    person = world.person(who)

    def belongs(unit: Any) -> None:
        row = unit.db.get_one(PayLater, agreement.id)
        row.person_id = person

    world.database.write(belongs)
    return agreement.id


def objected_debt(world: World, who: str) -> str:
    """Return a debt that somebody objects to."""
    agreement, _ = _owing(world)
    assert isinstance(objects(world, agreement.id, who), PayLaterView)
    return agreement.id


def later(world: World, days: int) -> None:
    world.clock.forward(days=days)
    world._actors.clear()
    world._staff.clear()
    world._terminals.clear()


def look(world: World, agreement_id: str) -> PayLaterView:
    found = world.database.read(lambda u: queries.agreement(u, agreement_id))
    assert found is not None
    return found


def follow(world: World) -> int:
    return notify_debtors(world.database)


def told(world: World) -> str:
    return messages(world)[-1][0]


def test_the_patient_is_reminded_told_and_pays_at_the_window(world: World) -> None:
    agreement, _ = _owing(world)
    first = agreement.instalments[0]
    assert follow(world) == 0
    days = (first.due_on - world.clock.now().date()).days
    later(world, days - 3)
    assert (follow(world), told(world)) == (1, "instalment_due")
    assert follow(world) == 0  # once
    later(world, 4)
    assert (follow(world), told(world)) == (1, "instalment_missed")
    assert look(world, agreement.id).state is S.OVERDUE
    assert pays(world, agreement.id, first.amount_fen, LEVEL_2) == PayLaterNotFound()
    assert isinstance(pays(world, agreement.id, agreement.debt_fen + 1), PayLaterNotPossible)
    paid = pays(world, agreement.id, first.amount_fen)
    assert (paid.state, paid.paid_fen, told(world)) == (
        S.OWING,
        first.amount_fen,
        "instalment_paid",
    )
    place = world.terminal(LEVEL_3).institution_id
    listed = world.database.read(lambda u: queries.owed_to(u, place, 9))
    assert [one.id for one in listed] == [agreement.id]
    assert pays(world, agreement.id, paid.open_fen).state is S.PAID
    assert world.database.read(lambda u: queries.owed_to(u, place, 9)) == []
    assert world.faults() == []


def test_an_objection_is_answered_before_anything_is_listed(world: World) -> None:
    agreement, _ = _owing(world)
    later(world, 40)
    follow(world)
    assert objects(world, agreement.id, words=" ") == DebtWordsMissing()
    said = objects(world, agreement.id)
    assert (said.objection, said.objected_on) == ("医保未报够", world.clock.now().date())
    assert objects(world, agreement.id) == PayLaterNotFound()  # one at a time
    later(world, 31)
    lists = decide(world, agreement.id, "CD1002", lists=True)
    assert isinstance(lists, PayLaterNotPossible)
    assert look(world, agreement.id).state is S.OVERDUE
    clerk = world.staff("CD1001")
    waiting = world.database.read(lambda u: debts.waiting(u, clerk, 9))
    assert [one.id for one in waiting] == [agreement.id]
    assert decide(world, agreement.id, words="") == DebtWordsMissing()
    answered = decide(world, agreement.id, words="金额无误")
    assert (answered.objected_on, answered.answer, told(world)) == (
        None,
        "金额无误",
        "debt_answered",
    )
    assert decide(world, agreement.id) == PayLaterNotFound()
    # the days of grace begin anew with the answer
    assert isinstance(decide(world, agreement.id, "CD1002", lists=True), PayLaterNotPossible)
    later(world, 31)
    assert decide(world, agreement.id, "CD1001", lists=True) == DutyMissing(Role.CHECKER)
    assert decide(world, agreement.id, "ZG1001", lists=True) == DutyMissing(Role.CHECKER)
    listed = decide(world, agreement.id, "CD1002", lists=True, words="逾期未还")
    assert (listed.state, told(world)) == (S.DEFAULTED, "debt_listed")
    part = pays(world, agreement.id, 1)
    assert part.state is S.DEFAULTED  # with the last fen, not before
    assert pays(world, agreement.id, part.open_fen).state is S.PAID


def test_whoever_answers_does_not_list(world: World) -> None:
    agreement, _ = _owing(world)
    later(world, 40)
    follow(world)
    objects(world, agreement.id)
    decide(world, agreement.id, "CD1002")
    later(world, 31)
    assert decide(world, agreement.id, "CD1002", lists=True) == PayLaterNotFound()
    assert decide(world, agreement.id, "CD1003", lists=True).state is S.DEFAULTED


def test_who_cannot_pay_in_time_gets_new_instalments(world: World) -> None:
    agreement, _ = _owing(world)
    later(world, 40)
    follow(world)
    objects(world, agreement.id, words="家庭困难，请延期")
    assert isinstance(decide(world, agreement.id, instalments=99), PayLaterNotPossible)
    assert look(world, agreement.id).objected_on is not None
    agreed = decide(world, agreement.id, instalments=2)
    assert (agreed.state, len(agreed.instalments), agreed.told_on) == (S.OWING, 2, None)
    assert agreed.instalments[0].due_on > world.clock.now().date() + timedelta(days=20)


def test_a_relative_objects_and_a_stranger_does_not(world: World) -> None:
    agreement, _ = _owing(world)
    assert objects(world, agreement.id, "worker") == PayLaterNotFound()
    bound(world, "worker", "aided")
    assert objects(world, agreement.id, "worker").objection == "医保未报够"
    command = ObjectToDebt(world.terminal(), agreement.id, "x", new_key())
    assert world.do(handling.object_to, command) == PayLaterNotFound()
    window = PayInstalment(world.actor("aided"), agreement.id, Fen(1), new_key())
    assert world.do(pay_instalment, window) == SignInRequired()


def test_who_may_pay_later_is_told_why(world: World) -> None:
    def right(who: str) -> tuple[bool, str]:
        def read(unit: Any) -> Any:
            place = institutions.by_code(unit, LEVEL_3)
            today = world.clock.now().date()
            enrolment = enrolment_on(unit, world.person(who), None, today)
            return entitlement_at(unit, enrolment, place, FilingKind.NONE)

        found = world.database.read(read)
        return found.entitled, found.reason

    assert right("aided") == (True, "ENTITLED")
    assert right("worker") == (False, "NO_IDENTITY")


def test_every_other_move_of_an_agreement(world: World) -> None:
    quiet(world)
    never = world.admit("aided", pay_later=True)
    assert never.deposit_waived
    assert world.cancel_stay(never.id).id == never.id
    cancelled = world.database.read(lambda u: queries.of_stay(u, never.id))
    assert cancelled is not None
    assert cancelled.state is S.CANCELLED
    # nothing is owed where others pay all of it; taking that discharge back opens the agreement again
    stay = world.admit("aided", pay_later=True)
    book = rulebook()
    free = world.database.write(
        lambda u: credit.discharge(u, "test", stay.id, Fen(0), 1, "510100", book)
    )
    assert isinstance(free, PayLaterView)
    assert (free.state, free.instalments) == (S.PAID, ())
    world.database.write(lambda u: credit.reopen(u, "test", free.id))
    assert look(world, free.id).state is S.SIGNED


def test_a_part_that_is_paid_late_ends_the_delay_but_not_a_default(world: World) -> None:
    agreement, _ = _owing(world)
    later(world, 40)
    assert notify_debtors(world.database) == 1
    assert look(world, agreement.id).state is S.OVERDUE
    first = agreement.instalments[0].amount_fen
    assert pays(world, agreement.id, first).state is S.OWING
    later(world, 31)
    notify_debtors(world.database)
    later(world, 31)
    assert decide(world, agreement.id, "CD1003", lists=True).state is S.DEFAULTED
    assert pays(world, agreement.id, 100).state is S.DEFAULTED
    assert pays(world, agreement.id, agreement.open_fen - first - 100).state is S.PAID
