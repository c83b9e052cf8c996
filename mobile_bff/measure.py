"""The size of an operation: its cost, aliases, directives and depth, in time linear in its text.

Each fragment is measured once, however often it is spread, so a document cannot cost more to measure
than to read. The bounds are those of the app's own documents with room to spare.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sized
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

from mobile_bff.connections import PAGE_DEFAULT, PAGE_MAX

OPERATIONS_MAX = 5
DIRECTIVES_MAX = 9
ALIASES_MAX = 15
DEPTH_MAX = 15
NESTING_MAX = 40
"""Selections within selections, those of fragments too; validation recurses as deep."""
PAIRS_MAX = 1_000
"""Pairs of selections that answer under one name; validation compares each pair."""
COST_MAX = 20_000
UNPAGED_LENGTH = 5
_DIGITS_MAX = 10
_DEAR = {"qrSvg": 20, "qrPngBase64": 20}


class TooLarge(GraphQLError):
    """An operation asks for more than any screen of the app needs."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"the operation has too many {what}; at most {limit} are allowed",
            extensions={"code": "OPERATION_TOO_LARGE"},
        )


@dataclass(frozen=True, kw_only=True)
class _Size:
    """The size of some selections."""

    cost: int = 0
    aliases: int = 0
    directives: int = 0
    depth: int = 0
    nesting: int = 0

    def beside(self, other: _Size) -> _Size:
        """Return the size of both together. Raises ``TooLarge`` at the first bound passed."""
        total = _Size(
            cost=self.cost + other.cost,
            aliases=self.aliases + other.aliases,
            directives=self.directives + other.directives,
            depth=max(self.depth, other.depth),
            nesting=max(self.nesting, other.nesting),
        )
        for value, limit, what in (
            (total.directives, DIRECTIVES_MAX, "directives"),
            (total.aliases, ALIASES_MAX, "aliases"),
            (total.depth, DEPTH_MAX, "levels"),
            (total.nesting, NESTING_MAX, "levels, counting fragments"),
            (total.cost, COST_MAX, "fields, counting those of lists as often as they repeat"),
        ):
            if value > limit:
                raise TooLarge(what, limit)
        return total


@dataclass
class _Measure:
    """Walks a document with its types, each fragment once.

    The schema says what repeats: a field with ``first`` as often as that asks, any other list
    ``UNPAGED_LENGTH`` times.
    """

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    sizes: dict[str, _Size] = field(default_factory=dict)

    def selections(self, node: SelectionSetNode | None, parent: Any, nested: int = 0) -> _Size:
        """Return the size of what is selected on a type."""
        if nested > NESTING_MAX:
            raise TooLarge("levels, counting fragments", NESTING_MAX)
        total = _Size()
        for selection in node.selections if node else ():
            total = total.beside(self._selection(selection, parent, nested))
        return total

    def _selection(self, node: SelectionNode, parent: Any, nested: int) -> _Size:
        own = _Size(directives=len(node.directives or ()))
        if isinstance(node, FieldNode):
            return own.beside(self._field(node, parent, nested))
        if isinstance(node, FragmentSpreadNode):
            inner = self._fragment(node.name.value, nested)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            kind = self.schema.get_type(condition.name.value) if condition else parent
            inner = self.selections(node.selection_set, kind, nested + 1)
        return own.beside(_deeper(inner, levels=0, repeats=1))

    def _field(self, node: FieldNode, parent: Any, nested: int) -> _Size:
        own = _Size(cost=_DEAR.get(node.name.value, 1), aliases=int(node.alias is not None))
        field_type = getattr(parent, "fields", {}).get(node.name.value)
        # where the schema has no such field, validation says so; its depth counts all the same
        kind = None if field_type is None else get_named_type(field_type.type)
        repeats = 1 if field_type is None else self._length(node, field_type)
        inner = self.selections(node.selection_set, kind, nested + 1)
        return own.beside(_deeper(inner, levels=1, repeats=repeats))

    def _fragment(self, name: str, nested: int) -> _Size:
        fragment = self.fragments.get(name)
        if fragment is None:
            return _Size()  # validation says what is wrong with it
        if name not in self.sizes:
            self.sizes[name] = _Size()  # within itself it counts as nothing: validation refuses it
            kind = self.schema.get_type(fragment.type_condition.name.value)
            own = _Size(directives=len(fragment.directives or ()))
            self.sizes[name] = own.beside(self.selections(fragment.selection_set, kind, nested + 1))
        return self.sizes[name]

    def _length(self, node: FieldNode, field_type: GraphQLField) -> int:
        if "first" in field_type.args:
            given = (a.value for a in node.arguments or () if a.name.value == "first")
            return self._number(next(given, None))
        if "ids" in field_type.args:
            return self._ids(next((a.value for a in node.arguments or ()), None))
        inside_page = field_type.args == {} and node.name.value == "edges"  # its connection counts
        is_list = isinstance(get_nullable_type(field_type.type), GraphQLList)
        return UNPAGED_LENGTH if is_list and not inside_page else 1

    def _ids(self, value: Any) -> int:
        given: Any = getattr(value, "values", ())
        if isinstance(value, VariableNode):
            given = self.variables.get(value.name.value)
        if isinstance(given, Sized) and len(given) > PAGE_MAX:
            raise TooLarge("ids", PAGE_MAX)
        return max(1, len(given)) if isinstance(given, Sized) else 1

    def _number(self, value: Any) -> int:
        wanted: Any = PAGE_DEFAULT
        if isinstance(value, IntValueNode):
            wanted = int(value.value) if len(value.value) <= _DIGITS_MAX else PAGE_MAX
        elif isinstance(value, VariableNode):
            wanted = self.variables.get(value.name.value, PAGE_DEFAULT)
        return min(max(wanted, 1), PAGE_MAX) if isinstance(wanted, int) else PAGE_DEFAULT


def measure(schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> int:
    """Return the cost of a document's dearest operation, or raise ``TooLarge``."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) > OPERATIONS_MAX:
        raise TooLarge("operations", OPERATIONS_MAX)
    if _pairs(document) > PAIRS_MAX:
        raise TooLarge("pairs of fields under one name", PAIRS_MAX)
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    measured = _Measure(schema, fragments, variables)
    costs = [0]
    for operation in operations:
        own = _Size(directives=_directives_of(operation))
        root = schema.get_root_type(operation.operation)
        costs.append(own.beside(measured.selections(operation.selection_set, root)).cost)
    return max(costs)


def _pairs(document: DocumentNode) -> int:
    """Return how many pairs of fields answer under one name, wherever they stand."""
    names: Counter[str] = Counter()
    sets = [getattr(definition, "selection_set", None) for definition in document.definitions]
    while sets:
        for node in getattr(sets.pop(), "selections", ()):
            if isinstance(node, FieldNode):
                names[(node.alias or node.name).value] += 1
            sets.append(getattr(node, "selection_set", None))
    return sum(count * (count - 1) // 2 for count in names.values())


def _deeper(inner: _Size, levels: int, repeats: int) -> _Size:
    """Return the size of selections seen from where they are selected."""
    return _Size(
        cost=inner.cost * repeats,
        aliases=inner.aliases,
        directives=inner.directives,
        depth=inner.depth + levels,
        nesting=inner.nesting + 1,
    )


def _directives_of(operation: OperationDefinitionNode) -> int:
    variables = operation.variable_definitions or ()
    return len(operation.directives or ()) + sum(len(v.directives or ()) for v in variables)
