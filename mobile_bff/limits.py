"""Bounds on what one operation may ask, and errors that say no more than they should.

A document is measured before it is validated: tokens, operations, directives, aliases, depth, and a
cost that multiplies by the length of lists. The measures are those of the app's own documents with
room to spare; ``tests/budgets`` holds them against each other.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sized
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
DIRECTIVES_MAX = 20
ALIASES_MAX = 15
DEPTH_MAX = 15
COST_MAX = 20_000
UNPAGED_LENGTH = 5
ERRORS_MAX = 10
_SUGGESTION = re.compile(r"\s*Did you mean [^?]*\?")
_VARIABLE = re.compile(
    r"Variable '\$\w+' (?:(?:got|has) invalid value|of (?:required|non-null) type)"
)
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


@dataclass
class _Measure:
    """Walks a document with its types, expanding fragments, and stops at the first bound passed.

    The schema says what repeats: a field with ``first`` as often as that asks, any other list
    ``UNPAGED_LENGTH`` times.
    """

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    aliases: int = 0
    directives: int = 0
    cost: int = 0
    open_fragments: set[str] = field(default_factory=set)

    def walk(
        self, selections: SelectionSetNode | None, parent: Any, depth: int = 1, weight: int = 1
    ) -> None:
        if selections is None:
            return
        if depth > DEPTH_MAX:
            raise TooLarge("levels", DEPTH_MAX)
        for node in selections.selections:
            self.directives += len(node.directives or ())
            if self.directives > DIRECTIVES_MAX:
                raise TooLarge("directives", DIRECTIVES_MAX)
            if isinstance(node, FieldNode):
                self._field(node, parent, depth, weight)
            elif isinstance(node, FragmentSpreadNode):
                self._spread(node.name.value, depth, weight)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else parent
                self.walk(node.selection_set, inner, depth, weight)

    def _field(self, node: FieldNode, parent: Any, depth: int, weight: int) -> None:
        self.aliases += node.alias is not None
        if self.aliases > ALIASES_MAX:
            raise TooLarge("aliases", ALIASES_MAX)
        self.cost += weight * _DEAR.get(node.name.value, 1)
        if self.cost > COST_MAX:
            raise TooLarge("fields, counting those of lists as often as they repeat", COST_MAX)
        known = getattr(parent, "fields", {}).get(node.name.value)
        if known is None:  # validation says what is wrong with it; its depth counts all the same
            self.walk(node.selection_set, None, depth + 1, weight)
            return
        repeats = weight * self._length(node, known)
        self.walk(node.selection_set, get_named_type(known.type), depth + 1, repeats)

    def _spread(self, name: str, depth: int, weight: int) -> None:
        fragment = self.fragments.get(name)
        if fragment is None or name in self.open_fragments:
            return  # validation says what is wrong with it
        self.open_fragments.add(name)
        kind = self.schema.get_type(fragment.type_condition.name.value)
        self.walk(fragment.selection_set, kind, depth, weight)
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
            wanted = int(value.value)
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
        message = _SUGGESTION.sub("", error.message)
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
    costs = [0]
    for operation in operations:
        directives = len(operation.directives or ())
        measured = _Measure(schema, fragments, variables, directives=directives)
        measured.walk(operation.selection_set, schema.get_root_type(operation.operation))
        costs.append(measured.cost)
    return max(costs)


def _code_of(error: GraphQLError) -> str:
    original = error.original_error
    if isinstance(error, GraphQLSyntaxError) or isinstance(original, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    if isinstance(original, GlobalIDValueError) or _VARIABLE.match(error.message):
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
