"""Bounds on what one operation may ask, and errors that say no more than they should.

A document is measured before it is validated: characters, tokens, operations, directives, aliases,
depth, and a cost that multiplies by the length of lists. The measures are those of the app's own
documents with room to spare; ``tests/budgets`` holds them against each other.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NameNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    specified_rules,
    validate,
)
from strawberry.extensions import MaxTokensLimiter, ParserCache, SchemaExtension
from strawberry.relay.types import GlobalIDValueError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType as Operation

from backend.infra.unavailable import DatabaseUnavailable
from backend.kernel.invariants import InvariantBroken
from mobile_bff.busy import BUSY, busy_extensions, busy_message
from mobile_bff.connections import BadInput
from mobile_bff.measure import TooLarge, measure

TOKENS_MAX = 1_000
CHARACTERS_MAX = 20_000
"""Characters of a document; the app's own have a tenth."""
MESSAGE_MAX = 500
"""Characters of an error's message; a caller's own text is in it."""
ERRORS_MAX = 10
DOCUMENTS_MAX = 500
"""Documents that are remembered as parsed and as validated."""
_SUGGESTION = re.compile(r" ?Did you mean[^?]*\??")
_VARIABLE = re.compile(
    r"Variable '\$\w+' (?:(?:got|has) invalid value|of (?:required|non-null) type)"
)
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
_RULES_WITHOUT_INTROSPECTION = (*_RULES, NoSchemaIntrospectionCustomRule)
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


class CachedParsing(ParserCache):
    """Remembers parsed documents, and reads none that may not run."""

    execution_context: ExecutionContext

    def on_parse(self) -> Iterator[None]:
        """Parse, or find the parsed document; a syntax error the library answers in its order."""
        execution = self.execution_context
        if _refusal_of_text(execution) is not None:
            execution.graphql_document = _unread(execution.operation_name)
            yield
            return
        execution.query = execution.context.documents.runnable(execution.query)
        with contextlib.suppress(GraphQLSyntaxError):
            execution.graphql_document = self.cached_parse_document(
                execution.query, **execution.parse_options
            )
        yield


@lru_cache(maxsize=DOCUMENTS_MAX)
def _validated(
    schema: GraphQLSchema, document: DocumentNode, rules: tuple[type[ASTValidationRule], ...]
) -> tuple[GraphQLError, ...]:
    """Return the first errors of a document: each costs the printing of what it is about."""
    return tuple(validate(schema, document, rules, max_errors=ERRORS_MAX, hide_suggestions=True))


class BoundedValidation(SchemaExtension):
    """Refuses what is too large and what may not run, then validates, or finds what was validated."""

    execution_context: ExecutionContext

    def on_validate(self) -> Iterator[None]:
        """Check the bounds first: a document that passes them can be validated at little cost."""
        execution = self.execution_context
        refusal = self._refusal(execution)
        if refusal is not None:
            execution.pre_execution_errors = [refusal]
        elif execution.graphql_document is not None:
            rules = _RULES if execution.context.introspection else _RULES_WITHOUT_INTROSPECTION
            schema = execution.schema._schema
            errors = _validated(schema, execution.graphql_document, rules)
            execution.pre_execution_errors = list(errors)
        yield

    def _refusal(self, execution: ExecutionContext) -> GraphQLError | None:
        refusal = _refusal_of_text(execution)
        document, variables = execution.graphql_document, execution.variables or {}
        if refusal is not None or document is None:
            return refusal
        if not isinstance(variables, dict):
            return BadInput("variables are an object: names and their values")
        on_a_socket = execution.context.connection_params is not None
        if execution.operation_type is Operation.SUBSCRIPTION and not on_a_socket:
            return GraphQLError(
                "a subscription runs on a WebSocket, with the protocol graphql-transport-ws",
                extensions={"code": "GRAPHQL_VALIDATION_FAILED"},
            )
        try:
            measure(execution.schema._schema, document, variables)
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
        message = _bounded(error.message)
        if code not in PUBLIC_CODES:
            code = "INTERNAL_SERVER_ERROR"
            request_id = self.execution_context.context.request_id
            if not (error.extensions or {}).get("logged"):
                _log.error("request %s failed", request_id, exc_info=error.original_error or error)
            message = f"系统内部错误 Internal error; quote request {request_id}"
            return _rebuilt(error, message, {"code": code, "logged": True})
        extensions = {k: v for k, v in (error.extensions or {}).items() if k != "logged"}
        return _rebuilt(error, message, {**extensions, "code": code})


def _code_of(error: GraphQLError) -> str:
    original = error.original_error
    if isinstance(error, GraphQLSyntaxError) or isinstance(original, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    if isinstance(original, GlobalIDValueError) or _VARIABLE.match(error.message[:MESSAGE_MAX]):
        return "BAD_USER_INPUT"
    if isinstance(original, GraphQLError) and original.nodes:  # a variable's null, as an argument
        return "BAD_USER_INPUT"
    callers = original is None or isinstance(original, GraphQLError | ValueError | TypeError)
    if error.path or isinstance(original, InvariantBroken) or not callers:
        return "INTERNAL_SERVER_ERROR"
    return "GRAPHQL_VALIDATION_FAILED"


def _bounded(message: str) -> str:
    """Return a message without suggestions, cut before any pattern sees it."""
    cut = message if len(message) <= MESSAGE_MAX else f"{message[:MESSAGE_MAX]}…"
    return _SUGGESTION.sub("", cut)


def _refusal_of_text(execution: ExecutionContext) -> GraphQLError | None:
    """Return why a document is not even read, or nothing."""
    text: Any = execution.query
    if not isinstance(text, str):
        return BadInput("a document is text")
    if len(text) > CHARACTERS_MAX:
        return TooLarge("characters", CHARACTERS_MAX)
    if execution.context.documents.runnable(text) is None:
        return GraphQLError(
            "only documents of the app run here",
            extensions={"code": "PERSISTED_QUERY_NOT_FOUND"},
        )
    return None


def _unread(operation_name: str | None) -> DocumentNode:
    """Return what stands for a document that nobody reads, under the name that the caller gave."""
    typename = FieldNode(name=NameNode(value="__typename"))
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=None if operation_name is None else NameNode(value=operation_name),
        selection_set=SelectionSetNode(selections=(typename,)),
    )
    return DocumentNode(definitions=(operation,))


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
    lambda: CachedParsing(maxsize=DOCUMENTS_MAX),
    BoundedValidation,
]
