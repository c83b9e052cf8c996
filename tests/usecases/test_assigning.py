"""Who works on what: taken, let go, handed over, queued and counted; and each way it is refused."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from backend.access.contracts import Duty, DutyMissing, Role, SignInRequired
from backend.applications import service as applications
from backend.desk import assigning, queries, templates
from backend.desk import service as desk
from backend.desk.contracts import (
    AddReplyTemplate,
    AskQueue,
    CannotHandTo,
    DecideMatter,
    HandOver,
    HeldByAnother,
    Holding,
    JudgeMaterial,
    MatterAtDesk,
    MatterDecision,
    ProposalView,
    RemoveReplyTemplate,
    ReplyTemplateView,
    TakeMatter,
    TemplateNotFound,
    WordsMissing,
)
from backend.kernel.calendar import local_day
from backend.matters import queries as matters
from backend.matters.contracts import (
    ActOnMatter,
    MaterialVerdict,
    MatterKind,
    MatterNotFound,
)
from backend.matters.load_contracts import KindLoad, Workload
from backend.matters.model import MatterHandOver
from backend.staff import service as staff
from tests.usecases.test_claim_cases import reckon
from tests.usecases.test_claim_cases import submitted as claim_submitted
from tests.usecases.test_enrolment import hand_on, moving
from tests.usecases.test_filings import PROVEN, add, save, submit
from tests.world import World

CLERK, OTHER, SUPERVISOR = "CD1001", "CD1002", "CD1003"


def waiting(world: World, key: str = "worker_3") -> str:
    made = save(world, PROVEN, key)
    add(world, made.matter.id, by=key)
    submit(world, made, key)
    matter_id: str = made.matter.id
    return matter_id


def take(world: World, matter_id: str, by: str = CLERK, let_go: bool = False) -> Any:
    return world.do(assigning.take, TakeMatter(world.staff(by), matter_id, let_go))


def hand(world: World, ids: list[str], to: str, by: str = CLERK, words: str = "请假") -> Any:
    return world.do(assigning.hand_over, HandOver(world.staff(by), tuple(ids), to, words))


def decide(
    world: World, matter_id: str, by: str, decision: MatterDecision = MatterDecision.APPROVE
) -> Any:
    words = "" if decision is MatterDecision.APPROVE else "不符合"
    command = DecideMatter(world.staff(by), matter_id, decision, words)
    return world.do(desk.decide_matter, command)


def queue(
    world: World,
    by: str = CLERK,
    holding: Holding = Holding.ANY,
    kind: MatterKind | None = None,
    after: str | None = None,
    limit: int = 20,
) -> list[str]:
    actor = world.staff(by)
    asked = AskQueue(kind, holding, after, limit)
    found = world.database.read(lambda unit: queries.queue(unit, actor, asked))
    return [one.matter.id for one in found]


def workload(world: World, by: str = SUPERVISOR, region: str = "510100", days: int = 30) -> Any:
    actor = world.staff(by)
    return world.database.read(lambda unit: queries.workload(unit, actor, region, days))


def filings(load: Workload) -> KindLoad:
    [found] = [one for one in load.kinds if one.kind is MatterKind.FILING]
    return found


def test_what_somebody_holds_is_theirs_for_a_day(world: World) -> None:
    held = waiting(world)
    taken = take(world, held)
    assert isinstance(taken, MatterAtDesk)
    assert taken.matter.holder == f"staff:{CLERK}"
    refused = take(world, held, OTHER)
    assert refused == HeldByAnother(CLERK, world.clock.now())
    assert decide(world, held, OTHER) == refused
    assert decide(world, held, OTHER, MatterDecision.ASK) == refused
    paper = taken.matter.materials[0].id
    judge = JudgeMaterial(world.staff(OTHER), paper, MaterialVerdict.ACCEPTED, "")
    assert world.do(desk.judge_material, judge) == refused
    assert take(world, held, OTHER, let_go=True) == refused
    world.clock.forward(hours=24)
    assert isinstance(decide(world, held, OTHER), MatterAtDesk)


def test_let_go_it_is_anybodys_again(world: World) -> None:
    held = waiting(world)
    take(world, held)
    free = take(world, held, let_go=True)
    assert free.matter.holder is None
    assert take(world, held, OTHER).matter.holder == f"staff:{OTHER}"


def test_who_judges_a_paper_works_on_it_from_then_on(world: World) -> None:
    held = waiting(world)
    look = world.database.read(lambda unit: matters.matter(unit, held))
    assert look is not None
    judge = JudgeMaterial(world.staff(CLERK), look.materials[0].id, MaterialVerdict.ACCEPTED, "")
    world.do(desk.judge_material, judge)
    assert isinstance(take(world, held, OTHER), HeldByAnother)
    assert queue(world, holding=Holding.MINE) == [held]


def test_it_is_handed_over_with_words_that_stay(world: World) -> None:
    held = waiting(world)
    take(world, held)
    [given] = hand(world, [held], OTHER)
    assert given.matter.holder == f"staff:{OTHER}"
    assert isinstance(decide(world, held, CLERK), HeldByAnother)

    def read(unit: Any) -> list[tuple[str, str | None, str | None, str]]:
        rows = unit.db.exec(select(MatterHandOver).order_by(MatterHandOver.id)).all()
        return [(row.by, row.held_before, row.holder, row.words) for row in rows]

    assert world.database.read(read) == [
        (f"staff:{CLERK}", None, f"staff:{CLERK}", ""),
        (f"staff:{CLERK}", f"staff:{CLERK}", f"staff:{OTHER}", "请假"),
    ]


def test_a_supervisor_hands_over_what_others_hold(world: World) -> None:
    first, second = waiting(world), waiting(world, "worker_4")
    take(world, first)
    take(world, second, OTHER)
    assert isinstance(hand(world, [first, second], CLERK, by=CLERK), HeldByAnother)
    assert queue(world, holding=Holding.MINE) == [first]
    given = hand(world, [first, second], CLERK, by=SUPERVISOR, words="休假")
    assert {one.matter.holder for one in given} == {f"staff:{CLERK}"}
    assert set(queue(world, holding=Holding.MINE)) == {first, second}
    assert isinstance(take(world, first, SUPERVISOR), DutyMissing)


def test_whom_it_cannot_be_handed_to(world: World) -> None:
    held = waiting(world)
    assert hand(world, [held], SUPERVISOR) == CannotHandTo(SUPERVISOR)  # no clerk
    assert hand(world, [held], "ZG1001") == CannotHandTo("ZG1001")
    assert hand(world, [held], "no such") == CannotHandTo("no such")
    assert isinstance(hand(world, [held], OTHER, words=" "), WordsMissing)
    clerk = (Duty(Role.CLERK, "510100"),)
    gone = world.database.write(lambda u: staff.add(u, "test", "CD1009", "离职", clerk))
    world.database.write(lambda u: staff.block(u, "test", gone.staff.id))
    assert hand(world, [held], "CD1009") == CannotHandTo("CD1009")
    assert isinstance(hand(world, [held], "SC1001"), list)


def test_a_claim_or_a_transfer_that_another_holds_is_not_reckoned(world: World) -> None:
    claim = claim_submitted(world, "worker_6")
    take(world, claim.id, OTHER)
    assert reckon(world, claim.id) == HeldByAnother(OTHER, world.clock.now())
    assert isinstance(reckon(world, claim.id, by=OTHER), ProposalView)
    incoming = moving(world).matter.id
    take(world, incoming, "SC1001")
    clerk = (Duty(Role.CLERK, "510000"),)
    world.database.write(lambda u: staff.add(u, "test", "SC1002", "省级样例乙", clerk))
    assert hand_on(world, incoming, by="SC1002") == HeldByAnother("SC1001", world.clock.now())
    assert isinstance(hand_on(world, incoming, by="SC1001"), ProposalView)


def test_an_appeal_is_free_and_not_for_whom_it_is_against(world: World) -> None:
    held = waiting(world)
    take(world, held)
    decide(world, held, CLERK, MatterDecision.REJECT)
    appeal = ActOnMatter(world.actor("worker_3"), held, "请复核")
    world.do(applications.appeal, appeal)
    found = world.database.read(lambda unit: matters.matter(unit, held))
    assert found is not None
    assert found.holder is None
    assert hand(world, [held], CLERK, by=SUPERVISOR) == CannotHandTo(CLERK)
    assert isinstance(hand(world, [held], OTHER, by=SUPERVISOR), list)


def test_only_who_serves_there_and_only_what_waits(world: World) -> None:
    held = waiting(world)
    assert isinstance(take(world, held, "ZG1001"), DutyMissing)
    assert isinstance(take(world, held, "HX2001"), DutyMissing)
    assert isinstance(hand(world, [held], OTHER, by="ZG1001"), DutyMissing)
    patient = TakeMatter(world.actor("worker_3"), held)
    assert isinstance(world.do(assigning.take, patient), SignInRequired)
    assert isinstance(take(world, "no such"), MatterNotFound)
    assert isinstance(take(world, "no such", "HX2001"), DutyMissing)
    decide(world, held, CLERK)
    assert isinstance(take(world, held), MatterNotFound)
    assert isinstance(hand(world, [held], OTHER), MatterNotFound)


def test_all_are_handed_over_or_none(world: World) -> None:
    first, second = waiting(world), waiting(world, "worker_4")
    decide(world, second, CLERK)
    assert isinstance(hand(world, [first, second], OTHER), MatterNotFound)
    assert queue(world, OTHER, Holding.MINE) == []


def test_the_queue_goes_page_by_page_the_longest_waiting_first(world: World) -> None:
    made = []
    for key in ("worker_3", "worker_4", "worker_5"):
        made.append(waiting(world, key))
        world.clock.forward(minutes=5)
    assert queue(world, limit=2) == made[:2]
    assert queue(world, after=made[1]) == made[2:]
    assert queue(world, kind=MatterKind.CLAIM) == []
    take(world, made[1])
    assert queue(world, holding=Holding.FREE) == [made[0], made[2]]
    assert queue(world, SUPERVISOR) == made
    assert queue(world, "ZG1001") == []
    assert queue(world, "HX2001") == []


def test_what_is_late_says_so(world: World) -> None:
    held = waiting(world)
    actor = world.staff(CLERK)

    def seen() -> MatterAtDesk:
        asked = AskQueue(None, Holding.ANY, None, 20)
        [found] = world.database.read(lambda unit: queries.queue(unit, actor, asked))
        return found

    fresh = seen()
    assert (fresh.days_waiting, fresh.overdue) == (0, False)
    due = fresh.matter.due_on
    assert due is not None
    days = (due - local_day(world.clock.now())).days
    world.clock.forward(days=days)
    assert (seen().days_waiting, seen().overdue) == (days, False)
    world.clock.forward(days=1)
    assert seen().overdue
    world._staff.clear()
    decide(world, held, CLERK)
    done = world.database.read(
        lambda unit: queries.matters_at_desk(unit, [matters.matter(unit, held)])  # type: ignore[list-item]
    )
    assert (done[0].days_waiting, done[0].overdue) == (None, False)


def test_figures_say_how_much_there_is_and_how_fast_it_was(world: World) -> None:
    first, second = waiting(world), waiting(world, "worker_4")
    take(world, first)
    load = workload(world)
    now = filings(load)
    assert (now.waiting, now.overdue, now.free, now.decided) == (2, 0, 1, 0)
    assert now.oldest_on == local_day(world.clock.now())
    assert now.median_workdays is None
    assert [(one.number, one.held, one.decided) for one in load.staff] == [(CLERK, 1, 0)]
    assert load.complete
    world.clock.forward(days=1)  # from Monday to Tuesday
    decide(world, first, CLERK)
    done = filings(workload(world))
    assert (done.waiting, done.decided, done.on_time, done.median_workdays) == (1, 1, 1, 1)
    world.clock.forward(days=30)
    world._staff.clear()
    late = filings(workload(world))
    assert (late.waiting, late.overdue, late.decided) == (1, 1, 1)
    decide(world, second, OTHER, MatterDecision.REJECT)
    load = workload(world, days=5)
    assert (filings(load).decided, filings(load).on_time) == (1, 0)
    assert [(one.number, one.decided) for one in load.staff] == [(OTHER, 1)]


def test_an_appealed_decision_counts_with_its_own_days(world: World) -> None:
    held = waiting(world)
    decide(world, held, CLERK, MatterDecision.REJECT)
    world.clock.forward(days=14)
    world._actors.clear()
    world._staff.clear()
    world.do(applications.appeal, ActOnMatter(world.actor("worker_3"), held, "请复核"))
    decide(world, held, OTHER)
    done = filings(workload(world))
    assert (done.decided, done.on_time, done.median_workdays) == (2, 2, 0)


def test_figures_are_for_who_supervises_the_region(world: World) -> None:
    assert isinstance(workload(world, CLERK), DutyMissing)
    assert isinstance(workload(world, SUPERVISOR, "510000"), DutyMissing)
    waiting(world)
    assert filings(workload(world, SUPERVISOR, "510104")).waiting == 1
    assert workload(world, SUPERVISOR, "510105").kinds == ()  # nobody of that county


def test_words_of_a_region_are_its_supervisors(world: World) -> None:
    def add_words(by: str, region: str = "510100", words: str = " 请上传出院小结 ") -> Any:
        command = AddReplyTemplate(
            world.staff(by), region, MatterKind.CLAIM, MatterDecision.ASK, words
        )
        return world.do(templates.add, command)

    def seen(by: str) -> list[str]:
        actor = world.staff(by)
        found = world.database.read(lambda unit: templates.of_regions(unit, actor))
        return [one.words for one in found]

    made = add_words(SUPERVISOR)
    assert isinstance(made, ReplyTemplateView)
    assert (made.words, made.region_name) == ("请上传出院小结", "成都市")
    assert isinstance(add_words(CLERK), DutyMissing)
    assert isinstance(add_words(SUPERVISOR, "510300"), DutyMissing)
    assert isinstance(add_words(SUPERVISOR, words="  "), WordsMissing)
    assert seen(CLERK) == seen("SC1001") == ["请上传出院小结"]
    assert seen("ZG1001") == []
    gone = RemoveReplyTemplate(world.staff(SUPERVISOR), made.id)
    foreign = RemoveReplyTemplate(world.staff("ZG1001"), made.id)
    assert isinstance(world.do(templates.remove, foreign), DutyMissing)
    assert isinstance(world.do(templates.remove, gone), ReplyTemplateView)
    assert isinstance(world.do(templates.remove, gone), TemplateNotFound)
    assert seen(CLERK) == []
