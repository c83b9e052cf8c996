"""Bounds on what one operation may ask, and errors that say no more than they should.

A document is measured before it is validated: tokens, operations, directives, aliases, depth, and a
cost that multiplies by the length of lists. The measures are those of the app's own documents with
room to spare; ``tests/budgets`` holds them against each other.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field, replace
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
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)
from strawberry.extensions import MaxTokensLimiter, ParserCache, SchemaExtension, ValidationCache
from strawberry.relay.types import GlobalIDValueError
from strawberry.types.execution import ExecutionContext

from backend.infra.unavailable import DatabaseUnavailable
from backend.kernel.invariants import InvariantBroken
from mobile_bff.busy import BUSY, busy_extensions, busy_message
from mobile_bff.connections import PAGE_DEFAULT, PAGE_MAX

TOKENS_MAX = 2_000
OPERATIONS_MAX = 5
DIRECTIVES_MAX = 9
FRAGMENTS_MAX = 60
REPETITIONS_MAX = 12
"""Of one field at one place of the answer: validation compares each with each."""
SPREADS_MAX = 100
"""Fragments that one operation may unfold, each as often as it is spread: nesting doubles them."""
ALIASES_MAX = 15
DEPTH_MAX = 15
COST_MAX = 20_000
UNPAGED_LENGTH = 5
ERRORS_MAX = 10
MESSAGE_CHARACTERS_MAX = 400
"""Of an error: libraries put the caller's whole text into it."""
_SUGGESTION = "Did you mean "
"""What begins a hint of the library; nothing follows the hint."""
_VARIABLE = re.compile(
    r"Variable '\$\w+' (?:(?:got|has) invalid value|of (?:required|non-null) type)"
)
_DIGITS_READ = 10
_DEAR = {"qrSvg": 20, "qrPngBase64": 20}
_log = logging.getLogger("yibao.graphql")
PUBLIC_CODES = {
    "BAD_USER_INPUT",
    "FORBIDDEN",
    "UNAUTHENTICATED",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_TOO_LARGE",
    "PERSISTED_QUERY_NOT_FOUND",
    BUSY,
}


class TooLarge(GraphQLError):
    """An operation asks for more than any screen of the app needs."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"the operation has too many {what}; at most {limit} are allowed",
            extensions={"code": "OPERATION_TOO_LARGE"},
        )


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where in an operation a selection stands: its type, its levels, how often lists repeat it."""

    kind: Any
    path: str
    depth: int = 1
    weight: int = 1


@dataclass
class _Measure:
    """Walks a document with its types, expanding fragments, and stops at the first bound passed.

    The schema says what repeats: a field with ``first`` as often as that asks, any other list
    ``UNPAGED_LENGTH`` times. Every step counts towards a bound, so the walk itself is short.
    """

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    aliases: int = 0
    directives: int = 0
    spreads: int = 0
    cost: int = 0
    open_fragments: set[str] = field(default_factory=set)
    used_fragments: set[str] = field(default_factory=set)
    names: Counter[str] = field(default_factory=Counter)

    def walk(self, selections: SelectionSetNode | None, place: _Place) -> None:
        if selections is None:
            return
        if place.depth > DEPTH_MAX:
            raise TooLarge("levels", DEPTH_MAX)
        for node in selections.selections:
            self.directives += len(node.directives or ())
            if self.directives > DIRECTIVES_MAX:
                raise TooLarge("directives", DIRECTIVES_MAX)
            if isinstance(node, FieldNode):
                self._field(node, place)
            elif isinstance(node, FragmentSpreadNode):
                self._spread(node.name.value, place)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else place.kind
                self.walk(node.selection_set, replace(place, kind=inner))

    def _field(self, node: FieldNode, place: _Place) -> None:
        name = node.name.value
        self.aliases += node.alias is not None
        if self.aliases > ALIASES_MAX:
            raise TooLarge("aliases", ALIASES_MAX)
        path = f"{place.path}.{node.alias.value if node.alias else name}"
        self.names[path] += 1
        if self.names[path] > REPETITIONS_MAX:
            raise TooLarge("repetitions of one field", REPETITIONS_MAX)
        self.cost += place.weight * _DEAR.get(name, 1)
        if self.cost > COST_MAX:
            raise TooLarge("fields, counting those of lists as often as they repeat", COST_MAX)
        definition = getattr(place.kind, "fields", {}).get(name)
        kind, weight = None, place.weight  # of an unknown field validation says what is wrong
        if definition is not None:
            kind = get_named_type(definition.type)
            weight *= self._length(node, definition)
        inner = _Place(kind=kind, path=path, depth=place.depth + 1, weight=weight)
        self.walk(node.selection_set, inner)

    def _spread(self, name: str, place: _Place) -> None:
        fragment = self.fragments.get(name)
        if fragment is None or name in self.open_fragments:
            return  # validation says what is wrong with it
        self.spreads += 1
        if self.spreads > SPREADS_MAX:
            raise TooLarge("fragment spreads, counting those inside fragments", SPREADS_MAX)
        self.open_fragments.add(name)
        self.used_fragments.add(name)
        kind = self.schema.get_type(fragment.type_condition.name.value)
        self.walk(fragment.selection_set, replace(place, kind=kind))
        self.open_fragments.discard(name)

    def _length(self, node: FieldNode, known: GraphQLField) -> int:
        if "first" in known.args:
            given = (a.value for a in node.arguments or () if a.name.value == "first")
            return self._number(next(given, None))
        if "ids" in known.args:
            return self._ids(next((a.value for a in node.arguments or ()), None))
        inside_page = known.args == {} and node.name.value == "edges"  # counted by its connection
        is_list = isinstance(get_nullable_type(known.type), GraphQLList)
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
            wanted = int(value.value[:_DIGITS_READ])  # more digits are refused by their type
        elif isinstance(value, VariableNode):
            wanted = self.variables.get(value.name.value, PAGE_DEFAULT)
        return min(max(wanted, 1), PAGE_MAX) if isinstance(wanted, int) else PAGE_DEFAULT


class CachedParsing(ParserCache):
    """Remembers parsed documents. A syntax error is left to the library, which answers it in order."""

    def on_parse(self) -> Iterator[None]:
        """Parse, or find the parsed document."""
        execution = self.execution_context
        with contextlib.suppress(GraphQLSyntaxError):
            execution.graphql_document = self.cached_parse_document(
                execution.query, **execution.parse_options
            )
        yield


class BoundedValidation(ValidationCache):
    """Refuses what is too large and what may not run, then validates, or finds what was validated."""

    execution_context: ExecutionContext

    def on_validate(self) -> Iterator[None]:
        """Check the bounds first: a document that passes them can be validated at little cost."""
        execution = self.execution_context
        refusal = self._refusal(execution)
        if refusal is not None:
            execution.pre_execution_errors = [refusal]
            yield
            return
        if not execution.context.introspection:
            execution.validation_rules = (
                *execution.validation_rules,
                NoSchemaIntrospectionCustomRule,
            )
        yield from super().on_validate()

    def _refusal(self, execution: ExecutionContext) -> GraphQLError | None:
        if not execution.context.documents.may_run(execution.query or ""):
            return GraphQLError(
                "only documents of the app run here",
                extensions={"code": "PERSISTED_QUERY_NOT_FOUND"},
            )
        try:
            if execution.graphql_document is not None:
                schema = execution.schema._schema
                measure(schema, execution.graphql_document, execution.variables or {})
        except TooLarge as error:
            return error
        return None


class CodedErrors(SchemaExtension):
    """Gives every error a code, strips suggestions, and masks whatever is a fault of ours."""

    execution_context: ExecutionContext

    def on_operation(self) -> Iterator[None]:
        """After the operation: rewrite its errors in place."""
        yield
        execution = self.execution_context
        for errors in (execution.pre_execution_errors, getattr(execution.result, "errors", None)):
            if errors:
                errors[:] = [self._coded(error) for error in errors[:ERRORS_MAX]]

    def on_stream_result(self, result: Any) -> Iterator[None]:
        """Before a live event leaves: the same."""
        if getattr(result, "errors", None):
            result.errors[:] = [self._coded(error) for error in result.errors[:ERRORS_MAX]]
        yield

    def _coded(self, error: GraphQLError) -> GraphQLError:
        if isinstance(error.original_error, DatabaseUnavailable):
            locale = self.execution_context.context.locale
            return _rebuilt(error, busy_message(locale), busy_extensions(locale))
        code = (error.extensions or {}).get("code") or _code_of(error)
        message = bounded_message(error.message)
        if code not in PUBLIC_CODES:
            code = "INTERNAL_SERVER_ERROR"
            request_id = self.execution_context.context.request_id
            if not (error.extensions or {}).get("logged"):
                _log.error("request %s failed", request_id, exc_info=error.original_error or error)
            message = f"系统内部错误 Internal error; quote request {request_id}"
            return _rebuilt(error, message, {"code": code, "logged": True})
        extensions = {k: v for k, v in (error.extensions or {}).items() if k != "logged"}
        return _rebuilt(error, message, {**extensions, "code": code})


def measure(schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> int:
    """Return the cost of a document's dearest operation, or raise ``TooLarge``."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) > OPERATIONS_MAX:
        raise TooLarge("operations", OPERATIONS_MAX)
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    if len(fragments) > FRAGMENTS_MAX:
        raise TooLarge("fragments", FRAGMENTS_MAX)
    costs, used = [0], set[str]()
    for operation in operations:
        directives = len(operation.directives or ())
        measured = _Measure(schema, fragments, variables, directives=directives)
        root = schema.get_root_type(operation.operation)
        measured.walk(operation.selection_set, _Place(kind=root, path=""))
        costs.append(measured.cost)
        used |= measured.used_fragments
    for name in (
        fragments.keys() - used
    ):  # nothing runs them, but validation reads them all the same
        unused = fragments[name]
        kind = schema.get_type(unused.type_condition.name.value)
        _Measure(schema, fragments, variables).walk(
            unused.selection_set, _Place(kind=kind, path="")
        )
    return max(costs)


def bounded_message(message: str) -> str:
    """Return an error's message without the library's hint and without most of a long caller's text.

    It is cut before anything searches it, so the time that it takes does not grow with the text.
    """
    if len(message) > MESSAGE_CHARACTERS_MAX:
        message = message[:MESSAGE_CHARACTERS_MAX] + "…"
    return message.partition(_SUGGESTION)[0].rstrip()


def _code_of(error: GraphQLError) -> str:
    original = error.original_error
    if isinstance(error, GraphQLSyntaxError) or isinstance(original, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    if isinstance(original, GlobalIDValueError) or _VARIABLE.match(
        error.message[:MESSAGE_CHARACTERS_MAX]
    ):
        return "BAD_USER_INPUT"
    callers = original is None or isinstance(original, GraphQLError | ValueError | TypeError)
    if error.path or isinstance(original, InvariantBroken) or not callers:
        return "INTERNAL_SERVER_ERROR"
    return "GRAPHQL_VALIDATION_FAILED"


def _rebuilt(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        original_error=error.original_error if isinstance(error, GraphQLSyntaxError) else None,
        extensions=extensions,
    )


EXTENSIONS: list[Any] = [
    CodedErrors,
    lambda: MaxTokensLimiter(max_token_count=TOKENS_MAX),
    lambda: CachedParsing(maxsize=500),
    lambda: BoundedValidation(maxsize=500),
]
