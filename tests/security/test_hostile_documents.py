"""Documents and texts made to cost more than they weigh: refused at once, by a code, within linear time."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
import time
from types import ModuleType
from typing import Any

import pytest
import strawberry

import backend
import mobile_bff
from backend.infra.clock import SystemIds
from backend.kernel.errors import Locale
from mobile_bff import documents
from mobile_bff.civil_register import CivilRegister
from mobile_bff.context import Context
from mobile_bff.desk.schema import make_desk_schema
from mobile_bff.limits import MESSAGE_MAX, _bounded
from mobile_bff.measure import DIRECTIVES_MAX
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.schema import make_schema
from mobile_bff.trusted import load_documents

SECONDS_MAX = 1.0
"""Of processor time; each of these took from 3 to 30 seconds when it was unbounded."""
BODY_CHARACTERS = 62_000
APP, DESK = make_schema(), make_desk_schema()
OURS = load_documents(only_own=True)
ANY = load_documents(only_own=False)
CATALOGUE = documents.document("CatalogueItems")


def answered(
    document: str,
    variables: dict[str, Any] | None = None,
    only_own: bool = False,
    schema: strawberry.Schema = APP,
) -> list[tuple[str, str]]:
    """Return the codes and messages of an anonymous caller's answer, which must come in time."""
    context = Context(
        door=None,  # type: ignore[arg-type]  # none of these gets as far
        feed=None,  # type: ignore[arg-type]
        locale=Locale.ZH,
        address="192.0.2.1",
        request_id="r",
        claims=None,
        documents=OURS if only_own else ANY,
        register=CivilRegister("http://127.0.0.1:9", "", SystemIds()),
        national=NationalPlatform("http://127.0.0.1:9", ""),
    )
    began = time.process_time()
    result = asyncio.run(schema.execute(document, variable_values=variables, context_value=context))
    assert time.process_time() - began < SECONDS_MAX
    return [(str((e.extensions or {}).get("code")), e.message) for e in result.errors or []]


def doubling(levels: int) -> str:
    """Return a document in which each fragment spreads the next one twice."""
    fragments = [
        f"fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}"
        for level in range(levels)
    ]
    return " ".join(["{ ...F0 }", *fragments, f"fragment F{levels} on Query {{ __typename }}"])


@pytest.mark.parametrize(
    "text",
    [" " * BODY_CHARACTERS, "Did you mean " * (BODY_CHARACTERS // 13)],
    ids=["blanks", "hints"],
)
def test_a_long_text_in_a_variable_costs_nothing_and_is_not_repeated(text: str) -> None:
    [(code, message)] = answered(CATALOGUE, {"text": "x", "on": text}, only_own=True)
    assert code == "BAD_USER_INPUT"
    assert len(message) <= MESSAGE_MAX + 1


def test_a_message_is_cut_before_it_is_searched_and_keeps_no_hint() -> None:
    hint = "Cannot query field 'modul'. Did you mean 'modules' or 'module'?"
    assert _bounded(hint) == "Cannot query field 'modul'."
    assert _bounded("short") == "short"
    assert _bounded("x" * 10_000) == "x" * MESSAGE_MAX + "…"


def test_some_nesting_of_spreads_is_answered() -> None:
    assert answered(doubling(3)) == []


@pytest.mark.parametrize("levels", [22, 38, 50])
def test_nested_spreads_are_measured_not_unfolded(levels: int) -> None:
    [(code, _)] = answered(doubling(levels))
    assert code == "OPERATION_TOO_LARGE"


@pytest.mark.parametrize(
    "document",
    [
        "{ " + "__typename " * 990 + "}",
        "{ " + "appModules { title } " * 240 + "}",
        "{ " + "... on Query { appModules { title } } " * 110 + "}",
        "{ __typename } fragment F on Query { " + "aaa " * 980 + "}",
        "{ __typename " + "@skip(if: false) " * (DIRECTIVES_MAX + 1) + "}",
    ],
    ids=["one field", "with fields", "inline", "an unused fragment", "directives"],
)
def test_what_validation_would_compare_each_with_each_is_bounded(document: str) -> None:
    for schema in (APP, DESK):
        [(code, _)] = answered(document, schema=schema)
        assert code == "OPERATION_TOO_LARGE"


def test_fragments_that_nothing_spreads_take_no_longer() -> None:
    unused = " ".join(f"fragment F{number} on Query {{ __typename }}" for number in range(120))
    [(code, _)] = answered(f"{{ __typename }} {unused}")
    assert code == "OPERATION_TOO_LARGE"


@pytest.mark.parametrize("digits", ["9" * 5_000, "-" + "9" * 60_000])
def test_a_number_of_thousands_of_digits_is_the_callers_fault(digits: str) -> None:
    [(code, message)] = answered(
        f"{{ personalRights {{ settlements(first: {digits}) {{ pageInfo {{ hasNextPage }} }} }} }}"
    )
    assert code in ("GRAPHQL_VALIDATION_FAILED", "OPERATION_TOO_LARGE")
    assert len(message) <= MESSAGE_MAX + 1


def test_directives_that_the_known_attack_tools_send_are_refused() -> None:
    assert DIRECTIVES_MAX == 9


def _modules() -> list[ModuleType]:
    return [
        importlib.import_module(module.name)
        for package in (backend, mobile_bff)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if ".migrations." not in module.name and not module.name.endswith("__main__")
    ]


def _patterns() -> list[tuple[str, re.Pattern[Any]]]:
    return sorted(
        {
            (f"{module.__name__}.{name}", value)
            for module in _modules()
            for name, value in vars(module).items()
            if isinstance(value, re.Pattern)
        },
        key=lambda named: named[0],
    )


ATOMS = (
    " ",
    "a",
    "A",
    "中",
    "1",
    ".",
    "·",
    "a·",
    "(",
    "（",
    "x ",
    "1.",
    "/",
    "/J",
    "...",
    "-",
    "$a ",
    "\t",
    '"',
    "=",
)
"""What the patterns look for, alone and in turn; repeated they are the worst texts for them."""


def _worst_seconds(pattern: re.Pattern[Any], length: int) -> float:
    worst = 0.0
    for atom in ATOMS:
        repeated = (atom * length)[:length] + "\0"
        text: Any = repeated.encode() if isinstance(pattern.pattern, bytes) else repeated
        began = time.process_time()
        pattern.match(text)
        if not str(pattern.pattern).endswith((r"\Z", r"\Z'")):  # those are only ever matched
            pattern.sub(text[:0], text)
        worst = max(worst, time.process_time() - began)
    return worst


@pytest.mark.parametrize(("name", "pattern"), _patterns(), ids=[name for name, _ in _patterns()])
def test_no_pattern_takes_more_than_linear_time(name: str, pattern: re.Pattern[Any]) -> None:
    """32,000 characters take a linear pattern milliseconds and a quadratic one seconds."""
    assert _worst_seconds(pattern, 32_000) < 0.25, name


def test_the_patterns_of_both_packages_are_looked_at() -> None:
    names = {name for name, _ in _patterns()}
    assert {"mobile_bff.limits._VARIABLE", "backend.identity.registration._NAME"} <= names
