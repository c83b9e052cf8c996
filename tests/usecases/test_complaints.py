"""投诉与建议: a complaint's whole life, and each way in which it cannot be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.access.contracts import DutyMissing, NotPermitted, Role
from backend.applications import service as applications
from backend.complaints.contracts import (
    ComplaintAbout,
    ComplaintForm,
    ComplaintNotPossible,
    ComplaintProblem,
    ComplaintTopic,
)
from backend.complaints.service import COMPLAINT, where_to
from backend.desk import service as desk
from backend.desk.contracts import (
    DecideMatter,
    MatterDecision,
    SecondPersonNeeded,
    WordsMissing,
)
from backend.matters import procedure
from backend.matters.contracts import (
    ActOnMatter,
    MatterEvent,
    MatterState,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from tests.usecases.test_filings import add, picture
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import LEVEL_3, World, new_key

P, S = ComplaintProblem, MatterState
FORM = ComplaintForm(
    ComplaintAbout.COMPLAINT,
    ComplaintTopic.CHARGE,
    "510100",
    LEVEL_3,
    date(2026, 6, 14),
    "收费与清单不符",
)


def save(world: World, form: ComplaintForm = FORM, who: str = "worker", by: str = "") -> Any:
    command = SaveApplication(
        world.actor(by or who), world.person(who), None, None, form, new_key()
    )
    return world.do(lambda u, c: procedure.save(u, COMPLAINT, c), command)


def sent(world: World, who: str = "worker", by: str = "") -> Any:
    draft = save(world, who=who, by=by).matter
    add(world, draft.id, picture(), requirement=Requirement.EVIDENCE, by=by or who)
    command = SubmitApplication(world.actor(by or who), draft.id, False, new_key())
    return world.do(applications.submit, command).matter


def decide(
    world: World, matter_id: str, words: str = "已责成退还", by: str = "CD1001", **more: Any
) -> Any:
    decision = more.get("decision", MatterDecision.APPROVE)
    return world.do(desk.decide_matter, DecideMatter(world.staff(by), matter_id, decision, words))


def again(world: World, matter_id: str, words: str = "没有退") -> Any:
    return world.do(applications.appeal, ActOnMatter(world.actor("worker"), matter_id, words))


def test_it_is_answered_in_words_and_opened_anew_by_another(world: World) -> None:
    matter = sent(world)
    assert (matter.state, matter.area_code) == (S.SUBMITTED, "510100")
    assert matter.due_on == date(2026, 7, 7)  # 15 working days, a holiday between
    assert decide(world, matter.id, "  ") == WordsMissing()  # an answer says something
    assert decide(world, matter.id, by="ZG1001") == DutyMissing(Role.CLERK)
    done = decide(world, matter.id).matter
    assert (done.state, done.steps[-2].event, done.steps[-2].words) == (
        S.EFFECTIVE,
        MatterEvent.APPROVE,
        "已责成退还",
    )
    assert messages(world)[-1][0].startswith("matter")
    opened = again(world, matter.id)
    assert (opened.state, opened.steps[-1].words) == (S.SUBMITTED, "没有退")
    assert decide(world, matter.id) == SecondPersonNeeded()
    assert decide(world, matter.id, "已退到账", by="CD1002").matter.state is S.EFFECTIVE


def test_without_ground_it_says_why_and_can_be_opened_anew(world: World) -> None:
    matter = sent(world)
    refused = decide(world, matter.id, "收费与公示一致", decision=MatterDecision.REJECT)
    assert refused.matter.state is S.REJECTED
    assert again(world, matter.id).state is S.SUBMITTED


def test_a_relative_complains_for_the_patient(world: World) -> None:
    assert isinstance(save(world, who="retiree", by="worker"), NotPermitted)
    bound(world, "worker", "retiree")
    matter = sent(world, "retiree", by="worker")
    assert (matter.person_id, matter.applicant_id) == (
        world.person("retiree"),
        world.person("worker"),
    )


def test_who_is_not_insured_complains_too(world: World) -> None:
    assert save(world, who="not_insured").matter.state is S.DRAFT
    to = world.database.read(lambda u: where_to(u, world.person("not_insured"), ""))
    assert to == "510000"
    assert save(world, replace(FORM, area_code=to), who="not_insured").matter.area_code == to


def test_whose_agency_answers(world: World) -> None:
    def where(who: str, code: str = "") -> str:
        return world.database.read(lambda u: where_to(u, world.person(who), code))

    assert where("yibin") == "511500"
    assert where("yibin", LEVEL_3) == "510100"  # of the institution
    assert where("worker", "no such") == "510100"


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (replace(FORM, words="  "), P.WORDS),
        (replace(FORM, words="长" * 1001), P.WORDS),
        (replace(FORM, institution_code="no such"), P.INSTITUTION),
        (replace(FORM, area_code="110100"), P.PLACE),
        (replace(FORM, area_code="999999"), P.PLACE),
        (replace(FORM, happened_on=date(2026, 6, 16)), P.DAY),
    ],
)
def test_what_cannot_be_sent(world: World, form: ComplaintForm, problem: P) -> None:
    assert save(world, form) == ComplaintNotPossible(problem)


def test_a_suggestion_names_no_institution_and_no_day(world: World) -> None:
    form = ComplaintForm(
        ComplaintAbout.SUGGESTION, ComplaintTopic.APP, "510100", "", None, "字再大一点"
    )
    assert save(world, form).missing == ()
