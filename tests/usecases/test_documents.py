"""Documents beside the ID number, and finding who may have two records, on real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from backend.access.assurance import Proof
from backend.codes import identities
from backend.codes.contracts import CodeKind, HealthCard, IdCardReading, ShowHealthCard
from backend.codes.identities import Identified
from backend.kernel.money import Fen
from backend.people import documents
from backend.people import queries as people
from backend.people.contracts import (
    AccountKind,
    BenefitStatus,
    EnrolmentInput,
    EnrolmentPeriodInput,
    Identity,
    IdentityInput,
    IdNumberInvalid,
    InsuranceType,
    Particulars,
    PersonKind,
    PersonKnown,
    PersonView,
    RegisterPerson,
)
from backend.people.document_contracts import (
    DocumentInput,
    DocumentInvalid,
    DocumentKind,
    DuplicateReason,
    DuplicateState,
    DuplicateView,
)
from backend.people.logic import fits, kind_of_id_number
from backend.people.model import Person
from backend.people.service import register_person
from backend.proxies.contracts import BindingState, BindingView, Relation
from backend.sample_data.people import sample_id_number
from tests.usecases.test_registration import NEWCOMER
from tests.usecases.test_registration import register as register_oneself
from tests.usecases.test_relatives import allowed, request
from tests.world import World

BORN = date(2026, 5, 20)
BIRTH = DocumentInput(DocumentKind.BIRTH_CERTIFICATE, "R510099001")
PASSPORT = DocumentInput(DocumentKind.PASSPORT, "E99 000 001", "UTO", date(2030, 1, 31))
BABY = Particulars("婴样例", "", BORN, "2", "")
GUEST = Particulars("MUSTER ERIKA", "", date(1990, 2, 3), "2", "12000000955")
NUMBER = sample_id_number(BORN, 450, "2")


def resident(starts: date = BORN, ends: date | None = None, area: str = "510100") -> EnrolmentInput:
    period = EnrolmentPeriodInput(
        starts, ends, BenefitStatus.ACTIVE, PersonKind.STUDENT_OR_CHILD, tier="STUDENT"
    )
    return EnrolmentInput(
        area, InsuranceType.RESIDENT, AccountKind.NONE, Fen(0), (period,), division_code="510107"
    )


def register(world: World, known: Particulars, *documents_: DocumentInput, **more: Any) -> Any:
    command = RegisterPerson(known, more.pop("enrolments", ()), documents=documents_, **more)
    return world.database.write(lambda u: register_person(u, command))


def registered_baby(world: World) -> PersonView:
    made = register(world, BABY, BIRTH, enrolments=(resident(),))
    assert isinstance(made, PersonView), made
    return made


def pairs(world: World) -> list[DuplicateView]:
    states = tuple(DuplicateState)
    return world.database.read(lambda u: people.duplicates(u, states, 10))


def test_a_newborn_is_registered_by_the_birth_certificate_and_bound_to_a_parent(
    world: World,
) -> None:
    made = registered_baby(world)
    assert (made.masked_name, made.masked_id_number, made.age) == ("婴*例", "", 0)
    [held] = world.database.read(lambda u: people.documents(u, made.id))
    assert (held.kind, held.number) == (DocumentKind.BIRTH_CERTIFICATE, "R********1")
    found = world.database.read(lambda u: people.named(u, "婴样例", " r510099001 "))
    assert found == made.id
    assert world.database.read(lambda u: people.named(u, "王样例", "R510099001")) is None
    bound = request(
        world,
        "worker",
        "child",
        owner_name="婴样例",
        owner_id_number="R510099001",
        relation=Relation.CHILD,
        promise=True,
    )
    assert isinstance(bound, BindingView), bound
    assert bound.state is BindingState.PENDING_REVIEW
    [insured] = world.database.read(lambda u: people.enrolments_on(u, made.id, BORN))
    assert insured.status is BenefitStatus.ACTIVE


@pytest.mark.parametrize(
    "document",
    [
        DocumentInput(DocumentKind.PASSPORT, "E9900001"),  # of which country?
        DocumentInput(DocumentKind.PASSPORT, "E99-00001", "UTO"),
        DocumentInput(DocumentKind.BIRTH_CERTIFICATE, "R51009900"),
        DocumentInput(DocumentKind.BIRTH_CERTIFICATE, "R510099001", "CHN"),
        DocumentInput(DocumentKind.HK_MACAO_PERMIT, "A12345678"),
        DocumentInput(DocumentKind.TAIWAN_PERMIT, "123456789"),
        DocumentInput(DocumentKind.PERMANENT_RESIDENCE, "UTO99000100010"),
        DocumentInput(DocumentKind.RESIDENT_ID, NUMBER),  # the master index has its own place
    ],
)
def test_a_document_of_another_form_is_refused(world: World, document: DocumentInput) -> None:
    assert register(world, GUEST, document) == DocumentInvalid(document.kind)
    worker = world.person("worker")
    refused = world.database.write(
        lambda u: documents.record_document(u, "operator:a", worker, document)
    )
    assert refused == DocumentInvalid(document.kind)
    assert len(world.database.read(lambda u: people.documents(u, worker))) == 1


def test_forms_that_fit() -> None:
    for kind, number, country in (
        (DocumentKind.PASSPORT, "e99000001", "UTO"),
        (DocumentKind.HK_MACAO_PERMIT, "H99000001", ""),
        (DocumentKind.HK_MACAO_PERMIT, "M9900000101", ""),
        (DocumentKind.TAIWAN_PERMIT, "99000001", ""),
        (DocumentKind.PERMANENT_RESIDENCE, "UTO990001000101", ""),
    ):
        assert fits(DocumentInput(kind, number, country)), kind
    from_outside = "81" + NUMBER[2:]
    assert kind_of_id_number(from_outside) is DocumentKind.HK_MACAO_TAIWAN_RESIDENCE
    assert kind_of_id_number(NUMBER) is DocumentKind.RESIDENT_ID


def test_who_has_neither_number_nor_document_is_not_registered(world: World) -> None:
    assert register(world, BABY) == IdNumberInvalid()


def test_a_foreigner_is_known_by_the_passport_and_shows_a_health_card(world: World) -> None:
    made = register(world, GUEST, PASSPORT, enrolments=(resident(date(2026, 1, 1)),))
    assert isinstance(made, PersonView)
    [held] = world.database.read(lambda u: people.documents(u, made.id))
    assert (held.country, held.valid_until) == ("UTO", date(2030, 1, 31))
    renewed = replace(PASSPORT, valid_until=date(2031, 1, 31))
    [held] = world.database.write(
        lambda u: documents.record_document(u, "operator:a", made.id, renewed)
    )
    assert held.valid_until == date(2031, 1, 31)
    world._actors["guest"] = replace(world.actor("worker"), person_id=made.id)
    world.prove("guest", Proof.DESK)
    shown = world.do(
        identities.show_health_card, ShowHealthCard(world.actor("guest"), made.id, dynamic=True)
    )
    assert isinstance(shown, HealthCard), shown
    card = IdCardReading("MUSTER ERIKA", "E99000001")
    found = world.database.read(lambda u: identities.identify(u, shown.text, card))
    assert found == Identified(CodeKind.HEALTH_CARD, found.authority, made.id, confirmed=True)


def test_a_report_about_who_registered_themselves_adds_what_is_new(world: World) -> None:
    own = register_oneself(world, NEWCOMER).person.id
    known = world.database.read(lambda u: people.particulars(u, own))
    reported = replace(known, phone="")
    poor = IdentityInput(Identity.MINIMUM_LIVING, date(2026, 1, 1), None)
    for _ in range(2):  # a report that comes twice adds nothing
        again = register(world, reported, enrolments=(resident(),), identities=(poor,))
        assert isinstance(again, PersonView)
        assert again.id == own
        assert again.masked_phone != ""
        enrolled = world.database.read(lambda u: people.enrolments_on(u, own, BORN))
        assert len(enrolled) == 1
    retired = replace(resident().periods[0], starts=date(2026, 9, 1))
    ended = replace(resident(), periods=(retired,))
    register(world, reported, enrolments=(ended,))
    for day, starts in ((date(2026, 8, 31), BORN), (date(2026, 9, 1), date(2026, 9, 1))):
        [one] = world.database.read(lambda u, on=day: people.enrolments_on(u, own, on))
        assert one.status_from == starts
    other = replace(reported, name="余样例")
    assert register(world, other, enrolments=(resident(area="510300"),)) == PersonKnown()
    enrolled = world.database.read(lambda u: people.enrolments_on(u, own, BORN))
    assert [one.area_code for one in enrolled] == ["510100"]


# -- finding ---------------------------------------------------------------------------------------


def test_a_newborn_registered_again_by_number_is_found_and_not_merged(world: World) -> None:
    baby = registered_baby(world)
    again = register(world, replace(BABY, id_number=NUMBER), enrolments=(resident(),))
    assert again.id != baby.id
    [pair] = pairs(world)
    assert (pair.state, pair.reason) == (DuplicateState.OPEN, DuplicateReason.SAME_NAME_AND_BIRTH)
    assert pair.person_ids == tuple(sorted((baby.id, again.id)))
    assert sorted(pair.numbers) == ["", again.masked_id_number]
    assert world.database.read(lambda u: people.documents(u, baby.id)) != []


def test_two_people_of_one_name_and_birthday_with_two_numbers_are_two(world: World) -> None:
    register(world, replace(BABY, id_number=NUMBER))
    register(world, replace(BABY, id_number=sample_id_number(BORN, 451, "2")))
    assert pairs(world) == []


def test_the_same_passport_of_two_people_is_put_before_a_clerk(world: World) -> None:
    first = register(world, GUEST, PASSPORT)
    worker = world.person("worker")
    held = world.database.write(
        lambda u: documents.record_document(u, "operator:a", worker, PASSPORT)
    )
    assert [one.kind for one in held] == [DocumentKind.RESIDENT_ID, DocumentKind.PASSPORT]
    [pair] = pairs(world)
    assert pair.reason is DuplicateReason.SAME_DOCUMENT
    assert set(pair.person_ids) == {first.id, worker}
    # nobody is told to be either of the two while that is open
    both = world.database.read(
        lambda u: people.person_by_document(u, DocumentKind.PASSPORT, "E99000001")
    )
    assert both is None
    assert world.database.read(lambda u: people.named(u, GUEST.name, "E99000001")) == first.id


def test_an_id_number_comes_later(world: World) -> None:
    baby = registered_baby(world)
    for wrong in (sample_id_number(date(2026, 5, 21), 450, "2"), NUMBER[:-1] + "?", ""):
        refused = world.database.write(
            lambda u, n=wrong: documents.give_id_number(u, "operator:a", baby.id, n)
        )
        assert refused == IdNumberInvalid()
    held = world.database.write(
        lambda u: documents.give_id_number(u, "operator:a", baby.id, NUMBER.lower())
    )
    assert [one.kind for one in held] == [DocumentKind.RESIDENT_ID, DocumentKind.BIRTH_CERTIFICATE]
    assert world.database.read(lambda u: people.person_by_id_number(u, NUMBER)) == baby.id
    other = sample_id_number(BORN, 452, "2")
    refused = world.database.write(
        lambda u: documents.give_id_number(u, "operator:a", baby.id, other)
    )
    assert refused == PersonKnown()
    assert pairs(world) == []


def test_an_id_number_that_another_record_has_opens_the_question(world: World) -> None:
    baby = registered_baby(world)
    other = register(world, replace(BABY, name="婴样", id_number=NUMBER))
    assert pairs(world) == []  # nothing was alike but the birth date
    refused = world.database.write(
        lambda u: documents.give_id_number(u, "operator:a", baby.id, NUMBER)
    )
    assert refused == PersonKnown()
    [pair] = pairs(world)
    assert (set(pair.person_ids), pair.reason) == (
        {baby.id, other.id},
        DuplicateReason.SAME_DOCUMENT,
    )


def test_records_from_before_names_were_indexed_are_found_by_scanning(world: World) -> None:
    baby = registered_baby(world)
    world.database.write(lambda u: u.db.execute(update(Person).values(match_index=None)) and None)
    register(world, replace(BABY, id_number=NUMBER))
    assert pairs(world) == []
    after, found, rounds = "", 0, 0
    while rounds == 0 or after:
        after, more = world.database.write(lambda u, a=after: documents.scan(u, a, 5))
        found, rounds = found + more, rounds + 1
    assert (found, rounds > 2) == (1, True)
    assert baby.id in pairs(world)[0].person_ids
    assert not allowed(world, "worker", "child")
