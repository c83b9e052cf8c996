"""What a request costs before anything is executed, and what an error says at most.

Work is measured in the thread's own time, which no busy machine changes; each bound is several times
what the work takes, and a fraction of what it took where it grew faster than the text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLError, parse, print_ast, strip_ignored_characters

from backend.infra.clock import SystemIds
from backend.kernel.errors import Locale
from mobile_bff import documents
from mobile_bff.civil_register import CivilRegister
from mobile_bff.context import Context
from mobile_bff.limits import CHARACTERS_MAX, MESSAGE_MAX, TOKENS_MAX
from mobile_bff.measure import DIRECTIVES_MAX, NESTING_MAX, TooLarge, measure
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.schema import make_schema
from mobile_bff.trusted import Documents, digest, load_documents

SCHEMA = make_schema()
SECONDS_MAX = 0.5
BODY = 62_000


def run(
    document: Any, variables: Any = None, *, only_own: bool = False, params: Any = None
) -> tuple[list[GraphQLError], float]:
    """Return the errors of an operation for nobody, and the seconds of work that it took."""
    context = Context(
        door=None,  # type: ignore[arg-type]
        feed=None,  # type: ignore[arg-type]
        locale=Locale.ZH,
        address="here",
        request_id="r",
        claims=None,
        documents=load_documents(only_own),
        register=CivilRegister("http://127.0.0.1:9", "", SystemIds()),
        national=NationalPlatform("http://127.0.0.1:9", ""),
        connection_params=params,
    )
    started = time.thread_time()
    executed = SCHEMA.execute(document, variable_values=variables, context_value=context)
    errors = asyncio.run(executed).errors or []
    return errors, time.thread_time() - started


def codes(errors: list[GraphQLError]) -> set[str]:
    return {str((error.extensions or {}).get("code")) for error in errors}


def many(text: Callable[[int], str], around: str = "{@}") -> str:
    """Return a document with as many parts as the bounds on characters and tokens leave room for."""
    parts: list[str] = []
    tokens = characters = 0
    while True:
        part = text(len(parts))
        tokens += len(part.replace("{", " { ").replace("}", " } ").replace(":", " : ").split()) + 2
        characters += len(part) + 1
        if tokens > TOKENS_MAX * 0.6 or characters > CHARACTERS_MAX * 0.9:
            return around.replace("@", " ".join(parts))
        parts.append(part)


# -- messages -------------------------------------------------------------------------------------

_SCALARS = {
    "Date": "query($v: Date) { publicServices { catalogueItems(text: \"x\", on: $v) { code } } }",
    "Time": "mutation($v: Time!) { setBookingRules(input: {requestId: \"r\", releaseAt: $v, "
    "horizonDays: 7, onePer: DOCTOR, payFirst: false, cancelOrdinary: {}, cancelExpert: {}}) "
    "{ __typename } }",
    "DateTime": "query($v: DateTime) { publicServices { findInstitutions(input: {openAt: $v}) "
    "{ metres } } }",
    "ID": "query($v: ID!) { node(id: $v) { id } }",
    "Int": "query($v: Int) { notices(first: $v) { edges { cursor } } }",
    "Boolean": "query($v: Boolean!) { __typename @skip(if: $v) }",
    "String": "query($v: String!) { publicServices { institution(code: $v) { id } } }",
    "InstitutionKind": "query($v: InstitutionKind!) { publicServices "
    "{ institutions(divisionCode: \"5\", kind: $v) { id } } }",
    "Fen": "query($v: Fen!) { personalRights { estimate(input: {care: OUTPATIENT, inScope: $v, "
    "options: []}) { refusal } } }",
    "FindInstitutionsInput": "query($v: FindInstitutionsInput!) { publicServices "
    "{ findInstitutions(input: $v) { metres } } }",
}  # fmt: skip
_TEXTS = {
    "spaces": " " * BODY,
    "suggestions": "Did you mean " * (BODY // 13),
    "questions": "Did you mean ?" * (BODY // 14),
    "brackets": "(" * BODY,
    "unknown": {f"a{number}": 1 for number in range(BODY // 9)},
    "list": ["x"] * (BODY // 4),
    "objects": [{}] * (BODY // 3),
}
_INVALID = [
    (kind, value)
    for kind in sorted(_SCALARS)
    for value in sorted(_TEXTS)
    if not (kind in ("ID", "String") and isinstance(_TEXTS[value], str))  # any text is one
]


@pytest.mark.parametrize(("kind", "value"), _INVALID)
def test_no_value_makes_a_message_dear(kind: str, value: str) -> None:
    errors, seconds = run(_SCALARS[kind], {"v": _TEXTS[value]})
    assert codes(errors) == {"BAD_USER_INPUT"}
    assert len(errors) <= 10
    assert all(len(error.message) <= MESSAGE_MAX + 1 for error in errors)
    assert not any("Did you mean" in error.message for error in errors)
    assert seconds < SECONDS_MAX


@pytest.mark.parametrize("kind", ["Date", "Time", "DateTime"])
def test_a_scalar_does_not_repeat_the_callers_text(kind: str) -> None:
    [error], _ = run(_SCALARS[kind], {"v": "marked"})
    assert "marked" not in error.message.partition("found: ")[0]


# -- documents ------------------------------------------------------------------------------------

_CHAIN = "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(100))
_DOUBLING = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(24))
DOCUMENTS = {
    "fields of one name": many(lambda n: "appModules{title}"),
    "fields of one name with arguments": many(lambda n: f'node(id:"{n}"){{id}}'),
    "leaves of one name": many(lambda n: "title", "{appModules{@}}"),
    "inline fragments": many(lambda n: "...on Query{viewer{...on Person{id maskedName}}}"),
    "many fragments": many(lambda n: f"...F{n}")
    + many(lambda n: f"fragment F{n} on Query{{viewer{{id}}}}", "@"),
    "unknown arguments": many(lambda n: f"a{n}:1", "{node(@){id}}"),
    "keys of one name": many(
        lambda n: "a:1", "mutation{issueCode(input:{@}){__typename}}"
    ),
    "unknown keys": many(lambda n: f"a{n}:1", "mutation{issueCode(input:{@}){__typename}}"),
    "variables": many(lambda n: f"$v{n}:X{n}", "query(@){__typename}"),
    "directives of arguments": many(lambda n: f"a{n}:true", "{__typename @skip(@)}".replace("@s", "\1s"))
    .replace("\1", "@"),
    "one spread again and again": many(lambda n: "...F") + " fragment F on Query{viewer{id}}",
    "unknown spreads": many(lambda n: f"...F{n}"),
    "fragments in a chain": "{...F0} " + _CHAIN + "fragment F100 on Query { __typename }",
    "fragments twice in each other": "{...F0} " + _DOUBLING + "fragment F24 on Query { __typename }",
    "fragments twice in each other, of nothing": "{...F0} " + _DOUBLING,
    "unused fragments twice in each other": "{__typename} " + _DOUBLING
    + "fragment F24 on Query { __typename }",
    "a circle of fragments": "{...F0} " + _DOUBLING + "fragment F24 on Query { ...F0 ...F1 }",
    "a long name": "{" + "a" * (CHARACTERS_MAX - 10) + "}",
    "a long number": "{notices(first:" + "9" * (CHARACTERS_MAX - 60) + "){edges{cursor}}}",
    "a long text": '{node(id:"' + "x" * (CHARACTERS_MAX - 60) + '"){id}}',
    "a long block": '{node(id:"""' + " \n" * (CHARACTERS_MAX // 2 - 60) + '"""){id}}',
    "lists in lists": "{nodes(ids:" + "[" * 300 + "]" * 300 + "){id}}",
    "objects in objects": "{nodes(ids:" + "{a:" * 180 + "1" + "}" * 180 + "){id}}",
    "spaces": "{__typename" + " " * BODY + "}",
    "names without end": "{" + "a " * (BODY // 2) + "}",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@pytest.mark.parametrize("only_own", [True, False], ids=["production", "development"])
def test_no_document_is_dear_before_it_is_executed(name: str, *, only_own: bool) -> None:
    errors, seconds = run(DOCUMENTS[name], only_own=only_own)
    assert seconds < (0.1 if only_own else SECONDS_MAX)
    assert len(errors) <= 10
    assert all(len(error.message) <= MESSAGE_MAX + 1 for error in errors)
    expected = {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "OPERATION_TOO_LARGE"}
    assert codes(errors) <= {*expected, "BAD_USER_INPUT", "PERSISTED_QUERY_NOT_FOUND"}
    if only_own:
        assert codes(errors) <= {"PERSISTED_QUERY_NOT_FOUND", "OPERATION_TOO_LARGE"}
        assert errors


def test_a_fragment_is_measured_once_and_counted_as_often_as_it_is_spread() -> None:
    schema = SCHEMA._schema
    for levels, cost in ((0, 1), (1, 2), (5, 32), (14, 16_384)):
        spreads = "".join(
            f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(levels)
        )
        whole = parse(f"{{...F0}} {spreads} fragment F{levels} on Query {{ __typename }}")
        assert measure(schema, whole, {}) == cost
    with pytest.raises(TooLarge, match="fields, counting"):
        measure(schema, parse(DOCUMENTS["fragments twice in each other"]), {})
    assert measure(schema, parse(DOCUMENTS["fragments twice in each other, of nothing"]), {}) == 0


def test_lists_within_a_fragment_count_where_it_is_spread() -> None:
    fragment = " fragment Page on NoticeConnection { edges { node { title } } }"
    text = "{ a: notices(first: 10) { ...Page } b: notices(first: 2) { ...Page } }"
    assert measure(SCHEMA._schema, parse(text + fragment), {}) == 2 + (10 + 2) * 3


@pytest.mark.parametrize("levels", [NESTING_MAX - 1, NESTING_MAX + 1])
def test_selections_within_selections_have_an_end(levels: int) -> None:
    document = parse("{" + "...{" * levels + "__typename" + "}" * levels + "}")
    if levels < NESTING_MAX:
        assert measure(SCHEMA._schema, document, {}) == 1
        return
    with pytest.raises(TooLarge, match="counting fragments"):
        measure(SCHEMA._schema, document, {})


@pytest.mark.parametrize(
    "document",
    [
        "query { __typename @ }",
        "query @ { __typename }",
        "query($v: Int @) { notices(first: $v) { edges { cursor } } }",
        "{ ... @ { __typename } }",
        "{ ...F @ } fragment F on Query { __typename }",
        "{ ...F } fragment F on Query @ { __typename }",
    ],
)
def test_nine_directives_pass_and_ten_do_not(document: str) -> None:
    for count in (DIRECTIVES_MAX, DIRECTIVES_MAX + 1):
        errors, _ = run(document.replace("@", "@unknown " * count))
        refused = codes(errors) == {"OPERATION_TOO_LARGE"}
        assert refused == (count == 10), errors


def test_a_subscription_over_http_is_told_where_it_runs() -> None:
    errors, _ = run("subscription { happenings { about } }")
    assert codes(errors) == {"GRAPHQL_VALIDATION_FAILED"}
    assert "graphql-transport-ws" in errors[0].message


@pytest.mark.parametrize("document", [5, ["x"], {"a": 1}])
def test_a_document_that_is_no_text(document: Any) -> None:
    assert codes(run(document)[0]) == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("variables", [[1], "x", 5])
def test_variables_that_are_no_object(variables: Any) -> None:
    assert codes(run("{ __typename }", variables)[0]) == {"BAD_USER_INPUT"}


# -- documents that are printed anew --------------------------------------------------------------


def _commented(text: str) -> str:
    return "# a comment\n" + text.replace("{", "{ # and another }\n,,")


@pytest.mark.parametrize(
    "printed",
    [lambda text: print_ast(parse(text)), strip_ignored_characters, _commented],
    ids=["printed", "stripped", "commented"],
)
def test_a_document_is_recognised_however_it_is_printed(printed: Callable[[str], str]) -> None:
    known = load_documents(only_own=True)
    for name in documents.names():
        own = documents.document(name)
        anew = printed(own)
        assert anew != own
        assert known.runnable(anew) == own
        assert known.is_hash_of(digest(own), anew)
        assert known.is_hash_of(digest(anew), anew)


def test_what_says_something_else_is_not_recognised() -> None:
    known = load_documents(only_own=True)
    own = documents.document("MyRights")
    others = [
        own.replace("query MyRights", "query MyRights2"),
        own.replace("{", "{ __typename ", 1),
        own + " fragment More on Person { id }",
        own.replace("person {", "person: person {", 1),
        "",
        "{",
        "\ud800",
        own + "#" * 10_000,
    ]
    for other in others:
        assert other != own
        assert known.runnable(other) is None, other
        assert not known.is_hash_of(digest(own), other)


def test_development_runs_what_a_client_sends() -> None:
    known = Documents({}, only_own=False)
    assert known.runnable("{ __typename }") == "{ __typename }"
