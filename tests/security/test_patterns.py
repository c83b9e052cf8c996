"""No pattern of either package takes more than linear time on any text.

Patterns are found in the source itself, so that a new one is tried without another word. Each is run
on texts made of its own characters, long enough for a quadratic pattern to take a second of work.
"""

from __future__ import annotations

import ast
import re
import re._constants as constants
import re._parser as parser
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backend.people import logic as people

ROOT = Path(__file__).parents[2]
LENGTH = 60_000
SECONDS_MAX = 0.15
"""A linear pattern needs a hundredth of it for such a text, a quadratic one several times as much."""
_FUNCTIONS = {
    "compile",
    "match",
    "search",
    "sub",
    "subn",
    "fullmatch",
    "split",
    "findall",
    "finditer",
}
_CATEGORIES = {
    constants.CATEGORY_DIGIT: "7",
    constants.CATEGORY_SPACE: " ",
    constants.CATEGORY_WORD: "a",
    constants.CATEGORY_NOT_WORD: "·",
    constants.CATEGORY_NOT_DIGIT: "a",
    constants.CATEGORY_NOT_SPACE: "a",
}


@dataclass(frozen=True)
class Used:
    """A pattern, and how the code runs it."""

    pattern: re.Pattern[Any]
    methods: frozenset[str]


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(p for f in ("backend", "mobile_bff") for p in (ROOT / f).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "re." in text:
            yield path.relative_to(ROOT).as_posix(), ast.parse(text)


TREES = dict(_trees())


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _function(node) in _FUNCTIONS:
                yield f"{name}:{node.lineno}", node


def _function(call: ast.Call) -> str | None:
    own = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "re"
    return call.func.attr if own and isinstance(call.func, ast.Attribute) else None


def _methods(file: str, call: ast.Call) -> frozenset[str]:
    """Return the methods by which a file runs a pattern that it compiles, or runs at once."""
    if _function(call) != "compile":
        return frozenset({str(_function(call))})
    names = {
        ast.unparse(node.targets[0])
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Assign) and node.value is call
    }
    return frozenset(
        node.attr
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in names
    )


def _texts(where: str, first: ast.expr) -> list[str | bytes]:
    if isinstance(first, ast.Name):  # the forms of document numbers, by kind
        assert where.startswith("backend/people/logic.py"), f"a pattern nobody can read: {where}"
        return list(people._FORMS.values())
    constants_ = [n.value for n in ast.walk(first) if isinstance(n, ast.Constant)]
    texts = [text for text in constants_ if isinstance(text, str | bytes) and text]
    return ["".join(map(str, texts))] if isinstance(first, ast.JoinedStr) else texts


def _patterns() -> dict[str, Used]:
    made = {}
    for where, call in _calls():
        flags = re.ASCII if "re.ASCII" in ast.unparse(call) else re.NOFLAG
        flags |= re.IGNORECASE if "re.IGNORECASE" in ast.unparse(call) else re.NOFLAG
        methods = _methods(where.partition(":")[0], call)
        for number, text in enumerate(_texts(where, call.args[0])):
            made[f"{where}.{number}"] = Used(re.compile(text, flags), methods)
    return made


PATTERNS = _patterns()


def _characters(parsed: Any) -> Iterator[str]:
    """Yield what a pattern is made of: its literal characters, and one of each class."""
    for code, value in parsed:
        if code in (constants.LITERAL, constants.NOT_LITERAL):
            yield chr(value)
        elif code is constants.RANGE:
            yield chr(value[0])
        elif code is constants.CATEGORY:
            yield _CATEGORIES[value]
        elif code is constants.ANY:
            yield "z"
        elif code is constants.IN:
            yield from _characters(value)
        elif code is constants.BRANCH:
            for way in value[1]:
                yield from _characters(way)
        elif isinstance(value, tuple | list):
            inner = [part for part in value if isinstance(part, parser.SubPattern)]
            for part in inner:
                yield from _characters(part)


def hostile_texts(pattern: re.Pattern[Any]) -> list[str]:
    """Return long texts of a pattern's own characters: one, two, or a run of them again and again."""
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    own = list(dict.fromkeys(_characters(parser.parse(pattern.pattern, flags))))[:24]
    run = "".join(_characters(parser.parse(pattern.pattern, flags)))
    bits = [*own, " ", "a", "7", "(", "\n", *(a + b for a in own[:8] for b in own[:8])]
    bits += [run[:end] for end in range(2, min(len(run), 40) + 1)]
    texts = [bit * (LENGTH // max(1, len(bit))) for bit in dict.fromkeys(bits) if bit]
    return [ending for text in texts for ending in (text, text + "\0", own[0] + text + "\0")]


def slowest(used: Used) -> float:
    """Return the seconds of work for the text that takes a pattern longest."""
    worst = 0.0
    for text in hostile_texts(used.pattern):
        given: Any = text.encode() if isinstance(used.pattern.pattern, bytes) else text
        seconds = _timed(used, given)
        if seconds > SECONDS_MAX:  # once more: another process may have had the machine
            seconds = min(seconds, _timed(used, given))
        worst = max(worst, seconds)
        if worst > SECONDS_MAX:
            break
    return worst


def _timed(used: Used, text: Any) -> float:
    started = time.thread_time()
    for method in used.methods:
        arguments = (text[:0], text) if method in ("sub", "subn") else (text,)
        outcome = getattr(used.pattern, method)(*arguments)
        if method == "finditer":
            list(outcome)
    return time.thread_time() - started


def test_every_pattern_is_found() -> None:
    files = {where.partition(":")[0] for where in PATTERNS}
    assert len(PATTERNS) >= 25
    assert {"mobile_bff/limits.py", "backend/catalogue/matching.py"} <= files


def test_no_pattern_is_written_from_anything_but_text() -> None:
    """A caller's text never becomes a pattern: what stands in one is a region's two digits, or another's text."""
    written = {
        (where.partition(":")[0], ast.unparse(part.value))
        for where, call in _calls()
        for part in ast.walk(call.args[0])
        if isinstance(part, ast.FormattedValue)
    }
    assert written == {("backend/reports/logic.py", "home"), ("mobile_bff/inbox.py", "_NUMBER")}


@pytest.mark.parametrize("where", sorted(PATTERNS))
def test_a_pattern_is_linear(where: str) -> None:
    used = PATTERNS[where]
    assert used.methods, "compiled and never run"
    assert slowest(used) < SECONDS_MAX, used.pattern.pattern


@pytest.mark.parametrize(
    "pattern",
    [r"Did you mean [^?]*\?", r" \(.*\)\.$"],
)
def test_what_is_quadratic_is_noticed(pattern: str) -> None:
    assert slowest(Used(re.compile(pattern), frozenset({"sub"}))) > SECONDS_MAX
