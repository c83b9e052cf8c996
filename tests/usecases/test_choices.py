"""定点选定 and 家庭医生签约: the whole life of each, and each way in which it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest

from backend.access.contracts import NotPermitted
from backend.applications import service as applications
from backend.choices import logic, queries, referring
from backend.choices.contracts import (
    ChoiceForm,
    ChoiceNotPossible,
    ChoiceProblem,
    ReferPatient,
    ReferralNotPossible,
    ReferralProblem,
    ReferralView,
    TeamForm,
)
from backend.choices.service import CHOICE, DOCTOR_TEAM, add_team
from backend.codes.contracts import GrantNotValid, Purpose
from backend.desk import service as desk
from backend.desk.contracts import DecideMatter, MatterDecision
from backend.matters import procedure
from backend.matters.contracts import (
    ActOnMatter,
    ApplicationNotPossible,
    ApplyProblem,
    MatterState,
    SaveApplication,
    SubmitApplication,
)
from backend.people import queries as people
from backend.rulebook import library
from backend.rulebook.library import make_book, packs_in, rulebook, shipped_packs
from backend.settlement import queries as settlements
from backend.settlement.case import CareKind, Chosen
from tests.cases.test_cases import PACKS
from tests.usecases.test_safety import messages
from tests.world import LEVEL_2, LEVEL_3, VISIT, World, line, new_key

CLINIC, OTHER, THIRD = "H51010400004", "H51010500004", "H51010600004"
TODAY = date(2026, 6, 15)


def save(world: World, form: Any, who: str = "worker") -> Any:
    kind: Any = CHOICE if isinstance(form, ChoiceForm) else DOCTOR_TEAM
    command = SaveApplication(world.actor(who), world.person(who), None, None, form, new_key())
    return world.do(lambda u, c: procedure.save(u, kind, c), command)


def submit(world: World, draft: Any, who: str = "worker") -> Any:
    command = SubmitApplication(world.actor(who), draft.matter.id, False, new_key())
    return world.do(applications.submit, command)


def chosen(world: World, who: str = "worker") -> list[tuple[date, date | None]]:
    def read(unit: Any) -> Any:
        ids = people.enrolment_ids(unit, world.person(who))
        return queries.chosen_on(unit, ids, world.clock.now().date())

    return [(one.starts, one.ends) for one in world.database.read(read)]


def team(world: World, capacity: int = 2) -> str:
    def add(unit: Any) -> str:
        place = queries.teams_of_area(unit, "510100", TODAY, 1)[0].institution_id
        return add_team(unit, place, "小团队", "医生样例", capacity)

    return world.database.write(add)


def signed(world: World, team_id: str, who: str = "worker") -> Any:
    matter = submit(world, save(world, TeamForm(team_id), who), who).matter
    command = DecideMatter(world.staff("CD1001"), matter.id, MatterDecision.APPROVE, "")
    return world.do(desk.decide_matter, command)


def test_a_choice_counts_from_tomorrow_and_takes_the_place_of_the_one_before(
    world: World,
) -> None:
    draft = save(world, ChoiceForm((CLINIC,)))
    assert (draft.at_once, draft.missing) == (True, ())
    assert submit(world, draft).matter.state is MatterState.EFFECTIVE
    assert chosen(world) == [(date(2026, 6, 16), None)]
    assert save(world, ChoiceForm((CLINIC,))) == ChoiceNotPossible(ChoiceProblem.THE_SAME)
    world.clock.forward(days=10)
    world._actors.clear()
    submit(world, save(world, ChoiceForm((OTHER, THIRD))))
    assert chosen(world) == [
        (date(2026, 6, 16), date(2026, 6, 25)),
        (date(2026, 6, 26), None),
        (date(2026, 6, 26), None),
    ]
    # another mind on the same day: what was to begin tomorrow never counts
    submit(world, save(world, ChoiceForm((OTHER,))))
    assert chosen(world) == [(date(2026, 6, 16), date(2026, 6, 25)), (date(2026, 6, 26), None)]


@pytest.mark.parametrize(
    ("codes", "problem"),
    [
        ((), ChoiceProblem.HOW_MANY),
        ((CLINIC, CLINIC), ChoiceProblem.HOW_MANY),
        ((CLINIC, OTHER, THIRD), ChoiceProblem.HOW_MANY),
        (("H51010400001",), ChoiceProblem.NOT_FIT),  # of level 3
        (("P51010400001",), ChoiceProblem.NOT_FIT),
        (("H51030200004",), ChoiceProblem.NOT_FIT),  # of another area
        (("H0",), ChoiceProblem.NOT_FIT),
    ],
)
def test_what_cannot_be_chosen_is_refused_by_name(
    world: World, codes: tuple[str, ...], problem: ChoiceProblem
) -> None:
    assert save(world, ChoiceForm(codes)) == ChoiceNotPossible(problem)


def test_from_when_a_choice_counts() -> None:
    assert logic.counts_from("NEXT_DAY", date(2026, 12, 31)) == date(2027, 1, 1)
    assert logic.counts_from("NEXT_MONTH", date(2026, 12, 1)) == date(2027, 1, 1)
    assert logic.counts_from("NEXT_MONTH", date(2026, 1, 31)) == date(2026, 2, 1)


def test_a_team_is_signed_for_a_year_and_renewed_in_its_last_month(world: World) -> None:
    mine = team(world)
    done = signed(world, mine)
    assert done.matter.state is MatterState.EFFECTIVE
    again = save(world, TeamForm(mine))
    assert again == ChoiceNotPossible(ChoiceProblem.SIGNED_ALREADY)
    world.clock.forward(days=340)
    world._actors.clear()
    signed(world, mine)

    def read(unit: Any) -> Any:
        ids = people.enrolment_ids(unit, world.person("worker"))
        return queries.contracts_of(unit, ids, world.clock.now().date(), 30)

    first, second = world.database.read(read)
    assert (first.starts, first.ends) == (date(2026, 6, 16), date(2027, 6, 15))
    assert second.starts == first.ends + timedelta(days=1)
    assert first.renew_from == first.ends - timedelta(days=30)


def test_the_last_place_is_given_once(world: World) -> None:
    small = team(world, 1)
    waits = submit(world, save(world, TeamForm(small), "worker_2"), "worker_2").matter
    assert signed(world, small).matter.state is MatterState.EFFECTIVE
    command = DecideMatter(world.staff("CD1001"), waits.id, MatterDecision.APPROVE, "")
    assert world.do(desk.decide_matter, command) == ChoiceNotPossible(ChoiceProblem.TEAM_FULL)
    assert save(world, TeamForm(small), "worker_3") == ChoiceNotPossible(ChoiceProblem.TEAM_FULL)
    # it waits as it did, and can be taken back
    gone = world.do(applications.withdraw, ActOnMatter(world.actor("worker_2"), waits.id))
    assert gone.state is MatterState.WITHDRAWN


def test_one_application_at_a_time_and_only_for_a_team_of_the_area(world: World) -> None:
    mine = team(world)
    submit(world, save(world, TeamForm(mine)))
    second = save(world, TeamForm(mine))
    assert submit(world, second) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    assert save(world, TeamForm("0" * 26)) == ChoiceNotPossible(ChoiceProblem.NO_TEAM)
    assert save(world, TeamForm(mine), "zigong") == ChoiceNotPossible(ChoiceProblem.NO_TEAM)
    assert save(world, TeamForm(mine), "suspended") == ApplicationNotPossible(
        ApplyProblem.NOT_INSURED
    )


# -- what a choice means for referral and rates ----------------------------------------------------


@pytest.fixture
def by_choice(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Chengdu whose employees have 90 % where they chose, 80 % where referred, 50 % elsewhere."""
    packs = deepcopy(dict(shipped_packs()))
    [rate] = [
        pack["parameters"]["rate"]
        for pack in packs_in(PACKS).values()
        if pack["pack"] == "X-CHOSEN"
    ]
    [own] = [pack for pack in packs.values() if pack["pack"] == "CD-OP-W"]
    own["parameters"]["rate"] = rate
    book = make_book(packs)
    rulebook.cache_clear()
    monkeypatch.setattr(library, "read_packs", lambda _: book)
    yield
    rulebook.cache_clear()


def refer(
    world: World, who: str = "worker", at: str = CLINIC, to: str = LEVEL_3, **more: Any
) -> Any:
    token = more.pop("token", None) or world.scan(who, at, Purpose.OUTPATIENT_SETTLEMENT).token
    command = ReferPatient(
        world.terminal(at),
        token,
        to,
        more.get("reason", "需上级诊治"),
        more.get("key") or new_key(),
    )
    return world.do(referring.refer, command)


def stands(world: World, at: str, who: str = "worker") -> Chosen | None:
    settled = world.buy(
        who, line(VISIT, "1", "1000.00"), at=at, purpose=Purpose.OUTPATIENT_SETTLEMENT
    )
    case = world.database.read(lambda u: settlements.case_of_settlement(u, settled.id))
    return case.chosen


def chosen_clinic(world: World, who: str = "worker") -> None:
    submit(world, save(world, ChoiceForm((CLINIC,)), who), who)
    world.clock.forward(days=1)
    world._actors.clear()
    world._terminals.clear()


def test_where_no_law_asks_nothing_is_read_or_stored(world: World) -> None:
    chosen_clinic(world)
    assert stands(world, CLINIC) is None


@pytest.mark.usefixtures("by_choice")
def test_a_rate_goes_by_what_was_chosen(world: World) -> None:
    assert stands(world, CLINIC) is Chosen.NOTHING
    chosen_clinic(world)
    assert stands(world, CLINIC) is Chosen.CHOSEN
    assert stands(world, LEVEL_3) is Chosen.OTHER
    made = refer(world)
    assert isinstance(made, ReferralView)
    assert (made.ends - made.starts).days == 30
    assert stands(world, LEVEL_3) is Chosen.REFERRED
    assert stands(world, LEVEL_2) is Chosen.OTHER
    world.clock.forward(days=31)
    world._actors.clear()
    world._terminals.clear()
    assert stands(world, LEVEL_3) is Chosen.OTHER


@pytest.mark.usefixtures("by_choice")
def test_the_fund_pays_by_it(world: World) -> None:
    chosen_clinic(world)

    def fund(at: str, price: str = "1000.00") -> int:
        settled = world.buy(
            "worker", line(VISIT, "1", price), at=at, purpose=Purpose.OUTPATIENT_SETTLEMENT
        )
        return settled.fund_fen

    assert fund(CLINIC) == 72_000  # (1000 - 200) x 90 %
    assert fund(LEVEL_3) == 50_000
    refer(world)
    assert fund(LEVEL_3, "500.00") == 40_000


@pytest.mark.usefixtures("by_choice")
def test_the_institution_of_a_doctor_team_counts_as_chosen(world: World) -> None:
    mine = team(world)
    signed(world, mine)
    world.clock.forward(days=1)
    world._actors.clear()
    today = world.clock.now().date()

    def read(unit: Any) -> Any:
        found = queries.team(unit, mine, today)
        [enrolment] = people.enrolments_on(unit, world.person("worker"), today)
        place = found.institution_id
        return queries.stands_to(unit, enrolment, place, CareKind.OUTPATIENT, today)

    assert world.database.read(read) is Chosen.CHOSEN


def test_a_patient_is_told_and_sees_the_referral(world: World) -> None:
    chosen_clinic(world)
    key = new_key()
    token = world.scan("worker", CLINIC, Purpose.OUTPATIENT_SETTLEMENT).token
    made = refer(world, token=token, key=key)
    assert refer(world, token=token, key=key) == made

    def read(unit: Any) -> Any:
        ids = people.enrolment_ids(unit, world.person("worker"))
        return queries.referrals_of(unit, ids, 20)

    assert world.database.read(read) == [made]
    assert made.reason == "需上级诊治"
    assert [kind for kind, _ in messages(world)].count("referred") == 1


def test_who_cannot_be_referred_and_where_to(world: World) -> None:
    assert refer(world) == ReferralNotPossible(ReferralProblem.NOT_CHOSEN)
    chosen_clinic(world)
    assert refer(world, at=LEVEL_2) == ReferralNotPossible(ReferralProblem.NOT_CHOSEN)
    for to in ("H0", "P51010400001", CLINIC):
        assert refer(world, to=to) == ReferralNotPossible(ReferralProblem.NO_PLACE)
    assert refer(world, reason=" ") == ReferralNotPossible(ReferralProblem.REASON)
    assert isinstance(refer(world, token="made up"), GrantNotValid)
    insured = refer(world, who="not_insured")
    assert insured == ReferralNotPossible(ReferralProblem.NOT_INSURED)
    person = ReferPatient(world.actor("worker"), "x", LEVEL_3, "x", new_key())
    assert isinstance(world.do(referring.refer, person), NotPermitted)
