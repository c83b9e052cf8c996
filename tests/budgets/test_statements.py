"""How many SQL statements a use case may take; a rise needs a reason, a fall moves the budget."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from backend.desk import queries
from backend.desk import service as desk
from backend.desk.contracts import ActKind, Payload, ProposalView, Propose
from backend.kernel.money import Fen
from backend.matters import queries as matters
from backend.sample_data.people import sample_id_number
from backend.settlement import queries as settlements
from tests.usecases.test_documents import BABY, BIRTH, BORN, register, resident
from tests.usecases.test_filings import PROVEN, add, save, submit
from tests.usecases.test_relatives import bound, request
from tests.world import IBUPROFEN, World, line


@pytest.fixture
def counted(world: World) -> list[str]:
    statements: list[str] = []
    event.listen(
        world.database.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: statements.append(statement),
    )
    return statements


def test_budgets(world: World, counted: list[str]) -> None:
    world.buy("worker", line(IBUPROFEN))  # opens sessions and the year's row
    world.terminal()

    def cost(act: object) -> tuple[object, int]:
        counted.clear()
        outcome = act()  # type: ignore[operator]
        return outcome, len(counted)

    issued, issue = cost(lambda: world.issue("worker"))
    scanned, scan = cost(lambda: world.scan_text(issued.text))
    basket = [line(IBUPROFEN) for _ in range(20)]
    bill, presettle = cost(lambda: world.presettle(scanned.token, *basket))
    settled, settle = cost(lambda: world.settle(bill.id))
    _, reverse = cost(lambda: world.reverse(settled.id))
    # settling tells the patient: inbox, live feed, their devices and choices; wallet and shares may pay;
    # pricing looks at the person's scans and the till's sales, for what monitoring may hold
    budgets = {"issue": 10, "scan": 17, "presettle": 33, "settle": 67, "reverse": 80}
    spent = {
        "issue": issue,
        "scan": scan,
        "presettle": presettle,
        "settle": settle,
        "reverse": reverse,
    }
    assert all(spent[name] <= budgets[name] for name in budgets), spent


def test_reading_a_page_does_not_cost_by_its_length(world: World, counted: list[str]) -> None:
    for _ in range(3):
        world.buy("worker", line(IBUPROFEN))
    person = world.person("worker")
    counted.clear()
    world.database.read(lambda u: settlements.of_person(u, person, None, 1))
    one = len(counted)
    counted.clear()
    assert len(world.database.read(lambda u: settlements.of_person(u, person, None, 3))) == 3
    assert len(counted) == one


def test_the_desks_list_does_not_cost_by_its_length(world: World, counted: list[str]) -> None:
    names = ["worker", "worker_2"]

    def waits(number: int) -> None:
        saved = save(world, PROVEN, names[number])
        add(world, saved.matter.id, by=names[number])
        submit(world, saved, names[number])
        baby = replace(BABY, name=f"婴{'甲乙丙丁'[number]}例")
        document = replace(BIRTH, number=f"R51009900{number}")
        register(world, baby, document, enrolments=(resident(),))
        register(
            world,
            replace(baby, id_number=sample_id_number(BORN, 460 + number, "2")),
            enrolments=(resident(),),
        )
        binding = bound(world, f"worker_{6 + number}", names[number])
        about = Payload(binding.id, pay_limit_fen=Fen(10_000))
        command = Propose(world.staff("CD1001"), ActKind.BINDING_PAYMENT, about, "授权书")
        assert isinstance(world.do(desk.propose, command), ProposalView)
        request(world, names[number], "retiree_pool_only" if number else "retiree")

    def cost() -> tuple[int, int]:
        clerk = world.staff("CD1002")
        counted.clear()
        work = world.database.read(lambda u: queries.work(u, clerk, 50))
        return len(counted), len(work.matters) + len(work.duplicates) + len(work.proposals)

    waits(0)
    one, listed = cost()
    assert listed == 3
    waits(1)
    two, listed = cost()
    assert listed == 6
    assert two == one, (one, two)


def test_a_persons_applications_do_not_cost_by_their_number(
    world: World, counted: list[str]
) -> None:
    person = world.person("worker")

    def cost() -> int:
        counted.clear()
        world.database.read(lambda u: matters.of_person(u, person, None, 20))
        return len(counted)

    save(world, PROVEN)
    one = cost()
    for _ in range(4):
        save(world, PROVEN)
    assert cost() == one
