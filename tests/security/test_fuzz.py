"""No caller can make the server fail: every argument and input field with what nobody should send.

Each place of each operation is tried, one at a time, in variables that are valid otherwise. An answer
that is no fault of the server's has a code of its own, and nothing is written as an error.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from backend.infra.database import Database
from backend.orders.contracts import ChannelName
from mobile_bff import documents
from mobile_bff.desk.schema import DESK_DOCUMENTS
from mobile_bff.trusted import load_documents
from tests.databases import drop_database, new_database
from tests.scripted_channel import ScriptedChannel
from tests.security import test_desk_matrix as desk
from tests.security import test_matrix as app
from tests.security.fuzzing import (
    Fuzz,
    Operation,
    edges,
    hostile,
    operation,
    places,
    reads,
)
from tests.security.test_matrix import Province
from tests.world import LEVEL_3, ManualClock, World, resources_for

SEED = 20_260_615
_ACTORS = ("self", "till", "hospital", "asker", "clerk", "inspector", "checker", "supervisor",
           "head", "province", "expert")  # fmt: skip
_OTHERS = {
    "app": ("anonymous", "stranger", "till", "clerk"),
    "desk": ("anonymous", "person", "till"),
}
_APP_ARGUMENTS = {
    "hospital": LEVEL_3, "institutionCode": "H11010100001", "areaCode": "510100",
    "divisionCode": "510104", "text": "布洛芬", "number": "A1", "region": "510100",
}  # fmt: skip


Made = Callable[[str, str], Province]


@pytest.fixture(scope="module")
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    """Return furnished provinces, by side and database, each made once."""
    opened: list[Database] = []
    keys = request.getfixturevalue("keys_file")

    @cache
    def make(side: str, kind: str) -> Province:
        if kind == "sqlite":
            path = tmp_path_factory.mktemp("fuzz") / f"{side}.sqlite3"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            url = f"sqlite:///{path}"
        else:
            template = request.getfixturevalue("postgres_template")
            url = new_database(request.getfixturevalue("postgres"), template)
        clock = ManualClock()
        opened.append(Database(resources_for(url, keys, clock)))
        furnished = app._furnished if side == "app" else desk._furnished
        return furnished(World(opened[-1], clock))

    yield make
    for database in opened:
        url = database.resources.settings.database_url
        database.close()
        if not url.startswith("sqlite"):
            drop_database(request.getfixturevalue("postgres"), url)


def _reader(name: str) -> str:
    return "hospital" if name.startswith("till") else "self"


def _operations(side: str, province: Province) -> list[Operation]:
    matrix = app if side == "app" else desk
    folder = documents.FOLDER if side == "app" else DESK_DOCUMENTS
    schema = matrix.SCHEMA._schema
    writes = [
        operation(
            schema,
            name,
            documents.document(name[0].upper() + name[1:], folder),
            row.variables(province),
            actor=next(
                (who for who in _ACTORS if who in row.may), _ACTORS[0 if side == "app" else 4]
            ),
        )
        for name, row in matrix.MUTATIONS.items()
    ]
    ids = province.ids
    named = {f"{name}Id": value for name, value in ids.items()}
    if side == "app":
        known = {**_APP_ARGUMENTS, **named, "subjectId": ids["owner"], "matterId": ids["draft"],
                 "id": ids["node"], "ids": [ids["node"]], "secret": ids["secret"],
                 "token": ids["token"], "code": "P51010400001"}  # fmt: skip
        return [*writes, *reads(schema, known, _reader)]
    known = {**named, "region": "510100"}
    return [*writes, *reads(schema, known, lambda _: "head")]


def _fuzz(side: str, province: Province) -> Fuzz:
    folder = documents.FOLDER if side == "app" else DESK_DOCUMENTS
    channels = {ChannelName.WECHAT: ScriptedChannel(province.world.clock)}
    schema = app.SCHEMA if side == "app" else desk.SCHEMA
    return Fuzz(schema, province, load_documents(False, folder), channels)


def _try_everything(
    side: str, kind: str, made: Made, *, ends: int | None, more: int | None
) -> Fuzz:
    """Try every place as the one who may, with its ends and with more, and a few places as others.

    ``ends`` and ``more`` say how many of each are tried at a place; ``None``: all.
    """
    province = made(side, kind)
    chance = random.Random(SEED)
    with _fuzz(side, province) as fuzz:
        for tried in _operations(side, province):
            every = list(places(tried))
            for place in every:
                for values, count in (
                    (edges(place), ends),
                    (hostile(place, province.ids, chance), more),
                ):
                    some = (
                        values if count is None else chance.sample(values, min(count, len(values)))
                    )
                    for value in some:
                        fuzz.run(tried, place, value, tried.actor)
            for actor in _OTHERS[side] if every else ():
                place = chance.choice(every)
                fuzz.run(tried, place, chance.choice(hostile(place, province.ids, chance)), actor)
    return fuzz


@pytest.mark.parametrize("side", ["app", "desk"])
def test_no_input_makes_the_server_fail(side: str, made: Made) -> None:
    fuzz = _try_everything(side, "sqlite", made, ends=None, more=1)
    assert fuzz.faults == []
    assert fuzz.runs > 700


@pytest.mark.parametrize("side", ["app", "desk"])
def test_no_input_makes_the_server_fail_on_postgresql(side: str, made: Made) -> None:
    fuzz = _try_everything(side, "postgresql", made, ends=1, more=1)
    assert fuzz.faults == []
    assert fuzz.runs > 500
