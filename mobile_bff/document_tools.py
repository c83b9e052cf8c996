"""``yibao document``: policy documents at the console; ``yibao reindex``: what is found, written anew."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from backend.access.contracts import Operator
from backend.catalogue import library as catalogue
from backend.infra.database import Unit
from backend.institutions import service as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale, Refusal
from backend.policies import documents
from backend.policies.document_contracts import DocumentView, FindDocuments, NewDocument
from backend.policies.library import shipped_documents
from backend.rulebook.library import rulebook, shipped_packs
from backend.rulebook.packs import PackInvalid, read_yaml
from mobile_bff.console import Run, operator, read, write

_NEW = TypeAdapter(NewDocument)
_SHOWN_MAX = 30


def document_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao document``."""
    parser.add_argument("action", choices=["draft", "publish", "withdraw", "find", "load"])
    parser.add_argument("subject", nargs="?", default="", help="a YAML file, a code, or a text")
    parser.set_defaults(run=lambda options: _policy(options, write, read, Operator(operator())))


def reindex_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao reindex`` be run."""
    parser.set_defaults(run=lambda _: _reindex(write))


def _policy(options: argparse.Namespace, write: Run, read: Run, actor: Operator) -> int:
    subject: str = options.subject
    match options.action:
        case "draft":
            try:
                new = _NEW.validate_python(read_yaml(Path(subject)))
            except (OSError, ValidationError, PackInvalid) as error:
                print(error, file=sys.stderr)
                return 1
            return _report(write(lambda u: documents.draft(u, actor, [new])))
        case "publish":
            return _report(write(lambda u: documents.publish(u, actor, [subject])))
        case "withdraw":
            done = write(lambda u: documents.withdraw(u, actor, subject))
            return _report(done if isinstance(done, Refusal) else [done])
        case "find":
            wanted = FindDocuments(subject, past_too=True)
            return _report(read(lambda u: documents.find(u, wanted, _SHOWN_MAX)))
    return _report(write(lambda u: _load(u, actor)))


def _load(unit: Unit, actor: Operator) -> list[DocumentView] | Refusal:
    """Draft and publish what the rulebook says and is not there yet; what is there stays as it is."""
    today: date = local_day(unit.now)
    new = [
        one
        for one in shipped_documents(shipped_packs(), rulebook(), today)
        if not documents.is_known(unit, one.code)
    ]
    drafted = documents.draft(unit, actor, new)
    if isinstance(drafted, Refusal):
        return drafted
    return documents.publish(unit, actor, [one.code for one in new])


def _report(outcome: list[DocumentView] | Refusal) -> int:
    if isinstance(outcome, Refusal):
        print(outcome.message(Locale.EN), file=sys.stderr)
        return 1
    for one in outcome:
        print(f"{one.code} {one.state} {one.region} {one.effective_from} {one.title}")
    return 0


def _reindex(write: Run) -> int:
    places = write(institutions.find_all_anew)
    items = write(catalogue.find_all_anew)
    print(f"{places} institutions and {items} items are found anew")
    return 0
