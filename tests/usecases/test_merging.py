"""Two records of one person become one by two people's decision, on real databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from backend.access.assurance import Proof
from backend.access.contracts import Action, PersonActor
from backend.codes import identities
from backend.codes.contracts import (
    CodeRevoked,
    CodeVoided,
    GrantNotValid,
    IssueIdentityCode,
    MakePrintedCode,
    PrintedIdentity,
    SignedIdentity,
)
from backend.identity import queries as sessions
from backend.identity import safety
from backend.identity.model import DeviceSession
from backend.infra.database import Unit
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.merging import service as merging
from backend.merging.contracts import (
    DuplicateNotFound,
    Merged,
    MergeNotPossible,
    MergeProblem,
)
from backend.merging.logic import Joining, Scheme, days_left, joinings
from backend.merging.plan import ENROLMENTS, KEYS, PERSONS, Does
from backend.migrations.tables import APPEND_ONLY
from backend.orders.contracts import OrderState
from backend.payments import queries as payments
from backend.people import documents
from backend.people import queries as people
from backend.people.document_contracts import DocumentKind, DuplicateState, DuplicateView
from backend.people.model import Person
from backend.people.service import record_death
from backend.proxies import service as proxies
from backend.proxies.authority import Right, authorize
from backend.proxies.contracts import Relation
from backend.sample_data.people import sample_id_number
from backend.settlement import queries as settlements
from backend.sharing import queries as sharing
from backend.sharing import service as shares
from backend.sharing.contracts import DecideTransfer, TransferEvent
from tests.usecases.test_documents import (
    BABY,
    BIRTH,
    BORN,
    GUEST,
    NUMBER,
    PASSPORT,
    pairs,
    register,
    registered_baby,
    resident,
)
from tests.usecases.test_orders import pay
from tests.usecases.test_relatives import request
from tests.usecases.test_safety import messages
from tests.usecases.test_sharing import account, give, open_wallet, send
from tests.world import EJIAO, IBUPROFEN, LEVEL_3, VISIT, World, line

GUEST_NUMBER = sample_id_number(GUEST.birth_date, 460, GUEST.sex)
PAPERS = "出生医学证明、户口本原件"


def as_actor(world: World, key: str, person_id: str) -> PersonActor:
    """Let a person have a device, and be called by a key."""

    def open_session(unit: Unit) -> str:
        session_id = unit.new_id()
        seen = {"opened_at": unit.now, "last_seen_at": unit.now}
        unit.db.add(
            DeviceSession(id=session_id, person_id=person_id, device_name="test", proofs={}, **seen)
        )
        return session_id

    actor = PersonActor(person_id, world.database.write(open_session))
    world._actors[key] = actor
    return actor


def propose(world: World, pair: DuplicateView, kept: str, clerk: str = "甲", **more: Any) -> Any:
    words = more.get("words", PAPERS)
    return world.database.write(lambda u: merging.propose(u, clerk, pair.id, kept, words))


def confirm(world: World, pair: DuplicateView, clerk: str = "乙") -> Any:
    return world.database.write(lambda u: merging.confirm(u, clerk, pair.id))


def merge(world: World, kept: str) -> Merged:
    [pair] = pairs(world)
    proposed = propose(world, pair, kept)
    assert isinstance(proposed, DuplicateView), proposed
    done = confirm(world, pair)
    assert isinstance(done, Merged), done
    return done


def everything(world: World) -> str:
    """Return all that is stored, but for the counters of rates."""

    def read(unit: Unit) -> str:
        connection = unit.db.connection()
        return repr(
            [
                (table, sorted(map(str, connection.execute(text(f"SELECT * FROM {table}")))))
                for table in SQLModel.metadata.tables
            ]
        )

    return world.database.read(read)


@pytest.fixture
def babies(world: World) -> tuple[World, str, str]:
    """Return a newborn twice: by the birth certificate, and later by the ID number."""
    first = registered_baby(world).id
    second = register(world, replace(BABY, id_number=NUMBER), enrolments=(resident(),)).id
    as_actor(world, "baby", first)
    as_actor(world, "child_by_number", second)
    return world, first, second


# -- the plan --------------------------------------------------------------------------------------


def test_the_plan_has_a_row_for_every_column_that_names_a_person_or_an_enrolment() -> None:
    persons, enrolments = set(), set()
    names = {"person_id", "owner_id", "delegate_id", "giver_id", "user_id", "shown_by_id"}
    for table in SQLModel.metadata.tables.values():
        for column in table.columns:
            place = f"{table.name}.{column.name}"
            keys = {key.target_fullname for key in column.foreign_keys}
            if "person.id" in keys or column.name in names or column.name == "kept_id":
                persons.add(place)
            if "enrolment.id" in keys or column.name.endswith("enrolment_id"):
                enrolments.add(place)
    assert persons == set(PERSONS)
    assert enrolments == set(ENROLMENTS)


def test_what_moves_can_be_written_and_says_what_makes_its_rows_unique() -> None:
    for place, does in PERSONS.items():
        table = SQLModel.metadata.tables[place.split(".")[0]]
        if does is not Does.MOVES:
            continue
        assert table.name not in APPEND_ONLY
        column = place.split(".")[1]
        uniques = [list(table.primary_key.columns.keys())]
        uniques += [
            [c.name for c in constraint.columns]
            for constraint in table.constraints
            if type(constraint).__name__ == "UniqueConstraint"
        ]
        for unique in uniques:
            if column in unique:
                assert set(KEYS[table.name]) == set(unique) - {column}


@pytest.mark.parametrize(
    ("period", "taken", "left"),
    [
        ((1, 10), [], [(1, 10)]),
        ((1, 10), [(1, 10)], []),
        ((1, 10), [(3, 4), (7, None)], [(1, 2), (5, 6)]),
        ((1, None), [(3, 4)], [(1, 2), (5, None)]),
        ((1, None), [(1, None)], []),
        ((5, 10), [(1, 4), (11, None)], [(5, 10)]),
        ((5, 10), [(1, 5), (10, 12)], [(6, 9)]),
        ((5, 10), [(8, 9), (1, 6)], [(7, 7), (10, 10)]),
    ],
)
def test_days_that_other_periods_leave(period: Any, taken: Any, left: Any) -> None:
    def day(number: int | None) -> date | None:
        return None if number is None else date(2026, 1, number)

    first = day(period[0])
    assert first is not None
    others = [(day(a) or first, day(b)) for a, b in taken]
    assert days_left(first, day(period[1]), others) == [(day(a), day(b)) for a, b in left]


def test_of_two_enrolments_the_used_one_goes_on() -> None:
    def scheme(name: str, used: bool = False, area: str = "510100") -> Scheme:
        return Scheme(name, area, "RESIDENT", used)

    assert joinings([scheme("a")], [scheme("b")]) == [Joining("a", "b")]
    assert joinings([scheme("a")], [scheme("b", used=True)]) == [Joining("b", "a")]
    assert joinings([scheme("a", used=True)], [scheme("b")]) == [Joining("a", "b")]
    assert joinings([scheme("a")], [scheme("b", area="510300")]) == []
    both = joinings([scheme("a", used=True)], [scheme("b", used=True)])
    assert both is MergeProblem.BOTH_ENROLMENTS_USED


# -- merging ---------------------------------------------------------------------------------------


def test_a_newborns_care_counts_on_after_merging(babies: tuple[World, str, str]) -> None:
    world, first, second = babies
    with_mother = request(
        world,
        "worker",
        "child",
        owner_name="婴样例",
        owner_id_number="R510099001",
        relation=Relation.CHILD,
        promise=True,
    )
    world.database.write(lambda u: proxies.approve_at_desk(u, "甲", with_mother.id))
    stay = world.admit("baby")
    settled = world.settle_stay(stay.id, line(VISIT, "1", "9000.00", traces=0))
    [used_enrolment] = world.database.read(lambda u: people.enrolments_on(u, first, BORN))
    before = world.database.read(lambda u: settlements.used(u, used_enrolment.id, 2026))
    assert before

    done = merge(world, second)
    assert (done.dropped_id, done.kept_id) == (first, second)
    assert done.moved["hospital_stay"] == done.moved["person_document"] == 1
    assert done.moved["binding"] == 1
    [enrolment] = world.database.read(lambda u: people.enrolments_on(u, second, BORN))
    assert enrolment.id == used_enrolment.id
    assert world.database.read(lambda u: people.enrolments_on(u, first, BORN)) == []
    assert world.database.read(lambda u: settlements.used(u, enrolment.id, 2026)) == before
    # history is the kept record's, though it stays as it was booked
    [read] = world.database.read(lambda u: settlements.of_person(u, second, None, 10))
    assert (read.id, read.person_id) == (settled.id, second)
    held = world.database.read(lambda u: people.documents(u, second))
    assert [one.kind for one in held] == [DocumentKind.RESIDENT_ID, DocumentKind.BIRTH_CERTIFICATE]
    # the mother goes on acting for her child, whose next bill goes on from there
    mother = world.actor("worker")
    right = world.database.read(lambda u: authorize(u, mother, Action.VIEW_RIGHTS, second))
    assert isinstance(right, Right)
    again = world.admit("child_by_number")
    second_stay = world.settle_stay(again.id, line(VISIT, "1", "9000.00", traces=0))
    assert second_stay.enrolment_id == enrolment.id
    both = world.database.read(lambda u: settlements.used(u, enrolment.id, 2026))
    assert both == {name: 2 * amount for name, amount in before.items()}
    # a reversal of what was booked on the dropped record still works, later ones first
    assert world.reverse(second_stay.id, LEVEL_3).reverses_id == second_stay.id
    assert world.reverse(settled.id, LEVEL_3).person_id == second
    left = world.database.read(lambda u: settlements.used(u, enrolment.id, 2026))
    assert left == {}
    assert world.faults() == []


def test_a_stay_that_is_open_goes_on_after_merging(babies: tuple[World, str, str]) -> None:
    world, _first, second = babies
    stay = world.admit("baby")
    merge(world, second)
    assert world.database.read(lambda u: payments.in_hospital_since(u, second)) is not None
    settled = world.settle_stay(stay.id, line(VISIT, "1", "900.00", traces=0))
    assert settled.person_id == second
    assert world.faults() == []


def test_nobody_signs_in_or_shows_a_code_of_the_dropped_record(world: World) -> None:
    first = register(world, GUEST, PASSPORT, enrolments=(resident(date(2026, 1, 1)),)).id
    old = as_actor(world, "guest", first)
    world.prove("guest", Proof.DESK)
    printed = world.do(identities.make_printed_code, MakePrintedCode(old, first))
    assert isinstance(printed, PrintedIdentity), printed
    signed = world.do(identities.issue_identity_code, IssueIdentityCode(old, first))
    assert isinstance(signed, SignedIdentity), signed
    scanned = world.scan("guest")
    shown = world.issue("guest")
    bare = replace(GUEST, id_number=GUEST_NUMBER, phone="")
    second = register(world, bare).id

    merge(world, second)
    assert not world.database.read(lambda u: sessions.session_is_open(u, old.session_id, first))
    for code in (printed.text, signed.text):
        found = world.database.read(lambda u, c=code: identities.identify(u, c, None))
        assert found == CodeRevoked()
    assert world.presettle(scanned.token, line(IBUPROFEN)) == GrantNotValid()
    assert world.scan_text(shown.text) == CodeVoided()
    # the phone signs in the record that goes on, which has the insurance too
    assert world.database.read(lambda u: people.person_by_phone(u, GUEST.phone)) == second
    assert world.database.read(lambda u: people.particulars(u, first)).phone == ""
    as_actor(world, "kept", second)
    bought = world.buy("kept", line(IBUPROFEN))
    assert bought.person_id == second
    known = world.database.read(
        lambda u: people.person_by_document(u, DocumentKind.PASSPORT, "E99000001")
    )
    assert known == second


def test_both_phones_are_told_and_the_kept_one_stays(world: World) -> None:
    first = register(world, GUEST, PASSPORT).id
    own = replace(GUEST, id_number=GUEST_NUMBER, phone="12000000956")
    second = register(world, own).id
    merge(world, second)
    told = {facts["to"] for kind, facts in messages(world) if kind == "records_merged"}
    assert told == {"12000000955", "12000000956"}
    assert world.database.read(lambda u: people.person_by_phone(u, "12000000956")) == second
    assert world.database.read(lambda u: people.person_by_phone(u, "12000000955")) is None
    assert world.database.read(lambda u: u.db.get_one(Person, first).merged_into) == second


def test_a_payment_under_way_is_waited_for(world: World) -> None:
    first = register(world, GUEST, PASSPORT, enrolments=(resident(date(2026, 1, 1)),)).id
    as_actor(world, "guest", first)
    order = pay(world, "guest", lines=(line(EJIAO, "1", "98.00"),))
    assert order.state is OrderState.INSURANCE_LOCKED
    second = register(world, replace(GUEST, id_number=GUEST_NUMBER, phone="")).id
    assert propose(world, pairs(world)[0], second) == MergeNotPossible(
        MergeProblem.MONEY_ON_ITS_WAY
    )


def test_wallet_money_goes_along_and_shares_end(world: World) -> None:
    world.clock.instant = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
    first = register(world, GUEST, PASSPORT, enrolments=(resident(date(2026, 1, 1)),)).id
    as_actor(world, "guest", first)
    for key in ("retiree", "guest"):
        assert open_wallet(world, key).open
    name = {"relative_name": GUEST.name, "relative_id_number": "E99000001"}
    share = give(world, "retiree", "worker", **name)
    sent = send(world, "retiree", "worker", 5_000, **name)
    second = register(world, replace(GUEST, id_number=GUEST_NUMBER, phone="")).id
    [pair] = pairs(world)
    before = account(world, "retiree")
    assert propose(world, pair, second) == MergeNotPossible(MergeProblem.MONEY_ON_ITS_WAY)
    world.do(
        shares.decide_transfer, DecideTransfer(world.actor("guest"), sent.id, TransferEvent.RECEIVE)
    )
    done = merge(world, second)
    assert done.moved["wallet_fen"] == 5_000

    def balance(person_id: str) -> int | None:
        return world.database.read(lambda u: ledger.balance(u, accounts.wallet(person_id)))

    assert (balance(first), balance(second)) == (0, 5_000)
    assert account(world, "retiree") == before
    assert share.id not in [
        one.id for one in world.database.read(lambda u: sharing.shares_of(u, first))
    ]
    assert world.database.read(lambda u: sharing.shares_of(u, second)) == []
    assert world.database.read(ledger.verify) == world.database.read(sharing.verify) == []


# -- what is refused -------------------------------------------------------------------------------


def test_a_second_clerk_decides_and_may_say_no(babies: tuple[World, str, str]) -> None:
    world, first, second = babies
    [pair] = pairs(world)
    assert confirm(world, pair) == DuplicateNotFound()
    assert propose(world, pair, second, words="  ") == MergeNotPossible(MergeProblem.NO_WORDS)
    worker = world.person("worker")
    assert propose(world, pair, worker) == MergeNotPossible(MergeProblem.NOT_OF_THE_PAIR)
    kept = MergeNotPossible(MergeProblem.KEPT_WITHOUT_NUMBER)
    assert propose(world, pair, first) == kept
    proposed = propose(world, pair, second)
    assert (proposed.state, proposed.kept_id, proposed.words) == (
        DuplicateState.PROPOSED,
        second,
        PAPERS,
    )
    assert propose(world, pair, second, "乙") == DuplicateNotFound()
    before = everything(world)
    assert confirm(world, pair, "甲") == MergeNotPossible(MergeProblem.SAME_CLERK)
    assert everything(world) == before
    back = world.database.write(lambda u: merging.withdraw(u, "乙", pair.id))
    assert (back.state, back.kept_id, back.proposed_by) == (DuplicateState.OPEN, None, None)
    assert world.database.write(lambda u: merging.withdraw(u, "乙", pair.id)) == DuplicateNotFound()
    none = world.database.write(lambda u: merging.differ(u, "乙", pair.id, ""))
    assert none == MergeNotPossible(MergeProblem.NO_WORDS)
    two = world.database.write(lambda u: merging.differ(u, "乙", pair.id, "双胞胎，同名待更正"))
    assert (two.state, two.decided_by) == (DuplicateState.DIFFERENT, "乙")
    # found again by name alone, it stays decided; by the same document, it is asked anew
    assert world.database.write(lambda u: documents.find_duplicates(u, first)) == 0
    world.database.write(lambda u: documents.record_document(u, "operator:甲", second, BIRTH))
    [again] = pairs(world)
    assert (again.state, again.reason.value) == (DuplicateState.OPEN, "SAME_DOCUMENT")


def freeze(world: World, first: str, second: str) -> None:
    world.database.write(lambda u: safety.freeze(u, first, "丢失", "operator:甲"))


def bill(world: World, first: str, second: str) -> None:
    world.bill("baby", line(IBUPROFEN))


def both_in_hospital(world: World, first: str, second: str) -> None:
    world.admit("baby")
    world.admit("child_by_number")


def both_used(world: World, first: str, second: str) -> None:
    world.buy("baby", line(IBUPROFEN))
    world.buy("child_by_number", line(IBUPROFEN))


def death(world: World, first: str, second: str) -> None:
    world.database.write(lambda u: record_death(u, "operator:甲", first, date(2026, 6, 1)))


@pytest.mark.parametrize(
    ("makes", "problem"),
    [
        (freeze, MergeProblem.FROZEN),
        (bill, MergeProblem.OPEN_BILL),
        (both_in_hospital, MergeProblem.BOTH_IN_HOSPITAL),
        (both_used, MergeProblem.BOTH_ENROLMENTS_USED),
        (death, MergeProblem.DEATH_DIFFERS),
    ],
)
def test_what_is_not_settled_yet_stands_in_the_way(
    babies: tuple[World, str, str],
    makes: Callable[[World, str, str], None],
    problem: MergeProblem,
) -> None:
    world, first, second = babies
    [pair] = pairs(world)
    assert isinstance(propose(world, pair, second), DuplicateView)
    makes(world, first, second)
    before = everything(world)
    assert confirm(world, pair) == MergeNotPossible(problem)
    assert everything(world) == before


def test_two_id_numbers_are_two_people(world: World) -> None:
    register(world, replace(GUEST, id_number=GUEST_NUMBER, phone=""), PASSPORT)
    other = sample_id_number(GUEST.birth_date, 461, GUEST.sex)
    second = register(world, replace(GUEST, id_number=other, phone=""), PASSPORT).id
    [pair] = pairs(world)
    assert propose(world, pair, second) == MergeNotPossible(MergeProblem.TWO_ID_NUMBERS)


def test_a_record_is_merged_once(babies: tuple[World, str, str]) -> None:
    world, _first, second = babies
    merge(world, second)
    [pair] = pairs(world)
    assert (pair.state, pair.decided_by) == (DuplicateState.MERGED, "乙")
    assert propose(world, pair, second) == DuplicateNotFound()
    assert confirm(world, pair) == DuplicateNotFound()
    # nothing finds the dropped record again
    third = register(world, BABY, replace(BIRTH, number="R510099002"))
    found = [one for one in pairs(world) if one.state is DuplicateState.OPEN]
    assert [set(one.person_ids) for one in found] == [{second, third.id}]


def test_two_clerks_who_confirm_at_once_merge_once(babies: tuple[World, str, str]) -> None:
    world, first, second = babies
    [pair] = pairs(world)
    assert isinstance(propose(world, pair, second), DuplicateView)
    with ThreadPoolExecutor(4) as threads:
        said = list(
            threads.map(lambda clerk: confirm(world, pair, clerk), ["乙", "丙", "丁", "戊"])
        )
    assert [type(one) for one in said].count(Merged) == 1
    assert said.count(DuplicateNotFound()) == 3
    assert world.database.read(lambda u: u.db.get_one(Person, first).merged_into) == second
