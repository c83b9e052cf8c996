"""``yibao institutions``: take up a directory of institutions, such as that of other provinces."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from backend.infra.clock import SystemClock, SystemIds
from backend.institutions import service
from backend.institutions.contracts import Ability, Agreement, InstitutionKind, InstitutionView
from backend.regions.library import divisions, insured_area_of
from mobile_bff.console import Run, operator, write

_HEAD = ["code", "name", "kind", "level", "division_code", "address", "abilities", "agreement"]
_AT_ONCE = 500
_LEVEL_MAX = 3


def institutions_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao institutions``."""
    parser.add_argument("file", help=f"CSV with the columns {','.join(_HEAD)}")
    parser.set_defaults(run=lambda options: _take(options, write, f"operator:{operator()}"))


def _take(options: argparse.Namespace, write: Run, operator: str) -> int:
    """Read the whole file first, then take up some hundred lines at a time; repeating it completes it."""
    try:
        listed = list(_read(Path(options.file)))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    new = changed = 0
    for at in range(0, len(listed), _AT_ONCE):
        some = listed[at : at + _AT_ONCE]
        fresh, other = write(lambda u: service.take_directory(u, operator, some))  # noqa: B023
        new, changed = new + fresh, changed + other
    print(f"{new} new, {changed} changed, {len(listed) - new - changed} as they were")
    return 0


def _read(path: Path) -> Iterator[InstitutionView]:
    """Yield the institutions of a file. Raises ``ValueError`` naming the first that cannot be read."""
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != _HEAD:
            raise ValueError(f"the columns are not {','.join(_HEAD)}")
        for number, row in enumerate(rows, 2):
            try:
                one = _institution(row)
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"line {number} cannot be read: {error}") from error
            if one.code in seen:
                raise ValueError(f"line {number}: {one.code} is listed twice")
            seen.add(one.code)
            yield one


def _institution(row: dict[str, str]) -> InstitutionView:
    """Return an institution of a line. Raises ``ValueError``."""
    code, name, division = row["code"].strip(), row["name"].strip(), row["division_code"].strip()
    kind = InstitutionKind(row["kind"])
    level = int(row["level"]) if row["level"] else None
    if not code or not name:
        raise ValueError("code or name is missing")
    if division not in divisions():
        raise ValueError(f"there is no division {division}")
    if (level is None) != (kind is InstitutionKind.PHARMACY) or not 0 <= (level or 0) <= _LEVEL_MAX:
        raise ValueError("a hospital has a level from 0 to 3, a pharmacy none")
    return InstitutionView(
        id=SystemIds().new_id(SystemClock().now()),
        code=code,
        name=name,
        kind=kind,
        level=level,
        division_code=division,
        area_code=insured_area_of(division),
        address=row["address"].strip(),
        abilities=tuple(Ability(ability) for ability in row["abilities"].split()),
        agreement=Agreement(row["agreement"] or Agreement.OPEN),
    )
