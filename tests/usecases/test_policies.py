"""Policy documents: found by what people type, superseded in a chain, told for whoever asks; outages ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from backend.access.contracts import NotPermitted, Operator
from backend.applications.outages import notify_outages
from backend.kernel.calendar import local_day
from backend.people import queries as people
from backend.policies import documents, logic
from backend.policies.contracts import AnnounceOutage, Service
from backend.policies.document_contracts import (
    DocumentKind,
    DocumentState,
    DocumentView,
    FindDocuments,
    MeansForMe,
    NewDocument,
    PolicyNotFound,
)
from backend.policies.library import NEIGHBOURS, descriptions, shipped_documents
from backend.policies.service import announce_outage
from backend.regions.library import province_code
from backend.rulebook.library import NATION, rulebook, shipped_packs
from tests.usecases.test_filings import PROVEN, add, effective, save, submit
from tests.usecases.test_safety import messages
from tests.world import World

OPERATOR = Operator("test")
TODAY = date(2026, 6, 15)
NEW = NewDocument(
    code="T-1",
    kind=DocumentKind.NOTICE,
    region="510100",
    title="关于调整样例待遇的通知",
    issuer="样例局",
    number="样例发〔2026〕1号",
    published_on=TODAY,
    effective_from=date(2026, 1, 1),
    summary="调整样例待遇。",
    body="独角兽门诊待遇自本年起调整。",
)


def find(world: World, text: str = "", **more: Any) -> list[DocumentView]:
    return world.database.read(lambda u: documents.find(u, FindDocuments(text, **more), 20))


def publish(world: World, new: NewDocument) -> Any:
    def act(unit: Any) -> Any:
        documents.draft(unit, OPERATOR, [new])
        return documents.publish(unit, OPERATOR, [new.code])

    return world.database.write(act)


def test_there_are_hundreds_and_each_is_this_program_s_own_and_dated(world: World) -> None:
    shipped = shipped_documents(shipped_packs(), rulebook(), TODAY)
    assert len(shipped) >= 200
    assert len({one.code for one in shipped}) == len(shipped)
    assert all(one.title and one.summary and one.body for one in shipped)
    kinds = {kind: sum(one.kind is kind for one in shipped) for kind in DocumentKind}
    assert all(kinds.values())
    assert len(find(world)) == 20


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("异地就医备案", "异地就医备案"),
        ("外地看病", "异地就医"),
        ("门特", "门诊慢特病"),
        ("起付线", "住院"),
        ("医保发〔2022〕22号", "跨省异地就医直接结算"),
        ("等待期", "等待期"),
        ("垫付", "手工报销"),
    ],
)
def test_what_people_type_finds_what_it_means(world: World, text: str, title: str) -> None:
    assert any(title in one.title for one in find(world, text)[:8]), [
        one.title for one in find(world, text)
    ]


def test_drafts_are_found_by_nobody_and_published_ones_until_withdrawn(world: World) -> None:
    world.database.write(lambda u: documents.draft(u, OPERATOR, [NEW]))
    assert find(world, "独角兽") == []
    assert world.database.read(lambda u: documents.document(u, "T-1")) is None
    world.database.write(lambda u: documents.publish(u, OPERATOR, ["T-1"]))
    assert [one.code for one in find(world, "独角兽")] == ["T-1"]
    assert find(world, "独角兽", regions=("510300",)) == []
    assert find(world, "独角兽", not_regions=("510100",)) == []
    again = world.database.write(lambda u: documents.publish(u, OPERATOR, ["T-1"]))
    assert again == PolicyNotFound()
    world.database.write(lambda u: documents.withdraw(u, OPERATOR, "T-1"))
    assert find(world, "独角兽") == []
    kept = world.database.read(lambda u: documents.document(u, "T-1"))
    assert kept is not None
    assert kept.state is DocumentState.WITHDRAWN
    assert (
        world.database.write(lambda u: documents.withdraw(u, OPERATOR, "T-1")) == PolicyNotFound()
    )


def test_a_newer_one_ends_the_older_and_the_chain_tells_both(world: World) -> None:
    publish(world, NEW)
    starts = date(2026, 7, 1)
    publish(world, replace(NEW, code="T-2", effective_from=starts, supersedes="T-1"))
    assert [one.code for one in find(world, "独角兽")] == ["T-2"]
    assert {one.code for one in find(world, "独角兽", past_too=True)} == {"T-1", "T-2"}
    older = world.database.read(lambda u: documents.document(u, "T-1"))
    assert older is not None
    assert (older.state, older.effective_until) == (DocumentState.SUPERSEDED, date(2026, 6, 30))
    for code in ("T-1", "T-2"):

        def chain(unit: Any, code: str = code) -> list[str]:
            found = documents.document(unit, code)
            assert found is not None
            return [one.code for one in documents.chain(unit, found)]

        assert world.database.read(chain) == ["T-1", "T-2"]
    gone = world.database.write(lambda u: documents.withdraw(u, OPERATOR, "T-1"))
    assert isinstance(gone, DocumentView)
    assert gone.state is DocumentState.WITHDRAWN
    assert [one.code for one in find(world, "独角兽", past_too=True)] == ["T-2"]


def test_only_an_operator_publishes(world: World) -> None:
    actor = world.actor("worker")
    assert isinstance(
        world.database.write(lambda u: documents.draft(u, actor, [NEW])), NotPermitted
    )
    assert isinstance(
        world.database.write(lambda u: documents.publish(u, actor, ["CN-FL"])), NotPermitted
    )
    assert isinstance(
        world.database.write(lambda u: documents.withdraw(u, actor, "CN-FL")), NotPermitted
    )


def test_it_says_what_it_means_for_whoever_asks(world: World) -> None:
    def mine(key: str, code: str) -> Any:
        def read(unit: Any) -> Any:
            view = documents.document(unit, code)
            assert view is not None
            day = local_day(unit.now)
            held = people.enrolments_on(unit, world.person(key), day)
            one = held[0] if held else None
            answer = logic.means(view, one, day)
            if one is None:
                return answer, []
            known = descriptions(view.topic)
            return answer, logic.personal(view.topic, known, one, day, rulebook())

        return world.database.read(read)

    [code] = [
        one["pack"]
        for one in shipped_packs().values()
        if (str(one["region"]), one["topic"]) == ("510100", "inpatient_worker")
    ]
    answer, lines = mine("worker", code)
    assert answer is MeansForMe.APPLIES
    assert ("三级医院", "800.00元") in [(one.where, one.value) for one in lines]
    assert mine("resident", code)[0] is MeansForMe.OTHER_INSURANCE
    assert mine("zigong", code)[0] is MeansForMe.OTHER_AREA
    assert mine("not_insured", code)[0] is MeansForMe.NOT_INSURED


def test_percentages_are_exact(world: World) -> None:
    assert [logic.percent(Fraction(n, d)) for n, d in ((89, 100), (1, 2), (1, 3), (905, 1000))] == [
        "89%",
        "50%",
        "33.33%",
        "90.5%",
    ]


def test_who_has_something_there_is_told_the_day_before_and_once(world: World) -> None:
    waiting = save(world, PROVEN, "worker_2")
    add(world, waiting.matter.id, by="worker_2")
    submit(world, waiting, "worker_2")
    effective(world, who="worker")
    world.admit("resident")
    starts = world.clock.now() + timedelta(hours=30)

    def announce(area: str, *services: Service) -> None:
        world.do(
            announce_outage,
            AnnounceOutage(
                OPERATOR, area, services, starts, starts + timedelta(hours=5), "升级", "请先垫付"
            ),
        )

    def told() -> list[str]:
        notify_outages(world.database)
        return [facts["area"] for kind, facts in messages(world) if kind == "outage_ahead"]

    announce("510100", Service.MATTERS, Service.INPATIENT_SETTLEMENT)
    announce("110100", Service.CODE)
    assert told() == []  # a day ahead, and not two
    world.clock.forward(hours=7)
    world._actors.clear()
    # the applicant and who lies in hospital; the one who filed now, and one of the sample people
    expected = ["北京市", "北京市", "成都市", "成都市"]
    assert sorted(told()) == expected
    assert sorted(told()) == expected  # and never again


def test_the_provinces_around_are_covered_and_nothing_of_theirs_is_called_official() -> None:
    today = date(2026, 6, 15)
    found = [
        one
        for one in shipped_documents(shipped_packs(), rulebook(), today)
        if one.region != NATION and province_code(one.region) != "51"
    ]
    covered = {
        f"{province_code(one.region)}0000" for one in found if one.kind is DocumentKind.GUIDE
    }
    assert covered == set(NEIGHBOURS)
    reported = [one for one in found if one.code.startswith("AROUND-")]
    assert len(reported) >= 2
    for one in reported:
        assert one.provisional
        assert one.source.startswith("http")  # a page that can be opened, or it is not said
        assert "以当地为准" in one.body
    chongqing, qinghai = (
        next(one for one in found if one.code == f"GUIDE-{there}-away")
        for there in ("500000", "630000")
    )
    assert "成都市参保人员：不需备案" in chongqing.body  # as its rule says
    assert "不需备案" not in qinghai.body
