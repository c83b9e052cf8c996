"""Reads parameter packs, checks their form, and turns each value into what the engine works with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from backend.kernel.errors import OperatorError
from backend.kernel.money import Fen, parse_yuan
from backend.rulebook.contracts import Band, Finding, RuleMissing, RuleRef, Step, Value
from backend.rulebook.vocabulary import Term, vocabulary

if TYPE_CHECKING:  # loaded with the first pack that is checked
    from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parent.joinpath("schema.json")
When = tuple[tuple[str, frozenset[str]], ...]


class PackInvalid(OperatorError):
    """A pack breaks the schema or contradicts itself; the message lists every fault."""


@dataclass(frozen=True)
class Dated:
    """One value or table of values, in force from a day until the next one or its end."""

    starts: date
    ends: date | None
    rows: tuple[tuple[When, Finding], ...]

    def covers(self, day: date) -> bool:
        """Tell whether it is in force on the day; both ends count."""
        return self.starts <= day and (self.ends is None or day <= self.ends)


@dataclass(frozen=True)
class Parameter:
    """All values that one parameter ever had, the earliest first."""

    rule: str
    region: str
    unit: str
    by: tuple[str, ...]
    values: tuple[Dated, ...]

    def on(self, day: date, case: Mapping[str, str]) -> Finding:
        """Return the value for a case on a day. Raises ``RuleMissing``."""
        found = self.on_or_none(day, case)
        if found is not None:
            return found
        shown = ", ".join(f"{name}={case.get(name, '?')}" for name in self.by)
        raise RuleMissing(self.region, self.rule, day, shown)

    def on_or_none(self, day: date, case: Mapping[str, str]) -> Finding | None:
        """Return the value of the first row that fits, or ``None`` where nothing is in force."""
        for dated in self.values:
            if dated.covers(day):
                for when, finding in dated.rows:
                    for name, wanted in when:
                        if case.get(name) not in wanted:
                            break
                    else:
                        return finding
        return None


def read_yaml(path: Path) -> Any:
    """Read a YAML file, leaving dates as text. Raises ``PackInvalid`` where it is no YAML."""
    documents = read_documents(path)
    if len(documents) != 1:
        raise PackInvalid(f"{path.name} holds {len(documents)} documents instead of one")
    return documents[0]


def read_documents(path: Path) -> list[Any]:
    """Read every document of a YAML file, leaving dates as text. Raises ``PackInvalid``."""
    try:
        text = path.read_text(encoding="utf-8")
        return list(yaml.load_all(text, Loader=_DatesAsText))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PackInvalid(f"{path.name} is no YAML: {error}") from error


def complete(pack: Any) -> Any:
    """Return a pack with what its author may leave out: see the guide to writing packs.

    A parameter may be its plain value; unit and description come from the vocabulary, the dimensions
    from its table, and ``from``, ``provisional``, ``note`` and ``reference`` from the pack's
    ``defaults``. A pack that is no mapping is returned as it is, for the schema to refuse.
    """
    if not isinstance(pack, dict) or not isinstance(pack.get("parameters"), dict):
        return pack
    terms = vocabulary().topic(str(pack.get("topic", ""))).terms
    defaults = pack.get("defaults", {})
    parameters = {
        name: _complete_parameter(raw, terms.get(name), defaults)
        for name, raw in pack["parameters"].items()
    }
    return {**{key: pack[key] for key in pack if key != "defaults"}, "parameters": parameters}


def _complete_parameter(raw: Any, term: Term | None, defaults: Any) -> Any:
    if not isinstance(raw, dict):
        raw = {"value": raw}
    if "values" not in raw:
        own = ("unit", "description", "by")
        values: Any = [{key: raw[key] for key in raw if key not in own}]
        raw = {**{key: raw[key] for key in raw if key in own}, "values": values}
    if not isinstance(raw["values"], list):
        return raw
    values = [
        {**defaults, **value} if isinstance(value, dict) else value for value in raw["values"]
    ]
    found = {"values": values}
    if term is not None:
        found |= {"unit": term.unit, "description": term.meaning}
    rows = [r for v in values if isinstance(v, dict) for r in v.get("table", ()) if "when" in r]
    named = sorted({name for row in rows for name in row["when"]})
    if any(isinstance(value, dict) and "table" in value for value in values):
        found["by"] = named or ["place"]
    return {**found, **raw, "values": values}


def faults_of_pack(pack: Any) -> Iterator[str]:
    """Return what is wrong with the form of a pack, in words that name the place."""
    faults = [
        f"{'/'.join(str(step) for step in fault.absolute_path)}: {fault.message}"
        for fault in _validator().iter_errors(pack)
    ]
    yield from faults
    if faults:
        return
    for name, parameter in pack["parameters"].items():
        yield from _faults_of_parameter(name, parameter)


def parameters_of(pack: Any) -> Iterator[tuple[str, Parameter]]:
    """Return the parameters of a pack without faults, by name."""
    for name, raw in pack["parameters"].items():
        rule = f"{pack['pack']}/{name}"
        values = tuple(_dated(rule, pack["region"], raw["unit"], dated) for dated in raw["values"])
        yield name, Parameter(rule, pack["region"], raw["unit"], tuple(raw.get("by", ())), values)


def band_faults(bands: tuple[Band, ...]) -> Iterator[str]:
    """Return where bands are not contiguous: each ends above the one before, the last is open."""
    last = Fen(0)
    for position, band in enumerate(bands, 1):
        if band.up_to is None:
            if position != len(bands):
                yield f"band {position} has no end, but others follow it"
        elif band.up_to <= last:
            yield f"band {position} ends at or below the one before it"
        else:
            last = band.up_to
    if bands[-1].up_to is not None:
        yield "the last band has an end; amounts above it have no rate"


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
        earlier: list[Any] = []
        for row in rows:
            if not set(row["when"]) <= dimensions:
                yield f"{name}: {row['when']} names a dimension that is not in 'by'"
            if any(_hides(before, row["when"]) for before in earlier):
                yield f"{name} from {starts}: {row['when']} is never reached, a row above covers it"
            earlier.append(row["when"])
        for row in rows or [dated]:
            try:
                value = _value(parameter["unit"], row["value"])
            except (ValueError, TypeError) as error:
                yield f"{name} from {starts}: {error}"
            else:
                if parameter["unit"] == "bands":
                    found = band_faults(value)  # type: ignore[arg-type] # the unit says so
                    yield from (f"{name} from {starts}: {fault}" for fault in found)


def _hides(before: Mapping[str, Any], when: Mapping[str, Any]) -> bool:
    return all(name in when and _wanted(when[name]) <= _wanted(before[name]) for name in before)


def _wanted(raw: Any) -> frozenset[str]:
    return frozenset(raw if isinstance(raw, list) else [raw])


def _dated(rule: str, region: str, unit: str, raw: Any) -> Dated:
    starts = date.fromisoformat(raw["from"])
    rows = []
    for row in raw.get("table", [{"when": {}, "value": raw.get("value")}]):
        when = tuple((name, _wanted(wanted)) for name, wanted in row["when"].items())
        reference = row.get("reference", raw["reference"])
        ref = RuleRef(
            rule=rule,
            region=region,
            effective_from=starts,
            document=reference["document"],
            number=reference.get("number", ""),
            clause=reference["clause"],
            source=reference["source"],
            provisional=row.get("provisional", raw["provisional"]),
            note=row.get("note", raw.get("note", "")),
        )
        rows.append((when, Finding(_value(unit, row["value"]), ref)))
    ends = date.fromisoformat(raw["until"]) if "until" in raw else None
    return Dated(starts, ends, tuple(rows))


def _value(unit: str, raw: Any) -> Value:
    """Return a raw value as its unit demands. Raises ``ValueError``."""
    number = isinstance(raw, int) and not isinstance(raw, bool)
    if unit == "yuan" or (unit == "limit" and raw != "NONE"):
        return _fen(raw)
    if unit == "limit":
        return None
    if unit == "count" and number and raw >= 0:
        return int(raw)
    if unit == "rate" and isinstance(raw, str):
        return _rate(raw)
    if unit == "flag" and isinstance(raw, bool):
        return raw
    if unit == "choice" and isinstance(raw, str):
        return raw
    if unit == "list" and isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return tuple(raw)
    if unit == "bands" and isinstance(raw, list):
        return tuple(
            Band(_fen(band["up_to"]) if "up_to" in band else None, _rate(band["rate"]))
            for band in raw
            if isinstance(band, dict)
        )
    if unit == "steps" and isinstance(raw, list):
        return tuple(
            Step(int(step["from"]), _rate(step["add"])) for step in raw if isinstance(step, dict)
        )
    raise ValueError(f"{raw!r} is no {unit}")


def _fen(raw: Any) -> Fen:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise ValueError(f"{raw!r} is no amount in yuan; write cents in quotes, as '404.20'")
    amount = parse_yuan(str(raw))
    if amount < 0:
        raise ValueError(f"{raw!r} is negative")
    return amount


def _rate(raw: Any) -> Fraction:
    if not isinstance(raw, str):
        raise ValueError(f"{raw!r} is no rate; write it in quotes, as '0.85'")
    rate = Fraction(raw)
    if not 0 <= rate <= 1:
        raise ValueError(f"{raw!r} is no rate between 0 and 1")
    return rate


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Draft202012Validator(schema, format_checker=FormatChecker())


class _DatesAsText(yaml.CSafeLoader):
    """Reads YAML but leaves dates as the text that the schema checks, and ``on`` and ``NO`` as words."""


def _is_left_as_text(first: str, tag: str) -> bool:
    word = tag == "tag:yaml.org,2002:bool" and first in "yYnNoO"  # yes, no, on, off
    return word or tag == "tag:yaml.org,2002:timestamp"


_DatesAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not _is_left_as_text(first, tag)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
