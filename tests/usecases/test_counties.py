"""A county's desk works on what is of its people, beside the desk of its city, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backend.access.contracts import Duty, DutyMissing, Role
from backend.desk import queries, templates
from backend.desk import service as desk
from backend.desk.contracts import (
    AddReplyTemplate,
    DecideProposal,
    FindPerson,
    MatterDecision,
    NobodyFound,
    ProposalView,
)
from backend.matters import queries as matters
from backend.matters.contracts import MatterKind, MatterState, Requirement
from backend.people import queries as people
from backend.people.model import Enrolment
from backend.staff import service as staff
from tests.usecases.test_assigning import decide, filings, hand, queue, take, waiting, workload
from tests.usecases.test_claim_cases import confirm, reckon
from tests.usecases.test_claim_cases import submitted as claim_submitted
from tests.usecases.test_enrolment import ADULT, hand_on, moving, save, submit
from tests.usecases.test_filings import add, picture
from tests.world import World

COUNTY, COUNTY_CHECKER = "JJ1001", "JJ1002"  # of the district 510104, where the sample people live


def moves(world: World, key: str, county: str) -> None:
    """Let somebody live in another county of the same city."""

    def work(unit: Any) -> None:
        for one in people.enrolment_ids(unit, world.person(key)):
            unit.db.get_one(Enrolment, one).division_code = county

    world.database.write(work)


def test_a_county_decides_what_is_of_its_people(world: World) -> None:
    here = waiting(world)
    moves(world, "worker_2", "510105")
    there = waiting(world, "worker_2")
    found = world.database.read(lambda u: matters.matter(u, here))
    assert found is not None
    assert found.desks == ("510100", "510104")
    assert queue(world, COUNTY) == [here]
    assert set(queue(world)) == {here, there}  # the city sees both
    assert take(world, here, COUNTY).matter.holder == f"staff:{COUNTY}"
    assert take(world, there, COUNTY) == DutyMissing(Role.CLERK)
    assert decide(world, there, COUNTY) == DutyMissing(Role.CLERK)
    assert decide(world, here, COUNTY).matter.state is MatterState.APPROVED


def test_work_goes_between_county_and_city(world: World) -> None:
    here = waiting(world)
    assert hand(world, [here], COUNTY)[0].matter.holder == f"staff:{COUNTY}"
    assert hand(world, [here], "CD1002", by=COUNTY)[0].matter.holder == "staff:CD1002"
    moves(world, "worker_2", "510105")
    there = waiting(world, "worker_2")
    assert type(hand(world, [there], COUNTY)).__name__ == "CannotHandTo"
    assert hand(world, [there], "CD1001", by=COUNTY) == DutyMissing(Role.CLERK)


def test_a_claim_is_paid_by_two_of_the_county(world: World) -> None:
    claim = claim_submitted(world)
    made = reckon(world, claim.id, by=COUNTY)
    assert isinstance(made, ProposalView)
    actor = world.staff(COUNTY_CHECKER)
    asked = world.database.read(
        lambda u: queries.proposals(u, 10, sorted({d.region for d in actor.duties}))
    )
    assert [one.id for one in asked] == [made.id]
    confirm(world, made.id, by=COUNTY_CHECKER)
    done = world.database.read(lambda u: matters.matter(u, claim.id))
    assert done is not None
    assert done.state is MatterState.APPROVED


def test_a_claim_of_another_county_is_out_of_reach(world: World) -> None:
    moves(world, "retiree", "510105")
    claim = claim_submitted(world)
    assert reckon(world, claim.id, by=COUNTY) == DutyMissing(Role.CLERK)
    made = reckon(world, claim.id)
    refused = world.do(desk.confirm, DecideProposal(world.staff(COUNTY_CHECKER), made.id))
    assert refused == DutyMissing(Role.CHECKER)


def test_who_registers_is_of_the_county_they_name(world: World) -> None:
    for form, seen in ((ADULT, True), (replace(ADULT, division_code="510105", year=2026), False)):
        draft = save(world, form)
        found = world.database.read(lambda u, of=draft.matter.id: matters.matter(u, of))
        assert found is not None
        assert found.desks == ("510100", form.division_code)
        if seen:
            needed = Requirement.ID_PHOTO
            add(world, draft.matter.id, picture(), requirement=needed, by="not_insured")
            submit(world, draft.matter.id)
            assert queue(world, COUNTY, kind=MatterKind.ENROLMENT) == [draft.matter.id]
    # who changes their mind before submitting changes the desk
    other = save(world, replace(ADULT, division_code="510105"), matter_id=draft.matter.id)
    assert other.matter.county_code == "510105"


def test_what_is_at_another_area_is_not_the_countys_yet(world: World) -> None:
    matter = moving(world).matter
    assert matter.desks == ("511500",)  # the area that it comes from begins
    assert matter.id not in queue(world, COUNTY)
    proposal = hand_on(world, matter.id)
    on_its_way = world.database.read(lambda u: matters.matter(u, matter.id))
    assert on_its_way is not None
    assert on_its_way.desks == ("510100", "510104")
    world.do(desk.confirm, DecideProposal(world.staff(COUNTY_CHECKER), proposal.id))
    done = world.database.read(lambda u: matters.matter(u, matter.id))
    assert done is not None
    assert done.state is MatterState.EFFECTIVE


def test_the_provinces_own_pool_is_no_countys(world: World) -> None:
    """Who is insured with the province lives in some county, whose desk has nothing to do with it."""
    moves(world, "province", "510104")
    person = world.person("province")
    assert world.database.read(lambda u: people.desks_of(u, person)) == ("519900",)
    within = world.database.read(lambda u: list(u.db.exec(people.insured_within(["510104"])).all()))
    assert person not in within
    assert world.person("worker") in within


def test_a_counter_of_the_county_finds_its_own_people(world: World) -> None:
    worker = world.database.read(lambda u: people.particulars(u, world.person("worker")))
    found = world.do(
        desk.find_person, FindPerson(world.staff(COUNTY), worker.name, worker.id_number)
    )
    assert found.person.id == world.person("worker")
    moves(world, "worker", "510105")
    gone = world.do(
        desk.find_person, FindPerson(world.staff(COUNTY), worker.name, worker.id_number)
    )
    assert isinstance(gone, NobodyFound)


def test_a_county_has_figures_and_words_of_its_own(world: World) -> None:
    waiting(world)
    moves(world, "worker_2", "510105")
    waiting(world, "worker_2")
    duties = (Duty(Role.SUPERVISOR, "510104"), Duty(Role.CLERK, "510104"))
    member = world.staff(COUNTY).staff_id
    world.database.write(lambda u: staff.set_duties(u, "test", member, duties))
    world._staff.clear()
    assert filings(workload(world, COUNTY, "510104")).waiting == 1
    assert filings(workload(world)).waiting == 2
    assert workload(world, COUNTY) == DutyMissing(Role.SUPERVISOR)
    words = AddReplyTemplate(
        world.staff(COUNTY), "510104", MatterKind.FILING, MatterDecision.REJECT, "请补充证明。"
    )
    assert world.do(templates.add, words).region == "510104"
