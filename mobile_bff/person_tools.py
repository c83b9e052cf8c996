"""``yibao person`` and ``duplicates``: documents beside the ID number, and records that may be one person's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

from backend.infra.database import Unit
from backend.kernel.errors import Locale, Refusal
from backend.merging import service as merging
from backend.merging.contracts import Merged
from backend.people import documents
from backend.people import queries as people
from backend.people.document_contracts import (
    DocumentInput,
    DocumentKind,
    DocumentView,
    DuplicateState,
    DuplicateView,
)
from backend.people.logic import tidy_number
from mobile_bff.console import Run, operator, read, write

_KINDS = [kind.value for kind in DocumentKind if not kind.is_master_index]
_SCANNED_AT_ONCE = 500


def person_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao person``."""
    parser.add_argument("action", choices=["show", "document", "number"])
    parser.add_argument("known_by", help="ID number, or the number of another document")
    parser.add_argument("number", nargs="?", help="what to record")
    parser.add_argument("--kind", choices=_KINDS, help="of `document`")
    parser.add_argument("--country", default="", help="of a passport: three letters, such as FRA")
    parser.add_argument("--valid-until", help="2031-05-01")
    parser.set_defaults(run=lambda options: _person(options, write, read, f"operator:{operator()}"))


def duplicates_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao duplicates``."""
    parser.add_argument(
        "action", choices=["list", "scan", "propose", "withdraw", "differ", "confirm"]
    )
    parser.add_argument("case", nargs="?")
    parser.add_argument("--keep", default="", help="of `propose`: the record that goes on")
    parser.add_argument("--words", default="", help="which papers were compared")
    parser.set_defaults(
        run=lambda options: _duplicates(options, write, read, f"operator:{operator()}")
    )


def _person(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    person_id = read(lambda u: _known_by(u, options.known_by))
    if person_id is None:
        print("nobody, or more than one, is known by this number", file=sys.stderr)
        return 1
    number = options.number or ""
    if options.action == "number":
        return _report(write(lambda u: documents.give_id_number(u, operator, person_id, number)))
    if options.action == "document":
        until = date.fromisoformat(options.valid_until) if options.valid_until else None
        kind = DocumentKind(options.kind or DocumentKind.PASSPORT)
        document = DocumentInput(kind, number, options.country.upper(), until)
        return _report(write(lambda u: documents.record_document(u, operator, person_id, document)))
    print(person_id)
    return _report(read(lambda u: people.documents(u, person_id)))


def _known_by(unit: Unit, number: str) -> str | None:
    tidy = tidy_number(number)
    found = {people.person_by_document(unit, kind, tidy) for kind in DocumentKind} - {None}
    return found.pop() if len(found) == 1 else None


def _duplicates(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    case, words = options.case or "", options.words
    if options.action == "list":
        waiting = (DuplicateState.OPEN, DuplicateState.PROPOSED)
        return _report(read(lambda u: people.duplicates(u, waiting, 50)))
    if options.action == "scan":
        return _scan(write)
    acts: dict[str, Callable[[Unit], Any]] = {
        "propose": lambda u: merging.propose(u, operator, case, options.keep, words),
        "withdraw": lambda u: merging.withdraw(u, operator, case),
        "differ": lambda u: merging.differ(u, operator, case, words),
        "confirm": lambda u: merging.confirm(u, operator, case),
    }
    return _report(write(acts[options.action]))


def _scan(write: Run) -> int:
    after, found = "", 0
    while True:
        start = after
        after, more = write(lambda u: documents.scan(u, start, _SCANNED_AT_ONCE))  # noqa: B023
        found += more
        if not after:
            print(f"{found} new pairs")
            return 0


def _report(outcome: object) -> int:
    """Print a refusal, documents, pairs, or what a merge did."""
    if isinstance(outcome, Refusal):
        print(outcome.message(Locale.EN), outcome.next_action(Locale.EN), file=sys.stderr)
        return 1
    for one in outcome if isinstance(outcome, list) else [outcome]:
        if isinstance(one, DocumentView):
            print(one.kind.value, one.number, one.country, one.valid_until or "")
        elif isinstance(one, DuplicateView):
            print(one.id, one.state.value, one.reason.value, f"by {one.proposed_by or '-'}")
            for person_id, name, number in zip(one.person_ids, one.names, one.numbers, strict=True):
                keep = "  keep" if person_id == one.kept_id else ""
                print(f"    {person_id} {name} {number or 'no ID number'}{keep}")
        elif isinstance(one, Merged):
            print(f"{one.dropped_id} is now {one.kept_id};", dict(one.moved))
    return 0
