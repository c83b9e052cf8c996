"""Every place of every argument and input field of a schema, and what a hostile caller puts there.

The schema alone says which places there are, so that a new argument is tried without another word.
The variables to start from come from the matrices of who may do what: valid ones reach deep.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import logging
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    get_nullable_type,
    is_leaf_type,
    is_required_input_field,
    parse,
    type_from_ast,
)
from graphql import GraphQLObjectType as ObjectType

from backend.infra.clock import SystemIds
from backend.infra.tokens import Claims
from backend.kernel.errors import Locale
from mobile_bff.civil_register import CivilRegister
from mobile_bff.context import Context
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.trusted import Documents
from tests.security.test_matrix import Province
from tests.world import World, new_key

Path = tuple[str | int, ...]
MISSING = "(missing)"
LONG = 5_000


def _global_id(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_TEXTS = (
    "", " ", "x" * LONG, "9" * 400, "9" * 19, "-1", "0", "２０２６", "²", "👩‍👩‍👧💊", "'\";--%_\\", "\u202e",
    "Did you mean " * 300, " " * LONG, "((((" * 500, "null", "[]", '{"id":"x"}', "[[[[1]]]]",
    '{"id":{},"rawId":[],"response":1,"type":2}', "Om9wZQ==", _global_id("Settlement:"),
    _global_id("Settlement:\0"), _global_id("Settlement:x"), _global_id("Bill:" + "9" * 400),
    *map(_global_id, ("Money:1", "Query:1", "Node:1", "Nothing:1", "Institution:x", ":", "x")),
    _global_id("before:5"), _global_id("before:" + "9" * 400), "510100", "510104", "H51010400001",
    "2027-07", "08:00", "24:61", "13900000000", "0.5",
)  # fmt: skip
_VALUES: dict[str, tuple[Any, ...]] = {
    "String": _TEXTS,
    "ID": (*_TEXTS, 5, -1),
    "Int": (0, -1, 2, 1_000, 2**31 - 1, -(2**31), 2**31, 10**18, 10**400, 1.5, math.inf, math.nan),
    "Fen": (0, -1, 1, 10**8, 2**53 - 1, 1 - 2**53, 2**53, 10**18, 1.0, math.inf),
    "Float": (0, -1, 0.0, 90.0, -180.0, 1e-300, 1e300, 2**31, 10**18, 10**400, math.inf, math.nan),
    "Boolean": (True, False, "true", 1),
    "Date": (
        "0001-01-01", "9999-12-31", "1900-01-01", "2199-12-31", "2027-07-01", "2024-02-29",
        "2027-02-30", "20270701", "2027-W01-1", "", "0", " " * LONG, "Did you mean " * 300,
    ),
    "DateTime": (
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2199-12-31T23:59:59+08:00",
        "1900-01-01T00:00:00Z", "2027-07-01T00:00:00", "2027-07-01", "2027-07-01T24:00Z", "",
        "2027-07-01T08:00:00.000001+08:00", " " * LONG, "Did you mean " * 300,
    ),
    "Time": (
        "00:00", "23:59:59.999999", "08:00+08:00", "24:00", "08", "", "12:30:30", " " * LONG,
        "Did you mean " * 300,
    ),
    "Quantity": ("0", "-1", "1", "0.0001", "999999999999", "999999999999.9999", "1e9", "０", 1,
                 "1.00001", "9" * 40, " " * LONG),
    "UnitPrice": ("0", "-1", "1", "0.000001", "999999999999", "999999999999.999999", "1e9", 1,
                  "1.0000001", "9" * 40, " " * LONG),
}  # fmt: skip
_WRONG_KINDS: tuple[Any, ...] = ([], ["x"], [None], {}, {"a": 1}, [[[[]]]], True, 1, 1.5, "x", None)
_PLAIN: dict[str, Any] = {
    "String": "x", "ID": "x", "Int": 1, "Fen": 1, "Float": 1.0, "Boolean": True, "Date": "2027-07-01",
    "DateTime": "2027-07-01T08:00:00+08:00", "Time": "08:00", "Quantity": "1", "UnitPrice": "1.00",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation with variables that are valid, and who may run it."""

    name: str
    document: str
    variables: dict[str, Any]
    types: dict[str, GraphQLInputType]
    actor: str


@dataclass(frozen=True)
class Place:
    """Where a value stands in an operation's variables."""

    path: Path
    type: GraphQLInputType


def operation(
    schema: GraphQLSchema, name: str, document: str, variables: dict[str, Any], *, actor: str
) -> Operation:
    """Return an operation with the types of its variables."""
    [definition] = [
        d for d in parse(document).definitions if isinstance(d, OperationDefinitionNode)
    ]
    types: dict[str, Any] = {
        variable.variable.name.value: type_from_ast(schema, variable.type)
        for variable in definition.variable_definitions or ()
    }
    return Operation(name=name, document=document, variables=variables, types=types, actor=actor)


def plain(kind: GraphQLInputType) -> Any:
    """Return a value of a type, as plain as it may be."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        return [plain(bare.of_type)]
    if isinstance(bare, GraphQLInputObjectType):
        fields = bare.fields.items()
        return {name: plain(f.type) for name, f in fields if is_required_input_field(f)}
    if isinstance(bare, GraphQLEnumType):
        return next(iter(bare.values))
    return _PLAIN[bare.name]  # type: ignore[union-attr]


def places(tried: Operation) -> Iterator[Place]:
    """Yield every place of an operation's variables: lists, objects, and what stands in them."""
    for name, kind in tried.types.items():
        yield from _places((name,), kind)


def _places(path: Path, kind: GraphQLInputType) -> Iterator[Place]:
    yield Place(path, kind)
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        yield from _places((*path, 0), bare.of_type)
    elif isinstance(bare, GraphQLInputObjectType):
        for name, item in bare.fields.items():
            yield from _places((*path, name), item.type)


_EDGES: dict[str, tuple[Any, ...]] = {
    "String": ("9" * 400, "²", "x" * LONG),
    "ID": ("9" * 400, "²", _global_id("Settlement:\0")),
    "Int": (2**31 - 1, -(2**31)),
    "Fen": (2**53 - 1, 1 - 2**53),
    "Float": (1e300, -180.0),
    "Date": ("0001-01-01", "9999-12-31", "1900-01-01", "2199-12-31"),
    "DateTime": ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2027-07-01T00:00:00"),
    "Time": ("23:59:59.999999", "08:00+08:00"),
    "Quantity": ("999999999999.9999",),
    "UnitPrice": ("999999999999.999999",),
}


def edges(place: Place) -> list[Any]:
    """Return what is always tried at a place: nothing at all, and the ends of its kind."""
    kind = get_nullable_type(place.type)
    if isinstance(kind, GraphQLList):
        return [None, [plain(kind.of_type)] * 300]
    return [None, *_EDGES.get(getattr(kind, "name", ""), ())]


def hostile(place: Place, ids: dict[str, str], chance: random.Random) -> list[Any]:
    """Return all there is to put at a place: everything of its kind, and some of wrong kinds."""
    kind = get_nullable_type(place.type)
    wrong = [*chance.sample(_WRONG_KINDS, 2), MISSING]
    if isinstance(kind, GraphQLList):
        return [[], "x", *wrong]
    if not is_leaf_type(kind):
        return [{}, *wrong]
    if isinstance(kind, GraphQLEnumType):
        return [*kind.values, "NOPE", *wrong]
    foreign = chance.sample(sorted(ids.values()), 2) if kind.name in ("ID", "String") else ()
    return [*_VALUES[kind.name], *foreign, *wrong]


def with_value(tried: Operation, place: Place, value: Any) -> dict[str, Any]:
    """Return an operation's variables with another value at one place."""
    variables: dict[str, Any] = copy.deepcopy(tried.variables)
    here: Any = variables
    kind: Any = None
    *upper, last = place.path
    for step in upper:
        kind = tried.types[str(step)] if kind is None else _inner(kind, step)
        if isinstance(here, list):
            here.extend([] if here else [plain(kind)])
            here = here[0]
            continue
        if here.get(step) is None:
            here[step] = plain(kind)
        here = here[step]
    if value == MISSING and isinstance(here, dict):
        here.pop(last, None)
    elif isinstance(here, list):
        here[:1] = [value]
    else:
        here[last] = value
    _renew_key(variables, place.path)
    return variables


def _renew_key(variables: dict[str, Any], path: Path) -> None:
    given = variables.get("input")
    if isinstance(given, dict) and "requestId" in given and path[-1] != "requestId":
        given["requestId"] = new_key()


def _inner(kind: GraphQLInputType, step: str | int) -> GraphQLInputType:
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        inner: GraphQLInputType = bare.of_type
        return inner
    assert isinstance(bare, GraphQLInputObjectType)
    return bare.fields[str(step)].type


class UndoneDoor:
    """The door inwards, whose every write is undone."""

    def __init__(self, world: World, channels: dict[Any, Any]) -> None:
        self._database = world.database
        self.channels = channels

    async def write(self, use_case: Any, command: Any, request_id: str) -> Any:
        """Run a use case to its last statement, then undo it."""
        with self._database._transaction(writing=True, request_id=request_id) as unit:
            outcome = use_case(unit, command)
            unit.db.flush()
            unit.db.rollback()
            return outcome

    async def read(self, query: Any) -> Any:
        """Run a read."""
        return self._database.read(query)

    async def drive(self, order_id: str) -> None:
        """Leave an order where it is: what began it is undone already."""

    async def look_after(self, agreement_id: str) -> None:
        """Leave an agreement where it is, for the same reason."""


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@dataclass
class Fuzz:
    """Runs operations in process, and notes each that ends as a fault of the server."""

    schema: strawberry.Schema
    province: Province
    documents: Documents
    channels: dict[Any, Any]
    faults: list[str] = field(default_factory=list)
    runs: int = 0
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _errors: _Errors = field(default_factory=_Errors)

    def __enter__(self) -> Fuzz:
        """Listen to what the server writes as errors."""
        logging.getLogger("yibao").addHandler(self._errors)
        logging.getLogger("strawberry.execution").setLevel(logging.CRITICAL)  # as the server does
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        logging.getLogger("yibao").removeHandler(self._errors)
        self._runner.close()

    def run(self, tried: Operation, place: Place, value: Any, actor: str) -> None:
        """Run an operation as somebody, with another value at one place."""
        self.runs += 1
        note = f"{'.'.join(map(str, place.path))} = {value!r:.80}"
        result = self._runner.run(
            self.schema.execute(
                tried.document,
                variable_values=with_value(tried, place, value),
                context_value=self._context(self.province.claims[actor]),
            )
        )
        codes = {str((error.extensions or {}).get("code")) for error in result.errors or ()}
        for record in self._errors.records:
            cause = record.exc_info[1] if record.exc_info else record.getMessage()
            self.faults.append(f"{tried.name} as {actor}, {note}: {cause!r}"[:400])
        if not self._errors.records and codes & {"INTERNAL_SERVER_ERROR", "None"}:
            self.faults.append(f"{tried.name} as {actor}, {note}: {result.errors}"[:400])
        self._errors.records.clear()

    def _context(self, claims: Claims | None) -> Context:
        return Context(
            door=UndoneDoor(self.province.world, self.channels),  # type: ignore[arg-type]
            feed=None,  # type: ignore[arg-type]
            locale=Locale.ZH,
            address="here",
            request_id=new_key(),
            claims=claims,
            documents=self.documents,
            register=CivilRegister("http://127.0.0.1:9", "", SystemIds()),
            national=NationalPlatform("http://127.0.0.1:9", ""),
        )


def reads(schema: GraphQLSchema, known: dict[str, Any], actor_of: Any) -> Iterator[Operation]:
    """Yield a query for each field of the schema that takes arguments, each argument a variable.

    ``known`` holds a valid value for arguments by name.
    """
    assert schema.query_type is not None
    seen: set[str] = set()
    ways: list[tuple[ObjectType, tuple[str, ...], dict[str, Any]]] = [(schema.query_type, (), {})]
    while ways:
        kind, way, outer = ways.pop(0)
        if kind.name in seen:
            continue
        seen.add(kind.name)
        for name, item in kind.fields.items():
            own = {f"{name}_{arg}": (arg, a.type) for arg, a in item.args.items()}
            step = name
            if own:
                step += f"({', '.join(f'{arg}: ${var}' for var, (arg, _) in own.items())})"
            every = {**outer, **own}
            inner = _object(schema, item.type)
            if own:
                yield _read(schema, (*way, step), every, item.type, known, actor_of)
            if inner is not None:
                ways.append((inner, (*way, step), every))


def _read(
    schema: GraphQLSchema,
    way: tuple[str, ...],
    arguments: dict[str, Any],
    shown: Any,
    known: dict[str, Any],
    actor_of: Any,
) -> Operation:
    head = ", ".join(f"${variable}: {kind}" for variable, (_, kind) in arguments.items())
    inner = _object(schema, shown)
    leaves = [] if inner is None else [
        name for name, item in inner.fields.items()
        if not item.args and is_leaf_type(_bare(item.type))
    ]  # fmt: skip
    selection = "" if is_leaf_type(_bare(shown)) else f"{{ __typename {' '.join(leaves)} }}"
    document = f"query Tried({head}) {{ {' { '.join(way)} {selection} {'}' * len(way)}"
    variables = {
        variable: known[arg] if arg in known else plain(kind)
        for variable, (arg, kind) in arguments.items()
        if arg in known or isinstance(kind, GraphQLNonNull)
    }
    name = ".".join(step.partition("(")[0] for step in way)
    return operation(schema, name, document, variables, actor=actor_of(name))


def _bare(kind: Any) -> Any:
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return kind


def _object(schema: GraphQLSchema, kind: Any) -> ObjectType | None:
    bare = _bare(kind)
    return bare if isinstance(bare, ObjectType) else None
