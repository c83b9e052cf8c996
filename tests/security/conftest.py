"""While the matrices ask for everything as everybody, the journal holds nobody's data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journal import journal_of_all, personal_markers

_MARKERS: dict[int, set[str]] = {}


@pytest.fixture(autouse=True)
def journal_without_content(request: pytest.FixtureRequest) -> Iterator[None]:
    """Look for personal data in all that is logged during a test about a whole province."""
    if "province" not in request.fixturenames:
        yield
        return
    world = request.getfixturevalue("province").world
    markers = _MARKERS.setdefault(id(world), personal_markers(world))
    with journal_of_all() as journal:
        yield
    written = journal.getvalue()
    assert [marker for marker in markers if marker in written] == []
