"""``yibao match``: local items that wait for a person, and what is decided about them."""

from __future__ import annotations

import argparse
from datetime import date

from backend.catalogue import queries as catalogue
from backend.catalogue import service as catalogue_service
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from mobile_bff.console import operator, read, report, write


def match_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao match``."""
    parser.add_argument("item", nargs="?", help="id of a local item; none: list them")
    parser.add_argument(
        "code", nargs="?", help="its national code; NONE: no national item is meant"
    )
    parser.add_argument("--from", dest="starts", help="first day, 2026-12-01; none: today")
    parser.set_defaults(run=_match)


def _match(options: argparse.Namespace) -> int:
    if not options.item:
        for institution_id, view in read(lambda unit: catalogue.queued(unit, 50)):
            print(view.id, institution_id, view.item.name, view.item.specification)
            for found in view.candidates:
                print(f"    {found.score:>3} {found.code} {found.name} {found.specification}")
        return 0
    code = None if options.code == "NONE" else options.code

    def decide(unit: Unit) -> bool:
        starts = date.fromisoformat(options.starts) if options.starts else local_day(unit.now)
        decided = catalogue_service.decide_match(unit, operator(), options.item, code, starts)
        return decided is not None

    return report(write(decide), f"there is no local item {options.item} or no code {options.code}")
