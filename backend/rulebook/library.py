"""Reads the parameter packs once and answers what was in force where, on which day.

The loaded book is immutable, so pure code may hold it. Its digest names the exact text of the law
that a settlement was made under.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from backend.rulebook.contracts import Finding, RuleMissing, RuleRef, Value

PARAMETERS = Path(__file__).parent / "parameters"
SCHEMA = Path(__file__).parent / "schema.json"


class PackInvalid(Exception):
    """A pack breaks the schema or contradicts itself; the message lists every fault."""


@dataclass(frozen=True)
class Dated:
    """One value or table of values, in force from a day until the next one or its end."""

    starts: date
    ends: date | None
    provisional: bool
    note: str
    reference: Mapping[str, str]
    rows: tuple[tuple[Mapping[str, str], Value], ...]

    def covers(self, day: date) -> bool:
        """Tell whether it is in force on the day; both ends count."""
        return self.starts <= day and (self.ends is None or day <= self.ends)


@dataclass(frozen=True)
class Parameter:
    """All values that one parameter ever had, the earliest first."""

    rule: str
    region: str
    values: tuple[Dated, ...]

    def on(self, day: date, case: Mapping[str, str]) -> Finding:
        """Return the value for a case on a day. Raises ``RuleMissing``."""
        dated = next((value for value in self.values if value.covers(day)), None)
        if dated is not None:
            for when, value in dated.rows:
                if all(case.get(name) == wanted for name, wanted in when.items()):
                    return Finding(value, self._reference(dated))
        shown = ", ".join(f"{name}={value}" for name, value in sorted(case.items()))
        raise RuleMissing(self.region, self.rule, day, shown)

    def _reference(self, dated: Dated) -> RuleRef:
        return RuleRef(
            rule=self.rule,
            region=self.region,
            effective_from=dated.starts,
            document=dated.reference["document"],
            number=dated.reference.get("number", ""),
            clause=dated.reference["clause"],
            source=dated.reference["source"],
            provisional=dated.provisional,
            note=dated.note,
        )


@dataclass(frozen=True)
class Rulebook:
    """All packs, by (region, topic, parameter)."""

    parameters: Mapping[tuple[str, str, str], Parameter]
    digest: str

    def find(self, region: str, name: str, day: date, **case: str) -> Finding:
        """Return what ``topic.parameter`` was in a region on a day. Raises ``RuleMissing``."""
        topic, _, parameter = name.partition(".")
        found = self.parameters.get((region, topic, parameter))
        if found is None:
            raise RuleMissing(region, name, day)
        return found.on(day, case)

    def dates(self) -> list[tuple[Parameter, date]]:
        """Return every day on which some parameter changes, for tests at each boundary."""
        return [
            (parameter, value.starts)
            for parameter in self.parameters.values()
            for value in parameter.values
        ]


def read_packs(folder: Path) -> Rulebook:
    """Read every pack below a folder. Raises ``PackInvalid`` with all faults at once."""
    packs, faults = {}, []
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        pack = yaml.load(path.read_text(encoding="utf-8"), Loader=_DatesAsText)  # noqa: S506 - a SafeLoader
        packs[name] = pack
        faults += [f"{name}: {fault}" for fault in faults_of_pack(pack)]
    if faults:
        raise PackInvalid("\n".join(faults))
    canonical = json.dumps(packs, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    parameters: dict[tuple[str, str, str], Parameter] = {}
    for name, pack in packs.items():
        for key, parameter in _parameters(pack):
            if key in parameters:
                raise PackInvalid(f"{name}: {'.'.join(key)} is defined twice")
            parameters[key] = parameter
    return Rulebook(parameters, digest)


@cache
def rulebook() -> Rulebook:
    """Return the book that ships with this program."""
    return read_packs(PARAMETERS)


def faults_of_pack(pack: Any) -> Iterator[str]:
    """Return what is wrong with a pack, in words that name the place."""
    validator = Draft202012Validator(
        json.loads(SCHEMA.read_text(encoding="utf-8")), format_checker=FormatChecker()
    )
    faults = [
        f"{'/'.join(str(step) for step in fault.absolute_path)}: {fault.message}"
        for fault in validator.iter_errors(pack)
    ]
    yield from faults
    if faults:
        return
    for name, parameter in pack["parameters"].items():
        yield from _faults_of_parameter(name, parameter)


def _faults_of_parameter(name: str, parameter: Any) -> Iterator[str]:
    last_end: date | None = date.min
    dimensions = set(parameter.get("by", ()))
    for dated in parameter["values"]:
        starts = date.fromisoformat(dated["from"])
        ends = date.fromisoformat(dated["until"]) if "until" in dated else None
        if last_end is None or starts <= last_end:
            yield f"{name}: the value from {starts} overlaps the one before it"
        if ends is not None and ends < starts:
            yield f"{name}: the value from {starts} ends before it starts"
        last_end = ends
        rows = dated.get("table", [])
        if bool(rows) != bool(dimensions):
            yield f"{name}: a table goes with 'by', a single value without it"
        for row in rows:
            if not set(row["when"]) <= dimensions:
                yield f"{name}: {row['when']} names a dimension that is not in 'by'"
        for row in rows or [dated]:
            try:
                _value(parameter["unit"], row["value"])
            except (ValueError, TypeError) as error:
                yield f"{name} from {starts}: {error}"


def _parameters(pack: Any) -> Iterator[tuple[tuple[str, str, str], Parameter]]:
    for name, raw in pack["parameters"].items():
        values = tuple(
            Dated(
                starts=date.fromisoformat(dated["from"]),
                ends=date.fromisoformat(dated["until"]) if "until" in dated else None,
                provisional=dated["provisional"],
                note=dated.get("note", ""),
                reference=dated["reference"],
                rows=tuple(
                    (row["when"], _value(raw["unit"], row["value"]))
                    for row in dated.get("table", [{"when": {}, "value": dated.get("value")}])
                ),
            )
            for dated in raw["values"]
        )
        parameter = Parameter(f"{pack['pack']}/{name}", pack["region"], values)
        yield (pack["region"], pack["topic"], name), parameter


def _value(unit: str, raw: Any) -> Value:
    if unit == "fen" and isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if unit == "rate" and isinstance(raw, str):
        rate = Fraction(raw)
        if 0 <= rate <= 1:
            return rate
    if unit == "flag" and isinstance(raw, bool):
        return raw
    if unit == "choice" and isinstance(raw, str):
        return raw
    if unit == "list" and isinstance(raw, list):
        return tuple(raw)
    raise ValueError(f"{raw!r} is no {unit}")


class _DatesAsText(yaml.SafeLoader):
    """Reads YAML but leaves dates as the text that the schema checks."""


_DatesAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
