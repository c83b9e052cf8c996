"""What a Relay client's compiler asks of the documents and of both schemas, beyond their being valid.

A variable fits its place by its own type: a default of the place does not help. A variable with a
default is nullable. The schema has ``node``, to fetch an object again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLSchema,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    is_non_null_type,
    is_type_sub_type_of,
    parse,
    type_from_ast,
    visit,
)
from graphql.type import GraphQLInputObjectType, GraphQLNonNull

from mobile_bff import documents
from mobile_bff.desk.schema import DESK_DOCUMENTS, make_desk_schema
from mobile_bff.schema import make_schema

SCHEMAS = {"app": make_schema()._schema, "desk": make_desk_schema()._schema}
FOLDERS = {"app": documents.FOLDER, "desk": DESK_DOCUMENTS}
DOCUMENTS = [(side, name) for side in FOLDERS for name in documents.names(FOLDERS[side])]


class _Places(Visitor):
    """Notes each place where a variable stands, with the type that the place asks for."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.found: list[tuple[str, object]] = []

    def enter_variable_definition(self, *_: object) -> object:
        """Skip the definitions: no value stands there."""
        return self.SKIP

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Note a place."""
        self.found.append((node.name.value, self.info.get_input_type()))


def objections(schema: GraphQLSchema, text: str) -> Iterator[str]:
    """Yield what Relay's compiler would object to in a document."""
    document = parse(text)
    [operation] = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    variables = {v.variable.name.value: v for v in operation.variable_definitions or ()}
    for name, variable in variables.items():
        if variable.default_value is not None and isinstance(variable.type, NonNullTypeNode):
            yield f"non-nullable variable ${name} has a default value"
    info = TypeInfo(schema)
    places = _Places(info)
    visit(document, TypeInfoVisitor(info, places))
    for name, wanted in places.found:
        if not _fits(schema, variables[name], wanted):
            yield f"variable ${name} cannot be used where {wanted} is expected"


def _fits(schema: GraphQLSchema, variable: VariableDefinitionNode, wanted: object) -> bool:
    kind = type_from_ast(schema, variable.type)
    assert kind is not None
    if variable.default_value is not None and not is_non_null_type(kind):
        kind = GraphQLNonNull(kind)
    return is_type_sub_type_of(schema, kind, wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(("side", "name"), DOCUMENTS, ids=[f"{s}-{n}" for s, n in DOCUMENTS])
def test_a_document_compiles(side: str, name: str) -> None:
    text = documents.document(name, FOLDERS[side])
    assert list(objections(SCHEMAS[side], text)) == []


def test_what_the_compiler_objects_to_is_noticed() -> None:
    schema = SCHEMAS["app"]
    bad = {
        "query A($n: Boolean) { __typename @skip(if: $n) }": ["$n cannot be used where Boolean!"],
        "query A($n: Int! = 5) { notices(first: $n) { edges { cursor } } }": [
            "has a default value"
        ],
        "query A($n: [ID]) { nodes(ids: $n) { id } }": ["$n cannot be used where [ID!]!"],
        "query A($n: Boolean = true) { __typename @skip(if: $n) }": [],
        "query A($n: ID!) { node(id: $n) { id } }": [],
    }
    for text, expected in bad.items():
        found = list(objections(schema, text))
        assert len(found) == len(expected), text
        assert all(part in one for part, one in zip(expected, found, strict=True)), found


@pytest.mark.parametrize("side", sorted(SCHEMAS))
def test_an_argument_with_a_default_may_be_null(side: str) -> None:
    """Else a null that a variable brings along would meet no check but that of the execution."""
    strict = [
        f"{kind.name}.{name}({argument})"
        for kind in SCHEMAS[side].type_map.values()
        if not kind.name.startswith("__") and not isinstance(kind, GraphQLInputObjectType)
        for name, item in getattr(kind, "fields", {}).items()
        for argument, given in getattr(item, "args", {}).items()
        if is_non_null_type(given.type) and given.default_value is not Undefined
    ]
    assert strict == []


@pytest.mark.parametrize("side", sorted(SCHEMAS))
def test_an_object_can_be_fetched_again(side: str) -> None:
    query = SCHEMAS[side].query_type
    assert query is not None
    assert str(query.fields["node"].type) == "Node"
    assert str(query.fields["node"].args["id"].type) == "ID!"
    assert str(query.fields["nodes"].type) == "[Node]!"
    assert str(query.fields["nodes"].args["ids"].type) == "[ID!]!"
