"""门诊慢特病: the whole life of an application, and each way in which it is refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backend.access.contracts import Duty, Operator, Role
from backend.applications import service as applications
from backend.desk import service as desk
from backend.desk.contracts import (
    DecideMatter,
    ExpertsFirst,
    GiveOpinion,
    MatterDecision,
    SecondPersonNeeded,
    WordsMissing,
)
from backend.desk.queries import work
from backend.entitlements import queries
from backend.entitlements.applying import CHRONIC
from backend.entitlements.contracts import (
    ChronicForm,
    ChronicNotPossible,
    ChronicProblem,
    EntitlementState,
)
from backend.kernel.calendar import add_months
from backend.matters import procedure
from backend.matters import queries as matters
from backend.matters.contracts import (
    ActOnMatter,
    ApplicationNotPossible,
    ApplyProblem,
    MaterialsMissing,
    MatterNotFound,
    MatterState,
    OpinionGiven,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.payments import outlook
from backend.people import queries as people
from backend.policies.contracts import AnnounceOutage, OutageNow, Service
from backend.policies.service import announce_outage
from backend.rulebook.contracts import RuleNotLoaded
from backend.staff import service as staff
from tests.usecases.test_filings import add, at_desk, picture
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import World, new_key

HOSPITAL = "H51010400001"
COPD = ChronicForm("COPD", HOSPITAL)
PAPERS = (Requirement.DIAGNOSIS, Requirement.RECORDS, Requirement.LAB_REPORTS)
TODAY = date(2026, 6, 15)


def save(world: World, who: str = "worker", form: ChronicForm = COPD, **more: Any) -> Any:
    actor = world.actor(more.get("by", who))
    command = SaveApplication(
        actor, world.person(who), more.get("matter_id"), None, form, more.get("key") or new_key()
    )
    return world.do(lambda u, c: procedure.save(u, CHRONIC, c), command)


def submit(world: World, matter_id: str, by: str = "worker") -> Any:
    command = SubmitApplication(world.actor(by), matter_id, False, new_key())
    return world.do(applications.submit, command)


def papers(world: World, matter_id: str, by: str = "worker") -> None:
    for shade, one in enumerate(PAPERS):
        add(world, matter_id, picture(shade=100 + shade), requirement=one, by=by)


def submitted(world: World, who: str = "worker", form: ChronicForm = COPD) -> Any:
    draft = save(world, who, form).matter
    papers(world, draft.id, who)
    done = submit(world, draft.id, who)
    assert done.matter.state is MatterState.SUBMITTED, done
    return done.matter


def says(world: World, expert: str, matter_id: str, meets: bool = True, words: str = "x") -> Any:
    return world.do(desk.give_opinion, GiveOpinion(world.staff(expert), matter_id, meets, words))


def decides(world: World, clerk: str, matter_id: str, decision: str, words: str = "x") -> Any:
    command = DecideMatter(world.staff(clerk), matter_id, MatterDecision(decision), words)
    return world.do(desk.decide_matter, command)


def found(world: World, matter_id: str) -> None:
    for expert in ("HX2001", "HX2002"):
        says(world, expert, matter_id)


def entitled(world: World, who: str = "worker", form: ChronicForm = COPD) -> Any:
    matter = submitted(world, who, form)
    found(world, matter.id)
    return decides(world, "CD1001", matter.id, "APPROVE").matter


def held(world: World, who: str = "worker") -> Any:
    return world.database.read(
        lambda u: queries.diseases_of(u, people.enrolment_ids(u, world.person(who)), 10)
    )


def state(world: World, matter_id: str) -> MatterState:
    matter = world.database.read(lambda u: matters.matter(u, matter_id))
    assert matter is not None
    return matter.state


def test_two_experts_and_the_agency_and_it_counts_from_today_with_an_end(world: World) -> None:
    draft = save(world)
    assert (draft.missing, draft.workdays, draft.at_once) == (PAPERS, 20, False)
    assert submit(world, draft.matter.id) == MaterialsMissing(PAPERS)
    papers(world, draft.matter.id)
    matter = submit(world, draft.matter.id).matter
    assert matter.due_on == date(2026, 7, 14)  # twenty working days, one of them a holiday
    one = says(world, "HX2001", matter.id, words="肺功能符合")
    assert (one.matter.state, one.opinions) == (MatterState.SUBMITTED, ())  # not shown to the next
    two = says(world, "HX2002", matter.id, words="同意")
    assert two.matter.state is MatterState.RECHECK
    assert [o.words for o in two.opinions] == ["肺功能符合", "同意"]
    done = decides(world, "CD1001", matter.id, "APPROVE").matter
    assert done.state is MatterState.EFFECTIVE
    [disease] = held(world)
    assert (disease.id, disease.disease, disease.state) == (
        done.result_id,
        "COPD",
        EntitlementState.ACTIVE,
    )
    assert (disease.starts, disease.ends) == (TODAY, date(2028, 6, 14))
    assert (disease.renew_from, disease.cross_province) == (date(2028, 4, 15), True)
    assert messages(world)[-1][0] == "matter_take_effect"


def test_who_differ_ask_a_third_and_two_who_refuse_refuse_it_with_their_words(
    world: World,
) -> None:
    matter = submitted(world)
    says(world, "HX2001", matter.id, True)
    split = says(world, "HX2002", matter.id, False, "未达到分级")
    assert split.matter.state is MatterState.SUBMITTED
    refused = says(world, "HX2003", matter.id, False, "缺少肺功能报告")
    assert refused.matter.state is MatterState.REJECTED
    assert refused.matter.steps[-1].words == "未达到分级；缺少肺功能报告"
    assert held(world) == []


def test_an_expert_speaks_once_and_never_again_after_an_appeal(world: World) -> None:
    matter = submitted(world)
    says(world, "HX2001", matter.id, False)
    assert says(world, "HX2001", matter.id) == OpinionGiven()
    assert says(world, "HX2002", matter.id, words=" ") == WordsMissing()
    says(world, "HX2002", matter.id, False)
    appealed = world.do(
        applications.appeal, ActOnMatter(world.actor("worker"), matter.id, "补充了报告")
    )
    assert appealed.state is MatterState.SUBMITTED
    assert appealed.due_on == date(2026, 6, 23)  # five working days, the festival counted out
    assert says(world, "HX2001", matter.id) == OpinionGiven()
    third = says(world, "HX2003", matter.id)
    assert (third.matter.state, third.opinions) == (MatterState.SUBMITTED, ())


def test_the_agency_waits_for_the_experts_but_may_ask_for_papers(world: World) -> None:
    matter = submitted(world)
    assert decides(world, "CD1001", matter.id, "APPROVE") == ExpertsFirst()
    assert decides(world, "CD1001", matter.id, "REJECT") == ExpertsFirst()
    asked = decides(world, "HX2001", matter.id, "ASK", "请补充肺功能报告")
    assert asked.matter.state is MatterState.SUPPLEMENT
    assert submit(world, matter.id).matter.state is MatterState.SUBMITTED
    found(world, matter.id)
    again = decides(world, "CD1001", matter.id, "ASK", "诊断证明看不清")
    assert again.matter.state is MatterState.SUPPLEMENT
    # what the experts found stands; only the agency has still to look
    assert submit(world, matter.id).matter.state is MatterState.RECHECK


def test_the_agency_refuses_and_another_clerk_hears_the_appeal(world: World) -> None:
    matter = submitted(world)
    found(world, matter.id)
    no = decides(world, "CD1001", matter.id, "REJECT", "病历与诊断不符")
    assert no.matter.state is MatterState.REJECTED
    world.do(applications.appeal, ActOnMatter(world.actor("worker"), matter.id, "已补充"))
    for expert in ("HX2001", "HX2002"):
        assert says(world, expert, matter.id) == OpinionGiven()
    world.database.write(
        lambda u: staff.add(u, "test", "HX2004", "专家样例丁", (Duty(Role.EXPERT, "510100"),))
    )
    says(world, "HX2003", matter.id)
    says(world, "HX2004", matter.id)
    assert decides(world, "CD1001", matter.id, "APPROVE") == SecondPersonNeeded()
    assert decides(world, "CD1002", matter.id, "APPROVE").matter.state is MatterState.EFFECTIVE


def test_each_sees_what_is_theirs_to_do(world: World) -> None:
    matter = submitted(world)

    def listed(number: str) -> tuple[list[str], list[str]]:
        seen = world.database.read(lambda u: work(u, world.staff(number), 10))
        return [m.matter.id for m in seen.matters], [m.matter.id for m in seen.for_experts]

    for number in ("CD1001", "HX2001", "HX2002", "ZG1001"):
        world.staff(number)
    assert listed("CD1001") == ([], [])
    assert listed("HX2001") == ([], [matter.id])
    says(world, "HX2001", matter.id)
    assert listed("HX2001") == ([], [])
    assert listed("HX2002") == ([], [matter.id])
    says(world, "HX2002", matter.id)
    assert listed("CD1001") == ([matter.id], [])
    assert listed("HX2003") == ([], [])
    assert listed("ZG1001") == ([], [])


def test_a_renewal_follows_what_is_held_without_a_gap(world: World) -> None:
    entitled(world)
    early = save(world)
    assert early == ChronicNotPossible(ChronicProblem.ENTITLED_ALREADY)
    [first] = held(world)
    world.clock.forward(days=(first.renew_from - TODAY).days)
    world._actors.clear()
    assert held(world)[0].state is EntitlementState.REVIEW_DUE
    entitled(world)
    second, before = held(world)
    assert (before.state, second.state) == (EntitlementState.REVIEW_DUE, EntitlementState.TO_COME)
    assert second.starts == first.ends + timedelta(days=1)
    assert second.ends == add_months(second.starts, 24) - timedelta(days=1)


def test_one_application_for_a_disease_and_another_for_another(world: World) -> None:
    submitted(world)
    draft = save(world).matter
    papers(world, draft.id)
    assert submit(world, draft.id) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    assert submitted(world, form=ChronicForm("DIABETES", HOSPITAL)).state is MatterState.SUBMITTED


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (ChronicForm("COMMON_COLD", HOSPITAL), ChronicProblem.UNKNOWN_DISEASE),
        (ChronicForm("COPD", "H00000000000"), ChronicProblem.HOSPITAL_NOT_FIT),
        (ChronicForm("COPD", "P51010400001"), ChronicProblem.HOSPITAL_NOT_FIT),
        (ChronicForm("COPD", "H51010400004"), ChronicProblem.HOSPITAL_NOT_FIT),
        (ChronicForm("COPD", "H51030200001"), ChronicProblem.HOSPITAL_NOT_FIT),
    ],
)
def test_what_cannot_be_applied_for_is_refused_by_name(
    world: World, form: ChronicForm, problem: ChronicProblem
) -> None:
    assert save(world, form=form) == ChronicNotPossible(problem)


def test_who_is_not_insured_and_what_no_rule_says_are_told(world: World) -> None:
    assert save(world, "suspended") == ApplicationNotPossible(ApplyProblem.NOT_INSURED)
    assert isinstance(save(world, "zigong", ChronicForm("COPD", "H51030200001")), RuleNotLoaded)
    now = world.clock.now()
    until = now + timedelta(hours=3)
    announced = AnnounceOutage(
        Operator("test"), "510100", (Service.MATTERS,), now, until, "升级", "稍后再来"
    )
    world.do(announce_outage, announced)
    assert isinstance(save(world), OutageNow)


def test_a_relative_applies_and_a_stranger_does_not(world: World) -> None:
    bound(world, "worker", "retiree")
    draft = save(world, "retiree", by="worker").matter
    assert (draft.relation != "", draft.applicant_id) == (True, world.person("worker"))
    papers(world, draft.id, "worker")
    assert submit(world, draft.id, "worker").matter.state is MatterState.SUBMITTED
    assert type(save(world, "retiree", by="worker_2")).__name__ == "NotPermitted"
    assert type(submit(world, draft.id, "worker_2")).__name__ == "NotPermitted"
    assert submit(world, "0" * 32) == MatterNotFound()


def test_it_is_taken_back_while_it_is_not_decided(world: World) -> None:
    matter = submitted(world)
    found(world, matter.id)
    gone = world.do(applications.withdraw, ActOnMatter(world.actor("worker"), matter.id))
    assert gone.state is MatterState.WITHDRAWN
    assert says(world, "HX2003", matter.id) == MatterNotFound()
    assert at_desk(world, matter.id, procedure.MatterEvent.APPROVE) == MatterNotFound()


def test_what_a_year_allows_is_told_for_what_is_held(world: World) -> None:
    day = world.clock.now().date()

    def read(unit: Any) -> Any:
        [enrolment] = people.enrolments_on(unit, world.person("chronic"), day)
        return outlook.quotas(unit, enrolment, ["HYPERTENSION", "RENAL_DIALYSIS"], day)

    known = world.database.read(read)
    assert set(known) == {"HYPERTENSION", "RENAL_DIALYSIS"}
    assert all(one.limit_fen is None or one.left_fen <= one.limit_fen for one in known.values())
