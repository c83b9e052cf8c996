"""Lists of the service hall: as many SQL statements for one as for several of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from backend.certificates import queries as certificates
from backend.choices import queries as choices
from backend.claims import applying
from backend.coordination import queries as tickets
from backend.coordination.contracts import TicketReason
from backend.desk import queries as desk
from backend.desk.contracts import AskQueue, Holding
from backend.enrolment import queries as enrolment
from backend.entitlements import queries as entitlements
from backend.entitlements.contracts import ChronicForm
from backend.institutions import queries as institutions
from backend.institutions.contracts import SearchInstitutions
from backend.matters import figures
from backend.matters import queries as matters
from backend.matters.contracts import MatterKind
from backend.payments import outlook
from backend.people import queries as people
from backend.policies import documents
from backend.policies.document_contracts import FindDocuments
from backend.settlement import queries as settlements
from tests.usecases.test_certificates import issue
from tests.usecases.test_chronic import HOSPITAL, entitled, submitted
from tests.usecases.test_claim_cases import booked
from tests.usecases.test_claim_cases import submitted as claimed
from tests.usecases.test_tickets import opened
from tests.world import IBUPROFEN, World, line

Read = Callable[[Any], Any]


@pytest.fixture
def cost(world: World) -> Callable[[Read], int]:
    statements: list[str] = []
    event.listen(
        world.database.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: statements.append(statement),
    )

    def counted(read: Read) -> int:
        statements.clear()
        world.database.read(read)
        return len(statements)

    return counted


def test_a_person_s_lists(world: World, cost: Callable[[Read], int]) -> None:
    person = world.person("worker")
    day = world.clock.now().date()

    def claims(unit: Any) -> Any:
        return applying.by_matter(unit, matters.of_kind(unit, person, MatterKind.CLAIM, 20))

    def diseases(unit: Any) -> Any:
        held = entitlements.diseases_of(unit, people.enrolment_ids(unit, person), 20)
        [enrolment] = people.enrolments_on(unit, person, day)
        return outlook.quotas(unit, enrolment, [one.disease for one in held], day)

    lists: dict[str, Read] = {
        "claims": claims,
        "diseases": diseases,
        "tickets": lambda u: tickets.of_person(u, person, 20),
        "certificates": lambda u: certificates.of_person(u, person, 20),
        "contributions": lambda u: enrolment.contributions(
            u, people.enrolment_ids(u, person), None
        ),
        "referrals": lambda u: choices.referrals_of(u, people.enrolment_ids(u, person), 20),
        "capitation": lambda u: entitlements.agreements_of_person(
            u, people.enrolment_ids(u, person)
        ),
        "year": lambda u: settlements.of_year(u, person, 2026),
    }

    def grow(number: int) -> None:
        matter = claimed(world, "worker", invoices=(f"11010026A000010{number}",))
        booked(world, matter.id)
        disease = ("COPD", "DIABETES")[number]
        entitled(world, form=ChronicForm(disease, HOSPITAL))
        assert issue(world, who="worker").check_code
        opened(world, reason=(TicketReason.OTHER, TicketReason.CANNOT_SETTLE)[number])
        world.buy("worker", line(IBUPROFEN))

    grow(0)
    one = {name: cost(read) for name, read in lists.items()}
    grow(1)
    assert {name: cost(read) for name, read in lists.items()} == one
    assert max(one.values()) <= 12, one


def test_the_desk_s_lists(world: World, cost: Callable[[Read], int]) -> None:
    checker, expert = world.staff("CD1002"), world.staff("HX2001")

    def grow(number: int) -> None:
        who = ("worker", "worker_2")[number]
        booked(world, claimed(world, who, invoices=(f"11010026A000020{number}",)).id)
        submitted(world, who)
        opened(world, who, reason=TicketReason.FILING_NOT_SEEN)

    lists: dict[str, Read] = {
        "checker": lambda u: desk.work(u, checker, 50),
        "expert": lambda u: desk.work(u, expert, 50),
        "queue": lambda u: desk.queue(u, checker, AskQueue(None, Holding.ANY, None, 50)),
        "workload": lambda u: figures.workload(u, ["510100"], 30),
        "tickets": lambda u: tickets.waiting(u, ["510100"], 50),
        "report": lambda u: tickets.exceptions(u, world.clock.now().date(), ["510100"]),
    }
    grow(0)
    one = {name: cost(read) for name, read in lists.items()}
    grow(1)
    assert {name: cost(read) for name, read in lists.items()} == one


def test_searches(world: World, cost: Callable[[Read], int]) -> None:
    day = world.clock.now().date()

    def few_and_many(read: Callable[[int], Read]) -> tuple[int, int]:
        return cost(read(1)), cost(read(50))

    few, many = few_and_many(
        lambda n: (
            lambda u: institutions.search_institutions(u, SearchInstitutions(text="人民医院"), n)
        )
    )
    assert few == many <= 4
    few, many = few_and_many(
        lambda n: lambda u: documents.find(u, FindDocuments("异地看病报销"), n)
    )
    assert few == many <= 7  # one for each way to say it
    few, many = few_and_many(lambda n: lambda u: choices.teams_of_area(u, "510100", day, n))
    assert few == many <= 4
