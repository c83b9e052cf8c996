"""Every kind of application, the same walks: left lying, taken back, asked for papers, refused, appealed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.access.contracts import Duty, Role
from backend.applications import service as applications
from backend.desk import service as desk
from backend.desk.contracts import DecideMatter, MatterAtDesk, MatterDecision, SecondPersonNeeded
from backend.filings import service as filings
from backend.filings.contracts import CancelFiling
from backend.matters import queries as matters
from backend.matters import service as matter_service
from backend.matters.contracts import (
    STATES_OF,
    ActOnMatter,
    MatterEvent,
    MatterKind,
    MatterNotFound,
    MatterState,
    MatterView,
    Requirement,
    SubmitApplication,
)
from backend.staff import service as staff
from tests.usecases import test_capitation as capitations
from tests.usecases import test_choices as choices
from tests.usecases import test_chronic as chronic
from tests.usecases import test_claim_cases as claims
from tests.usecases import test_complaints as complaints
from tests.usecases import test_enrolment as enrolment
from tests.usecases import test_filings as filing
from tests.usecases.test_capitation import pilot  # noqa: F401  a fixture
from tests.usecases.test_safety import messages
from tests.world import World, new_key

K, S = MatterKind, MatterState
FIRST, SECOND = "SC1001", "SC1002"


def _filing(world: World) -> str:
    draft: str = filing.save(world, filing.PROVEN).matter.id
    filing.add(world, draft)
    return draft


def _cancel(world: World) -> str:
    promised = filing.effective(world)
    cancelled = world.do(filings.cancel, CancelFiling(world.actor("worker"), promised))
    draft: str = cancelled.application.id
    filing.add(world, draft, requirement=Requirement.RETURN_PROOF)
    return draft


def _chronic(world: World) -> str:
    draft: str = chronic.save(world).matter.id
    chronic.papers(world, draft)
    return draft


def _capitation(world: World) -> str:
    draft: str = capitations.save(world).matter.id
    filing.add(world, draft, requirement=Requirement.SIGNED_AGREEMENT)
    return draft


def _claim(world: World) -> str:
    draft: str = claims.save(world, "worker").matter.id
    claims.papers(world, draft, "worker")
    return draft


def _choice(world: World) -> str:
    draft: str = choices.save(world, choices.ChoiceForm((choices.CLINIC,))).matter.id
    return draft


def _team(world: World) -> str:
    draft: str = choices.save(world, choices.TeamForm(choices.team(world))).matter.id
    return draft


def _enrolment(world: World) -> str:
    draft: str = enrolment.save(world, enrolment.ADULT).matter.id
    filing.add(world, draft, requirement=Requirement.ID_PHOTO, by="not_insured")
    return draft


def _transfer(world: World) -> str:
    draft: str = enrolment.save(world, enrolment.FROM_YIBIN, "moved").matter.id
    return draft


def _complaint(world: World) -> str:
    draft: str = complaints.save(world).matter.id
    return draft


BEGIN: dict[MatterKind, Callable[[World], str]] = {
    K.FILING: _filing,
    K.FILING_CANCEL: _cancel,
    K.CHRONIC: _chronic,
    K.CAPITATION: _capitation,
    K.CLAIM: _claim,
    K.CHOICE: _choice,
    K.DOCTOR_TEAM: _team,
    K.ENROLMENT: _enrolment,
    K.TRANSFER: _transfer,
    K.COMPLAINT: _complaint,
}
WHOSE = {K.ENROLMENT: "not_insured", K.TRANSFER: "moved"}
REVIEWED = [kind for kind in K if (S.SUBMITTED, MatterEvent.ASK) in STATES_OF[kind].moves]


@pytest.fixture
def province(world: World, pilot: World) -> World:  # noqa: F811  the fixture
    """A province with two clerks for all of it, and the municipal pilot's rule in Chengdu."""
    everywhere = (Duty(Role.CLERK, "510000"),)
    world.database.write(lambda u: staff.add(u, "test", SECOND, "省级样例乙", everywhere))
    return world


def look(world: World, matter_id: str) -> MatterView:
    found = world.database.read(lambda unit: matters.matter(unit, matter_id))
    assert found is not None
    return found


def submitted(world: World, kind: MatterKind) -> str:
    draft = BEGIN[kind](world)
    submit(world, kind, draft)
    assert look(world, draft).state is S.SUBMITTED
    return draft


def submit(world: World, kind: MatterKind, matter_id: str) -> Any:
    whose = world.actor(WHOSE.get(kind, "worker"))
    return world.do(applications.submit, SubmitApplication(whose, matter_id, False, new_key()))


def decide(world: World, matter_id: str, decision: MatterDecision, by: str = FIRST) -> Any:
    words = "请补充原件照片" if decision is MatterDecision.ASK else "与规定不符"
    return world.do(desk.decide_matter, DecideMatter(world.staff(by), matter_id, decision, words))


def asked_for_more(world: World, kind: MatterKind) -> str:
    matter_id = submitted(world, kind)
    asked = decide(world, matter_id, MatterDecision.ASK)
    assert isinstance(asked, MatterAtDesk), asked
    assert asked.matter.state is S.SUPPLEMENT
    return matter_id


def withdraw(world: World, kind: MatterKind, matter_id: str) -> Any:
    whose = world.actor(WHOSE.get(kind, "worker"))
    return world.do(applications.withdraw, ActOnMatter(whose, matter_id, "不办了"))


def left_lying(world: World, matter_id: str) -> None:
    ends = look(world, matter_id).expires_at
    assert ends is not None
    world.clock.instant = ends - timedelta(seconds=1)
    assert matter_service.expire_matters(world.database) == 0
    world.clock.instant = ends
    world._actors.clear()
    world._staff.clear()
    assert matter_service.expire_matters(world.database) >= 1


def done(world: World, kind: MatterKind, matter_id: str, state: MatterState) -> None:
    """Look that an application stands there for good: nothing can happen to it any more."""
    assert look(world, matter_id).state is state
    assert isinstance(withdraw(world, kind, matter_id), MatterNotFound)
    assert isinstance(submit(world, kind, matter_id), MatterNotFound)
    assert isinstance(decide(world, matter_id, MatterDecision.REJECT), MatterNotFound)
    assert look(world, matter_id).state is state


@pytest.mark.parametrize("kind", K)
def test_a_draft_is_taken_back(province: World, kind: MatterKind) -> None:
    draft = BEGIN[kind](province)
    assert withdraw(province, kind, draft).state is S.WITHDRAWN
    done(province, kind, draft, S.WITHDRAWN)


@pytest.mark.parametrize("kind", K)
def test_a_draft_that_lies_lapses_and_its_owner_is_told(province: World, kind: MatterKind) -> None:
    draft = BEGIN[kind](province)
    left_lying(province, draft)
    done(province, kind, draft, S.LAPSED)
    assert "matter_lapse" in [one for one, _ in messages(province)]


@pytest.mark.parametrize("kind", REVIEWED)
def test_what_waits_is_taken_back(province: World, kind: MatterKind) -> None:
    waits = submitted(province, kind)
    assert withdraw(province, kind, waits).state is S.WITHDRAWN
    done(province, kind, waits, S.WITHDRAWN)


@pytest.mark.parametrize("kind", REVIEWED)
def test_what_was_asked_for_is_never_brought(province: World, kind: MatterKind) -> None:
    asked = asked_for_more(province, kind)
    left_lying(province, asked)
    done(province, kind, asked, S.LAPSED)


@pytest.mark.parametrize("kind", REVIEWED)
def test_what_was_asked_for_is_not_worth_it(province: World, kind: MatterKind) -> None:
    asked = asked_for_more(province, kind)
    assert withdraw(province, kind, asked).state is S.WITHDRAWN
    done(province, kind, asked, S.WITHDRAWN)


@pytest.mark.parametrize("kind", [kind for kind in REVIEWED if kind is not K.CHRONIC])
def test_asked_brought_refused_and_appealed(province: World, kind: MatterKind) -> None:
    asked = asked_for_more(province, kind)
    submit(province, kind, asked)
    assert look(province, asked).state is S.SUBMITTED
    refused = decide(province, asked, MatterDecision.REJECT)
    assert (refused.matter.state, refused.matter.decided_by) == (S.REJECTED, f"staff:{FIRST}")
    assert refused.matter.steps[-1].words == "与规定不符"
    whose = province.actor(WHOSE.get(kind, "worker"))
    again = province.do(applications.appeal, ActOnMatter(whose, asked, "请复核"))
    assert again.state is S.SUBMITTED
    assert again.due_on is not None
    same = decide(province, asked, MatterDecision.REJECT)
    assert isinstance(same, SecondPersonNeeded)
    other = decide(province, asked, MatterDecision.REJECT, SECOND)
    assert (other.matter.state, other.matter.decided_by) == (S.REJECTED, f"staff:{SECOND}")


def test_every_kind_is_walked() -> None:
    assert set(BEGIN) == set(K)
    assert len(REVIEWED) == len(K) - 1  # a choice of institutions is made at once
