"""The law by region, topic and parameter, and what was in force where, on which day.

The loaded book is immutable, so pure code may hold it. Its digest names the exact text of the law
that a settlement was made under, and ``source`` is that text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from backend.regions.library import province_code
from backend.rulebook.contracts import Finding, RuleMissing
from backend.rulebook.packs import (
    PackInvalid,
    Parameter,
    complete,
    faults_of_pack,
    parameters_of,
    read_documents,
)

PARAMETERS = Path(__file__).parent.joinpath("parameters")
NATION = "CN"


@dataclass(frozen=True)
class Rulebook:
    """All packs, by (region, topic, parameter)."""

    parameters: Mapping[tuple[str, str, str], Parameter]
    digest: str
    source: str = field(default="", repr=False)
    _rules: dict[str, dict[str, Parameter]] = field(default_factory=dict, repr=False, compare=False)

    def find(
        self, region: str, name: str, day: date, case: Mapping[str, str] | None = None, **more: str
    ) -> Finding:
        """Return what ``topic.parameter`` was in a region on a day. Raises ``RuleMissing``.

        A region's own rule counts before its province's, and that before the nation's.
        """
        parameter = self.parameter(region, name)
        if parameter is None:
            raise RuleMissing(region, name, day)
        try:
            return parameter.on(day, {**case, **more} if case else more)
        except RuleMissing as missing:  # asked for by this region, whoever owns the rule
            raise RuleMissing(region, missing.rule, day, missing.case) from None

    def find_if_any(
        self, region: str, name: str, day: date, case: Mapping[str, str] | None = None, **more: str
    ) -> Finding | None:
        """Return it, or ``None`` where no rule of this name is in force for the case.

        For mechanisms that a region has or has not; see the vocabulary for which they are.
        """
        parameter = self.parameter(region, name)
        if parameter is None:
            return None
        return parameter.on_or_none(day, {**case, **more} if case else more)

    def parameter(self, region: str, name: str) -> Parameter | None:
        """Return a parameter of the region, its province or the nation."""
        return self.rules_of(region).get(name)

    def rules_of(self, region: str) -> Mapping[str, Parameter]:
        """Return every ``topic.parameter`` that counts in a region, gathered once."""
        found = self._rules.get(region)
        if found is None:
            found = {}
            for owner in (NATION, f"{province_code(region)}0000", region):
                for (of, topic, parameter), rule in self.parameters.items():
                    if of == owner:
                        found[f"{topic}.{parameter}"] = rule
            self._rules[region] = found
        return found

    def topics(self, region: str) -> set[str]:
        """Return the topics that a region itself has rules for."""
        return {topic for owner, topic, _ in self.parameters if owner == region}

    def dates(self) -> list[tuple[Parameter, date]]:
        """Return every day on which some parameter changes, for tests at each boundary."""
        return [
            (parameter, value.starts)
            for parameter in self.parameters.values()
            for value in parameter.values
        ]


def packs_in(*places: Path) -> dict[str, Any]:
    """Return the packs of files and folders, by file name, in a fixed order."""
    packs = {}
    for place in places:
        if not place.exists():
            raise PackInvalid(f"there is no {place}")
        for path in sorted(place.rglob("*.yaml")) if place.is_dir() else [place]:
            name = path.relative_to(place).as_posix() if place.is_dir() else path.name
            name = name if name not in packs else path.as_posix()
            for number, pack in enumerate(read_documents(path), 1):
                packs[name if number == 1 else f"{name}#{number}"] = complete(pack)
    return packs


def shipped_packs() -> dict[str, Any]:
    """Return the packs that ship with this program."""
    return packs_in(PARAMETERS)


def read_packs(*places: Path) -> Rulebook:
    """Read every pack of files and folders. Raises ``PackInvalid`` with all faults at once."""
    return make_book(packs_in(*places))


def make_book(packs: Mapping[str, Any]) -> Rulebook:
    """Make a book of packs. Raises ``PackInvalid`` with all faults at once."""
    faults = [f"{name}: {fault}" for name in packs for fault in faults_of_pack(packs[name])]
    faults += [] if faults else _doubles(packs)
    if faults:
        raise PackInvalid("\n".join(faults))
    parameters = {
        (pack["region"], pack["topic"], name): parameter
        for pack in packs.values()
        for name, parameter in parameters_of(pack)
    }
    canonical = json.dumps(packs, sort_keys=True, ensure_ascii=False)
    return Rulebook(parameters, hashlib.sha256(canonical.encode()).hexdigest(), canonical)


def book_of_source(source: str) -> Rulebook:
    """Return the book whose text was kept."""
    return make_book(json.loads(source))


@cache
def rulebook() -> Rulebook:
    """Return the book that ships with this program."""
    return read_packs(PARAMETERS)


def _doubles(packs: Mapping[str, Any]) -> Iterator[str]:
    seen: set[tuple[str, str, str]] = set()
    for file, pack in packs.items():
        for name in pack["parameters"]:
            key = (pack["region"], pack["topic"], name)
            if key in seen:
                yield f"{file}: {'.'.join(key)} is defined twice"
            seen.add(key)
