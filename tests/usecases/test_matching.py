"""三目比对 from upload to bill, and other provinces' terms, on real databases."""

from __future__ import annotations

from datetime import date

from sqlmodel import select

from backend.access.contracts import Anonymous, SignInRequired
from backend.catalogue import queries, service
from backend.catalogue.contracts import (
    ItemKind,
    ItemsInvalid,
    ItemsUploaded,
    LocalItem,
    MatchState,
    UploadItems,
)
from backend.catalogue.library import shipped_items
from backend.catalogue.matching import Matcher, core_of, form_of, numbers_of, sure_match
from backend.catalogue.model import MatchDecision, RegionTerm
from backend.codes.contracts import Purpose
from backend.payments.contracts import ItemNotInCatalogue
from backend.payments.visits import region_of_terms
from backend.settlement.case import Route
from tests.bench_matching import measure
from tests.world import BEIJING, LEVEL_3, VISIT, World, line, new_key

TODAY = date(2026, 6, 15)


def local(
    code: str, name: str, specification: str, form: str = "", believed: str = ""
) -> LocalItem:
    return LocalItem(code, ItemKind.DRUG, name, form, specification, "", believed)


def uploaded(world: World, *items: LocalItem, key: str = "") -> ItemsUploaded:
    command = UploadItems(world.terminal(), items, key or new_key())
    outcome = world.do(service.upload_items, command)
    assert isinstance(outcome, ItemsUploaded), outcome
    return outcome


def test_sure_matches_are_taken_and_the_rest_waits_for_a_person(world: World) -> None:
    sure, typo, none = uploaded(
        world,
        local("A1", "阿莫西林膠囊（康盛）", "250mg*24"),
        local("A2", "阿莫西淋胶囊", "0.25g×24粒"),
        local("A3", "玛巴洛沙韦片", "20mg×2片"),
    ).items
    assert (sure.state, sure.code, sure.decided_by) == (
        MatchState.MATCHED,
        "XJ01CAA001E001010100001",
        "program",
    )
    assert typo.state is MatchState.QUEUED
    assert typo.candidates[0].code == "XJ01CAA001E001010100001"
    assert (none.state, none.code) == (MatchState.QUEUED, None)
    waiting = world.database.read(lambda u: queries.queued(u, 10))
    assert {view.item.local_code for _, view in waiting} == {"A2", "A3"}


def test_a_person_decides_and_the_decision_is_kept(world: World) -> None:
    (item,) = uploaded(world, local("A2", "阿莫西淋胶囊", "0.25g×24粒")).items
    code = item.candidates[0].code
    decide = service.decide_match
    assert world.database.write(lambda u: decide(u, "chen", item.id, "no such", TODAY)) is None
    assert world.database.write(lambda u: decide(u, "chen", "no such", code, TODAY)) is None
    later = date(2026, 7, 1)
    decided = world.database.write(lambda u: decide(u, "chen", item.id, code, later))
    assert decided is not None
    assert (decided.state, decided.decided_by, decided.effective_from) == (
        MatchState.MATCHED,
        "chen",
        later,
    )
    (again,) = uploaded(world, local("A2", "阿莫西淋胶囊", "0.25g×24粒")).items
    assert again.decided_by == "chen"
    (changed,) = uploaded(world, local("A2", "阿莫西淋胶囊", "0.5g×24粒")).items
    assert (changed.state, changed.code) == (MatchState.QUEUED, None)
    refused = world.database.write(lambda u: decide(u, "chen", item.id, None, TODAY))
    assert refused is not None
    assert refused.state is MatchState.REFUSED
    kept = world.database.read(
        lambda u: [(d.state, d.code, d.decided_by) for d in u.db.exec(select(MatchDecision)).all()]
    )
    assert kept == [("MATCHED", code, "chen"), ("REFUSED", None, "chen")]


def test_a_bill_settles_by_the_matched_code_from_its_day_on(world: World) -> None:
    (item,) = uploaded(world, local("A2", "阿莫西淋胶囊", "0.25g×24粒")).items
    code = item.candidates[0].code
    basket = line("", "1", "12.00", local_code="A2")
    refused = world.presettle(world.scan("worker").token, basket)
    assert refused == ItemNotInCatalogue((1,), ("A2",))
    world.database.write(
        lambda u: service.decide_match(u, "chen", item.id, code, date(2026, 6, 16))
    )
    assert isinstance(world.presettle(world.scan("worker").token, basket), ItemNotInCatalogue)
    world.clock.forward(days=1)
    settled = world.buy("worker", basket)
    assert settled.outcome.lines[0].code == code
    assert settled.outcome.lines[0].name == "阿莫西林胶囊"


def test_what_cannot_be_uploaded(world: World) -> None:
    def upload(*items: LocalItem, actor: object = None) -> object:
        return world.do(
            service.upload_items,
            UploadItems(actor or world.terminal(), items, new_key()),  # type: ignore[arg-type]
        )

    assert upload() == ItemsInvalid(200)
    assert upload(local("A", "x", ""), local("A", "y", "")) == ItemsInvalid(200)
    assert upload(local("", "x", "")) == ItemsInvalid(200)
    assert upload(*(local(f"A{n}", "x", "") for n in range(201))) == ItemsInvalid(200)
    assert upload(local("A", "x", ""), actor=Anonymous()) == SignInRequired()


def test_the_same_upload_is_answered_the_same(world: World) -> None:
    key = new_key()
    first = uploaded(world, local("A1", "阿莫西林胶囊", "0.25g×24粒"), key=key)
    assert uploaded(world, local("A1", "阿莫西林胶囊", "0.25g×24粒"), key=key) == first


def test_names_forms_and_figures_are_compared_as_people_mean_them() -> None:
    assert core_of("頭孢克洛 緩釋片（希刻劳）") == "头孢克洛"
    assert core_of("注射用青霉素钠") == "青霉素钠"
    assert form_of("布洛芬缓释胶囊", "") == "缓释胶囊"
    assert form_of("布洛芬", "片剂") == "片"
    assert numbers_of("0.25g×24粒") == numbers_of("250mg*24粒") == {("mg", 250.0), ("pack", 24.0)}
    assert numbers_of("５０μg×60喷") == {("mg", 0.05), ("pack", 60.0)}
    assert numbers_of("10ml：1g") == {("ml", 10.0), ("mg", 1000.0)}


def test_another_strength_is_never_taken_for_the_item() -> None:
    matcher = Matcher(shipped_items())
    other = matcher.candidates(local("A", "阿莫西林胶囊", "0.5g×24粒"))
    assert other[0].contradicted
    assert sure_match(other) is None
    believed = matcher.candidates(local("A", "阿莫西林", "", believed="XJ01CAA001E001010100001"))
    found = sure_match(believed)
    assert found is not None
    assert found.code == "XJ01CAA001E001010100001"
    wrong = matcher.candidates(local("A", "布洛芬片", "", believed="XJ01CAA001E001010100001"))
    assert sure_match(wrong) is None


def test_precision_and_recall_on_a_noisy_list_are_what_the_readme_says() -> None:
    scores = measure(shipped_items())["all"]
    assert scores.taken == scores.taken_rightly == 485
    assert (scores.rows, scores.real, scores.proposed_first) == (608, 540, 540)


# -- whose catalogue -------------------------------------------------------------------------------


def test_direct_settlement_takes_the_place_of_cares_catalogue(world: World) -> None:
    world.database.write(
        lambda u: u.db.add(
            RegionTerm(
                region="110000",
                code=VISIT,
                effective_from=date(2026, 1, 1),
                item_class="B",
                prepaid_share="0.20",
            )
        )
    )
    purpose = Purpose.OUTPATIENT_SETTLEMENT
    item = line(VISIT, "1", "1000.00", traces=0)
    at_home = world.bill("worker", item, at=LEVEL_3, purpose=purpose).outcome
    away = world.bill("worker", item, at=BEIJING, purpose=purpose).outcome
    assert (at_home.prepaid_share_fen, away.prepaid_share_fen) == (0, 20_000)
    assert (at_home.pool_fen, away.pool_fen) == (40_000, 30_000)
    day = date(2026, 6, 15)
    assert region_of_terms("510100", "110100", Route.DIRECT, day) == "110000"
    assert region_of_terms("510100", "110100", Route.MANUAL, day) == "510000"
