"""How many SQL statements a use case may take; a rise needs a reason, a fall moves the budget."""

from __future__ import annotations

import pytest
from sqlalchemy import event

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
    budgets = {"issue": 10, "scan": 17, "presettle": 28, "settle": 60, "reverse": 80}
    spent = {
        "issue": issue,
        "scan": scan,
        "presettle": presettle,
        "settle": settle,
        "reverse": reverse,
    }
    assert all(spent[name] <= budgets[name] for name in budgets), spent


def test_reading_a_page_does_not_cost_by_its_length(world: World, counted: list[str]) -> None:
    from backend.settlement import queries

    for _ in range(3):
        world.buy("worker", line(IBUPROFEN))
    person = world.person("worker")
    counted.clear()
    world.database.read(lambda u: queries.of_person(u, person, None, 1))
    one = len(counted)
    counted.clear()
    assert len(world.database.read(lambda u: queries.of_person(u, person, None, 3))) == 3
    assert len(counted) == one
